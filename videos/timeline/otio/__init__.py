"""OpenTimelineIO in and out: cuts, gaps, speeds and transitions as other programs mean them.

What OTIO has no word for (places, volumes, keyframes, texts, the canvas) stands in its metadata, under the key
"jointo".
"""

from __future__ import annotations

from videos.timeline.otio.errors import OtioInvalid
from videos.timeline.otio.media import Medium
from videos.timeline.otio.reading import Reading, read
from videos.timeline.otio.report import Remark
from videos.timeline.otio.writing import Footage, write

__all__ = ["Footage", "Medium", "OtioInvalid", "Reading", "Remark", "read", "write"]
