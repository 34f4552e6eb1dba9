"""Limits on how many of a kind run at once, altogether and for each user."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from jobs import control, dispatch, limits, line, transitions
from jobs.models import Job, KindLimit
from jobs.testing import Clock
from tests import kinds
from tests.builders import make_job, make_user

KIND = "tests.kinds.add"


@pytest.fixture
def two_a_user(transactional_db: None) -> KindLimit:
    return KindLimit.objects.create(kind=KIND, per_user=2)


def held() -> int:
    return Job.objects.filter(hold="limit", status="pending").count()


def finish(job: Job) -> None:
    claimed = transitions.claim(job.pk, worker="w", pid=1, lease=timedelta(minutes=1))
    assert claimed
    transitions.complete(claimed, None)


def in_line(owner: User) -> int:
    return Job.objects.filter(owner=owner, hold="", status="pending").count()


def test_a_user_has_no_more_of_a_kind_in_line_than_may_run(two_a_user: KindLimit) -> None:
    one, two = make_user(), make_user()
    for _ in range(5):
        make_job(owner_id=one.pk)
        make_job(owner_id=two.pk)
    assert (in_line(one), in_line(two), held()) == (2, 2, 6)


def test_when_one_has_ended_the_next_may(two_a_user: KindLimit) -> None:
    owner = make_user()
    jobs = [make_job(owner_id=owner.pk) for _ in range(4)]
    for _ in range(4):
        (job, *_rest) = line.take("maintenance", room=1)
        finish(job)
        limits.admit(KIND)
        assert in_line(owner) <= 2
    assert Job.objects.filter(pk__in=[job.pk for job in jobs], status="completed").count() == 4


def test_jobs_of_nobody_are_not_limited_by_user(two_a_user: KindLimit) -> None:
    for _ in range(5):
        make_job()
    assert held() == 0


def test_a_limit_of_the_kind_holds_for_all_together_and_is_shared_fairly(transactional_db: None) -> None:
    KindLimit.objects.create(kind=KIND, at_once=3)
    flood, other = make_user(), make_user()
    for _ in range(10):
        make_job(owner_id=flood.pk, priority=5)
    make_job(owner_id=other.pk, priority=5)
    assert Job.objects.filter(hold="").count() == 3
    finish(line.take("maintenance", room=1)[0])
    limits.admit(KIND)
    assert in_line(other) == 1, "the one job of the other is the next to be let in"


def test_a_flood_that_its_limit_holds_back_does_not_hold_back_other_kinds(two_a_user: KindLimit) -> None:
    flood = make_user()
    for _ in range(30):
        make_job(owner_id=flood.pk, priority=7)
    line.take("maintenance", room=2)
    other = make_job("tests.kinds.collect", args=([1],), owner_id=flood.pk, priority=3)
    assert [job.pk for job in line.take("maintenance", room=3)] == [other.pk]


def test_many_that_admit_at_once_never_exceed_the_limit(two_a_user: KindLimit) -> None:
    owner = make_user()
    dispatch.submit_many([kinds.add.request_for((1,), {}, owner_id=owner.pk) for _ in range(40)])
    barrier = threading.Barrier(6)

    def admit() -> None:
        try:
            barrier.wait()
            limits.admit(KIND)
        finally:
            connection.close()

    threads = [threading.Thread(target=admit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert in_line(owner) == 2


def test_a_limit_that_is_taken_away_lets_all_in(two_a_user: KindLimit) -> None:
    owner = make_user()
    for _ in range(5):
        make_job(owner_id=owner.pk)
    two_a_user.delete()
    limits.admit_all()
    assert in_line(owner) == 5


def test_a_job_that_waits_to_be_tried_again_leaves_its_place_to_another(two_a_user: KindLimit) -> None:
    owner = make_user()
    first, _second, _third = (make_job(owner_id=owner.pk) for _ in range(3))
    line.take("maintenance", room=1)
    claimed = transitions.claim(first.pk, worker="w", pid=1, lease=timedelta(minutes=1))
    assert claimed
    transitions.retry_later(claimed, wait=timedelta(hours=1), code="x", message="x")
    limits.admit(KIND)
    assert in_line(owner) == 2
    Job.objects.filter(pk=first.pk).update(run_at=first.created_at)
    line.promote()
    assert Job.objects.get(pk=first.pk).hold == "limit", "it has to be let in anew"


def out() -> int:
    """How many are at work, or on their way to a worker."""
    return Job.objects.filter(Q(status="processing") | Q(released_at__isnull=False)).count()


def test_low_work_that_a_limit_holds_back_is_not_passed_for_ever(transactional_db: None) -> None:
    KindLimit.objects.create(kind=KIND, at_once=1)
    make_job(owner_id=make_user().pk, priority=7)
    low, busy = make_job(owner_id=make_user().pk, priority=3), make_user()
    for _ in range(60):  # of ten minutes each
        make_job(owner_id=busy.pk, priority=7)
        Clock().turn(timedelta(minutes=10))
        line.age("maintenance", heads=1)
        (job,) = line.take("maintenance", room=1)
        finish(job)
        limits.admit(KIND)
        if job.pk == low.pk:
            return
    pytest.fail("after ten hours it still waits")


def test_of_each_kind_that_a_limit_holds_back_the_first_gain(transactional_db: None) -> None:
    KindLimit.objects.bulk_create([KindLimit(kind=kind, at_once=0) for kind in (KIND, "tests.kinds.collect")])
    for _ in range(3):
        make_job(priority=3)
    make_job("tests.kinds.collect", args=([1],), priority=3)
    Clock().turn(timedelta(hours=1))
    assert line.age("maintenance", heads=1) == 2
    assert set(Job.objects.filter(level__gt=3).values_list("kind", flat=True)) == {KIND, "tests.kinds.collect"}


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


def test_a_limit_that_an_operator_sets_holds_for_those_who_stand_in_line(
    transactional_db: None, operator: Client
) -> None:
    owner = make_user()
    jobs = [make_job(owner_id=owner.pk, priority=5) for _ in range(10)]
    urgent = make_job(owner_id=owner.pk, priority=7)
    said = {"kind": KIND, "at_once": "2", "per_user": ""}
    assert operator.post(reverse("admin:jobs_kindlimit_add"), said).status_code == 302
    assert (in_line(owner), held()) == (2, 9)
    assert [job.pk for job in line.take("maintenance", room=20)] == [urgent.pk, jobs[0].pk]


def test_a_limit_that_is_lowered_counts_what_is_out_already(transactional_db: None, operator: Client) -> None:
    KindLimit.objects.create(kind=KIND, at_once=6)
    for _ in range(10):
        make_job()
    line.take("maintenance", room=3)
    said = {"kind": KIND, "at_once": "2", "per_user": ""}
    assert operator.post(reverse("admin:jobs_kindlimit_change", args=[KIND]), said).status_code == 302
    assert line.take("maintenance", room=20) == []
    assert (out(), held()) == (3, 7)
    for job in Job.objects.filter(released_at__isnull=False):
        finish(job)
        limits.admit(KIND)
    line.take("maintenance", room=20)
    assert out() == 2


def test_the_sweep_keeps_a_limit_that_came_about_unseen(transactional_db: None) -> None:
    one, other = make_user(), make_user()
    for _ in range(5):
        make_job(owner_id=one.pk)
    make_job(owner_id=other.pk)
    KindLimit.objects.create(kind=KIND, per_user=2)
    limits.limited.forget()
    limits.admit_all()
    assert (in_line(one), in_line(other), held()) == (2, 1, 3)


def test_a_new_priority_of_a_job_that_is_out_already_lets_no_other_in(transactional_db: None) -> None:
    KindLimit.objects.create(kind=KIND, at_once=1)
    for _ in range(3):
        make_job()
    (first,) = line.take("maintenance", room=4)
    control.set_priority(Job.objects.get(pk=first.pk), 7)
    limits.admit(KIND)
    line.take("maintenance", room=4)
    assert (out(), held()) == (1, 2)


def test_what_a_kind_declares_is_installed_once_and_an_operators_edit_stays(transactional_db: None) -> None:
    limits.install()
    declared = KindLimit.objects.get(kind="tests.kinds.one_at_a_time")
    assert (declared.at_once, declared.per_user) == (1, None)
    KindLimit.objects.filter(pk=declared.pk).update(at_once=7)
    limits.install()
    assert KindLimit.objects.get(pk=declared.pk).at_once == 7
