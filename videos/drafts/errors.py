"""What can be wrong with a draft that is sent, and with what belongs to it; besides `videos.timeline.capcut.errors`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs.errors import BadInput, JointoError, Remedy

_SHOWN = 50  # missing media at once


class DraftIdMissing(BadInput):
    code = "draft_id_missing"
    message = "There is neither a draft in the request nor anything that leads to one. Give draft_url, draft or a file."


class DraftUrlMissing(BadInput):
    code = "draft_url_missing"
    message = "This site does not look drafts up by their ids. Give the draft itself, or an address that gives it."


class DraftTooLarge(BadInput):
    code = "draft_too_large"
    status = 413
    message = "The draft, or its media together, are larger than this site takes."


class DraftArchiveUnsafe(BadInput):
    """`details["reason"]` says why in a word, `details["name"]` of which entry."""

    code = "draft_archive_unsafe"
    message = "The archive can't be used."

    @classmethod
    def of(cls, reason: str, sentence: str, *, name: str = "") -> DraftArchiveUnsafe:
        """With its reason in a word, for programs, and in a sentence."""
        return cls(sentence, details={"reason": reason, **({"name": name[:200]} if name else {})})


class DraftMediaMissing(BadInput):
    """`details["missing"]`: path, file_name, kind and reason of each; `details["count"]`: how many there are."""

    code = "draft_media_missing"

    @classmethod
    def of(cls, missing: Sequence[dict[str, Any]]) -> DraftMediaMissing:
        """With all that is missing."""
        first = missing[0]["file_name"]
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        sentence = (
            f"Media of the draft can't be had: {first}{more}. Send them in the archive, name videos of yours in "
            "mapping, or ask for slates in their place."
        )
        return cls(sentence, details={"missing": list(missing[:_SHOWN]), "count": len(missing)})


class DraftUnreachable(JointoError):
    """The network was in the way of the draft or of one of its media: the one thing that is tried again."""

    code = "draft_unreachable"
    status = 502
    remedy = Remedy.BACK_OFF


class DraftGone(BadInput):
    code = "draft_gone"
    status = 410
    message = "The draft is not there any more. Send it again."


class DraftTooSlow(BadInput):
    code = "draft_too_slow"
    message = "Rendering the draft took longer than this site allows. Ask for a lower quality, or cut it in two."
