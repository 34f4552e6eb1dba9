"""Services by name; keys that stay where they are; limits that are kept."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from assets.providers import registry
from assets.providers.base import AuthFailed, InvalidRequest, RateLimited, Usage
from assets.providers.costs import cost
from assets.providers.downloads import ResultMissing, download
from assets.providers.requests import Result
from assets.providers.settings import DEFAULTS, Downloading, Endpoint, Price, ProviderSettings
from tests.assets.providers.faces import FACES, Face, faces, settings_for
from tests.assets.providers.making import ReplicateService
from tests.assets.providers.serving import KEY


def test_every_service_is_in_the_suite() -> None:
    spoken_to = {face.provider for face in FACES}
    assert spoken_to == {*registry.text_names(), *registry.media_names()} - {registry.OFFLINE} == set(DEFAULTS)


def test_nobody_is_asked_of_a_name_that_is_none() -> None:
    with pytest.raises(InvalidRequest, match="anthropic, openai"):
        registry.text_provider("nobody", ProviderSettings())
    with pytest.raises(InvalidRequest, match="offline"):
        registry.media_provider("anthropic", ProviderSettings(), folder=Path("nowhere"))


@faces()
def test_without_a_key_a_service_is_not_set_up(face: Face) -> None:
    with face.service() as service:
        assert registry.is_set_up(face.provider, settings_for(service, face.provider))
    if face.provider != "http":
        assert not registry.is_set_up(face.provider, ProviderSettings())
        with pytest.raises(AuthFailed, match="No key"):
            face.order(ProviderSettings())


@pytest.mark.parametrize("key", ["two words", "a-key-0123\n", "schlüssel", "x\x00"])
def test_a_key_that_can_be_none_is_told_without_saying_it(key: str) -> None:
    endpoint = replace(DEFAULTS["fal"], key=SecretStr(key))
    assert "key" in endpoint.problem()
    with pytest.raises(AuthFailed) as caught:
        registry.media_provider("fal", ProviderSettings(endpoints={"fal": endpoint}), folder=Path("nowhere"))
    assert not [
        line for line in traceback.format_exception(caught.value) if key in line.replace("'key'", "") and key != "a key"
    ]


@pytest.mark.parametrize("url", ["", "example.org", "ftp://example.org", "http://", "https://me:secret@example.org"])
def test_an_address_that_can_be_none_is_told(url: str) -> None:
    assert "base URL" in Endpoint(base_url=url).problem()


def test_a_key_stands_in_no_repr() -> None:
    settings = settings_for("http://127.0.0.1:9", "openai")
    provider = registry.text_provider("openai", settings)
    told = (settings, settings.endpoints, settings.endpoints["openai"], provider, provider.wire)  # type: ignore[attr-defined]
    assert not [thing for thing in told if KEY in repr(thing) or KEY in str(thing)]


def test_errors_survive_the_way_between_processes() -> None:
    error = RateLimited(provider="fal", said="later", retry_after=3.0)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.retry_after, again.provider) == (RateLimited, str(error), 3.0, "fal")


def test_a_cost_is_what_the_service_says_else_what_the_list_says() -> None:
    prices = {"openai/m": Price(input=Decimal(2), output=Decimal(8)), "fal": Price(image=Decimal("0.04"))}
    usage = Usage(input_tokens=1_000_000, output_tokens=500_000)
    assert cost(usage, provider="openai", model="m", prices=prices) == Decimal(6)
    assert cost(Usage(images=3), provider="fal", model="any", prices=prices) == Decimal("0.12")
    assert cost(usage, provider="openai", model="other", prices=prices) is None
    assert cost(Usage(cost=Decimal("0.5"), images=3), provider="fal", model="any", prices=prices) == Decimal("0.5")
    by_second = {"ark": Price(second=Decimal("0.1"))}
    assert cost(Usage(seconds=2.5), provider="ark", model="m", prices=by_second) == Decimal("0.25")


def test_what_came_with_the_answer_is_written_down(tmp_path: Path) -> None:
    assert download(Result(data=b"bytes"), into=tmp_path / "x", max_bytes=5, settings=Downloading()) == 5
    assert (tmp_path / "x").read_bytes() == b"bytes"


def test_waiting_for_a_file_ends_when_the_job_does(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(seconds: float) -> None:
        raise Stopped

    with ReplicateService() as service:
        service.file_missing = 10
        settings = settings_for(service, "replicate").downloading
        with pytest.raises(Stopped):
            download(Result(url=service.result_url), into=tmp_path / "x", max_bytes=9, settings=settings, wait=stop)
    with pytest.raises(ResultMissing):
        download(Result(), into=tmp_path / "x", max_bytes=9, settings=settings)
