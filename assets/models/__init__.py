"""The tables of episodes, assets, what was extracted and generated, and what that cost."""

from assets.models.assets import Appearance, Asset, Kind, Place
from assets.models.episodes import Episode, EpisodeStatus
from assets.models.extractions import Extracted, Extraction, ExtractionReport, ExtractionStatus, PieceAnswer
from assets.models.generations import Generation, GenerationKind, GenerationState
from assets.models.likenesses import Likeness, LikenessState, Merge
from assets.models.prompts import Prompt
from assets.models.providers import ProviderCall, ProviderLimit, Usage

__all__ = [
    "Appearance",
    "Asset",
    "Episode",
    "EpisodeStatus",
    "Extracted",
    "Extraction",
    "ExtractionReport",
    "ExtractionStatus",
    "Generation",
    "GenerationKind",
    "GenerationState",
    "Kind",
    "Likeness",
    "LikenessState",
    "Merge",
    "PieceAnswer",
    "Place",
    "Prompt",
    "ProviderCall",
    "ProviderLimit",
    "Usage",
]
