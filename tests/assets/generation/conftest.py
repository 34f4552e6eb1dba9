"""Services that make pictures, on loopback, as the site's own."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from PIL import Image

from assets.providers.settings import ProviderSettings
from tests.assets.providers.faces import settings_for
from tests.assets.providers.making import HttpService, ReplicateService
from tests.assets.providers.speaking import OpenAIService

SIZE = (128, 72)

Set = Callable[[ProviderSettings], None]


def png(colour: str = "red") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(written, "PNG")
    return written.getvalue()


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Have services be those of a test, which may be reached."""

    def put(said: ProviderSettings) -> None:
        roomy = dataclasses.replace(said.downloading, image_bytes=10**7)
        monkeypatch.setattr(settings, "JOINTO_PROVIDERS", dataclasses.replace(said, downloading=roomy))

    return put


@pytest.fixture
def replicate(setting: Set) -> Iterator[ReplicateService]:
    with ReplicateService() as service:
        service.file = png()
        setting(settings_for(service, "replicate"))
        yield service


@pytest.fixture
def openai(setting: Set) -> Iterator[OpenAIService]:
    with OpenAIService() as service:
        service.file = png()
        setting(settings_for(service, "openai"))
        yield service


@pytest.fixture
def http(setting: Set) -> Iterator[HttpService]:
    with HttpService() as service:
        service.file = png()
        setting(settings_for(service, "http"))
        yield service
