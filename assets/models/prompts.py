"""What language models are told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Prompt(models.Model):
    """One version of a prompt that an operator has written; while it is active, it goes before the file of the name."""

    name = models.CharField(_("name"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"))
    active = models.BooleanField(_("active"), default=False, help_text=_("at most one version of a prompt is"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        ordering = ["name", "-version"]
        constraints = [
            models.UniqueConstraint(name="prompt_version", fields=["name", "version"]),
            models.UniqueConstraint(name="prompt_active", fields=["name"], condition=Q(active=True)),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
