"""Quotas: never exceeded, never leaked, and told in a way that says when to come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from jobs import quotas
from jobs.models import Account, Job, Period, QuotaLimit, QuotaUse
from jobs.quotas import Allowance, Quota, QuotaExceeded
from tests.builders import make_user
from tests.kinds import add

KIND = "tests.kinds.add"
NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUOTA = Quota(free=Allowance(hourly=3, monthly=5), pro=Allowance(hourly=10))


@pytest.fixture
def ann() -> User:
    return make_user("ann")


def reserve(user: User, now: datetime = NOW, *, quota: Quota | None = QUOTA, tier: str = "free", count: int = 1) -> Any:
    with transaction.atomic():
        return quotas.reserve(owner_id=user.pk, kind=KIND, quota=quota, tier=tier, now=now, count=count)


def give_back(user: User, reserved_at: datetime | None) -> None:
    with transaction.atomic():
        quotas.give_back(Job(kind=KIND, owner_id=user.pk, reserved_at=reserved_at))


def used() -> dict[str, int]:
    """What is counted, by period; the sum over its windows."""
    counted = dict.fromkeys([period.value for period in Period], 0)
    for row in QuotaUse.objects.all():
        counted[row.period] += row.used
    return counted


def at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """What the call gives in so many threads that begin together; an error is what it gave."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            barrier.wait()
            return call(number)
        except QuotaExceeded as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


# -- declaring -------------------------------------------------------------------------------------------


def test_a_tier_that_is_not_named_has_no_limit_and_one_that_nobody_knows_is_treated_as_pro() -> None:
    assert QUOTA.limits("free") == {"hour": 3, "month": 5}
    assert QUOTA.limits("pro") == QUOTA.limits("platinum") == {"hour": 10, "month": None}
    assert QUOTA.limits("enterprise") == {"hour": None, "month": None}


def test_an_allowance_below_nothing_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="no sense"):
        Allowance(hourly=-1)
    with pytest.raises(ValueError, match="no sense"):
        Allowance(monthly=-1)


# -- reserving -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_limit_can_be_used_to_the_last_job_and_no_further(ann: User) -> None:
    assert [reserve(ann) for _ in range(3)] == [NOW] * 3
    with pytest.raises(QuotaExceeded):
        reserve(ann)
    assert used() == {"hour": 3, "month": 3}


@pytest.mark.django_db
def test_a_new_hour_begins_at_nothing_and_the_month_goes_on(ann: User) -> None:
    reserve(ann, count=3)
    reserve(ann, NOW + HOUR, count=2)
    with pytest.raises(QuotaExceeded) as refused:
        reserve(ann, NOW + 2 * HOUR)
    assert refused.value.details["period"] == "month"
    reserve(ann, datetime(2026, 4, 1, tzinfo=UTC), count=3)


@pytest.mark.django_db
def test_a_refusal_counts_nothing_even_if_its_transaction_goes_on(ann: User) -> None:
    reserve(ann, count=2)
    with transaction.atomic():
        for count in (2, 4):
            with pytest.raises(QuotaExceeded):
                quotas.reserve(owner_id=ann.pk, kind=KIND, quota=QUOTA, tier="free", now=NOW, count=count)
    assert used() == {"hour": 2, "month": 2}


@pytest.mark.django_db
def test_many_are_reserved_all_or_none(ann: User) -> None:
    with pytest.raises(QuotaExceeded) as refused:
        reserve(ann, count=4)
    assert used() == {"hour": 0, "month": 0}
    assert (refused.value.details["limit"], refused.value.details["used"]) == (3, 0)
    assert reserve(ann, count=3) == NOW


@pytest.mark.django_db
def test_owners_and_kinds_do_not_share_their_quotas(ann: User) -> None:
    reserve(ann, count=3)
    reserve(make_user("ben"), count=3)
    with transaction.atomic():
        quotas.reserve(owner_id=ann.pk, kind="other.kind", quota=QUOTA, tier="free", now=NOW, count=3)


@pytest.mark.django_db
def test_without_a_quota_nothing_is_reserved_and_a_tier_without_limit_is_counted(ann: User) -> None:
    assert reserve(ann, quota=None) is None
    assert not QuotaUse.objects.exists()
    assert reserve(ann, tier="enterprise", count=1000) == NOW
    assert used() == {"hour": 1000, "month": 1000}
    with pytest.raises(QuotaExceeded):
        reserve(ann, tier="free")


@pytest.mark.django_db
def test_a_limited_job_costs_two_statements_and_one_without_quota_costs_one(ann: User) -> None:
    def cost(quota: Quota | None) -> int:
        with CaptureQueriesContext(connection) as told, transaction.atomic():
            quotas.reserve(owner_id=ann.pk, kind=KIND, quota=quota, tier="free", now=NOW)
        return len([query for query in told if "SAVEPOINT" not in query["sql"]])

    assert (cost(QUOTA), cost(QUOTA), cost(None)) == (2, 2, 1)


# -- what the operator sets ------------------------------------------------------------------------------


def set_limit(tier: str, period: str, limit: int | None, kind: str = KIND) -> None:
    QuotaLimit.objects.create(tier=tier, kind=kind, period=period, limit=limit)


@pytest.mark.django_db
def test_what_the_operator_set_goes_before_what_the_kind_says(ann: User) -> None:
    set_limit("free", "hour", 1)
    set_limit("pro", "hour", None)
    set_limit("free", "month", 0, kind="other.kind")
    reserve(ann)
    with pytest.raises(QuotaExceeded):
        reserve(ann)
    assert reserve(ann, tier="pro", count=100) == NOW
    with pytest.raises(QuotaExceeded) as refused:
        reserve(ann, tier="free")
    assert refused.value.details["period"] == "month"


@pytest.mark.django_db
def test_the_operator_can_limit_a_kind_that_has_no_quota(ann: User) -> None:
    set_limit("free", "month", 1)
    assert reserve(ann, quota=None) == NOW
    with pytest.raises(QuotaExceeded):
        reserve(ann, quota=None)


@pytest.mark.django_db
def test_a_tier_that_nobody_knows_has_pros_limits_unless_it_was_given_its_own(ann: User) -> None:
    set_limit("pro", "hour", 2)
    with pytest.raises(QuotaExceeded):
        reserve(ann, tier="platinum", count=3)
    set_limit("platinum", "hour", 3)
    assert reserve(ann, tier="platinum", count=3) == NOW


@pytest.mark.django_db
def test_a_limit_lowered_below_what_was_used_leaves_nothing_and_takes_nothing_back(ann: User) -> None:
    reserve(ann, count=3)
    set_limit("free", "hour", 1)
    with pytest.raises(QuotaExceeded) as refused:
        reserve(ann)
    assert (refused.value.details["limit"], refused.value.details["used"]) == (1, 3)


@pytest.mark.django_db
def test_the_zone_is_the_sites_whatever_zone_a_request_is_in(ann: User) -> None:
    new_year = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)
    with override_settings(TIME_ZONE="Asia/Shanghai"), timezone.override("America/New_York"):
        reserve(ann, new_year)
    assert QuotaUse.objects.get(period="month").starts_at == datetime(2025, 12, 31, 16, tzinfo=UTC)


# -- giving back -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_given_back_can_be_used_again(ann: User) -> None:
    reserved = [reserve(ann) for _ in range(3)]
    give_back(ann, reserved[0])
    assert used() == {"hour": 2, "month": 2}
    assert reserve(ann, NOW + timedelta(minutes=5))
    with pytest.raises(QuotaExceeded):
        reserve(ann, NOW + timedelta(minutes=5))


@pytest.mark.django_db
def test_a_job_that_ends_in_another_hour_is_given_back_where_it_was_counted(ann: User) -> None:
    reserved = reserve(ann, count=2)
    reserve(ann, NOW + HOUR)
    give_back(ann, reserved)
    assert {row.starts_at.hour: row.used for row in QuotaUse.objects.filter(period="hour")} == {15: 1, 16: 1}
    assert QuotaUse.objects.get(period="month").used == 2


@pytest.mark.django_db
def test_giving_back_to_a_window_that_is_gone_or_empty_is_quiet(ann: User) -> None:
    give_back(ann, NOW)
    assert not QuotaUse.objects.exists()
    reserved = reserve(ann)
    give_back(ann, reserved)
    give_back(ann, reserved)
    assert used() == {"hour": 0, "month": 0}


@pytest.mark.django_db
def test_a_job_that_reserved_nothing_or_has_no_owner_any_more_gives_nothing_back(ann: User) -> None:
    reserve(ann)
    give_back(ann, None)
    quotas.give_back(Job(kind=KIND, owner_id=None, reserved_at=NOW))
    assert used() == {"hour": 1, "month": 1}


@pytest.mark.django_db
def test_windows_that_are_over_are_forgotten_and_those_that_count_are_kept(ann: User) -> None:
    for at in (NOW - timedelta(days=15), NOW - 3 * HOUR, NOW):
        reserve(ann, at)
    assert (quotas.forget_hours(NOW), quotas.forget_months(NOW)) == (2, 1)
    assert (quotas.forget_hours(NOW), quotas.forget_months(NOW)) == (0, 0)
    assert used() == {"hour": 1, "month": 2}


@pytest.mark.django_db
def test_any_number_of_windows_is_forgotten(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "_DELETE_AT_ONCE", 3)
    for hours in range(2, 9):
        reserve(ann, NOW - hours * HOUR, tier="enterprise")
    assert quotas.forget_hours(NOW) == 7


# -- together --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_however_many_submit_at_once_the_limit_is_reached_and_never_exceeded(ann: User) -> None:
    quota = Quota(free=Allowance(hourly=20, monthly=30))

    def submit(number: int) -> int:
        taken = 0
        for _ in range(6):
            try:
                reserve(ann, NOW + (number % 2) * HOUR, quota=quota)
                taken += 1
            except QuotaExceeded:
                pass
        return taken

    assert sum(at_once(8, submit)) == 30
    assert used() == {"hour": 30, "month": 30}
    assert max(QuotaUse.objects.filter(period="hour").values_list("used", flat=True)) <= 20


@pytest.mark.django_db(transaction=True)
def test_the_first_submissions_of_a_window_at_once_make_one_row(ann: User) -> None:
    quota = Quota(free=Allowance(hourly=1))
    for hour in range(10):
        results = at_once(4, lambda _, at=NOW + hour * HOUR: reserve(ann, at, quota=quota))  # type: ignore[misc]
        assert [type(result) for result in results].count(QuotaExceeded) == 3
    assert used() == {"hour": 10, "month": 10}


@pytest.mark.django_db(transaction=True)
def test_submitting_and_giving_back_several_at_once_neither_leaks_nor_locks_each_other_out(ann: User) -> None:
    quota = Quota(free=Allowance(hourly=1000, monthly=1000))

    def submit_and_fail(number: int) -> None:
        for turn in range(10):
            hours = [(number + turn) % 3, (number + turn + 1) % 3]
            reserved = [reserve(ann, NOW + hour * HOUR, quota=quota) for hour in hours]
            with transaction.atomic():  # two jobs of different hours end together, in any order
                for at in reserved:
                    quotas.give_back(Job(kind=KIND, owner_id=ann.pk, reserved_at=at))
            quotas.forget_hours(NOW)

    assert at_once(6, submit_and_fail) == [None] * 6
    assert used() == {"hour": 0, "month": 0}


@pytest.mark.django_db(transaction=True)
def test_a_submission_that_is_rolled_back_leaks_nothing_while_others_wait_for_it(ann: User) -> None:
    quota = Quota(free=Allowance(hourly=2))

    class Crash(Exception):
        pass

    def submit(number: int) -> bool:
        try:
            with transaction.atomic():
                quotas.reserve(owner_id=ann.pk, kind=KIND, quota=quota, tier="free", now=NOW)
                if number % 2:
                    raise Crash
        except Crash:
            return False
        return True

    for _ in range(5):
        QuotaUse.objects.all().delete()
        kept = [result for result in at_once(4, submit) if result is True]
        assert used() == {"hour": len(kept), "month": len(kept)}
        for _ in range(2 - len(kept)):
            reserve(ann, quota=quota)


# -- telling ---------------------------------------------------------------------------------------------


class Submit(APIView):
    """A view as those that submit are."""

    def post(self, request: Request) -> Response:
        reserve(request.user, datetime(2026, 3, 14, 15, 59, 30, 1, tzinfo=UTC))  # type: ignore[arg-type]
        return Response(status=202)


@pytest.mark.django_db
def test_a_refusal_says_which_quota_how_much_and_until_when(ann: User) -> None:
    def post() -> Any:
        request = APIRequestFactory().post("/")
        force_authenticate(request, ann)
        return Submit.as_view()(request).render()

    assert [post().status_code for _ in range(3)] == [202] * 3
    answer = post()
    assert answer.status_code == 429
    assert answer["Retry-After"] == "30"
    error = answer.data["error"]
    assert error["code"] == "quota_exceeded"
    assert error["details"] == {
        "quota": KIND,
        "period": "hour",
        "limit": 3,
        "used": 3,
        "resets_at": "2026-03-14T16:00:00+00:00",
    }
    assert error["message"] == (
        "Your tier may have 3 jobs of the kind tests.kinds.add an hour; you have had 3."
        " Try again at 2026-03-14T16:00:00+00:00."
    )


@pytest.mark.django_db
def test_usage_tells_each_quota_of_the_users_tier(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add, "quota", QUOTA)
    set_limit("free", "month", 7, kind="other.kind")
    reserve(ann, count=2)
    reserve(make_user("ben"))
    reserve(ann, NOW - HOUR)
    hour, month = datetime(2026, 3, 14, 16, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    with CaptureQueriesContext(connection) as told:
        usage = quotas.usage(ann.pk, NOW)
    assert len(told) == 3
    mine = {(one["kind"], one["period"]): one for one in usage if one["kind"] in (KIND, "other.kind")}
    assert [tuple(one.values())[2:] for one in mine.values()] == [
        (None, 0, None, hour),
        (7, 0, 7, month),
        (3, 2, 1, hour),
        (5, 3, 2, month),
    ]
    Account.objects.create(user=ann, tier="enterprise")
    mine = {(one["kind"], one["period"]): one for one in quotas.usage(ann.pk, NOW)}
    assert (mine[KIND, "hour"]["limit"], mine[KIND, "hour"]["remaining"]) == (None, None)
    assert ("other.kind", "hour") not in mine
