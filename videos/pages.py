"""The pages: library and player. They show what is there and leave the rest to the API, live."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from videos.api.serializers import VideoSerializer
from videos.models import Video

Page = Callable[..., HttpResponse]

_ON_A_PAGE = 48
_POLICY = (
    "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def _videos(request: HttpRequest) -> QuerySet[Video]:
    mine = Video.objects.filter(owner_id=cast(User, request.user).pk, deleted_at__isnull=True)
    return mine.select_related("job").prefetch_related("renditions")


def _with_policy(page: Page) -> Page:
    """Have the browser run and load what is ours alone, should somebody's words ever become HTML after all.

    blob: is where hls.js puts the picture.
    """

    @functools.wraps(page)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = page(request, *args, **kwargs)
        response["Content-Security-Policy"] = _POLICY
        return response

    return answer


@require_safe
@login_required
@_with_policy
def library(request: HttpRequest) -> HttpResponse:
    """The user's videos, newest first, and the place to drop new ones."""
    before = request.GET.get("before", "")
    videos = _videos(request)
    if before.isascii() and before.isdigit() and len(before) <= 18:
        videos = videos.filter(pk__lt=int(before))
    shown = list(videos.order_by("-pk")[: _ON_A_PAGE + 1])
    context = {
        "videos": shown[:_ON_A_PAGE],
        "data": VideoSerializer(shown[:_ON_A_PAGE], many=True).data,
        "older": shown[_ON_A_PAGE - 1].pk if len(shown) > _ON_A_PAGE else None,
        "max_bytes": settings.JOINTO_VIDEOS.max_bytes,
    }
    return render(request, "videos/library.html", context)


@require_safe
@login_required
@_with_policy
def video(request: HttpRequest, pk: int) -> HttpResponse:
    """One video, playing."""
    found = get_object_or_404(_videos(request), pk=pk)
    return render(request, "videos/video.html", {"video": found, "data": VideoSerializer(found).data})
