"""What somebody has to hear of: dead letters for the operator, deliveries for everybody."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.batches import Batch
from jobs.models.jobs import Job


class Resolution(models.TextChoices):
    """What became of a dead letter."""

    RETRIED = "retried", _("retried")
    DISCARDED = "discarded", _("discarded")


class DeadLetter(models.Model):
    """A job that an operator should see: its attempts are used up, or it can't go on without a person."""

    job = models.ForeignKey(Job, verbose_name=_("job"), on_delete=models.CASCADE, related_name="dead_letters")
    kind = models.CharField(_("kind"), max_length=200)
    error_code = models.CharField(_("error code"), max_length=100)
    error_message = models.TextField(_("error"), blank=True, default="")
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    created_at = models.DateTimeField(_("created"))
    alerted_at = models.DateTimeField(_("alerted"), null=True, blank=True)
    resolution = models.CharField(
        _("resolution"), max_length=10, blank=True, default="", choices=Resolution.choices, help_text=_("empty: open")
    )
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=150, blank=True, default="")
    note = models.TextField(_("note"), blank=True, default="")

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="dead_letter_open_once", fields=["job"], condition=Q(resolved_at__isnull=True)
            ),
            models.CheckConstraint(
                name="dead_letter_resolved_somehow",
                condition=Q(resolved_at__isnull=True, resolution="")
                | (Q(resolved_at__isnull=False) & ~Q(resolution="")),
            ),
        ]
        indexes = [
            models.Index(name="dead_letter_by_code", fields=["error_code", "-created_at"]),
            models.Index(name="dead_letter_by_age", fields=["-created_at", "-id"]),
            models.Index(
                name="dead_letter_to_alert",
                fields=["kind", "error_code"],
                condition=Q(alerted_at__isnull=True, resolved_at__isnull=True),
            ),
            models.Index(name="dead_letter_resolved", fields=["resolved_at"], condition=Q(resolved_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.error_code}"


class Channel(models.TextChoices):
    """How a notification travels."""

    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")


class DeliveryStatus(models.TextChoices):
    """Where a delivery is."""

    PENDING = "pending", _("pending")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")


class Delivery(models.Model):
    """One notification to one place; its id is the webhook-id, the same at each try."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(_("key"), max_length=200, unique=True, help_text=_("what it tells, to whom: once"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    event = models.CharField(_("event"), max_length=50, help_text=_("for example job.completed"))
    target = models.CharField(_("to"), max_length=2000)
    payload = models.JSONField(_("payload"), default=dict)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="deliveries",
    )
    job = models.ForeignKey(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    batch = models.ForeignKey(
        Batch, verbose_name=_("batch"), null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    status = models.CharField(
        _("status"), max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    tries = models.PositiveIntegerField(_("tries"), default=0)
    answer = models.CharField(_("last answer"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    tried_at = models.DateTimeField(_("last try"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="delivery_by_age", fields=["-created_at", "-id"]),
            models.Index(name="delivery_by_user", fields=["user", "-created_at", "-id"]),
            models.Index(name="delivery_by_status", fields=["status", "-created_at", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.target[:60]}"
