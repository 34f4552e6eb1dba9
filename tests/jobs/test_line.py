"""The line: who is released next, and that it costs the same however many wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from jobs import control, dispatch, line, transitions
from jobs.models import Job
from jobs.now import Now
from jobs.priority import CRITICAL, HIGH, LOW, NORMAL
from tests import kinds
from tests.builders import claim, make_job, make_user

pytestmark = pytest.mark.django_db

STEP = timedelta(seconds=600)


def order(queue: str = "maintenance") -> list[Job]:
    """The waiting jobs as they are released."""
    return [Job.objects.get(pk=job.pk) for job in line.take(queue, room=1000)]


def place_of(job: Job) -> int | None:
    return line.positions([Job.objects.get(pk=job.pk)])[job.pk]


def flood_of(count: int, owner: User) -> None:
    dispatch.submit_many([kinds.add.request_for((1,), {}, owner_id=owner.pk, priority=NORMAL) for _ in range(count)])


def plan_of(sql: str, params: list[Any] | None = None) -> str:
    """How the database would do it if it had many rows."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{explain} {sql}", params)
        return "\n".join(map(str, cursor.fetchall()))


def wait_for_so_long(by: timedelta, **which: Any) -> None:
    Job.objects.filter(**which).update(run_at=F("run_at") - by, created_at=F("created_at") - by)


def test_the_higher_priority_goes_first_and_equals_go_by_age() -> None:
    for priority in (LOW, NORMAL, HIGH, CRITICAL, LOW, NORMAL, HIGH, CRITICAL):
        make_job(priority=priority)
    jobs = order()
    assert [job.priority for job in jobs] == [10, 10, 7, 7, 5, 5, 3, 3]
    assert all(a.created_at < b.created_at for a, b in zip(jobs[::2], jobs[1::2], strict=True))


def test_one_owners_thousand_jobs_leave_the_next_turn_to_another_owner() -> None:
    flood, other = make_user(), make_user()
    requests = [kinds.add.request_for((1,), {}, owner_id=flood.pk, priority=NORMAL) for _ in range(1000)]
    dispatch.submit_many(requests)
    assert len(line.take("maintenance", room=5)) == 5
    late = make_job(owner_id=other.pk, priority=NORMAL)
    assert [job.pk for job in line.take("maintenance", room=6)] == [late.pk]


def test_two_floods_take_turns_and_a_third_owner_comes_in_between() -> None:
    one, two, three = make_user(), make_user(), make_user()
    for owner in (one, two):
        dispatch.submit_many([kinds.add.request_for((1,), {}, owner_id=owner.pk, priority=NORMAL) for _ in range(10)])
    for _ in range(3):
        make_job(owner_id=three.pk, priority=NORMAL)
    owners = [job.owner_id for job in order()]
    for turn in range(3):
        assert set(owners[3 * turn : 3 * turn + 3]) == {one.pk, two.pk, three.pk}
    assert owners.count(one.pk) == owners.count(two.pk) == 10


def test_an_owner_who_sends_one_at_a_time_does_not_starve_a_flood() -> None:
    flood = make_user()
    dispatch.submit_many([kinds.add.request_for((1,), {}, owner_id=flood.pk, priority=NORMAL) for _ in range(50)])
    others = [make_user() for _ in range(4)]
    served = []
    for turn in range(40):
        owner = others[turn % 4]
        make_job(owner_id=owner.pk, priority=NORMAL)
        (job,) = line.take("maintenance", room=1)
        served.append(job.pk)
        Job.objects.filter(pk=job.pk).update(released_at=Now())
        claimed = transitions.claim(job.pk, worker="w", pid=1, lease=timedelta(minutes=1))
        assert claimed
        transitions.complete(claimed, None)
    assert Job.objects.filter(pk__in=served, owner=flood).count() >= 5


def test_a_higher_priority_of_the_flood_does_not_pull_its_other_jobs_forward() -> None:
    flood, other = make_user(), make_user()
    dispatch.submit_many([kinds.add.request_for((1,), {}, owner_id=flood.pk, priority=LOW) for _ in range(20)])
    urgent = make_job(owner_id=flood.pk, priority=HIGH)
    single = make_job(owner_id=other.pk, priority=LOW)
    first, *following = order()
    assert first.pk == urgent.pk
    assert single.pk in {job.pk for job in following[:2]}, "in the flood's first round"


def test_low_work_gains_rank_as_it_waits_but_never_passes_what_is_critical() -> None:
    low = make_job(priority=LOW)
    high, critical = make_job(priority=HIGH), make_job(priority=CRITICAL)
    assert [job.pk for job in Job.objects.order_by(*line.ORDER)] == [critical.pk, high.pk, low.pk]
    wait_for_so_long(5 * STEP, pk=low.pk)
    assert line.age("maintenance", heads=1) == 1
    assert Job.objects.get(pk=low.pk).level == 8
    wait_for_so_long(100 * STEP, pk=low.pk)
    line.age("maintenance", heads=1)
    assert [job.pk for job in order()] == [critical.pk, low.pk, high.pk]


def test_only_the_heads_of_an_old_flood_gain_so_that_it_does_not_bury_what_is_new() -> None:
    for _ in range(20):
        make_job(priority=LOW)
    wait_for_so_long(20 * STEP)
    assert line.age("maintenance", heads=2) == 2
    fresh = make_job(priority=HIGH)
    assert [job.pk for job in order()].index(fresh.pk) == 2


def test_who_lost_the_worker_in_a_crash_is_first_among_equals() -> None:
    job = claim(make_job())
    others = [make_job() for _ in range(3)]
    transitions.retry_later(job, wait=timedelta(seconds=1), code="x", message="x", crashed=True)
    assert line.promote() == set()
    Job.objects.filter(pk=job.pk).update(run_at=Now())
    assert line.promote() == {("maintenance", "tests.kinds.add")}
    assert [found.pk for found in order()] == [job.pk, *(other.pk for other in others)]


def test_who_is_handed_back_by_a_worker_that_stops_is_first_among_equals() -> None:
    job = claim(make_job())
    others = [make_job() for _ in range(3)]
    transitions.hand_back(job)
    assert [found.pk for found in order()] == [job.pk, *(other.pk for other in others)]


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(minutes=1)])
def test_one_owners_retries_do_not_pass_another_owner(wait: timedelta) -> None:
    flood, third, other = make_user(), make_user(), make_user()
    flood_of(30, flood)
    for job in Job.objects.filter(owner=flood):
        claim(job)
    flood_of(5, third)
    mine = make_job(owner_id=other.pk, priority=NORMAL)
    before = place_of(mine)
    for job in Job.objects.filter(owner=flood):
        transitions.retry_later(job, wait=wait, code="away", message="")
    Job.objects.filter(owner=flood).update(run_at=Now())
    line.promote()
    assert Job.objects.filter(owner=flood, status="retrying", hold="").count() == 30
    assert (before, place_of(mine)) in [(2, 2), (2, 3)]


def test_nobody_pays_for_a_flood_that_was_cancelled_before_it_began() -> None:
    one, other = make_user(), make_user()
    flood_of(20, one)
    Job.objects.filter(owner=one).update(turn=F("turn") + 3_600_000)  # as a flood of millions
    for job in Job.objects.filter(owner=one):
        transitions.cancel(job.pk)
    flood_of(50, other)
    assert place_of(make_job(owner_id=one.pk, priority=NORMAL)) == 2


def test_what_has_begun_counts_for_its_owners_turn_also_when_it_was_cancelled() -> None:
    one, other = make_user(), make_user()
    flood_of(20, one)
    for job in Job.objects.filter(owner=one):
        transitions.cancel(claim(job).pk)
    Job.objects.filter(owner=one).update(turn=F("turn") + 3_600_000)  # as a flood of millions
    flood_of(10, other)
    assert place_of(make_job(owner_id=one.pk, priority=NORMAL)) == 11


def test_what_waits_for_its_time_is_not_in_line_until_it_has_come() -> None:
    later = make_job(wait=timedelta(hours=1))
    assert (later.hold, later.turn, place_of(later)) == ("later", None, None)
    assert line.take("maintenance", room=5) == []
    Job.objects.filter(pk=later.pk).update(run_at=Now())
    line.promote()
    assert [job.pk for job in line.take("maintenance", room=5)] == [later.pk]


def test_a_paused_queue_releases_nothing_until_it_is_resumed() -> None:
    job = make_job()
    control.pause("maintenance", by="test")
    assert line.take("maintenance", room=5) == []
    control.resume("maintenance", by="test")
    assert [found.pk for found in line.take("maintenance", room=5)] == [job.pk]


def test_there_is_no_pausing_a_queue_that_is_none() -> None:
    with pytest.raises(dispatch.UnknownQueue):
        control.pause("nothing", by="test")


def test_the_position_is_the_place_in_the_order_of_release() -> None:
    owners = [make_user() for _ in range(3)]
    made = [
        make_job(owner_id=owners[n % 3].pk if n % 4 else owners[0].pk, priority=(LOW, NORMAL)[n % 2]) for n in range(12)
    ]
    positions = {job.pk: place_of(job) for job in made}
    assert [positions[job.pk] for job in order()] == list(range(1, 13))
    assert {place_of(job) for job in made} == {0}, "released"
    assert place_of(claim(make_job())) is None


def test_a_changed_priority_is_a_new_place() -> None:
    first, second = make_job(), make_job()
    control.set_priority(Job.objects.get(pk=second.pk), HIGH)
    assert [job.pk for job in order()] == [second.pk, first.pk]


def test_a_raised_priority_takes_nothing_that_was_gained_by_age() -> None:
    low, high = make_job(priority=LOW), make_job(priority=HIGH)
    wait_for_so_long(6 * STEP, pk=low.pk)
    line.age("maintenance", heads=1)
    standing = Job.objects.values_list("level", "turn").get(pk=low.pk)
    control.set_priority(low, NORMAL)
    assert (Job.objects.get(pk=low.pk).priority, place_of(low), place_of(high)) == (NORMAL, 1, 2)
    assert Job.objects.values_list("level", "turn").get(pk=low.pk) == standing
    control.set_priority(low, LOW)
    assert (Job.objects.get(pk=low.pk).level, place_of(low)) == (LOW, 2)


def test_the_priority_of_a_job_that_is_given_to_a_worker_is_there_for_when_it_comes_back() -> None:
    job = make_job(priority=LOW)
    line.take("maintenance", room=1)
    given = Job.objects.values_list("hold", "turn", "released_at").get(pk=job.pk)
    control.set_priority(job, HIGH)
    row = Job.objects.get(pk=job.pk)
    assert (row.hold, row.turn, row.released_at) == given
    assert (row.priority, row.level) == (HIGH, HIGH)


def test_the_best_row_is_found_by_an_index() -> None:
    make_job()
    plan = plan_of(
        f"SELECT id FROM jobs_job WHERE queue = 'media' AND hold = '' AND {line.WAITS}"
        " ORDER BY level DESC, turn, created_at LIMIT 3"
    )
    assert "job_backlog" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("owner_id", [None, 1])
def test_the_last_turn_of_an_owner_is_found_by_an_index(owner_id: int | None) -> None:
    make_job()
    turn = line.turn(queue="media", kind="a.kind", priority=NORMAL, owner_id=owner_id)
    plan = plan_of(f"SELECT {turn.sql}", turn.params)
    assert "job_turn" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


class Fair(TestCase):
    """Whatever is submitted by whom: nobody's first job waits for another's second of the same priority."""

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.integers(0, 3), min_size=1, max_size=25))
    def test_rounds(self, owners: list[int]) -> None:
        Job.objects.all().delete()
        users = [make_user() for _ in range(4)]
        for owner in owners:
            make_job(owner_id=users[owner].pk, priority=NORMAL)
        seen: dict[int, int] = {}
        for job in order():
            assert job.owner_id is not None
            seen[job.owner_id] = seen.get(job.owner_id, 0) + 1
            left = {users[owner].pk for owner in owners}
            behind = [
                pk for pk in left if seen.get(pk, 0) < min(seen[job.owner_id] - 1, owners.count(_index(users, pk)))
            ]
            assert not behind


def _index(users: list[Any], pk: int) -> int:
    return next(place for place, user in enumerate(users) if user.pk == pk)
