"""Deleting a video for a while, and taking that back."""

from __future__ import annotations

import contextlib

from django.utils import timezone

from jobs import control
from jobs.status import ACTIVE
from videos.models import Video


def delete(video: Video, *, by: str) -> None:
    """Delete a video until it is restored, or until the clean-up comes; work on it is cancelled."""
    Video.objects.filter(pk=video.pk, deleted_at__isnull=True).update(deleted_at=timezone.now())
    if video.job and video.job.status in ACTIVE:
        with contextlib.suppress(control.NotCancellable):  # it ended this very moment
            control.cancel(video.job, by=by)


def restore(video: Video) -> None:
    """Take a deletion back; fine if there was none."""
    Video.objects.filter(pk=video.pk).update(deleted_at=None)
