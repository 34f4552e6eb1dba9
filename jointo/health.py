"""Whether the web process lives, and whether it can serve."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from jobs import health


@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers: restart it if this fails."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """It can serve: send it traffic. A broker or workers that are away make it degraded, not unready: what is
    accepted meanwhile waits in the database."""
    report = health.report()
    folders = [settings.MEDIA_ROOT, settings.UPLOADS_DIR, settings.SCRATCH_DIR]
    report["storage"] = all(_writable(Path(folder)) for folder in folders)
    serving = report["database"] and report["storage"]
    whole = serving and report["broker"] and report["workers"]
    status = "ok" if whole else "degraded" if serving else "unavailable"
    return JsonResponse({"status": status, **report}, status=200 if serving else 503)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
