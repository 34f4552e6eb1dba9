"""Many jobs as one."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class FailurePolicy(models.TextChoices):
    """What a failed member means for the others."""

    GO_ON = "go_on", _("the others go on")
    CANCEL = "cancel", _("the others are cancelled")


class Batch(models.Model):
    """Many jobs that run in parallel and are looked at as one; counted by `jobs.journal` as its members move."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="batches",
        db_index=False,
    )
    on_failure = models.CharField(
        _("when a member fails"), max_length=10, choices=FailurePolicy.choices, default=FailurePolicy.GO_ON
    )
    callback = models.JSONField(_("callback"), default=dict, blank=True, help_text=_("task and kwargs; at each end"))
    callback_url = models.URLField(_("callback URL"), max_length=2000, blank=True, default="")
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, null=True, blank=True)  # noqa: DJ001  NULLs never collide
    asked = models.CharField(_("digest of what was asked for"), max_length=64, blank=True, default="", editable=False)
    total = models.PositiveIntegerField(_("members"), default=0)
    completed = models.IntegerField(_("completed"), default=0)
    failed = models.IntegerField(_("failed"), default=0)
    cancelled = models.IntegerField(_("cancelled"), default=0)
    rounds = models.PositiveIntegerField(_("times ended"), default=0)
    revision = models.PositiveIntegerField(
        _("revision"), default=0, help_text=_("counts its changes: two may have the same time")
    )
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="batch_ended_by_all",
                condition=Q(ended_at__isnull=True) | Q(total__lte=F("completed") + F("failed") + F("cancelled")),
            ),
            models.UniqueConstraint(name="batch_idempotency_key", fields=["owner", "idempotency_key"]),
        ]
        indexes = [
            models.Index(name="batch_by_owner", fields=["owner", "-created_at", "-id"]),
            models.Index(name="batch_by_name", fields=["name", "-created_at", "-id"], condition=~Q(name="")),
            models.Index(name="batch_by_age", fields=["-created_at", "-id"]),
            models.Index(name="batch_by_end", fields=["ended_at"], condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def ended(self) -> int:
        """How many members have ended."""
        return self.completed + self.failed + self.cancelled

    @property
    def percent(self) -> int:
        """Share of the members that have ended, 0 to 100."""
        return min(100, max(0, self.ended) * 100 // self.total) if self.total else 100
