"""Who does the work, from which queues, when: workers, queues, limits, the schedule's ticks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Worker(models.Model):
    """A Celery worker that is, or was, there: its heartbeat, what it consumes, how much it can do at once."""

    name = models.CharField(_("name"), max_length=200, primary_key=True)
    queues = models.JSONField(_("queues"), default=list)
    concurrency = models.PositiveIntegerField(_("concurrency"), default=1)
    pid = models.PositiveIntegerField(_("process"), default=0)
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last heartbeat"), db_index=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class InstalledSchedule(models.Model):
    """That a periodic entry was installed once, so that one which an operator deleted or renamed stays so."""

    task = models.CharField(_("task"), max_length=200, primary_key=True)
    time_zone = models.CharField(max_length=63, blank=True, default="", help_text="of its crontab, if it has one")
    installed_at = models.DateTimeField(_("installed"), auto_now_add=True)

    class Meta:
        verbose_name = _("installed schedule")
        verbose_name_plural = _("installed schedules")

    def __str__(self) -> str:
        return self.task


class Queue(models.Model):
    """A queue that an operator has paused: nothing of it is released. One that has no row runs."""

    name = models.CharField(_("name"), max_length=50, primary_key=True)
    paused = models.BooleanField(_("paused"), default=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class KindLimit(models.Model):
    """How many jobs of a kind may run at once. Installed from the code once; an operator's edits stay."""

    kind = models.CharField(_("kind"), max_length=200, primary_key=True)
    at_once = models.PositiveIntegerField(_("at once"), null=True, blank=True, help_text=_("empty: no limit"))
    per_user = models.PositiveIntegerField(_("at once for a user"), null=True, blank=True)

    class Meta:
        verbose_name = _("limit of a kind")
        verbose_name_plural = _("limits of kinds")
        ordering = ["kind"]

    def __str__(self) -> str:
        return self.kind


class Tick(models.Model):
    """One run of one schedule: unique by schedule and slot, so that two beats are one."""

    schedule = models.CharField(_("schedule"), max_length=200)
    slot = models.DateTimeField(_("slot"), help_text=_("the moment at which it was due"))
    task_id = models.CharField(_("task id"), max_length=50, blank=True, default="")
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("tick")
        verbose_name_plural = _("ticks")
        ordering = ["-slot"]
        constraints = [models.UniqueConstraint(name="tick_of_schedule", fields=["schedule", "slot"])]

    def __str__(self) -> str:
        return f"{self.schedule} {self.slot:%Y-%m-%d %H:%M:%S}"
