"""The kinds of job that tell people something. They tell nobody about themselves, and leave no dead letters."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from jobs import deliveries, mail, notifications, webhooks
from jobs.context import JobContext
from jobs.errors import BadInput
from jobs.models import Channel, Delivery
from jobs.task import job

# A user's endpoint that is down is no news for the operator, and one that hangs takes one process at most.
_DELIVERING: dict[str, Any] = {
    "queue": deliveries.QUEUE,
    "subject": deliveries.SUBJECT + "{delivery_id}",
    "soft_time_limit": 30,
    "time_limit": 60,
    "dead_letters": False,
    "per_user": 1,
}
_SENDING: dict[str, Any] = {
    "queue": deliveries.QUEUE,
    "subject": "auth.User:{user_id}",
    "retry": mail.RETRY,
    "soft_time_limit": 30,
    "time_limit": 60,
}


class NoEmailAddress(BadInput):
    code = "no_email_address"
    message = "The user has no e-mail address: enter one."


@job(name=webhooks.KIND, retry=webhooks.RETRY, **_DELIVERING)
def deliver_webhook(ctx: JobContext, delivery_id: str) -> dict[str, str]:
    """Bring one webhook to its endpoint."""
    return deliveries.attempt(delivery_id, partial(webhooks.send, now=timezone.now()))


@job(name=mail.KIND, retry=mail.RETRY, **_DELIVERING)
def deliver_email(ctx: JobContext, delivery_id: str) -> dict[str, str]:
    """Hand one e-mail to the mail server."""
    return deliveries.attempt(delivery_id, mail.send)


@job(name=notifications.SEND_NOTIFICATION, **_SENDING)
def send_notification(ctx: JobContext, user_id: int, subject: str, message: str) -> dict[str, int]:
    """Tell a user something, on all the channels that they listen on."""
    told = notifications.notify(user_id, subject=subject, message=message, key=f"job:{ctx.job_id}")
    return {"user_id": user_id, "deliveries": told}


@job(name=deliveries.SEND_EMAIL, **_SENDING)
def send_email(ctx: JobContext, user_id: int, subject: str, message: str) -> dict[str, str]:
    """Send a user an e-mail, whatever they listen on."""
    users = get_user_model().objects.filter(pk=user_id)
    address = users.values_list("email", flat=True).first()
    if not address:
        raise NoEmailAddress
    delivery = deliveries.new(
        key=f"job:{ctx.job_id}:email",
        channel=Channel.EMAIL,
        event="email",
        target=address,
        payload={"subject": subject, "message": message},
        user_id=user_id,
    )
    delivery.pk = ctx.job_id  # by which `deliveries.settle` finds it
    Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    return deliveries.attempt(ctx.job_id, mail.send)
