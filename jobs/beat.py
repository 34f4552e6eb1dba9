"""Celery's beat over django-celery-beat's tables, so that two of them do no harm: one tick is one row.

A slot's `Tick`, what it sends and the entry's `last_run_at` are one transaction: the job of a tick is there if
and only if the tick is; whoever comes second finds the row. What fails is rolled back and tried again after
a few seconds. What was missed while no beat was there runs once; what was switched off is not made up for.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from celery.schedules import crontab, schedstate
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django_celery_beat.clockedschedule import clocked
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from jobs import slots
from jobs.models import Tick
from jobs.now import Now

logger = logging.getLogger(__name__)

_AGAIN = timedelta(seconds=5)  # after a tick, or one that failed, an entry is looked at again
_NOT_SOON = timedelta(days=1)
_BATCH = 500


class SlotEntry(ModelEntry):  # type: ignore[misc]
    """A row of PeriodicTask, due by its slots."""

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        never_ran = model.last_run_at is None
        super().__init__(model, app=app)
        if never_ran:  # since it is there: not since long ago, as for entries with a start in the package
            self.model.last_run_at = self.last_run_at = model.date_changed or timezone.now()

    def slot(self, now: datetime) -> datetime | None:
        """The slot that has to be run now; None if there is none."""
        slot = slots.latest(self.schedule, now=now, since=self.last_run_at, start=self.model.start_time)
        deadline = self.app.conf.beat_cron_starting_deadline
        if slot and deadline is not None and isinstance(self.schedule, crontab):
            return slot if now - slot <= timedelta(seconds=deadline) else None
        return slot

    def is_due(self) -> schedstate:
        """Whether it has to be run now, and in how many seconds to ask again."""
        now = timezone.now()
        model = self.model
        has_ended = (model.expires and now >= model.expires) or (model.one_off and model.total_run_count > 0)
        if has_ended or not model.enabled:
            return schedstate(*super().is_due())  # which switches it off, where that is due
        is_due = self.slot(now) is not None
        upcoming = slots.following(self.schedule, now=now, start=model.start_time)
        longest = _AGAIN if is_due else _NOT_SOON
        return schedstate(is_due, min(upcoming - now if upcoming else longest, longest).total_seconds())

    def skip_past(self, now: datetime) -> None:
        """Leave alone what lies before `now`: the entry was switched on just then."""
        if not isinstance(self.schedule, clocked):
            self.moved_on(now)
            PeriodicTask.objects.filter(pk=self.model.pk).update(last_run_at=now)

    def moved_on(self, now: datetime) -> None:
        """Remember that it ran, here or in another beat."""
        self.model.last_run_at = self.last_run_at = now


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """The scheduler of `celery beat` and `worker -B`: CELERY_BEAT_SCHEDULER = "jobs.beat:Scheduler"."""

    Entry = SlotEntry
    # Publish by the application's pool, which fails quickly: the package's own connection waits for a broker
    # that is away for ever, and jobs, which need none to be recorded, with it.
    producer = None

    def enabled_models_qs(self) -> QuerySet[PeriodicTask]:
        """All that are switched on. The package leaves out those whose hour is far, and forgets what they missed."""
        return PeriodicTask.objects.enabled()  # type: ignore[no-any-return]

    def all_as_schedule(self) -> dict[str, SlotEntry]:
        """Read the entries. While the database is away, those that were there are."""
        known = self._schedule
        try:
            read = {entry.name: entry for model in self.enabled_models() if (entry := self._read(model))}
            if known is not None:
                now = timezone.now()
                for name in read.keys() - known.keys():
                    read[name].skip_past(now)
        except (DatabaseError, InterfaceError):
            if known is None:
                raise
            logger.warning("the database did not tell the schedule; the one of before goes on")
            return dict(known)
        return read

    def _read(self, model: PeriodicTask) -> SlotEntry | None:
        try:
            return self.Entry(model, app=self.app)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:  # a schedule that can't be made, such as one by the sun without its library: the others go on
            logger.exception("the entry %s can't be scheduled", model.name)
            return None

    def sync(self) -> None:
        """Nothing: each tick has saved its entry. The package's would close the connection within a transaction."""

    def reserve(self, entry: SlotEntry) -> SlotEntry:
        """The entry itself: it moves on when its tick is committed, and not before."""
        return entry

    def apply_entry(self, entry: SlotEntry, producer: Any = None) -> None:
        """Send what is due, once for all beats; called for each due entry."""
        now = timezone.now()
        slot = entry.slot(now)
        if slot is None:
            return
        try:
            close_old_connections()
            sent = self._tick(entry, slot, now)
        except Exception:  # the database or the broker may be away: a beat that dies of it helps nobody
            logger.exception("the tick of %s at %s failed, and is tried again", entry.name, slot)
            return
        entry.moved_on(now)
        entry.model.total_run_count += 1
        if sent:
            logger.info("sent %s (%s) for %s", entry.name, entry.task, slot)

    def _tick(self, entry: SlotEntry, slot: datetime, now: datetime) -> bool:
        """Claim a slot and send its task, in one transaction; False if that was done, or is wanted no more."""
        row = PeriodicTask.objects.filter(pk=entry.model.pk, enabled=True)
        with transaction.atomic():
            tick, is_new = Tick.objects.get_or_create(schedule=entry.name, slot=slot, defaults={"at": Now()})
            due = row.filter(Q(last_run_at__isnull=True) | Q(last_run_at__lt=slot))
            if entry.model.one_off:
                due = due.filter(total_run_count=0)
            if not is_new:
                due.update(last_run_at=now)
                return False
            if not due.update(last_run_at=now, total_run_count=F("total_run_count") + 1):
                tick.delete()  # switched off, or run by hand of an operator who set it back: nothing was sent
                return False
            result = self.apply_async(entry, advance=False)
            Tick.objects.filter(pk=tick.pk).update(task_id=str(getattr(result, "id", "") or "")[:50])
        return True


def next_run(entry: PeriodicTask, *, now: datetime) -> datetime | None:
    """When an entry runs next: `now` if it is overdue; None if it is switched off, or never again."""
    is_over = entry.one_off and entry.total_run_count > 0
    if not entry.enabled or is_over or entry.scheduler is None:
        return None
    since = entry.last_run_at or entry.date_changed
    if slots.latest(entry.schedule, now=now, since=since, start=entry.start_time):
        return now
    upcoming = slots.following(entry.schedule, now=now, start=entry.start_time)
    return None if upcoming and entry.expires and upcoming >= entry.expires else upcoming


def forget(now: datetime) -> int:
    """Remove the ticks whose results are gone, but for each schedule's last; how many."""
    limit = now - settings.JOINTO_JOBS.keep_results
    removed = 0
    for name, newest in Tick.objects.order_by().values_list("schedule").annotate(Max("slot")):
        old = Tick.objects.filter(schedule=name, slot__lt=min(limit, newest)).order_by("slot")
        while batch := list(old.values_list("pk", flat=True)[:_BATCH]):
            removed += Tick.objects.filter(pk__in=batch).delete()[0]
    return removed
