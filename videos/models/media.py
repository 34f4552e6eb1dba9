"""Uploaded pictures that do not move, and sound."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from videos.models.uploaded import Uploaded
from videos.models.videos import VideoStatus, status_of


class Medium(Uploaded):
    """One still or one sound of one user. Films are made of `file`, which is there once its job has prepared it."""

    class Kind(models.TextChoices):
        STILL = "still", _("still")
        SOUND = "sound", _("sound")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    file = models.CharField(
        _("prepared file"), max_length=200, blank=True, help_text=_("below the media root; empty: none yet")
    )
    thumbnail = models.CharField(_("thumbnail"), max_length=200, blank=True, help_text=_("below the media root"))
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    alpha = models.BooleanField(_("see-through"), null=True, blank=True, help_text=_("some of it, or all"))
    duration = models.FloatField(_("duration in seconds"), null=True, blank=True)

    class Meta:
        verbose_name = _("still or sound")
        verbose_name_plural = _("stills and sounds")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="medium_file_is_measured",
                condition=Q(file="")
                | Q(kind="still", width__isnull=False, height__isnull=False, alpha__isnull=False)
                | Q(kind="sound", duration__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="medium_by_owner", fields=["owner", "kind", "-created_at", "-id"]),
            models.Index(name="medium_deleted", fields=["deleted_at"], condition=Q(deleted_at__isnull=False)),
            models.Index(name="medium_by_hash", fields=["owner", "sha256"]),
        ]

    @property
    def status(self) -> VideoStatus:
        """Ready once films can be made of it; else what its job is at."""
        return status_of(self.job, published=bool(self.file))

    @property
    def thumbnail_url(self) -> str | None:
        return f"{settings.MEDIA_URL}{self.thumbnail}" if self.thumbnail else None
