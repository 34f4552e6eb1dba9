"""Pictures and clips that were made of words."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assets.models.assets import Asset
from jobs.models import Job
from videos.models import Medium, Project, Video


class GenerationKind(models.TextChoices):
    """What is made, and of what."""

    IMAGE = "image", _("picture")
    TEXT_TO_VIDEO = "text2video", _("clip of words")
    IMAGE_TO_VIDEO = "img2video", _("clip of a picture")


class GenerationState(models.TextChoices):
    """How far it is. What is being submitted may have been: that is not done again without a person."""

    QUEUED = "queued", _("queued")
    SUBMITTING = "submitting", _("being submitted")
    SUBMITTED = "submitted", _("submitted")
    DOWNLOADING = "downloading", _("being downloaded")
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")
    AMBIGUOUS = "ambiguous", _("perhaps submitted")
    CANCELLED = "cancelled", _("cancelled")


class Generation(models.Model):
    """One picture or clip: what was asked for, where it stands with its provider, and what came of it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="generations",
        db_index=False,
    )
    project = models.ForeignKey(
        Project, verbose_name=_("project"), null=True, blank=True, on_delete=models.CASCADE, related_name="generations"
    )
    asset = models.ForeignKey(
        Asset, verbose_name=_("asset"), null=True, blank=True, on_delete=models.SET_NULL, related_name="generations"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=GenerationKind.choices)
    provider = models.CharField(_("provider"), max_length=40, blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    prompt = models.TextField(_("prompt"), blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    job = models.OneToOneField(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(
        _("state"), max_length=12, choices=GenerationState.choices, default=GenerationState.QUEUED.value
    )
    request_key = models.CharField(
        _("key of the order"), max_length=40, blank=True, help_text=_("by which a provider may know it again")
    )
    provider_id = models.TextField(_("id at the provider"), blank=True)
    submit_started_at = models.DateTimeField(_("submission begun"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    results = models.JSONField(_("results"), default=list, blank=True, help_text=_("where the provider keeps them"))
    result_name = models.CharField(
        _("file"), max_length=200, blank=True, help_text=_("below the media root; empty: none yet")
    )
    medium = models.ForeignKey(
        Medium, verbose_name=_("picture"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    video = models.ForeignKey(
        Video, verbose_name=_("clip"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    usage = models.JSONField(_("usage"), default=dict, blank=True)
    cost = models.DecimalField(_("cost in USD"), max_digits=12, decimal_places=6, null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=80, blank=True)
    error_message = models.TextField(_("what went wrong"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="generation_file", fields=["result_name"], condition=~Q(result_name="")),
            models.CheckConstraint(
                name="generation_completed_with_file",
                condition=~Q(state=GenerationState.COMPLETED.value) | ~Q(result_name=""),
            ),
            models.CheckConstraint(
                name="generation_submitted_once",
                condition=Q(state__in=[GenerationState.QUEUED.value, GenerationState.CANCELLED.value])
                | Q(state=GenerationState.FAILED.value)
                | Q(submit_started_at__isnull=False),
            ),
        ]
        indexes = [models.Index(name="generation_by_owner", fields=["owner", "-created_at", "-id"])]

    def __str__(self) -> str:
        return self.prompt[:60] or str(self.pk)
