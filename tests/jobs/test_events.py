"""Live events: every transition once and in order, to those who may see it, as long as they watch."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework_simplejwt.tokens import AccessToken

from jobs import transitions
from jobs.api.batch_serializers import render as render_batch
from jobs.api.serializers import render
from jobs.events import Event, Hub, Renderers, Scope
from jobs.models import Job
from tests.builders import claim, make_job, make_user
from tests.stack import Stack

Test = Callable[[Hub], Awaitable[None]]


@dataclass
class Said:
    """One event as a client reads it."""

    name: str
    data: Any
    id: int | None


def parsed(lines: Iterator[str]) -> Iterator[Said]:
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":") or line.startswith("retry:"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            number = int(fields["id"]) if "id" in fields else None
            yield Said(fields["event"], json.loads(fields["data"]), number)
            fields = {}


def moves(said: list[Said]) -> list[tuple[str, str]]:
    return [(event.data["from"], event.data["to"]) for event in said if event.name == "transition"]


def move_on(job: Job) -> Job:
    """Claim and complete a job."""
    claimed = claim(Job.objects.get(pk=job.pk))
    transitions.renew(claimed, lease=timedelta(minutes=1), current=1, total=2, message="half")
    transitions.complete(claimed, {"sum": 3})
    return claimed


# -- over a real web server ------------------------------------------------------------------------------


@pytest.mark.stack
def test_events_over_http(stack: Stack) -> None:
    ann = make_user("ann")
    _, address = stack.web()
    headers = {"Authorization": f"Bearer {AccessToken.for_user(ann)}", "Accept": "text/event-stream"}
    with httpx.Client(base_url=address, headers=headers, timeout=20) as http:
        job = make_job(owner_id=ann.pk)
        path = f"/api/jobs/{job.pk}/events/"

        with http.stream("GET", path) as answer:
            assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert "no-cache" in answer.headers["Cache-Control"]
            events = parsed(answer.iter_lines())
            first = next(events)
            assert (first.name, first.data["status"]) == ("job", "pending")
            move_on(job)
            rest = list(events)  # ends by itself
        assert moves(rest)[-2:] == [("pending", "processing"), ("processing", "completed")]
        numbers = [event.id for event in rest if event.name == "transition"]
        assert numbers == sorted(number for number in numbers if number)
        assert (rest[-1].name, rest[-1].data["status"], rest[-1].data["result"]) == ("job", "completed", {"sum": 3})

        known = job.transitions.get(after="processing").pk
        with http.stream("GET", path, headers={"Last-Event-ID": str(known)}) as answer:
            again = list(parsed(answer.iter_lines()))
        assert moves(again) == [("processing", "completed")]
        assert again[-1].data["status"] == "completed"

        last = job.transitions.latest("id").pk
        assert http.get(path, headers={"Last-Event-ID": str(last)}).status_code == 204
        for rubbish in ("nonsense", "-1", "9" * 40, ""):
            with http.stream("GET", path, headers={"Last-Event-ID": rubbish}) as answer:
                assert [event.data["status"] for event in parsed(answer.iter_lines())][-1] == "completed"

        with http.stream("GET", "/api/jobs/events/") as answer:
            events = parsed(answer.iter_lines())
            other, mine = make_job(owner_id=make_user().pk), make_job(owner_id=ann.pk)
            move_on(other)
            move_on(mine)
            seen = []
            for event in events:
                seen.append(event)
                if event.name == "job" and event.data["id"] == str(mine.pk) and event.data["status"] == "completed":
                    break
        assert str(other.pk) not in {event.data["id"] for event in seen}


# -- one hub, looked at from inside ----------------------------------------------------------------------


def with_hub(test: Test) -> None:
    """Run a test in an event loop with a hub of its own."""
    hub = Hub(Renderers(render, render_batch))
    try:
        asyncio.run(asyncio.wait_for(test(hub), 30))
    finally:
        hub._thread.submit(lambda: connection.close()).result()  # that thread's own
        hub._thread.shutdown()


async def heard(stream: AsyncIterator[bytes], until: Callable[[Said], bool]) -> list[Said]:
    """What a watcher is told up to the event that is waited for."""
    said: list[Said] = []
    async for piece in stream:
        for event in parsed(iter(piece.decode().split("\n"))):
            said.append(event)
            if until(event):
                return said
    return said


def ends(job: Job) -> Callable[[Said], bool]:
    return lambda event: event.name == "job" and event.data["id"] == str(job.pk) and event.data["status"] == "completed"


async def in_thread(call: Callable[[], Any]) -> Any:
    """Call it as another process would: in a thread with a connection of its own."""

    def alone() -> Any:
        try:
            return call()
        finally:
            connection.close()

    return await asyncio.get_running_loop().run_in_executor(None, alone)


def make_ann() -> tuple[User, list[Job]]:
    ann = make_user()
    return ann, [make_job(owner_id=ann.pk) for _ in range(3)]


@pytest.mark.django_db(transaction=True)
def test_many_watchers_of_one_job_are_all_told_all_of_it() -> None:
    ann, jobs = make_ann()

    async def test(hub: Hub) -> None:
        streams = [hub.watch(Scope(ann.pk, jobs[0].pk), after=0) for _ in range(5)]
        tasks = [asyncio.create_task(heard(stream, ends(jobs[0]))) for stream in streams]
        while len(hub._watchers) < 5:
            await asyncio.sleep(0)
        await in_thread(lambda: move_on(jobs[0]))
        for said in await asyncio.gather(*tasks):
            assert moves(said) == [("", "pending"), ("pending", "processing"), ("processing", "completed")]
        del streams

    with_hub(test)


@pytest.mark.django_db(transaction=True)
def test_who_goes_away_leaves_no_watcher_and_no_poll() -> None:
    ann, jobs = make_ann()

    async def test(hub: Hub) -> None:
        gone = asyncio.create_task(heard(hub.watch(Scope(ann.pk), after=None), lambda event: False))
        closed: Any = hub.watch(Scope(ann.pk, jobs[0].pk), after=None)
        await anext(closed)
        while len(hub._watchers) < 2 or hub._poller is None:
            await asyncio.sleep(0)
        poller = hub._poller
        gone.cancel()
        await closed.aclose()
        await asyncio.gather(gone, return_exceptions=True)
        assert hub._watchers == set()
        await asyncio.wait_for(poller, 5)

    with_hub(test)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_is_replaced_and_the_watchers_stay() -> None:
    ann, jobs = make_ann()

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(ann.pk, jobs[0].pk), after=None)
        await heard(stream, lambda event: True)

        def break_it() -> None:
            connection.ensure_connection()
            assert connection.connection
            connection.connection.close()  # as a restart of the database does

        await asyncio.get_running_loop().run_in_executor(hub._thread, break_it)
        await in_thread(lambda: move_on(jobs[0]))
        said = await asyncio.wait_for(heard(stream, ends(jobs[0])), 10)
        assert said[-1].data["status"] == "completed"

    with_hub(test)


@pytest.mark.django_db(transaction=True)
def test_who_comes_just_when_the_last_one_has_gone_is_told_all_the_same() -> None:
    ann, jobs = make_ann()

    async def test(hub: Hub) -> None:
        first: Any = hub.watch(Scope(ann.pk, jobs[0].pk), after=None)
        await heard(first, lambda event: True)
        poller, gate = hub._poller, threading.Event()
        await first.aclose()
        hub._thread.submit(gate.wait)
        # The poll sees that nobody watches, and waits for the thread to close its connection.
        while hub._thread._work_queue.empty():
            await asyncio.sleep(0.01)
        assert poller and not poller.done()
        watching = asyncio.create_task(heard(hub.watch(Scope(ann.pk, jobs[1].pk), after=None), ends(jobs[1])))
        while not hub._watchers:
            await asyncio.sleep(0)
        gate.set()
        await asyncio.sleep(0.2)
        await in_thread(lambda: move_on(jobs[1]))
        said = await asyncio.wait_for(watching, 10)
        assert moves(said)[-1] == ("processing", "completed")

    with_hub(test)


@pytest.mark.django_db(transaction=True)
def test_a_user_who_comes_back_misses_no_transition_wherever_the_line_broke() -> None:
    ann, jobs = make_ann()

    def interleaved() -> None:
        claims = [claim(Job.objects.get(pk=job.pk)) for job in jobs]
        for claimed in claims:
            transitions.complete(claimed, None)

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(ann.pk), after=0)
        await heard(stream, lambda event: event.name == "job" and event.data["id"] == str(jobs[2].pk))
        while not hub._changes._seen:  # until the first look
            await asyncio.sleep(0.01)
        gate = threading.Event()
        hub._thread.submit(gate.wait)  # so that one poll finds all that happens
        await in_thread(interleaved)
        gate.set()
        told: set[str] = set()
        numbers: list[int] = []
        while len(told) < 3 or len(numbers) < 9:
            event = (await heard(stream, lambda event: True))[0]
            numbers += [event.id] if event.id else []
            told |= {event.data["id"]} if event.name == "job" and event.data["status"] == "completed" else set()
        await stream.aclose()
        assert len(numbers) == 9
        # A client that comes back with one of these numbers is told all higher ones.
        for place, number in enumerate(numbers):
            lost = [later for later in numbers[place + 1 :] if later < number]
            assert not lost, f"{lost} never come if the line breaks after {number}"

    with_hub(test)


@pytest.mark.django_db(transaction=True)
def test_a_user_whose_job_ended_while_the_line_was_broken_is_told_how_it_ended() -> None:
    ann, jobs = make_ann()
    known = jobs[0].transitions.latest("id").pk
    move_on(jobs[0])

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(ann.pk), after=known)
        said = await asyncio.wait_for(heard(stream, ends(jobs[0])), 10)
        await stream.aclose()
        assert said[-1].data["result"] == {"sum": 3}

    with_hub(test)


@pytest.mark.django_db(transaction=True)
def test_a_watcher_that_reads_nothing_is_let_go_instead_of_filling_the_memory() -> None:
    ann, jobs = make_ann()

    async def test(hub: Hub) -> None:
        stream: Any = hub.watch(Scope(ann.pk, jobs[0].pk), after=None)
        await heard(stream, lambda event: True)
        watcher = next(iter(hub._watchers))
        event = await in_thread(lambda: render(jobs[0]))
        for _ in range(3000):
            watcher.offer(Event("job", event))
        assert watcher.queue.qsize() <= 1000
        await asyncio.wait_for(heard(stream, lambda event: False), 10)
        assert not hub._watchers

    with_hub(test)
