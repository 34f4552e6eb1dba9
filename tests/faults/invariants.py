"""What has to hold after any fault, whatever it was. Each function says what is wrong, nothing if all is well."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django_celery_results.models import TaskResult

from jobs import journal, kinds, rescue, statistics
from jobs.models import Attempt, Job, QuotaUse, Tally, Transition
from jobs.status import FINISHED, TRANSITIONS, JobStatus, Outcome, celery_state
from tests.kinds import EFFECTS
from tests.stack import wait_for

_SHOWN = 20

_OUTCOMES = {
    JobStatus.COMPLETED: {Outcome.COMPLETED},
    JobStatus.PENDING: {Outcome.HANDED_BACK},
    JobStatus.CANCELLED: {Outcome.CANCELLED},
    JobStatus.RETRYING: {Outcome.FAILED, Outcome.CRASHED},
    JobStatus.FAILED: {Outcome.FAILED, Outcome.CRASHED},
}
"""How an attempt ended by whose move its job came into a status."""


def all_have_ended() -> bool:
    return not Job.objects.exclude(status__in=sorted(FINISHED)).exists()


def check() -> None:
    """AssertionError with all that is wrong. Every job has ended before."""
    _look_for_leftovers()
    wait_for(_all_is_booked, what="the journal")
    wrong = [*effects(), *moves(), *quotas(), *tallies(), *results()]
    assert not wrong, "\n".join(wrong[:_SHOWN])


def effects() -> list[str]:
    """Each completed job of a kind that has an effect has exactly one, no other job has any."""
    done = {
        str(pk)
        for pk, kind in Job.objects.filter(status=JobStatus.COMPLETED).values_list("pk", "kind")
        if kind.startswith(("tests.kinds.effect", "tests.kinds.write"))
    }
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT job_id, attempt FROM {EFFECTS}")
        found = dict(cursor.fetchall())
    by = {
        str(pk): number
        for pk, number in Attempt.objects.filter(outcome=Outcome.COMPLETED).values_list("job_id", "number")
    }
    return [
        *(f"job {pk} is completed and has no effect" for pk in sorted(done - found.keys())),
        *(f"job {pk} has an effect and is not completed" for pk in sorted(found.keys() - done)),
        *(f"job {pk} was completed by another attempt" for pk in done & found.keys() if by.get(pk) != found[pk]),
    ]


def moves() -> list[str]:
    """Each job's moves are legal, follow on each other, and agree with its attempts and with its row."""
    by_job: defaultdict[uuid.UUID, list[Transition]] = defaultdict(list)
    for move in Transition.objects.order_by("id"):
        by_job[move.job_id].append(move)
    attempts: defaultdict[uuid.UUID, dict[int, Attempt]] = defaultdict(dict)
    for attempt in Attempt.objects.order_by("number"):
        attempts[attempt.job_id][attempt.number] = attempt
    return [
        f"job {job.pk} ({job.status}): {wrong}"
        for job in Job.objects.all()
        for wrong in _replay(job, by_job[job.pk], attempts[job.pk])
    ]


def _replay(job: Job, log: list[Transition], attempts: dict[int, Attempt]) -> list[str]:
    wrong = []
    status, number, at = "", 0, None
    for move in log:
        legal = move.after == JobStatus.PENDING if not status else move.after in TRANSITIONS[JobStatus(status)]
        if move.before != status or not legal:
            wrong.append(f"went from {move.before} to {move.after}, being {status or 'new'}")
        if move.after == JobStatus.PROCESSING:
            number += 1
        elif move.before == JobStatus.PROCESSING:
            outcome = attempts[number].outcome if number in attempts else "none"
            if outcome not in _OUTCOMES[JobStatus(move.after)]:
                wrong.append(f"became {move.after} by attempt {number}, whose outcome is {outcome}")
        if move.attempt != number:
            wrong.append(f"became {move.after} in attempt {number}, and says {move.attempt}")
        if at and move.at < at:
            wrong.append(f"became {move.after} before it was {status}")
        status, at = move.after, move.at
    if (job.status, job.attempt, list(attempts)) != (status, number, list(range(1, number + 1))):
        wrong.append(f"moved to {status} in attempt {number}; the row says {job.attempt}; attempts {list(attempts)}")
    return [*wrong, *_miscounted(job, log, attempts)]


def _miscounted(job: Job, log: list[Transition], attempts: dict[int, Attempt]) -> list[str]:
    """What is charged: an attempt that was handed back is not; crashes are counted."""
    kind = kinds.find(job.kind)
    if kind is None or any(move.reason.startswith("retried by") for move in log):
        return []
    outcomes = Counter(attempt.outcome for attempt in attempts.values())
    told = (job.max_attempts, job.crashes)
    due = (kind.policy.max_attempts + outcomes[Outcome.HANDED_BACK], outcomes[Outcome.CRASHED])
    return [] if told == due else [f"attempts at most and crashes are {told}, and should be {due}"]


def quotas() -> list[str]:
    """What is counted of a quota are the jobs that completed: what ended otherwise gave its part back."""
    due: Counter[tuple[int | None, str]] = Counter(
        (owner_id, kind)
        for owner_id, kind, status in Job.objects.values_list("owner_id", "kind", "status")
        if status == JobStatus.COMPLETED and (known := kinds.find(kind)) and known.quota and owner_id is not None
    )
    wrong = [
        f"quota {kind} of user {owner_id} an {period}: {used} used, {due[owner_id, kind]} completed"
        for owner_id, kind, period, used in QuotaUse.objects.values_list("owner_id", "kind", "period")
        .annotate(n=Sum("used"))
        .order_by("kind")
        if used != due[owner_id, kind]
    ]
    kept = Job.objects.filter(reserved_at__isnull=False).exclude(status=JobStatus.COMPLETED).count()
    return [*wrong, *([f"{kept} jobs that did not complete keep their quota"] if kept else [])]


def tallies() -> list[str]:
    """The numbers that are kept as jobs move are those that counting gives."""
    counted = Counter(Job.objects.values_list("kind", "status"))
    rows = Tally.objects.filter(measure=statistics.STATUS).exclude(n=0).values_list("kind", "bucket", "n")
    kept = {(kind, status): n for kind, status, n in rows}
    return [] if kept == counted else [f"the statistics say {kept}, the jobs {dict(counted)}"]


def results() -> list[str]:
    """Celery's own result is there for each job, and says the same."""
    told = dict(TaskResult.objects.values_list("task_id", "status"))
    return [
        f"the result of job {pk} ({status}) says {told.get(str(pk))}"
        for pk, status in Job.objects.values_list("pk", "status")
        if told.get(str(pk)) != celery_state(JobStatus(status))
    ]


def _all_is_booked() -> bool:
    journal.book_all()
    return not Transition.objects.filter(booked=False).exists()


def _look_for_leftovers() -> None:
    """No private folder of an attempt is left once the periodic check has looked."""
    root = Path(settings.SCRATCH_DIR)

    def empty() -> bool:
        rescue.discard_leftovers()
        return not root.is_dir() or not list(root.iterdir())

    wait_for(empty, what=f"the end of what is in {root}")
