"""What every uploaded file has, whatever it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.models import Job


class Uploaded(models.Model):
    """A file that a user has uploaded, and the job that makes something of it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), on_delete=models.CASCADE, related_name="%(class)ss"
    )
    title = models.CharField(_("title"), max_length=255)
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("the one that last worked for it"),
    )
    source = models.CharField(
        _("uploaded file"), max_length=200, blank=True, help_text=_("below the media root; empty: gone")
    )
    source_size = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, help_text=_("as we computed it"))
    md5 = models.CharField(_("MD5"), max_length=32, blank=True, help_text=_("as we computed it"))

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title
