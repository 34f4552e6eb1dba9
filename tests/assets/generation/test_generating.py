"""Pictures and clips, from a wish to a file of one's own: by services over HTTP, and offline."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from assets import merging, tasks
from assets.generation import asking, receiving, rows, upkeep
from assets.generation.errors import GenerationInvalid, GenerationTaken
from assets.models import Asset, Generation, GenerationKind, GenerationState, Kind, ProviderLimit, Usage
from jobs import control, rescue
from jobs.context import JobContext
from jobs.models import DeadLetter, Job
from jobs.status import JobStatus
from jobs.testing import Clock, run
from tests.assets.builders import make_asset, make_project
from tests.assets.providers.making import ReplicateService
from tests.assets.providers.speaking import OpenAIService
from tests.builders import claim, make_user
from tests.files import files_under
from tests.videos.test_cleanup import age
from videos.models import Material, Medium, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]


def clip(folder: Path, ending: str = "mp4") -> bytes:
    file = folder / f"clip.{ending}"
    codec = ["-c:v", "libx264", "-preset", "ultrafast"] if ending == "mp4" else ["-c:v", "libvpx", "-cpu-used", "8"]
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "color=blue:s=128x72:r=10:d=1"]
    subprocess.run([*argv, *codec, "-pix_fmt", "yuv420p", str(file)], check=True, stdin=subprocess.DEVNULL)
    return file.read_bytes()


@pytest.fixture
def asset(ann: User) -> Asset:
    return make_asset(make_project(ann), "Mira", kind=Kind.CHARACTER)


def picture(owner: User, **said: Any) -> Job:
    """A job for a picture, recorded."""
    job, _ = tasks.generate_image.submit((), {"prompt": "a lamp", **said}, owner_id=owner.pk)
    return Job.objects.get(pk=job.pk)


def generated() -> list[str]:
    """The generated files, below their folder."""
    root = Path(settings.MEDIA_ROOT) / "ai-generated"
    return [path.relative_to(root).as_posix() for path in files_under(root)]


def row_of(job: Job) -> Generation:
    return Generation.objects.get(job=job)


def errors_of(job: Job) -> str:
    return "" if job.error is None else job.error["code"]


# -- offline ---------------------------------------------------------------------------------------------


def test_a_picture_made_offline_becomes_its_assets_picture(ann: User, asset: Asset) -> None:
    job = run(picture(ann, model="offline", asset_id=asset.pk, size="160x90"))
    assert job.status == JobStatus.COMPLETED, job.error
    row = row_of(job)
    assert row.result_name == f"ai-generated/images/{job.pk}.png"
    with Image.open(Path(settings.MEDIA_ROOT) / row.result_name) as made:
        assert (made.size, made.format) == ((160, 90), "PNG")
    asset.refresh_from_db()
    assert asset.picture == row.medium and asset.picture is not None
    assert job.result and job.result["image_url"] == f"{settings.MEDIA_URL}{row.result_name}"
    prepared = run(Job.objects.get(kind="videos.tasks.prepare_material"))
    assert (prepared.status, Medium.objects.get().width) == (JobStatus.COMPLETED, 160)


def test_a_picture_of_what_was_merged_meanwhile_is_that_of_what_it_is_part_of(ann: User, asset: Asset) -> None:
    job = picture(ann, model="offline", asset_id=asset.pk, size="160x90")
    kept = make_asset(asset.project, "Mira Sand", kind=Kind.CHARACTER)
    merging.merge(kept, asset, by=ann)
    assert run(job).status == JobStatus.COMPLETED
    kept.refresh_from_db()
    asset.refresh_from_db()
    assert (kept.picture, asset.picture) == (Medium.objects.get(), None)


def test_a_clip_made_offline_becomes_a_material(ann: User) -> None:
    project = make_project(ann)
    said = {"model": "offline", "seconds": 1.0, "size": "160x90", "project_id": project.pk, "material": "title"}
    job, _ = tasks.generate_video.submit(("text2video", "Episode 1"), said, owner_id=ann.pk)
    done = run(Job.objects.get(pk=job.pk))
    assert done.status == JobStatus.COMPLETED, done.error
    video = Video.objects.get()
    assert Material.objects.get(project=project, name="title").video == video
    assert row_of(done).video == video and video.title == "Episode 1"
    assert (Path(settings.MEDIA_ROOT) / row_of(done).result_name).read_bytes()[4:8] == b"ftyp"


def test_a_clip_begins_with_its_assets_picture_and_comes_back_for_it(
    ann: User, asset: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_PREPARED_SECONDS", 0.0)
    run(picture(ann, model="offline", asset_id=asset.pk, size="160x90"))
    said = {"model": "offline", "seconds": 1.0, "size": "160x90", "asset_id": asset.pk}
    job, _ = tasks.generate_video.submit(("img2video", "Mira"), said, owner_id=ann.pk)
    early = run(job)
    assert (early.status, errors_of(early)) == (JobStatus.RETRYING, "picture_not_ready")
    run(Job.objects.get(kind="videos.tasks.prepare_material"))
    Clock().turn(timedelta(hours=1))
    assert run(job).status == JobStatus.COMPLETED


def test_a_clip_waits_for_its_picture_before_it_gives_up(
    ann: User, asset: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(picture(ann, model="offline", asset_id=asset.pk, size="160x90"))
    prepare, waits = Job.objects.get(kind="videos.tasks.prepare_material"), list[float]()

    def pause(ctx: JobContext, seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            run(prepare)

    monkeypatch.setattr(receiving, "pause", pause)
    said = {"model": "offline", "seconds": 1.0, "size": "160x90", "asset_id": asset.pk}
    job, _ = tasks.generate_video.submit(("img2video", "Mira"), said, owner_id=ann.pk)
    assert (run(job).status, len(waits)) == (JobStatus.COMPLETED, 2)


def test_the_pictures_of_one_request_are_no_more_than_memory_bears(
    ann: User, asset: Asset, replicate: ReplicateService, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(picture(ann, model="offline", asset_id=asset.pk, size="160x90"))
    run(Job.objects.get(kind="videos.tasks.prepare_material"))
    there = picture(ann, model="replicate:o/n", reference_assets=[asset.pk, asset.pk])
    assert run(there).status == JobStatus.COMPLETED
    sent = len(replicate.begun[0].json["input"]["image"][0])
    monkeypatch.setattr(asking, "_MOST_BYTES", sent)  # enough for one, and not for two
    refused = run(picture(ann, model="replicate:o/n", reference_assets=[asset.pk, asset.pk]))
    assert (errors_of(refused), len(replicate.begun)) == ("generation_invalid", 1)


def test_what_is_drawn_here_fetches_no_references(ann: User, replicate: ReplicateService) -> None:
    said = {"references": [replicate.result_url], "parameters": {"image_url": replicate.result_url}}
    assert run(picture(ann, model="offline", size="160x90", **said)).status == JobStatus.COMPLETED
    assert replicate.connections == 0


INNER = "http://169.254.169.254/latest/meta-data"


@pytest.mark.parametrize(
    "parameters",
    [
        {"references": [INNER]},
        {"image": INNER},
        {"content": [{"type": "image_url", "image_url": {"url": INNER}}]},
        {"image": f" {INNER.upper()}"},
        {"images": json.dumps([INNER])},
    ],
)
def test_no_service_is_told_to_fetch_what_lies_within(
    parameters: dict[str, Any], ann: User, replicate: ReplicateService
) -> None:
    job = run(picture(ann, model="replicate:o/n", parameters=parameters))
    assert (job.status, errors_of(job), replicate.begun) == (JobStatus.FAILED, "url_refused", [])


def test_words_and_public_addresses_among_the_parameters_are_passed_on(ann: User, replicate: ReplicateService) -> None:
    said = {"negative_prompt": "no [text], see https", "image": "https://93.184.216.34/a.png", "seed": 7}
    assert run(picture(ann, model="replicate:o/n", parameters=said)).status == JobStatus.COMPLETED
    assert replicate.begun[0].json["input"].items() >= said.items()


def test_a_project_is_locked_before_its_assets(ann: User, asset: Asset, replicate: ReplicateService) -> None:
    job = picture(ann, model="replicate:o/n", asset_id=asset.pk, material="lamp")
    with CaptureQueriesContext(connection) as queries:
        done = run(job)
    assert done.status == JobStatus.COMPLETED, done.error
    assert Material.objects.get(name="lamp").medium == row_of(done).medium
    written = [query["sql"] for query in queries]
    material = next(n for n, sql in enumerate(written) if sql.startswith('INSERT INTO "videos_material"'))
    shown = next(n for n, sql in enumerate(written) if sql.startswith('UPDATE "assets_asset"'))
    assert material < shown


def test_a_clip_of_an_asset_without_a_picture_is_refused(ann: User, asset: Asset) -> None:
    said = {"model": "offline", "asset_id": asset.pk}
    job, _ = tasks.generate_video.submit(("img2video", "Mira"), said, owner_id=ann.pk)
    assert errors_of(run(job)) == "picture_missing"


def test_called_without_a_job_it_is_made_all_the_same(asset: Asset) -> None:
    said = tasks.generate_image("a lamp", model="offline", size="160x90", asset_id=asset.pk)
    assert Generation.objects.get().state == GenerationState.COMPLETED
    assert said["generation_id"] == Generation.objects.get().pk


# -- by services -----------------------------------------------------------------------------------------


def test_a_service_makes_a_picture_which_is_stored_and_paid_for_once(ann: User, replicate: ReplicateService) -> None:
    job = run(picture(ann, model="replicate:o/n"))
    assert job.status == JobStatus.COMPLETED, job.error
    row = row_of(job)
    assert (row.provider, row.model, row.provider_id) == ("replicate", "o/n", "pred1")
    assert (len(replicate.begun), replicate.looks) == (1, ["waiting", "running", "done"])
    assert generated() == [f"images/{job.pk}.png"]
    spent = Usage.objects.get()
    assert (spent.user, spent.job, spent.provider, spent.kind) == (ann, job, "replicate", job.kind)


def test_what_comes_with_the_answer_is_stored_too(ann: User, openai: OpenAIService) -> None:
    job = run(picture(ann, model="openai:gpt-image-2", size="1024x1024"))
    assert job.status == JobStatus.COMPLETED, job.error
    assert (len(openai.begun), row_of(job).usage["images"]) == (1, 1)
    assert generated() == [f"images/{job.pk}.png"]


def test_a_clip_of_another_container_becomes_an_mp4(ann: User, replicate: ReplicateService, tmp_path: Path) -> None:
    replicate.file = clip(tmp_path, "webm")
    job, _ = tasks.generate_video.submit(("text2video", "rain"), {"model": "replicate:o/n"}, owner_id=ann.pk)
    done = run(job)
    assert done.status == JobStatus.COMPLETED, done.error
    assert (Path(settings.MEDIA_ROOT) / row_of(done).result_name).read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("fault", ["rate", "down"])
def test_who_surely_did_not_begin_is_asked_again(fault: str, ann: User, replicate: ReplicateService) -> None:
    replicate.fault = fault
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, row_of(job).state) == (JobStatus.RETRYING, GenerationState.QUEUED)
    Clock().turn(timedelta(hours=1))
    ProviderLimit.objects.update(blocked_until=None)  # which the clock does not know
    assert (run(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 1)


def test_who_is_down_gives_way_to_the_next(ann: User, replicate: ReplicateService) -> None:
    job = picture(ann, model=["replicate:o/n", "offline"], size="160x90")
    for _ in range(2):
        replicate.fault = "down"
        job = run(job)
        assert job.status == JobStatus.RETRYING
        Clock().turn(timedelta(hours=1))
    job = run(job)
    assert (job.status, row_of(job).provider) == (JobStatus.COMPLETED, "offline")
    assert job.result and (replicate.begun, job.result["provider"]) == ([], "offline")


@pytest.mark.parametrize(("fault", "code"), [("cut", "create_ambiguous"), ("garbled", "create_ambiguous")])
def test_an_answer_that_is_lost_is_for_a_person_to_decide(
    fault: str, code: str, ann: User, replicate: ReplicateService
) -> None:
    replicate.fault = fault
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, errors_of(job), row_of(job).state) == (JobStatus.FAILED, code, GenerationState.AMBIGUOUS)
    assert (len(replicate.begun), DeadLetter.objects.filter(job=job).count()) == (1, 1)
    control.retry(job, by="an operator")  # who has looked there
    assert (run(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 2)


@pytest.mark.parametrize(("fault", "code"), [("content", "content_rejected"), ("invalid", "provider_invalid_request")])
def test_what_a_service_refuses_fails_at_once(fault: str, code: str, ann: User, replicate: ReplicateService) -> None:
    replicate.fault = fault
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, errors_of(job), row_of(job).state) == (JobStatus.FAILED, code, GenerationState.FAILED)


def test_a_service_that_failed_is_asked_anew_by_a_person_alone(ann: User, replicate: ReplicateService) -> None:
    replicate.phases = ["failed"]
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, errors_of(job)) == (JobStatus.FAILED, "generation_failed")
    replicate.phases = ["done"]
    control.retry(job, by="ann")
    assert (run(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 2)


def test_what_is_no_picture_is_not_kept(ann: User, replicate: ReplicateService) -> None:
    replicate.file = b"This is a letter.\n" * 9
    job = run(picture(ann, model="replicate:o/n"))
    assert errors_of(job) == "generation_unusable"
    assert files_under(Path(settings.MEDIA_ROOT)) == []


def test_a_result_that_is_late_is_fetched_and_not_ordered_again(ann: User, replicate: ReplicateService) -> None:
    replicate.file_missing = 2
    assert (run(picture(ann, model="replicate:o/n")).status, len(replicate.begun)) == (JobStatus.COMPLETED, 1)


def test_a_result_that_stays_away_is_fetched_by_the_next_attempt(ann: User, replicate: ReplicateService) -> None:
    replicate.file_missing = 4
    job = run(picture(ann, model="replicate:o/n"))
    assert (job.status, row_of(job).state) == (JobStatus.RETRYING, GenerationState.DOWNLOADING)
    Clock().turn(timedelta(hours=1))
    assert (run(job).status, len(replicate.begun)) == (JobStatus.COMPLETED, 1)


# -- attempts that broke off -----------------------------------------------------------------------------


def at_state(ann: User, state: GenerationState, **fields: Any) -> Job:
    """A job whose first attempt was killed when its row stood there, and was rescued."""
    job = picture(ann, model="replicate:o/n")
    claimed = claim(job)
    begun = {"submit_started_at": claimed.updated_at} if state != GenerationState.QUEUED else {}
    Generation.objects.filter(job=job).update(state=state, provider="replicate", model="o/n", **begun, **fields)
    Clock().turn(timedelta(hours=1))
    rescue.sweep()
    return Job.objects.get(pk=job.pk)


def test_killed_before_the_answer_was_written_down_nobody_is_asked(ann: User, replicate: ReplicateService) -> None:
    job = run(at_state(ann, GenerationState.SUBMITTING))
    assert (errors_of(job), replicate.begun) == ("create_ambiguous", [])


def test_killed_after_it_the_next_attempt_goes_on_with_the_id(ann: User, replicate: ReplicateService) -> None:
    job = run(at_state(ann, GenerationState.SUBMITTED, provider_id="pred1"))
    assert (job.status, replicate.begun) == (JobStatus.COMPLETED, [])


def test_killed_before_the_file_was_stored_it_is_fetched_again(ann: User, replicate: ReplicateService) -> None:
    results = [{"url": replicate.result_url, "media_type": ""}]
    job = run(at_state(ann, GenerationState.DOWNLOADING, provider_id="pred1", results=results))
    assert (job.status, replicate.begun, replicate.looks) == (JobStatus.COMPLETED, [], [])
    assert generated() == [f"images/{job.pk}.png"]


def test_an_attempt_that_has_lost_its_job_writes_nothing(ann: User) -> None:
    job = claim(picture(ann, model="replicate:o/n"))
    late = JobContext(job_id=job.pk, attempt=job.attempt - 1, owner_id=ann.pk)
    row = rows.of(late, GenerationKind.IMAGE, {})
    with pytest.raises(GenerationTaken):
        rows.move(row, late, GenerationState.SUBMITTING)
    assert row_of(job).state == GenerationState.QUEUED


def test_a_cancel_that_nobody_passed_on_is_passed_on_later(ann: User, replicate: ReplicateService) -> None:
    job = picture(ann, model="replicate:o/n")
    begun = {"submit_started_at": job.created_at, "provider_id": "pred1", "provider": "replicate"}
    Generation.objects.filter(job=job).update(state=GenerationState.SUBMITTED, **begun)
    control.cancel(job, by="ann")
    assert upkeep.pass_cancels_on() == 1
    assert (replicate.cancelled, row_of(job).state) == (["pred1"], GenerationState.CANCELLED)
    assert upkeep.pass_cancels_on() == 0


def test_what_no_row_names_is_removed_once_it_is_old(ann: User) -> None:
    job = run(picture(ann, model="offline", size="160x90"))
    root = Path(settings.MEDIA_ROOT) / "ai-generated"
    (root / "images/left-over.png").write_bytes(b"x")
    (root / "received").mkdir()
    (root / "received/7-x").write_bytes(b"x")
    assert upkeep.remove_orphans(timezone.now()) == 0
    for path in root.glob("*/*"):
        age(path, timedelta(hours=3))
    assert upkeep.remove_orphans(timezone.now()) == 2
    assert generated() == [f"images/{job.pk}.png"]


# -- who may ask -----------------------------------------------------------------------------------------


def test_it_belongs_to_somebody(asset: Asset) -> None:
    with pytest.raises(GenerationInvalid):
        tasks.generate_image.delay("a lamp")
    assert Job.objects.count() == 0
    tasks.generate_image.delay("a lamp", asset_id=asset.pk)
    assert Job.objects.get().owner == asset.project.owner


def test_the_assets_of_others_are_not_there(asset: Asset) -> None:
    with pytest.raises(GenerationInvalid):
        picture(make_user("bob"), asset_id=asset.pk)
