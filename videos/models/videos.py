"""Videos, and the renditions that they are played from."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from jobs.status import ACTIVE, JobStatus
from videos.models.uploaded import Uploaded


class VideoStatus(models.TextChoices):
    """What state a video is in, a still, a sound, or an export."""

    PROCESSING = "processing", _("processing")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


def status_of(job: Job | None, *, published: bool) -> VideoStatus:
    """The state of what a job makes, and whether anything of it has been published."""
    if published:
        return VideoStatus.READY
    if job is None:
        return VideoStatus.FAILED
    if job.status in ACTIVE:
        return VideoStatus.PROCESSING
    return VideoStatus.CANCELLED if job.status == JobStatus.CANCELLED else VideoStatus.FAILED


class Video(Uploaded):
    """One video of one user. What state it is in follows from its job and from what has been published."""

    folder = models.CharField(
        _("published folder"),
        max_length=200,
        blank=True,
        help_text=_("below the media root; empty: none yet"),
    )
    playlist = models.CharField(_("playlist"), max_length=100, blank=True, help_text=_("in that folder"))
    poster = models.CharField(_("poster"), max_length=100, blank=True, help_text=_("in that folder"))
    duration = models.FloatField(_("duration in seconds"), null=True, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)

    class Meta:
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="video_playlist_in_folder", condition=Q(folder="", playlist="") | ~Q(folder="")
            ),
        ]
        indexes = [
            models.Index(name="video_by_owner", fields=["owner", "-created_at", "-id"]),
            models.Index(name="video_deleted", fields=["deleted_at"], condition=Q(deleted_at__isnull=False)),
            models.Index(name="video_by_hash", fields=["owner", "sha256"]),
        ]

    @property
    def status(self) -> VideoStatus:
        """Ready once something can be played; else what its job is at."""
        return status_of(self.job, published=bool(self.folder))

    @property
    def playlist_url(self) -> str | None:
        return self.url_of(self.playlist)

    @property
    def poster_url(self) -> str | None:
        return self.url_of(self.poster)

    def url_of(self, file: str) -> str | None:
        """The address of a file in the published folder."""
        return f"{settings.MEDIA_URL}{self.folder}/{file}" if self.folder and file else None


class Rendition(models.Model):
    """One rung of a video's ladder: the same picture at one size."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="renditions")
    name = models.CharField(_("name"), max_length=20)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    file = models.CharField(_("progressive file"), max_length=100, help_text=_("in the video's folder"))
    bytes = models.PositiveBigIntegerField(_("size in bytes"))
    bandwidth = models.PositiveBigIntegerField(_("peak bits a second"))
    codecs = models.CharField(_("codecs"), max_length=60)

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        ordering = ["-height", "-width"]
        constraints = [models.UniqueConstraint(name="rendition_of_video", fields=["video", "name"])]

    def __str__(self) -> str:
        return self.name
