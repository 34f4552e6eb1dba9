"""What AI services are asked for, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Picture = str | bytes  # a URL that the service fetches, or the file's bytes (PNG, JPEG, WebP)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a call used, as far as the service tells: where it says nothing of the length, what was asked for counts."""

    input_tokens: int = 0
    output_tokens: int = 0
    images: int = 0
    seconds: float = 0.0  # of film that was made; of machine time at Replicate, which counts that
    cost: Decimal | None = None  # in US dollars, where the service says; else see `costs`


@dataclass(frozen=True, kw_only=True)
class TextRequest:
    """One question to a language model; the answer is JSON that keeps to the schema."""

    system: str
    prompt: str
    schema: Mapping[str, Any]  # JSON Schema; an object at the top, every object closed, every property required
    schema_name: str  # letters, digits, _ and -
    model: str = ""  # empty: the settings' one
    max_tokens: int = 16_000


@dataclass(frozen=True, kw_only=True)
class TextAnswer:
    """`data` is what `text` says, once it has been found to keep to the schema."""

    text: str
    model: str  # as the service names it
    usage: Usage
    data: Any = None


@dataclass(frozen=True, kw_only=True)
class ImageRequest:
    """A picture to be made."""

    prompt: str
    model: str = ""  # empty: the settings' one
    size: tuple[int, int] | None = None  # pixels, width first; None: as the service likes
    references: tuple[Picture, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)  # the model's own; they win over the rest
    request_id: str = ""  # the same for the same wish: sent as idempotency key where a service has such a thing


@dataclass(frozen=True, kw_only=True)
class VideoRequest:
    """A clip to be made: out of words, or out of a picture."""

    prompt: str
    model: str = ""
    image: Picture | None = None  # the first frame
    seconds: float | None = None
    size: tuple[int, int] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One finished file: where it lies, or itself. `media_type` as the service claims, empty if it says nothing."""

    url: str | None = None
    data: bytes | None = field(default=None, repr=False)
    media_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The service has taken the request.

    `provider_id` is all that `poll` and `cancel` need, also in another process: store it before the first poll. A
    service that answers at once has `results` here; then there is nothing to poll, and `provider_id` may be empty.
    """

    provider_id: str
    results: tuple[Result, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True, kw_only=True)
class Pending:
    """Not finished yet."""

    percent: float | None = None
    message: str = ""  # the service's word for the state


@dataclass(frozen=True, kw_only=True)
class Done:
    """Finished; the URLs of the results may be gone within the hour."""

    results: tuple[Result, ...]
    usage: Usage = Usage()
