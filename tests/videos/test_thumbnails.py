"""A poster of one's own choice: the right frame, in place of the old one at once, and nothing left over."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from celery import chain
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from jobs.context import JobContext
from jobs.models import Job
from jobs.task import JobTask
from tests.builders import make_user
from tests.files import files_under
from tests.jobs.test_running import ended
from tests.stack import Process, wait_for
from tests.videos.clips import make_clip
from videos import errors, storage, tasks, thumbnails
from videos.models import Rendition, Video

pytestmark = pytest.mark.usefixtures("no_files")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of red, then two of blue."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    for colour in ("red", "blue"):
        argv += ["-f", "lavfi", "-i", f"color={colour}:size=320x240:rate=25:duration=2"]
    argv += ["-filter_complex", "concat", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing to see."""
    path = tmp_path_factory.mktemp("clips") / "sound.m4a"
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


def make_ready(file: Path, *, owner: User | None = None, duration: float = 4.0) -> Video:
    """A processed video, as far as its poster is concerned."""
    video = make_uploaded(file, owner=owner)
    folder = f"videos/{video.pk}/{uuid.uuid4()}-1"
    storage.path_of(folder).mkdir(parents=True)
    for name in ("master.m3u8", "poster.jpg"):
        (storage.path_of(folder) / name).write_text("of the processing")
    (storage.path_of(folder) / "240p.mp4").write_bytes(file.read_bytes())
    Rendition.objects.create(
        video=video, name="240p", width=320, height=240, file="240p.mp4", bytes=1, bandwidth=1, codecs="avc1"
    )
    Video.objects.filter(pk=video.pk).update(
        folder=folder, playlist="master.m3u8", poster="poster.jpg", duration=duration
    )
    return Video.objects.get(pk=video.pk)


def make_uploaded(file: Path, *, owner: User | None = None) -> Video:
    name = storage.name_for_upload(storage.head_of(file), timezone.now())
    target = storage.path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.read_bytes())
    size = file.stat().st_size
    return Video.objects.create(owner=owner or make_user(), title="clip", source=name, source_size=size)


def now(video: Video) -> Video:
    return Video.objects.get(pk=video.pk)


def posters(video: Video) -> set[str]:
    """The pictures in the published folder."""
    return {path.name for path in storage.path_of(now(video).folder).glob("*.jpg")}


def colour(video: Video) -> str:
    """What the poster mostly shows."""
    path = storage.path_of(now(video).folder) / now(video).poster
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-vf", "scale=1:1", "-f", "rawvideo"]
    said = subprocess.run([*argv, "-pix_fmt", "rgb24", "-"], check=True, stdin=subprocess.DEVNULL, capture_output=True)
    red, _, blue = said.stdout
    return "red" if red > blue else "blue"


def settle(context: JobContext) -> None:
    """What a worker does once the body has returned."""
    with transaction.atomic():
        for effect in context.effects:
            effect()
    for action in context.after_success:
        action()


@pytest.mark.django_db
@pytest.mark.parametrize(("at", "shown"), [(0, "red"), (1.0, "red"), (3.0, "blue"), (3.99, "blue"), (4.0, "blue")])
def test_the_frame_at_the_moment_becomes_the_poster(clip: Path, at: float, shown: str) -> None:
    video = make_ready(clip)
    result = tasks.generate_thumbnail(video.pk, at)
    assert colour(video) == shown
    assert (result["video_id"], result["image_url"]) == (video.pk, now(video).poster_url)
    assert posters(video) == {now(video).poster}  # the one before is gone
    assert now(video).folder == video.folder


@pytest.mark.django_db
def test_each_poster_has_an_address_of_its_own_and_is_served_to_its_owner(clip: Path) -> None:
    video = make_ready(clip)
    client = Client()
    client.force_login(video.owner)
    addresses = [tasks.generate_thumbnail(video.pk, at)["image_url"] for at in (1.0, 3.0)]
    assert len({*addresses, video.poster_url}) == 3  # browsers keep what they have for a day
    assert [client.get(address).status_code for address in addresses] == [404, 200]


@pytest.mark.django_db
def test_without_the_uploaded_file_the_best_rendition_will_do(clip: Path) -> None:
    video = make_ready(clip)
    storage.remove(video.source)
    tasks.generate_thumbnail(video.pk, 3.0)
    assert colour(video) == "blue"
    storage.remove(f"{video.folder}/240p.mp4")
    with pytest.raises(errors.SourceGone):
        tasks.generate_thumbnail(video.pk, 3.0)


@pytest.mark.django_db
@pytest.mark.parametrize("at", [-0.1, 4.1, float("nan"), float("inf")], ids=str)
def test_a_moment_that_the_video_does_not_have_is_refused(clip: Path, at: float) -> None:
    video = make_ready(clip)
    with pytest.raises(thumbnails.NotInVideo):
        tasks.generate_thumbnail(video.pk, at)
    assert posters(video) == {"poster.jpg"}


@pytest.mark.django_db
def test_a_video_that_is_not_processed_or_deleted_or_gone_is_refused(clip: Path) -> None:
    with pytest.raises(thumbnails.NotReady):
        tasks.generate_thumbnail(make_uploaded(clip).pk, 1.0)
    deleted = make_ready(clip)
    Video.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    with pytest.raises(errors.VideoDeleted):
        tasks.generate_thumbnail(deleted.pk, 1.0)
    with pytest.raises(errors.SourceGone):
        tasks.generate_thumbnail(deleted.pk + 1, 1.0)


@pytest.mark.django_db
def test_sound_alone_has_no_poster(sound: Path) -> None:
    with pytest.raises(thumbnails.NoPicture):
        tasks.generate_thumbnail(make_ready(sound, duration=2.0).pk, 1.0)


@pytest.mark.django_db
def test_a_video_that_was_processed_again_meanwhile_gets_its_poster_at_the_next_attempt(clip: Path) -> None:
    video = make_ready(clip)
    context = JobContext()
    thumbnails.make(video.pk, context, at=3.0)
    again = f"videos/{video.pk}/{uuid.uuid4()}-1"
    storage.path_of(video.folder).rename(storage.path_of(again))
    Video.objects.filter(pk=video.pk).update(folder=again)
    with pytest.raises(thumbnails.ProcessedMeanwhile):
        settle(context)
    assert now(video).poster == "poster.jpg"
    tasks.generate_thumbnail(video.pk, 3.0)
    assert colour(video) == "blue"


@pytest.mark.django_db
def test_an_attempt_that_does_not_complete_takes_its_picture_back(clip: Path) -> None:
    video = make_ready(clip)
    context = JobContext()
    thumbnails.make(video.pk, context, at=3.0)
    assert len(posters(video)) == 2
    for action in context.when_not_published:
        action()
    context.clean_up()
    assert posters(video) == {now(video).poster} == {"poster.jpg"}


@pytest.mark.django_db
def test_what_a_crashed_attempt_left_goes_with_the_next_one(clip: Path) -> None:
    video = make_ready(clip)
    job_id = uuid.uuid4()
    crashed = JobContext(job_id=job_id, attempt=1)
    thumbnails.make(video.pk, crashed, at=1.0)
    other = JobContext()
    thumbnails.make(video.pk, other, at=1.0)  # of another job that is at it too: not ours to remove
    attempt = JobContext(job_id=job_id, attempt=2)
    thumbnails.make(video.pk, attempt, at=3.0)
    settle(attempt)
    assert posters(video) == {f"poster-{job_id}-2.jpg", f"poster-{other.job_id}-1.jpg"}
    settle(other)
    assert posters(video) == {now(video).poster} == {f"poster-{other.job_id}-1.jpg"}


def test_the_kind_is_as_the_contract_has_it() -> None:
    kind: JobTask = tasks.generate_thumbnail
    assert (kind.job_queue, kind.policy.retries, kind.policy.wait_seconds(1)) == ("media", 3, 60)
    assert (kind.soft_time_limit, kind.time_limit) == (300, 360)


@pytest.mark.django_db
def test_the_job_belongs_to_the_videos_owner(clip: Path) -> None:
    video = make_ready(clip)
    job, _ = tasks.generate_thumbnail.submit((video.pk,), {"at": 1.0})
    assert (job.owner_id, job.subject) == (video.owner_id, f"videos.Video:{video.pk}")
    assert now(video).job is None  # what state the video is in does not follow from its poster's job


@pytest.mark.django_db
def test_a_batch_about_a_video_may_be_made_by_its_owner_alone(clip: Path) -> None:
    video = make_ready(clip)
    may: Any = tasks.generate_thumbnail.may
    assert may(video.owner_id, video_id=video.pk, at=1.0)
    assert not may(make_user().pk, video_id=video.pk, at=1.0)


@pytest.mark.stack
def test_process_thumbnail_notify_is_a_chain(worker: Process, clip: Path) -> None:
    video = make_uploaded(clip, owner=make_user("ann", email="ann@example.org"))
    result = tasks.process_and_tell(video.pk, at=3.0)
    wait_for(lambda: Job.objects.filter(pk=result.id, finished_at__isnull=False).exists(), what="the chain's end")
    kinds = [tasks.process_video.name, tasks.generate_thumbnail.name, "jobs.tasks.send_notification"]
    jobs = Job.objects.filter(owner=video.owner, kind__in=kinds)
    assert [(job.kind.rpartition(".")[2], job.status) for job in jobs.order_by("created_at")] == [
        ("process_video", "completed"),
        ("generate_thumbnail", "completed"),
        ("send_notification", "completed"),
    ]
    assert colour(video) == "blue"
    assert posters(video) == {now(video).poster}
    wait_for(lambda: not files_under(settings.SCRATCH_DIR), what="an empty scratch folder")


@pytest.mark.stack
def test_a_video_that_can_not_be_processed_has_no_poster_and_tells_nobody(worker: Process, tmp_path: Path) -> None:
    broken = make_clip(tmp_path / "broken.mp4")
    broken.write_bytes(broken.read_bytes()[:3000])
    video = make_uploaded(broken)
    result = chain(tasks.process_video.si(video.pk), tasks.generate_thumbnail.si(video.pk, at=1.0)).apply_async()
    assert ended(result.parent).status == "failed"
    assert not Job.objects.filter(kind=tasks.generate_thumbnail.name).exists()
