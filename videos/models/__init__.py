"""The tables of uploads, videos, stills, sounds, projects and drafts."""

from videos.models.drafts import Draft, OnMissing
from videos.models.media import Medium
from videos.models.projects import Export, Material, Project, TimelineVersion
from videos.models.uploaded import Uploaded
from videos.models.uploads import Chunk, Upload
from videos.models.videos import Rendition, Video, VideoStatus

__all__ = [
    "Chunk",
    "Draft",
    "Export",
    "Material",
    "Medium",
    "OnMissing",
    "Project",
    "Rendition",
    "TimelineVersion",
    "Upload",
    "Uploaded",
    "Video",
    "VideoStatus",
]
