"""Quotas in the life of a job: counted when it is submitted, given back when it ends badly, never leaked."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from jobs import control, transitions
from jobs.errors import JointoError
from jobs.models import Job
from jobs.quotas import Allowance, Quota, QuotaExceeded
from tests.builders import claim, make_user
from tests.jobs.test_quotas import at_once, used
from tests.kinds import add

_numbers = itertools.count(1)


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def _limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind `add` has a quota."""
    monkeypatch.setattr(add, "quota", Quota(free=Allowance(monthly=4)))


def submit(user: User, number: int = 0, **options: Any) -> Job:
    """A job about something of its own, or about the given number."""
    with transaction.atomic():
        job, _ = add.submit((number or next(_numbers), 2), {}, owner_id=user.pk, **options)
    return Job.objects.get(pk=job.pk)


@pytest.mark.django_db
@pytest.mark.usefixtures("_limited")
def test_a_job_that_fails_for_good_or_is_cancelled_gives_back_and_one_that_is_done_does_not(ann: User) -> None:
    done, failed, waiting, running = (submit(ann) for _ in range(4))
    with pytest.raises(QuotaExceeded):
        submit(ann)
    assert Job.objects.count() == 4
    transitions.complete(claim(done), 3)
    assert used()["hour"] == 4
    transitions.fail(claim(failed), code="broken", message="No.")
    assert used()["hour"] == 3
    control.cancel(waiting, by="ann")
    claim(running)
    control.cancel(running, by="ann")
    assert used() == {"hour": 1, "month": 1}
    assert list(Job.objects.exclude(reserved_at=None)) == [done]


@pytest.mark.django_db
@pytest.mark.usefixtures("_limited")
def test_an_attempt_that_is_tried_again_keeps_what_was_reserved(ann: User) -> None:
    job = submit(ann)
    transitions.retry_later(claim(job), wait=timedelta(0), code="busy", message="Later.")
    assert used()["hour"] == 1
    transitions.fail(claim(Job.objects.get(pk=job.pk)), code="broken", message="No.")
    assert used()["hour"] == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("_limited")
def test_a_retry_by_hand_reserves_again_and_is_refused_without_quota(ann: User) -> None:
    job = submit(ann)
    control.cancel(job, by="ann")
    others = [submit(ann) for _ in range(4)]
    with pytest.raises(QuotaExceeded):
        control.retry(Job.objects.get(pk=job.pk), by="ann")
    assert Job.objects.get(pk=job.pk).status == "cancelled"
    control.cancel(others[0], by="ann")
    for other in others[1:]:
        transitions.complete(claim(other), 3)
    control.retry(Job.objects.get(pk=job.pk), by="ann")
    assert used() == {"hour": 4, "month": 4}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_limited")
def test_a_job_that_ends_twice_at_once_gives_back_once(ann: User) -> None:
    keeper = submit(ann)
    for _ in range(10):
        job = claim(submit(ann))
        ends: list[Callable[[], Any]] = [
            lambda job=job: transitions.cancel(job.pk),  # type: ignore[misc]
            lambda job=job: transitions.fail(job, code="broken", message="No."),  # type: ignore[misc]
            lambda job=job: transitions.fail(job, code="crashed", message="No.", crashed=True),  # type: ignore[misc]
        ]
        at_once(3, lambda number, ends=ends: ends[number]())  # type: ignore[misc]
        assert used() == {"hour": 1, "month": 1}
    assert Job.objects.exclude(reserved_at=None).get() == keeper


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_limited")
def test_what_is_counted_is_what_jobs_hold_whatever_people_do_at_once(ann: User) -> None:
    def act(number: int) -> None:
        rng = random.Random(number)
        for _ in range(12):
            jobs = list(Job.objects.order_by("pk"))
            with contextlib.suppress(JointoError):
                match rng.randrange(3):
                    case 0:
                        submit(ann)
                    case 1 if jobs:
                        control.cancel(rng.choice(jobs), by="ann")
                    case 2 if jobs:
                        control.retry(rng.choice(jobs), by="ann")

    assert at_once(4, act) == [None] * 4
    held = Job.objects.exclude(reserved_at=None).count()
    assert used() == {"hour": held, "month": held}
    assert held == Job.objects.filter(status="pending").count() <= 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_limited")
def test_the_last_job_of_a_quota_asked_for_twice_at_once_under_one_key_is_one_job(ann: User) -> None:
    for _ in range(3):
        submit(ann)
    given = at_once(4, lambda _: submit(ann, 1, idempotency_key="again"))
    assert {type(one) for one in given} == {Job}, given
    assert len({one.pk for one in given}) == 1
    assert used() == {"hour": 4, "month": 4}
