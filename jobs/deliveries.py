"""The log of what is told to whom: one row for each message and place, one job that brings it there.

A row and its job are written in the transaction of whoever has something to tell, once for each key. Every try
is written into the row before its job ends; so what was delivered is not sent again, whatever crashes afterwards.
That a job has given up is seen in its moves (`settle`), however it came to that: a crash has no last word.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import F

from jobs import dispatch, mail, webhooks
from jobs.errors import JointoError, Remedy
from jobs.models import Channel, Delivery, DeliveryStatus
from jobs.moves import Move
from jobs.now import Now
from jobs.priority import NORMAL
from jobs.retry import RetryPolicy
from jobs.status import JobStatus

QUEUE = "maintenance"
SEND_EMAIL = "jobs.tasks.send_email"
_BY_CHANNEL: dict[str, tuple[str, RetryPolicy]] = {
    Channel.WEBHOOK.value: (webhooks.KIND, webhooks.RETRY),
    Channel.EMAIL.value: (mail.KIND, mail.RETRY),
}
SUBJECT = "jobs.Delivery:"
_ANSWER_LENGTH = 500


class DeliveryUnderWay(JointoError):
    """It has not been given up, so there is nothing to be done again."""

    code = "delivery_under_way"
    status = 409
    remedy: ClassVar[Remedy] = Remedy.NONE
    message = "This is being delivered already. Wait for how it ends."


def queue(deliveries: Sequence[Delivery]) -> int:
    """Write down what is to be told, with the jobs that will; how much of it is new.

    A key that is known already is told already. What is told belongs to who is told: an endpoint of theirs that
    hangs holds up nobody else.
    """
    if not deliveries:
        return 0
    with transaction.atomic():
        Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        written = set(Delivery.objects.filter(pk__in=[row.pk for row in deliveries]).values_list("pk", flat=True))
        new = [row for row in deliveries if row.pk in written]
        if new:
            dispatch.submit_many([_request(row) for row in new])
    return len(new)


def new(
    *,
    key: str,
    channel: Channel,
    event: str,
    target: str,
    payload: dict[str, Any],
    user_id: int | None = None,
    job_id: uuid.UUID | None = None,
    batch_id: uuid.UUID | None = None,
) -> Delivery:
    """A row that is not written yet; `key` says what it tells and to whom, in at most 200 characters."""
    return Delivery(
        key=key,
        channel=channel.value,
        event=event,
        target=target,
        payload=payload,
        user_id=user_id,
        job_id=job_id,
        batch_id=batch_id,
        created_at=Now(),
    )


def attempt(delivery_id: uuid.UUID | str, send: Callable[[Delivery], str]) -> dict[str, str]:
    """One try, written down however it ends; its result. What was delivered, or is gone, is not sent.

    Raises what `send` raises.
    """
    found = _id(delivery_id)
    delivery = Delivery.objects.filter(pk=found).first() if found else None
    if delivery is None:
        return {"delivery_id": str(delivery_id), "status": "gone"}
    if delivery.status != DeliveryStatus.DELIVERED:
        try:
            answer = send(delivery)
        except JointoError as error:
            _note(delivery, f"{error.code}: {error.message}")
            raise
        _note(delivery, answer, status=DeliveryStatus.DELIVERED.value, delivered_at=Now())
    return {"delivery_id": str(delivery.pk), "status": DeliveryStatus.DELIVERED.value}


def redeliver(delivery: Delivery) -> None:
    """Have it told again under the same id, whether it was delivered or given up. Raises DeliveryUnderWay."""
    with transaction.atomic():
        ended = Delivery.objects.filter(pk=delivery.pk).exclude(status=DeliveryStatus.PENDING)
        if not ended.update(status=DeliveryStatus.PENDING, delivered_at=None):
            raise DeliveryUnderWay
        dispatch.submit_many([_request(delivery)])


def settle(moves: Iterable[Move]) -> None:
    """Mark as failed what delivering jobs have given up, by these moves of theirs."""
    given_up = [
        delivery_id
        for move in moves
        if move.is_an_end and move.after != JobStatus.COMPLETED and (delivery_id := _delivery_of(move))
    ]
    if given_up:
        waiting = Delivery.objects.filter(pk__in=sorted(given_up), status=DeliveryStatus.PENDING)
        waiting.update(status=DeliveryStatus.FAILED)


def _delivery_of(move: Move) -> uuid.UUID | None:
    if move.job.kind == SEND_EMAIL:
        return move.job.pk  # its delivery has its id
    if move.job.kind in (webhooks.KIND, mail.KIND):
        return _id(move.job.subject.removeprefix(SUBJECT))
    return None


def _id(text: uuid.UUID | str) -> uuid.UUID | None:
    """None for what is no id: somebody's mistake in a shell must not stop the journal."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def _request(delivery: Delivery) -> dispatch.Request:
    kind, policy = _BY_CHANNEL[delivery.channel]
    return dispatch.Request(
        kind=kind,
        queue=QUEUE,
        args=[str(delivery.pk)],
        owner_id=delivery.user_id,
        subject=f"{SUBJECT}{delivery.pk}",
        priority=NORMAL,
        promised=True,  # it is written in the journal's transaction, which a refusal would stop for everybody
        max_attempts=policy.max_attempts,
    )


def _note(delivery: Delivery, answer: str, **columns: Any) -> None:
    """Write a try down. One that failed leaves alone what another one has delivered meanwhile."""
    answer = answer.replace("\0", "\ufffd")[:_ANSWER_LENGTH]
    rows = Delivery.objects.filter(pk=delivery.pk).exclude(status=DeliveryStatus.DELIVERED)
    rows.update(tries=F("tries") + 1, tried_at=Now(), answer=answer, **columns)
