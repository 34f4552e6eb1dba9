"""Sends one e-mail; `jobs.deliveries` records what came of it."""

from __future__ import annotations

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage

from jobs.errors import BadInput, JointoError
from jobs.models import Delivery
from jobs.retry import RetryPolicy

KIND = "jobs.tasks.deliver_email"
RETRY = RetryPolicy(retries=5, first_seconds=60, factor=2, cap_seconds=3600)

_PERMANENT = range(550, 560)  # RFC 5321: the address or the message is refused; 53x is about our own sign-in


class MailRefused(BadInput):
    code = "mail_refused"
    message = "The mail server refuses this address or message: check the address."


class MailUnavailable(JointoError):
    code = "mail_unavailable"
    status = 502
    message = "The mail server took no message."


def send(delivery: Delivery) -> str:
    """Send the subject and message of the payload once; how it went. Raises MailRefused, MailUnavailable.

    The Message-ID is the delivery's id, so that a mailbox which got it twice can tell.
    """
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    message = EmailMessage(
        subject=" ".join(str(delivery.payload.get("subject", "")).split()),  # a line break would be a new header
        body=str(delivery.payload.get("message", "")),
        to=[delivery.target],
        headers={"Message-ID": f"<{delivery.pk}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _error(max(codes, default=0), error) from error
    except smtplib.SMTPResponseException as error:
        raise _error(error.smtp_code, error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailUnavailable(f"The mail server took no message: {error}"[:500]) from error
    return "handed to the mail server"


def _error(code: int, error: Exception) -> JointoError:
    if code in _PERMANENT:
        return MailRefused(f"The mail server refuses this address or message: {error}"[:500])
    return MailUnavailable(f"The mail server took no message: {error}"[:500])
