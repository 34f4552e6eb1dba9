"""The operator's pages."""

from assets.admin import assets, episodes, generations, prompts, providers

__all__ = ["assets", "episodes", "generations", "prompts", "providers"]
