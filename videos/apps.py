"""Uploads, processing, playing: knows jobs, and nothing of scripts and assets."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VideosConfig(AppConfig):
    name = "videos"
    verbose_name = _("Videos")

    def ready(self) -> None:
        from videos import checks, tasks  # noqa: F401  every process knows every kind, also one that only sends
