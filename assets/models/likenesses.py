"""Assets that may be one and the same, and those that were made one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from assets.models.assets import Asset
from videos.models import Project


class LikenessState(models.TextChoices):
    """What was decided about two assets that look alike."""

    OPEN = "open", _("to be decided")
    MERGED = "merged", _("merged")
    KEPT_APART = "kept_apart", _("kept apart")


class Likeness(models.Model):
    """Two assets of a project that may be one, and what was decided; `first` has the smaller id."""

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.CASCADE, related_name="likenesses", db_index=False
    )
    first = models.ForeignKey(Asset, verbose_name=_("asset"), on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Asset, verbose_name=_("other asset"), on_delete=models.CASCADE, related_name="+")
    score = models.FloatField(_("score"), help_text=_("0 to 1"))
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=LikenessState.choices, default=LikenessState.OPEN.value)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("decided by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("empty: nobody yet, or by itself"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("likeness")
        verbose_name_plural = _("likenesses")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="likeness_of_pair", fields=["first", "second"]),
            models.CheckConstraint(name="likeness_in_order", condition=Q(first__lt=F("second"))),
            models.CheckConstraint(name="likeness_score", condition=Q(score__gte=0, score__lte=1)),
            models.CheckConstraint(
                name="likeness_decided", condition=Q(state=LikenessState.OPEN.value) | Q(decided_at__isnull=False)
            ),
        ]
        indexes = [models.Index(name="likeness_by_project", fields=["project", "state", "-created_at", "-id"])]

    def __str__(self) -> str:
        return f"{self.first_id} – {self.second_id}"


class Merge(models.Model):
    """One asset that was made part of another, with what is needed to take that back."""

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.CASCADE, related_name="merges", db_index=False
    )
    kept = models.ForeignKey(Asset, verbose_name=_("kept"), on_delete=models.CASCADE, related_name="merges")
    absorbed = models.ForeignKey(Asset, verbose_name=_("absorbed"), on_delete=models.CASCADE, related_name="merged")
    moved = models.JSONField(_("what was moved"), default=dict, blank=True)
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("empty: by itself"),
    )
    created_at = models.DateTimeField(_("merged"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("undone by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="merge_of_two", condition=~Q(kept=F("absorbed"))),
            models.UniqueConstraint(name="merge_once", fields=["absorbed"], condition=Q(undone_at__isnull=True)),
        ]
        indexes = [models.Index(name="merge_by_project", fields=["project", "-created_at", "-id"])]

    def __str__(self) -> str:
        return f"{self.absorbed_id} → {self.kept_id}"
