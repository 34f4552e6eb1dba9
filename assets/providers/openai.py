"""OpenAI's chat completions, pictures and clips, and all that speaks like it (Ollama, vLLM, DeepSeek, resellers …).

Facts from its reference, and from its SDK for Python 3.54 (docs/decisions/0021). OpenAI itself makes no clips any more;
services that are compatible still do, at `/videos`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from assets.providers import answers, failures
from assets.providers.base import (
    ContentRejected,
    Done,
    ImageRequest,
    InvalidRequest,
    Pending,
    Picture,
    QuotaExceeded,
    Result,
    Submitted,
    TextAnswer,
    TextRequest,
    Unavailable,
    Usage,
    VideoRequest,
)
from assets.providers.failures import Dialect
from assets.providers.results import found, media_type
from assets.providers.service import Service, number, pending
from assets.providers.settings import Endpoint, ProviderSettings
from assets.providers.states import State, meaning
from assets.providers.wire import Effect, segment

_HOME = "api.openai.com"
_FORMATS = ("response_format", "json_schema", "structured output")
_AS_JSON = "Answer with one JSON object that keeps to this JSON Schema, and with nothing else:"
_USED_UP = (  # 429s that no waiting helps against
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
)


def is_home(endpoint: Endpoint) -> bool:
    """Whether it is OpenAI itself, and not something that speaks like it."""
    return httpx.URL(endpoint.base_url).host == _HOME


class OpenAI(Service):
    """Text, pictures; clips where the service at the base URL makes them."""

    name = "openai"
    dialect = Dialect(
        codes={
            **dict.fromkeys(_USED_UP, QuotaExceeded),
            **dict.fromkeys(("content_policy_violation", "moderation_blocked", "content_filter"), ContentRejected),
            "server_is_overloaded": Unavailable,
        }
    )

    def __init__(self, endpoint: Endpoint, settings: ProviderSettings) -> None:
        super().__init__(endpoint, settings)
        self._is_home = is_home(endpoint)
        self.dialect = replace(self.dialect, turns_away=self._is_home)  # of others nobody knows what a 503 means
        self._plain: set[str] = set()  # models whose service is known not to hold them to a schema

    @classmethod
    def needs_key(cls, endpoint: Endpoint) -> bool:
        """A server of one's own mostly asks for none."""
        return is_home(endpoint)

    def complete(self, request: TextRequest, /) -> TextAnswer:
        model = self._model(request.model, self.endpoint.text_model)
        body = self._chat(model, request)
        choices = body.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, Mapping) else None
        if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
            raise self._unreadable(Effect.ASK)
        usage = _usage(body.get("usage"))
        refusal = message.get("refusal")
        if refusal or choice.get("finish_reason") == "content_filter":
            said = self.wire.clean(refusal) if isinstance(refusal, str) else ""
            raise ContentRejected(provider=self.name, said=said, usage=usage)
        content = message.get("content")
        answer = TextAnswer(
            text=content if isinstance(content, str) else "", model=str(body.get("model") or model), usage=usage
        )
        cut = choice.get("finish_reason") == "length"
        return answers.validated(answer, request.schema, provider=self.name, cut=cut)

    def _chat(self, model: str, request: TextRequest) -> Mapping[str, Any]:
        """Asks with a schema; where that is refused, before any work, for any JSON, with the schema in words."""
        if model not in self._plain:
            schema = {"name": request.schema_name, "strict": True, "schema": answers.for_models(request.schema)}
            try:
                return self._sent(model, request, request.system, {"type": "json_schema", "json_schema": schema})
            except InvalidRequest as error:
                if self._is_home or not any(word in error.said for word in _FORMATS):
                    raise
                self._plain.add(model)
        system = f"{request.system}\n\n{_AS_JSON}\n{json.dumps(request.schema, ensure_ascii=False)}"
        return self._sent(model, request, system, {"type": "json_object"})

    def _sent(self, model: str, request: TextRequest, system: str, form: Mapping[str, Any]) -> Mapping[str, Any]:
        body = {
            "model": model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": request.prompt}],
            "response_format": form,
            # The older name is what compatible services know; OpenAI's newer models refuse it.
            "max_completion_tokens" if self._is_home else "max_tokens": request.max_tokens,
        }
        return self._asked("POST", "/chat/completions", effect=Effect.ASK, seconds=self.patience.text, json=body)

    def submit_image(self, request: ImageRequest, /) -> Submitted:
        size = f"{request.size[0]}x{request.size[1]}" if request.size else None
        model = self._model(request.model, self.endpoint.image_model)
        body = self._given({"model": model, "prompt": request.prompt, "n": 1, "size": size}, request.parameters)
        if not request.references:
            return self._image("/images/generations", json=body)
        files = [("image[]", self._file(picture, number)) for number, picture in enumerate(request.references)]
        return self._image("/images/edits", form=_fields(body), files=files)

    def _image(self, path: str, **sent: Any) -> Submitted:
        body = self._asked("POST", path, effect=Effect.CREATE, seconds=self.patience.image, **sent)
        results = self._with_files(found(body.get("data")))
        return Submitted(provider_id="", results=results, usage=_usage(body.get("usage"), images=len(results)))

    def longest(self, request: ImageRequest | VideoRequest, /) -> float:
        return self.patience.image if isinstance(request, ImageRequest) else self.patience.submit

    def _file(self, picture: Picture, number: int) -> tuple[str, bytes, str]:
        if isinstance(picture, str):
            raise InvalidRequest("This AI service takes references as files, not as URLs.", provider=self.name)
        kind = media_type(picture)
        return f"reference-{number}.{kind.rpartition('/')[2]}", picture, kind

    def submit_video(self, request: VideoRequest, /) -> Submitted:
        if self._is_home:
            sentence = "OpenAI makes no clips any more: choose another service, or set the base URL of one that does."
            raise InvalidRequest(sentence, provider=self.name)
        values: dict[str, Any] = {
            "model": self._model(request.model, self.endpoint.video_model),
            "prompt": request.prompt,
            "seconds": None if request.seconds is None else f"{request.seconds:g}",
            "size": f"{request.size[0]}x{request.size[1]}" if request.size else None,
            "input_reference[image_url]": request.image if isinstance(request.image, str) else None,
        }
        form = _fields(self._given(values, request.parameters))
        image = [("input_reference", self._file(request.image, 0))] if isinstance(request.image, bytes) else []
        seconds = self.patience.submit
        body = self._asked("POST", "/videos", effect=Effect.CREATE, seconds=seconds, form=form, files=image)
        task = body.get("id")
        if not isinstance(task, str) or not task:
            raise self._unreadable(Effect.CREATE)
        return Submitted(provider_id=task)

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        path = f"/videos/{segment(provider_id)}"
        body = self._looked(path, age_seconds=age_seconds)
        if body is None:
            return Pending(message="unseen")
        state = meaning(body.get("status"))
        if state is State.WAITING:
            return pending(body.get("status"), body.get("progress"))
        if state is not State.DONE:
            raise self._ended(state, body)
        results = found([body.get("url"), body.get("video_url"), body.get("output"), body.get("video")])
        return Done(results=results or (self._content(path),), usage=Usage(seconds=_seconds(body.get("seconds"))))

    def _content(self, path: str) -> Result:
        """The clip itself: only who has the key is given it."""
        headers = {"accept": "video/mp4"}
        path = f"{path}/content"
        answer = self.wire.send("GET", path, effect=Effect.LOOK, seconds=self.patience.image, headers=headers)
        if answer.status == 404:
            raise Unavailable(provider=self.name)  # finished, and not laid out yet
        if not answer.ok:
            raise failures.failure(answer, self.wire, effect=Effect.LOOK, dialect=self.dialect)
        return Result(data=answer.body, media_type=answer.headers.get("content-type", ""))

    def cancel(self, provider_id: str, /) -> None:
        if provider_id:
            self._stopped("DELETE", f"/videos/{segment(provider_id)}")


def _fields(values: Mapping[str, Any]) -> dict[str, str]:
    """As the fields of a form; the service takes these nowhere as JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _usage(said: Any, *, images: int = 0) -> Usage:
    """Tokens under the names of chats (prompt, completion), or of pictures (input, output)."""
    said = said if isinstance(said, Mapping) else {}
    read = number(said.get("prompt_tokens")) or number(said.get("input_tokens"))
    written = number(said.get("completion_tokens")) or number(said.get("output_tokens"))
    return Usage(input_tokens=int(read), output_tokens=int(written), images=images)


def _seconds(said: Any) -> float:
    try:
        return number(float(said))
    except (TypeError, ValueError):
        return 0.0
