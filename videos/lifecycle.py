"""Deleting a video, a still or a sound for a while, and taking that back."""

from __future__ import annotations

import contextlib

from django.utils import timezone

from jobs import control
from jobs.status import ACTIVE
from videos.models import Uploaded


def delete(row: Uploaded, *, by: str) -> None:
    """Delete one until it is restored, or until the clean-up comes; work on it is cancelled."""
    type(row)._default_manager.filter(pk=row.pk, deleted_at=None).update(deleted_at=timezone.now())
    if row.job and row.job.status in ACTIVE:
        with contextlib.suppress(control.NotCancellable):  # it ended this very moment
            control.cancel(row.job, by=by)


def restore(row: Uploaded) -> None:
    """Take a deletion back; fine if there was none."""
    type(row)._default_manager.filter(pk=row.pk).update(deleted_at=None)
