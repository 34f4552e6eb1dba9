"""The schedule's page: what ran last and next and what came of it, whatever the schedule; edited as ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask, SolarSchedule
from django_celery_results.models import TaskResult

from jobs import beat
from jobs.admin.schedule import ScheduleAdmin
from jobs.models import Job, Tick
from tests import kinds
from tests.builders import make_user
from tests.jobs.beats import HOUR, jobs_recorded, make_beat, make_entry, nightly, plain, take_broker_away, turn
from tests.stack import Redis

PAGE = "/admin/django_celery_beat/periodictask/"


@pytest.fixture(autouse=True)
def empty(transactional_db: None) -> None:
    PeriodicTask.objects.all().delete()


@pytest.fixture
def broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    take_broker_away(monkeypatch)


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


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
    page = ScheduleAdmin(PeriodicTask, admin.site)
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
