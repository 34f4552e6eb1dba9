"""The addresses of uploads and videos."""

from __future__ import annotations

from django.urls import path

from videos.api import uploads, videos

urlpatterns = [
    path("videos/uploads/", uploads.BeginUpload.as_view(), name="uploads"),
    path("videos/uploads/<uuid:upload_id>/", uploads.UploadView.as_view(), name="upload"),
    path(
        "videos/uploads/<uuid:upload_id>/chunks/<int:index>/",
        uploads.ChunkView.as_view(),
        name="upload-chunk",
    ),
    path("videos/merge-chunks/", uploads.MergeChunks.as_view(), name="merge-chunks"),
    path("videos/", videos.VideoList.as_view(), name="videos"),
    path("videos/<int:pk>/", videos.VideoView.as_view(), name="video"),
    path("videos/<int:pk>/restore/", videos.RestoreVideo.as_view(), name="video-restore"),
    path("videos/<int:pk>/process/", videos.ProcessVideo.as_view(), name="video-process"),
]
