"""Recording and releasing: best first, no more than there is room for, once for each key."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs import control, dispatch, line, transitions
from jobs.models import Job, Worker
from jobs.now import Now
from jobs.testing import Clock, run
from jobs.worker import heartbeat
from tests import kinds
from tests.builders import claim, make_job, make_user
from tests.stack import Redis, Stack

MINUTE = timedelta(minutes=1)


@pytest.fixture
def broker(redis_server: Redis, stack: Stack) -> Iterator[Redis]:
    """An empty broker whose messages nobody takes, and that a test may stop."""
    dispatch.forget()
    yield redis_server
    dispatch.forget()
    if not redis_server._process:
        redis_server.start()


@pytest.fixture
def nobody_listens(stack: Stack, redis_server: Redis) -> Iterator[None]:
    redis_server.stop()
    dispatch.forget()
    yield
    dispatch.forget()
    redis_server.start()


def make_worker(*, concurrency: int = 1, queues: tuple[str, ...] = ("maintenance",), age: float = 0) -> None:
    """The heartbeat of a worker, so many seconds old."""
    name = f"worker {uuid.uuid4()}"
    heartbeat(name, queues=list(queues), concurrency=concurrency)
    Worker.objects.filter(name=name).update(seen_at=transitions.after(Now(), -timedelta(seconds=age)))
    dispatch.forget()


def make_waiting(count: int, **fields: Any) -> list[Job]:
    """Jobs recorded in that order, and not released."""
    made = [make_job(**fields) for _ in range(count)]
    for age, job in enumerate(made):
        Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(hours=count - age), released_at=None)
    return made


def released() -> set[uuid.UUID]:
    return set(Job.objects.filter(released_at__isnull=False).values_list("pk", flat=True))


def messages(broker: Redis) -> int:
    return int(str(broker.client.llen("maintenance")))


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """What the call gives in so many threads that begin together."""
    barrier = threading.Barrier(count)

    def run(_: int) -> Any:
        try:
            barrier.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


# -- releasing -------------------------------------------------------------------------------------------


def test_the_best_jobs_go_first_by_priority_and_then_by_age(broker: Redis) -> None:
    oldest, older, young = make_waiting(3)
    urgent, low = make_waiting(1, priority=7)[0], make_waiting(1, priority=3)[0]
    make_worker(concurrency=1)
    for expected in ({urgent.pk, oldest.pk}, {older.pk, young.pk}, {low.pk}):
        assert dispatch.release("maintenance") == len(expected)
        assert released() == expected
        Job.objects.filter(pk__in=expected).delete()


def test_without_a_live_worker_nothing_is_released(broker: Redis) -> None:
    make_waiting(2)
    make_worker(age=3600)
    make_worker(queues=("media",))
    assert dispatch.release_all() == 0
    assert (released(), messages(broker)) == (set(), 0)


def test_no_more_is_released_than_there_is_room_for(broker: Redis) -> None:
    make_waiting(12)
    make_worker(concurrency=2)
    make_worker(concurrency=1, queues=("ai", "maintenance"))
    make_worker(concurrency=5, age=3600)
    assert dispatch.capacity("maintenance") == 3
    assert (dispatch.release("maintenance"), dispatch.release("maintenance")) == (6, 0)
    assert (len(released()), messages(broker)) == (6, 6)
    transitions.claim(released().pop(), worker="w", pid=1, lease=MINUTE)
    assert dispatch.release("maintenance") == 0, "a job that runs takes a place too"
    transitions.complete(Job.objects.get(status="processing"), None)
    assert dispatch.release("maintenance") == 1


def test_two_that_release_at_once_send_every_job_once(broker: Redis) -> None:
    make_waiting(8)
    make_worker(concurrency=4)
    assert sum(at_once(2, lambda: dispatch.release("maintenance"))) == 8
    assert set(Job.objects.values_list("releases", flat=True)) == {1}
    assert messages(broker) == 8


def test_what_is_not_due_yet_is_not_released(broker: Redis) -> None:
    make_worker(concurrency=5)
    later = make_job(wait=MINUTE)
    due = make_job(run_at=timezone.now() - MINUTE)
    assert Job.objects.get(pk=later.pk).released_at is None
    assert due.released_at is not None
    Job.objects.filter(pk=later.pk).update(run_at=Now())
    assert dispatch.release_all() == 1


def test_what_the_broker_does_not_take_waits_as_if_nothing_had_been(nobody_listens: None) -> None:
    make_waiting(3)
    make_worker(concurrency=3)
    assert dispatch.release("maintenance") == 0
    assert released() == set()


def test_a_broker_that_goes_away_after_it_had_been_there_takes_nothing_with_it(broker: Redis) -> None:
    make_worker(concurrency=3)
    kinds.add.delay(1)
    assert len(released()) == 1
    broker.stop()
    result = kinds.add.delay(1)
    assert Job.objects.get(pk=result.id).released_at is None


def test_a_message_that_nobody_takes_is_sent_again_while_workers_are_free(broker: Redis) -> None:
    make_worker(concurrency=1)
    job = make_job()
    assert messages(broker) == 1
    broker.client.flushall()
    assert dispatch.resend(older_than=MINUTE) == 0, "it is too young to be lost"
    Job.objects.filter(pk=job.pk).update(released_at=timezone.now() - 2 * MINUTE)
    assert dispatch.resend(older_than=MINUTE) == 1
    assert dispatch.release_all() == 1
    job.refresh_from_db()
    assert (job.releases, messages(broker)) == (2, 1)


def test_while_all_workers_are_busy_a_message_waits_rightfully(broker: Redis) -> None:
    make_worker(concurrency=1)
    claim(make_job())
    Job.objects.filter(pk=make_job().pk).update(released_at=timezone.now() - 2 * MINUTE)
    assert dispatch.resend(older_than=MINUTE) == 0
    make_worker(concurrency=1)
    assert dispatch.resend(older_than=MINUTE) == 1


def test_a_job_of_an_unknown_kind_waits_for_a_worker_that_knows_it_however_often_it_was_sent(broker: Redis) -> None:
    (job,) = make_waiting(1)
    Job.objects.filter(pk=job.pk).update(kind="tests.of_tomorrow", releases=30)
    for _ in range(5):
        make_worker()
        dispatch.release("maintenance")
        job.refresh_from_db()
        assert (job.status, job.hold, job.released_at) == ("pending", "later", None)
        Clock().turn(timedelta(seconds=70))
        line.promote()
    Job.objects.filter(pk=job.pk).update(kind="tests.kinds.add")
    make_worker()
    assert dispatch.release("maintenance") == 1
    assert run(job).status == "completed"


def test_a_job_whose_kind_stays_unknown_fails_is_shown_to_an_operator_and_tells_what_follows(broker: Redis) -> None:
    (job,) = make_waiting(1, canvas={"link_error": [kinds.record_failure.si("gone")]})
    Job.objects.filter(pk=job.pk).update(kind="tests.of_yesterday")
    Clock().turn(timedelta(days=1))
    make_worker()
    assert dispatch.release("maintenance") == 0
    assert Job.objects.get(pk=job.pk).status == "pending", "that it has waited for long is not the kind's fault"
    Clock().turn(timedelta(minutes=11))
    line.promote()
    make_worker()
    dispatch.release("maintenance")
    job.refresh_from_db()
    assert (job.status, job.error_code, job.dead_letters.count()) == ("failed", "unknown_kind", 1)
    assert Job.objects.get(kind=kinds.record_failure.name).args == ["gone"]
    control.retry(job, by="ann")
    dispatch.release("maintenance")
    job.refresh_from_db()
    assert job.status == "pending", "it has as long again"


# -- recording -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_key_that_is_used_again_for_something_else_is_refused() -> None:
    ann = make_user()
    kinds.add.apply_async((1,), owner_id=ann.pk, idempotency_key="k")
    for args, kwargs, kind in (((2,), {}, kinds.add), ((1,), {"b": 2}, kinds.add), ((1,), {}, kinds.sleep)):
        with pytest.raises(dispatch.IdempotencyKeyReused) as refused:
            kind.apply_async(args, kwargs, owner_id=ann.pk, idempotency_key="k")
        assert (refused.value.code, refused.value.status) == ("idempotency_key_reused", 409)
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_key_many_times_at_once_is_one_job() -> None:
    ann = make_user()
    for number in range(5):
        submit = functools.partial(kinds.add.apply_async, (1,), owner_id=ann.pk, idempotency_key=f"k{number}")
        found = [result.id for result in at_once(4, submit)]
        assert len(set(found)) == 1
    assert Job.objects.count() == 5


@pytest.mark.django_db
def test_a_key_of_nobody_is_no_key() -> None:
    first = kinds.add.apply_async((1,), idempotency_key="k")
    assert kinds.add.apply_async((1,), idempotency_key="k").id != first.id


@pytest.mark.django_db
@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", timezone.now()], ids=lambda value: type(value).__name__)
def test_arguments_that_are_no_json_are_an_error_where_they_are_given(value: Any) -> None:
    with pytest.raises(TypeError, match="JSON"):
        kinds.add.delay(value)
    assert not Job.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_an_error_where_it_is_given(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        kinds.add.delay(value)


@pytest.mark.django_db
def test_arguments_that_do_not_fit_are_an_error_where_they_are_given() -> None:
    for args, kwargs in (((), {}), ((1, 2, 3), {}), ((1,), {"c": 1}), ((1,), {"a": 1})):
        with pytest.raises(TypeError):
            kinds.add.delay(*args, **kwargs)
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_what_a_job_submits_is_its_owners_and_as_urgent_unless_it_says_otherwise() -> None:
    ann, bob = make_user(), make_user()
    parent = make_job(owner_id=ann.pk, priority=7)
    with dispatch.on_behalf_of(parent):
        heir = Job.objects.get(pk=kinds.add.delay(1).id)
        other = Job.objects.get(pk=kinds.add.apply_async((1,), owner_id=bob.pk, priority=3).id)
    orphan = Job.objects.get(pk=kinds.add.delay(1).id)
    assert [(job.owner_id, job.priority) for job in (heir, other, orphan)] == [(ann.pk, 7), (bob.pk, 3), (None, 5)]


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "given"), [(-5, 0), (0, 0), (10, 10), (99, 10), (None, 5)])
def test_a_priority_stays_between_0_and_10(asked: int | None, given: int) -> None:
    assert Job.objects.get(pk=kinds.add.apply_async((1,), priority=asked).id).priority == given


@pytest.mark.django_db
def test_seconds_until_a_job_expires_count_by_the_databases_clock() -> None:
    result = kinds.add.apply_async((1,), expires=120)
    row = Job.objects.get(pk=result.id)
    assert row.deadline_at
    assert row.deadline_at - row.created_at == timedelta(seconds=120)


@pytest.mark.django_db
def test_the_id_that_delay_gives_is_the_one_that_was_asked_for() -> None:
    wanted = str(uuid.uuid4())
    assert kinds.add.apply_async((1,), task_id=wanted).id == wanted
    assert Job.objects.filter(pk=wanted).exists()


@pytest.mark.django_db
def test_a_subject_is_made_of_the_arguments_and_fits_its_column() -> None:
    assert Job.objects.get(pk=kinds.add.delay(a=7).id).subject == "tests.Sum:7"
    assert len(Job.objects.get(pk=kinds.add.delay("x" * 1000).id).subject) == 200
