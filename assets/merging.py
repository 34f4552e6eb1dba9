"""Two assets become one, and two again: merging, keeping apart, undoing.

All under the lock on the project, which extractions take as well. What a merge moved is written down with it: what the
kept asset took over, also later (`assets.learning`), and what became of the questions. Of the absorbed asset's own row
a merge changes but where it belongs, and appearances remember what they were found as; so a merge can be undone
whatever came after it, unless the asset that was kept is itself part of another by now.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from assets import errors, likeness, profiles
from assets.models import Appearance, Asset, Likeness, LikenessState, Merge
from videos import projects

FILLED = ("description", "gender", "age", "voice", "role", "time", "place", "picture_id")
"""What an asset that has none takes over from the one that becomes part of it."""


def merge(kept: Asset, absorbed: Asset, *, by: User | None) -> Merge:
    """Make an asset part of another.

    Raises AssetsDiffer, AssetMerged, AssetDeleted, ProjectGone, ProjectDeleted.
    """
    with projects.held(kept.project_id):
        return join(kept.pk, absorbed.pk, by=by)


def to_decide(rows: QuerySet[Likeness]) -> QuerySet[Likeness]:
    """The open questions among likenesses: those about assets that are there.

    Others wait until a merge or a deletion is taken back; of a merged asset it is asked about the one it is part of.
    """
    there = {f"{end}__{column}": None for end in ("first", "second") for column in ("merged_into", "deleted_at")}
    return rows.filter(state=LikenessState.OPEN, **there)


def merge_alike(alike: Likeness, *, by: User | None, keep: Asset | None = None) -> Merge:
    """Make one of two that look alike part of the other, or what became of them; the better known stays.

    Raises LikenessDecided, LikenessGone, and what `merge` does.
    """
    with projects.held(alike.project_id):
        now = _undecided(alike)
        one, other = _root(now.first), _root(now.second)
        best = now.first if keep == now.first or (not keep and _better(one, other)) else now.second
        kept, absorbed = (one, other) if best == now.first else (other, one)
        return join(kept.pk, absorbed.pk, by=by, reasons=now.reasons)


def keep_apart(alike: Likeness, *, by: User | None) -> None:
    """Decide that two are two: they are never merged by themselves, nor asked about.

    Raises LikenessDecided, LikenessGone, ProjectGone, ProjectDeleted.
    """
    with projects.held(alike.project_id):
        _undecided(alike)
        Likeness.objects.filter(pk=alike.pk, state=LikenessState.OPEN).update(
            state=LikenessState.KEPT_APART, decided_by=by, decided_at=timezone.now(), updated_at=timezone.now()
        )


def join(kept_id: int, absorbed_id: int, *, by: User | None, reasons: Sequence[Any] = ()) -> Merge:
    """`merge`, inside the lock on the project."""
    there = Asset.objects.in_bulk([kept_id, absorbed_id])
    if len(there) < 2 or len({(asset.project_id, asset.kind) for asset in there.values()}) > 1:
        raise errors.AssetsDiffer
    kept, absorbed = there[kept_id], there[absorbed_id]
    for asset in (kept, absorbed):
        if asset.merged_into_id:
            raise errors.AssetMerged(details={"asset": asset.merged_into_id})
        if asset.deleted_at:
            raise errors.AssetDeleted
    now = timezone.now()
    ours, theirs = _family(kept_id), _family(absorbed_id)
    moved = {
        **_take_over(kept, absorbed),
        "decided": _decide(ours, theirs, by=by, at=now),
        "asked": _ask_of(kept, ours, theirs),
    }
    Asset.objects.filter(pk__in=theirs).update(merged_into=kept_id, updated_at=now)
    Appearance.objects.filter(asset=absorbed_id).update(asset=kept_id)
    return Merge.objects.create(
        project_id=kept.project_id, kept=kept, absorbed=absorbed, moved=moved, reasons=list(reasons), by=by
    )


def undo(merge: Merge, *, by: User | None) -> None:
    """Have two assets again, each where it appears; they are kept apart from then on.

    Raises MergeUndone, MergeCovered, ProjectGone, ProjectDeleted.
    """
    with projects.held(merge.project_id):
        now = Merge.objects.select_related("kept", "absorbed").get(pk=merge.pk)
        if now.undone_at:
            raise errors.MergeUndone
        if now.kept.merged_into_id:
            raise errors.MergeCovered.by(_covering(now.kept_id))
        at = timezone.now()
        _give_back(now)
        family = _parts_of(now.absorbed_id)
        Asset.objects.filter(pk__in=family).update(merged_into=now.absorbed_id, updated_at=at)
        Asset.objects.filter(pk=now.absorbed_id).update(merged_into=None)
        Appearance.objects.filter(found_as__in=[now.absorbed_id, *family]).update(asset=now.absorbed_id)
        Likeness.objects.filter(pk__in=now.moved.get("asked", ()), state=LikenessState.OPEN).delete()
        for was in now.moved.get("decided", ()):
            rows = Likeness.objects.filter(pk=was["id"], state=LikenessState.MERGED)
            rows.update(**{name: value for name, value in was.items() if name != "id"}, updated_at=at)
        _keep_apart_since(now, by=by, at=at)
        Merge.objects.filter(pk=now.pk).update(undone_at=at, undone_by=by)


# -- who belongs together --------------------------------------------------------------------------------


def _root(asset: Asset) -> Asset:
    return asset.merged_into or asset


def _better(one: Asset, other: Asset) -> bool:
    """Whether rather the one should stay."""
    return likeness.best_first(profiles.of(one)) < likeness.best_first(profiles.of(other))


def _family(asset_id: int) -> list[int]:
    """An asset that is part of no other, and those that are part of it."""
    return [asset_id, *Asset.objects.filter(merged_into=asset_id).values_list("pk", flat=True)]


def _parts_of(asset_id: int) -> list[int]:
    """Those that were merged into one that is part of another now, and into those."""
    found: list[int] = []
    near = [asset_id]
    while near:
        near = list(Merge.objects.filter(kept__in=near, undone_at=None).values_list("absorbed_id", flat=True))
        found += near
    return found


def _covering(asset_id: int) -> list[int]:
    """The merges by which an asset is part of another, the one to be undone first in front."""
    found: list[int] = []
    last = Merge.objects.filter(absorbed=asset_id, undone_at=None).first()
    while last:
        found.insert(0, last.pk)
        last = Merge.objects.filter(absorbed=last.kept_id, undone_at=None).first()
    return found


# -- what is taken over, and given back ------------------------------------------------------------------


def _take_over(kept: Asset, absorbed: Asset) -> dict[str, Any]:
    """Have an asset take what it lacks from another; what that was."""
    before = _aliases(kept)
    more = [alias for alias in likeness.all_names(profiles.of(kept), profiles.of(absorbed)) if alias not in before]
    filled = {name: said for name in FILLED if (said := getattr(absorbed, name)) and not getattr(kept, name)}
    Asset.objects.filter(pk=kept.pk).update(**filled, aliases=[*before, *more], updated_at=timezone.now())
    return {"aliases": more, "filled": filled}


def _aliases(asset: Asset) -> list[Any]:
    """As they stand in the row, whatever that is, and also twice: an undo leaves all as it was."""
    return asset.aliases if isinstance(asset.aliases, list) else []


def _give_back(merge: Merge) -> None:
    """Take from the kept asset what it has from the absorbed one alone.

    What another would have brought as well stays, and is that one's from now on. What was changed since stays too, and
    in the place of what it loses comes what extractions have found of it since.
    """
    kept, own = merge.kept, merge.moved.get("own", {})
    of_kept = Merge.objects.filter(kept=kept, undone_at=None).exclude(pk=merge.pk)
    others = list(of_kept.select_related("absorbed").order_by("pk"))
    gone = []
    for alias in merge.moved.get("aliases", ()):
        heir = next((one for one in others if alias in _called(one.absorbed)), None)
        if heir:
            heir.moved.setdefault("aliases", []).append(alias)
        else:
            gone.append(alias)
    fields: dict[str, Any] = {"aliases": [alias for alias in _aliases(kept) if alias not in gone]}
    for name, value in merge.moved.get("filled", {}).items():
        if getattr(kept, name) != value:
            continue
        heir = next((one for one in others if getattr(one.absorbed, name)), None)
        if name in own:
            fields[name] = own[name]
        elif heir:
            fields[name] = heir.moved.setdefault("filled", {})[name] = getattr(heir.absorbed, name)
        else:
            fields[name] = None if name == "picture_id" else ""
    Asset.objects.filter(pk=kept.pk).update(**fields, updated_at=timezone.now())
    Merge.objects.bulk_update(others, ["moved"], batch_size=500)


def _called(asset: Asset) -> list[str]:
    return [asset.name, *profiles.names_in(asset.aliases)]


# -- what becomes of the questions -----------------------------------------------------------------------


def _undecided(alike: Likeness) -> Likeness:
    """The row as it is now. Raises LikenessDecided if the two are one already."""
    now = Likeness.objects.select_related("first__merged_into", "second__merged_into").filter(pk=alike.pk).first()
    if now is None:
        raise errors.LikenessGone
    if now.state == LikenessState.MERGED or _root(now.first) == _root(now.second):
        raise errors.LikenessDecided
    return now


def _between(ours: Collection[int], theirs: Collection[int]) -> QuerySet[Likeness]:
    there = Q(first__in=ours, second__in=theirs) | Q(first__in=theirs, second__in=ours)
    return Likeness.objects.filter(there).exclude(state=LikenessState.MERGED)


def _decide(
    ours: Collection[int], theirs: Collection[int], *, by: User | None, at: datetime.datetime
) -> list[dict[str, Any]]:
    """The questions whether they are one are answered; how each stood before."""
    rows = list(_between(ours, theirs).order_by("pk"))
    Likeness.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=LikenessState.MERGED, decided_by=by, decided_at=at, updated_at=at
    )
    return [
        {
            "id": row.pk,
            "state": row.state,
            "decided_by": row.decided_by_id,
            "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        }
        for row in rows
    ]


def _ask_of(kept: Asset, ours: Collection[int], theirs: Collection[int]) -> list[int]:
    """What was to be asked about the absorbed one is asked about the kept one; the new questions."""
    about = Q(first__in=theirs) | Q(second__in=theirs)
    rows = Likeness.objects.filter(about, state=LikenessState.OPEN).select_related("first", "second").order_by("pk")
    questions: dict[int, Likeness] = {}
    for row in rows:
        other = row.second if row.first_id in theirs else row.first
        root_id = other.merged_into_id or other.pk
        if root_id not in ours and root_id not in theirs:
            questions.setdefault(root_id, row)
    asked = []
    for root_id, row in questions.items():
        if _between(ours, _family(root_id)).exists():
            continue
        first, second = sorted((kept.pk, root_id))
        said: Mapping[str, Any] = {"score": row.score, "reasons": row.reasons, "state": LikenessState.OPEN}
        new, _ = Likeness.objects.update_or_create(
            first_id=first, second_id=second, defaults={**said, "project_id": kept.project_id}
        )
        asked.append(new.pk)
    return asked


def _keep_apart_since(merge: Merge, *, by: User | None, at: datetime.datetime) -> None:
    """Whoever undoes a merge has decided that the two are two."""
    first, second = sorted((merge.kept_id, merge.absorbed_id))
    decided = {"state": LikenessState.KEPT_APART, "decided_by": by, "decided_at": at}
    Likeness.objects.update_or_create(
        first_id=first,
        second_id=second,
        defaults=decided,
        create_defaults={**decided, "project_id": merge.project_id, "score": 1.0, "reasons": merge.reasons},
    )
