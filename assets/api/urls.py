"""The addresses of episodes, extractions, assets and usage."""

from __future__ import annotations

from django.urls import path

from assets.api import assets, episodes, extractions, generations, likenesses, usage
from assets.api import uploads as uploads  # has no address of its own: it says what merged scripts become

urlpatterns = [
    path("episodes/", episodes.EpisodeList.as_view(), name="episodes"),
    path("episodes/<int:pk>/", episodes.EpisodeView.as_view(), name="episode"),
    path("episodes/<int:pk>/extract/", extractions.ExtractEpisode.as_view(), name="episode-extract"),
    path("episodes/<int:pk>/extractions/", extractions.ExtractionList.as_view(), name="episode-extractions"),
    path(
        "episodes/<int:pk>/extractions/<int:extraction_id>/",
        extractions.ExtractionView.as_view(),
        name="episode-extraction",
    ),
    path("projects/<int:pk>/episodes/", episodes.ProjectEpisodes.as_view(), name="project-episodes"),
    path("projects/<int:pk>/episodes/extract/", extractions.ExtractProject.as_view(), name="project-extract"),
    path("projects/<int:pk>/deduplicate/", likenesses.Deduplicate.as_view(), name="project-deduplicate"),
    path("extraction-reports/", extractions.ReportList.as_view(), name="extraction-reports"),
    path("extraction-reports/<int:pk>/", extractions.ReportView.as_view(), name="extraction-report"),
    path("assets/", assets.AssetList.as_view(), name="assets"),
    path("assets/<int:pk>/", assets.AssetView.as_view(), name="asset"),
    path("assets/<int:pk>/restore/", assets.RestoreAsset.as_view(), name="asset-restore"),
    path("assets/<int:pk>/appearances/", assets.AppearanceList.as_view(), name="asset-appearances"),
    path("assets/<int:pk>/merge/", likenesses.MergeAsset.as_view(), name="asset-merge"),
    path("assets/likenesses/", likenesses.LikenessList.as_view(), name="likenesses"),
    path("assets/likenesses/<int:pk>/merge/", likenesses.MergeLikeness.as_view(), name="likeness-merge"),
    path("assets/likenesses/<int:pk>/keep-apart/", likenesses.KeepApart.as_view(), name="likeness-keep-apart"),
    path("assets/merges/", likenesses.MergeList.as_view(), name="merges"),
    path("assets/merges/<int:pk>/undo/", likenesses.UndoMerge.as_view(), name="merge-undo"),
    path("generations/", generations.GenerationList.as_view(), name="generations"),
    path("generations/<int:pk>/", generations.GenerationView.as_view(), name="generation"),
    path("generations/images/", generations.ImageList.as_view(), name="generate-image"),
    path("generations/videos/", generations.ClipList.as_view(), name="generate-video"),
    path("text-models/", extractions.TextModels.as_view(), name="text-models"),
    path("usage/", usage.UsageView.as_view(), name="usage"),
]
