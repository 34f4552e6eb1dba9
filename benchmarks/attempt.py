"""One attempt at processing a video, as a worker of Jointo makes it. To be imported once Django is set up."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from benchmarks import measure
from jobs import runner
from jobs.context import JobContext
from jobs.models import Worker
from jobs.task import job
from videos import processing, storage
from videos.models import Video

_WORKER = "benchmark"


@dataclass(frozen=True)
class Attempt:
    """What it took, and where its files are."""

    cpu: float  # seconds, of this process and of those that it started
    wall: float
    folder: Path


@job(queue="media")
def process_without_poster(ctx: JobContext, video_id: int) -> dict[str, Any]:
    """`videos.tasks.process_video`, but for the poster."""
    return processing.process(video_id, ctx, poster=False)


def make(clip: Path) -> Attempt:
    """Upload the clip, so to speak, and process it: from the claim of its job to the end of it."""
    video = _video(clip)
    # Without a worker that is there, no job is released to the broker.
    now = timezone.now()
    Worker.objects.update_or_create(name=_WORKER, defaults={"queues": ["media"], "started_at": now, "seen_at": now})
    job_id = process_without_poster.delay(video.pk).id
    began, before = time.monotonic(), _cpu()
    runner.run(process_without_poster, job_id, worker=_WORKER)
    cpu, wall = _cpu() - before, time.monotonic() - began
    video.refresh_from_db()
    return Attempt(cpu, wall, storage.path_of(video.folder))


def _video(clip: Path) -> Video:
    owner, _ = User.objects.get_or_create(username="bench")
    name = storage.name_for_upload(storage.head_of(clip), timezone.now())
    storage.adopt(clip, name)
    return Video.objects.create(owner=owner, title=clip.stem, source=name, source_size=clip.stat().st_size)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(map(measure.cpu_of, used))
