"""The addresses of uploads, videos, stills, sounds, projects and drafts."""

from __future__ import annotations

from django.urls import path

from videos.api import drafts, exports, interchange, media, projects, subtitles, uploads, videos

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
    path("stills/", media.StillList.as_view(), name="stills"),
    path("stills/<int:pk>/", media.StillView.as_view(), name="still"),
    path("stills/<int:pk>/restore/", media.RestoreStill.as_view(), name="still-restore"),
    path("sounds/", media.SoundList.as_view(), name="sounds"),
    path("sounds/<int:pk>/", media.SoundView.as_view(), name="sound"),
    path("sounds/<int:pk>/restore/", media.RestoreSound.as_view(), name="sound-restore"),
    path("projects/", projects.ProjectList.as_view(), name="projects"),
    path("projects/<int:pk>/", projects.ProjectView.as_view(), name="project"),
    path("projects/<int:pk>/restore/", projects.RestoreProject.as_view(), name="project-restore"),
    path("projects/<int:pk>/materials/", projects.MaterialList.as_view(), name="project-materials"),
    path(
        "projects/<int:pk>/materials/<int:material_id>/",
        projects.MaterialView.as_view(),
        name="project-material",
    ),
    path("projects/<int:pk>/timeline/", projects.TimelineView.as_view(), name="project-timeline"),
    path("projects/<int:pk>/timeline/undo/", projects.UndoTimeline.as_view(), name="project-timeline-undo"),
    path("projects/<int:pk>/timeline/redo/", projects.RedoTimeline.as_view(), name="project-timeline-redo"),
    path("projects/<int:pk>/timeline/schema/", projects.TimelineSchema.as_view(), name="project-timeline-schema"),
    path("projects/<int:pk>/timeline/otio/", interchange.OtioTimeline.as_view(), name="project-timeline-otio"),
    path(
        "projects/<int:pk>/timeline/subtitles/",
        subtitles.TimelineSubtitles.as_view(),
        name="project-timeline-subtitles",
    ),
    path("projects/<int:pk>/exports/", exports.ExportList.as_view(), name="project-exports"),
    path("projects/<int:pk>/exports/<int:export_id>/", exports.ExportView.as_view(), name="project-export"),
    path("drafts/", drafts.DraftList.as_view(), name="drafts"),
    path("drafts/<int:pk>/", drafts.DraftView.as_view(), name="draft"),
]
