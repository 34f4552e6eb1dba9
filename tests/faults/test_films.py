"""Exports and drafts, broken on purpose while ffmpeg runs: one film, or nothing at all.

In its short form a row breaks one of the two where they are made alike; in full, both, several times.
"""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from jobs import control
from jobs.models import Job
from tests.builders import make_user
from tests.faults.arena import FULL, Arena, pause, size
from tests.faults.test_processing import encoders, encoding, folders
from tests.files import files_under
from tests.stack import Process, Stack, wait_for
from tests.videos.client import Client
from tests.videos.clips import make_clip
from tests.videos.drafts.parcels import packed
from tests.videos.test_projects_api import make_project
from tests.videos.test_thumbnails import make_uploaded
from tests.videos.timeline.capcut.drafts import SECOND, Paper, segment
from videos import storage, tasks
from videos.drafts import intake
from videos.models import Draft, Export, Material

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("no_files")]

Clips = list[Path]
LENGTHS = {"one": 5, "two": 3}  # seconds


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Of two sizes, so that they have to be encoded; long enough that ffmpeg is at it for several seconds."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        make_clip(folder / "one.mp4", seconds=LENGTHS["one"], size="854x480", rate=30),
        make_clip(folder / "two.mp4", seconds=LENGTHS["two"], size="640x360", rate=30),
    ]


def an_export(clips: Clips) -> Job:
    """Of both clips, end to end."""
    project = make_project(make_user())
    for place, clip in enumerate(clips):
        Material.objects.create(
            project=project, video=make_uploaded(clip, owner=project.owner), name=clip.stem, place=place
        )
    return Job.objects.get(pk=tasks.export_video.delay(project.pk, "mp4", "high").id)


def a_draft(clips: Clips) -> Job:
    """The same, in an archive."""
    paper = Paper(canvas_config={"width": 854, "height": 480})
    start, segments = 0, []
    for clip in clips:
        length = LENGTHS[clip.stem] * SECOND
        segments.append(segment(paper.video(f"C:/films/{clip.name}"), start, length))
        start += length
    paper.track("video", *segments)
    content = io.BytesIO(packed(json.dumps(paper.document()).encode(), one_mp4=clips[0], two_mp4=clips[1]))
    wish = intake.Wish(owner_id=make_user().pk, content=content, format="mp4", quality="high", on_missing="refuse")
    job = intake.take(wish, start=tasks.render, key=None).job
    assert job
    return job


@dataclass(frozen=True, kw_only=True)
class Sort:
    """One of the two."""

    record: Callable[[Clips], Job]
    rows: type[Export] | type[Draft]


EXPORT, DRAFT = Sort(record=an_export, rows=Export), Sort(record=a_draft, rows=Draft)
BOTH = pytest.mark.parametrize("sort", [EXPORT, DRAFT], ids=["export", "draft"])


def broken(short: Sort) -> pytest.MarkDecorator:
    """Both in full, one of them in the short form."""
    return BOTH if FULL else pytest.mark.parametrize("sort", [short], ids=[short.rows.__name__.lower()])


def films() -> list[str]:
    """All that is published."""
    root = Path(settings.MEDIA_ROOT)
    found = [path.relative_to(root) for path in files_under(root)]
    return [path.name for path in found if not path.is_relative_to("videos/uploads") and "sources" not in path.parts]


def assert_one_film(sort: Sort, job: Job, outcomes: list[str]) -> None:
    job.refresh_from_db()
    assert job.status == "completed", (job.error_code, job.error_message)
    assert list(job.attempts.order_by("number").values_list("outcome", flat=True)) == outcomes
    row = sort.rows.objects.get(job=job)
    assert films() == [f"{job.pk}.mp4"]
    assert storage.path_of(row.file).stat().st_size == row.size
    assert row.duration == pytest.approx(8, abs=0.1)
    assert not encoders()
    wait_for(lambda: not folders(), what="the private folder's end")
    storage.remove(row.file)  # for the next of a row


def end_of(job: Job) -> None:
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=180, what="the end")


@broken(DRAFT)
def test_kill_9_on_the_pool_child(worker: Process, clips: Clips, sort: Sort) -> None:
    for _ in range(size(full=4, short=1)):
        job = sort.record(clips)
        encoding(job)
        os.kill(job.attempts.get().pid, signal.SIGKILL)
        end_of(job)
        assert_one_film(sort, job, ["crashed", "completed"])


@broken(EXPORT)
def test_kill_9_on_the_whole_worker_with_its_ffmpeg(stack: Stack, clips: Clips, sort: Sort) -> None:
    running = stack.worker()
    for _ in range(size(full=4, short=1)):
        job = sort.record(clips)
        encoding(job)
        for process in running.family():
            process.kill()
        running = stack.worker()
        end_of(job)
        assert_one_film(sort, job, ["crashed", "completed"])


@BOTH
def test_cancel_leaves_nothing_within_two_seconds_and_a_retry_makes_the_film(
    worker: Process, clips: Clips, sort: Sort
) -> None:
    job = sort.record(clips)
    children = encoding(job)
    control.cancel(job, by="ann")
    cancelled_at = time.monotonic()
    _, alive = psutil.wait_procs(children, timeout=2)
    assert not alive, f"still there {time.monotonic() - cancelled_at:.1f} s after the cancel"
    wait_for(lambda: not folders(), seconds=2, what="the private folder's end")
    assert (films(), sort.rows.objects.get().status, encoders()) == ([], "cancelled", [])
    control.retry(Job.objects.get(pk=job.pk), by="ann")
    end_of(job)
    assert_one_film(sort, job, ["cancelled", "completed"])


@broken(DRAFT)
def test_a_worker_that_is_told_to_go_hands_the_film_back_and_charges_nothing(
    arena: Arena, clips: Clips, sort: Sort
) -> None:
    first = arena.worker()
    job = sort.record(clips)
    children = encoding(job)
    wait_for(pause(arena.random.uniform(0, 0.5)), what="the moment")
    assert first.stop(seconds=20) == 0
    assert not psutil.wait_procs(children, timeout=2)[1]
    assert (Job.objects.get(pk=job.pk).status, films(), folders()) == ("pending", [], [])
    arena.worker()
    end_of(job)
    assert_one_film(sort, job, ["handed_back", "completed"])
    arena.check(completed=1)


@broken(EXPORT)
def test_the_broker_is_away_when_it_is_asked_for_and_again_while_it_is_made(
    arena: Arena, clips: Clips, sort: Sort
) -> None:
    worker = arena.worker()
    arena.redis.stop()
    job = sort.record(clips)
    assert Job.objects.get(pk=job.pk).status == "pending"
    arena.redis.start()
    encoding(job)
    arena.redis.stop()
    end_of(job)
    assert_one_film(sort, job, ["completed"])
    arena.redis.start()
    arena.check(completed=1)
    assert worker.alive


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
