"""The disk is full while output is written: nothing half is seen, and it is done once there is room."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone

from jobs.models import Hold, Job
from tests import kinds
from tests.builders import make_user
from tests.faults.arena import Arena
from tests.stack import Process, wait_for
from tests.videos.clips import make_clip
from videos import storage, tasks
from videos.models import Video

pytestmark = pytest.mark.stack

_SIZE = 6 * 2**20
_CHUNK = 2**20


class SmallDisk:
    """A worker whose data is on a disk of a few MiB, which it alone sees: a mount in a namespace of its own."""

    def __init__(self, arena: Arena) -> None:
        self.path = arena.folder / "small"
        self.path.mkdir()
        # Who is not root may mount as root of a namespace of users.
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        mount = f'mount -t tmpfs -o size={_SIZE} tmpfs "$0" && exec "$@"'
        may = subprocess.run([*unshare, "sh", "-c", mount, str(self.path), "true"], capture_output=True, check=False)
        if may.returncode:
            pytest.skip(f"a small disk can't be mounted here: {may.stderr.decode(errors='replace').strip()}")
        arena.stack.prefix = (*unshare, "sh", "-c", mount, str(self.path))
        self.worker: Process = arena.worker(concurrency=1, JOINTO_DATA_DIR=str(self.path))
        arena.stack.prefix = ()

    @property
    def inside(self) -> Path:
        """The disk, as the worker sees it."""
        return Path(f"/proc/{self.worker.pid}/root{self.path}")

    @property
    def hog(self) -> Path:
        return self.inside / "hog"

    def fill(self, *, leave: int = 0) -> None:
        """Take all the room but so many bytes."""
        room = os.statvfs(self.inside)
        with self.hog.open("wb") as file:
            for _ in range((room.f_bavail * room.f_frsize - leave) // 4096):
                file.write(b"x" * 4096)

    def files(self) -> list[str]:
        """What is there of jobs."""
        found = [path.relative_to(self.inside) for path in self.inside.rglob("*") if path.is_file()]
        return sorted(str(path) for path in found if path.name != "hog")


def test_a_full_disk_fails_attempts_leaves_nothing_and_the_job_is_done_once_there_is_room(arena: Arena) -> None:
    disk = SmallDisk(arena)
    fits = kinds.write.submit((str(disk.path / "fits"), _CHUNK), {}, owner_id=arena.owner_id)[0]
    arena.wait_until_ended(1)
    disk.fill(leave=_CHUNK // 2)
    waits = kinds.write.submit((str(disk.path / "waits"), _CHUNK), {}, owner_id=arena.owner_id)[0]
    wait_for(lambda: Job.objects.get(pk=waits.pk).retry_count >= 2, what="attempts that fail")
    failed = waits.attempts.filter(outcome="failed")
    assert {"No space left on device" in attempt.error_message for attempt in failed} == {True}
    assert not [name for name in disk.files() if "waits" in name]
    disk.hog.unlink()
    arena.wait_until_ended(2)
    never = kinds.write.submit((str(disk.path / "never"), 2 * _SIZE), {}, owner_id=arena.owner_id)[0]
    arena.wait_until_ended(3)
    wait_for(lambda: disk.files() == ["fits", "waits"], what=f"nothing half in {disk.files()}")
    assert {(disk.inside / name).stat().st_size for name in disk.files()} == {_CHUNK}
    statuses = {job.pk: job.status for job in Job.objects.all()}
    assert statuses == {fits.pk: "completed", waits.pk: "completed", never.pk: "failed"}
    arena.check(completed=2, failed=1)
    assert disk.worker.alive


def test_a_video_is_processed_once_the_disk_has_room_again(arena: Arena) -> None:
    """What fills the disk is no fault of the video: it is tried again, and its source stays."""
    disk = SmallDisk(arena)
    clip = make_clip(arena.folder / "clip.mp4", seconds=4, size="320x240")
    name = storage.name_for_upload(storage.head_of(clip), timezone.now())
    target = disk.inside / "media" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(clip.read_bytes())
    video = Video.objects.create(owner=make_user(), title="clip", source=name, source_size=clip.stat().st_size)
    disk.fill(leave=64 * 1024)
    job = tasks.start(video.pk)
    wait_for(lambda: Job.objects.get(pk=job.pk).retry_count, what="an attempt that fails")
    assert Job.objects.get(pk=job.pk).status == "retrying"
    assert target.is_file()
    disk.hog.unlink()
    Job.objects.filter(pk=job.pk, hold=Hold.LATER).update(run_at=timezone.now())  # it would wait for minutes
    arena.check(completed=1)
    assert arena.outcomes() == {"failed": 1, "completed": 1}
    video.refresh_from_db()
    assert video.status == "ready"
