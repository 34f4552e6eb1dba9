"""Tells those who asked for it that a job or a batch has ended: by e-mail, by webhook.

`tell` and `tell_of_batch` are called in the journal's transaction, once for each move and each end of a batch; the keys
of the deliveries hold even if they were called again. Members of a batch tell their own `callback_url` alone, the
batch tells the account. What delivers tells nobody, else there would be no end to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from jobs import deliveries, mail, webhooks
from jobs.models import Account, Batch, Channel, Delivery, Job
from jobs.moves import Move
from jobs.status import JobStatus, celery_state

SEND_NOTIFICATION = "jobs.tasks.send_notification"
SILENT = frozenset({webhooks.KIND, mail.KIND, deliveries.SEND_EMAIL, SEND_NOTIFICATION})
"""The kinds whose ends are told to nobody."""


def tell(moves: Sequence[Move]) -> None:
    """Queue what is to be told about moves, and settle what delivering jobs have given up."""
    deliveries.settle(moves)
    ends = [move for move in moves if move.is_an_end and move.job.kind not in SILENT]
    alone = {move.job.owner_id for move in ends if move.job.owner_id is not None and move.job.batch_id is None}
    accounts = _listening(alone)
    deliveries.queue([delivery for move in ends for delivery in _of_move(move, accounts)])


def tell_of_batch(batch: Batch) -> None:
    """Queue what is to be told about the end of a batch, once for each of its rounds."""
    account = _listening({batch.owner_id} - {None}).get(batch.owner_id or 0)
    if batch.callback_url or account:
        event, payload = _batch_payload(batch)
        deliveries.queue(
            list(
                _to_all(
                    f"batch:{batch.pk}:{batch.rounds}",
                    event=event,
                    payload=payload,
                    mail=_batch_mail(batch),
                    account=account,
                    callback_url=batch.callback_url,
                    user_id=batch.owner_id,
                    batch_id=batch.pk,
                )
            )
        )


def notify(user_id: int, *, subject: str, message: str, key: str) -> int:
    """Queue a message of yours to all channels that a user listens on; to how many it is new. Once for each key."""
    account = _listening({user_id}).get(user_id)
    data = {"subject": subject, "message": message}
    payload = _payload("notification", at=timezone.now(), data=data)
    return deliveries.queue(
        list(_to_all(key, event="notification", payload=payload, mail=data, account=account, user_id=user_id))
    )


def _listening(user_ids: Iterable[int | None]) -> dict[int, Account]:
    """The accounts among these that want to be told anything, by user."""
    wanted = sorted(user_id for user_id in user_ids if user_id is not None)
    if not wanted:
        return {}
    listens = ~Q(webhook_url="") | Q(notify_by_email=True)
    return {row.pk: row for row in Account.objects.filter(listens, pk__in=wanted).select_related("user")}


def _of_move(move: Move, accounts: dict[int, Account]) -> Iterator[Delivery]:
    job = move.job
    account = accounts.get(job.owner_id or 0) if job.batch_id is None else None
    if job.callback_url or account:
        event = f"job.{move.after}"
        yield from _to_all(
            f"move:{move.id}",
            event=event,
            payload=_payload(event, at=move.at, data=_job_data(move)),
            mail=_job_mail(move) if account else {},
            account=account,
            callback_url=job.callback_url,
            user_id=job.owner_id,
            job_id=job.pk,
        )


def _to_all(
    key: str,
    *,
    event: str,
    payload: dict[str, Any],
    mail: dict[str, str],
    account: Account | None,
    callback_url: str = "",
    **about: Any,
) -> Iterator[Delivery]:
    """One delivery for each place; a URL that is both the callback and the account's is one place."""
    urls = {"callback": callback_url, "account": account.webhook_url if account else ""}
    if urls["account"] == urls["callback"]:
        del urls["account"]
    for place, url in urls.items():
        if url:
            yield deliveries.new(
                key=f"{key}:webhook:{place}",
                channel=Channel.WEBHOOK,
                event=event,
                target=url,
                payload=payload,
                **about,
            )
    if account and account.notify_by_email and account.user.email:
        yield deliveries.new(
            key=f"{key}:email:account",
            channel=Channel.EMAIL,
            event=event,
            target=account.user.email,
            payload=mail,
            **about,
        )


def _payload(event: str, *, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    """The shape that Standard Webhooks recommends."""
    return {"type": event, "timestamp": at.isoformat(), "data": data}


def _job_data(move: Move) -> dict[str, Any]:
    """The job as it was when it ended, in the API's words; it may have been retried since."""
    job, status = move.job, JobStatus(move.after)
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "subject": job.subject,
        "status": status.value,
        "state": celery_state(status, has_progress=False),
        "result": job.result if status is JobStatus.COMPLETED else None,
        "error": _error(move),
        "urls": _urls(self=("job", job), events=("job-events", job), retry=("job-retry", job)),
    }


def _error(move: Move) -> dict[str, str] | None:
    if move.after != JobStatus.FAILED:
        return None
    if move.job.status == move.after and move.job.error:
        return move.job.error
    code, message = (move.attempt.error_code, move.attempt.error_message) if move.attempt else ("", "")
    return {"code": code or move.reason, "message": message}


def _batch_payload(batch: Batch) -> tuple[str, dict[str, Any]]:
    ended = "failed" if batch.failed else "cancelled" if batch.cancelled else "completed"
    event = f"batch.{ended}"
    data = {
        "id": str(batch.pk),
        "name": batch.name,
        "status": ended,
        "total": batch.total,
        "completed": batch.completed,
        "failed": batch.failed,
        "cancelled": batch.cancelled,
        "urls": _urls(self=("batch", batch)),
    }
    return event, _payload(event, at=batch.ended_at or timezone.now(), data=data)


def _urls(**names: tuple[str, Job | Batch]) -> dict[str, str]:
    return {word: address(name, row.pk) for word, (name, row) in names.items()}


def address(name: str, *args: object, query: dict[str, str] | None = None) -> str:
    """Where a view is, whole if JOINTO_PUBLIC_URL says where that is, else a path; "" if it is not served here.

    What is told must get out, be it without a link.
    """
    try:
        path = reverse(name, args=args)
    except NoReverseMatch:
        return ""
    return urljoin(settings.JOINTO_JOBS.public_url, f"{path}?{urlencode(query)}" if query else path)


def _job_mail(move: Move) -> dict[str, str]:
    name = f"{move.job.kind.rpartition('.')[2]} {move.job.subject or move.job.pk}"
    with translation.override(settings.LANGUAGE_CODE):  # not in that of whose request happens to book the move
        sentence = {
            JobStatus.COMPLETED: _("Your job %(name)s is completed."),
            JobStatus.FAILED: _("Your job %(name)s has failed."),
            JobStatus.CANCELLED: _("Your job %(name)s was cancelled."),
        }[JobStatus(move.after)] % {"name": name}
    error = _error(move)
    return _mail(sentence, error["message"] if error else "", link=address("job", move.job.pk))


def _batch_mail(batch: Batch) -> dict[str, str]:
    counts = {"completed": batch.completed, "failed": batch.failed, "cancelled": batch.cancelled}
    with translation.override(settings.LANGUAGE_CODE):
        sentence = _("Your batch %(name)s has ended.") % {"name": batch.name or batch.pk}
        more = _("%(completed)d completed, %(failed)d failed, %(cancelled)d cancelled.") % counts
    return _mail(sentence, more, link=address("batch", batch.pk))


def _mail(sentence: str, more: str, *, link: str) -> dict[str, str]:
    parts = [sentence, more, link if settings.JOINTO_JOBS.public_url else ""]
    return {"subject": f"Jointo: {sentence}", "message": "\n\n".join(part for part in parts if part)}
