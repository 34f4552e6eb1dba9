"""Anthropic's Messages API, with structured output.

Facts from its reference, and from its SDK for Python 2.12 (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assets.providers import answers
from assets.providers.base import ContentRejected, QuotaExceeded, TextAnswer, TextRequest, Usage
from assets.providers.failures import Dialect
from assets.providers.service import Service, number
from assets.providers.wire import Effect

_VERSION = "2026-10-21"
_CUT = frozenset({"max_tokens", "model_context_window_exceeded"})


class Anthropic(Service):
    """Text."""

    name = "anthropic"
    dialect = Dialect(
        codes={
            "enforced_spend_limit_reached": QuotaExceeded,  # 429s that no waiting helps against
            "contract_spend_limit_reached": QuotaExceeded,
            "linked_organization_spend_limit_reached": QuotaExceeded,
            "linked_organization_billing_unavailable": QuotaExceeded,
            "billing_error": QuotaExceeded,
        },
        words={r"credit balance is too low|reached your specified .{0,20}usage limits": QuotaExceeded},  # with 400
    )

    def _signed(self, key: str) -> Mapping[str, str]:
        return {"x-api-key": key, "anthropic-version": _VERSION}

    def complete(self, request: TextRequest, /) -> TextAnswer:
        body = self._asked(
            "POST",
            "/v1/messages",
            effect=Effect.ASK,
            seconds=self.patience.text,
            json={
                "model": self._model(request.model, self.endpoint.text_model),
                "max_tokens": request.max_tokens,
                "system": request.system,
                "messages": [{"role": "user", "content": request.prompt}],
                "output_config": {"format": {"type": "json_schema", "schema": answers.for_models(request.schema)}},
            },
        )
        usage = _usage(body.get("usage"))
        reason = body.get("stop_reason")
        if reason == "refusal":
            raise ContentRejected(provider=self.name, usage=usage)
        blocks = body.get("content")
        if not isinstance(blocks, list):
            raise self._unreadable(Effect.ASK)
        texts = [block.get("text") for block in blocks if isinstance(block, Mapping) and block.get("type") == "text"]
        answer = TextAnswer(
            text="".join(text for text in texts if isinstance(text, str)), model=str(body.get("model", "")), usage=usage
        )
        return answers.validated(answer, request.schema, provider=self.name, cut=reason in _CUT)


def _usage(said: Any) -> Usage:
    """Tokens that were read from a cache, or written to it, are counted as read: the bill is never higher than that."""
    if not isinstance(said, Mapping):
        return Usage()
    read = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    written = int(number(said.get("output_tokens")))
    return Usage(input_tokens=int(sum(number(said.get(name)) for name in read)), output_tokens=written)
