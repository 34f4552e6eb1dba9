"""Where jobs look at media, and what is looked at: by the settings of this site."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings

from videos.media.probe import Caps
from videos.media.transcode import Workshop

logger = logging.getLogger(__name__)


def at(folder: Path) -> Workshop:
    """One in a private folder of an attempt's."""
    return Workshop(folder=folder, threads=settings.JOINTO_VIDEOS.threads, on_log=logger.info)


def caps() -> Caps:
    """The largest picture and the longest film that is touched."""
    return Caps(pixels=settings.JOINTO_VIDEOS.max_pixels, seconds=settings.JOINTO_VIDEOS.max_seconds)
