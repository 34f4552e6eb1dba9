"""Standard Webhooks: what Jointo signs, receivers can check."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from jobs import signing

# "sign function works", in the tests of the libraries of github.com/standard-webhooks/standard-webhooks.
KNOWN_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KNOWN_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
KNOWN_AT = datetime.fromtimestamp(1614265330, tz=UTC)
KNOWN_BODY = b'{"test": 2432232314}'
KNOWN_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def secret_of(size: int) -> str:
    return signing.PREFIX + base64.b64encode(bytes(size)).decode()


def test_the_known_message_gets_the_known_signature() -> None:
    assert signing.headers(KNOWN_BODY, message_id=KNOWN_ID, at=KNOWN_AT, secrets=[KNOWN_SECRET]) == {
        "webhook-id": KNOWN_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": KNOWN_SIGNATURE,
    }


def test_the_same_instant_in_another_zone_is_signed_the_same() -> None:
    there = KNOWN_AT.astimezone(timezone(timedelta(hours=8)))
    signed = signing.headers(KNOWN_BODY, message_id=KNOWN_ID, at=there, secrets=[KNOWN_SECRET])
    assert signed["webhook-signature"] == KNOWN_SIGNATURE


@given(st.dictionaries(st.text(), st.text()), st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z"))
def test_the_receivers_own_library_accepts_what_is_signed(payload: dict[str, str], message_id: str) -> None:
    secret = signing.new_secret()
    body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
    signed = signing.headers(body, message_id=message_id, at=datetime.now(UTC), secrets=[secret])
    Webhook(secret).verify(body, signed, json_parse=False)


def test_while_a_secret_is_replaced_both_the_old_and_the_new_one_check() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    signed = signing.headers(b"{}", message_id="msg_1", at=datetime.now(UTC), secrets=[new, old])
    assert signed["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        assert Webhook(secret).verify(b"{}", signed) == {}


def test_a_body_an_id_or_a_secret_that_was_changed_does_not_check() -> None:
    secret = signing.new_secret()
    signed = signing.headers(b"{}", message_id="msg_1", at=datetime.now(UTC), secrets=[secret])
    for body, headers, key in (
        (b"[]", signed, secret),
        (b"{}", signed | {"webhook-id": "msg_2"}, secret),
        (b"{}", signed, signing.new_secret()),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(body, headers)


def test_a_body_that_is_no_text_is_signed_as_the_bytes_it_is() -> None:
    one = signing.headers(b"\xff\x00", message_id="msg_1", at=KNOWN_AT, secrets=[KNOWN_SECRET])
    other = signing.headers(b"\xfe\x00", message_id="msg_1", at=KNOWN_AT, secrets=[KNOWN_SECRET])
    assert one["webhook-signature"] != other["webhook-signature"]


def test_new_secrets_are_of_the_specified_size_and_never_the_same() -> None:
    made = {signing.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) for secret in made} == {32}


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_at_either_bound_signs(size: int) -> None:
    assert signing.headers(b"", message_id="msg_1", at=KNOWN_AT, secrets=[secret_of(size)])


@pytest.mark.parametrize(
    "secret",
    [secret_of(23), secret_of(65), "", "whsec_", "whsec_no base64 at all!!", secret_of(32).removeprefix("whsec_")],
    ids=["too short", "too long", "empty", "prefix alone", "no base64", "no prefix"],
)
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret") as refused:
        signing.headers(b"", message_id="msg_1", at=KNOWN_AT, secrets=[secret])
    assert not secret.removeprefix("whsec_") or secret not in str(refused.value)


@pytest.mark.parametrize("message_id", ["", "msg.1", "msg 1", "msg\r\nx: y"])
def test_an_id_that_could_move_the_signed_borders_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="message id"):
        signing.headers(b"", message_id=message_id, at=KNOWN_AT, secrets=[KNOWN_SECRET])


def test_a_time_without_zone_and_an_empty_list_of_secrets_are_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        signing.headers(b"", message_id="msg_1", at=KNOWN_AT.replace(tzinfo=None), secrets=[KNOWN_SECRET])
    with pytest.raises(ValueError, match="secret"):
        signing.headers(b"", message_id="msg_1", at=KNOWN_AT, secrets=[])
