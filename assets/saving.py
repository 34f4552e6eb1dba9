"""Findings become rows: assets, where they appear, and the record of what was extracted.

All of it in the transaction that completes the job, and under the lock on the project: so there is never half an
extraction, two of one project that find the same character make one asset of it, and none waits in a circle.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils import timezone

from assets import names
from assets.findings import Finding, Findings, Spot
from assets.models import Appearance, Asset, Episode, Extracted, Extraction, ExtractionStatus, Kind
from jobs.runner import storable

_AT_ONCE = 500
_KINDS = {Kind.CHARACTER.value: "characters", Kind.PROP.value: "props", Kind.SCENE.value: "scenes"}
_TAKEN_OVER = ("description", "gender", "age", "voice", "role")
_MOST_ALIASES = 50


@dataclass(frozen=True, kw_only=True)
class Record:
    """By whom an extraction was made."""

    job_id: uuid.UUID | None  # None: it was called as a function
    attempt: int
    model: str
    prompt_version: str = ""


def save(episode: Episode, findings: Findings, record: Record) -> dict[str, Any]:
    """Make findings what is known of an episode, instead of what was known of it before; the result of the job.

    Inside `episodes.held`.
    """
    things = sorted(findings.things, key=lambda thing: (thing.kind, thing.normal))
    assets, new = _assets(episode, things)
    roots = _roots(assets)
    extraction = Extraction.objects.create(
        episode=episode,
        job_id=record.job_id,
        attempt=record.attempt,
        model=record.model,
        prompt_version=record.prompt_version,
        status=ExtractionStatus.COMPLETED.value,
        counts=_counts(assets, new),
        warnings=list(findings.warnings),
    )
    Extracted.objects.bulk_create(
        [
            Extracted(
                extraction=extraction,
                kind=thing.kind,
                name=thing.name,
                payload=_payload(thing),
                confidence=min(1.0, max(0.0, thing.confidence)),
                first_line=thing.first_line,
                asset=asset,
                new=asset.pk in new,
            )
            for thing, asset in zip(things, assets, strict=True)
        ],
        batch_size=_AT_ONCE,
    )
    _place(episode, things, assets, roots)
    _complete(things, assets, roots, new)
    Episode.objects.filter(pk=episode.pk).update(extracted_at=timezone.now(), updated_at=timezone.now())
    return _result(episode, things, assets, roots)


def fail(episode_id: int, record: Record, *, code: str, message: str, answers: Sequence[str]) -> None:
    """Write down an extraction that came to nothing, with what the model answered."""
    Extraction.objects.create(
        episode_id=episode_id,
        job_id=record.job_id,
        attempt=record.attempt,
        model=record.model,
        prompt_version=record.prompt_version,
        status=ExtractionStatus.FAILED.value,
        error_code=code,
        error_message=message,
        answers=[storable(answer) for answer in answers],
    )


def _assets(episode: Episode, things: Sequence[Finding]) -> tuple[list[Asset], set[int]]:
    """For each finding the asset of its name, and the ids of those that were made now."""
    known = _known(episode.project_id)
    missing = [thing for thing in things if (thing.kind, thing.normal) not in known]
    made = [
        Asset(
            project=episode.project,
            kind=thing.kind,
            name=thing.name,
            normal=thing.normal,
            aliases=list(thing.aliases),
            description=thing.description,
            gender=thing.gender,
            age=thing.age,
            voice=thing.voice,
            role=thing.role,
            time=thing.time,
            place=thing.place,
        )
        for thing in missing
    ]
    # In the order of their names: should anybody ever do this without the lock, they wait in a line.
    made = Asset.objects.bulk_create(made, batch_size=_AT_ONCE)
    known |= {(asset.kind, asset.normal): asset for asset in made}
    return [known[thing.kind, thing.normal] for thing in things], {asset.pk for asset in made}


def _known(project_id: int) -> dict[tuple[str, str], Asset]:
    """The assets of a project by kind and each of their names.

    The name that scripts have goes before what people call it, and other names; those count where only one has them.
    """
    assets = list(Asset.objects.filter(project_id=project_id).select_related("merged_into"))
    called: dict[tuple[str, str], dict[int, Asset]] = defaultdict(dict)
    for asset in assets:
        if asset.merged_into_id is None:
            for name in (asset.name, *map(str, asset.aliases)):
                called[asset.kind, normal_of(asset, name)][asset.pk] = asset
    known = {key: next(iter(having.values())) for key, having in called.items() if len(having) == 1}
    return known | {(asset.kind, asset.normal): asset for asset in assets}


def normal_of(asset: Asset, name: str) -> str:
    """What an asset's `normal` would be if scripts had this name."""
    if asset.kind == Kind.SCENE:
        return names.normal_scene(name, time=asset.time, place=asset.place)
    return names.normal(name)


def _roots(assets: Iterable[Asset]) -> dict[int, Asset]:
    """For each asset the one that it is since it was merged."""
    return {asset.pk: asset.merged_into or asset for asset in assets}


def _place(episode: Episode, things: Sequence[Finding], assets: Sequence[Asset], roots: Mapping[int, Asset]) -> None:
    """Have the assets appear in the episode where they were found, and nowhere else in it."""
    spots: dict[tuple[int, int | None], Spot] = {}
    for thing, asset in zip(things, assets, strict=True):
        for spot in thing.spots:
            known = spots.get((asset.pk, spot.scene_index))  # by another name of the same asset
            lines = spot.lines + (known.lines if known else 0)
            spots[asset.pk, spot.scene_index] = replace(known or spot, lines=lines)
    Appearance.objects.filter(episode=episode).delete()
    Appearance.objects.bulk_create(
        [
            Appearance(
                asset=roots[found_as],
                found_as_id=found_as,
                episode=episode,
                scene_index=index,
                scene_number=spot.scene_number,
                scene_heading=spot.scene_heading,
                first_line=spot.first_line,
                lines=spot.lines,
            )
            for (found_as, index), spot in spots.items()
        ],
        batch_size=_AT_ONCE,
    )


def _complete(things: Sequence[Finding], assets: Sequence[Asset], roots: Mapping[int, Asset], new: set[int]) -> None:
    """Fill in what nobody knew of the assets that were there before; those that people edited stay as they are."""
    changed: dict[int, Asset] = {}
    for thing, asset in zip(things, assets, strict=True):
        root = roots[asset.pk]
        if asset.pk in new or root.edited_at or root.deleted_at:
            continue
        root = changed.get(root.pk, root)
        learned = {name: said for name in _TAKEN_OVER if (said := getattr(thing, name)) and not getattr(root, name)}
        aliases = _aliases(root, thing)
        if learned or aliases != root.aliases:
            for name, said in learned.items():
                setattr(root, name, said)
            root.aliases, root.updated_at = aliases, timezone.now()
            changed[root.pk] = root
    rows = sorted(changed.values(), key=lambda asset: asset.pk)
    Asset.objects.bulk_update(rows, [*_TAKEN_OVER, "aliases", "updated_at"], batch_size=_AT_ONCE)


def _aliases(asset: Asset, thing: Finding) -> list[str]:
    known = {names.normal(str(alias)) for alias in asset.aliases} | {names.normal(asset.name)}
    more = [alias for alias in thing.aliases if names.normal(alias) not in known]
    return [*asset.aliases, *more][:_MOST_ALIASES]


def _payload(thing: Finding) -> dict[str, Any]:
    said = asdict(thing)
    return {name: value for name, value in said.items() if value not in ("", (), [], None)}


def _counts(assets: Sequence[Asset], new: set[int]) -> dict[str, dict[str, int]]:
    found = Counter(asset.kind for asset in {asset.pk: asset for asset in assets}.values())
    made = Counter(asset.kind for asset in {asset.pk: asset for asset in assets}.values() if asset.pk in new)
    return {plural: {"found": found[kind], "new": made[kind]} for kind, plural in _KINDS.items()}


def _result(
    episode: Episode, things: Sequence[Finding], assets: Sequence[Asset], roots: Mapping[int, Asset]
) -> dict[str, Any]:
    """The assets by kind, in the order in which they appear."""
    order = sorted(zip(things, assets, strict=True), key=lambda pair: (pair[0].first_line or 0, pair[0].name))
    found: dict[str, dict[int, dict[str, Any]]] = {plural: {} for plural in _KINDS.values()}
    for _, asset in order:
        root = roots[asset.pk]
        found[_KINDS[root.kind]].setdefault(root.pk, {"id": root.pk, "name": root.name})
    return {
        "episode_id": episode.pk,
        "extracted_assets": {plural: list(rows.values()) for plural, rows in found.items()},
        "total": {plural: len(rows) for plural, rows in found.items()},
    }
