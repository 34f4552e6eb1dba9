"""Hundreds of watchers on one web process: each is told all of it, once and in order, whatever becomes of its line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import DatabaseError, connection
from django.db.models import F
from rest_framework.test import APIClient

from benchmarks import watchers_side
from jobs import journal, statistics, transitions
from jobs.api.batch_serializers import render as render_batch
from jobs.api.serializers import render
from jobs.events import Hub, Renderers, Scope
from jobs.events import hub as hubs
from jobs.events.changes import Changes
from jobs.models import Batch, Job, Transition, Worker
from jobs.now import Now
from jobs.status import JobStatus
from tests.builders import claim, make_job, make_user
from tests.jobs.test_events import Said, ends, heard, in_thread, move_on, moves
from tests.stack import Stack


@pytest.mark.stack
def test_three_hundred_watchers_are_told_everything_once_while_fifty_jobs_move(stack: Stack) -> None:
    web, address = stack.web()
    port = urlsplit(address).port
    assert port

    outcome = asyncio.run(watchers_side.watched(port, watchers=300, jobs=50, seconds=3, seed=1))

    assert len(outcome.watchers) == 300
    assert outcome.broken > 100
    assert (outcome.lost, outcome.doubled, outcome.misplaced) == (0, 0, 0)
    assert "Traceback" not in web.text()


# -- one hub, looked at from inside ----------------------------------------------------------------------


class Look:
    """What one process's watchers are told of moves, look by look; its clock is turned by hand."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.clock = 1000.0
        self._changes = Changes()

    def at(self, *jobs: Job) -> None:
        scopes = {Scope(job.owner_id or 0, job.pk) for job in jobs}
        self.told += [move.pk for move in self._changes.since_last(scopes, now=self.clock).moves]


def make_old(job: Job, *, seconds: float) -> None:
    """As if everything about a job had happened so long ago."""
    then = transitions.after(Now(), -timedelta(seconds=seconds))
    Job.objects.filter(pk=job.pk).update(updated_at=then)
    Transition.objects.filter(job=job).update(at=then)


@pytest.fixture
def mine_and_other(db: None) -> tuple[Job, Job]:
    ann = make_user()
    return make_job(owner_id=ann.pk), make_job(owner_id=ann.pk)


def test_no_move_is_told_twice_when_those_leave_who_watched_what_moved_later(mine_and_other: tuple[Job, Job]) -> None:
    mine, other = mine_and_other
    look = Look()
    look.at(mine, other)
    claim(mine)
    look.at(mine, other)
    for _ in range(3):
        look.clock += 8
        make_old(mine, seconds=look.clock - 1000)
        Job.objects.filter(pk=other.pk).update(updated_at=Now(), current=F("current") + 1)
        look.at(mine, other)
    for _ in range(3):
        look.clock += 1
        look.at(mine)
    assert sorted(look.told) == sorted(Transition.objects.values_list("pk", flat=True))


def test_a_look_that_comes_late_leaves_no_move_out(mine_and_other: tuple[Job, Job]) -> None:
    mine, other = mine_and_other
    look = Look()
    look.at(mine, other)
    claim(mine)
    make_old(mine, seconds=20)
    move_on(other)
    look.clock += 30
    look.at(mine, other)
    assert sorted(look.told) == sorted(Transition.objects.values_list("pk", flat=True))


@pytest.fixture
def run_with_hub() -> Iterator[Callable[[Callable[[Hub], Any], Renderers], None]]:
    """Runs a test in an event loop with a hub of its own, by those renderers."""
    hubs_made: list[Hub] = []

    def run(test: Callable[[Hub], Any], renderers: Renderers) -> None:
        hubs_made.append(Hub(renderers))
        asyncio.run(asyncio.wait_for(test(hubs_made[0]), 30))

    yield run
    for hub in hubs_made:
        hub._thread.submit(lambda: connection.close()).result()  # that thread's own
        hub._thread.shutdown()


@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_told_because_the_database_was_away_is_told_later(run_with_hub: Any) -> None:
    job = make_job(owner_id=make_user().pk)
    failures: list[DatabaseError] = []

    def fail_once(row: Job) -> dict[str, Any]:
        if row.status == JobStatus.COMPLETED and not failures:
            failures.append(DatabaseError("away"))
            raise failures[0]
        return render(row)

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(job.owner_id or 0, job.pk), after=None)
        await heard(stream, lambda event: True)
        claimed = await in_thread(lambda: claim(job))
        await heard(stream, lambda event: event.name == "job" and event.data["status"] == "processing")
        await in_thread(lambda: transitions.complete(claimed, None))
        assert moves(await heard(stream, ends(job))) == [("processing", "completed")]
        assert failures

    run_with_hub(test, Renderers(fail_once, render_batch))


@pytest.mark.django_db(transaction=True)
def test_who_was_told_of_no_move_yet_comes_back_to_all_that_happened(run_with_hub: Any) -> None:
    ann = make_user()
    job = make_job(owner_id=ann.pk)

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(ann.pk), after=None)
        said = await heard(stream, lambda event: event.name == "job")
        await stream.aclose()
        known = said[-1].id
        assert known is not None
        await in_thread(lambda: move_on(job))
        again: Any = hub.watch(Scope(ann.pk), after=known)
        came = [move async for move in _moves(again, until=("processing", "completed"))]
        await again.aclose()
        assert came[-2:] == [("pending", "processing"), ("processing", "completed")]
        assert len(came) == len(set(came))

    run_with_hub(test, Renderers(render, render_batch))


async def _moves(stream: Any, *, until: tuple[str, str]) -> Any:
    while True:
        for move in moves(await heard(stream, lambda event: event.name == "transition")):
            yield move
            if move == until:
                return


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_shown_once_as_long_as_it_stands_still(run_with_hub: Any) -> None:
    ann = make_user()
    batch = Batch.objects.create(owner_id=ann.pk, total=2, created_at=Now(), updated_at=Now())
    jobs = [make_job(owner_id=ann.pk, batch_id=batch.pk) for _ in range(2)]

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(ann.pk, batch_id=batch.pk), after=None)
        said = await heard(stream, lambda event: True)
        for job in jobs:
            await in_thread(lambda job=job: (move_on(job), journal.book_all()))  # type: ignore[misc]
            said += await heard(stream, lambda event: True)
        assert [(event.data["ended"], event.data["ended_at"] is None) for event in said] == [
            (0, True),
            (1, True),
            (2, False),
        ]
        again: Any = hub.watch(Scope(ann.pk, batch_id=batch.pk), after=said[1].id)
        assert [event.id for event in await heard(again, lambda event: False)] == [said[2].id]

    run_with_hub(test, Renderers(render, render_batch))


@pytest.mark.django_db(transaction=True)
def test_who_comes_amid_a_look_is_not_shown_what_was_before(run_with_hub: Any) -> None:
    """A look has read a batch and a job, which then move on; who comes before it tells is shown them as they are."""
    ann = make_user()
    batch = Batch.objects.create(owner_id=ann.pk, total=3, created_at=Now(), updated_at=Now())
    first, second, third = (make_job(owner_id=ann.pk, batch_id=batch.pk) for _ in range(3))
    of_batch, of_third = Scope(ann.pk, batch_id=batch.pk), Scope(ann.pk, third.pk)
    amid: list[Callable[[], None]] = []

    def render_and_move_on(row: Batch) -> dict[str, Any]:
        said = render_batch(row)
        if row.ended == 1 and amid:
            amid.pop()()
        return said

    def begin() -> None:
        transitions.renew(claim(third), lease=timedelta(minutes=1), current=1, total=4)
        move_on(first)
        journal.book_all()

    def go_on() -> None:
        transitions.renew(Job.objects.get(pk=third.pk), lease=timedelta(minutes=1), current=3)
        move_on(second)
        journal.book_all()

    def end() -> None:
        transitions.complete(Job.objects.get(pk=third.pk), None)
        journal.book_all()

    async def test(hub: Hub) -> None:
        loop, late, shown = asyncio.get_running_loop(), [], set()

        def come(scope: Scope, until: Callable[[Said], bool]) -> None:
            stream: Any = hub.watch(scope, after=None)
            listening = heard(stream, lambda event: bool(shown.add(scope)) or until(event))  # type: ignore[func-returns-value]
            loop.call_soon_threadsafe(lambda: late.append(loop.create_task(listening)))

        def go_on_and_come() -> None:
            go_on()
            come(of_batch, lambda event: event.data["ended"] == 3)
            come(of_third, ends(third))

        there = [
            asyncio.create_task(heard(hub.watch(scope, after=None), lambda event: False))
            for scope in (of_batch, of_third)
        ]
        while not hub._changes._batches:  # until the first look
            await asyncio.sleep(0.01)
        amid.append(go_on_and_come)
        await in_thread(begin)
        while len(shown) < 2:
            await asyncio.sleep(0.01)
        await in_thread(end)
        batch_said, third_said = await asyncio.gather(*late)
        assert [event.data["ended"] for event in batch_said] == [2, 3]
        percents = [event.data["percent"] for event in third_said if event.name == "job"]
        assert (percents[0], percents) == (75, sorted(percents))
        for task in there:
            task.cancel()

    run_with_hub(test, Renderers(render, render_and_move_on))


@pytest.mark.django_db(transaction=True)
def test_a_watcher_gets_a_sign_of_life_when_nothing_happens(run_with_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "_PING_SECONDS", 0.05)
    job = make_job(owner_id=make_user().pk)

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(job.owner_id or 0, job.pk), after=None)
        await heard(stream, lambda event: True)
        while await anext(stream) != b": still there\n\n":  # the first look tells of the job once more
            pass
        assert [await anext(stream) for _ in range(3)] == [b": still there\n\n"] * 3
        await stream.aclose()

    run_with_hub(test, Renderers(render, render_batch))


# -- polling ---------------------------------------------------------------------------------------------


def test_who_polls_is_told_nothing_new_until_something_is(db: None, client_of: Callable[[Any], APIClient]) -> None:
    ann = make_user()
    first, second = make_job(owner_id=ann.pk), make_job(owner_id=ann.pk)
    client, path = client_of(ann), f"/api/jobs/{second.pk}/"
    answer = client.get(path)
    assert (answer.status_code, answer.json()["queue_position"]) == (200, 2)
    known = answer["ETag"]
    assert client.get(path, headers={"If-None-Match": known}).status_code == 304

    claim(first)
    answer = client.get(path, headers={"If-None-Match": known})
    assert (answer.status_code, answer.json()["queue_position"]) == (200, 1)

    claimed = claim(second)
    known = client.get(path)["ETag"]
    assert client.get(path, headers={"If-None-Match": known}).status_code == 304
    transitions.renew(claimed, lease=timedelta(minutes=1), current=1, total=2, message="half")
    answer = client.get(path, headers={"If-None-Match": known})
    assert (answer.status_code, answer.json()["percent"]) == (200, 50)


def test_the_expected_start_alone_is_no_news_to_who_polls(
    db: None, client_of: Callable[[Any], APIClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = make_user()
    job = make_job(owner_id=ann.pk)
    monkeypatch.setattr(statistics, "mean_seconds", lambda queue: 2.0)
    Worker.objects.create(name="w", queues=[job.queue], concurrency=1, pid=1, started_at=Now(), seen_at=Now())
    client, path = client_of(ann), f"/api/jobs/{job.pk}/"
    answer = client.get(path)
    assert answer.json()["expected_start_at"]
    assert client.get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 304


@pytest.fixture
def client_of() -> Callable[[Any], APIClient]:
    def client(user: Any) -> APIClient:
        made = APIClient()
        made.force_authenticate(user)
        return made

    return client


@pytest.mark.stack
def test_no_proxy_keeps_events_back(stack: Stack) -> None:
    ann = make_user()
    job = make_job(owner_id=ann.pk)
    batch = Batch.objects.create(owner_id=ann.pk, total=1, created_at=Now(), updated_at=Now())
    _, address = stack.web()
    token = watchers_side.token_of(ann)
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
        for path in (f"/api/jobs/{job.pk}/events/", "/api/jobs/events/", f"/api/batches/{batch.pk}/events/"):
            with http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
                assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
                assert answer.headers["X-Accel-Buffering"] == "no"
                assert answer.headers["Cache-Control"] == "no-cache, no-transform"
                assert "Content-Encoding" not in answer.headers
                assert "Content-Length" not in answer.headers
