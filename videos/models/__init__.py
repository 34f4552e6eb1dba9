"""The tables of uploads, videos, stills, sounds and projects."""

from videos.models.media import Medium
from videos.models.projects import Export, Material, Project, TimelineVersion
from videos.models.uploaded import Uploaded
from videos.models.uploads import Chunk, Upload
from videos.models.videos import Rendition, Video, VideoStatus

__all__ = [
    "Chunk",
    "Export",
    "Material",
    "Medium",
    "Project",
    "Rendition",
    "TimelineVersion",
    "Upload",
    "Uploaded",
    "Video",
    "VideoStatus",
]
