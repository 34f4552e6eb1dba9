"""The slots of a schedule, at every turn of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import schedule as every
from django_celery_beat.clockedschedule import clocked
from django_celery_beat.tzcrontab import TzAwareCrontab
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import slots

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 6 * 365 * 86_400 * 10**6).map(
    lambda microseconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
# Days around which clocks are set: by an hour, by half an hour, over midnight; and one that a whole island left out.
TURNS = {
    "Europe/Berlin": [date(2026, 3, 29), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
    "America/Sao_Paulo": [date(2018, 11, 4), date(2019, 2, 17)],
    "America/St_Johns": [date(2006, 4, 2), date(2006, 10, 29)],
    "Pacific/Apia": [date(2011, 12, 30)],
    "Asia/Kolkata": [date(2026, 3, 29)],
}


def cron(zone: str, minute: str = "0", hour: str = "*", day: str = "*", month: str = "*", weekday: str = "*") -> Any:
    return TzAwareCrontab(minute, hour, weekday, day, month, tz=ZoneInfo(zone))


def latest(schedule: Any, now: datetime, *, since: datetime = EPOCH, start: datetime | None = None) -> datetime | None:
    return slots.latest(schedule, now=now, since=since, start=start)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def expected(schedule: Any, around: date) -> set[datetime]:
    """The slots of some days, by looking at the clock on the wall in each of their minutes."""
    zone = schedule.tz
    begin = datetime(around.year, around.month, around.day, tzinfo=UTC) - timedelta(days=4)
    seen: set[datetime] = set()
    found = set()
    before = begin.astimezone(zone).replace(tzinfo=None)
    for step in range(8 * 1440):
        moment = begin + timedelta(minutes=step)
        shown = moment.astimezone(zone).replace(tzinfo=None)
        if len(schedule.hour) == 24:
            if wanted(schedule, shown):
                found.add(moment)
        else:
            skipped = before + timedelta(minutes=1)
            jump = shown - skipped
            while skipped < shown:  # times that the clock jumped over come as much later
                if wanted(schedule, skipped) and skipped not in seen:
                    found.add(moment + jump - (shown - skipped))
                seen.add(skipped)
                skipped += timedelta(minutes=1)
            if wanted(schedule, shown) and shown not in seen:
                found.add(moment)
            seen.add(shown)
        before = shown
    return found


def wanted(schedule: Any, shown: datetime) -> bool:
    return (
        shown.minute in schedule.minute
        and shown.hour in schedule.hour
        and shown.day in schedule.day_of_month
        and shown.month in schedule.month_of_year
        and shown.isoweekday() % 7 in schedule.day_of_week
    )


def test_the_walls_clock_has_a_gap_of_its_own_to_be_tested_against() -> None:
    night = cron("Europe/Berlin", "30", "2")
    assert {moment for moment in expected(night, date(2026, 3, 29)) if moment.day == 29} == {utc("2026-03-29 01:30")}


@given(data=st.data())
@settings(max_examples=150)
def test_slots_are_what_the_clock_on_the_wall_shows_also_where_it_is_set(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(sorted(TURNS)))
    turn = data.draw(st.sampled_from(TURNS[zone]))
    hours = data.draw(st.one_of(st.just("*"), st.sets(st.integers(0, 23), min_size=1, max_size=5)))
    minutes = data.draw(st.sets(st.integers(0, 59), min_size=1, max_size=4))
    hour = hours if isinstance(hours, str) else ",".join(map(str, sorted(hours)))
    weekday = data.draw(st.sampled_from(["*", "0", "0,1", "1-5", "6"]))
    schedule = cron(zone, ",".join(map(str, sorted(minutes))), hour, weekday=weekday)
    known = sorted(expected(schedule, turn))
    noon = datetime(turn.year, turn.month, turn.day, 12, tzinfo=UTC)
    now = noon + timedelta(seconds=data.draw(st.integers(-100_000, 100_000)))
    past = [moment for moment in known if moment <= now]
    if past:
        assert latest(schedule, now) == past[-1]
    future = [moment for moment in known if moment > now]
    if future and future[0] < noon + timedelta(days=2):
        assert slots.following(schedule, now=now) == future[0]


@given(
    now=MOMENTS,
    zone=st.sampled_from(sorted(TURNS)),
)
@settings(max_examples=100)
def test_the_following_slot_is_the_latest_once_its_time_has_come(now: datetime, zone: str) -> None:
    for entry in (
        cron(zone, "0", "2"),
        cron(zone, "*/7"),
        cron(zone, "0", "0", day="1"),
        cron(zone, "5", "4", weekday="1"),
    ):
        following = slots.following(entry, now=now)
        assert following
        assert following > now
        before = latest(entry, following - timedelta(microseconds=1))
        assert before
        assert before <= now
        assert latest(entry, following) == following


def test_a_nightly_entry_runs_once_in_every_night_of_the_year() -> None:
    for zone in TURNS:
        for hour in ("0", "1", "2", "3"):
            schedule = cron(zone, "30", hour)
            moment, count = utc("2026-01-01 00:00"), 0
            while (moment := slots.following(schedule, now=moment) or moment) < utc("2027-01-01 00:00"):
                count += 1
            assert count == 365, (zone, hour)


def test_an_hourly_entry_runs_in_the_repeated_hour_too_and_not_in_the_one_left_out() -> None:
    hourly = cron("Europe/Berlin", "0")
    assert latest(hourly, utc("2026-10-25 00:10")) == utc("2026-10-25 00:00")
    assert latest(hourly, utc("2026-10-25 01:10")) == utc("2026-10-25 01:00")
    half = cron("Australia/Lord_Howe", "15")  # 02:00 to 02:30 is left out there
    assert slots.following(half, now=utc("2026-10-03 15:16")) == utc("2026-10-03 16:15")


def test_days_of_the_month_that_are_rare_are_found() -> None:
    now = utc("2026-06-15 12:00")
    assert latest(cron("UTC", "0", "0", day="1"), now) == utc("2026-06-01 00:00")
    assert latest(cron("UTC", "0", "0", day="31"), now) == utc("2026-05-31 00:00")
    leap = cron("UTC", "0", "0", day="29", month="2")
    assert (latest(leap, now), slots.following(leap, now=now)) == (utc("2024-02-29 00:00"), utc("2028-02-29 00:00"))


@given(
    seconds=st.integers(1, 10**7),
    now=MOMENTS,
    lag=st.integers(0, 10**6),
)
def test_two_beats_of_differing_phase_see_the_same_slot_of_an_interval(seconds: int, now: datetime, lag: int) -> None:
    interval = every(timedelta(seconds=seconds))
    one = latest(interval, now)
    assert one
    assert one <= now < one + timedelta(seconds=seconds)
    assert (one - EPOCH) % timedelta(seconds=seconds) == timedelta(0)
    other = one + timedelta(seconds=seconds * lag / 10**6 - 0.000001)
    assert other < one or latest(interval, max(one, other)) == one
    assert slots.following(interval, now=now) == one + timedelta(seconds=seconds)


def test_what_ran_since_is_not_due_and_of_many_that_were_missed_the_last_one_is() -> None:
    now = utc("2026-06-15 12:00:30")
    minute = every(timedelta(seconds=60))
    assert latest(minute, now, since=utc("2026-06-15 11:00")) == utc("2026-06-15 12:00")
    assert latest(minute, now, since=utc("2026-06-15 12:00:01")) is None
    night = cron("UTC", "0", "2")
    assert latest(night, now, since=utc("2026-06-14 02:00:03")) == utc("2026-06-15 02:00")
    assert latest(night, now, since=utc("2026-06-15 02:00:03")) is None


def test_nothing_is_due_before_its_start_and_intervals_count_from_there() -> None:
    now, start = utc("2026-06-15 12:10"), utc("2026-06-15 12:03")
    interval = every(timedelta(minutes=5))
    assert latest(interval, utc("2026-06-15 12:02"), start=start) is None
    assert slots.following(interval, now=utc("2026-06-15 12:02"), start=start) == start
    assert latest(interval, now, start=start) == utc("2026-06-15 12:08")
    assert latest(cron("UTC", "0", "12"), now, start=start) is None
    assert slots.following(cron("UTC", "3", "12"), now=utc("2026-06-15 12:00"), start=start) == start


@pytest.mark.parametrize(("now", "slot"), [("11:59", None), ("12:00", "12:00"), ("18:00", "12:00")], ids=str)
def test_a_clocked_entry_is_due_from_its_moment_on(now: str, slot: str | None) -> None:
    once = clocked(utc("2026-06-15 12:00"))
    late = utc("2027-01-01 00:00")
    assert latest(once, utc(f"2026-06-15 {now}"), since=late) == (utc(f"2026-06-15 {slot}") if slot else None)
    assert slots.following(once, now=utc(f"2026-06-15 {now}")) == (None if slot else utc("2026-06-15 12:00"))
