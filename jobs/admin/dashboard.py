"""The operator's dashboard: how queues, workers and jobs fare at this moment, and how they did."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from jobs import control, journal, reports
from jobs.errors import JointoError
from jobs.models import Job

HOURS = (6, 24, 168)
"""How far back the dashboard looks, at choice."""

_REFRESH_SECONDS = 2

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Job]
else:
    _Base = object


class Dashboard(_Base):
    """Adds the dashboard to the admin of jobs, as `admin:jobs_dashboard`; for who may look at jobs."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        own: list[URLPattern] = [
            path("dashboard/", site(require_GET(self.dashboard)), name="jobs_dashboard"),
            path("dashboard/data/", site(require_GET(self.dashboard_data)), name="jobs_dashboard_data"),
            path("dashboard/queue/", site(require_POST(self.dashboard_queue)), name="jobs_dashboard_queue"),
        ]
        return own + super().get_urls()

    def dashboard(self, request: HttpRequest) -> HttpResponse:
        """The page; a script fills it, and keeps it up to date."""
        self._may_look(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Dashboard"),
            "opts": self.opts,
            "settings": self._settings(request),
            "hours": HOURS,
        }
        return TemplateResponse(request, "admin/jobs/dashboard.html", context)

    def dashboard_data(self, request: HttpRequest) -> HttpResponse:
        """The numbers, as of now."""
        self._may_look(request)
        asked = request.GET.get("hours", "")
        journal.book_quietly()
        report = reports.report(hours=int(asked) if asked in map(str, HOURS) else 24)
        return never_cache(lambda _: JsonResponse(report))(request)

    def dashboard_queue(self, request: HttpRequest) -> HttpResponse:
        """Pause or resume a queue."""
        self._may_look(request)
        if not _may_pause(request):
            raise PermissionDenied
        act = control.pause if request.POST.get("paused") == "yes" else control.resume
        try:
            act(request.POST.get("queue", ""), by=request.user.get_username())
        except JointoError as error:
            told = {"code": error.code, "message": error.message, "details": error.details}
            return JsonResponse({"error": told}, status=error.status)
        return JsonResponse({"paused": act is control.pause})

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _settings(self, request: HttpRequest) -> dict[str, Any]:
        """What the page's script has to know."""
        nobody = uuid.UUID(int=0)
        return {
            "refresh_seconds": _REFRESH_SECONDS,
            "may_pause": _may_pause(request),
            "no_job": str(nobody),
            "urls": {
                "data": reverse("admin:jobs_dashboard_data", current_app=self.admin_site.name),
                "queue": reverse("admin:jobs_dashboard_queue", current_app=self.admin_site.name),
                "job": reverse("admin:jobs_job_change", args=[nobody], current_app=self.admin_site.name),
                "jobs": reverse("admin:jobs_job_changelist", current_app=self.admin_site.name),
                "letters": reverse("admin:jobs_deadletter_changelist", current_app=self.admin_site.name),
            },
        }


def _may_pause(request: HttpRequest) -> bool:
    return request.user.has_perm("jobs.change_queue")
