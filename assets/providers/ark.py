"""Volcengine Ark: pictures by Seedream, clips by Seedance.

Facts from its reference (volcengine.com/docs/82379) and from volcengine-ark-runtime 5.0. Its tasks know no idempotency
keys; the URLs of what is made live for 24 hours.
"""

from __future__ import annotations

from typing import Any

from assets.providers.base import (
    ContentRejected,
    Done,
    ImageRequest,
    Pending,
    QuotaExceeded,
    Submitted,
    Unavailable,
    Usage,
    VideoRequest,
)
from assets.providers.failures import Dialect
from assets.providers.results import as_url, found
from assets.providers.service import Service, number, pending
from assets.providers.states import State, meaning
from assets.providers.wire import Effect, segment

_TASKS = "/contents/generations/tasks"


_REFUSED = tuple(
    f"{side}{what}{why}"
    for side in ("Input", "Output")
    for what in ("Text", "Image", "Video", "Audio")
    for why in ("SensitiveContentDetected", "RiskDetection")
)


class Ark(Service):
    """Pictures at once; clips by tasks. Clips are sized by `parameters`: `resolution` ("720p") and `ratio` ("16:9")."""

    name = "ark"
    dialect = Dialect(
        codes={
            **dict.fromkeys(("AccountOverdueError", "QuotaExceeded", "SetLimitExceeded"), QuotaExceeded),
            **dict.fromkeys(("SensitiveContentDetected", *_REFUSED), ContentRejected),
            "ServerOverloaded": Unavailable,  # a 429 that is not ours
        },
        turns_away=True,
    )

    def submit_image(self, request: ImageRequest, /) -> Submitted:
        references = [as_url(picture) for picture in request.references]
        values = {
            "model": self._model(request.model, self.endpoint.image_model),
            "prompt": request.prompt,
            "size": f"{request.size[0]}x{request.size[1]}" if request.size else None,
            "image": (references[0] if len(references) == 1 else references) if references else None,
            "response_format": "url",
        }
        sent = self._given(values, request.parameters)
        body = self._asked("POST", "/images/generations", effect=Effect.CREATE, seconds=self.patience.image, json=sent)
        results = self._with_files(found(body.get("data")))
        return Submitted(provider_id="", results=results, usage=Usage(images=len(results)))

    def longest(self, request: ImageRequest | VideoRequest, /) -> float:
        return self.patience.image if isinstance(request, ImageRequest) else self.patience.submit

    def submit_video(self, request: VideoRequest, /) -> Submitted:
        content: list[dict[str, Any]] = [{"type": "text", "text": request.prompt}] if request.prompt else []
        if request.image is not None:
            content.append({"type": "image_url", "image_url": {"url": as_url(request.image)}, "role": "first_frame"})
        values = {
            "model": self._model(request.model, self.endpoint.video_model),
            "content": content,
            "duration": None if request.seconds is None else round(request.seconds),
        }
        sent = self._given(values, request.parameters)
        body = self._asked("POST", _TASKS, effect=Effect.CREATE, seconds=self.patience.submit, json=sent)
        task = body.get("id")
        if not isinstance(task, str) or not task:
            raise self._unreadable(Effect.CREATE)
        return Submitted(provider_id=task)

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        body = self._looked(f"{_TASKS}/{segment(provider_id)}", age_seconds=age_seconds)
        if body is None:
            return Pending(message="unseen")
        word = body.get("status")
        state = meaning(word)
        if state is State.WAITING:
            return pending(word)
        if state is not State.DONE:
            raise self._ended(state, body)
        content, usage = body.get("content"), body.get("usage")
        results = found(content.get("video_url")) if isinstance(content, dict) else ()
        tokens = number(usage.get("completion_tokens")) if isinstance(usage, dict) else 0.0
        return Done(
            results=self._with_files(results),
            usage=Usage(output_tokens=int(tokens), seconds=number(body.get("duration"))),
        )

    def cancel(self, provider_id: str, /) -> None:
        """Takes it out of the queue; what runs already can't be stopped there."""
        if provider_id:
            self._stopped("DELETE", f"{_TASKS}/{segment(provider_id)}")
