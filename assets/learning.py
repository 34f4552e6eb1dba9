"""What a project knows by which name, and what an extraction adds to it; inside the lock on the project.

Whoever was merged away learns as if it had not been: the names and the rest go to its own row, and from there to the
one it is part of. What that one took over is noted with the merge, so that an undo gives each what it would have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from django.utils import timezone

from assets import names, profiles
from assets.findings import Finding
from assets.models import Asset, Kind, Merge

FIELDS = ("description", "gender", "age", "voice", "role")
_AT_ONCE = 500
_MOST_ALIASES = 50


def normal_of(asset: Asset, name: str) -> str:
    """What an asset's `normal` would be if scripts had this name."""
    if asset.kind == Kind.SCENE:
        return names.normal_scene(name, time=asset.time, place=asset.place)
    return names.normal(name)


class Known:
    """The assets of a project, and the merges by which they hang together."""

    def __init__(self, project_id: int) -> None:
        self._assets = {asset.pk: asset for asset in Asset.objects.filter(project_id=project_id)}
        self._away: dict[int, Merge] = {}  # by the asset that was merged away
        self._into: dict[int, list[Merge]] = defaultdict(list)  # by the one that was kept
        for merge in Merge.objects.filter(project_id=project_id, undone_at=None).order_by("pk"):
            self._away[merge.absorbed_id] = merge
            self._into[merge.kept_id].append(merge)
        self._changed: set[int] = set()
        self._noted: set[Merge] = set()

    def by_name(self) -> dict[tuple[str, str], Asset]:
        """The assets by kind and each of their names.

        The name that scripts have goes before what people call it, and other names; those count where all who have one
        are one by now. Then it is of whom it was before they were merged.
        """
        taken = {pk: {name for one in into for name in one.moved.get("aliases", ())} for pk, into in self._into.items()}
        given_up = {pk: said.difference(_called(self._assets[pk])) for pk, said in taken.items()}
        having: dict[tuple[str, str], dict[int, bool]] = defaultdict(dict)  # who, and whether by a merge alone
        for asset in self._assets.values():
            for name in _called(asset):
                if asset.merged_into_id and name in given_up.get(asset.merged_into_id, ()):
                    continue  # a person took it from the one that has it since
                ids = having[asset.kind, normal_of(asset, name)]
                ids[asset.pk] = ids.get(asset.pk, True) and name in taken.get(asset.pk, ())
        known = {}
        for key, ids in having.items():
            several = [self._assets[pk] for pk in ids]
            if len({self.root(one).pk for one in several}) == 1:
                known[key] = min(several, key=lambda one: (ids[one.pk], one.merged_into_id is not None, one.pk))
        return known | {(asset.kind, asset.normal): asset for asset in self._assets.values()}

    def root(self, asset: Asset) -> Asset:
        """What an asset is since it was merged."""
        return self._assets[asset.merged_into_id] if asset.merged_into_id else asset

    def learn(self, thing: Finding, asset: Asset) -> None:
        """Fill in what nobody knew of an asset, and of those it is part of; what people edited ends it."""
        said = {name: value for name in FIELDS if (value := getattr(thing, name))}
        for one, merge in self._way_up(asset):
            if one.edited_at or one.deleted_at:
                return
            if merge is None:
                self._own(one, said, thing.aliases)
            filled = {name: value for name, value in said.items() if not getattr(one, name)}
            known = {names.normal(name) for name in _called(one)}
            more = [alias for alias in thing.aliases if names.normal(alias) not in known]
            more = more[: max(0, _MOST_ALIASES - len(one.aliases))]
            if not filled and not more:
                continue
            for name, value in filled.items():
                setattr(one, name, value)
            one.aliases, one.updated_at = [*one.aliases, *more], timezone.now()
            self._changed.add(one.pk)
            if merge:
                merge.moved["filled"] = {**merge.moved.get("filled", {}), **filled}
                merge.moved["aliases"] = [*merge.moved.get("aliases", ()), *more]
                self._noted.add(merge)

    def write(self) -> None:
        """Have the rows be what was learned."""
        rows = [self._assets[pk] for pk in sorted(self._changed)]
        Asset.objects.bulk_update(rows, [*FIELDS, "aliases", "updated_at"], batch_size=_AT_ONCE)
        merges = sorted(self._noted, key=lambda merge: merge.pk)
        Merge.objects.bulk_update(merges, ["moved"], batch_size=_AT_ONCE)

    def _way_up(self, asset: Asset) -> Iterator[tuple[Asset, Merge | None]]:
        """An asset and those that it is part of, each with the merge by which it has what the one before has."""
        yield asset, None
        merge = self._away.get(asset.pk)
        while merge:
            yield self._assets[merge.kept_id], merge
            merge = self._away.get(merge.kept_id)

    def _own(self, asset: Asset, said: Mapping[str, str], aliases: Sequence[str]) -> None:
        """Note what is found of an asset itself that it has by a merge alone: an undo leaves it that."""
        told = {names.normal(alias) for alias in aliases}
        for merge in self._into.get(asset.pk, ()):
            moved = merge.moved
            own = {name: value for name, value in said.items() if name in moved.get("filled", {})}
            now = {
                **moved,
                "own": {**own, **moved.get("own", {})},
                "aliases": [alias for alias in moved.get("aliases", ()) if names.normal(alias) not in told],
            }
            if own or now["aliases"] != moved.get("aliases", []):
                merge.moved = now
                self._noted.add(merge)


def _called(asset: Asset) -> list[str]:
    return [asset.name, *profiles.names_in(asset.aliases)]
