"""The durable job engine; knows nothing of videos or assets."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        # Every process knows every kind, also one that only sends; and checks register themselves.
        from jobs import checks, schedule, tasks  # noqa: F401

        # Sent once for each app; the first one after the schedule's tables exist installs it.
        post_migrate.connect(schedule.install, dispatch_uid="jobs.schedule.install")
        post_migrate.connect(_install_limits, sender=self, dispatch_uid="jobs.limits.install")


def _install_limits(**_: Any) -> None:
    from jobs import limits

    limits.install()
