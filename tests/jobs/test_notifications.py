"""Who hears of a job's end, how, how often; over real HTTP and real mail backends."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import Ignore, Retry
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from jobs import (
    deliveries,
    journal,
    kinds,
    letter_tasks,
    mail,
    notifications,
    quotas,
    runner,
    signing,
    transitions,
    webhooks,
)
from jobs.errors import JointoError
from jobs.mail import MailRefused, MailUnavailable
from jobs.models import (
    Account,
    Batch,
    Channel,
    DeadLetter,
    Delivery,
    DeliveryStatus,
    Hold,
    Job,
    Period,
    QuotaLimit,
    Transition,
)
from jobs.now import Now
from jobs.outbound import OutboundTimeout, UrlRefused
from jobs.status import JobStatus
from jobs.webhooks import WebhookGone, WebhookRejected, WebhookSecretMissing, WebhookSecretUnusable
from tests import kinds as kinds_of_tests
from tests.builders import claim, make_claimed_job, make_job, make_user
from tests.environment import ROOT
from tests.receiver import MailServer, Receiver
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.django_db

SECRET = signing.new_secret()
OPERATORS = signing.new_secret()
URL = "https://example.org/hook"
COMMITTED = pytest.mark.django_db(transaction=True)  # what watches an attempt has a connection of its own


@pytest.fixture(autouse=True)
def _nobody_else(settings: Settings) -> None:
    change(settings, inner_hosts=(), operator_webhook_secret=OPERATORS, webhook_timeout=timedelta(seconds=5))


def change(settings: Settings, **changes: Any) -> None:
    settings.JOINTO_JOBS = replace(settings.JOINTO_JOBS, **changes)


def listener(*, webhook_url: str = "", by_email: bool = False, secret: str = SECRET) -> User:
    user = make_user(email=f"{uuid.uuid4().hex[:8]}@example.org")
    Account.objects.create(user=user, webhook_url=webhook_url, webhook_secret=secret, notify_by_email=by_email)
    return user


def ended(status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> Job:
    """A job that has ended so; its moves are not booked yet."""
    job = make_claimed_job(**fields)
    match status:
        case JobStatus.COMPLETED:
            assert transitions.complete(job, {"sum": 3})
        case JobStatus.FAILED:
            assert transitions.fail(job, code="broken", message="It broke.")
        case JobStatus.CANCELLED:
            assert transitions.cancel(job.pk)
    return Job.objects.get(pk=job.pk)


def told(**fields: Any) -> list[tuple[str, str, str]]:
    """Channel, event and place of all that is told."""
    rows = Delivery.objects.filter(**fields).order_by("channel", "target")
    return list(rows.values_list("channel", "event", "target"))


def delivering() -> list[Job]:
    return list(Job.objects.filter(kind__in=[webhooks.KIND, mail.KIND]).order_by("created_at", "pk"))


def attempt(job: Job) -> Job:
    """One attempt at a job, as a worker does it, however long it was to wait."""
    Job.objects.filter(pk=job.pk).update(run_at=Now(), hold=Hold.NONE, turn=1, released_at=Now(), releases=1)
    kind = kinds.find(job.kind)
    assert kind
    with contextlib.suppress(Ignore, Retry, JointoError):
        runner.run(kind, str(job.pk), worker="w")
    return Job.objects.get(pk=job.pk)


def a_webhook(url: str, *, user: User | None = None, **fields: Any) -> Delivery:
    row = deliveries.new(
        key=str(uuid.uuid4()),
        channel=Channel.WEBHOOK,
        event="job.completed",
        target=url,
        payload={"type": "job.completed", "data": {"名": "值"}},
        user_id=user.pk if user else None,
        **fields,
    )
    deliveries.queue([row])
    return Delivery.objects.get(pk=row.pk)


def an_email(subject: str = "Hello", message: str = "World") -> Delivery:
    payload = {"subject": subject, "message": message}
    row = deliveries.new(
        key=str(uuid.uuid4()), channel=Channel.EMAIL, event="email", target="ann@example.org", payload=payload
    )
    deliveries.queue([row])
    return Delivery.objects.get(pk=row.pk)


def deliver(delivery: Delivery) -> Delivery:
    """One try by the body of the kind; raises what it raises."""
    kind = {Channel.WEBHOOK: letter_tasks.deliver_webhook, Channel.EMAIL: letter_tasks.deliver_email}
    kind[Channel(delivery.channel)](str(delivery.pk))
    return Delivery.objects.get(pk=delivery.pk)


# -- who is told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED], ids=str)
def test_a_jobs_end_is_told_to_its_callback_and_on_the_channels_of_its_owner(status: JobStatus) -> None:
    user = listener(webhook_url=URL, by_email=True)
    job = ended(status, owner_id=user.pk, callback_url=f"{URL}/back")
    journal.book_all()
    event = f"job.{status}"
    assert told() == [
        ("email", event, user.email),
        ("webhook", event, URL),
        ("webhook", event, f"{URL}/back"),
    ]
    assert {row.job for row in Delivery.objects.all()} == {job}
    assert sorted(job.args[0] for job in delivering()) == sorted(str(row.pk) for row in Delivery.objects.all())
    assert {job.owner_id for job in delivering()} == {user.pk}


def test_what_is_told_has_the_job_in_the_words_of_the_api(settings: Settings) -> None:
    change(settings, public_url="https://video.example.org")
    user = listener(webhook_url=URL, by_email=True)
    job = ended(owner_id=user.pk, subject="videos.Video:12")
    journal.book_all()
    payload = Delivery.objects.get(channel="webhook").payload
    assert (payload["type"], payload["timestamp"][:4]) == ("job.completed", str(timezone.now().year))
    assert payload["data"] == {
        "id": str(job.pk),
        "kind": "tests.kinds.add",
        "subject": "videos.Video:12",
        "status": "completed",
        "state": "SUCCESS",
        "result": {"sum": 3},
        "error": None,
        "urls": {
            "self": f"https://video.example.org/api/jobs/{job.pk}/",
            "events": f"https://video.example.org/api/jobs/{job.pk}/events/",
            "retry": f"https://video.example.org/api/jobs/{job.pk}/retry/",
        },
    }
    letter = Delivery.objects.get(channel="email").payload
    assert letter["subject"] == "Jointo: Your job add videos.Video:12 is completed."
    assert f"https://video.example.org/api/jobs/{job.pk}/" in letter["message"]


def test_a_failure_is_told_as_it_was_though_the_job_was_retried_before_anybody_was_told() -> None:
    user = listener(webhook_url=URL, by_email=True)
    job = ended(JobStatus.FAILED, owner_id=user.pk)
    assert transitions.retry(job, budget=1)
    journal.book_all()
    data = Delivery.objects.get(channel="webhook").payload["data"]
    assert (data["status"], data["state"]) == ("failed", "FAILURE")
    assert data["error"] == {"code": "broken", "message": "It broke."}
    assert "It broke." in Delivery.objects.get(channel="email").payload["message"]


def test_a_url_that_is_the_callback_and_the_accounts_is_called_once() -> None:
    ended(owner_id=listener(webhook_url=URL).pk, callback_url=URL)
    journal.book_all()
    assert told() == [("webhook", "job.completed", URL)]


def test_a_user_without_an_address_gets_no_email() -> None:
    user = listener(by_email=True)
    User.objects.filter(pk=user.pk).update(email="")
    ended(owner_id=user.pk)
    journal.book_all()
    assert told() == []


def test_a_member_of_a_batch_tells_its_own_callback_and_the_batch_tells_the_account_once_a_round() -> None:
    user = listener(webhook_url=URL, by_email=True)
    batch = Batch.objects.create(
        owner=user,
        name="ten",
        total=3,
        callback_url=f"{URL}/batch",
        created_at=timezone.now(),
        updated_at=timezone.now(),
    )
    Batch.objects.filter(pk=batch.pk).update(completed=1, failed=1, cancelled=1, rounds=1, ended_at=timezone.now())
    ended(owner_id=user.pk, batch_id=batch.pk, callback_url=f"{URL}/own")
    alone = ended(owner_id=user.pk)
    moves = journal._moves(list(Transition.objects.all()))
    notifications.tell(moves)
    assert told(channel="webhook") == [("webhook", "job.completed", URL), ("webhook", "job.completed", f"{URL}/own")]
    assert Delivery.objects.get(channel="email").job == alone
    batch.refresh_from_db()
    for _ in range(2):
        notifications.tell_of_batch(batch)
    assert told(batch=batch) == [
        ("email", "batch.failed", user.email),
        ("webhook", "batch.failed", URL),
        ("webhook", "batch.failed", f"{URL}/batch"),
    ]
    data = Delivery.objects.filter(batch=batch, channel="webhook")[0].payload["data"]
    assert (data["total"], data["completed"], data["failed"], data["cancelled"]) == (3, 1, 1, 1)
    batch.rounds = 2
    notifications.tell_of_batch(batch)
    assert len(told(batch=batch)) == 6


def test_a_batch_of_nobody_without_callback_tells_nobody() -> None:
    batch = Batch.objects.create(total=0, created_at=timezone.now(), updated_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        notifications.tell_of_batch(batch)
    assert len(queries) == 0


# -- once, and cheaply -----------------------------------------------------------------------------------


def test_a_journal_that_is_replayed_tells_nothing_twice() -> None:
    ended(owner_id=listener(webhook_url=URL, by_email=True).pk, callback_url=f"{URL}/back")
    journal.book_all()
    before = told(), [job.pk for job in delivering()]
    Transition.objects.update(booked=False)
    journal.book_all()
    assert (told(), [job.pk for job in delivering()]) == before


def test_a_booking_that_is_rolled_back_leaves_neither_delivery_nor_job() -> None:
    ended(owner_id=listener(webhook_url=URL).pk)
    with pytest.raises(RuntimeError, match="crash"), transaction.atomic():
        journal.book_all()
        assert told()
        raise RuntimeError("crash")
    assert (told(), delivering()) == ([], [])
    journal.book_all()
    assert (len(told()), len(delivering())) == (1, 1)


@pytest.mark.parametrize("kind", sorted(notifications.SILENT))
def test_what_delivers_tells_nobody_about_itself(kind: str) -> None:
    user = listener(webhook_url=URL, by_email=True)
    for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED):
        ended(status, kind=kind, args=("nonsense",), owner_id=user.pk, callback_url=URL)
    journal.book_all()
    assert told() == []
    assert not Transition.objects.filter(booked=False).exists()


def queries_to_tell(moves: Sequence[Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        notifications.tell(moves)
    return len([query for query in queries if not re.match("SAVEPOINT|RELEASE", query["sql"])])


def moves_of(count: int, **fields: Any) -> list[Any]:
    before = Transition.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for _ in range(count):
        ended(**fields)
    return journal._moves(list(Transition.objects.filter(pk__gt=before)))


def test_nobody_who_listens_costs_one_look_and_jobs_of_nobody_none() -> None:
    assert queries_to_tell(moves_of(3, owner_id=make_user().pk)) == 1
    assert queries_to_tell(moves_of(3)) == 0


def test_telling_of_ten_jobs_takes_as_many_queries_as_telling_of_one() -> None:
    user = listener(webhook_url=URL, by_email=True)
    one, ten = moves_of(1, owner_id=user.pk), moves_of(10, owner_id=user.pk)
    assert queries_to_tell(one) == queries_to_tell(ten)
    assert len(delivering()) == 22


# -- webhooks --------------------------------------------------------------------------------------------


def recipes() -> dict[str, Callable[[bytes, dict[str, str], str], Any]]:
    """The receivers that the recipe shows, by title."""
    text = (ROOT / "docs/recipes/webhooks.md").read_text()
    found: dict[str, Callable[[bytes, dict[str, str], str], Any]] = {}
    for title, code in re.findall(r"^```python (.+?)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        names: dict[str, Any] = {}
        exec(compile(code, title, "exec"), names)
        found[title] = names["receive"]
    return found


@pytest.mark.parametrize("title", ["by hand", "library"])
def test_a_receiver_written_after_the_recipe_accepts_what_is_sent_and_nothing_else(
    title: str, settings: Settings
) -> None:
    receive = recipes()[title]
    with Receiver() as receiver:
        change(settings, inner_hosts=(receiver.host,))
        delivery = deliver(a_webhook(receiver.url, user=listener()))
    (request,) = receiver.received
    assert receive(request.body, request.headers, SECRET) == delivery.payload
    assert request.headers["content-type"] == "application/json"
    assert (delivery.status, delivery.tries, delivery.answer) == ("delivered", 1, "200 thanks")
    for body, headers, secret in (
        (request.body + b" ", request.headers, SECRET),
        (request.body, request.headers, OPERATORS),
        (request.body, {**request.headers, "webhook-id": "other"}, SECRET),
        (request.body, {**request.headers, "webhook-timestamp": "1"}, SECRET),
    ):
        with pytest.raises(Exception, match=r".+"):
            receive(body, headers, secret)


@COMMITTED
def test_an_endpoint_that_fails_first_gets_the_same_id_again_and_then_no_more(settings: Settings) -> None:
    with Receiver(500, 200) as receiver:
        change(settings, inner_hosts=(receiver.host,))
        ended(owner_id=listener(webhook_url=receiver.url).pk)
        journal.book_all()
        (job,) = delivering()
        job = attempt(job)
        delivery = Delivery.objects.get()
        assert (job.status, job.error_code, job.max_attempts) == ("retrying", "webhook_rejected", 9)
        assert timedelta(seconds=26) < job.run_at - timezone.now() < timedelta(seconds=34)
        assert (delivery.status, delivery.tries) == ("pending", 1)
        assert delivery.answer.startswith("webhook_rejected: The webhook's endpoint answered 500")
        job = attempt(job)
        delivery.refresh_from_db()
        assert (job.status, delivery.status, delivery.tries) == ("completed", "delivered", 2)
        assert delivery.delivered_at
        assert list(receiver.ids) == [str(delivery.pk)] * 2
        journal.book_all()
        assert told() == [("webhook", "job.completed", receiver.url)]


@COMMITTED
def test_a_worker_that_dies_after_it_wrote_the_success_down_sends_nothing_again(settings: Settings) -> None:
    with Receiver() as receiver:
        change(settings, inner_hosts=(receiver.host,))
        delivery = a_webhook(receiver.url, user=listener())
        job = claim(delivering()[0])
        deliver(delivery)  # and here the worker dies, before its job is completed
        transitions.retry_later(job, wait=timedelta(0), code="crashed", message="It died.", crashed=True)
        assert attempt(job).status == JobStatus.COMPLETED
        assert len(receiver.received) == 1


def test_an_endpoint_that_hangs_is_given_up_in_time(settings: Settings) -> None:
    with Receiver(0) as receiver:
        change(settings, inner_hosts=(receiver.host,), webhook_timeout=timedelta(seconds=3))
        delivery = a_webhook(receiver.url, user=listener())
        with pytest.raises(OutboundTimeout):
            deliver(delivery)
        assert len(receiver.received) == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries, delivery.answer[:16]) == ("pending", 1, "outbound_timeout")


def test_a_redirect_to_an_inner_address_is_not_followed(settings: Settings) -> None:
    with Receiver() as inner, Receiver(302, location=inner.url) as receiver:
        change(settings, inner_hosts=(receiver.host, inner.host))
        with pytest.raises(WebhookRejected, match="redirects"):
            deliver(a_webhook(receiver.url, user=listener()))
        assert (len(receiver.received), len(inner.received)) == (1, 0)


@COMMITTED
def test_an_inner_address_is_not_called_and_not_tried_again() -> None:
    with Receiver() as receiver:
        a_webhook(receiver.url, user=listener())
        job = attempt(delivering()[0])
        assert (job.status, job.error_code, job.attempt) == ("failed", UrlRefused.code, 1)
        assert receiver.received == []


@COMMITTED
@pytest.mark.parametrize("answer", [404, 429, 503])
def test_an_answer_that_is_not_2xx_is_tried_again(answer: int, settings: Settings) -> None:
    with Receiver(answer) as receiver:
        change(settings, inner_hosts=(receiver.host,))
        a_webhook(receiver.url, user=listener())
        assert attempt(delivering()[0]).status == JobStatus.RETRYING


@COMMITTED
def test_an_endpoint_that_says_how_long_to_wait_is_left_alone_for_so_long(settings: Settings) -> None:
    with Receiver(429, retry_after="900") as receiver:
        change(settings, inner_hosts=(receiver.host,))
        a_webhook(receiver.url, user=listener())
        job = attempt(delivering()[0])
        assert timedelta(seconds=890) < job.run_at - timezone.now() <= timedelta(seconds=900)


def test_a_quota_on_what_tells_people_stops_neither_it_nor_the_journal() -> None:
    QuotaLimit.objects.create(tier="free", kind=webhooks.KIND, period=Period.HOUR, limit=1)
    quotas.overridden.forget()
    ann = listener(webhook_url=URL)
    for _ in range(3):
        ended(owner_id=ann.pk)
    assert journal.book_all()
    assert len(told(user=ann)) == len(delivering()) == 3


@COMMITTED
def test_an_endpoint_that_is_gone_is_left_alone_for_this_message(settings: Settings) -> None:
    with Receiver(410) as receiver:
        change(settings, inner_hosts=(receiver.host,))
        a_webhook(receiver.url, user=listener())
        job = attempt(delivering()[0])
        assert (job.status, job.error_code) == ("failed", WebhookGone.code)
    journal.book_all()
    assert Delivery.objects.get().status == DeliveryStatus.FAILED
    assert not DeadLetter.objects.exists()


def test_an_answer_with_odd_bytes_is_kept(settings: Settings) -> None:
    with Receiver(body=b"\0\xff" + b"x" * 9000) as receiver:
        change(settings, inner_hosts=(receiver.host,))
        assert deliver(a_webhook(receiver.url, user=listener())).answer == "200 " + "\ufffd" * 2 + "x" * 494


def test_nothing_is_sent_unsigned(settings: Settings) -> None:
    with Receiver() as receiver:
        change(settings, inner_hosts=(receiver.host,), operator_webhook_secret="")
        with pytest.raises(WebhookSecretMissing):
            deliver(a_webhook(receiver.url, user=listener(secret="")))
        with pytest.raises(WebhookSecretMissing):
            deliver(a_webhook(receiver.url, user=make_user()))
        with pytest.raises(WebhookSecretMissing):
            deliver(a_webhook(receiver.url))
        with pytest.raises(WebhookSecretUnusable):
            deliver(a_webhook(receiver.url, user=listener(secret="short")))
        assert receiver.received == []


def test_the_callback_of_a_job_of_nobody_is_signed_by_the_operator(settings: Settings) -> None:
    with Receiver() as receiver:
        change(settings, inner_hosts=(receiver.host,))
        ended(callback_url=receiver.url)
        journal.book_all()
        delivery = deliver(Delivery.objects.get())
    (request,) = receiver.received
    assert recipes()["library"](request.body, request.headers, OPERATORS) == delivery.payload


def test_the_operators_own_url_may_be_an_inner_one_and_opens_it_to_no_user(settings: Settings) -> None:
    with Receiver() as receiver:
        change(settings, operator_webhook_url=receiver.url)
        assert deliver(a_webhook(receiver.url)).status == DeliveryStatus.DELIVERED
        with pytest.raises(UrlRefused):
            deliver(a_webhook(receiver.url, user=listener()))
        assert len(receiver.received) == 1


# -- the end of trying -----------------------------------------------------------------------------------


@COMMITTED
def test_a_delivery_is_failed_once_its_job_is_and_no_dead_letter_is_written(settings: Settings) -> None:
    with Receiver(500) as receiver:
        change(settings, inner_hosts=(receiver.host,))
        a_webhook(receiver.url, user=listener())
        job = delivering()[0]
        while job.status != JobStatus.FAILED:
            job = attempt(job)
        journal.book_all()
        delivery = Delivery.objects.get()
        assert (job.attempt, delivery.status, delivery.tries) == (9, "failed", 9)
        assert list(receiver.ids) == [str(delivery.pk)] * 9
    assert not DeadLetter.objects.exists()


def test_a_delivery_whose_job_was_cancelled_has_failed() -> None:
    a_webhook(URL, user=listener())
    assert transitions.cancel(delivering()[0].pk)
    journal.book_all()
    assert Delivery.objects.get().status == DeliveryStatus.FAILED


def test_retries_of_a_webhook_span_hours_with_jitter() -> None:
    waits = [webhooks.RETRY.wait_seconds(retry) for retry in range(1, 9)]
    assert 18 * 3600 < sum(waits) < 24 * 3600
    assert webhooks.RETRY.wait_seconds(8) != webhooks.RETRY.wait_seconds(8)


@COMMITTED
def test_a_delivery_is_told_again_under_its_id_unless_it_is_under_way(settings: Settings) -> None:
    with Receiver() as receiver:
        change(settings, inner_hosts=(receiver.host,))
        delivery = a_webhook(receiver.url, user=listener())
        with pytest.raises(deliveries.DeliveryUnderWay):
            deliveries.redeliver(delivery)
        attempt(delivering()[0])
        deliveries.redeliver(delivery)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.delivered_at, len(delivering())) == ("pending", None, 2)
        for job in delivering():
            if job.status == JobStatus.PENDING:
                attempt(job)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.tries) == ("delivered", 2)
        assert list(receiver.ids) == [str(delivery.pk)] * 2


def test_a_delivery_that_is_gone_ends_quietly() -> None:
    for nobody in (str(uuid.uuid4()), "nonsense"):
        assert letter_tasks.deliver_webhook(nobody) == {"delivery_id": nobody, "status": "gone"}


# -- e-mail ----------------------------------------------------------------------------------------------


def test_an_email_has_a_message_id_of_the_delivery_and_one_line_of_subject() -> None:
    delivery = deliver(an_email("Hello\r\nBcc: all@example.org", "Words"))
    (message,) = outbox.outbox
    assert (message.subject, message.body, message.to) == ("Hello Bcc: all@example.org", "Words", ["ann@example.org"])
    assert message.message()["Message-ID"] == f"<{delivery.pk}@localhost>"
    assert (delivery.status, delivery.tries) == ("delivered", 1)
    deliver(delivery)
    assert len(outbox.outbox) == 1


def test_an_email_goes_to_the_console_where_no_server_is_set(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    delivery = deliver(an_email())
    assert f"Message-ID: <{delivery.pk}@localhost>" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"550 no such user", MailRefused), (b"451 later", MailUnavailable), (b"452 full", MailUnavailable)],
    ids=["550", "451", "452"],
)
def test_what_a_mail_server_refuses_for_good_is_not_tried_again(
    answer: bytes, error: type[JointoError], settings: Settings
) -> None:
    with MailServer(answer) as server:
        use(settings, server)
        delivery = an_email()
        with pytest.raises(error):
            deliver(delivery)
    delivery.refresh_from_db()
    assert (delivery.tries, delivery.answer.partition(":")[0]) == (1, error.code)


def test_an_email_goes_over_smtp(settings: Settings) -> None:
    with MailServer() as server:
        use(settings, server)
        delivery = deliver(an_email("Grüße"))
        (message,) = server.messages
    assert f"Message-ID: <{delivery.pk}@localhost>".encode() in message
    with pytest.raises(MailUnavailable):
        deliver(an_email())  # nobody listens there any more


def use(settings: Settings, server: MailServer) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5


@COMMITTED
def test_send_email_writes_to_whom_it_is_told_to_and_once_for_each_job() -> None:
    user = make_user(email="ann@example.org")
    job, _ = letter_tasks.send_email.submit((user.pk, "Hello", "World"), {})
    job = attempt(job)
    assert (job.status, job.max_attempts) == ("completed", 6)
    delivery = Delivery.objects.get()
    assert (delivery.pk, delivery.user, delivery.status) == (job.pk, user, "delivered")
    assert len(outbox.outbox) == 1
    User.objects.update(email="")
    job, _ = letter_tasks.send_email.submit((user.pk, "Hello", "World"), {})
    assert attempt(job).error_code == "no_email_address"


@COMMITTED
def test_send_email_that_gives_up_is_seen_in_the_log(settings: Settings) -> None:
    with MailServer(b"550 no") as server:
        use(settings, server)
        job, _ = letter_tasks.send_email.submit((make_user(email="ann@example.org").pk, "Hello", "World"), {})
        assert attempt(job).status == JobStatus.FAILED
    journal.book_all()
    assert Delivery.objects.get().status == DeliveryStatus.FAILED


@COMMITTED
def test_send_notification_tells_a_user_on_all_channels_once() -> None:
    user = listener(webhook_url=URL, by_email=True)
    job, _ = letter_tasks.send_notification.submit((user.pk, "Hello", "World"), {})
    job = attempt(job)
    assert job.result == {"user_id": user.pk, "deliveries": 2}
    assert told() == [("email", "notification", user.email), ("webhook", "notification", URL)]
    key = f"job:{job.pk}"
    assert notifications.notify(user.pk, subject="Hello", message="World", key=key) == 0
    assert notifications.notify(make_user().pk, subject="Hello", message="World", key="other") == 0
    payload = json.dumps(Delivery.objects.get(channel="webhook").payload)
    assert json.loads(payload)["data"] == {"subject": "Hello", "message": "World"}


def test_a_delivering_job_that_somebody_submits_by_hand_for_nothing_does_not_stop_the_journal() -> None:
    job = make_job(webhooks.KIND, args=("nonsense",), subject="jobs.Delivery:nonsense")
    assert transitions.cancel(job.pk)
    journal.book_all()
    assert not Transition.objects.filter(booked=False).exists()


# -- with a real worker ----------------------------------------------------------------------------------


@pytest.mark.stack
def test_a_worker_tells_of_a_jobs_end_and_of_a_dead_letter(stack: Stack) -> None:
    with Receiver() as receiver, Receiver() as operators:
        user = listener(webhook_url=receiver.url)
        stack.worker(
            JOINTO_INNER_HOSTS=receiver.host,
            JOINTO_OPERATOR_WEBHOOK_URL=operators.url,
            JOINTO_OPERATOR_WEBHOOK_SECRET=OPERATORS,
        )
        job = kinds_of_tests.add.apply_async((1, 2), owner_id=user.pk)
        wait_for(lambda: receiver.received, what="the webhook")
        dying = kinds_of_tests.fail_until.apply_async((99,))
        wait_for(lambda: operators.received, what="the alert")
        delivered = Delivery.objects.filter(status=DeliveryStatus.DELIVERED)
        wait_for(lambda: delivered.count() == 2, what="the log")
    request, alert = receiver.received[0], operators.received[0]
    said = recipes()["library"](request.body, request.headers, SECRET)
    assert (said["type"], said["data"]["id"], said["data"]["result"]) == ("job.completed", str(job.id), 3)
    said = recipes()["library"](alert.body, alert.headers, OPERATORS)
    assert (said["type"], said["data"]["first"]["job_id"]) == ("dead_letter.created", str(dying.id))
    assert (len(receiver.received), len(operators.received)) == (1, 1)
    assert Delivery.objects.count() == 2
