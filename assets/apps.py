"""Scripts, characters, props and scenes, and what is generated of them: knows videos and jobs."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = _("Assets")

    def ready(self) -> None:
        from assets import checks, tasks  # noqa: F401  every process knows every kind, also one that only sends
