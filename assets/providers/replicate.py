"""Replicate's predictions, over its HTTP API v1.

Facts from its reference (replicate.com/docs/reference/http, …/topics/predictions). It knows no idempotency keys.
"""

from __future__ import annotations

import re
from typing import Any

from assets.providers.base import (
    ContentRejected,
    Done,
    ImageRequest,
    Pending,
    QuotaExceeded,
    Submitted,
    Usage,
    VideoRequest,
)
from assets.providers.failures import Dialect
from assets.providers.results import as_url, found
from assets.providers.service import Service, number, pending
from assets.providers.states import State, meaning
from assets.providers.wire import Effect, segment

_MODEL = re.compile(r"(?P<owner>[^/:]+)/(?P<name>[^/:]+)")


class Replicate(Service):
    """Pictures and clips. A model is `owner/name`, or `owner/name:version` of one that anybody published.

    Models name their inputs as they like: `parameters` set what differs from `prompt`, `width`, `height`, `image`,
    `duration`, and take away by None.
    """

    name = "replicate"
    dialect = Dialect(
        words={
            r"insufficient credit|spend limit": QuotaExceeded,
            r"\bNSFW\b|\bE005\b|flagged as sensitive|content (policy|moderation)": ContentRejected,
        },
        turns_away=True,
    )

    def submit_image(self, request: ImageRequest, /) -> Submitted:
        width, height = request.size or (None, None)
        references = [as_url(picture) for picture in request.references]
        image = (references[0] if len(references) == 1 else references) if references else None
        values = {"prompt": request.prompt, "width": width, "height": height, "image": image}
        return self._predict(
            self._model(request.model, self.endpoint.image_model), self._given(values, request.parameters)
        )

    def submit_video(self, request: VideoRequest, /) -> Submitted:
        width, height = request.size or (None, None)
        seconds = request.seconds
        values = {
            "prompt": request.prompt,
            "image": None if request.image is None else as_url(request.image),
            "duration": int(seconds) if seconds is not None and float(seconds).is_integer() else seconds,
            "width": width,
            "height": height,
        }
        return self._predict(
            self._model(request.model, self.endpoint.video_model), self._given(values, request.parameters)
        )

    def _predict(self, model: str, values: dict[str, Any]) -> Submitted:
        official = _MODEL.fullmatch(model)
        sent: dict[str, Any] = {"input": values}
        path = "/predictions"
        if official:
            path = f"/models/{segment(official['owner'])}/{segment(official['name'])}/predictions"
        else:
            sent["version"] = model
        body = self._asked("POST", path, effect=Effect.CREATE, seconds=self.patience.submit, json=sent)
        task = body.get("id")
        if not isinstance(task, str) or not task:
            raise self._unreadable(Effect.CREATE)
        return Submitted(provider_id=task)

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        body = self._looked(f"/predictions/{segment(provider_id)}", age_seconds=age_seconds)
        if body is None:
            return Pending(message="unseen")
        word = body.get("status")
        state = meaning(word)
        if state is State.WAITING:
            return pending(word)
        if state is not State.DONE:
            raise self._ended(state, body)
        metrics = body.get("metrics")
        seconds = number(metrics.get("predict_time")) if isinstance(metrics, dict) else 0.0
        return Done(results=self._with_files(found(body.get("output"))), usage=Usage(seconds=seconds))

    def cancel(self, provider_id: str, /) -> None:
        self._stopped("POST", f"/predictions/{segment(provider_id)}/cancel")
