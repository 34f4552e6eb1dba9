"""What is asked of both databases alike, in a process of its own for each. Nothing of Django is imported too early."""

from __future__ import annotations

import base64
import importlib
import multiprocessing.synchronize
import os
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from django.test import Client

    from jobs.models import Job

_LEASE = timedelta(minutes=10)
_STAFF = "operator"


class Page(NamedTuple):
    """Something to look at: who looks, and where."""

    who: str
    url: str


class Claim(NamedTuple):
    """Milliseconds of one job's way: released, with others; claimed; and of the submission of another one like it."""

    taken: float
    claimed: float
    submitted: float


_clients: dict[str, Client] = {}
_pages: dict[str, Page] = {}
_go: multiprocessing.synchronize.Event
_rests: multiprocessing.synchronize.Event


def begin(
    env: Mapping[str, str], go: multiprocessing.synchronize.Event, rests: multiprocessing.synchronize.Event
) -> None:
    """Make this process one that works with one database. `go` and `rests`: for `clean_up`."""
    global _go, _rests
    _go, _rests = go, rests
    os.environ.clear()
    os.environ.update(env)
    import django

    django.setup()
    # The application of Celery is the one that is configured, should anything be published after all.
    importlib.import_module("jointo.celery")
    _know_all_kinds()


def _know_all_kinds() -> None:
    """Have kinds that are not there yet: jobs of those that nobody knows are put off, and would not wait in line."""
    from benchmarks import scale_rows
    from jobs import kinds
    from jobs.context import JobContext
    from jobs.task import job

    def idle(ctx: JobContext, *args: Any, **kwargs: Any) -> None:
        """Is never run."""

    for name, queue in scale_rows.KINDS:
        if kinds.find(name) is None:
            job(queue=queue, name=name)(idle)


def fill(jobs: int) -> float:
    """Make the tables and fill them; seconds it took."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from benchmarks import scale_fill

    began = time.monotonic()
    call_command("migrate", interactive=False, verbosity=0)
    scale_fill.fill(jobs)
    User.objects.create_superuser(_STAFF)
    return time.monotonic() - began


def pages() -> list[str]:
    """The names of all pages, in the order of their groups; each was looked at once. To be asked when all is filled."""
    from django.contrib.auth.models import User
    from django.test import Client

    from benchmarks import scale_fill, scale_pages, scale_rows

    scale_fill.filled()
    for name in (_STAFF, scale_rows.FLOOD):
        _clients[name] = Client()
        _clients[name].force_login(User.objects.get(username=name))
    _pages.update(scale_pages.every(staff=_STAFF, owner=scale_rows.FLOOD))
    for name in _pages:
        look(name)
    return list(_pages)


def look(name: str) -> float:
    """Milliseconds that one page took, within the process, as Django's test client asks for it."""
    who, url = _pages[name]
    began = time.perf_counter()
    response: Any = _clients[who].get(url)
    body = response.content
    took = 1000 * (time.perf_counter() - began)
    if response.status_code != 200:
        raise RuntimeError(f"{name}: {url} answered {response.status_code}: {body[:500]!r}")
    return took


def claim(count: int) -> list[Claim]:
    """Release and claim so many or a few more, the best of one queue after the other.

    Each is completed, and another one like it submitted, so that the backlog stays as long as it is.
    """
    from jobs import journal
    from jobs.models import Queue

    queues = ["media", "export", "ai", "assets", "maintenance"]
    assert not Queue.objects.exists()
    claims: list[Claim] = []
    while len(claims) < count:
        for queue in queues:
            claims += _claim(queue)
    journal.book_all()
    return claims


def sweep() -> float:
    """Milliseconds of what workers do beside: promote, admit, let age and release, of all queues."""
    from jobs import dispatch

    began = time.perf_counter()
    dispatch.release_all()
    return 1000 * (time.perf_counter() - began)


def clean_up() -> tuple[dict[str, int], float]:
    """Remove what is past its time, but only while `go` is set; how many rows of each, and seconds without rests."""
    from django.utils import timezone

    from jobs import retention

    rested = 0.0

    def rest(removed: int) -> None:
        nonlocal rested
        if not _go.is_set():
            began = time.monotonic()
            _rests.set()
            _go.wait()
            _rests.clear()
            rested += time.monotonic() - began

    began = time.monotonic()
    removed = retention.clean_up(timezone.now(), on_batch=rest)
    return removed, time.monotonic() - began - rested


def _claim(queue: str) -> list[Claim]:
    """As many at once as run already: a release waits until it is worth its while, and each job waits for it."""
    from django.db.models import Q

    from jobs import line
    from jobs.models import Job

    out = Job.objects.filter(Q(status="processing") | Q(released_at__isnull=False), queue=queue).count()
    began = time.perf_counter()
    released = line.take(queue, room=2 * out)
    taken = time.perf_counter() - began
    assert len(released) == out
    return [Claim(1000 * taken, *_begin_and_end(job)) for job in released]


def _begin_and_end(released: Job) -> tuple[float, float]:
    """Milliseconds of the claim, and of the submission of another one."""
    from jobs import transitions

    began = time.perf_counter()
    job = transitions.claim(released.pk, worker=f"celery@{released.queue}", pid=1, lease=_LEASE)
    claimed = time.perf_counter()
    assert job is not None
    assert transitions.complete(job, None)
    like = time.perf_counter()
    _submit_like(job)
    return 1000 * (claimed - began), 1000 * (time.perf_counter() - like)


def _submit_like(job: Job) -> None:
    from jobs import dispatch

    dispatch.submit(
        dispatch.Request(
            kind=job.kind,
            queue=job.queue,
            args=job.args,
            owner_id=job.owner_id,
            subject=job.subject,
            priority=job.priority,
            max_attempts=4,
        )
    )


def cursor(position: Any) -> str:
    """The query of a list's page after this time, as its links have it."""
    return urlencode({"cursor": base64.b64encode(urlencode({"p": str(position)}).encode()).decode()})
