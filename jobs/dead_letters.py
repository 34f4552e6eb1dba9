"""What an operator has to look at: told once for all that are alike, retried or discarded, many at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs import control, deliveries
from jobs.errors import JointoError, Remedy
from jobs.models import Channel, DeadLetter, Delivery, Job, Resolution
from jobs.notifications import address

logger = logging.getLogger(__name__)

EVENT = "dead_letter.created"
_GROUPS_AT_ONCE = 100
_ROWS_AT_ONCE = 5000


class LetterResolved(JointoError):
    """Somebody was quicker, or the job's owner has retried it."""

    code = "dead_letter_resolved"
    status = 409
    remedy: ClassVar[Remedy] = Remedy.NONE
    message = "The dead letter is resolved already."


@dataclass(frozen=True)
class Resolved:
    """What became of one letter; `error` if nothing did."""

    letter: DeadLetter
    error: JointoError | None = None


def alert(now: datetime | None = None) -> int:
    """Tell the operator of the open dead letters that nobody was told of; how many alerts that took.

    One for each kind and error code, however many letters it is about; then none about the same for
    JOINTO_ALERT_PAUSE_SECONDS, after that one for all that came meanwhile. Harmless at any time, by anyone.
    """
    now = now or timezone.now()
    groups = _untold().order_by("kind", "error_code").values_list("kind", "error_code").distinct()
    return sum(_alert_of(kind, code, now=now) for kind, code in list(groups[:_GROUPS_AT_ONCE]))


def retry(letters: Iterable[DeadLetter], *, by: str, note: str = "") -> list[Resolved]:
    """Have the jobs of dead letters done again; what became of each. A refused one stays open."""
    return [Resolved(letter, _retry_one(letter, by=by, note=note)) for letter in letters]


def discard(letters: Iterable[DeadLetter], *, by: str, note: str = "") -> list[Resolved]:
    """Resolve dead letters without doing anything about their jobs; what became of each."""
    letters = list(letters)
    with transaction.atomic():
        rows = _open().filter(pk__in=[letter.pk for letter in letters]).order_by("pk").select_for_update()
        still = set(rows.values_list("pk", flat=True))
        _resolve(DeadLetter.objects.filter(pk__in=still), Resolution.DISCARDED, by=by, note=note)
    return [Resolved(letter, None if letter.pk in still else LetterResolved()) for letter in letters]


def _retry_one(letter: DeadLetter, *, by: str, note: str) -> JointoError | None:
    try:
        with transaction.atomic():
            # Job, then letter: the order of whoever retries the job itself. Of two who retry a letter, the second
            # finds it resolved, even if the job has failed again meanwhile.
            job = Job.objects.select_for_update().get(pk=letter.job_id)
            mine = DeadLetter.objects.filter(pk=letter.pk)
            if not mine.filter(resolved_at__isnull=True).exists():
                return LetterResolved()
            control.retry(job, by=by)
            _resolve(mine, Resolution.RETRIED, by=by, note=note)
    except JointoError as error:
        return error
    return None


def _resolve(letters: QuerySet[DeadLetter], resolution: Resolution, *, by: str, note: str) -> int:
    return letters.update(
        resolution=resolution.value, resolved_at=timezone.now(), resolved_by=by[:150], note=note.strip()
    )


def _open() -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(resolved_at__isnull=True)


def _untold() -> QuerySet[DeadLetter]:
    return _open().filter(alerted_at__isnull=True)


def _alert_of(kind: str, code: str, *, now: datetime) -> bool:
    """One alert about one group, if it is time for it."""
    if _is_paused(kind, code, now=now):
        return False
    with transaction.atomic():
        letters = _untold().filter(kind=kind, error_code=code).order_by("pk")
        ids = list(letters.select_for_update().values_list("pk", flat=True))
        # Once more, now that the rows are ours: another process may have told of the group while we waited for
        # them, and what is left for us came afterwards.
        if not ids or _is_paused(kind, code, now=now):
            return False
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            DeadLetter.objects.filter(pk__in=ids[start : start + _ROWS_AT_ONCE]).update(alerted_at=now)
        _tell(DeadLetter.objects.get(pk=ids[0]), count=len(ids), now=now)
    return True


def _is_paused(kind: str, code: str, *, now: datetime) -> bool:
    told = DeadLetter.objects.filter(kind=kind, error_code=code, alerted_at__gt=now - settings.JOINTO_JOBS.alert_pause)
    return told.order_by("-created_at").values("pk").first() is not None


def _tell(first: DeadLetter, *, count: int, now: datetime) -> None:
    emails, url = settings.JOINTO_JOBS.operator_emails, settings.JOINTO_JOBS.operator_webhook_url
    if not emails and not url:
        logger.warning(
            "%d dead letters of %s, %s: %s (nobody is told: JOINTO_OPERATOR_EMAILS and JOINTO_OPERATOR_WEBHOOK_URL "
            "are not set)",
            *(count, first.kind, first.error_code, first.error_message[:500]),
        )
        return
    key, mail, payload = f"alert:{first.pk}", _mail(first, count=count), _payload(first, count=count, now=now)
    told: list[Delivery] = [
        deliveries.new(key=f"{key}:email:{number}", channel=Channel.EMAIL, event=EVENT, target=address, payload=mail)
        for number, address in enumerate(emails)
    ]
    if url:
        told.append(
            deliveries.new(key=f"{key}:webhook", channel=Channel.WEBHOOK, event=EVENT, target=url, payload=payload)
        )
    deliveries.queue(told)


def _payload(first: DeadLetter, *, count: int, now: datetime) -> dict[str, Any]:
    data = {
        "kind": first.kind,
        "error": {"code": first.error_code, "message": first.error_message},
        "count": count,
        "first": {"job_id": str(first.job_id), "attempt": first.attempt, "at": first.created_at.isoformat()},
        "urls": {"admin": _in_admin(first)},
    }
    return {"type": EVENT, "timestamp": now.isoformat(), "data": data}


def _mail(first: DeadLetter, *, count: int) -> dict[str, str]:
    said = {"count": count, "kind": first.kind, "code": first.error_code}
    with translation.override(settings.LANGUAGE_CODE):
        subject = ngettext(
            "Jointo: %(count)d dead letter of %(kind)s: %(code)s",
            "Jointo: %(count)d dead letters of %(kind)s: %(code)s",
            count,
        )
        lines = [
            _("The first one, job %(id)s, said:") % {"id": first.job_id},
            first.error_message,
            _("Look at them, then retry or discard them:") + f" {_in_admin(first)}",
        ]
    return {"subject": subject % said, "message": "\n\n".join(line for line in lines if line)}


def _in_admin(letter: DeadLetter) -> str:
    """The admin's list of all that are like this one."""
    alike = {"error_code": letter.error_code, "kind": letter.kind}
    return address("admin:jobs_deadletter_changelist", query=alike)
