"""Statistics: right to the promised five percent, and at the same cost however many jobs there are."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from jobs import control, histogram, journal, presence, reports, statistics, transitions
from jobs.models import Attempt, Job, Tally, Transition, Worker
from jobs.worker import heartbeat
from tests.builders import claim, make_claimed_job, make_job, make_user

pytestmark = pytest.mark.django_db

URL = "/api/jobs/statistics/"
ADD = "tests.kinds.add"
SECOND = timedelta(seconds=1)


@pytest.fixture
def get() -> Callable[..., Any]:
    def ask(user: User, **query: str | int) -> Any:
        client = APIClient()
        client.force_authenticate(user)
        return client.get(URL, query)

    return ask


def done(*, waited: float = 0, ran: float = 0, **fields: Any) -> Job:
    """A completed job whose attempt waited and ran for so many seconds."""
    job = make_claimed_job(**fields)
    transitions.complete(job, None)
    attempt = Attempt.objects.get(job=job)
    attempt.due_at = attempt.started_at - waited * SECOND
    attempt.ended_at = attempt.started_at + ran * SECOND
    attempt.save()
    return job


# -- the buckets --------------------------------------------------------------------------------------------


@given(st.floats(1, 10**10))
def test_a_duration_lies_in_its_bucket_and_is_told_within_five_percent(milliseconds: float) -> None:
    bucket = histogram.bucket_of(milliseconds)
    seconds = milliseconds / 1000
    assert seconds <= histogram.upper_seconds(bucket) * (1 + 1e-6)
    if bucket:
        assert seconds > histogram.upper_seconds(bucket - 1) * (1 - 1e-6)
    assert abs(histogram.middle_seconds(bucket) / seconds - 1) < 0.051


@given(st.lists(st.floats(0.002, 10**6), min_size=1), st.floats(0, 1))
def test_a_percentile_is_within_five_percent_of_the_true_one(seconds: list[float], share: float) -> None:
    buckets: dict[int, int] = {}
    for each in seconds:
        buckets[histogram.bucket_of(each * 1000)] = buckets.get(histogram.bucket_of(each * 1000), 0) + 1
    rank = max(1, math.ceil(share * len(seconds) - 1e-9))
    true = sorted(seconds)[rank - 1]
    [told] = histogram.percentiles(buckets, [share])
    assert told is not None
    assert abs(told / true - 1) < 0.051


def test_durations_that_no_clock_should_tell_find_a_bucket() -> None:
    assert histogram.bucket_of(-5) == histogram.bucket_of(0) == histogram.bucket_of(1) == 0
    assert histogram.bucket_of(1e300) == histogram.LAST
    assert histogram.percentiles({}, [0.5]) == [None]


def test_powers_of_ten_are_bounds_of_buckets() -> None:
    assert [histogram.bucket_of(10**n) for n in range(5)] == [0, 24, 48, 72, 96]


# -- what is counted ----------------------------------------------------------------------------------------


def test_a_report_tells_how_long_jobs_waited_and_ran() -> None:
    for ran in range(1, 101):
        done(waited=ran / 10, ran=ran)
    journal.book_all()
    overall = reports.report()["overall"]
    running = overall["running"]
    assert running["n"] == 100
    assert running["mean"] == pytest.approx(50.5, abs=0.01)
    assert running["p50"] == pytest.approx(50, rel=0.051)
    assert running["p95"] == pytest.approx(95, rel=0.051)
    assert running["p99"] == pytest.approx(99, rel=0.051)
    assert overall["waiting"]["p95"] == pytest.approx(9.5, rel=0.051)
    assert overall["waiting"]["mean"] == pytest.approx(5.05, abs=0.01)
    assert statistics.mean_seconds("maintenance") == pytest.approx(50.5, abs=0.01)
    assert statistics.mean_seconds(ADD) == pytest.approx(50.5, abs=0.01)
    assert statistics.mean_seconds("media") is None


def test_ends_of_jobs_and_of_attempts_are_told_apart() -> None:
    done()
    for how in (
        lambda job: transitions.fail(job, code="x", message="x"),
        lambda job: transitions.fail(job, code="crashed", message="x", crashed=True),
        lambda job: transitions.retry_later(job, wait=SECOND, code="x", message="x"),
        lambda job: transitions.retry_later(job, wait=SECOND, code="x", message="x", crashed=True),
        transitions.hand_back,
        lambda job: transitions.cancel(job.pk),
    ):
        job = make_claimed_job()
        job.lease_expires_at = None  # as the rescue finds it
        assert how(job)
    journal.book_all()
    overall = reports.report()["overall"]
    assert overall["submitted"] == 7
    assert overall["ended"] == {
        "completed": 1,
        "failed": 2,
        "cancelled": 1,
        "retried": 2,
        "crashed": 2,
        "handed_back": 1,
    }
    assert overall["success_rate"] == pytest.approx(1 / 3, abs=0.001)


def test_a_report_goes_by_kind_queue_and_hour() -> None:
    now = timezone.now()
    make_job(kind="a", queue="ai")
    make_job(kind="b", queue="media")
    claim(make_job(kind="b", queue="media"))
    old = make_job(kind="c", queue="ai")
    Transition.objects.filter(job=old).update(at=now - timedelta(hours=2))
    journal.book_all()
    report = reports.report(now=now)
    kinds = {kind["kind"]: kind for kind in report["kinds"]}
    assert kinds["b"]["status"]["pending"] == kinds["b"]["status"]["processing"] == 1
    queues = {queue["name"]: queue for queue in report["queues"]}
    assert (queues["ai"]["waiting"], queues["media"]["waiting"], queues["media"]["processing"]) == (2, 1, 1)
    assert queues["export"]["waiting"] == 0
    assert len(report["hourly"]) == 24
    assert [hour["submitted"] for hour in report["hourly"]][-3:] == [1, 0, 3]
    assert report["hourly"][-1]["hour"] == now.replace(minute=0, second=0, microsecond=0)
    assert reports.report(now=now, hours=1)["overall"]["submitted"] == 3


def test_a_report_tells_of_workers_and_what_they_run() -> None:
    heartbeat("w", queues=["maintenance"], concurrency=3)
    heartbeat("gone", queues=["maintenance", "ai"], concurrency=5)
    Worker.objects.filter(name="gone").update(seen_at=timezone.now() - timedelta(minutes=5))
    job = make_claimed_job()
    make_job()
    control.pause("ai", by="root")
    journal.book_all()
    report = reports.report()
    gone, here = report["workers"]
    assert (here["name"], here["alive"], here["concurrency"]) == ("w", True, 3)
    assert [run["job_id"] for run in here["running"]] == [job.pk]
    assert here["running"][0]["attempt"] == 1
    assert (gone["alive"], gone["running"]) == (False, [])
    assert gone["seen_seconds_ago"] == pytest.approx(300, abs=30)
    queues = {queue["name"]: queue for queue in report["queues"]}
    assert (queues["maintenance"]["places"], queues["ai"]["places"]) == (3, 0)
    assert (queues["maintenance"]["paused"], queues["ai"]["paused"]) == (False, True)


def test_the_job_that_has_waited_longest_is_found_on_whatever_level_it_stands() -> None:
    now = timezone.now()
    for minutes, priority in ((5, 7), (20, 3), (1, 5)):
        job = make_job(priority=priority)
        Job.objects.filter(pk=job.pk).update(run_at=now - timedelta(minutes=minutes))
    assert presence.waiting_seconds(["maintenance", "ai"]) == {"maintenance": pytest.approx(1200, abs=30)}
    Job.objects.filter(priority=3).update(released_at=now)
    assert presence.waiting_seconds(["maintenance"]) == {"maintenance": pytest.approx(1200, abs=30)}
    assert presence.waiting_seconds([]) == {}


def test_the_expected_wait_follows_the_line_and_the_workers() -> None:
    for _ in range(3):
        done(ran=10)
    heartbeat("w", queues=["maintenance"], concurrency=2)
    for _ in range(7):
        make_job()
    journal.book_all()
    [queue] = [queue for queue in reports.report()["queues"] if queue["name"] == "maintenance"]
    # Seven are before it, two at a time, ten seconds each: it begins when six of them have gone.
    assert queue["expected_wait_seconds"] == pytest.approx(30, abs=0.5)
    control.pause("maintenance", by="root")
    [queue] = [queue for queue in reports.report()["queues"] if queue["name"] == "maintenance"]
    assert queue["expected_wait_seconds"] is None


def test_open_dead_letters_are_told_by_error_code() -> None:
    for code in ("b", "a", "b"):
        transitions.fail(make_claimed_job(), code=code, message="x", dead=True)
    letters = reports.report()["dead_letters"]
    assert letters == {"open": 3, "more": False, "by_code": [{"code": "b", "open": 2}, {"code": "a", "open": 1}]}


# -- what is kept -------------------------------------------------------------------------------------------


def test_old_hours_are_pruned_and_sums_over_all_time_stay() -> None:
    job = done(ran=5)
    now = timezone.now()
    Transition.objects.filter(job=job).update(at=now - settings.JOINTO_JOBS.keep_statistics - timedelta(hours=2))
    done(ran=5)
    journal.book_all()
    ever = list(Tally.objects.filter(hour=statistics.EVER).order_by("pk").values())
    assert statistics.prune(now) > 0
    assert statistics.prune(now) == 0
    assert list(Tally.objects.filter(hour=statistics.EVER).order_by("pk").values()) == ever
    assert Tally.objects.filter(measure="ran", hour__gt=statistics.EVER).count() == 1


def test_what_retention_removes_is_taken_out_of_the_counts() -> None:
    jobs = [done() for _ in range(3)]
    journal.book_all()
    Job.objects.filter(pk__in=[job.pk for job in jobs[:2]]).delete()
    statistics.removed({(ADD, "maintenance", "completed"): 2})
    assert reports.report()["status"]["completed"] == 1


def test_a_count_that_is_below_none_for_a_moment_is_told_as_none() -> None:
    statistics.removed({(ADD, "maintenance", "completed"): 1})
    assert reports.report()["status"]["completed"] == 0


# -- what it costs ------------------------------------------------------------------------------------------


def test_a_report_reads_the_same_however_many_jobs_there_are() -> None:
    def statements() -> list[str]:
        reports.forget()
        with CaptureQueriesContext(connection) as queries:
            reports.report()
        return [query["sql"] for query in queries]

    heartbeat("w", queues=["maintenance"], concurrency=3)
    before = statements()
    for _ in range(30):
        make_claimed_job()
        make_job()
    journal.book_all()
    after = statements()
    assert len(before) == len(after) <= 12
    assert [sql for sql in after if "COUNT(" in sql.upper()] == []


def plan(sql: str) -> str:
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table of a few rows is not worth an index
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row) for row in cursor.fetchall())


def test_every_statement_about_jobs_is_answered_by_an_index() -> None:
    heartbeat("w", queues=["maintenance"], concurrency=3)
    make_claimed_job()
    make_job()
    with CaptureQueriesContext(connection) as queries:
        reports.report()
        reports.report_for(make_user().pk)
    about_jobs = [query["sql"] for query in queries if '"jobs_job"' in query["sql"] or "jobs_job " in query["sql"]]
    assert len(about_jobs) == 5
    for sql in about_jobs:
        told = plan(sql)
        assert "Seq Scan on jobs_job" not in told, (sql, told)
        assert "SCAN jobs_job'" not in told, (sql, told)
        assert "job_" in told, (sql, told)


# -- the API ------------------------------------------------------------------------------------------------


def test_the_staff_is_told_everything_as_of_now(get: Callable[..., Any]) -> None:
    make_job()
    answer = get(make_user(is_staff=True), hours=2)
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"]["pending"] == 1
    assert (told["hours"], len(told["hourly"])) == (2, 2)


def test_a_user_is_told_what_is_theirs_and_how_long_the_queues_are(get: Callable[..., Any]) -> None:
    ann, ben = make_user(), make_user()
    for _ in range(2):
        make_job(owner_id=ann.pk)
    make_job(owner_id=ben.pk)
    transitions.complete(make_claimed_job(owner_id=ben.pk), None)
    told = get(ben).json()
    assert told["status"] == {
        "pending": 1,
        "processing": 0,
        "retrying": 0,
        "completed": 1,
        "failed": 0,
        "cancelled": 0,
    }
    assert told["complete"] is True
    queues = {queue.pop("name"): queue for queue in told["queues"]}
    assert queues["maintenance"]["waiting"] == 3
    assert set(queues["maintenance"]) == {"waiting", "paused", "expected_wait_seconds"}
    assert "workers" not in told and "kinds" not in told


def test_of_a_user_with_very_many_jobs_the_newest_are_counted(
    get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = make_user()
    for _ in range(4):
        make_job(owner_id=ann.pk)
    monkeypatch.setattr(reports, "OWN_JOBS_AT_MOST", 3)
    told = get(ann).json()
    assert (told["status"]["pending"], told["complete"]) == (3, False)


@pytest.mark.parametrize("hours", ["0", "745", "x", "-1"])
def test_hours_that_make_no_sense_are_refused(get: Callable[..., Any], hours: str) -> None:
    answer = get(make_user(is_staff=True), hours=hours)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_nobody_is_told_anything_who_is_not_signed_in() -> None:
    assert APIClient().get(URL).status_code == 401


def test_an_hour_is_counted_in_utc_wherever_the_clock_hangs() -> None:
    job = make_job()
    Transition.objects.filter(job=job).update(at=datetime(2026, 3, 1, 12, 59, 59, tzinfo=UTC))
    journal.book_all()
    assert Tally.objects.get(measure="submitted", hour__gt=statistics.EVER).hour == datetime(2026, 3, 1, 12, tzinfo=UTC)
