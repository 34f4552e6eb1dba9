"""Exports, broken on purpose while ffmpeg runs: one film, or nothing at all."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from jobs import control
from jobs.models import Job
from tests.builders import make_user
from tests.faults.test_processing import encoders, encoding, folders
from tests.files import files_under
from tests.stack import Process, Stack, wait_for
from tests.videos.client import Client
from tests.videos.clips import make_clip
from tests.videos.test_projects_api import make_project
from tests.videos.test_thumbnails import make_uploaded
from videos import storage, tasks
from videos.models import Export, Material

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("no_files")]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of two sizes, so that they have to be encoded; long enough that ffmpeg is at it for several seconds."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        make_clip(folder / "one.mp4", seconds=5, size="854x480", rate=30),
        make_clip(folder / "two.mp4", seconds=3, size="640x360", rate=30),
    ]


def start(clips: list[Path]) -> Job:
    """The job of an export of both clips, end to end."""
    project = make_project(make_user())
    for place, clip in enumerate(clips):
        Material.objects.create(
            project=project, video=make_uploaded(clip, owner=project.owner), name=clip.stem, place=place
        )
    return Job.objects.get(pk=tasks.export_video.delay(project.pk, "mp4", "high").id)


def films() -> list[str]:
    """All that is published of exports."""
    return [path.name for path in files_under(Path(settings.MEDIA_ROOT) / "exports")]


def assert_one_film(job: Job, outcomes: list[str]) -> None:
    job.refresh_from_db()
    assert job.status == "completed", (job.error_code, job.error_message)
    assert list(job.attempts.values_list("outcome", flat=True)) == outcomes
    export = Export.objects.get()
    assert films() == [f"{job.pk}.mp4"]
    assert storage.path_of(export.file).stat().st_size == export.size
    assert export.duration == pytest.approx(8, abs=0.1)
    assert not encoders()
    wait_for(lambda: not folders(), what="the private folder's end")


def test_kill_9_on_the_pool_child_while_it_exports(worker: Process, clips: list[Path]) -> None:
    job = start(clips)
    encoding(job)
    os.kill(job.attempts.get().pid, signal.SIGKILL)
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=120, what="the end")
    assert_one_film(job, ["crashed", "completed"])


def test_kill_9_on_the_whole_worker_with_its_ffmpeg_while_it_exports(stack: Stack, clips: list[Path]) -> None:
    first = stack.worker()
    job = start(clips)
    encoding(job)
    for process in first.family():
        process.kill()
    stack.worker()
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=120, what="the end")
    assert_one_film(job, ["crashed", "completed"])


def test_cancel_while_it_exports_leaves_nothing_and_a_retry_makes_the_film(worker: Process, clips: list[Path]) -> None:
    job = start(clips)
    children = encoding(job)
    control.cancel(job, by="ann")
    cancelled_at = time.monotonic()
    _, alive = psutil.wait_procs(children, timeout=2)
    assert not alive, f"still there {time.monotonic() - cancelled_at:.1f} s after the cancel"
    wait_for(lambda: not folders(), seconds=2, what="the private folder's end")
    assert (films(), Export.objects.get().status) == ([], "cancelled")
    control.retry(Job.objects.get(pk=job.pk), by="ann")
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=120, what="the end")
    assert_one_film(job, ["cancelled", "completed"])


def test_what_was_sent_is_cut_exported_and_downloaded(stack: Stack, clips: list[Path]) -> None:
    make_user("ann")
    stack.worker()
    _, address = stack.web()
    with Client(address, "ann") as client:
        videos = [client.send(clip)["video"]["id"] for clip in reversed(clips)]
        project = client.http.post("/api/projects/", json={"name": "My holiday"}).json()
        for video, name in zip(videos, ("b", "a"), strict=True):
            made = client.http.post(project["urls"]["materials"], json={"video": video, "name": name})
            assert made.status_code == 201, made.text
        cut = [
            {"start": 0, "duration": 1_000_000, "material": "a"},
            {"start": 1_500_000, "duration": 500_000, "material": "b"},
        ]
        timeline = {"canvas": {"width": 320, "height": 180}, "tracks": [{"kind": "video", "clips": cut}]}
        empty = client.http.get(project["urls"]["timeline"])
        saved = client.http.put(project["urls"]["timeline"], json=timeline, headers={"If-Match": empty.headers["ETag"]})
        assert saved.status_code == 200, saved.text
        job = client.http.post(project["urls"]["exports"], json={"quality": "low"}).json()
        wait_for(lambda: client.job(job["id"])["status"] in ("completed", "failed"), seconds=120, what="the export")
        done = client.job(job["id"])
        assert done["status"] == "completed", done
        film = client.http.get(done["result"]["output_url"], headers={"Range": "bytes=4-7"})
        assert (film.status_code, film.content) == (206, b"ftyp")
        assert film.headers["Content-Disposition"] == 'attachment; filename="My holiday.mp4"'
        assert film.headers["Content-Range"] == f"bytes 4-7/{done['result']['file_size']}"
        assert done["result"]["duration"] == pytest.approx(2, abs=0.1)
