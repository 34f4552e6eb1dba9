"""Signs webhooks as Standard Webhooks 1.0 says (standardwebhooks.com). Plain Python.

Receivers check with that project's libraries. Its Python one serves our tests only: its `sign` takes an aware time's
wall clock for UTC, takes text and not the bytes that are sent, accepts a secret of any size, and makes none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets as randomness
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
_NEW_BYTES = 32
_MIN_BYTES, _MAX_BYTES = 24, 64  # the specification's bounds
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")  # no full stop: it divides what is signed


def new_secret() -> str:
    """A secret for one endpoint, to be shown to its owner: `whsec_` and 32 random bytes as base64."""
    return PREFIX + base64.b64encode(randomness.token_bytes(_NEW_BYTES)).decode()


def headers(body: bytes, *, message_id: str, at: datetime, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers that go with the body, exactly as it is sent.

    `message_id` stays the same when a message is sent again, `at` is the time of this attempt: receivers refuse what is
    more than five minutes old. While a secret is being replaced, give the new and the old one: each signs, and the
    receiver needs to know either. Raises ValueError for a secret, an id or a time that can't be signed with.
    """
    if not secrets:
        raise ValueError("no secret to sign with")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"a message id of letters, digits, - and _ is needed, not {message_id!r}")
    if at.tzinfo is None:
        raise ValueError("the time of a webhook needs its zone")
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(signed, key=_key(secret)) for secret in secrets),
    }


def _signature(signed: bytes, *, key: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    """The bytes in a secret; the ValueError never shows it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _MIN_BYTES <= len(key) <= _MAX_BYTES:
        raise ValueError(f"a webhook secret is {PREFIX} and {_MIN_BYTES} to {_MAX_BYTES} bytes as base64")
    return key
