"""Webhook endpoints that answer 500, hang, or lead inward: the job that is told of does not suffer, nor do others."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from jobs import signing, webhooks
from jobs.models import Account, Delivery, DeliveryStatus, Hold, Job
from tests import kinds
from tests.builders import make_user
from tests.faults.arena import Arena, size
from tests.receiver import Received, Receiver
from tests.stack import wait_for

pytestmark = pytest.mark.stack

_TIMEOUT = {"JOINTO_WEBHOOK_TIMEOUT_SECONDS": "4"}


def submit(url: str, *, secret: str = "") -> tuple[Job, Account]:
    """A job of a new user's, whose end is told to a URL."""
    user = make_user()
    account = Account.objects.create(user=user, webhook_secret=secret or signing.new_secret())
    return kinds.effect.submit((0.01,), {}, owner_id=user.pk, callback_url=url)[0], account


def hurry() -> None:
    """Have what waits for its next try be due: the real waits are hours."""
    Job.objects.filter(kind=webhooks.KIND, hold=Hold.LATER).update(run_at="2000-01-01T00:00Z")


def is_settled(delivery: Delivery, status: str) -> bool:
    hurry()
    delivery.refresh_from_db()
    return delivery.status == status


def assert_is_signed(request: Received, account: Account) -> None:
    said = {name: request.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    at = datetime.fromtimestamp(int(said["webhook-timestamp"]), UTC)
    assert said == signing.headers(request.body, message_id=said["webhook-id"], at=at, secrets=[account.webhook_secret])


def delivery_of(job: Job) -> Delivery:
    return wait_for(lambda: list(Delivery.objects.filter(job_id=job.pk)), what="the delivery")[0]


@pytest.mark.parametrize("answer", [500, 0], ids=["answers_500", "hangs"])
def test_an_endpoint_that_fails_hears_of_the_job_once_it_is_mended(arena: Arena, answer: int) -> None:
    with Receiver(answer, answer, 200) as receiver:
        worker = arena.worker(JOINTO_INNER_HOSTS=receiver.host, **_TIMEOUT)
        job, account = submit(receiver.url)
        delivery = delivery_of(job)
        arena.submit(size(full=200, short=20), seconds=0.02)  # which another's endpoint does not hold up
        wait_for(lambda: arena.ended() >= size(full=201, short=21), what="the jobs")
        wait_for(lambda: is_settled(delivery, DeliveryStatus.DELIVERED), what=f"the delivery: {delivery.answer}")
        arena.check()
        assert arena.statuses() == {"completed": arena.ended()}
        ids = set(receiver.ids)
        assert (len(receiver.received), ids) == (3, {str(delivery.pk)})
        assert_is_signed(receiver.received[-1], account)
    assert (delivery.tries, worker.alive) == (3, True)


def test_an_endpoint_that_always_fails_is_given_up_and_the_job_stays_completed(arena: Arena) -> None:
    with Receiver(500) as receiver:
        arena.worker(JOINTO_INNER_HOSTS=receiver.host, **_TIMEOUT)
        job, _ = submit(receiver.url)
        delivery = delivery_of(job)
        wait_for(lambda: is_settled(delivery, DeliveryStatus.FAILED), seconds=60, what="giving up")
        arena.check(completed=1, failed=1)
        assert Job.objects.get(pk=job.pk).status == "completed"
        assert len(receiver.received) == delivery.tries == webhooks.RETRY.max_attempts


def test_an_endpoint_that_leads_inward_leads_nowhere(arena: Arena) -> None:
    with Receiver() as inner, Receiver(302, location=inner.url) as outer:
        arena.worker(JOINTO_INNER_HOSTS=outer.host, **_TIMEOUT)
        redirected = delivery_of(submit(outer.url)[0])
        direct = delivery_of(submit(inner.url)[0])
        for delivery in (redirected, direct):
            wait_for(partial(is_settled, delivery, DeliveryStatus.FAILED), seconds=60, what="the end")
        assert (outer.ids[0], inner.received) == (str(redirected.pk), [])
        arena.check(completed=2, failed=2)
        assert "redirects" in redirected.answer
