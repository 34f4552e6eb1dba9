"""The broker away, wiped, restarted, saying everything three times: what it lost is sent again, and done once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from jobs.models import Attempt, Job
from tests import kinds
from tests.faults.arena import EVERYWHERE, ON_RABBITMQ, Arena, pause, size
from tests.stack import wait_for
from tests.videos.client import Client
from tests.videos.clips import make_clip
from videos import storage
from videos.models import Video

pytestmark = pytest.mark.stack

_ACCEPTED_WITHIN_SECONDS = 8.0  # a broker that hangs costs its time-out, once


@pytest.mark.parametrize("seconds", [0.3, 2.0, 8.0])
def test_redis_is_away_while_jobs_run(arena: Arena, seconds: float) -> None:
    """What it held is gone as well: it keeps nothing. What runs goes on, and the worker takes more afterwards."""
    count = size(full=400, short=60)
    worker = arena.worker()
    long = arena.submit_one(seconds=min(seconds + 1.0, 9.0), child=True, priority=10)
    arena.running(long)
    arena.submit(count, seconds=0.1, children=0.2)
    for _ in arena.moments(size(full=3, short=1), jobs=count):
        arena.redis.stop()
        wait_for(pause(seconds), what="Redis's return")
        arena.redis.start()
    arena.check(completed=count + 1)
    assert (worker.alive, arena.outcomes()) == (True, {"completed": count + 1})


def test_redis_hangs_while_jobs_run(arena: Arena) -> None:
    count = size(full=400, short=60)
    worker = arena.worker()
    arena.submit(count, seconds=0.1, children=0.2)
    for _ in arena.moments(size(full=5, short=1), jobs=count):
        arena.redis.pause()
        wait_for(pause(arena.random.uniform(0.3, 4)), what="Redis's return")
        arena.redis.resume()
    arena.check(completed=count)
    assert (worker.alive, arena.outcomes()) == (True, {"completed": count})


def test_redis_is_wiped_with_500_waiting(arena: Arena) -> None:
    worker = arena.worker()
    arena.submit(500, seconds=0.02)
    for _ in arena.moments(size(full=8, short=2), jobs=500):
        arena.redis.client.flushall()
    arena.check(completed=500)
    assert (worker.alive, arena.outcomes()) == (True, {"completed": 500})


@ON_RABBITMQ
def test_rabbitmq_is_restarted_with_500_waiting(arena: Arena) -> None:
    worker = arena.worker()
    arena.submit(500, seconds=0.02)
    for _ in arena.moments(size(full=4, short=1), jobs=500):
        arena.broker.restart()
    arena.check(completed=500)
    assert (worker.alive, arena.outcomes()) == (True, {"completed": 500})


@EVERYWHERE
def test_every_message_comes_three_times(arena: Arena) -> None:
    count = size(full=1000, short=80)
    workers = [arena.worker(), arena.worker()]
    arena.submit(count, task=kinds.effect_thrice_told, seconds=0.01, children=0.05)
    arena.check(completed=count)
    assert arena.outcomes() == {"completed": count}
    nothing = sum(worker.text().count("finds nothing to do") for worker in workers)
    assert nothing > count, "the messages did not come three times"


def a_video(folder: Path, username: str) -> Video:
    """A video of a new user's whose file is there."""
    clip = make_clip(folder / f"{username}.mp4", seconds=1, size="128x96", rate=10)
    name = storage.name_for_upload(storage.head_of(clip), timezone.now())
    target = storage.path_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(clip.read_bytes())
    owner = get_user_model().objects.create_user(username, password="secret")
    return Video.objects.create(owner=owner, title="clip", source=name, source_size=target.stat().st_size)


@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_the_broker_is_down_at_the_post(arena: Arena, how: str) -> None:
    _, address = arena.stack.web()
    videos = [a_video(arena.folder, f"owner{number}") for number in range(size(full=10, short=2))]
    worker = arena.worker()
    if how == "refuses":
        arena.redis.stop()
    else:
        arena.redis.pause()
    for video in videos:
        with Client(address, video.owner.username) as client:
            began = time.monotonic()
            answer = client.http.post(f"/api/videos/{video.pk}/process/", headers={"Idempotency-Key": "once"})
            took = time.monotonic() - began
            again = client.http.post(f"/api/videos/{video.pk}/process/", headers={"Idempotency-Key": "once"})
        assert (answer.status_code, again.status_code) == (202, 202), answer.text
        assert (answer.json()["status"], again.json()["id"]) == ("pending", answer.json()["id"])
        assert took < _ACCEPTED_WITHIN_SECONDS
    assert not Attempt.objects.exists()
    if how == "refuses":
        arena.redis.start()
    else:
        arena.redis.resume()
    arena.check(completed=len(videos))
    assert (worker.alive, Job.objects.count(), arena.outcomes()) == (True, len(videos), {"completed": len(videos)})
