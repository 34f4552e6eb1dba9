"""What may be asked of a picture or a clip: read from a job's arguments, and written into its row."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from assets.generation.errors import GenerationInvalid
from assets.models import GenerationKind

LONGEST_PROMPT = 20_000  # characters
MOST_REFERENCES = 10
MOST_CHOICES = 5
SMALLEST_SIDE, LARGEST_SIDE = 64, 4096  # pixels
LONGEST_SECONDS = 60.0
_LONGEST_URL = 2000
_LONGEST_MODEL = 100
_LARGEST_ID = 2**63 - 1  # what the column holds
_MOST_PARAMETERS = 50
T = TypeVar("T")
_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})")
_ADDRESS = re.compile(r"\s*https?:", re.IGNORECASE)
_JSON = re.compile(r"\s*[\[{\"]")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A provider, and which of its models; empty: the one that the settings name for it."""

    provider: str
    model: str = ""

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}" if self.model else self.provider


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One picture or clip."""

    kind: GenerationKind
    prompt: str
    order: tuple[Choice, ...]  # who is asked first, and who if that one is down
    size: tuple[int, int] | None = None  # pixels, width first
    seconds: float | None = None
    references: tuple[str, ...] = ()  # URLs
    reference_assets: tuple[int, ...] = ()  # whose pictures are references too
    image_url: str = ""  # what a clip begins with; empty: its asset's picture
    parameters: Mapping[str, Any] = field(default_factory=dict)  # the model's own
    material: str = ""  # under which name it is to be a material of its project

    def written(self) -> dict[str, Any]:
        """As a row keeps it, beside kind and prompt."""
        return {
            "order": [str(choice) for choice in self.order],
            "size": "x".join(map(str, self.size)) if self.size else None,
            "seconds": self.seconds,
            "references": list(self.references),
            "reference_assets": list(self.reference_assets),
            "image_url": self.image_url,
            "parameters": dict(self.parameters),
            "material": self.material,
        }


def read(kind: GenerationKind, said: Mapping[str, Any], *, known: Sequence[str], default: Sequence[str]) -> Wish:
    """The wish. `known` are the names of providers, `default` who is asked if nobody is named.

    Raises GenerationInvalid.
    """
    reader = _Reader(said)
    order = reader.order(known=known, default=default)
    wish = Wish(
        kind=kind,
        prompt=reader.text("prompt", longest=LONGEST_PROMPT, wanted=True),
        order=order,
        size=reader.size("size"),
        seconds=reader.number("seconds", least=0.5, most=LONGEST_SECONDS),
        references=reader.urls("references"),
        reference_assets=reader.ids("reference_assets"),
        image_url=reader.url("image_url"),
        parameters=reader.mapping("parameters"),
        material=reader.text("material", longest=100),
    )
    reader.check()
    return wish


def ordered(said: str | Sequence[str], default: Sequence[str]) -> tuple[Choice, ...]:
    """Who is asked first, and who if that one is down: one name or several, or the default."""
    texts = [said] if said and isinstance(said, str) else said or default
    return tuple(dict.fromkeys(choice(text) for text in texts))


def choice(text: str) -> Choice:
    """One by its name."""
    provider, _, model = text.strip().partition(":")
    return Choice(provider=provider.strip(), model=model.strip())


def addresses(found: Any) -> Iterator[str]:
    """All that would be fetched of what a wish says in a model's own words, however deep it stands, as JSON too."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, str) and _ADDRESS.match(one):
            yield one.strip()
        elif isinstance(one, str) and _JSON.match(one):
            with contextlib.suppress(ValueError, RecursionError):
                waiting.append(json.loads(one))


class _Reader:
    """Reads fields, and remembers what is wrong with them."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = said
        self._wrong: dict[str, str] = {}

    def check(self) -> None:
        if self._wrong:
            raise GenerationInvalid.of(self._wrong)

    def order(self, *, known: Sequence[str], default: Sequence[str]) -> tuple[Choice, ...]:
        said = self._said.get("model") or list(default)
        texts = [said] if isinstance(said, str) else said
        if not isinstance(texts, list | tuple) or not all(isinstance(one, str) and _storable(one) for one in texts):
            return self._refuse("model", "The name of a model is wanted, or a list of such names.", ())
        if len(texts) > MOST_CHOICES or any(len(one) > _LONGEST_MODEL for one in texts):
            return self._refuse("model", f"At most {MOST_CHOICES} names of at most {_LONGEST_MODEL} characters.", ())
        order = ordered(texts, default)
        unknown = [choice.provider for choice in order if choice.provider not in known]
        if unknown:
            names = ", ".join(sorted(known))
            return self._refuse("model", f"There is no service {unknown[0]!r:.60}; there are {names}.", ())
        return order

    def text(self, name: str, *, longest: int, wanted: bool = False) -> str:
        said = self._said.get(name)
        if said is None and not wanted:
            return ""
        if not isinstance(said, str) or not _storable(said):
            return self._refuse(name, "A text is wanted.", "")
        if wanted and not said.strip():
            return self._refuse(name, "It may not be empty.", "")
        if len(said) > longest:
            return self._refuse(name, f"It may have at most {longest} characters.", "")
        return said.strip()

    def size(self, name: str) -> tuple[int, int] | None:
        said = self._said.get(name)
        if said is None:
            return None
        found = _SIZE.fullmatch(said) if isinstance(said, str) else None
        sides = (int(found[1]), int(found[2])) if found else (0, 0)
        if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
            sentence = f"Width and height are wanted, such as 1024x768, from {SMALLEST_SIDE} to {LARGEST_SIDE}."
            return self._refuse(name, sentence, None)
        return sides

    def number(self, name: str, *, least: float, most: float) -> float | None:
        said = self._said.get(name)
        if said is None:
            return None
        if isinstance(said, bool) or not isinstance(said, int | float) or not least <= said <= most:
            return self._refuse(name, f"A number from {least:g} to {most:g} is wanted.", None)
        return float(said)

    def url(self, name: str) -> str:
        said = self._said.get(name)
        return "" if said is None or said == "" else self._url(name, said)

    def urls(self, name: str) -> tuple[str, ...]:
        return tuple(self._url(name, one) for one in self._list(name))

    def ids(self, name: str) -> tuple[int, ...]:
        found = self._list(name)
        if not all(type(one) is int and 0 < one <= _LARGEST_ID for one in found):
            return self._refuse(name, "Ids of assets are wanted.", ())
        return tuple(found)

    def mapping(self, name: str) -> Mapping[str, Any]:
        said = self._said.get(name)
        if said is None:
            return {}
        if not isinstance(said, Mapping) or len(said) > _MOST_PARAMETERS:
            return self._refuse(name, f"An object of at most {_MOST_PARAMETERS} entries is wanted.", {})
        return said

    def _url(self, name: str, said: Any) -> str:
        try:
            parts = urlsplit(said) if isinstance(said, str) and _storable(said) else None
        except ValueError:
            parts = None
        if parts is None or parts.scheme not in ("http", "https") or not parts.netloc or len(said) > _LONGEST_URL:
            return self._refuse(name, "An address is wanted that begins with https:// or http://.", "")
        return str(said)

    def _list(self, name: str) -> Sequence[Any]:
        said = self._said.get(name)
        if said is None:
            return ()
        if not isinstance(said, list | tuple) or len(said) > MOST_REFERENCES:
            return self._refuse(name, f"A list of at most {MOST_REFERENCES} is wanted.", ())
        return said

    def _refuse(self, name: str, sentence: str, instead: T) -> T:
        self._wrong.setdefault(name, sentence)
        return instead


def _storable(text: str) -> bool:
    """Whether databases take it: no NUL, no halves of characters."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
