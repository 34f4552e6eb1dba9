"""The tables of uploads and videos."""

from videos.models.uploads import Chunk, Upload
from videos.models.videos import Rendition, Video, VideoStatus

__all__ = ["Chunk", "Rendition", "Upload", "Video", "VideoStatus"]
