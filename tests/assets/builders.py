"""Builders of episodes and assets, that can only build legal states."""

from __future__ import annotations

import itertools
from typing import Any

from django.contrib.auth.models import User

from assets import names
from assets.models import Appearance, Asset, Episode, Kind, Likeness
from tests.builders import make_user
from videos.models import Project

_numbers = itertools.count(1)

SCRIPT = """\
INT. KITCHEN - DAY

SARAH pours coffee. A letter lies on the table.

SARAH
Who wrote this?

TOM (V.O.)
You know who.

EXT. STREET - NIGHT

TOM
Come down!

SARAH
Never.
"""
"""Two scenes, two characters."""


def make_project(owner: User | None = None, name: str = "") -> Project:
    """A project of somebody's."""
    return Project.objects.create(owner=owner or make_user(), name=name or f"project {next(_numbers)}")


def make_episode(project: Project | None = None, *, script: str = SCRIPT, **fields: Any) -> Episode:
    """An episode that nothing was extracted from yet; it is the next one of its project."""
    project = project or make_project()
    last = project.episodes.order_by("-number").values_list("number", flat=True).first() or 0
    number = fields.pop("number", last + 1)
    return Episode.objects.create(project=project, number=number, script=script, length=len(script), **fields)


def make_asset(project: Project | None = None, name: str = "", *, kind: str = Kind.CHARACTER, **fields: Any) -> Asset:
    """An asset as an extraction makes it."""
    name = name or f"asset {next(_numbers)}"
    normal = names.normal(name)
    if kind == Kind.SCENE:
        normal = names.normal_scene(name, time=fields.get("time", ""), place=fields.get("place", ""))
    return Asset.objects.create(project=project or make_project(), kind=kind, name=name, normal=normal, **fields)


def make_appearance(asset: Asset, episode: Episode | None = None, *, scene_index: int | None = 0, **fields: Any) -> Any:
    """An asset found in a scene of an episode."""
    episode = episode or asset.project.episodes.first() or make_episode(asset.project)
    into = asset.merged_into or asset
    return Appearance.objects.create(asset=into, found_as=asset, episode=episode, scene_index=scene_index, **fields)


def make_likeness(one: Asset, other: Asset, *, score: float = 0.8, **fields: Any) -> Likeness:
    """Two assets of a project that somebody is to look at."""
    first, second = sorted((one, other), key=lambda asset: asset.pk)
    return Likeness.objects.create(project=one.project, first=first, second=second, score=score, **fields)
