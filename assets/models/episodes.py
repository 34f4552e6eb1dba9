"""Episodes: the scripts of a project."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from jobs.status import ACTIVE, JobStatus
from videos.models import Project, Upload


class EpisodeStatus(models.TextChoices):
    """What state an episode is in."""

    PENDING = "pending", _("pending")
    ANALYSING = "analysing", _("analysing")
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")


class Episodes(QuerySet["Episode"]):
    """Episodes, by what state they are in: `Episode.status` in the database's words."""

    def in_status(self, status: str) -> Episodes:
        """Those of which `status` is true."""
        analysing = Q(job__status__in=sorted(ACTIVE))
        failed = Q(job__status=JobStatus.FAILED)
        neither = Q(job=None) | ~(analysing | failed)
        return self.filter(
            {
                EpisodeStatus.ANALYSING: analysing,
                EpisodeStatus.FAILED: failed,
                EpisodeStatus.COMPLETED: neither & Q(extracted_at__isnull=False),
                EpisodeStatus.PENDING: neither & Q(extracted_at__isnull=True),
            }[EpisodeStatus(status)]
        )


class Episode(models.Model):
    """One episode of a project, with its script. What state it is in follows from its job and from `extracted_at`."""

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.CASCADE, related_name="episodes", db_index=False
    )
    number = models.PositiveIntegerField(_("number"))
    title = models.CharField(_("title"), max_length=255, blank=True)
    script = models.TextField(_("script"), blank=True, help_text=_("as it was read, whatever it was written in"))
    length = models.PositiveIntegerField(_("characters"), default=0, editable=False)
    source_name = models.CharField(
        _("file name"), max_length=255, blank=True, help_text=_("as its owner has it; empty: it was pasted")
    )
    script_format = models.CharField(_("format"), max_length=20, blank=True, help_text=_("empty: not told by a reader"))
    upload = models.ForeignKey(
        Upload,
        verbose_name=_("upload"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="episodes",
        help_text=_("which its script came by, while that is known"),
    )
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("the one that last worked for it"),
    )
    extracted_at = models.DateTimeField(_("extracted"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = Episodes.as_manager()

    class Meta:
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")
        ordering = ["project", "number"]
        constraints = [
            models.UniqueConstraint(name="episode_of_project", fields=["project", "number"]),
            models.CheckConstraint(name="episode_number", condition=Q(number__gt=0)),
        ]
        indexes = [models.Index(name="episode_by_age", fields=["project", "-created_at", "-id"])]

    def __str__(self) -> str:
        return f"{self.number} {self.title}".rstrip()

    @property
    def status(self) -> EpisodeStatus:
        """What its job is at; else whether anything has been extracted from it."""
        if self.job and self.job.status in ACTIVE:
            return EpisodeStatus.ANALYSING
        if self.job and self.job.status == JobStatus.FAILED:
            return EpisodeStatus.FAILED
        return EpisodeStatus.COMPLETED if self.extracted_at else EpisodeStatus.PENDING
