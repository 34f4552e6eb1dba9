"""Sends one webhook, signed as Standard Webhooks says; `jobs.deliveries` records what came of it.

At least once: when the answer is lost, or the worker dies before it wrote the answer down, the same message is
sent again, with the same `webhook-id`. Receivers remember the ids that they have seen.
"""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings

from jobs import outbound, signing
from jobs.errors import JointoError, Remedy
from jobs.models import Account, Delivery
from jobs.outbound import OutboundRedirected
from jobs.retry import RetryPolicy

KIND = "jobs.tasks.deliver_webhook"
RETRY = RetryPolicy(retries=8, first_seconds=30, factor=4, cap_seconds=6 * 3600, jitter=0.1)
"""About 21 hours altogether: an endpoint that is down over night loses nothing."""


class WebhookRejected(JointoError):
    """The endpoint answered, and not with 2xx; `details["status"]`. It may be mended, so it is tried again."""

    code = "webhook_rejected"
    status = 502
    message = "The webhook's endpoint did not answer with 2xx."


class WebhookGone(JointoError):
    code = "webhook_gone"
    status = 410
    remedy = Remedy.NONE
    message = "The webhook's endpoint answered 410 Gone: give another URL."


class WebhookSecretMissing(JointoError):
    code = "webhook_secret_missing"
    status = 422
    remedy = Remedy.NONE
    message = "There is no secret to sign the webhook with: make one, then have it delivered again."


class WebhookSecretUnusable(JointoError):
    code = "webhook_secret_unusable"
    status = 422
    remedy = Remedy.NONE
    message = "The webhook's secret can't be used: make a new one, then have it delivered again."


def send(delivery: Delivery, *, now: datetime) -> str:
    """Send the payload once; what the endpoint said. Raises the errors of this module, and those of `jobs.outbound`."""
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        signed = signing.headers(body, message_id=str(delivery.pk), at=now, secrets=[_secret(delivery)])
    except ValueError as error:
        raise WebhookSecretUnusable from error
    try:
        answer = outbound.post(
            delivery.target,
            body=body,
            headers={"content-type": "application/json", **signed},
            timeout_seconds=settings.JOINTO_JOBS.webhook_timeout.total_seconds(),
            allow=_allowed(delivery),
        )
    except OutboundRedirected as error:
        # A failure as any other: a proxy that is being set up redirects as well, and is mended in an hour.
        raise WebhookRejected("The webhook's endpoint redirects: give the address that it leads to.") from error
    said = f"{answer.status} {answer.body.decode('utf-8', 'replace')}".strip()
    if answer.status == HTTPStatus.GONE:
        raise WebhookGone
    if not 200 <= answer.status < 300:
        problem = f"The webhook's endpoint answered {said[:300]}"
        raise WebhookRejected(problem, details={"status": answer.status}, retry_after=answer.retry_after)
    return said


def _secret(delivery: Delivery) -> str:
    """The secret of the user who is told, or the operator's; never the operator's for what a user asked for."""
    if delivery.user_id is None:
        secret = settings.JOINTO_JOBS.operator_webhook_secret
    else:
        found = Account.objects.filter(pk=delivery.user_id).values_list("webhook_secret", flat=True)
        secret = found.first() or ""
    if not secret:
        raise WebhookSecretMissing
    return str(secret)


def _allowed(delivery: Delivery) -> list[str]:
    """Inner addresses that it may lead to. What the operator wrote into the settings needs no second permission."""
    allowed = list(settings.JOINTO_JOBS.inner_hosts)
    if delivery.user_id is None and delivery.target == settings.JOINTO_JOBS.operator_webhook_url:
        url = urlsplit(delivery.target)
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        allowed.append(f"{host}:{url.port or (443 if url.scheme == 'https' else 80)}")
    return allowed
