"""Findings become rows: assets, where they appear, and the record of what was extracted.

All of it in the transaction that completes the job, and under the lock on the project: so there is never half an
extraction, two of one project that find the same character make one asset of it, and none waits in a circle.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils import timezone

from assets.findings import Finding, Findings, Spot
from assets.learning import Known
from assets.models import Appearance, Asset, Episode, Extracted, Extraction, ExtractionStatus, Kind
from jobs.runner import storable

_AT_ONCE = 500
_KINDS = {Kind.CHARACTER.value: "characters", Kind.PROP.value: "props", Kind.SCENE.value: "scenes"}


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
    known = Known(episode.project_id)
    assets, new = _assets(episode, things, known.by_name())
    roots = {asset.pk: known.root(asset) for asset in assets}
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
    for thing, asset in zip(things, assets, strict=True):
        if asset.pk not in new:
            known.learn(thing, asset)
    known.write()
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


def _assets(
    episode: Episode, things: Sequence[Finding], known: Mapping[tuple[str, str], Asset]
) -> tuple[list[Asset], set[int]]:
    """For each finding the asset of its name, and the ids of those that were made now."""
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
    known = {**known, **{(asset.kind, asset.normal): asset for asset in made}}
    return [known[thing.kind, thing.normal] for thing in things], {asset.pk for asset in made}


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
