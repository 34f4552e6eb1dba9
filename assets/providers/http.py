"""The plain protocol, for services that people write themselves: one request, and the answer says where the file is.

    POST {base}/generate-image {"prompt", "model", "size": [w, h], "references": [...]}                → {"image_url"}
    POST {base}/generate-video {"prompt", "model", "image_url", "seconds", "size", "video_type"}       → {"video_url"}

with a bearer key. Every request has the header Idempotency-Key: a service that keeps to it makes the same thing once,
however often it is asked. As it need not, a lost answer is not asked for again all the same. An order that it turns
away before any work it answers with 429, or with the code `unavailable` in JSON: a bare 503 may be of a router that
stopped waiting for it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from assets.providers.base import (
    ContentRejected,
    Done,
    GenerationLost,
    ImageRequest,
    Pending,
    QuotaExceeded,
    Result,
    Submitted,
    Unavailable,
    Usage,
    VideoRequest,
)
from assets.providers.failures import Dialect
from assets.providers.results import as_url, found
from assets.providers.service import Service
from assets.providers.settings import Endpoint
from assets.providers.wire import Effect


class Http(Service):
    """Pictures and clips."""

    name = "http"
    dialect = Dialect(
        codes={
            **dict.fromkeys(("quota_exceeded", "insufficient_quota"), QuotaExceeded),
            **dict.fromkeys(("content_rejected", "content_policy_violation"), ContentRejected),
            "unavailable": Unavailable,
        }
    )

    @classmethod
    def needs_key(cls, endpoint: Endpoint) -> bool:
        """Beside Jointo, on the same machine, it may go without."""
        return False

    def submit_image(self, request: ImageRequest, /) -> Submitted:
        values = {
            "prompt": request.prompt,
            "model": request.model or self.endpoint.image_model or None,
            "size": list(request.size) if request.size else None,
            "references": [as_url(picture) for picture in request.references] or None,
        }
        sent = self._given(values, request.parameters)
        return self._made("image", sent, request, usage=Usage(images=1))

    def submit_video(self, request: VideoRequest, /) -> Submitted:
        values = {
            "prompt": request.prompt,
            "model": request.model or self.endpoint.video_model or None,
            "video_type": "text2video" if request.image is None else "img2video",
            "image_url": None if request.image is None else as_url(request.image),
            "seconds": request.seconds,
            "size": list(request.size) if request.size else None,
        }
        sent = self._given(values, request.parameters)
        usage = Usage(seconds=request.seconds or 0.0)
        return self._made("video", sent, request, usage=usage)

    def longest(self, request: ImageRequest | VideoRequest, /) -> float:
        return self.patience.image if isinstance(request, ImageRequest) else self.patience.video

    def _made(
        self, what: str, sent: dict[str, Any], request: ImageRequest | VideoRequest, *, usage: Usage
    ) -> Submitted:
        headers = {"idempotency-key": request.request_id} if request.request_id else {}
        path, seconds = f"/generate-{what}", self.longest(request)
        body = self._asked("POST", path, effect=Effect.CREATE, seconds=seconds, json=sent, headers=headers)
        url = body.get(f"{what}_url")
        if isinstance(url, str) and url and not url.startswith("data:"):
            results: tuple[Result, ...] = (Result(url=_whole(f"{self.wire.base_url}{path}", url)),)
        else:
            results = found(url)
        return Submitted(provider_id="", results=self._with_files(results), usage=usage)

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        raise GenerationLost(provider=self.name)  # it answers at once: there is never anything to ask for

    def cancel(self, provider_id: str, /) -> None:
        """The protocol knows no such thing."""


def _whole(base: str, url: str) -> str:
    """The URL, also where only its path was given. One that makes no sense stays, for the download to refuse."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url
