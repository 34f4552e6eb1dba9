"""What is checked after each row is seen to be wrong when it is."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F

from jobs import runner
from jobs.models import Attempt, Job, QuotaUse, Tally, Transition
from tests import kinds
from tests.faults import invariants
from tests.faults.arena import Arena
from tests.stack import wait_for

pytestmark = pytest.mark.stack


def say(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def legal_in_itself() -> None:
    """A move that was never made, though the table would take it."""
    job = Job.objects.get()
    last = Transition.objects.order_by("-id")[0]
    Transition.objects.create(
        job=job, attempt=1, before="processing", after="completed", at=last.at, booked=True, reason="twice"
    )


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "an_effect_is_missing": (lambda: say(f"DELETE FROM {kinds.EFFECTS}"), "has no effect"),
    "an_effect_is_of_nobody": (
        lambda: say(f"INSERT INTO {kinds.EFFECTS} VALUES ('{uuid.uuid4()}', 1)"),
        "is not completed",
    ),
    "an_effect_is_of_another_attempt": (lambda: say(f"UPDATE {kinds.EFFECTS} SET attempt = 7"), "another attempt"),
    "a_move_is_missing": (lambda: Transition.objects.filter(after="processing").delete(), "being pending"),
    "a_move_is_made_twice": (legal_in_itself, "being completed"),
    "an_outcome_does_not_fit": (lambda: Attempt.objects.update(outcome="crashed"), "whose outcome is crashed"),
    "an_attempt_is_charged": (lambda: Job.objects.update(max_attempts=3), "attempts at most"),
    "a_quota_leaks": (lambda: QuotaUse.objects.filter(period="hour").update(used=F("used") + 1), "2 used, 1 completed"),
    "a_statistic_is_off": (lambda: Tally.objects.filter(measure="status").update(n=F("n") + 1), "the statistics say"),
}


@pytest.mark.parametrize("arena", ["sqlite_redis"], indirect=True)
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(arena: Arena, name: str) -> None:
    job = Job.objects.get(pk=arena.submit_one())
    Job.objects.update(released_at=F("created_at"), releases=1)
    runner.run(kinds.effect, str(job.pk), worker="w")
    arena.check(completed=1)
    spoil, said = WRONG[name]
    spoil()
    with pytest.raises(AssertionError, match=said):
        invariants.check()


@pytest.mark.parametrize("arena", ["sqlite_redis"], indirect=True)
def test_processes_that_are_left_over_are_seen(arena: Arena) -> None:
    """By their mark, and, as children of jobs have an environment of their own, by where they work."""
    folder = Path(settings.SCRATCH_DIR) / "attempt"
    folder.mkdir(parents=True)
    left = [
        subprocess.Popen(["sleep", "60"], start_new_session=True),
        subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"]}, cwd=folder),
    ]
    try:
        wait_for(lambda: {process.pid for process in arena.strays()} == {p.pid for p in left}, what="both")
    finally:
        for process in left:
            process.kill()
            process.wait()
    assert not arena.strays()
