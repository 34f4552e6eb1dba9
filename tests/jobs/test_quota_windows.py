"""The hours and months that quotas count in, by the clocks of the site."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from jobs import quotas
from jobs.models import Period

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = (
    *("UTC", "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "America/Havana"),
    *("America/St_Johns", "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "America/Santiago", "Pacific/Apia"),
    *("Pacific/Chatham", "Australia/Lord_Howe", "Pacific/Kiritimati", "Antarctica/Troll"),
)
FIRST, LAST = datetime(2012, 1, 1, tzinfo=UTC), datetime(2037, 12, 1, tzinfo=UTC)


@functools.cache
def turning_points(zone: ZoneInfo) -> list[datetime]:
    """Where the zone's clocks are put forward or back, to the second, and where its months begin by UTC."""
    points, at = [], FIRST
    while at < LAST:
        later = at + timedelta(days=1)
        if at.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            before, after = at, later
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) // 2
                same = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                before, after = (middle, after) if same else (before, middle)
            points.append(after.replace(microsecond=0))
        if later.day == 1:
            points.append(later)
        at = later
    return points


@st.composite
def moments(draw: st.DrawFn) -> tuple[datetime, ZoneInfo]:
    """An instant and a zone: anywhere, or where things happen."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    anywhere = st.floats(0, 1).map(lambda part: FIRST + (LAST - FIRST) * part)
    near = st.sampled_from(turning_points(zone))
    aside = st.integers(-15 * 3600, 15 * 3600) | st.integers(-2, 2) | st.integers(-48, 48).map(lambda n: n * 1800)
    turning = st.tuples(near, aside).map(lambda both: both[0] + timedelta(seconds=both[1]))
    return draw(anywhere | turning), zone


@given(moments())
def test_every_instant_lies_in_its_hour_and_in_its_month(moment: tuple[datetime, ZoneInfo]) -> None:
    now, zone = moment
    start, end = quotas.window("hour", now, zone=zone)
    assert start <= now < end == start + HOUR
    start, end = quotas.window("month", now, zone=zone)
    assert start <= now < end
    assert timedelta(days=27, hours=22) <= end - start <= timedelta(days=31, hours=2)


@given(moments(), st.floats(0, 0.999), st.sampled_from(Period.values))
def test_a_window_is_the_same_from_each_of_its_instants_and_the_next_begins_at_its_end(
    moment: tuple[datetime, ZoneInfo], part: float, period: str
) -> None:
    now, zone = moment
    start, end = quotas.window(period, now, zone=zone)
    assert quotas.window(period, end, zone=zone) != (start, end)
    if period == "month" or zone.key != "Australia/Lord_Howe":  # whose clocks move by half an hour
        assert quotas.window(period, start + (end - start) * part, zone=zone) == (start, end)
        assert quotas.window(period, end, zone=zone)[0] == end


@given(moments())
def test_a_month_begins_when_the_clock_on_the_wall_enters_its_first_day(moment: tuple[datetime, ZoneInfo]) -> None:
    now, zone = moment
    start, _ = quotas.window("month", now, zone=zone)
    second = timedelta(seconds=1)
    local, before = (start + second).astimezone(zone), (start - second).astimezone(zone)
    here = now.astimezone(zone)
    assert (local.year, local.month, local.day) == (here.year, here.month, 1)
    assert before.month != local.month


def test_the_hour_that_clocks_show_twice_is_two_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin).astimezone(UTC)
    assert quotas.window("hour", first, zone=berlin)[1] == quotas.window("hour", first + HOUR, zone=berlin)[0]
    assert (first + HOUR).astimezone(berlin).hour == first.astimezone(berlin).hour


def test_a_month_whose_clocks_are_put_forward_is_an_hour_shorter() -> None:
    start, end = quotas.window("month", NOW, zone=ZoneInfo("Europe/Berlin"))
    assert (start, end) == (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))


def test_hours_begin_where_the_clocks_of_the_site_show_them_to() -> None:
    start, _ = quotas.window("hour", NOW, zone=ZoneInfo("Asia/Kolkata"))
    assert start == datetime(2026, 3, 14, 14, 30, tzinfo=UTC)
