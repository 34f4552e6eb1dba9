"""Exports: asked for as the project is, made once, published whole, downloaded by their owner alone."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from jobs import control, transitions
from jobs.context import JobContext
from jobs.models import Job
from jobs.task import JobTask
from jobs.testing import run
from tests.builders import claim, make_user
from tests.files import files_under
from tests.videos.clips import make_clip
from tests.videos.test_cleanup import NOTHING, age, clean_up
from tests.videos.test_projects_api import cut, make_project, put
from tests.videos.test_serving import ask
from tests.videos.test_thumbnails import make_uploaded
from tests.videos.test_videos_api import code
from videos import errors, exports, lifecycle, orders, projects, storage, tasks
from videos.models import Export, Material, Project, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files")]

DAY = timedelta(days=1)
KIND: JobTask = tasks.export_video


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two seconds at 320x240, one second at 160x120."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        make_clip(folder / "one.mp4", seconds=2, size="320x240"),
        make_clip(folder / "two.mp4", seconds=1, size="160x120"),
    ]


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


@pytest.fixture
def project(ann: User, clips: list[Path]) -> Project:
    """Both clips, as materials called one and two."""
    made = make_project(ann, name="Ferien")
    for place, (name, clip) in enumerate(zip(("one", "two"), clips, strict=True)):
        Material.objects.create(project=made, video=make_uploaded(clip, owner=ann), name=name, place=place)
    return made


def order(api: APIClient, project: Project, key: str = "", **said: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(f"/api/projects/{project.pk}/exports/", said, format="json", headers=headers)


def recorded(answer: Any) -> Export:
    """The export that a request was answered with."""
    assert answer.status_code == 202, answer.content
    return Export.objects.get(job_id=answer.json()["id"])


def exported(project: Project, **said: Any) -> Export:
    """An export that has been made."""
    job, _ = KIND.submit((project.pk,), said)
    done = run(job)
    assert done.status == "completed", (done.error_code, done.error_message, done.attempts.get().traceback)
    return Export.objects.get(job=job)


def look(export: Export) -> dict[str, Any]:
    """What ffprobe says of the file."""
    path = str(storage.path_of(export.file))
    argv = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path]
    said = json.loads(subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True).stdout)
    kinds = {stream["codec_type"]: stream for stream in said["streams"]}
    return {"seconds": float(said["format"]["duration"]), **kinds}


def films() -> list[str]:
    return [
        path.relative_to(settings.MEDIA_ROOT).as_posix() for path in files_under(Path(settings.MEDIA_ROOT) / "exports")
    ]


# -- asked for -------------------------------------------------------------------------------------------


def test_a_request_is_answered_at_once_with_the_job(api: APIClient, ann: User, project: Project) -> None:
    answer = order(api, project, callback_url="http://93.184.215.14/hook", priority=3)
    export = recorded(answer)
    assert answer.json()["subject"] == f"videos.Project:{project.pk}"
    job = Job.objects.get()
    assert (job.owner_id, job.kind, job.callback_url, job.priority) == (
        *(ann.pk, "videos.tasks.export_video", "http://93.184.215.14/hook", 3),
    )
    assert (export.format, export.quality, export.source, export.status) == ("mp4", "medium", "materials", "processing")
    listed = api.get(f"/api/projects/{project.pk}/exports/").json()["results"]
    assert [(one["id"], one["job"]["id"], one["output_url"]) for one in listed] == [(export.pk, str(job.pk), None)]


def test_the_kind_is_as_the_contract_has_it() -> None:
    assert (KIND.job_queue, KIND.policy.retries, KIND.policy.wait_seconds(1)) == ("export", 2, 300)
    assert (KIND.soft_time_limit, KIND.time_limit) == (3300, 3600)


def test_a_shell_needs_no_more_than_the_project(project: Project) -> None:
    result = KIND.delay(project.pk, "gif", quality="low")
    export = Export.objects.get(job_id=result.id)
    assert (export.format, export.quality, export.project) == ("gif", "low", project)


def test_what_is_exported_is_what_the_project_was_when_it_was_asked_for(api: APIClient, project: Project) -> None:
    put(api, project, cut("one", "two"))
    export = recorded(order(api, project))
    put(api, project, cut("two"))
    Material.objects.filter(name="one").delete()
    export.refresh_from_db()
    assert (export.source, export.version, export.timeline) == ("timeline", 1, cut("one", "two"))
    assert [material["name"] for material in export.materials] == ["one", "two"]


def test_the_timeline_is_taken_if_there_is_one_and_the_materials_if_they_are_asked_for(
    api: APIClient, project: Project
) -> None:
    assert recorded(order(api, project)).source == "materials"
    put(api, project, {"tracks": []})
    assert recorded(order(api, project)).source == "materials", "there is nothing in the timeline"
    put(api, project, cut("two"))
    export = recorded(order(api, project))
    assert (export.source, export.materials[0]["name"], len(export.materials)) == ("timeline", "two", 1)
    assert recorded(order(api, project, source="materials")).source == "materials"


def test_a_project_with_nothing_in_it_is_refused(api: APIClient, ann: User, project: Project) -> None:
    assert code(order(api, make_project(ann))) == (422, "project_empty")
    assert code(order(api, project, source="timeline")) == (422, "project_empty")
    assert not Job.objects.exists(), "no job is recorded for what is refused"


@pytest.mark.parametrize(
    ("quality", "crf", "preset"), [("low", 28, "fast"), ("medium", 23, "medium"), ("high", 18, "slow")]
)
def test_a_quality_is_a_crf_and_a_preset(quality: str, crf: int, preset: str) -> None:
    recipe = orders.read({"quality": quality}).recipe
    assert (recipe.crf, recipe.preset) == (crf, preset)


def test_a_custom_quality_is_ones_own() -> None:
    recipe = orders.read({"quality": "custom", "crf": 30, "preset": "veryfast"}).recipe
    assert (recipe.crf, recipe.preset) == (30, "veryfast")
    recipe = orders.read({"quality": "custom"}).recipe
    assert (recipe.crf, recipe.preset) == (23, "medium")


def test_the_loudness_is_left_alone_unless_it_is_asked_for(api: APIClient, project: Project) -> None:
    assert not orders.read({}).recipe.loudness
    export = recorded(order(api, project, loudness=True))
    assert export.options == {"loudness": True}
    assert orders.read(export.options).recipe.loudness


@pytest.mark.parametrize(
    "said",
    [
        {"format": "avi"},
        {"quality": "best"},
        {"quality": "custom", "crf": 52},
        {"quality": "custom", "crf": -1},
        {"quality": "custom", "preset": "placebo"},
        {"crf": 20},
        {"quality": "high", "preset": "slow"},
        {"width": 640},
        {"height": 360},
        {"width": 641, "height": 360},
        {"width": 640, "height": 8},
        {"width": 8192, "height": 4320},
        {"rate": 0},
        {"rate": 500},
        {"rate": "1/0"},
        {"rate": True},
        {"rate": "1e999999999"},
        {"fit": "squeeze"},
        {"still_seconds": 0},
        {"still_seconds": 3601},
        {"still_seconds": 5, "source": "timeline"},
        {"source": "thin air"},
        {"loudness": "loud"},
        {"subtitles": "sung"},
        {"subtitles": "track", "format": "gif"},
        {"subtitles": "track", "format": "mp3"},
        {"watermark": "one"},
        {"watermark": {"corner": "centre"}},
        {"watermark": {"material": "one", "corner": "middle"}},
        {"watermark": {"material": "one", "width": 0}},
        {"watermark": {"material": "one", "margin": 0.6}},
        {"watermark": {"material": "one", "opacity": 1.1}},
        {"watermark": {"material": "one", "size": 1}},
        {"formt": "mp4"},
        {"timeline": {}},
    ],
    ids=str,
)
def test_what_can_not_be_made_is_refused_before_anything_is_recorded(
    api: APIClient, project: Project, said: dict[str, Any]
) -> None:
    answer = order(api, project, **said)
    assert code(answer) == (400, "invalid")
    assert set(answer.json()["error"]["details"]) & {*said, "height", "width"}
    assert not Job.objects.exists()
    if said.keys() <= set(orders.Order.__annotations__):
        with pytest.raises(errors.ExportInvalid):
            KIND.delay(project.pk, **said)
        assert not Job.objects.exists()


def test_a_key_gives_the_same_job_and_another_request_with_it_is_refused(api: APIClient, project: Project) -> None:
    first = order(api, project, "k", format="mov").json()["id"]
    Material.objects.filter(name="two").delete()
    assert order(api, project, "k", format="mov").json()["id"] == first
    assert code(order(api, project, "k", format="mp4")) == (409, "idempotency_key_reused")
    assert Export.objects.count() == 1
    assert order(api, project).json()["id"] != first


def test_several_exports_of_a_project_may_wait_and_be_retried_side_by_side(api: APIClient, project: Project) -> None:
    first, second = recorded(order(api, project)), recorded(order(api, project, format="gif"))
    assert first.job and second.job
    transitions.fail(claim(first.job), code="broken", message="No.")
    said = api.post(f"/api/jobs/{first.job.pk}/retry/")
    assert (said.status_code, Export.objects.count()) == (202, 2)


def test_a_watermark_is_a_material_of_the_project_and_no_part_of_the_film(api: APIClient, project: Project) -> None:
    answer = order(api, project, watermark={"material": "three"})
    assert code(answer) == (422, "timeline_material_unknown")
    assert answer.json()["error"]["details"]["problems"][0]["path"] == "watermark.material"
    put(api, project, cut("one"))
    export = recorded(order(api, project, watermark={"material": "two", "corner": "top_left"}))
    assert export.options == {"watermark": {"material": "two", "corner": "top_left"}}
    assert [material["name"] for material in export.materials] == ["one", "two"]
    put(api, project, {"tracks": []})
    assert recorded(order(api, project, watermark={"material": "two"})).source == "materials"
    projects.remove(project.materials.get(name="one"))
    assert code(order(api, project, watermark={"material": "two"})) == (422, "project_empty")


@pytest.mark.parametrize("how", ["deleted", "file", "row"])
def test_a_material_whose_video_is_gone_is_named_before_and_in_the_job(
    api: APIClient, project: Project, how: str
) -> None:
    job = Job.objects.get(pk=order(api, project).json()["id"])
    video = project.materials.get(name="two").video
    assert video
    if how == "deleted":
        lifecycle.delete(video, by="ann")
    elif how == "file":
        storage.remove(video.source)
    else:
        video.delete()
    answer = order(api, project)
    assert code(answer) == (422, "material_gone")
    assert answer.json()["error"]["details"] == {"material": "two"}
    done = run(job)
    assert (done.status, done.error_code, done.attempt) == ("failed", "material_gone", 1)
    assert "material two" in done.error_message


def test_a_material_that_was_taken_out_of_the_project_is_named(api: APIClient, project: Project) -> None:
    put(api, project, cut("one", "two"))
    projects.remove(project.materials.get(name="two"))
    assert code(order(api, project)) == (422, "timeline_material_unknown")


def test_a_material_whose_file_can_not_be_read_is_named(project: Project) -> None:
    video = project.materials.get(name="one").video
    assert video
    storage.path_of(video.source).write_bytes(b"no video at all")
    done = run(KIND.delay(project.pk))
    assert (done.status, done.error_code) == ("failed", "material_unusable")
    assert "The material one can't be used. This is not a video" in done.error_message


def test_a_film_that_is_too_long_is_refused(api: APIClient, project: Project) -> None:
    put(api, project, cut("one", "two", seconds=settings.JOINTO_VIDEOS.max_seconds // 2 + 1))
    assert code(order(api, project)) == (422, "export_too_long")


def test_a_batch_of_a_project_may_be_made_by_its_owner_alone(ann: User, project: Project) -> None:
    may: Any = KIND.may
    assert may(ann.pk, project_id=project.pk, format="mp4")
    assert not may(make_user().pk, project_id=project.pk)
    projects.delete(project, by="ann")
    assert not may(ann.pk, project_id=project.pk)


def test_the_list_costs_the_same_however_long_it_is(
    api: APIClient, project: Project, django_assert_num_queries: Any
) -> None:
    for _ in range(4):
        order(api, project)
    with django_assert_num_queries(3):
        assert len(api.get(f"/api/projects/{project.pk}/exports/").json()["results"]) == 4


# -- made ------------------------------------------------------------------------------------------------


def test_all_materials_end_to_end_on_a_canvas_like_the_first(api: APIClient, project: Project) -> None:
    export = exported(project)
    assert export.job
    result = export.job.result
    assert export.file == f"exports/{project.pk}/{export.job.pk}.mp4"
    assert result == {
        "output_url": f"/media/{export.file}",
        "duration": export.duration,
        "file_size": storage.path_of(export.file).stat().st_size,
        "copied": export.copied,
        "encoded": not export.copied,
        "reason": export.reason,
        "frames": {"copied": 0, "encoded": 75},
        "segments": {"encoded": 2, "reused": 0},
    }
    found = look(export)
    assert (found["video"]["width"], found["video"]["height"]) == (320, 240)
    assert found["seconds"] == pytest.approx(3, abs=0.1)
    assert export.duration == pytest.approx(3, abs=0.1)
    assert films() == [export.file]
    assert not files_under(settings.SCRATCH_DIR)
    shown = api.get(f"/api/projects/{project.pk}/exports/{export.pk}/").json()
    assert (shown["status"], shown["output_url"], shown["file_size"]) == (
        *("ready", result["output_url"], result["file_size"]),
    )


def test_a_timeline_on_the_canvas_that_is_asked_for(api: APIClient, project: Project) -> None:
    put(api, project, cut("two", "one"))
    found = look(exported(project, width=128, height=128, rate="15", fit="cover", quality="low"))
    assert (found["video"]["width"], found["video"]["height"]) == (128, 128)
    assert found["video"]["avg_frame_rate"] == "15/1"
    assert found["seconds"] == pytest.approx(2, abs=0.1)


def test_letters_alone_are_a_film_and_a_watermark_lies_over_it(api: APIClient, project: Project) -> None:
    said = {"start": 0, "duration": 500_000, "text": "Hello"}
    canvas = {"width": 160, "height": 120, "rate": "10"}
    put(api, project, {"canvas": canvas, "tracks": [{"kind": "subtitles", "texts": [said]}]})
    export = exported(project, subtitles="track", watermark={"material": "two"}, quality="low")
    found = look(export)
    assert (found["video"]["nb_frames"], found["subtitle"]["codec_name"]) == ("5", "mov_text")


def test_a_material_in_the_timeline_twice_and_one_without_a_source_file(api: APIClient, project: Project) -> None:
    video = project.materials.get(name="two").video
    assert video
    folder = f"videos/{video.pk}/{uuid.uuid4()}-1"
    storage.path_of(folder).mkdir(parents=True)
    storage.path_of(video.source).rename(storage.path_of(folder) / "120p.mp4")
    video.renditions.create(name="120p", width=160, height=120, file="120p.mp4", bytes=1, bandwidth=1, codecs="avc1")
    Video.objects.filter(pk=video.pk).update(folder=folder)
    put(api, project, cut("two", "one", "two") | {"canvas": {"width": 160, "height": 120}})
    assert look(exported(project))["seconds"] == pytest.approx(3, abs=0.1)


def test_what_was_encoded_before_is_used_again_until_the_clean_up_finds_that_nobody_wants_it(
    api: APIClient, project: Project
) -> None:
    put(api, project, cut("one", "two"))
    first = exported(project)
    put(api, project, cut("two", "one"))
    second = exported(project)
    results = [export.job.result or {} for export in (first, second) if export.job]
    assert [result["segments"] for result in results] == [{"encoded": 2, "reused": 0}, {"encoded": 0, "reused": 2}]
    assert clean_up() == NOTHING
    for path in files_under(settings.PARTS_DIR):
        age(path, 31 * DAY)
    assert clean_up() == {**NOTHING, "parts": 2}


def test_parts_are_kept_only_where_there_is_room_for_them(project: Project) -> None:
    with override_settings(JOINTO_VIDEOS=dataclasses.replace(settings.JOINTO_VIDEOS, parts_bytes=0)):
        exported(project)
    assert not files_under(settings.PARTS_DIR)


def test_sound_alone(project: Project) -> None:
    found = look(exported(project, format="m4a"))
    assert "video" not in found
    assert found["seconds"] == pytest.approx(3, abs=0.2)


def test_called_as_a_function_it_is_made_too(project: Project) -> None:
    result = KIND(project.pk, quality="low")
    export = Export.objects.get()
    assert (export.job, export.url, export.status) == (None, result["output_url"], "ready")
    assert films() == [export.file]


# -- published -------------------------------------------------------------------------------------------


def attempt(project: Project, job: Job, number: int) -> JobContext:
    """What one attempt at an export has done when its body returns."""
    context = JobContext(job_id=job.pk, attempt=number)
    exports.make(context, project.pk)
    return context


def settle(context: JobContext) -> None:
    with transaction.atomic():
        for effect in context.effects:
            effect()


def take_back(context: JobContext) -> None:
    for action in context.when_not_published:
        action()
    context.clean_up()


def test_nothing_is_seen_of_a_film_before_its_job_completes(project: Project) -> None:
    job, _ = KIND.submit((project.pk, "wav"), {})
    context = attempt(project, job, 1)
    assert films() == []
    take_back(context)
    assert (films(), Export.objects.get().file) == ([], "")


def test_an_attempt_that_comes_back_from_the_dead_changes_nothing(project: Project) -> None:
    job, _ = KIND.submit((project.pk, "wav"), {})
    first = claim(job)
    dead = attempt(project, job, 1)
    transitions.retry_later(first, wait=timedelta(0), code="crashed", message="Gone.", crashed=True)
    second = claim(Job.objects.get(pk=job.pk))
    alive = attempt(project, job, 2)
    assert transitions.complete(second, {}, effects=alive.effects)
    published = storage.path_of(films()[0]).stat().st_ino
    assert not transitions.complete(first, {}, effects=dead.effects)
    take_back(dead)
    assert storage.path_of(Export.objects.get().file).stat().st_ino == published


def test_an_attempt_that_comes_back_before_its_successor_is_done_publishes_nothing(project: Project) -> None:
    job, _ = KIND.submit((project.pk, "wav"), {})
    first = claim(job)
    dead = attempt(project, job, 1)
    transitions.retry_later(first, wait=timedelta(0), code="crashed", message="Gone.", crashed=True)
    second = claim(Job.objects.get(pk=job.pk))
    assert not transitions.complete(first, {}, effects=dead.effects)
    assert films() == []
    take_back(dead)
    assert transitions.complete(second, {}, effects=attempt(project, job, 2).effects)
    assert films() == [Export.objects.get().file]


def test_what_a_lost_commit_left_is_written_over_or_taken_back(project: Project) -> None:
    job, _ = KIND.submit((project.pk, "wav"), {})
    lost = attempt(project, job, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        for effect in lost.effects:
            effect()
        raise IntegrityError
    assert (len(films()), Export.objects.get().file) == (1, "")
    left = storage.path_of(films()[0]).stat().st_ino
    next_one = attempt(project, job, 2)
    settle(next_one)
    assert storage.path_of(films()[0]).stat().st_ino != left
    take_back(lost)
    assert films() == [Export.objects.get().file]


def test_an_attempt_takes_back_what_it_put_in_place_if_the_commit_fails(project: Project) -> None:
    job, _ = KIND.submit((project.pk, "wav"), {})
    lost = attempt(project, job, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        for effect in lost.effects:
            effect()
        raise IntegrityError
    take_back(lost)
    assert films() == []


def test_a_commit_that_is_tried_again_by_a_new_connection_publishes(project: Project) -> None:
    job, _ = KIND.submit((project.pk, "wav"), {})
    context = attempt(project, job, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        for effect in context.effects:
            effect()
        raise IntegrityError
    settle(context)
    context.clean_up()
    assert films() == [Export.objects.get().file]


def test_an_export_that_is_removed_while_it_is_made_leaves_nothing(api: APIClient, project: Project) -> None:
    export = recorded(order(api, project, format="wav"))
    assert export.job
    context = attempt(project, claim(export.job), 1)
    assert api.delete(f"/api/projects/{project.pk}/exports/{export.pk}/").status_code == 204
    assert Job.objects.get().status == "cancelled"
    with pytest.raises(errors.ExportGone):
        settle(context)
    take_back(context)
    assert films() == []


def test_an_export_that_is_removed_goes_with_its_file(api: APIClient, project: Project) -> None:
    export = exported(project, format="wav")
    assert api.delete(f"/api/projects/{project.pk}/exports/{export.pk}/").status_code == 204
    assert (films(), Export.objects.count()) == ([], 0)
    assert not (Path(settings.MEDIA_ROOT) / "exports").exists()


# -- downloaded ------------------------------------------------------------------------------------------


def make_film(project: Project, *, data: bytes = b"0123456789", format: str = "mp4") -> Export:
    """An export that is there, with any bytes."""
    name = f"exports/{project.pk}/{uuid.uuid4()}.{format}"
    path = storage.path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Export.objects.create(
        project=project, format=format, source="materials", version=0, materials=[], file=name, duration=1.0,
        size=len(data), copied=True,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_owner_downloads_it_in_ranges_under_the_projects_name(ann: User) -> None:
    export = make_film(make_project(ann, name="Ferien"))
    address = export.url or ""
    answer, body = ask(ann, address)
    assert (answer.status_code, body) == (200, b"0123456789")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Ferien.mp4"'
    assert answer.headers["Content-Type"] == "video/mp4"
    answer, body = ask(ann, address, range="bytes=2-4")
    assert (answer.status_code, body, answer.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert ask(ann, address, method="HEAD")[0].headers["Content-Length"] == "10"


@pytest.mark.django_db(transaction=True)
def test_nobody_else_downloads_it_and_nobody_while_its_project_is_deleted(ann: User) -> None:
    project = make_project(ann)
    address = make_film(project).url or ""
    staff = make_user("root", is_staff=True, is_superuser=True)
    assert [ask(user, address)[0].status_code for user in (ann, make_user(), staff, None)] == [200, 404, 404, 404]
    projects.delete(project, by="ann")
    assert ask(ann, address)[0].status_code == 404
    projects.restore(project)
    assert ask(ann, address)[0].status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_file_that_no_row_names_is_not_served(ann: User) -> None:
    export = make_film(make_project(ann))
    path = storage.path_of(export.file)
    (path.parent / "other.mp4").write_bytes(b"x")
    path.with_suffix(".gif").symlink_to("/etc/passwd")
    folder = f"/media/exports/{export.project_id}"
    for name in (
        "other.mp4",
        f"{path.stem}.gif",
        f"{uuid.uuid4()}.mp4",
        f"{path.name}%00",
        "..",
        "%2e%2e%2fsecret",
        "",
        "x" * 300,
        "%00",
    ):
        assert ask(ann, f"{folder}/{name}")[0].status_code == 404, name
    other = make_project(ann)
    assert ask(ann, f"/media/exports/{other.pk}/{path.name}")[0].status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("第一集", "attachment; filename*=utf-8''%E7%AC%AC%E4%B8%80%E9%9B%86.mp4"),
        ("a/../b\\c", 'attachment; filename="a_.._b_c.mp4"'),
        ('x"; filename="evil.exe', 'attachment; filename="x_ filename_evil.exe.mp4"'),
        ("a\r\nSet-Cookie: x", 'attachment; filename="a_Set-Cookie_ x.mp4"'),
        (" ..", 'attachment; filename="export.mp4"'),
        ("x" * 255, f'attachment; filename="{"x" * 100}.mp4"'),
    ],
)
def test_a_projects_name_never_becomes_more_than_a_files_name(ann: User, name: str, shown: str) -> None:
    export = make_film(make_project(ann, name=name))
    assert ask(ann, export.url or "")[0].headers["Content-Disposition"] == shown


# -- cleaned up ------------------------------------------------------------------------------------------


def test_a_projects_exports_go_with_it_a_week_after_it_was_deleted(ann: User) -> None:
    gone = make_project(ann, videos=1, deleted_at=timezone.now() - 7 * DAY)
    kept = make_project(ann, videos=1, deleted_at=timezone.now() - 6.9 * DAY)
    make_film(gone), make_film(gone, format="gif")
    film = make_film(kept)
    assert clean_up() == {**NOTHING, "projects": 1}
    assert films() == [film.file]
    assert list(Project.objects.values_list("pk", flat=True)) == [kept.pk]
    assert Video.objects.count() == 2, "its videos stay"


def test_a_film_that_no_row_names_goes_once_it_is_old_enough(ann: User, project: Project) -> None:
    film = make_film(project)
    job, _ = KIND.submit((project.pk,), {})
    folder = storage.path_of(film.file).parent
    left = [folder / f"{uuid.uuid4()}.mp4", folder / "odd", folder / f"{job.pk}.mp4"]
    for path in left:
        path.write_bytes(b"x")
        age(path, DAY)
    age(storage.path_of(film.file), 30 * DAY)
    assert clean_up() == {**NOTHING, "orphans": 2}
    assert set(films()) == {film.file, f"exports/{project.pk}/{job.pk}.mp4"}, "the next attempt writes over it"
    control.cancel(job, by="ann")
    assert clean_up() == {**NOTHING, "orphans": 1}
    assert films() == [film.file]


def test_the_row_of_an_export_that_failed_goes_once_its_job_is_forgotten(ann: User, project: Project) -> None:
    failed, _ = KIND.submit((project.pk,), {})
    film = make_film(project)
    control.cancel(failed, by="ann")
    Export.objects.update(created_at=timezone.now() - 31 * DAY)
    assert clean_up() == NOTHING
    failed.delete()
    assert clean_up() == {**NOTHING, "exports": 1}
    assert list(Export.objects.values_list("pk", flat=True)) == [film.pk]


def test_deleting_a_project_cancels_what_is_made_of_it(api: APIClient, project: Project) -> None:
    running, waiting = (recorded(order(api, project)).job for _ in range(2))
    assert running and waiting
    claim(running)
    assert api.delete(f"/api/projects/{project.pk}/").status_code == 204
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}
    assert code(api.post(f"/api/jobs/{waiting.pk}/retry/")) == (409, "project_deleted")
    assert code(order(api, project)) == (409, "project_deleted")


def test_the_admin_shows_exports_and_changes_none(ann: User, project: Project) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    projects.save(project.pk, cut("one"), expected=None)
    job, _ = KIND.submit((project.pk,), {})
    export = Export.objects.get()
    listed = operator.get(reverse("admin:videos_export_changelist"), {"q": str(job.pk)})
    assert "Ferien" in listed.text
    page = operator.get(reverse("admin:videos_export_change", args=[export.pk]))
    assert reverse("admin:jobs_job_change", args=[job.pk]) in page.text
    assert "&quot;material&quot;: &quot;one&quot;" in page.text
    assert operator.get(reverse("admin:videos_export_add")).status_code == 403
