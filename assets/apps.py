"""Scripts, characters, props and scenes, and what is generated of them: knows videos and jobs."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AssetsConfig(AppConfig):
    name = "assets"
    verbose_name = _("Assets")

    def ready(self) -> None:
        # Every process knows every kind, also one that only sends; and what uploads may become.
        from assets import checks, tasks, uploaded  # noqa: F401
