"""What was extracted from episodes: by whom, what was found, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assets.models.assets import Asset, Kind
from assets.models.episodes import Episode
from jobs.models import Batch, Job
from videos.models import Project


class ExtractionStatus(models.TextChoices):
    """How an extraction ended."""

    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")


class Extraction(models.Model):
    """One reading of one episode, good or bad; written when it ended, and never changed."""

    episode = models.ForeignKey(
        Episode, verbose_name=_("episode"), on_delete=models.CASCADE, related_name="extractions", db_index=False
    )
    job = models.ForeignKey(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    attempt = models.PositiveIntegerField(_("attempt"))
    model = models.CharField(_("model"), max_length=200, help_text=_("who did it: offline, or provider and model"))
    prompt_version = models.CharField(_("prompt"), max_length=80, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=ExtractionStatus.choices)
    error_code = models.CharField(_("error"), max_length=80, blank=True)
    error_message = models.TextField(_("what went wrong"), blank=True)
    answers = models.JSONField(
        _("raw answers"), default=list, blank=True, help_text=_("as the model gave them; kept of failures alone")
    )
    counts = models.JSONField(_("counts"), default=dict, blank=True, help_text=_("found and new, by kind"))
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    created_at = models.DateTimeField(_("ended"), auto_now_add=True)

    class Meta:
        verbose_name = _("extraction")
        verbose_name_plural = _("extractions")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="extraction_of_attempt", fields=["job", "attempt"]),
            models.CheckConstraint(
                name="extraction_failed_with_error",
                condition=Q(status=ExtractionStatus.COMPLETED.value, error_code="")
                | (Q(status=ExtractionStatus.FAILED.value) & ~Q(error_code="")),
            ),
        ]
        indexes = [models.Index(name="extraction_of_episode", fields=["episode", "-created_at", "-id"])]

    def __str__(self) -> str:
        return f"{self.episode_id}: {self.model}"


class PieceAnswer(models.Model):
    """What a model answered about one piece of a script, until all pieces are: it was paid for, and is not asked again.

    It is the job's, whichever attempt asked, and gone when the job is completed. Without data it has been asked, and
    nobody knows more.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+", db_index=False)
    question = models.CharField(max_length=64, help_text="SHA-256 of model, prompt and piece")
    data = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="piece_answer", fields=["job", "question"])]

    def __str__(self) -> str:
        return self.question[:12]


class Extracted(models.Model):
    """One finding of an extraction as it was found, and the asset that it became."""

    extraction = models.ForeignKey(Extraction, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=200)
    payload = models.JSONField(_("as it was found"))
    confidence = models.FloatField(_("confidence"), help_text=_("0 to 1"))
    first_line = models.PositiveIntegerField(_("first line"), null=True, blank=True)
    asset = models.ForeignKey(
        Asset,
        verbose_name=_("asset"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="extracted",
        help_text=_("what it became; that one may be merged into another since"),
    )
    new = models.BooleanField(_("new"), default=False, help_text=_("the asset was made of this finding"))

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="extracted_confidence", condition=Q(confidence__gte=0, confidence__lte=1))
        ]

    def __str__(self) -> str:
        return self.name


class ExtractionReport(models.Model):
    """Several episodes that were extracted as one batch, and how that ended."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="extraction_reports",
        db_index=False,
    )
    project = models.ForeignKey(
        Project,
        verbose_name=_("project"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="extraction_reports",
        help_text=_("empty: the episodes are of several"),
    )
    batch = models.OneToOneField(
        Batch, verbose_name=_("batch"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    model = models.CharField(_("model"), max_length=520, blank=True, help_text=_("or several, in their order"))
    digest = models.CharField(max_length=64, blank=True, default="", editable=False)  # of what was asked for
    episodes = models.JSONField(_("episodes"), default=list, help_text=_("their ids"))
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    failures = models.JSONField(_("failures"), default=list, blank=True)
    rounds = models.PositiveIntegerField(_("times ended"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("report of a batch")
        verbose_name_plural = _("reports of batches")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(name="extraction_report_by_owner", fields=["owner", "-created_at", "-id"])]

    def __str__(self) -> str:
        return str(self.pk)
