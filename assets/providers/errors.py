"""What can go wrong between us and an AI service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from assets.providers.requests import TextAnswer, Usage
from jobs.errors import JointoError, Remedy


class ProviderError(JointoError):
    """Something between us and an AI service. `details["provider"]` names it.

    `said` are the service's own words. `usage` is what the call cost all the same, where that is known.
    """

    status: ClassVar[int] = 502

    def __init__(
        self,
        message: str | None = None,
        *,
        provider: str = "",
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
        provider: str = "",
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
