"""Generated pictures and clips as files, for their owner alone."""

from __future__ import annotations

from pathlib import Path

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from assets.models import Generation
from videos import serving, storage


@require_safe
async def generated(request: HttpRequest, folder: str, name: str) -> HttpResponseBase:
    """A generated picture or clip of the user's own; 404 for anybody else's."""
    path = await sync_to_async(_path)(request, f"ai-generated/{folder}/{name}")
    return await serving.answer(request, path)


def _path(request: HttpRequest, name: str) -> Path:
    owner = serving.user_id(request)
    if owner is None or not Generation.objects.filter(result_name=name, owner_id=owner).exists():
        raise Http404
    return serving.servable(storage.path_of(name))
