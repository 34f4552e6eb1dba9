"""For those who write kinds of job, and test them without a worker.

    def test_a_clip_is_measured() -> None:
        with enqueued() as jobs:
            views.measure(clip)
        assert_enqueued(measure_clip, clip.pk)
        job = run(jobs[0])
        assert (job.status, job.result) == ("completed", {"seconds": 3})

    def test_the_provider_is_asked_again_later() -> None:
        job = run(ask_provider.delay())          # fails: the provider is down
        assert job.status == "retrying"
        Clock().turn(timedelta(minutes=10))      # its wait is over
        assert run(job).status == "completed"

Everything goes to the test's database, by the engine's own code; it works inside a test's transaction too.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from unittest import mock

from celery.exceptions import Ignore, Retry
from celery.result import AsyncResult
from django.apps import apps
from django.db import models, transaction
from django.db.models import Case, ExpressionWrapper, F, Min, QuerySet, Value, When
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import GroupResult, TaskResult

from jobs import arguments, journal, kinds, runner, transitions, watch
from jobs.models import Job
from jobs.now import Now
from jobs.results import job_id_of
from jobs.status import WAITING, JobStatus

_FOREVER = timedelta(days=200 * 365)  # more than what any two rows lie apart
_NO_MOMENT = datetime(1990, 1, 1, tzinfo=UTC)  # what is before is a sign, not a time


def run(job: Job | AsyncResult | uuid.UUID | str) -> Job:
    """Do one attempt of a recorded job here and now: claim, run, settle, and draw the consequences; its row then.

    Whatever the body raises is in the row and its last attempt, as ever. AssertionError if the job can't be claimed:
    it has ended, runs elsewhere, or its time has not come (`Clock`).
    """
    before = Job.objects.get(pk=_id_of(job))
    kind = kinds.find(before.kind)
    assert kind, f"no task is called {before.kind}"
    Job.objects.filter(pk=before.pk, status__in=sorted(WAITING)).update(released_at=Now(), releases=F("releases") + 1)
    raised: Exception | None = None
    with mock.patch.object(watch, "over", _over):
        try:
            runner.run(kind, str(before.pk), worker="jobs.testing")
        except (Ignore, Retry):
            pass
        except Exception as error:  # noqa: BLE001  an attempt's outcome, unless the row does not have it
            raised = error
    journal.book()
    after = Job.objects.get(pk=before.pk)
    if after.attempt == before.attempt:
        Job.objects.filter(pk=before.pk, status__in=sorted(WAITING)).update(released_at=None)
        raise AssertionError(f"job {after.pk} can't be claimed: it is {after.status}, not before {after.run_at}")
    if raised and after.status == JobStatus.PROCESSING:
        raise raised
    return after


def _as_recorded() -> QuerySet[Job]:
    """All jobs in the order in which they were recorded; several may be of one millisecond."""
    return Job.objects.annotate(recorded=Min("transitions__pk")).order_by("recorded")


@contextlib.contextmanager
def enqueued() -> Iterator[list[Job]]:
    """The jobs that are recorded inside, oldest first; the list is filled at the end of the block."""
    known = set(Job.objects.values_list("pk", flat=True))
    found: list[Job] = []
    yield found
    found += [job for job in _as_recorded() if job.pk not in known]


def assert_enqueued(task: Any, *args: Any, times: int = 1, **kwargs: Any) -> None:
    """That so many jobs of this kind were recorded with these arguments; without arguments, with any.

    `delay(12)` and `delay(video_id=12)` are the same.
    """
    recorded = [(job.args, job.kwargs) for job in _as_recorded().filter(kind=task.name)]
    wanted = arguments.named(task, args, kwargs) if args or kwargs else None
    matching = sum(1 for given in recorded if wanted is None or arguments.named(task, *given) == wanted)
    if matching != times:
        asked = "" if wanted is None else f" with {wanted}"
        there = ", ".join(str(arguments.named(task, *given)) for given in recorded) or "none"
        raise AssertionError(f"{task.name}{asked} was recorded {matching} times, not {times}. There are: {there}.")


class Clock:
    """A clock to turn: time passes for the engine, as all times in its rows move into the past.

    So `run_at` comes, leases run out, deadlines pass, rows get old enough to be removed. What is counted by the
    hour or month (quotas, statistics) keeps to its hours if the clock is turned by whole ones.
    """

    def turn(self, by: timedelta) -> None:
        """Let so much time pass; not backwards."""
        if by < timedelta(0):
            raise ValueError("time does not go backwards")
        with transaction.atomic():
            moved: list[type[models.Model]] = [*apps.get_app_config("jobs").get_models(), TaskResult, GroupResult]
            for model in moved:
                names = [field.name for field in model._meta.concrete_fields if isinstance(field, models.DateTimeField)]
                _move(model, names, by)
            _move(PeriodicTask, ["last_run_at"], by)


def _move(model: type[models.Model], names: list[str], by: timedelta) -> None:
    if not names:
        return
    rows = model._default_manager.all()
    unique = {name for constraint in model._meta.total_unique_constraints for name in constraint.fields}
    if unique.isdisjoint(names):
        rows.update(**{name: _earlier(name, by) for name in names})
        return
    # Row by row, one would take the place of another that has not moved yet: first all far away, then all back.
    rows.update(**{name: _earlier(name, by + _FOREVER) for name in names})
    rows.update(**{name: _earlier(name, -_FOREVER, those={"lt": _NO_MOMENT - _FOREVER / 2}) for name in names})


def _earlier(
    name: str, by: timedelta, *, those: Mapping[str, datetime] = MappingProxyType({"gte": _NO_MOMENT})
) -> Case:
    moved = ExpressionWrapper(F(name) - Value(by), output_field=models.DateTimeField())
    which = {f"{name}__{lookup}": moment for lookup, moment in those.items()}
    return Case(When(**which, then=moved), default=F(name))


class _Unwatched(watch.Watched):
    """A watch without a thread, which would not see a test's transaction: it looks when the body reports."""

    def check(self) -> None:
        seen = self.progress.take()
        ours = transitions.renew(self.job, lease=self._lease, **seen) if seen else transitions.is_mine(self.job)
        if not ours:
            raise watch.Stopped(watch.Reason.TAKEN)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        yield
        self.check()


@contextlib.contextmanager
def _over(job: Job, progress: Any, log_tail: Any) -> Iterator[watch.Watched]:
    yield _Unwatched(job, progress, log_tail)


def _id_of(job: Job | AsyncResult | uuid.UUID | str) -> uuid.UUID:
    if isinstance(job, Job):
        return job.pk
    job_id = job_id_of(job.id if isinstance(job, AsyncResult) else str(job))
    assert job_id, f"{job!r} is no job"
    return job_id
