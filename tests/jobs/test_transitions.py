"""The only writer of a job's status: whatever is tried in whatever order, by the living and by the dead."""

from __future__ import annotations

import functools
import itertools
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_results.models import TaskResult
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from jobs import rescue, transitions
from jobs.models import Attempt, Job, Transition
from jobs.now import Now
from jobs.status import FINISHED, RETRYABLE, TRANSITIONS, WAITING, JobStatus, Outcome, celery_state
from tests.builders import claim, make_claimed_job, make_job

T = TypeVar("T")
_numbers = itertools.count(1)
MINUTE = timedelta(minutes=1)


def world(job_id: uuid.UUID) -> list[Any]:
    """Everything that is written about a job."""
    return [
        list(rows.order_by("pk").values())
        for rows in (
            Job.objects.filter(pk=job_id),
            Attempt.objects.filter(job_id=job_id),
            Transition.objects.filter(job_id=job_id),
            TaskResult.objects.filter(task_id=str(job_id)),
        )
    ]


class OneJob(RuleBasedStateMachine):
    """One job, those who were given it at some time, and those who read its row at some time."""

    def __init__(self) -> None:
        super().__init__()
        self.id = make_job().pk
        self.workers: list[Job] = []
        self.readers: list[Job] = [self.row]

    def teardown(self) -> None:
        Job.objects.all().delete()
        TaskResult.objects.all().delete()

    @property
    def row(self) -> Job:
        return Job.objects.get(pk=self.id)

    def does(self, expected: bool, move: Callable[[], T]) -> T:
        """Make the move: it says whether it happened, and changes nothing at all if not."""
        before = world(self.id)
        said = move()
        assert bool(said) is expected
        assert (world(self.id) != before) is expected
        return said

    def of_worker(self, data: st.DataObject, move: Callable[[Job], bool]) -> bool:
        job = data.draw(st.sampled_from(self.workers))
        row = self.row
        return self.does(row.status == JobStatus.PROCESSING and row.attempt == job.attempt, lambda: move(job))

    @rule()
    def somebody_reads_the_row(self) -> None:
        self.readers.append(self.row)

    @rule()
    def release(self) -> None:
        waiting = Job.objects.filter(pk=self.id, status__in=sorted(WAITING))
        waiting.update(released_at=Now(), releases=F("releases") + 1, run_at=Now())

    @rule()
    def a_message_arrives(self) -> None:
        row = self.row
        to_be_had = row.status in WAITING and row.released_at is not None
        got = self.does(to_be_had, lambda: transitions.claim(self.id, worker="w", pid=1, lease=MINUTE))
        if got:
            assert got.attempt == row.attempt + 1
            self.workers.append(got)

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        # Another number each time: two renewals may come within one millisecond, which is as fine as SQLite's clock is.
        current = next(_numbers)
        self.of_worker(data, lambda job: transitions.renew(job, lease=MINUTE, current=current, total=2))

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        effects: list[int] = []
        did = self.of_worker(data, lambda job: transitions.complete(job, 7, effects=[lambda: effects.append(1)]))
        assert effects == [1] * did

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), crashed=st.booleans())
    def retry_later(self, data: st.DataObject, crashed: bool) -> None:
        said: dict[str, Any] = {"code": "c", "message": "m", "crashed": crashed}
        self.of_worker(data, lambda job: transitions.retry_later(job, wait=timedelta(0), **said))

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), crashed=st.booleans())
    def fail(self, data: st.DataObject, crashed: bool) -> None:
        self.of_worker(data, lambda job: transitions.fail(job, code="c", message="m", crashed=crashed, traceback="t"))

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        self.of_worker(data, transitions.hand_back)

    @rule()
    def the_lease_runs_out(self) -> None:
        lost = self.row.status == JobStatus.PROCESSING
        self.does(lost, lambda: rescue.rescue(now=timezone.now() + 2 * MINUTE))

    @rule()
    def a_person_cancels(self) -> None:
        self.does(self.row.status not in FINISHED, lambda: transitions.cancel(self.id))

    @rule(data=st.data())
    def a_person_retries(self, data: st.DataObject) -> None:
        read, row = data.draw(st.sampled_from(self.readers)), self.row
        same = (read.status, read.attempt) == (row.status, row.attempt)
        self.does(same and row.status in RETRYABLE, lambda: transitions.retry(read, budget=4))

    @rule(data=st.data())
    def its_kind_is_unknown(self, data: st.DataObject) -> None:
        read, row = data.draw(st.sampled_from(self.readers)), self.row
        if read.status in WAITING:
            same = (read.status, read.attempt) == (row.status, row.attempt)
            self.does(same, lambda: transitions.refuse(read, code="c", message="m"))

    @invariant()
    def the_record_of_moves_is_whole(self) -> None:
        moves = list(Transition.objects.filter(job_id=self.id).order_by("id"))
        assert (moves[0].before, moves[0].after, moves[0].attempt) == ("", JobStatus.PENDING, 0)
        for one, other in itertools.pairwise(moves):
            assert other.before == one.after
            assert other.after in TRANSITIONS[JobStatus(other.before)]
            begins = other.after == JobStatus.PROCESSING
            assert other.attempt == one.attempt + begins
        row = self.row
        assert (row.status, row.attempt) == (moves[-1].after, moves[-1].attempt)

    @invariant()
    def every_attempt_but_a_running_one_has_ended(self) -> None:
        row = self.row
        attempts = list(Attempt.objects.filter(job_id=self.id).order_by("number"))
        assert [attempt.number for attempt in attempts] == list(range(1, row.attempt + 1))
        running = [attempt.number for attempt in attempts if attempt.outcome == Outcome.RUNNING]
        assert running == ([row.attempt] if row.status == JobStatus.PROCESSING else [])
        crashed = [attempt.number for attempt in attempts if attempt.outcome == Outcome.CRASHED]
        assert row.crashes <= len(crashed)

    @invariant()
    def what_operators_see_is_what_the_row_says(self) -> None:
        row = self.row
        shown = TaskResult.objects.filter(task_id=str(self.id)).first()
        if row.status in FINISHED:
            assert shown
            assert shown.status == celery_state(JobStatus(row.status))


@pytest.mark.django_db
def test_no_order_of_events_makes_an_illegal_move_or_lets_the_dead_write() -> None:
    run_state_machine_as_test(
        OneJob,
        settings=settings(max_examples=25, stateful_step_count=20, suppress_health_check=list(HealthCheck)),
    )


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_claim_at_once_are_one_attempt() -> None:
    def try_it(job_id: uuid.UUID, barrier: threading.Barrier) -> bool:
        try:
            barrier.wait()
            return transitions.claim(job_id, worker=threading.current_thread().name, pid=1, lease=MINUTE) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        for _ in range(8):
            job = make_job()
            Job.objects.filter(pk=job.pk).update(released_at=Now())
            barrier = threading.Barrier(4)
            claims = [threads.submit(try_it, job.pk, barrier) for _ in range(4)]
            assert sorted(each.result() for each in claims) == [False, False, False, True]
            job.refresh_from_db()
            assert (job.status, job.attempt, job.attempts.count()) == ("processing", 1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_cancel_and_a_completion_at_once_leave_one_end() -> None:
    def run(move: Callable[[], object], barrier: threading.Barrier) -> bool:
        try:
            barrier.wait()
            return bool(move())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        for _ in range(6):
            job, barrier = make_claimed_job(), threading.Barrier(2)
            completed = threads.submit(run, functools.partial(transitions.complete, job, 1), barrier)
            cancelled = threads.submit(run, functools.partial(transitions.cancel, job.pk), barrier)
            assert completed.result() is not cancelled.result()
            status = Job.objects.get(pk=job.pk).status
            assert status == ("completed" if completed.result() else "cancelled")
            assert list(job.attempts.values_list("outcome", flat=True)) == [status]
            assert TaskResult.objects.get(task_id=str(job.pk)).status == celery_state(JobStatus(status))


@pytest.mark.django_db
def test_effects_and_the_end_of_the_job_happen_together_or_not_at_all() -> None:
    job = make_claimed_job()

    def breaks() -> None:
        Job.objects.filter(pk=job.pk).update(subject="changed")
        raise RuntimeError("no")

    before = world(job.pk)
    with pytest.raises(RuntimeError, match="no"):
        transitions.complete(job, 1, effects=[breaks])
    assert world(job.pk) == before
    assert transitions.complete(job, 1)


@pytest.mark.django_db
def test_only_a_released_job_that_is_due_and_not_too_late_is_to_be_had() -> None:
    def to_be_had(**fields: Any) -> bool:
        job = make_job()
        Job.objects.filter(pk=job.pk).update(**{"released_at": Now(), **fields})
        return transitions.claim(job.pk, worker="w", pid=1, lease=MINUTE) is not None

    later, earlier = timezone.now() + MINUTE, timezone.now() - MINUTE
    assert to_be_had()
    assert to_be_had(deadline_at=later)
    assert not to_be_had(released_at=None)
    assert not to_be_had(run_at=later)
    assert not to_be_had(deadline_at=earlier)
    assert transitions.claim(uuid.uuid4(), worker="w", pid=1, lease=MINUTE) is None


@pytest.mark.django_db
def test_leases_go_by_the_clock_of_the_database() -> None:
    job = make_job()
    Job.objects.filter(pk=job.pk).update(released_at=Now())
    with CaptureQueriesContext(
        connection,
    ) as told:
        claimed = transitions.claim(job.pk, worker="w", pid=1, lease=MINUTE)
        assert claimed
        transitions.renew(claimed, lease=MINUTE)
        rescue.rescue()
    statements = [query["sql"].strip() for query in told]
    asked = [sql for sql in statements if sql.startswith("UPDATE") or "lease_expires_at" in sql.partition("WHERE")[2]]
    assert len(asked) == 3
    assert not [sql for sql in asked if f"{timezone.now():%Y-%m-}" in sql], "a time of this machine's clock was sent"
    row = Job.objects.annotate(left=F("lease_expires_at") - Now()).get(pk=job.pk)
    assert timedelta(seconds=50) < row.left <= MINUTE


@pytest.mark.django_db
def test_a_job_whose_lease_still_runs_is_not_rescued() -> None:
    job = make_claimed_job()
    assert rescue.rescue() == 0
    assert rescue.rescue(now=timezone.now() + 2 * MINUTE) == 1
    assert list(job.attempts.values_list("outcome", "error_code")) == [("crashed", "crashed")]
    assert rescue.rescue(now=timezone.now() + 2 * MINUTE) == 0


@pytest.mark.django_db
def test_an_attempt_that_was_handed_back_is_not_charged_and_a_crash_is() -> None:
    job = make_claimed_job(max_attempts=2)
    transitions.hand_back(job)
    again = claim(Job.objects.get(pk=job.pk))
    assert (again.attempt, again.max_attempts) == (2, 3)
    rescue.rescue(now=timezone.now() + 2 * MINUTE)
    again.refresh_from_db()
    assert (again.status, again.max_attempts, again.crashes) == ("retrying", 3, 1)


@pytest.mark.django_db
def test_the_third_crash_is_the_last_however_many_attempts_there_are() -> None:
    job = make_job(max_attempts=100)
    for crash in (1, 2, 3):
        Job.objects.filter(pk=job.pk).update(run_at=Now())
        claim(Job.objects.get(pk=job.pk))
        rescue.rescue(now=timezone.now() + 2 * MINUTE)
        job.refresh_from_db()
        assert job.crashes == crash
    assert (job.status, job.error_code) == ("failed", "crashed_too_often")


@pytest.mark.django_db
def test_a_worker_that_renewed_in_time_is_not_taken_for_dead_by_a_rescue_that_looked_before() -> None:
    job = make_claimed_job()
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - MINUTE)
    renewed: list[bool] = []

    def renew_between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and not renewed:
            renewed.append(True)
            transitions.renew(job, lease=MINUTE)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(renew_between):
        rescue.rescue()
    assert renewed
    assert Job.objects.get(pk=job.pk).status == "processing"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "illegal",
    [
        {"status": "lost"},
        {"priority": 11},
        {"status": "processing"},
        {"lease_expires_at": Now()},
        {"status": "completed"},
        {"finished_at": Now()},
        {"status": "completed", "finished_at": Now(), "released_at": Now()},
    ],
    ids=str,
)
def test_the_database_refuses_a_job_in_an_illegal_state(illegal: dict[str, Any]) -> None:
    job = make_job()
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**illegal)


@pytest.mark.django_db
def test_the_database_refuses_every_move_that_is_not_in_the_table() -> None:
    job = make_job()

    def accepted(before: str, after: str) -> bool:
        try:
            with transaction.atomic():
                Transition.objects.create(job=job, attempt=1, before=before, after=after, at=Now())
        except IntegrityError:
            return False
        return True

    words = ["", *JobStatus, "lost"]
    took = {(str(before), str(after)) for before in words for after in words if accepted(before, after)}
    legal = {(str(before), str(after)) for before, afters in TRANSITIONS.items() for after in afters}
    assert took == legal | {("", "pending")}


@pytest.mark.django_db
def test_the_database_refuses_an_attempt_twice_or_one_that_ended_without_an_outcome() -> None:
    job = make_claimed_job()
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(job=job, number=1, worker="w", started_at=Now())
    for illegal in ({"ended_at": Now()}, {"outcome": "failed"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Attempt.objects.filter(job=job).update(**illegal)


@pytest.mark.django_db
def test_a_job_that_is_refused_shows_why_where_operators_look() -> None:
    job = make_job()
    transitions.refuse(job, code="deadline_passed", message="Too late.")
    assert "deadline_passed" in TaskResult.objects.get(task_id=str(job.pk)).result
