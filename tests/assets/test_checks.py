"""Mistakes in what is set about AI services are found at start."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from assets import checks
from tests import environment


def test_a_model_that_nobody_has_is_found(settings: Any) -> None:
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, model="anthropic", fallbacks=("offline", "nobody:x"))
    assert [one.id for one in checks.check_models()] == ["assets.E001", "assets.E002"]
    there = settings.JOINTO_PROVIDERS
    with_key = replace(there.endpoints["anthropic"], key=SecretStr("k"))
    settings.JOINTO_PROVIDERS = replace(there, endpoints={**there.endpoints, "anthropic": with_key})
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, fallbacks=("offline",))
    assert checks.check_models() == []


def test_who_makes_no_pictures_or_clips_here_is_found(settings: Any) -> None:
    assert checks.check_makers() == []
    settings.JOINTO_ASSETS = replace(
        settings.JOINTO_ASSETS, image_order=("replicate:o/n", "offline"), video_order=("offlin", "anthropic")
    )
    assert [one.id for one in checks.check_makers()] == ["assets.E004", "assets.E005", "assets.E005"]
    there = settings.JOINTO_PROVIDERS
    with_key = replace(there.endpoints["replicate"], key=SecretStr("k"))
    settings.JOINTO_PROVIDERS = replace(there, endpoints={**there.endpoints, "replicate": with_key})
    settings.JOINTO_ASSETS = replace(settings.JOINTO_ASSETS, video_order=())
    assert [one.id for one in checks.check_makers()] == ["assets.E005"]


def test_an_address_or_a_key_that_can_t_be_right_is_found_and_not_repeated(settings: Any) -> None:
    assert checks.check_endpoints() == []
    there = settings.JOINTO_PROVIDERS
    wrong = replace(there.endpoints["fal"], key=SecretStr("a key\nwith lines"))
    away = replace(there.endpoints["http"], base_url="ftp://x")
    settings.JOINTO_PROVIDERS = replace(there, endpoints={**there.endpoints, "fal": wrong, "http": away})
    found = checks.check_endpoints()
    assert [one.id for one in found] == ["assets.E003", "assets.E003"]
    assert "with lines" not in str(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AI_PRICES", "[1]"),
        ("AI_PRICES", '{"openai": {"inputs": 1}}'),
        ("AI_PRICES", '{"openai": {"input": "1"}}'),
        ("AI_PRICES", '{"openai": {"input": -1}}'),
        ("AI_AT_ONCE", "opnai=3"),
        ("AI_PER_MINUTE", "openai=0"),
        ("AI_AT_ONCE", "openai=x"),
        ("SCRIPT_MAX_BYTES", "0"),
    ],
)
def test_a_value_that_can_t_be_right_stops_the_program_and_names_the_variable(name: str, value: str) -> None:
    env = {**os.environ, f"JOINTO_{name}": value}
    argv = [sys.executable, "-c", "import jointo.env"]
    run = subprocess.run(argv, env=env, cwd=environment.ROOT, capture_output=True, text=True)
    assert run.returncode != 0
    assert f"JOINTO_{name}" in run.stderr or f"{name.removeprefix('AI_')}" in run.stderr


def test_what_is_set_reaches_the_services_and_keys_are_not_shown() -> None:
    said = {
        "OPENAI_API_KEY": "sk-seen-by-nobody",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_TEXT_MODEL": "mine",
        "AI_API_URL": "https://ai.example.org",
        "AI_PRICES": '{"openai/mine": {"input": 1.5}}',
        "AI_AT_ONCE": "openai=3,fal=1",
        "TEXT_FALLBACKS": "",
    }
    env = {**os.environ, **{f"JOINTO_{name}": value for name, value in said.items()}}
    show = (
        "from jointo import settings as s; p = s.JOINTO_PROVIDERS; a = s.JOINTO_ASSETS;"
        "print(p.endpoints['openai'].text_model, p.endpoints['openai'].base_url, p.endpoints['http'].base_url,"
        " p.prices['openai/mine'].input, a.limits['openai'].at_once, a.limits['ark'].at_once, a.fallbacks);"
        "print(p.endpoints, s.env.AI_KEYS)"
    )
    argv = [sys.executable, "-c", show]
    run = subprocess.run(argv, env=env, cwd=environment.ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[0] == "mine http://127.0.0.1:1/v1 https://ai.example.org 1.5 3 None ()"
    assert "sk-seen" not in run.stdout
