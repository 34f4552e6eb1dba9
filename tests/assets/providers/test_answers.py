"""What language models answer is checked before anybody uses it."""

from __future__ import annotations

from typing import Any

import pytest

from assets.providers import answers
from assets.providers.base import AnswerInvalid, TextAnswer, Usage
from tests.assets.providers.faces import SCHEMA


def validated(text: str, *, cut: bool = False) -> Any:
    answer = TextAnswer(text=text, model="m", usage=Usage(output_tokens=7))
    return answers.validated(answer, SCHEMA, provider="p", cut=cut).data


@pytest.mark.parametrize("frame", ["{}", "```json\n{}\n```", "  ```\n{}\n```\n", "\n{}\n"])
def test_json_is_taken_bare_or_in_a_fence(frame: str) -> None:
    assert validated(frame.replace("{}", '{"scenes": [{"place": "here"}]}')) == {"scenes": [{"place": "here"}]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON"),
        ("Here you are: {}", "no JSON"),
        ('{"scenes": [', "no JSON"),
        ('{"scenes": [{"place": NaN}]}', "NaN"),
        ('{"scenes": [{"place": "\\u0000"}]}', "NUL"),
        ('{"scenes": [{"place": "\\ud83d"}]}', "half of a character"),
        ('{"scenes": []}', "scenes:"),
        ('{"scenes": [{"place": 7}]}', "scenes/0/place: 7 is not of type"),
        ('{"scenes": [{"place": "x", "more": 1}]}', "more"),
        ("[]", "the answer: "),
        ("[" * 50_000, "deep"),
        ('{"scenes": [{"place": ' + "[" * 600 + "]" * 600 + "}]}", ""),
    ],
)
def test_what_is_wrong_is_said_so_that_the_model_can_mend_it(text: str, problem: str) -> None:
    with pytest.raises(AnswerInvalid) as caught:
        validated(text)
    assert problem in caught.value.problems[0]
    assert len(caught.value.problems[0]) < 300
    assert caught.value.answer
    assert caught.value.answer.text == text


def test_a_thousand_problems_are_told_as_ten() -> None:
    with pytest.raises(AnswerInvalid) as caught:
        validated('{"scenes": [' + ", ".join(["7"] * 1000) + "]}")
    assert len(caught.value.problems) == 10


def test_an_answer_that_was_cut_off_says_so_whatever_is_in_it() -> None:
    with pytest.raises(AnswerInvalid) as caught:
        validated('{"scenes": [{"place": "here"}]}', cut=True)
    assert caught.value.cut


def test_services_are_sent_the_schema_without_what_they_refuse() -> None:
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string", "maxLength": 3}, "format": {"type": "array", "minItems": 2}},
        "required": ["title", "format"],
    }
    sent = answers.for_models(schema)
    assert sent["properties"] == {"title": {"type": "string"}, "format": {"type": "array"}}
    assert sent["required"] == ["title", "format"]
