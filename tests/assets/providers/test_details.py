"""What is particular to one service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from assets.providers import registry
from assets.providers.base import (
    AnswerInvalid,
    ContentRejected,
    GenerationLost,
    InvalidRequest,
    MediaProvider,
    QuotaExceeded,
)
from assets.providers.downloads import ResultRefused, download
from assets.providers.openai import OpenAI
from assets.providers.settings import DEFAULTS, Downloading, ProviderSettings
from tests.assets.providers.faces import IMAGE, TEXT, VIDEO, Face, faces, refused, settings_for
from tests.assets.providers.making import ArkService, FalService, HttpService, ReplicateService
from tests.assets.providers.serving import KEY, PICTURE, Service
from tests.assets.providers.speaking import AnthropicService, OpenAIService

NEVER_GIVEN = [
    *("", "x", "../../files", "fal-ai/../requests/1"),
    *("fal-ai/flux/requests/../../x", "a/b/requests/1?x"),
]


def media(service: Service, provider: str) -> MediaProvider:
    return registry.media_provider(provider, settings_for(service, provider), folder=Path("nowhere"))


@faces()
def test_half_a_character_in_a_prompt_is_refused_before_anything_is_sent(
    face: Face, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, request in (("TEXT", TEXT), ("IMAGE", IMAGE), ("VIDEO", VIDEO)):
        monkeypatch.setattr(f"tests.assets.providers.faces.{name}", replace(request, prompt="half: \udc00"))
    with face.service() as service:
        refused(lambda: face.order(settings_for(service, face.provider)), InvalidRequest, caplog)
        assert service.connections == 0


@pytest.mark.parametrize("fault", ["paid", "low"])
def test_anthropic_has_more_words_for_an_empty_purse(fault: str) -> None:
    with AnthropicService() as service, pytest.raises(QuotaExceeded):
        service.fault = fault
        registry.text_provider("anthropic", settings_for(service, "anthropic")).complete(TEXT)


def test_anthropic_says_when_an_answer_is_cut_off() -> None:
    with AnthropicService() as service, pytest.raises(AnswerInvalid) as caught:
        service.stop = "max_tokens"
        registry.text_provider("anthropic", settings_for(service, "anthropic")).complete(TEXT)
    assert caught.value.cut


def test_a_compatible_service_that_knows_no_schemas_is_told_in_words_from_then_on() -> None:
    with OpenAIService() as service:
        service.knows_schemas = False
        provider = registry.text_provider("openai", settings_for(service, "openai"))
        for _ in range(2):
            assert provider.complete(TEXT).data == {"scenes": [{"place": "客厅"}]}
        forms = [seen.json["response_format"]["type"] for seen in service.requests]
        assert forms == ["json_schema", "json_object", "json_object"]
        assert len(service.begun) == 2


def test_openai_says_when_an_answer_is_cut_off_and_when_its_model_refuses() -> None:
    with OpenAIService() as service:
        provider = registry.text_provider("openai", settings_for(service, "openai"))
        service.finish = "length"
        with pytest.raises(AnswerInvalid) as cut:
            provider.complete(TEXT)
        service.finish, service.refusal = "stop", "I can't help with that."
        with pytest.raises(ContentRejected, match="I can't help") as caught:
            provider.complete(TEXT)
    assert cut.value.cut
    assert caught.value.usage
    assert caught.value.usage.output_tokens == 7


def test_a_server_of_ones_own_needs_no_key_and_openai_does() -> None:
    class Open(OpenAIService):
        def authorised(self, seen: object) -> bool:
            return True

    with Open() as service:
        settings = settings_for(service, "openai", key="")
        assert registry.is_set_up("openai", settings)
        assert registry.text_provider("openai", settings).complete(TEXT).data
        assert "authorization" not in service.requests[0].headers
        assert service.requests[0].json["max_tokens"] == TEXT.max_tokens
    assert not registry.is_set_up("openai", ProviderSettings())


def test_openai_itself_makes_no_clips_and_is_not_asked() -> None:
    home = replace(DEFAULTS["openai"], key=SecretStr(KEY))
    with pytest.raises(InvalidRequest, match="no clips"):
        OpenAI(home, ProviderSettings()).submit_video(VIDEO)


def test_openai_gets_references_as_files() -> None:
    with OpenAIService() as service:
        provider = media(service, "openai")
        assert provider.submit_image(replace(IMAGE, references=(PICTURE, PICTURE))).results[0].data == PICTURE
        with pytest.raises(InvalidRequest, match="as files"):
            provider.submit_image(replace(IMAGE, references=("https://example.org/a.png",)))
        assert len(service.begun) == 1


def test_the_plain_protocol_is_told_which_wish_it_is_and_may_answer_with_a_path() -> None:
    with HttpService() as service:
        service.file_url = "/made/1.png"
        (result,) = media(service, "http").submit_image(IMAGE).results
        assert service.begun[0].headers["idempotency-key"] == "job-1"
        assert result.url == f"http://{service.host}/made/1.png"
        assert service.begun[0].json == {"prompt": "a door", "model": "owner/name", "size": [640, 360]}


def test_an_address_that_makes_no_sense_is_refused_when_it_is_fetched(tmp_path: Path) -> None:
    with HttpService() as service:
        service.file_url = "http://[x"
        (result,) = media(service, "http").submit_image(IMAGE).results
    with pytest.raises(ResultRefused):
        download(result, into=tmp_path / "x", max_bytes=9, settings=Downloading())


def test_the_plain_protocol_may_say_by_a_code_what_its_status_does_not() -> None:
    with HttpService() as service:
        service.fault = "used up"
        with pytest.raises(QuotaExceeded):
            media(service, "http").submit_image(IMAGE)


def test_a_picture_on_its_way_becomes_part_of_the_request() -> None:
    with ArkService() as service:
        media(service, "ark").submit_video(replace(VIDEO, image=PICTURE))
        url = service.begun[0].json["content"][1]["image_url"]["url"]
        assert url.startswith("data:image/png;base64,")


def test_a_version_of_a_model_at_replicate_is_asked_for_by_its_number() -> None:
    with ReplicateService() as service:
        request = replace(IMAGE, model="owner/name:0123", parameters={"width": None, "aspect_ratio": "16:9"})
        media(service, "replicate").submit_image(request)
        asked = service.begun[0].json
        assert asked["version"] == "owner/name:0123"
        assert asked["input"] == {"prompt": "a door", "height": 360, "aspect_ratio": "16:9"}


@pytest.mark.parametrize("url", ["https://thief.example/fal-ai/flux/requests/req-1", "http://[x", "", "/..", None, 7])
def test_fal_is_asked_on_its_own_host_whatever_it_says(url: object) -> None:
    class Elsewhere(FalService):
        def order(self, seen: object) -> object:  # type: ignore[override]
            told = super().order(seen)  # type: ignore[arg-type]
            if told:
                told.body["response_url"] = url
            return told

    with Elsewhere() as service:
        made = media(service, "fal").submit_image(replace(IMAGE, model="fal-ai/flux/dev"))
        assert made.provider_id == "fal-ai/flux/requests/req-1"
        media(service, "fal").poll(made.provider_id, age_seconds=0)
        assert service.looks == ["waiting"]


@pytest.mark.parametrize("provider_id", NEVER_GIVEN)
def test_an_id_that_fal_never_gave_is_not_asked_for(provider_id: str) -> None:
    with FalService() as service:
        with pytest.raises(GenerationLost):
            media(service, "fal").poll(provider_id, age_seconds=0)
        assert service.connections == 0


@pytest.mark.parametrize("model", ["flux", "", "../x", "fal-ai/..", "fal-ai/./x", "fal-ai/ü", "a//b", "a/b?c"])
def test_a_model_that_is_no_path_is_refused_by_fal(model: str) -> None:
    with FalService() as service:
        settings = settings_for(service, "fal")
        settings = replace(settings, endpoints={"fal": replace(settings.endpoints["fal"], image_model="")})
        with pytest.raises(InvalidRequest):
            registry.media_provider("fal", settings, folder=Path("nowhere")).submit_image(replace(IMAGE, model=model))
        assert service.connections == 0
