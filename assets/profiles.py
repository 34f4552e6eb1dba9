"""The assets of a project as `assets.likeness` compares them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assets.likeness import Pair, Profile
from assets.models import Appearance, Asset, Likeness, LikenessState

_COLUMNS = ("id", "kind", "name", "aliases", "description", "gender", "age", "time", "place", "picture_id", "edited_at")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a project's assets, and what people have decided about them. Equal if nothing has changed."""

    profiles: tuple[Profile, ...]
    apart: frozenset[Pair]
    asked: frozenset[Pair]


def of(asset: Asset) -> Profile:
    """An asset by itself, as far as its row tells."""
    return _profile({name: getattr(asset, name) for name in _COLUMNS}, Appearance.objects.filter(asset=asset).count())


def names_in(aliases: Any) -> list[str]:
    """Other names as they stand in a row, where anything might."""
    return [alias for alias in aliases if isinstance(alias, str) and alias.strip()] if isinstance(aliases, list) else []


def see(project_id: int) -> Seen:
    """All assets of a project that are there, each with those that are part of it."""
    of_project = Asset.objects.filter(project_id=project_id).order_by("pk")
    into = dict(of_project.exclude(merged_into=None).values_list("pk", "merged_into_id"))
    rows = list(of_project.filter(deleted_at=None).values(*_COLUMNS, "merged_into_id"))
    counts, speaks = _appearances(project_id, by="asset_id")
    found, spoke = _appearances(project_id, by="found_as_id")
    parts: dict[int, list[Profile]] = defaultdict(list)
    for row in rows:
        if row["merged_into_id"]:
            part = _profile(row, found[row["id"]], frozenset(spoke[row["id"]]))
            parts[row["merged_into_id"]].append(part)
    profiles = tuple(
        _profile(row, counts[row["id"]], frozenset(speaks[row["id"]]), parts=tuple(parts[row["id"]]))
        for row in rows
        if not row["merged_into_id"]
    )
    there = {profile.id for profile in profiles}
    decided = Likeness.objects.filter(project_id=project_id)
    apart = decided.filter(state=LikenessState.KEPT_APART).values_list("first_id", "second_id")
    asked = decided.filter(state=LikenessState.OPEN).values_list("first_id", "second_id")
    return Seen(
        profiles=profiles,
        apart=frozenset(_roots(apart, into)),
        asked=frozenset(pair for pair in asked if there.issuperset(pair)),
    )


def _roots(pairs: Iterable[Pair], into: Mapping[int, int]) -> Iterable[Pair]:
    for one, other in pairs:
        first, second = sorted((into.get(one, one), into.get(other, other)))
        if first != second:
            yield first, second


def _appearances(project_id: int, *, by: str) -> tuple[dict[int, int], dict[int, set[tuple[int, int]]]]:
    counts: dict[int, int] = defaultdict(int)
    speaks: dict[int, set[tuple[int, int]]] = defaultdict(set)
    rows = Appearance.objects.filter(episode__project_id=project_id).order_by()
    for asset_id, episode_id, scene, lines in rows.values_list(by, "episode_id", "scene_index", "lines").iterator():
        counts[asset_id] += 1
        if lines and scene is not None:
            speaks[asset_id].add((episode_id, scene))
    return counts, speaks


def _profile(
    row: Mapping[str, Any],
    appearances: int = 0,
    speaks_in: frozenset[tuple[int, int]] = frozenset(),
    parts: tuple[Profile, ...] = (),
) -> Profile:
    return Profile(
        **{name: row[name] for name in ("id", "kind", "name", "description", "gender", "age", "time", "place")},
        aliases=tuple(names_in(row["aliases"])),
        appearances=appearances,
        speaks_in=speaks_in,
        cherished=bool(row["edited_at"] or row["picture_id"]),
        parts=parts,
    )
