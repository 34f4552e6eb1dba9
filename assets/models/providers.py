"""Providers of AI: how much may be asked of each, what is being asked, and what it cost."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from videos.models import Project


class ProviderLimit(models.Model):
    """How much all workers together may ask of one provider. Whoever asks locks this row."""

    provider = models.CharField(_("provider"), max_length=40, primary_key=True)
    at_once = models.PositiveIntegerField(
        _("at once"), null=True, blank=True, help_text=_("calls that run at the same time; empty: as the settings say")
    )
    per_minute = models.PositiveIntegerField(
        _("a minute"), null=True, blank=True, help_text=_("calls begun in a minute; empty: as the settings say")
    )
    blocked_until = models.DateTimeField(
        _("left alone until"), null=True, blank=True, help_text=_("it said that it is asked too much")
    )

    class Meta:
        verbose_name = _("limit of a provider")
        verbose_name_plural = _("limits of providers")
        ordering = ["provider"]

    def __str__(self) -> str:
        return self.provider


class ProviderCall(models.Model):
    """One call that was begun in the last minute, or that still runs."""

    provider = models.CharField(_("provider"), max_length=40)
    started_at = models.DateTimeField(_("began"))
    expires_at = models.DateTimeField(_("counts as running until"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(name="provider_call_begun", fields=["provider", "started_at"]),
            models.Index(
                name="provider_call_running", fields=["provider", "expires_at"], condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.started_at}"


class Usage(models.Model):
    """What one call used and cost; written once its answer is there, and never changed."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="ai_usage",
        db_index=False,
    )
    project = models.ForeignKey(
        Project, verbose_name=_("project"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    job = models.ForeignKey(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(_("kind"), max_length=100, help_text=_("of the job"))
    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=200, blank=True)
    month = models.DateField(_("month"), help_text=_("its first day, by the site's clocks"))
    calls = models.PositiveIntegerField(_("calls"), default=1)
    input_tokens = models.PositiveBigIntegerField(_("tokens in"), default=0)
    output_tokens = models.PositiveBigIntegerField(_("tokens out"), default=0)
    images = models.PositiveIntegerField(_("pictures"), default=0)
    seconds = models.FloatField(_("seconds of video"), default=0)
    cost = models.DecimalField(
        _("cost in USD"), max_digits=12, decimal_places=6, null=True, blank=True, help_text=_("empty: nobody knows")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="usage_by_user", fields=["user", "month", "provider", "kind"]),
            models.Index(name="usage_by_month", fields=["month", "provider", "kind"]),
            models.Index(name="usage_by_age", fields=["-created_at", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.month:%Y-%m}"
