"""What may be asked of a picture or a clip, whoever asks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.generation import wishes
from assets.generation.errors import GenerationInvalid
from assets.generation.wishes import Choice
from assets.models import GenerationKind

KNOWN = ["offline", "openai"]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800\0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    *("prompt", "model", "size", "seconds", "references", "reference_assets", "image_url", "parameters", "material"),
]


def read(**said: Any) -> wishes.Wish:
    return wishes.read(GenerationKind.IMAGE, {"prompt": "a lamp", **said}, known=KNOWN, default=["offline"])


def test_a_wish_that_names_nobody_goes_to_the_default() -> None:
    assert read().order == (Choice(provider="offline"),)


def test_models_are_asked_in_the_order_in_which_they_are_named() -> None:
    order = read(model=["openai:gpt-image-2", "offline"]).order
    assert order == (Choice(provider="openai", model="gpt-image-2"), Choice(provider="offline"))
    assert read(model=["offline", " openai : b", "offline", "openai:b"]).order == (order[1], wishes.choice("openai:b"))
    (written,) = read(model="openai:a:b").written()["order"]
    assert wishes.choice(written) == Choice(provider="openai", model="a:b")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "  "),
        ("prompt", "x" * 20_001),
        ("prompt", "a\0b"),
        ("prompt", 7),
        ("model", "nobody"),
        ("model", ["offline"] * 6),
        ("model", {"offline": 1}),
        ("size", "wide"),
        ("size", "63x100"),
        ("size", "100x4097"),
        ("size", 1024),
        ("seconds", 0),
        ("seconds", 61),
        ("seconds", True),
        ("seconds", float("nan")),
        ("references", "https://example.org/a.png"),
        ("references", ["ftp://example.org/a.png"]),
        ("references", ["https://[::1"]),
        ("references", ["https://example.org/a.png"] * 11),
        ("reference_assets", [0]),
        ("reference_assets", [True]),
        ("reference_assets", [2**63]),
        ("image_url", "/etc/passwd"),
        ("image_url", "file:///etc/passwd"),
        ("parameters", ["a"]),
        ("material", "x" * 101),
    ],
)
def test_what_can_not_be_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    with pytest.raises(GenerationInvalid) as refused:
        read(**{field: value})
    assert list(refused.value.details["fields"]) == [field]


@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_whatever_is_said_gives_a_wish_or_a_refusal(said: dict[str, Any]) -> None:
    try:
        wish = wishes.read(GenerationKind.IMAGE_TO_VIDEO, said, known=KNOWN, default=["offline"])
    except GenerationInvalid as refused:
        assert set(refused.details["fields"]) <= set(FIELDS)
    else:
        assert wish.order and wish.prompt
