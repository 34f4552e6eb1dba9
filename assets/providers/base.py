"""What every AI service looks like from above: requests, answers, and what can go wrong.

Three rules that all of them keep:

- **Nothing is sent twice in here.** Each call is one request. Whether it may be made again is what the error
  says: by its remedy, which the job engine goes by.
- **A request that may have arrived is not repeated.** What surely did not arrive (no connection, 429, 503 of those who
  document it) ends as Unavailable or RateLimited. Of the rest nobody knows: AmbiguousSubmit for what creates something,
  AnswerLost for text.
- **Keys come from the settings alone**, and stand in no error, log line or repr.
"""

from __future__ import annotations

from typing import Protocol

from assets.providers.errors import (
    AmbiguousSubmit,
    AnswerInvalid,
    AnswerLost,
    AuthFailed,
    ContentRejected,
    GenerationCancelled,
    GenerationFailed,
    GenerationLost,
    InvalidRequest,
    ProviderError,
    ProviderTimeout,
    QuotaExceeded,
    RateLimited,
    Unavailable,
)
from assets.providers.requests import (
    Done,
    ImageRequest,
    Pending,
    Picture,
    Result,
    Submitted,
    TextAnswer,
    TextRequest,
    Usage,
    VideoRequest,
)

__all__ = [
    "AmbiguousSubmit",
    "AnswerInvalid",
    "AnswerLost",
    "AuthFailed",
    "ContentRejected",
    "Done",
    "GenerationCancelled",
    "GenerationFailed",
    "GenerationLost",
    "ImageRequest",
    "InvalidRequest",
    "MediaProvider",
    "Pending",
    "Picture",
    "ProviderError",
    "ProviderTimeout",
    "QuotaExceeded",
    "RateLimited",
    "Result",
    "Submitted",
    "TextAnswer",
    "TextProvider",
    "TextRequest",
    "Unavailable",
    "Usage",
    "VideoRequest",
]


class TextProvider(Protocol):
    """A service that answers with text."""

    @property
    def name(self) -> str: ...

    def complete(self, request: TextRequest, /) -> TextAnswer:
        """Ask once. The answer's `data` keeps to the schema, else AnswerInvalid, which has the answer."""


class MediaProvider(Protocol):
    """A service that makes pictures, clips, or both; InvalidRequest for what it does not make."""

    @property
    def name(self) -> str: ...

    def submit_image(self, request: ImageRequest, /) -> Submitted: ...

    def submit_video(self, request: VideoRequest, /) -> Submitted: ...

    def longest(self, request: ImageRequest | VideoRequest, /) -> float:
        """Seconds that submitting it may take."""

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        """How far it is; any error but Unavailable, RateLimited and ProviderTimeout is the end of it.

        `age_seconds` is the time since it was submitted: a service that does not know its newest tasks yet is
        given a while.
        """

    def cancel(self, provider_id: str, /) -> None:
        """Tell the service that nobody wants it any more; quiet where it has ended, or can't be cancelled."""
