"""The tables of uploads, videos and projects."""

from videos.models.projects import Export, Material, Project, TimelineVersion
from videos.models.uploads import Chunk, Upload
from videos.models.videos import Rendition, Video, VideoStatus

__all__ = [
    "Chunk",
    "Export",
    "Material",
    "Project",
    "Rendition",
    "TimelineVersion",
    "Upload",
    "Video",
    "VideoStatus",
]
