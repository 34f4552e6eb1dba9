"""What calls of AI providers used and cost: written down as soon as an answer is there, whatever becomes of its job."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from assets import models
from assets.providers import costs
from assets.providers.base import Usage
from jobs.models import Job

GROUPS = ("month", "provider", "kind", "model")
SUMMED = ("calls", "input_tokens", "output_tokens", "images", "seconds", "cost")


def record(
    used: Usage,
    *,
    job_id: uuid.UUID | None,
    provider: str,
    model: str,
    project_id: int | None = None,
    user_id: int | None = None,
    kind: str = "",
) -> models.Usage:
    """Write down one call. User and kind are those of the job, if there is one. What it costs is known or looked up."""
    job = Job.objects.filter(pk=job_id).only("owner_id", "kind").first() if job_id else None
    row: models.Usage = models.Usage.objects.create(
        user_id=job.owner_id if job else user_id,
        project_id=project_id,
        job=job,
        kind=job.kind if job else kind,
        provider=provider,
        model=model[:200],
        month=month_of(timezone.now()),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        images=used.images,
        seconds=used.seconds,
        cost=_rounded(costs.cost(used, provider=provider, model=model, prices=settings.JOINTO_PROVIDERS.prices)),
    )
    return row


def month_of(now: Any) -> date:
    """The first day of the month, by the site's clocks."""
    local = timezone.localtime(now, timezone.get_default_timezone())
    return date(local.year, local.month, 1)


def summed(rows: QuerySet[models.Usage], *, by: tuple[str, ...] = GROUPS) -> list[Mapping[str, Any]]:
    """Sums by month and so on, newest month first. `unpriced`: calls of which nobody knows what they cost."""
    sums = (
        rows.order_by()
        .values(*by)
        .annotate(**{f"sum_{name}": Sum(name) for name in SUMMED}, priced=Count("cost"), recorded=Count("pk"))
    )
    order = ["-month" if name == "month" else name for name in by]
    return [
        {
            **{name: row[name] for name in by},
            **{name: row[f"sum_{name}"] for name in SUMMED},
            "cost": row["sum_cost"] or Decimal(0),
            "unpriced": row["recorded"] - row["priced"],
        }
        for row in sums.order_by(*order)
    ]


def _rounded(cost: Decimal | None) -> Decimal | None:
    return None if cost is None else min(cost.quantize(Decimal("0.000001")), Decimal(999_999))
