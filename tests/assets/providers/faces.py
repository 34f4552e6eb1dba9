"""All that the services can be asked for, one after the other: what the conformance suite is run over."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from assets.providers import registry
from assets.providers.base import (
    AmbiguousSubmit,
    AnswerLost,
    Done,
    ImageRequest,
    MediaProvider,
    Pending,
    ProviderError,
    Result,
    Submitted,
    TextAnswer,
    TextRequest,
    VideoRequest,
)
from assets.providers.settings import Downloading, Endpoint, Patience, ProviderSettings
from tests.assets.providers.making import ArkService, FalService, HttpService, ReplicateService
from tests.assets.providers.serving import KEY, Service
from tests.assets.providers.speaking import AnthropicService, OpenAIService

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["scenes"],
    "properties": {
        "scenes": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["place"],
                "properties": {"place": {"type": "string"}},
            },
        }
    },
}
TEXT = TextRequest(system="Read.", prompt="INT. 客厅 - NIGHT", schema=SCHEMA, schema_name="breakdown", model="m-1")
IMAGE = ImageRequest(prompt="a door", model="owner/name", size=(640, 360), request_id="job-1")
VIDEO = VideoRequest(prompt="a door opens", model="owner/name", seconds=4, request_id="job-1")

Made = TextAnswer | Submitted


@dataclass(frozen=True)
class Face:
    """One thing that one service does."""

    provider: str
    kind: str  # text, image, video
    service: Callable[[], Service]
    tasks: bool = False  # it takes the order, and is asked later

    @property
    def id(self) -> str:
        return f"{self.provider}-{self.kind}"

    @property
    def lost(self) -> type[ProviderError]:
        """What is said of an order whose answer did not come."""
        return AnswerLost if self.kind == "text" else AmbiguousSubmit

    def order(self, settings: ProviderSettings) -> Made:
        if self.kind == "text":
            return registry.text_provider(self.provider, settings).complete(TEXT)
        provider = self.media(settings)
        model = "fal-ai/seedance" if self.provider == "fal" and self.kind == "video" else IMAGE.model
        if self.kind == "image":
            return provider.submit_image(replace(IMAGE, model="fal-ai/flux" if self.provider == "fal" else model))
        return provider.submit_video(replace(VIDEO, model=model))

    def media(self, settings: ProviderSettings) -> MediaProvider:
        return registry.media_provider(self.provider, settings, folder=Path("nowhere"))

    def finished(self, settings: ProviderSettings, *, looks: int = 20) -> tuple[Result, ...]:
        """What is made in the end."""
        made = self.order(settings)
        assert isinstance(made, Submitted)
        return made.results or self.waited(settings, made, looks=looks).results

    def waited(self, settings: ProviderSettings, made: Submitted, *, looks: int = 20) -> Done:
        for _ in range(looks):
            told = self.media(settings).poll(made.provider_id, age_seconds=0)
            if isinstance(told, Done):
                return told
            assert isinstance(told, Pending)
        raise AssertionError(f"still not done after {looks} looks")


FACES = (
    Face("anthropic", "text", AnthropicService),
    Face("openai", "text", OpenAIService),
    Face("openai", "image", OpenAIService),
    Face("openai", "video", OpenAIService, tasks=True),
    Face("http", "image", HttpService),
    Face("http", "video", HttpService),
    Face("replicate", "image", ReplicateService, tasks=True),
    Face("replicate", "video", ReplicateService, tasks=True),
    Face("fal", "image", FalService, tasks=True),
    Face("fal", "video", FalService, tasks=True),
    Face("ark", "image", ArkService),
    Face("ark", "video", ArkService, tasks=True),
)


def faces(which: Callable[[Face], bool] = lambda face: True) -> pytest.MarkDecorator:
    """Runs a test over all of these."""
    chosen = [face for face in FACES if which(face)]
    return pytest.mark.parametrize("face", chosen, ids=[face.id for face in chosen])


def settings_for(service: Service | str, provider: str, *, key: str = KEY, **patience: float) -> ProviderSettings:
    """Patient enough for a busy machine, if nothing else is said."""
    url = service if isinstance(service, str) else service.url
    endpoint = Endpoint(base_url=url, key=SecretStr(key), text_model="m", image_model="o/n", video_model="o/n")
    waits = {"text": 60.0, "submit": 60.0, "image": 60.0, "video": 60.0, "poll": 60.0, **patience}
    inner = () if isinstance(service, str) else (service.host,)
    return ProviderSettings(
        endpoints={provider: endpoint},
        patience=Patience(connect=20.0, **waits),  # type: ignore[arg-type]
        downloading=Downloading(waits=(0.0, 0.0, 0.0), seconds=60.0, inner_hosts=inner, image_bytes=10_000),
    )


def refused(order: Callable[[], object], kind: type[ProviderError], log: pytest.LogCaptureFixture) -> ProviderError:
    """The error that comes of it, exactly of that class; nothing about it, and nothing logged, holds the key."""
    log.set_level(logging.DEBUG)
    with pytest.raises(ProviderError) as caught:
        order()
    error = caught.value
    assert type(error) is kind, f"{type(error).__name__}: {error}"
    told = [*traceback.format_exception(error), repr(error), str(error.details), error.message, error.said, log.text]
    assert not [words for words in told if KEY in words or KEY[3:] in words]
    return error
