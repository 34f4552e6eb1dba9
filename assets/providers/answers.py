"""Answers of language models: what they are asked to keep to, and whether they did."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from assets.providers.base import AnswerInvalid, TextAnswer

_FENCE = re.compile(r"\s*```[a-zA-Z]*\s*\n(.*)\n\s*```\s*", re.DOTALL)
_MOST_PROBLEMS = 10
_PROBLEM_LENGTH = 200
# What services refuse in a schema that their models are held to; it is checked here instead.
_CHECKED_HERE = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"}
    | {"format", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "default", "$schema", "title"}
)
_OF_NAMES = frozenset({"properties", "$defs", "definitions"})  # below these stand names, not words of the schema


def validated(answer: TextAnswer, schema: Mapping[str, Any], *, provider: str, cut: bool = False) -> TextAnswer:
    """The answer with its `data`; raises AnswerInvalid, with the answer in it, if that does not keep to the schema."""
    problems: tuple[str, ...]
    data = None
    if cut:
        problems = ("The answer is cut off: it is longer than is allowed.",)
    else:
        try:
            data = _read(answer.text)
            problems = _problems(data, schema)
        except RecursionError:
            problems = ("The answer is nested too deeply.",)
        except ValueError as error:
            problems = (f"The answer is no JSON: {_short(str(error))}",)
    if problems:
        raise AnswerInvalid(provider=provider, problems=problems, answer=answer, cut=cut)
    return replace(answer, data=data)


def for_models(schema: Any) -> Any:
    """The schema without what services refuse to hold their models to."""
    if isinstance(schema, list):
        return [for_models(entry) for entry in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: {key: for_models(value) for key, value in inner.items()} if name in _OF_NAMES else for_models(inner)
        for name, inner in schema.items()
        if name not in _CHECKED_HERE
    }


def _read(text: str) -> Any:
    fenced = _FENCE.fullmatch(text)
    data = json.loads(fenced[1] if fenced else text, parse_constant=_no_number)
    written = json.dumps(data, ensure_ascii=False)
    if "\\u0000" in written:
        raise ValueError("it holds the character NUL")
    try:
        written.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of a character") from None
    return data


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _problems(data: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for error in Draft202012Validator(schema).iter_errors(data):
        found.append(_sentence(error))
        if len(found) == _MOST_PROBLEMS:
            break
    return tuple(found)


def _sentence(error: ValidationError) -> str:
    path = "/".join(str(part) for part in error.absolute_path)
    return f"{path or 'the answer'}: {_short(error.message)}"


def _short(words: str) -> str:
    half = _PROBLEM_LENGTH // 2
    return words if len(words) <= _PROBLEM_LENGTH else f"{words[: half - 1]}…{words[-half:]}"
