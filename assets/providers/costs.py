"""What a call cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from assets.providers.base import Usage
from assets.providers.settings import Price

_MILLION = Decimal(1_000_000)


def cost(usage: Usage, *, provider: str, model: str, prices: Mapping[str, Price]) -> Decimal | None:
    """In US dollars: as the service says, else by the price list; None if neither knows.

    Seconds are those that the service counts: of machine time at Replicate, of film at the others. Where none of what
    has a price was counted, nobody knows.
    """
    if usage.cost is not None:
        return usage.cost
    price = prices.get(f"{provider}/{model}", prices.get(provider))
    if price is None:
        return None
    tokens = price.input * usage.input_tokens + price.output * usage.output_tokens
    total = tokens / _MILLION + price.image * usage.images + price.second * Decimal(str(usage.seconds))
    return total if total or price == Price() else None
