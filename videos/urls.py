"""The addresses of the pages, and of published files."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from videos import pages, serving

urlpatterns = [
    path("", pages.library, name="library"),
    path("videos/<int:pk>/", pages.video, name="video-page"),
    path(
        f"{settings.MEDIA_URL.strip('/')}/videos/<int:video_id>/<slug:folder>/<str:file>",
        serving.media,
        name="media",
    ),
    path(
        f"{settings.MEDIA_URL.strip('/')}/stills/<int:medium_id>/<slug:folder>/<str:file>",
        serving.still,
        name="still-file",
    ),
    path(
        f"{settings.MEDIA_URL.strip('/')}/exports/<int:project_id>/<uuid:job_id>.<slug:ending>",
        serving.export,
        name="export-file",
    ),
    path(
        f"{settings.MEDIA_URL.strip('/')}/drafts/<int:draft_id>/<uuid:job_id>.<slug:ending>",
        serving.draft,
        name="draft-file",
    ),
]
