"""What every AI service looks like from above: requests, answers, and what can go wrong.

Three rules that all of them keep:

- **Nothing is sent twice in here.** Each call is one request. Whether it may be made again is what the error
  says: by its remedy, which the job engine goes by.
- **A request that may have arrived is not repeated.** What surely did not arrive (no connection, 429, 503) ends as
  Unavailable or RateLimited. Of the rest nobody knows: AmbiguousSubmit for what creates something, AnswerLost for text.
- **Keys come from the settings alone**, and stand in no error, log line or repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from jobs.errors import JointoError, Remedy

Picture = str | bytes  # a URL that the service fetches, or the file's bytes (PNG, JPEG, WebP)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a call used, as far as the service tells."""

    input_tokens: int = 0
    output_tokens: int = 0
    images: int = 0
    seconds: float = 0.0  # of film that was made, or of machine time where the service counts that
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

    def poll(self, provider_id: str, /, *, age_seconds: float) -> Pending | Done:
        """How far it is; any error but Unavailable, RateLimited and ProviderTimeout is the end of it.

        `age_seconds` is the time since it was submitted: a service that does not know its newest tasks yet is
        given a while.
        """

    def cancel(self, provider_id: str, /) -> None:
        """Tell the service that nobody wants it any more; quiet where it has ended, or can't be cancelled."""


class Limiter(Protocol):
    """Keeps all workers together within a service's rate and number of calls at once."""

    def acquire(self, provider: str, /) -> AbstractContextManager[None]:
        """Held during one call. Raises RateLimited if it is not to be made now."""


class ProviderError(JointoError):
    """Something between us and an AI service. `details["provider"]` names it.

    `said` are the service's own words. `usage` is what the call cost all the same, where that is known.
    """

    status: ClassVar[int] = 502

    def __init__(
        self,
        message: str | None = None,
        *,
        provider: str,
        said: str = "",
        retry_after: float | None = None,
        usage: Usage | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        sentence = message or type(self).message
        if said:
            sentence = f"{sentence} It says: {said}"
        super().__init__(sentence, details={"provider": provider, **(details or {})}, retry_after=retry_after)
        self.provider = provider
        self.said = said
        self.usage = usage


class RateLimited(ProviderError):
    """Too many requests; nothing was begun."""

    code = "provider_rate_limited"
    status = 503
    remedy = Remedy.WAIT
    message = "The AI service takes no more requests just now. The job goes on by itself when it does."


class QuotaExceeded(ProviderError):
    """The operator's money or allowance at the service is used up; nothing was begun."""

    code = "provider_quota_exceeded"
    status = 503
    remedy = Remedy.NONE
    needs_operator = True
    message = "The account at the AI service is used up: its owner has to top it up, or to choose another service."


class Unavailable(ProviderError):
    """Down, overloaded or not reachable; nothing was begun, or the call is one that may be repeated."""

    code = "provider_unavailable"
    status = 503
    remedy = Remedy.BACK_OFF
    message = "The AI service can't be reached, or is down or overloaded. The job tries again by itself."


class InvalidRequest(ProviderError):
    """The service does not take the request, and would not the next time."""

    code = "provider_invalid_request"
    status = 422
    remedy = Remedy.NONE
    message = "The AI service does not take this request: check the model, the size and the other parameters."


class ContentRejected(ProviderError):
    """The service refuses what is asked for, or what came out."""

    code = "content_rejected"
    status = 422
    remedy = Remedy.NONE
    message = "The AI service refuses this content: change the prompt or the picture."


class AuthFailed(ProviderError):
    """No key, a wrong one, or one that may not do this. The service's words may hold the key, and are left out."""

    code = "provider_auth_failed"
    status = 503
    remedy = Remedy.NONE
    needs_operator = True
    message = "The AI service does not take the key that is set for it: the operator has to look at the settings."


class ProviderTimeout(ProviderError):
    """No answer in time, to something that may be asked again: a poll, a cancel."""

    code = "provider_timeout"
    status = 504
    remedy = Remedy.BACK_OFF
    message = "The AI service did not answer in time. The job tries again by itself."


class AnswerLost(ProviderTimeout):
    """A completion that may have been worked on, and charged; its answer did not arrive.

    Not repeated by itself: asking again costs again (docs/decisions/0021).
    """

    code = "answer_lost"
    remedy = Remedy.NONE
    message = (
        "The AI service's answer was lost, and may have been charged all the same: start the job again if it is to."
    )


class AmbiguousSubmit(ProviderError):
    """Nobody knows whether the service has begun: a person looks there, and decides."""

    code = "create_ambiguous"
    remedy = Remedy.NONE
    needs_operator = True
    message = (
        "The AI service may have begun this, and charge for it, but did not confirm it: look there before a retry."
    )


class GenerationFailed(ProviderError):
    """The service tried, and failed."""

    code = "generation_failed"
    remedy = Remedy.NONE
    message = "The AI service could not make this: start the job again, or change the prompt or the model."


class GenerationCancelled(ProviderError):
    """Somebody cancelled it at the service, or it expired there."""

    code = "generation_cancelled"
    status = 409
    remedy = Remedy.NONE
    message = "This was cancelled at the AI service, or has expired there: start the job again if it is still wanted."


class GenerationLost(ProviderError):
    """The service does not know, or not any more, what it once confirmed."""

    code = "generation_lost"
    remedy = Remedy.NONE
    needs_operator = True
    message = "The AI service does not know this task any more: look there whether it was made and charged."


class AnswerInvalid(ProviderError):
    """An answer that can't be used: no JSON, or not after the schema, or not as the protocol has it.

    `answer` is what came from a language model, with what it cost; `problems` say what is wrong with it, in
    sentences that the model can be asked again with. `cut`: it ended at `max_tokens`, so ask for less at once.
    """

    code = "answer_invalid"
    remedy = Remedy.NONE
    message = "The AI service's answer can't be used."

    def __init__(
        self,
        message: str | None = None,
        *,
        provider: str,
        problems: tuple[str, ...] = (),
        answer: TextAnswer | None = None,
        cut: bool = False,
    ) -> None:
        super().__init__(
            message, provider=provider, usage=answer.usage if answer else None, details={"problems": list(problems)}
        )
        self.problems = problems
        self.answer = answer
        self.cut = cut
