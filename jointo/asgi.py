"""What the web server runs."""

from __future__ import annotations

import os
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jointo.settings")
_django = get_asgi_application()

from django.conf import settings  # noqa: E402  Django is set up by the line above

from jointo.chunks import ChunkDoor  # noqa: E402
from jointo.limits import Application, BodyLimit  # noqa: E402

application = ChunkDoor(
    BodyLimit(cast(Application, _django), max_bytes=settings.REQUEST_MAX_BYTES),
    chunk_bytes=settings.JOINTO_VIDEOS.chunk_bytes,
)
