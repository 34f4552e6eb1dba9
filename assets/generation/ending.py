"""How a picture or clip ends that was not made: what its row says then, and what its provider is told."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from assets.generation import rows, services
from assets.generation.errors import GenerationUnusable
from assets.models import Generation, GenerationState
from assets.providers.base import (
    AmbiguousSubmit,
    ContentRejected,
    GenerationCancelled,
    GenerationFailed,
    GenerationLost,
)
from jobs.now import Now

logger = logging.getLogger(__name__)

_FINAL = (ContentRejected, GenerationCancelled, GenerationFailed, GenerationLost, GenerationUnusable)
"""By these the provider, or what it made, says that nothing more will come of it."""
_MARGIN = timedelta(minutes=5)  # from an answer to the row that tells it
_TRIED_FOR = timedelta(days=1)  # longer than any provider works for one order


def note_failure(row: Generation, error: BaseException) -> None:
    """How it ended, in the row. What the provider still works for, or has made, stays where a retry finds it."""
    code, message = getattr(error, "code", "unexpected"), getattr(error, "message", "")
    said = {"error_code": code, "error_message": message, "finished_at": Now(), "updated_at": Now()}
    known = Generation.objects.filter(pk=row.pk)
    if isinstance(error, AmbiguousSubmit):
        # But not if its answer was written down this very moment.
        known.filter(state=GenerationState.SUBMITTING).update(state=GenerationState.AMBIGUOUS)
    elif isinstance(error, _FINAL):
        known.update(state=GenerationState.FAILED)
    else:
        known.filter(state=GenerationState.QUEUED).update(state=GenerationState.FAILED)
    known.update(**said)


def after(row: Generation) -> None:
    """An attempt has ended without completing its job. If that was cancelled, what can be done about it is done."""
    pass_cancel_on(row)


def pass_cancel_on(row: Generation) -> bool:
    """If its job was cancelled: tell the provider, and the row. Whether that is done with.

    What is being submitted is left alone: whoever submits writes the answer down, and then comes here. After so long
    that nobody can be on his way any more, it is for a person to look at.
    """
    now = Generation.objects.filter(pk=row.pk).first()
    if now is None or not rows.is_cancelled(now):
        return False
    if now.state == GenerationState.QUEUED:
        return rows.end_cancelled(now, GenerationState.QUEUED, GenerationState.CANCELLED)
    if now.state == GenerationState.SUBMITTED:
        told = services.cancel_quietly(now) or _is_older(now, _TRIED_FOR)
        return told and rows.end_cancelled(now, GenerationState.SUBMITTED, GenerationState.CANCELLED)
    longest = timedelta(seconds=settings.JOINTO_PROVIDERS.patience.longest) + _MARGIN
    if now.state == GenerationState.SUBMITTING and _is_older(now, longest):
        said = {"error_code": AmbiguousSubmit.code, "error_message": AmbiguousSubmit.message}
        return rows.end_cancelled(now, GenerationState.SUBMITTING, GenerationState.AMBIGUOUS, **said)
    return False


def _is_older(row: Generation, age: timedelta) -> bool:
    since = row.submitted_at or row.submit_started_at
    return since is not None and timezone.now() - since > age
