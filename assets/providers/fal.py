"""fal's queue.

Facts from its reference (fal.ai/docs/api-reference/inference-api, …/request-errors) and its client 1.0. It knows no
idempotency keys. The queue itself tries again what fails for reasons of its machines, and does not charge that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from assets.providers import failures
from assets.providers.base import (
    ContentRejected,
    Done,
    GenerationCancelled,
    GenerationFailed,
    GenerationLost,
    ImageRequest,
    InvalidRequest,
    Pending,
    ProviderError,
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
from assets.providers.wire import Answer, Effect

_FILES = ("images", "image", "video", "videos")
_PART = re.compile(r"[A-Za-z0-9_.-]+")
_ID = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){1,2}/requests/[A-Za-z0-9_.-]+")
_DOTS = re.compile(r"(^|/)\.+(/|$)")


class Fal(Service):
    """Pictures and clips. A model is `owner/app` or `owner/app/path`; `parameters` are as the model names them."""

    name = "fal"
    dialect = Dialect(
        codes={
            **dict.fromkeys(("content_policy_violation", "face_detection_error"), ContentRejected),
            "client_cancelled": GenerationCancelled,
        },
        words={r"exhausted balance|insufficient (credit|balance|funds)": QuotaExceeded},  # with 403: "User is locked"
        turns_away=True,
    )

    def _signed(self, key: str) -> Mapping[str, str]:
        return {"authorization": f"Key {key}"}

    def submit_image(self, request: ImageRequest, /) -> Submitted:
        references = [as_url(picture) for picture in request.references]
        values = {
            "prompt": request.prompt,
            "image_size": {"width": request.size[0], "height": request.size[1]} if request.size else None,
            "image_url": references[0] if len(references) == 1 else None,
            "image_urls": references if len(references) > 1 else None,
        }
        return self._queued(
            self._model(request.model, self.endpoint.image_model), self._given(values, request.parameters)
        )

    def submit_video(self, request: VideoRequest, /) -> Submitted:
        values = {
            "prompt": request.prompt,
            "image_url": None if request.image is None else as_url(request.image),
            "duration": None if request.seconds is None else f"{request.seconds:g}",
        }
        return self._queued(
            self._model(request.model, self.endpoint.video_model), self._given(values, request.parameters)
        )

    def _queued(self, model: str, values: dict[str, Any]) -> Submitted:
        parts = model.split("/")
        if len(parts) < 2 or not all(map(_PART.fullmatch, parts)) or _DOTS.search(model):
            raise InvalidRequest("A model of this AI service is written owner/name.", provider=self.name)
        body = self._asked("POST", f"/{model}", effect=Effect.CREATE, seconds=self.patience.submit, json=values)
        request_id = body.get("request_id")
        if not isinstance(request_id, str) or not _PART.fullmatch(request_id):
            raise self._unreadable(Effect.CREATE)
        return Submitted(provider_id=self._place(body.get("response_url"), parts, request_id))

    def _place(self, url: Any, parts: list[str], request_id: str) -> str:
        """The path that the request is asked for at: on the service's own host, as the key goes there."""
        try:
            said = urlsplit(url if isinstance(url, str) else "").path
        except ValueError:
            said = ""
        inside = said.removeprefix(urlsplit(self.wire.base_url).path).strip("/")
        if _ID.fullmatch(inside) and not _DOTS.search(inside):
            return inside
        return f"{parts[0]}/{parts[1]}/requests/{request_id}"

    def _path(self, provider_id: str) -> str:
        if not _ID.fullmatch(provider_id) or _DOTS.search(provider_id):
            raise GenerationLost(provider=self.name)
        return f"/{provider_id}"

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        path = self._path(provider_id)
        body = self._looked(f"{path}/status", age_seconds=age_seconds)
        if body is None:
            return Pending(message="unseen")
        state = meaning(body.get("status"))
        if state is State.WAITING:
            return pending(body.get("status"))
        if state is not State.DONE or body.get("error"):
            raise self._undone(state, body)
        answer = self.wire.send("GET", path, effect=Effect.LOOK, seconds=self.patience.poll)
        if not answer.ok:
            raise self._of_result(answer)
        return self._done(answer)

    def _done(self, answer: Answer) -> Done:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, Mapping):
            raise self._unreadable(Effect.LOOK)
        flags = body.get("has_nsfw_concepts")
        if isinstance(flags, list) and flags and all(flag is True for flag in flags):
            raise ContentRejected(provider=self.name)  # what it gives then is a black picture
        results = self._with_files(found([body.get(name) for name in _FILES if name in body] or dict(body)))
        images = len(results) if "images" in body or "image" in body else 0
        video = body.get("video")
        seconds = number(video.get("duration")) if isinstance(video, Mapping) else 0.0  # few models say it
        return Done(results=results, usage=Usage(images=images, seconds=seconds))

    def _undone(self, state: State, body: Mapping[str, Any]) -> ProviderError:
        if self.dialect.meaning(body) is GenerationCancelled:
            state = State.CANCELLED
        return self._ended(state, body)

    def _of_result(self, answer: Answer) -> ProviderError:
        """A finished request whose result is an error: the model's, or one on the way to it."""
        on_the_way = answer.headers.get("x-fal-error-type", "") == "" and answer.status >= 500
        if answer.status == 429 or on_the_way:
            return failures.failure(answer, self.wire, effect=Effect.LOOK, dialect=self.dialect)
        error = failures.failure(answer, self.wire, effect=Effect.LOOK, dialect=self.dialect)
        if isinstance(error, Unavailable):
            return GenerationFailed(provider=self.name, said=error.said)
        return error

    def cancel(self, provider_id: str, /) -> None:
        self._stopped("PUT", f"{self._path(provider_id)}/cancel")
