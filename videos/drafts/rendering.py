"""From a draft to one finished file: the body of `render_draft`, and what it leaves in the rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from jobs.context import JobContext
from jobs.models import Job
from videos import films, orders, originals
from videos.drafts import contents, errors, fetching, media, slates
from videos.drafts.contents import Contents
from videos.drafts.gathering import Gatherer
from videos.drafts.media import Missing
from videos.models import Draft, OnMissing
from videos.timeline.capcut import reading
from videos.timeline.capcut.report import MOST as MOST_REMARKS
from videos.timeline.film import Film

_COLUMN = 200  # characters
_LARGEST_ID = 2**63 - 1  # what the column holds


def owner_of(draft_id: int) -> int | None:
    """Whose draft it is, so that the job is theirs too."""
    return Draft.objects.filter(pk=draft_id).values_list("owner_id", flat=True).first()


def owns(user_id: int, draft_id: int) -> bool:
    """Whether a user may have batches made of a draft."""
    if type(draft_id) is not int:  # "07" would be number 7, and not be about it
        raise TypeError(f"draft_id has to be a whole number, not {draft_id!r:.40}")
    return 0 < draft_id <= _LARGEST_ID and Draft.objects.filter(pk=draft_id, owner_id=user_id).exists()


def link(job: Job, draft_id: int) -> None:
    """Point the draft at the job that works for it now. Raises DraftGone."""
    if not Draft.objects.filter(pk=draft_id).update(job=job):
        raise errors.DraftGone


def make(ctx: JobContext, draft_id: int) -> dict[str, Any]:
    """Get the draft and its media, make the film, publish it. The result says where it is.

    Raises what `videos.drafts.errors`, `videos.timeline.capcut.errors` and `jobs.outbound` name, and what
    `film.make` raises.
    """
    draft = Draft.objects.filter(pk=draft_id).first()
    if draft is None:
        raise errors.DraftGone
    findings = _Findings()
    ctx.once_failed(lambda _: findings.note(draft.pk))
    ctx.progress(0, 0, "getting the draft")
    with contents.opened(_file(draft, ctx)) as found:
        findings.of(found)
        made = _film(draft, found, findings, ctx)
    ctx.at_completion(lambda: findings.note(draft.pk))
    finished = films.publish(ctx, draft, made, folder=f"drafts/{draft.pk}", gone=errors.DraftGone)
    return {
        "video_url": finished.url,
        "duration": made.duration,
        "file_size": finished.size,
        "draft_id": draft.pk,
        "report": findings.report,
    }


@dataclass
class _Findings:
    """What there is to tell of a draft, as far as it has been looked at."""

    said: dict[str, str] = field(default_factory=dict)  # columns of the row
    report: list[dict[str, str]] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)

    def of(self, found: Contents) -> None:
        named = {"draft_id": plain(found.draft.id), "name": plain(found.draft.name)}
        self.said = {column: text[:_COLUMN] for column, text in named.items() if text}
        self.report = reported(found.draft)

    def note(self, pk: int) -> None:
        """Write it into the row. What the row knows already of id and name, it goes on knowing."""
        rows = Draft.objects.filter(pk=pk)
        rows.update(report=self.report, missing=self.missing)
        for column, text in self.said.items():
            rows.filter(**{column: ""}).update(**{column: text})


def reported(draft: reading.Draft) -> list[dict[str, str]]:
    """The remarks about a draft as rows and results have them."""
    kept = draft.report[:MOST_REMARKS]
    shown = [{name: plain(text) for name, text in dataclasses.asdict(one).items()} for one in kept]
    if more := draft.more_remarks + len(draft.report) - len(kept):
        shown.append({"path": "", "segment_id": "", "code": "more", "message": f"There are {more} more remarks."})
    return shown


def plain(text: str) -> str:
    """A text that any database takes: nothing in it that is no character."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def named(missing: Sequence[Missing]) -> list[dict[str, str]]:
    """Missing media as rows and answers have them."""
    return [{name: plain(text) for name, text in one.said().items()} for one in missing]


def _file(draft: Draft, ctx: JobContext) -> Path:
    """What was sent; else what the address gives."""
    if draft.source:
        path = originals.path_of(draft)
        originals.check(draft, ctx)
        return path
    target = ctx.scratch / "draft"
    fetching.fetch(draft.url, target, max_bytes=settings.JOINTO_DRAFTS.max_bytes)
    return target


def _film(draft: Draft, found: Contents, findings: _Findings, ctx: JobContext) -> Film:
    timeline = found.draft.timeline
    films.check_length(timeline)
    located = media.locate(
        found.draft.media,
        archive=found.archive,
        folder=found.folder,
        mapping=draft.mapping,
        owner_id=draft.owner_id,
    )
    refuses = draft.on_missing == OnMissing.REFUSE
    _tell(located.missing, findings, refuses=refuses)  # before anything is fetched for nothing
    gatherer = Gatherer(ctx, found.archive)
    sources, missing = gatherer.gather(found.draft.media, located)
    _tell(missing, findings, refuses=refuses)
    findings.report += [_slated(one) for one in findings.missing]
    sources |= slates.make(missing, timeline.canvas, gatherer.workshop)
    return films.make(
        ctx,
        slates.put(timeline, {one.media.name for one in missing}),
        sources,
        recipe=orders.read({"format": draft.format, "quality": draft.quality}).recipe,
    )


def _tell(missing: Sequence[Missing], findings: _Findings, *, refuses: bool) -> None:
    findings.missing = named(missing)
    if findings.missing and refuses:
        raise errors.DraftMediaMissing.of(findings.missing)


def _slated(missing: dict[str, str]) -> dict[str, str]:
    """The remark about a medium that something else stands for."""
    instead = "there is silence in its place" if missing["kind"] == "sound" else "a slate stands for it"
    said = f"{missing['file_name']} can't be had ({missing['reason']}); {instead}."
    return {"path": missing["path"], "segment_id": "", "code": "media_missing", "message": said}
