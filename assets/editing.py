"""What people do to assets: change them, delete them for a while, restore them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from assets import errors, names
from assets.learning import normal_of
from assets.models import Asset
from videos import projects

EDITABLE = ("name", "aliases", "description", "gender", "age", "voice", "role", "time", "place", "picture")


def change(asset: Asset, said: Mapping[str, Any]) -> Asset:
    """Change what is given of an asset; extractions leave it as it is from now on, unless that is how it was.

    A name that it had before becomes another name of it, so that it is found under both. Raises AssetMerged,
    AssetDeleted, AssetNameTaken, ProjectDeleted.
    """
    with projects.held(asset.project_id):
        now = _unmerged(asset)
        if now.deleted_at:
            raise errors.AssetDeleted
        said = {name: value for name, value in said.items() if getattr(now, name) != value}
        if not said:
            return now
        before = now.name
        for name, value in said.items():
            setattr(now, name, value)
        if names.normal(now.name) != names.normal(before):
            now.aliases = _with(now.aliases, before, without=now.name)
        _check_free(now)
        now.edited_at = timezone.now()
        now.save(update_fields=[*said, "aliases", "edited_at", "updated_at"])
        return now


def delete(asset: Asset) -> None:
    """Take an asset out of what is shown; extractions find it, and leave it so. Fine if that was done.

    Raises AssetMerged, as nobody would see it until the merge is undone; ProjectDeleted.
    """
    with projects.held(asset.project_id):
        now = _unmerged(asset)
        Asset.objects.filter(pk=now.pk, deleted_at=None).update(deleted_at=timezone.now(), updated_at=timezone.now())


def restore(asset: Asset) -> None:
    """Take a deletion back; fine if there was none. Raises AssetNameTaken, ProjectDeleted."""
    with projects.held(asset.project_id):
        now = Asset.objects.get(pk=asset.pk)
        if not now.deleted_at:
            return
        if not now.merged_into_id:
            _check_free(now)
        Asset.objects.filter(pk=now.pk).update(deleted_at=None, updated_at=timezone.now())


def _unmerged(asset: Asset) -> Asset:
    """The row as it is now. Raises AssetMerged."""
    now = Asset.objects.get(pk=asset.pk)
    if now.merged_into_id:
        raise errors.AssetMerged(details={"asset": now.merged_into_id})
    return now


def _with(aliases: list[Any], more: str, *, without: str) -> list[str]:
    """The other names with one more, and without the one that is the name now."""
    kept = [str(alias) for alias in aliases if names.normal(str(alias)) != names.normal(without)]
    known = {names.normal(alias) for alias in kept}
    return kept if names.normal(more) in known else [*kept, more]


def _check_free(asset: Asset) -> None:
    wanted = normal_of(asset, asset.name)
    others = Asset.objects.filter(project_id=asset.project_id, kind=asset.kind, merged_into=None, deleted_at=None)
    for other in others.exclude(pk=asset.pk):
        if wanted in (normal_of(other, other.name), other.normal):
            raise errors.AssetNameTaken(details={"asset": other.pk})
