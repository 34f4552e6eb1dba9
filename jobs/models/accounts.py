"""What a user may ask for, and how they want to hear of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Account(models.Model):
    """A user's tier and notifications. A user without one is on the tier `free`, and is told nothing."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="account",
    )
    tier = models.CharField(_("tier"), max_length=20, default="free", help_text=_("free, pro, enterprise"))
    notify_by_email = models.BooleanField(_("e-mail when a job ends"), default=False)
    webhook_url = models.URLField(_("webhook URL"), max_length=2000, blank=True, default="")
    webhook_secret = models.CharField(_("webhook secret"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return f"{self.user}"


class Period(models.TextChoices):
    """What a quota counts by."""

    HOUR = "hour", _("hour")
    MONTH = "month", _("month")


class QuotaLimit(models.Model):
    """How many jobs of a kind a tier may submit in a period; goes before what the kind itself says."""

    tier = models.CharField(_("tier"), max_length=20)
    kind = models.CharField(_("kind"), max_length=200)
    period = models.CharField(_("period"), max_length=5, choices=Period.choices)
    limit = models.PositiveIntegerField(_("limit"), null=True, blank=True, help_text=_("empty: no limit"))

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        ordering = ["tier", "kind", "period"]
        constraints = [models.UniqueConstraint(name="quota_limit_once", fields=["tier", "kind", "period"])]

    def __str__(self) -> str:
        return f"{self.tier} {self.kind} / {self.period}"


class QuotaUse(models.Model):
    """How much of a quota is used up or reserved in one period, in the site's time zone."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    kind = models.CharField(_("kind"), max_length=200)
    period = models.CharField(_("period"), max_length=5, choices=Period.choices)
    starts_at = models.DateTimeField(_("from"), db_index=True)
    used = models.IntegerField(_("used"), default=0)

    class Meta:
        verbose_name = _("quota use")
        verbose_name_plural = _("quota uses")
        ordering = ["owner", "kind", "period", "-starts_at"]
        constraints = [
            models.UniqueConstraint(name="quota_use_once", fields=["owner", "kind", "period", "starts_at"]),
            models.CheckConstraint(name="quota_use_not_negative", condition=Q(used__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} / {self.period}: {self.used}"
