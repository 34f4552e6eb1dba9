"""The periodic entries: there after migrate, once, and then the operator's."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs import schedule
from jobs.models import InstalledSchedule

pytestmark = pytest.mark.django_db

EVERY = {
    "jobs.tasks.sweep": 60,
    "jobs.tasks.check_processing_status": 300,
    "jobs.tasks.health_check": 300,
}
DAILY = {"jobs.tasks.cleanup_expired_results": "2", "videos.tasks.cleanup_deleted_videos": "3"}


@pytest.fixture(autouse=True)
def fresh() -> None:
    PeriodicTask.objects.all().delete()
    InstalledSchedule.objects.all().delete()


def entries() -> list[tuple[str, str, bool]]:
    return sorted(PeriodicTask.objects.filter(task__in=[*EVERY, *DAILY]).values_list("task", "name", "enabled"))


def test_every_entry_of_the_contract_is_installed_at_its_time() -> None:
    schedule.install()
    found = {entry.task: entry for entry in PeriodicTask.objects.all()}
    assert set(found) >= {*EVERY, *DAILY}
    for task, seconds in EVERY.items():
        interval = found[task].interval
        assert (interval.every, interval.period) == (seconds, "seconds")
    for task, hour in DAILY.items():
        crontab = found[task].crontab
        assert (crontab.minute, crontab.hour, crontab.day_of_week, crontab.day_of_month, crontab.month_of_year) == (
            *("0", hour, "*", "*", "*"),
        )
    assert all(entry.enabled for entry in found.values())


def test_nights_are_those_of_the_sites_time_zone() -> None:
    with override_settings(TIME_ZONE="Asia/Shanghai"):
        schedule.install()
    crontab = PeriodicTask.objects.get(task="videos.tasks.cleanup_deleted_videos").crontab
    assert crontab.timezone == ZoneInfo("Asia/Shanghai")


def crontab_of(task: str) -> tuple[str, ZoneInfo]:
    crontab = PeriodicTask.objects.get(task=task).crontab
    return crontab.hour, crontab.timezone


def test_a_new_time_zone_of_the_site_moves_the_nights_that_nobody_edited() -> None:
    cleanup, videos = DAILY
    schedule.install()
    edited = PeriodicTask.objects.get(task=cleanup)
    edited.crontab = CrontabSchedule.objects.create(minute="0", hour="4", timezone="UTC")
    edited.save()
    for zone in ("Asia/Shanghai", "Europe/Berlin"):
        with override_settings(TIME_ZONE=zone):
            schedule.install()
        assert crontab_of(videos) == ("3", ZoneInfo(zone))
        assert crontab_of(cleanup) == ("4", ZoneInfo("UTC"))


def test_a_zone_that_the_operator_gave_to_an_entry_stays_when_the_sites_changes() -> None:
    (task, *_) = DAILY
    schedule.install()
    entry = PeriodicTask.objects.get(task=task)
    entry.crontab = CrontabSchedule.objects.create(minute="0", hour="2", timezone="America/Lima")
    entry.save()
    with override_settings(TIME_ZONE="Asia/Shanghai"):
        schedule.install()
    assert crontab_of(task) == ("2", ZoneInfo("America/Lima"))


def test_installing_again_changes_nothing() -> None:
    schedule.install()
    before = entries()
    schedule.install()
    assert entries() == before


def test_what_an_operator_did_to_an_entry_survives_the_next_install() -> None:
    schedule.install()
    sweep, check, health, night = (
        PeriodicTask.objects.get(task=task) for task in (*EVERY, "videos.tasks.cleanup_deleted_videos")
    )
    sweep.interval = IntervalSchedule.objects.create(every=7, period="hours")
    check.name, health.enabled = "my own name", False
    for entry in (sweep, check, health):
        entry.save()
    night.delete()
    before = entries()
    schedule.install()
    assert entries() == before
    assert PeriodicTask.objects.get(pk=sweep.pk).interval.every == 7


def test_an_entry_of_the_operators_own_for_the_task_is_taken_for_ours() -> None:
    interval = IntervalSchedule.objects.create(every=7, period="hours")
    PeriodicTask.objects.create(name="mine", task="jobs.tasks.health_check", interval=interval)
    schedule.install()
    assert PeriodicTask.objects.get(task="jobs.tasks.health_check").name == "mine"


def test_a_name_that_the_operator_gave_to_something_else_does_not_stop_the_migration() -> None:
    interval = IntervalSchedule.objects.create(every=7, period="hours")
    PeriodicTask.objects.create(name="Health check", task="other.task", interval=interval)
    schedule.install()
    assert PeriodicTask.objects.filter(task="jobs.tasks.health_check").exists()
