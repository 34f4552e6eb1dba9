"""The beat: one tick is one row, whoever sends it, and whatever is away meanwhile."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask, SolarSchedule

from jobs import beat, schedule
from jobs.models import InstalledSchedule, Job, Tick
from jobs.schedule import Hourly, Monthly
from jointo.celery import app
from tests import kinds
from tests.jobs.beats import (
    HOUR,
    jobs_recorded,
    look_again,
    make_beat,
    make_entry,
    nightly,
    plain,
    take_broker_away,
    turn,
)
from tests.stack import Process, Redis, Stack, wait_for


@pytest.fixture(autouse=True)
def empty(transactional_db: None) -> None:
    PeriodicTask.objects.all().delete()


@pytest.fixture
def broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    take_broker_away(monkeypatch)


def test_a_due_entry_gives_one_job_and_a_tick_that_names_it() -> None:
    entry = make_entry()
    turn(make_beat())
    tick, job = Tick.objects.get(), Job.objects.get()
    assert (tick.schedule, tick.task_id, job.kind, job.args) == ("entry", str(job.pk), kinds.add.name, [1])
    assert tick.slot.timestamp() % 3600 == 0
    entry.refresh_from_db()
    assert entry.total_run_count == 1
    assert timezone.now() - entry.last_run_at < timedelta(minutes=1)


def test_of_two_beats_the_second_sends_nothing_and_moves_on() -> None:
    make_entry()
    one, other = make_beat(), make_beat()
    assert len(one.schedule) == len(other.schedule) == 1  # both have read it, and hold it to be due
    turn(one)
    turn(other)
    turn(other)
    assert (jobs_recorded(), Tick.objects.count(), PeriodicTask.objects.get().total_run_count) == (1, 1, 1)


def test_a_slot_that_has_its_tick_is_not_sent_again_after_the_entrys_time_was_set_back() -> None:
    entry = make_entry()
    turn(make_beat())
    PeriodicTask.objects.update(last_run_at=entry.last_run_at)
    turn(make_beat())
    assert jobs_recorded() == 1
    assert PeriodicTask.objects.get().last_run_at > entry.last_run_at


def test_what_was_missed_for_hours_runs_once() -> None:
    make_entry(every=300)
    make_entry(name="night", crontab=nightly(), last_run_at=timezone.now() - timedelta(days=3))
    scheduler = make_beat()
    turn(scheduler)
    turn(scheduler)
    assert Counter(Tick.objects.values_list("schedule", flat=True)) == {"entry": 1, "night": 1}


def test_a_missed_night_is_made_up_for_at_any_hour_of_the_day() -> None:
    """The package leaves out entries whose hour is far from now."""
    hour = (timezone.now().hour + 12) % 24
    make_entry(crontab=nightly(hour), last_run_at=timezone.now() - timedelta(days=2))
    turn(make_beat())
    assert jobs_recorded() == 1


def test_a_night_missed_longer_ago_than_the_deadline_is_left_alone() -> None:
    hour = (timezone.now().hour + 12) % 24
    make_entry(crontab=nightly(hour), last_run_at=timezone.now() - timedelta(days=2))
    app.conf.beat_cron_starting_deadline = 3600
    try:
        turn(make_beat())
    finally:
        app.conf.beat_cron_starting_deadline = None
    assert jobs_recorded() == 0


def test_nor_does_one_that_was_switched_on_by_a_program_while_beat_looked_on() -> None:
    entry = make_entry(crontab=nightly(), last_run_at=None)
    PeriodicTask.objects.update(enabled=False, last_run_at=timezone.now() - timedelta(days=9))
    make_entry(name="other", last_run_at=None)
    scheduler = make_beat()
    turn(scheduler)
    PeriodicTask.objects.filter(pk=entry.pk).update(enabled=True)
    PeriodicTask.objects.get(name="other").save()  # so that beat reads them again
    turn(scheduler)
    turn(make_beat())
    assert jobs_recorded() == 0


def test_one_that_is_switched_off_between_two_looks_is_not_sent() -> None:
    make_entry()
    scheduler = make_beat()
    assert scheduler.schedule
    PeriodicTask.objects.update(enabled=False)
    turn(scheduler)
    assert (jobs_recorded(), Tick.objects.count()) == (0, 0)


def test_a_plain_task_that_the_broker_refuses_leaves_no_tick_and_is_tried_again(
    redis_server: Redis, broker_away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_entry(plain.name)
    scheduler = make_beat()
    turn(scheduler)
    assert Tick.objects.count() == 0
    assert timezone.now() - PeriodicTask.objects.get().last_run_at > HOUR
    monkeypatch.undo()
    look_again(scheduler)
    turn(scheduler)
    assert Tick.objects.get().task_id


def test_a_job_is_recorded_though_the_broker_is_away(broker_away: None) -> None:
    make_entry()
    turn(make_beat())
    assert (jobs_recorded(), Tick.objects.count()) == (1, 1)


def test_a_tick_and_its_job_are_rolled_back_together(monkeypatch: pytest.MonkeyPatch) -> None:
    make_entry()
    scheduler = make_beat()

    def send(*args: Any, **options: Any) -> Any:
        kinds.add.delay(1)
        raise OperationalError("the database went away")

    with monkeypatch.context() as patched:
        patched.setattr(scheduler, "apply_async", send)
        turn(scheduler)
    assert (jobs_recorded(), Tick.objects.count(), PeriodicTask.objects.get().total_run_count) == (0, 0, 0)
    look_again(scheduler)
    turn(scheduler)
    assert (jobs_recorded(), Tick.objects.count()) == (1, 1)


def test_arguments_that_do_not_fit_stop_neither_beat_nor_the_other_entries() -> None:
    make_entry(name="bad", args="[1, 2, 3, 4]")
    make_entry(name="good")
    turn(make_beat())
    assert [tick.schedule for tick in Tick.objects.all()] == ["good"]


def test_a_schedule_that_can_not_be_made_does_not_stop_beat() -> None:
    """One by the sun needs a library that Jointo does not bring."""
    make_entry(name="sun", solar=SolarSchedule.objects.create(event="sunset", latitude=1, longitude=1))
    make_entry(name="good")
    turn(make_beat())
    assert "good" in Tick.objects.values_list("schedule", flat=True)


def test_while_the_database_is_away_beat_goes_on_with_the_schedule_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    make_entry()
    scheduler = make_beat()
    before = dict(scheduler.schedule)

    def away() -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(scheduler, "enabled_models", away)
    assert scheduler.all_as_schedule() == before


def test_a_clocked_entry_runs_once_and_is_switched_off() -> None:
    at = ClockedSchedule.objects.create(clocked_time=timezone.now() - HOUR)
    make_entry(clocked=at, one_off=True, last_run_at=None)
    one, other = make_beat(), make_beat()
    assert len(one.schedule) == len(other.schedule) == 1
    for scheduler in (one, other):
        turn(scheduler)
        look_again(scheduler)
        turn(scheduler)
    assert jobs_recorded() == 1
    assert not PeriodicTask.objects.get().enabled


def test_an_entry_with_a_start_runs_first_at_its_start() -> None:
    entry = make_entry(every=3600, last_run_at=None, start_time=timezone.now() + timedelta(minutes=7))
    turn(make_beat())
    assert jobs_recorded() == 0
    assert beat.next_run(entry, now=timezone.now()) == entry.start_time


def test_ticks_are_forgotten_but_for_the_last_of_each_schedule() -> None:
    now = datetime(2026, 6, 15, tzinfo=UTC)
    for hours in range(0, 60, 6):
        Tick.objects.create(schedule="often", slot=now - hours * HOUR, at=now)
    Tick.objects.create(schedule="rare", slot=now - timedelta(days=40), at=now)
    kept = settings.JOINTO_JOBS.keep_results // (6 * HOUR) + 1
    assert beat.forget(now) == 10 - kept
    assert Counter(Tick.objects.values_list("schedule", flat=True)) == {"often": kept, "rare": 1}
    assert beat.forget(now) == 0


def test_entries_of_every_hour_and_every_month_are_installed_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    InstalledSchedule.objects.all().delete()
    entries = {"a.hourly": ("hourly", Hourly(minute=5)), "a.monthly": ("monthly", Monthly(day=3, hour=4))}
    monkeypatch.setattr(schedule, "_entries", entries)
    schedule.install()
    now = datetime(2026, 6, 15, 12, 30, tzinfo=UTC)
    found = {entry.name: beat.next_run(entry, now=now) for entry in PeriodicTask.objects.all()}
    assert found == {
        "hourly": datetime(2026, 6, 15, 13, 5, tzinfo=UTC),
        "monthly": datetime(2026, 7, 3, 4, 0, tzinfo=UTC),
    }


# -- real processes ----------------------------------------------------------------------------------------


CELERY = (sys.executable, "-m", "celery", "-A", "tests.celery")


def start_beat(stack: Stack, name: str = "beat") -> Process:
    return stack.start(name, [*CELERY, "beat", "-l", "INFO", "--pidfile="])


def test_two_beats_on_one_database_give_one_job_for_each_second(stack: Stack) -> None:
    make_entry(every=1, name="each second", last_run_at=timezone.now())
    beats = [start_beat(stack, "one"), start_beat(stack, "other")]

    def ticked() -> bool:
        assert all(process.alive for process in beats)
        return all("sent each second" in process.text() for process in beats) and Tick.objects.count() >= 8

    wait_for(ticked, seconds=90, what="ticks of both")
    for process in beats:
        process.stop()
        assert "Traceback" not in process.text(), process.text()
    ticks = list(Tick.objects.order_by("slot"))
    assert len(ticks) == Job.objects.count() == PeriodicTask.objects.get().total_run_count
    assert {tick.task_id for tick in ticks} == {str(pk) for pk in Job.objects.values_list("pk", flat=True)}


def test_a_beat_that_was_away_for_an_hour_makes_up_for_it_once(stack: Stack) -> None:
    make_entry(every=300, name="often", last_run_at=timezone.now() - HOUR)
    make_entry(name="night", crontab=nightly((timezone.now() - HOUR).hour), last_run_at=timezone.now() - 24 * HOUR)
    make_entry(every=1, name="clock", last_run_at=timezone.now())
    began = timezone.now()
    start_beat(stack)
    wait_for(lambda: Tick.objects.filter(schedule="clock").count() >= 8, seconds=60, what="a few seconds of beat")
    missed = Tick.objects.filter(slot__lte=began).exclude(schedule="clock")
    assert Counter(missed.values_list("schedule", flat=True)) == {"often": 1, "night": 1}


def test_a_worker_beats_too_if_it_is_told_to(stack: Stack) -> None:
    make_entry(every=1, last_run_at=timezone.now())
    argv = [*CELERY, "worker", "-B", "-s", str(stack.folder / "schedule"), "-c", "1", "-l", "INFO"]
    process = stack.start("worker", [*argv, "--without-gossip", "--without-mingle"])
    wait_for(lambda: Job.objects.filter(status="completed").count() >= 2, seconds=60, what="jobs of a worker's beat")
    assert process.stop() == 0
