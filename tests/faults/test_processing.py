"""Processing, broken on purpose while ffmpeg runs: one playable result, or nothing at all."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from celery.result import AsyncResult
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs import control
from jobs.models import Job
from tests import environment
from tests.builders import make_user
from tests.files import files_under
from tests.stack import Process, Redis, Stack, wait_for
from tests.videos.client import Client as ApiClient
from tests.videos.clips import make_clip
from videos import storage, tasks
from videos.models import Video

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("no_files")]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough that ffmpeg is at it for several seconds."""
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=15, size="854x480", rate=30)


def make_video(file: Path) -> Video:
    """A video whose file has been uploaded, and that nothing has been made of."""
    name = storage.name_for_upload(storage.head_of(file), timezone.now())
    target = storage.path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.read_bytes())
    return Video.objects.create(owner=make_user(), title="clip", source=name, source_size=file.stat().st_size)


def encoders() -> list[psutil.Process]:
    """The ffmpeg processes that work in a private folder of ours."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "ffmpeg" and process.cwd().startswith(str(settings.SCRATCH_DIR)):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def encoding(job: Job) -> list[psutil.Process]:
    return wait_for(encoders, what=f"ffmpeg: {Job.objects.get(pk=job.pk).status}")


def folders() -> list[str]:
    scratch = Path(settings.SCRATCH_DIR)
    return [path.name for path in scratch.iterdir()] if scratch.is_dir() else []


def published(video: Video) -> list[str]:
    folder = Path(settings.MEDIA_ROOT) / f"videos/{video.pk}"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def assert_one_playable_result(video: Video, job: Job, outcomes: list[str]) -> None:
    job.refresh_from_db()
    video.refresh_from_db()
    assert job.status == "completed", (job.error_code, job.error_message)
    assert list(job.attempts.values_list("outcome", flat=True)) == outcomes
    assert [rung.name for rung in video.renditions.all()] == ["480p", "360p"]
    assert published(video) == [Path(video.folder).name]
    for rung in video.renditions.all():
        assert storage.path_of(f"{video.folder}/{rung.file}").stat().st_size == rung.bytes
    assert not encoders()
    wait_for(lambda: not folders(), what="the removal of the attempt's folder")  # which comes after the end


def test_kill_9_on_the_pool_child_while_it_encodes(worker: Process, clip: Path) -> None:
    video = make_video(clip)
    job = tasks.start(video.pk)
    encoding(job)
    os.kill(job.attempts.get().pid, signal.SIGKILL)
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=90, what="the end")
    assert_one_playable_result(video, job, ["crashed", "completed"])


def test_kill_9_on_the_whole_worker_with_its_ffmpeg(stack: Stack, clip: Path) -> None:
    first = stack.worker()
    video = make_video(clip)
    job = tasks.start(video.pk)
    encoding(job)
    for process in first.family():
        process.kill()
    stack.worker()
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=90, what="the end")
    assert_one_playable_result(video, job, ["crashed", "completed"])


def test_cancel_while_it_encodes_then_retry_from_the_admin(worker: Process, clip: Path) -> None:
    operator = Client()
    operator.force_login(make_user("root", is_staff=True, is_superuser=True))
    video = make_video(clip)
    job = tasks.start(video.pk)
    result: AsyncResult = AsyncResult(str(job.pk))
    children = encoding(job)
    control.cancel(job, by="ann")
    cancelled_at = time.monotonic()
    _, alive = psutil.wait_procs(children, timeout=2)
    assert not alive, f"still there {time.monotonic() - cancelled_at:.1f} s after the cancel"
    assert str(result.state) == "REVOKED"
    wait_for(lambda: not folders(), what="the private folder's end")
    assert not published(video)
    video.refresh_from_db()
    assert video.status == "cancelled"

    said = {"action": "retry", "_selected_action": [str(job.pk)]}
    answer = operator.post(reverse("admin:jobs_job_changelist"), said)
    assert answer.status_code == 302
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=90, what="the end")
    assert_one_playable_result(video, job, ["cancelled", "completed"])


def test_a_merge_is_accepted_while_redis_is_away_and_done_once_it_is_back(
    stack: Stack, tmp_path: Path, clip: Path
) -> None:
    broker = Redis(tmp_path, environment.free_port())
    broker.start()
    url = f"redis://127.0.0.1:{broker.port}/0"
    stack.worker(JOINTO_BROKER_URL=url)
    _, address = stack.web(JOINTO_BROKER_URL=url)
    make_user("ann")
    broker.stop()
    with ApiClient(address, "ann") as client:
        merged = client.send(clip)  # asserts the 202
        job_id = merged["job"]["id"]
        assert client.job(job_id)["status"] == "pending"
        broker.start()
        wait_for(lambda: client.job(job_id)["status"] == "completed", seconds=90, what="the end")
    broker.stop()


def spoiled(path: Path, source: Path, kind: str) -> Path:
    """A file that can't be processed, of the given kind."""
    data = source.read_bytes()
    contents = {
        "text": b"this is no video at all, " * 100,
        "random": os.urandom(100_000),
        "cut": data[: len(data) * 6 // 10],
        "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        "ffconcat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    }
    path.write_bytes(contents[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("text", "not_a_video"),
        ("random", "not_a_video"),
        ("cut", "media_truncated"),
        ("playlist", "not_a_video"),
        ("ffconcat", "not_a_video"),
    ],
)
def test_a_file_that_is_no_video_fails_once_says_why_and_leaves_nothing(
    worker: Process, tmp_path: Path, clip: Path, kind: str, code: str
) -> None:
    video = make_video(spoiled(tmp_path / "bad.mp4", clip, kind))
    job = tasks.start(video.pk)
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, what="the end")
    job.refresh_from_db()
    assert (job.status, job.error_code, job.attempt) == ("failed", code, 1)
    assert job.error_message.endswith(".")
    wait_for(lambda: not folders(), what="the private folder's end")
    wait_for(lambda: not files_under(settings.MEDIA_ROOT), what="nothing left")
    video.refresh_from_db()
    assert (video.status, video.source) == ("failed", "")


def test_a_wrong_hash_out_of_order_fails_the_video(worker: Process, clip: Path) -> None:
    video = make_video(clip)
    video.owner.uploads.create(
        file_name="a",
        file_size=1,
        chunk_size=1,
        file_hash="sha256:" + "0" * 64,
        video=video,
        touched_at=timezone.now(),
        merged_at=timezone.now(),
    )
    job = tasks.start(video.pk)
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, what="the end")
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "checksum_mismatch")
    wait_for(lambda: not files_under(settings.MEDIA_ROOT), what="nothing left")
