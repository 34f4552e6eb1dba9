"""Drafts of desktop editors, and the films that were made of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from videos.models.videos import VideoStatus, status_of
from videos.orders import FORMATS, QUALITIES


class OnMissing(models.TextChoices):
    """What is done about media that can't be had."""

    REFUSE = "refuse", _("refuse the draft")
    SLATE = "slate", _("show a slate")


class Draft(models.Model):
    """One draft of one user: what was sent and asked for, and the file once it is there.

    What state it is in follows from its file and its job.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), on_delete=models.CASCADE, related_name="drafts"
    )
    job = models.OneToOneField(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    draft_id = models.CharField(_("id of the draft"), max_length=200, blank=True, help_text=_("as its editor has it"))
    name = models.CharField(_("name"), max_length=255, blank=True)
    url = models.CharField(_("address"), max_length=4096, blank=True, help_text=_("where it is fetched"))
    source = models.CharField(
        _("draft file"), max_length=200, blank=True, help_text=_("as it was sent; empty: it is fetched")
    )
    digest = models.CharField(_("digest"), max_length=64, help_text=_("of all that was sent and asked for"))
    format = models.CharField(_("format"), max_length=10, choices=FORMATS)
    quality = models.CharField(_("quality"), max_length=10, choices=QUALITIES)
    on_missing = models.CharField(_("for missing media"), max_length=10, choices=OnMissing.choices)
    mapping = models.JSONField(
        _("mapping"), default=dict, blank=True, help_text=_("videos to be taken for media, by their paths or names")
    )
    report = models.JSONField(
        _("report"), default=list, blank=True, help_text=_("what comes out otherwise than in the editor")
    )
    missing = models.JSONField(_("missing media"), default=list, blank=True)

    file = models.CharField(_("file"), max_length=200, blank=True, help_text=_("below the media root; empty: none yet"))
    duration = models.FloatField(_("duration in seconds"), null=True, blank=True)
    size = models.PositiveBigIntegerField(_("size in bytes"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="draft_file_is_measured",
                condition=Q(file="", duration=None, size=None)
                | (~Q(file="") & Q(duration__isnull=False, size__isnull=False)),
            ),
            models.CheckConstraint(name="draft_comes_from_somewhere", condition=~Q(url="", source="")),
            models.UniqueConstraint(name="draft_file", fields=["file"], condition=~Q(file="")),
            models.UniqueConstraint(name="draft_source", fields=["source"], condition=~Q(source="")),
        ]
        indexes = [models.Index(name="draft_by_owner", fields=["owner", "-created_at", "-id"])]

    def __str__(self) -> str:
        return self.name or self.draft_id or str(self.pk)

    @property
    def status(self) -> VideoStatus:
        """Ready once it can be downloaded; else what its job is at."""
        return status_of(self.job, published=bool(self.file))

    @property
    def video_url(self) -> str | None:
        """Where it is downloaded."""
        return f"{settings.MEDIA_URL}{self.file}" if self.file else None
