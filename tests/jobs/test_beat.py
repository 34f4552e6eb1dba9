"""The beat: one tick is one row, whoever sends it, and whatever is away meanwhile."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import shared_task
from django.conf import settings
from django.contrib import admin
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from django_celery_results.models import TaskResult
from kombu.exceptions import OperationalError as BrokerError

from jobs import admin_schedule, beat
from jobs.models import Job, Tick
from jointo.celery import app
from tests import kinds
from tests.builders import make_user
from tests.stack import Process, Redis, Stack, wait_for

HOUR = timedelta(hours=1)
assert admin_schedule  # the page is registered


@shared_task
def plain() -> str:
    """A task that is no job."""
    return "done"


@pytest.fixture(autouse=True)
def empty(transactional_db: None) -> None:
    PeriodicTask.objects.all().delete()


@pytest.fixture
def broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that refuses every message."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise BrokerError("refused")

    monkeypatch.setattr("celery.app.amqp.Producer.publish", refuse)


def make_entry(task: str = kinds.add.name, *, name: str = "entry", every: int = 3600, **fields: Any) -> PeriodicTask:
    """An entry that last ran two hours ago, of an interval in seconds unless it is given another schedule."""
    if not fields.keys() & {"crontab", "clocked", "solar"}:
        fields["interval"] = IntervalSchedule.objects.get_or_create(every=every, period="seconds")[0]
    fields.setdefault("args", "[1]" if task == kinds.add.name else "[]")
    fields.setdefault("last_run_at", timezone.now() - 2 * HOUR)
    return PeriodicTask.objects.create(name=name, task=task, **fields)


def nightly(hour: int = 2, **fields: Any) -> CrontabSchedule:
    return CrontabSchedule.objects.create(minute="0", hour=str(hour), timezone="UTC", **fields)


def make_beat() -> beat.Scheduler:
    return beat.Scheduler(app)


def turn(scheduler: beat.Scheduler) -> None:
    """Let a beat send all that it holds to be due."""
    for _ in range(20):
        if scheduler.tick() > 0:
            return
    raise AssertionError("there is always more that is due")


def jobs_recorded() -> int:
    return Job.objects.count()


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


@pytest.mark.parametrize("action", ["enable_tasks", "toggle_tasks"])
def test_an_entry_that_is_switched_on_again_does_not_run_for_the_past(action: str, root: Client) -> None:
    entry = make_entry(crontab=nightly())
    long_ago = timezone.now() - timedelta(days=9)
    PeriodicTask.objects.update(enabled=False, date_changed=long_ago, last_run_at=long_ago)
    said = {"action": action, "_selected_action": [str(entry.pk)]}
    assert root.post(reverse("admin:django_celery_beat_periodictask_changelist"), said).status_code == 302
    entry.refresh_from_db()
    assert entry.enabled
    turn(make_beat())
    assert jobs_recorded() == 0
    following = beat.next_run(entry, now=timezone.now())
    assert following
    assert following > timezone.now()


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
    _look_again(scheduler)
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
    _look_again(scheduler)
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
        _look_again(scheduler)
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


# -- the operator's page -----------------------------------------------------------------------------------


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


PAGE = "/admin/django_celery_beat/periodictask/"


def test_the_page_shows_last_run_next_run_and_last_result_of_every_kind_of_schedule(root: Client) -> None:
    make_entry(name="a job")
    make_entry(name="a night", crontab=nightly())
    at = ClockedSchedule.objects.create(clocked_time=timezone.now() + HOUR)
    make_entry(name="once", clocked=at, one_off=True)
    SolarSchedule.objects.create(event="sunset", latitude=1, longitude=1)
    make_entry(name="sun", solar=SolarSchedule.objects.get())
    make_entry("gone.away", name="never ran", last_run_at=None)
    make_entry(plain.name, name="plain")
    result = TaskResult.objects.create(task_id="some-id", status="SUCCESS")
    Tick.objects.create(schedule="plain", slot=timezone.now() + HOUR, at=timezone.now(), task_id=result.task_id)
    scheduler = make_beat()
    scheduler.apply_entry(scheduler.schedule["a job"])
    answer = root.get(PAGE)
    text = answer.content.decode()
    job = Job.objects.get()
    assert f'<a href="/admin/jobs/job/{job.pk}/change/">pending</a>' in text
    assert f'<a href="/admin/django_celery_results/taskresult/{result.pk}/change/">completed</a>' in text
    entries = {entry.name: entry for entry in answer.context["cl"].result_list}
    page = admin_schedule.ScheduleAdmin(PeriodicTask, admin.site)
    assert page.next_run(entries["once"]) == at.clocked_time
    assert (page.last_run(entries["never ran"]), page.last_result(entries["never ran"])) == (None, None)
    for name, entry in entries.items():
        assert page.next_run(entry) or name == "sun"


def test_a_page_of_many_entries_costs_no_more_queries(root: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        make_entry(name=f"entry {number}")
    turn_all = make_beat()
    for entry in list(turn_all.schedule.values()):
        turn_all.apply_entry(entry)
    assert Tick.objects.count() == 30
    with django_assert_max_num_queries(12):
        assert root.get(PAGE).status_code == 200


def test_the_operator_edits_an_entry_and_runs_it_by_hand(root: Client, redis_server: Redis) -> None:
    entry = make_entry()
    form = {"name": "mine", "task": kinds.add.name, "interval": entry.interval_id, "args": "[5]", "kwargs": "{}"}
    form |= {"headers": "{}", "enabled": "on"}
    answer = root.post(f"{PAGE}{entry.pk}/change/", form)
    assert answer.status_code == 302, answer.context["adminform"].errors
    entry.refresh_from_db()
    assert (entry.name, entry.args) == ("mine", "[5]")
    root.post(PAGE, {"action": "run_tasks", "_selected_action": [entry.pk]})
    assert Job.objects.get().args == [5]
    root.post(PAGE, {"action": "disable_tasks", "_selected_action": [entry.pk]})
    entry.refresh_from_db()
    assert not entry.enabled


def test_what_can_not_be_run_by_hand_is_told(root: Client, broker_away: None) -> None:
    entry = make_entry(plain.name)
    said = {"action": "run_tasks", "_selected_action": [entry.pk]}
    answer = root.post(PAGE, said, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["Not all could be run: refused"]


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


def _look_again(scheduler: beat.Scheduler) -> None:
    scheduler._heap = None
