"""Tiers of users, what a tier is worth, and how a user wants to hear of their jobs."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from jobs import outbound, signing
from jobs.models import Account
from jobs.priority import HIGH, LOW, NORMAL

FREE = "free"
PRO = "pro"
ENTERPRISE = "enterprise"

_PRIORITIES = {FREE: LOW, PRO: NORMAL, ENTERPRISE: HIGH}


def tier_of(user_id: int) -> str:
    """The user's tier; `free` for one without an account."""
    return Account.objects.filter(pk=user_id).values_list("tier", flat=True).first() or FREE


def priority_of(tier: str) -> int:
    """How soon the jobs of a tier come, unless somebody says otherwise; an unknown tier counts as normal."""
    return _PRIORITIES.get(tier, NORMAL)


def of(user_id: int) -> Account:
    """The user's account; for one who has none, what theirs would be, not saved."""
    return Account.objects.filter(pk=user_id).first() or Account(user_id=user_id)


def change(user_id: int, *, notify_by_email: bool | None = None, webhook_url: str | None = None) -> Account:
    """Change how the user is told; None leaves a thing as it is, an empty URL ends the webhooks.

    With the first URL comes a secret to sign with; it stays when the URL changes. Raises what
    `outbound.check` raises for a URL that may not be called.
    """
    if webhook_url:
        outbound.check(webhook_url, allow=settings.JOINTO_JOBS.inner_hosts)
    with transaction.atomic():
        account = _for_change(user_id)
        if notify_by_email is not None:
            account.notify_by_email = notify_by_email
        if webhook_url is not None:
            account.webhook_url = webhook_url
        if account.webhook_url and not account.webhook_secret:
            account.webhook_secret = signing.new_secret()
        account.save(update_fields=["notify_by_email", "webhook_url", "webhook_secret"])
    return account


def renew_webhook_secret(user_id: int) -> Account:
    """Give the user a new secret; what is sent from now on is signed with it, and not with the old one."""
    with transaction.atomic():
        account = _for_change(user_id)
        account.webhook_secret = signing.new_secret()
        account.save(update_fields=["webhook_secret"])
    return account


def _for_change(user_id: int) -> Account:
    Account.objects.get_or_create(pk=user_id)
    return Account.objects.select_for_update().get(pk=user_id)
