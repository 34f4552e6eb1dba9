"""What the services that are spoken to over HTTP have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from assets.providers import failures
from assets.providers.base import (
    AmbiguousSubmit,
    AnswerInvalid,
    AuthFailed,
    ContentRejected,
    GenerationCancelled,
    GenerationFailed,
    GenerationLost,
    ImageRequest,
    InvalidRequest,
    Pending,
    ProviderError,
    Result,
    Unavailable,
    VideoRequest,
)
from assets.providers.failures import Dialect
from assets.providers.settings import Endpoint, ProviderSettings
from assets.providers.states import State
from assets.providers.wire import Effect, Wire

_LARGEST = 1e12  # of anything that is counted here


class Service:
    """One service at one address. Each call of `_asked` is one request."""

    name: ClassVar[str]
    dialect: Dialect = Dialect()

    def __init__(self, endpoint: Endpoint, settings: ProviderSettings) -> None:
        if problem := endpoint.problem():
            raise AuthFailed(f"The settings of this AI service can't be used: {problem}.", provider=self.name)
        key = endpoint.key.get_secret_value()
        if not key and self.needs_key(endpoint):
            raise AuthFailed("No key is set for this AI service: the operator has to set one.", provider=self.name)
        self.endpoint = endpoint
        self.patience = settings.patience
        self.wire = Wire(
            self.name,
            base_url=endpoint.base_url,
            headers=self._signed(key) if key else {},
            secret=key,
            patience=settings.patience,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @classmethod
    def needs_key(cls, endpoint: Endpoint) -> bool:
        """Whether nothing goes without one there."""
        return True

    def _signed(self, key: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {key}"}

    def longest(self, request: ImageRequest | VideoRequest, /) -> float:
        """Of services that only take the order, if they do not say otherwise."""
        return self.patience.submit

    def _asked(self, method: str, path: str, *, effect: Effect, seconds: float, **sent: Any) -> Mapping[str, Any]:
        """Send one request; the object that its answer is, or an error of ours."""
        answer = self.wire.send(method, path, effect=effect, seconds=seconds, **sent)
        if not answer.ok:
            raise failures.failure(answer, self.wire, effect=effect, dialect=self.dialect)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, Mapping):
            raise self._unreadable(effect)
        return body

    def _looked(self, path: str, *, age_seconds: float) -> Mapping[str, Any] | None:
        """What the service says of a task; None while it may not know it yet."""
        answer = self.wire.send("GET", path, effect=Effect.LOOK, seconds=self.patience.poll)
        if answer.status == 404:
            if age_seconds < self.patience.unseen:
                return None
            raise GenerationLost(provider=self.name)
        if not answer.ok:
            raise failures.failure(answer, self.wire, effect=Effect.LOOK, dialect=self.dialect)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, Mapping):
            raise self._unreadable(Effect.LOOK)
        return body

    def _stopped(self, method: str, path: str) -> None:
        """Ask for a task to be cancelled; a refusal means that it is too late, which is nobody's trouble."""
        answer = self.wire.send(method, path, effect=Effect.LOOK, seconds=self.patience.poll)
        if answer.ok or answer.status in (400, 404, 405, 409, 422):
            return
        raise failures.failure(answer, self.wire, effect=Effect.LOOK, dialect=self.dialect)

    def _unreadable(self, effect: Effect) -> ProviderError:
        """For an answer that is no success and no refusal either: it arrived, and says nothing."""
        if effect is Effect.CREATE:
            return AmbiguousSubmit(provider=self.name)
        if effect is Effect.ASK:
            return AnswerInvalid("The AI service's answer is not after its own protocol.", provider=self.name)
        return Unavailable(provider=self.name)

    def _given(self, values: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What is sent: the parameters win, and one that is None takes away what would have been sent."""
        if "model" in values and "model" in parameters:  # it would be asked for as one, and paid as another
            sentence = "The model has a field of its own: name it there, and not among the parameters."
            raise InvalidRequest(sentence, provider=self.name)
        return {name: value for name, value in {**values, **parameters}.items() if value is not None}

    def _model(self, asked: str, default: str) -> str:
        if model := asked or default:
            return model
        raise InvalidRequest("No model is named, and none is set for this AI service.", provider=self.name)

    def _ended(self, state: State, body: Mapping[str, Any]) -> ProviderError:
        """The error for a task that ended without a result."""
        said = self.wire.clean(failures.words(body))
        if state is State.CANCELLED:
            return GenerationCancelled(provider=self.name, said=said)
        kind = self.dialect.meaning(body)
        return (ContentRejected if kind is ContentRejected else GenerationFailed)(provider=self.name, said=said)

    def _with_files(self, results: tuple[Result, ...]) -> tuple[Result, ...]:
        if results:
            return results
        raise GenerationFailed(provider=self.name, said="there is no file in what it calls finished")


def pending(word: object, percent: object = None) -> Pending:
    """What is said of a task that goes on."""
    known = None
    if isinstance(percent, int | float) and not isinstance(percent, bool) and 0 <= percent <= 100:
        known = float(percent)
    return Pending(percent=known, message=word if isinstance(word, str) else "")


def number(value: object) -> float:
    """A count that a service reports; nought where it reports none, or none that could be."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= _LARGEST else 0.0  # type: ignore[operator,arg-type]
