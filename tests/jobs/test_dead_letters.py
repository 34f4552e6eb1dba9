"""Dead letters: told once for all that are alike, retried and discarded many at a time, from code and admin."""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail as outbox
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook

from jobs import dead_letters, deliveries, letter_tasks, signing, transitions
from jobs.admin import letters as letter_pages
from jobs.models import Account, Channel, DeadLetter, Delivery, DeliveryStatus, Job
from jobs.status import JobStatus
from tests.builders import claim, make_claimed_job, make_user
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db

LETTERS = "/admin/jobs/deadletter/"
DELIVERIES = "/admin/jobs/delivery/"
EVIL = "<script>alert('x')</script>"
OPERATORS = signing.new_secret()
PAUSE = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def _operator(settings: Settings) -> None:
    change(
        settings,
        operator_emails=("ops@example.org",),
        operator_webhook_url="",
        operator_webhook_secret=OPERATORS,
        alert_pause=PAUSE,
        public_url="https://video.example.org",
    )


def change(settings: Settings, **changes: Any) -> None:
    settings.JOINTO_JOBS = replace(settings.JOINTO_JOBS, **changes)


def make_letter(*, code: str = "crashed", message: str = "It died.", **fields: Any) -> DeadLetter:
    job = make_claimed_job(**fields)
    assert transitions.fail(job, code=code, message=message, dead=True)
    return DeadLetter.objects.get(job=job, resolved_at=None)


def make_letters(count: int, **fields: Any) -> list[DeadLetter]:
    return [make_letter(**fields) for _ in range(count)]


def claim_again(job_id: uuid.UUID) -> Job:
    return claim(Job.objects.get(pk=job_id))


def alerts() -> list[str]:
    """The subjects of all alerts by e-mail."""
    rows = Delivery.objects.filter(event=dead_letters.EVENT, channel=Channel.EMAIL).order_by("created_at", "key")
    return [row.payload["subject"] for row in rows]


# -- alerts ----------------------------------------------------------------------------------------------


def test_a_hundred_letters_that_are_alike_are_one_alert_and_later_ones_another_after_the_pause() -> None:
    letters = make_letters(100)
    now = timezone.now()
    assert dead_letters.alert(now) == 1
    assert alerts() == ["Jointo: 100 dead letters of tests.kinds.add: crashed"]
    assert dead_letters.alert(now) == 0
    make_letters(3)
    assert dead_letters.alert(now + PAUSE - timedelta(seconds=1)) == 0
    assert dead_letters.alert(now + PAUSE) == 1
    assert alerts()[1:] == ["Jointo: 3 dead letters of tests.kinds.add: crashed"]
    assert dead_letters.alert(now + 3 * PAUSE) == 0
    assert not DeadLetter.objects.filter(alerted_at=None).exists()
    first = Delivery.objects.order_by("created_at")[0].payload["message"]
    assert str(letters[0].job_id) in first
    assert "It died." in first
    assert f"https://video.example.org{LETTERS}?error_code=crashed&kind=tests.kinds.add" in first


def test_letters_of_other_kinds_and_codes_are_alerts_of_their_own() -> None:
    make_letter()
    make_letter(code="time_limit")
    make_letter(kind="tests.kinds.collect")
    assert dead_letters.alert() == 3
    assert sorted(alerts()) == [
        "Jointo: 1 dead letter of tests.kinds.add: crashed",
        "Jointo: 1 dead letter of tests.kinds.add: time_limit",
        "Jointo: 1 dead letter of tests.kinds.collect: crashed",
    ]


def test_a_letter_that_is_resolved_before_anybody_was_told_is_not_told() -> None:
    dead_letters.discard([make_letter()], by="ann")
    assert dead_letters.alert() == 0


def test_a_job_that_dies_again_after_the_pause_is_told_again() -> None:
    letter = make_letter()
    now = timezone.now()
    dead_letters.alert(now)
    dead_letters.retry([letter], by="ann")
    job = claim_again(letter.job_id)
    transitions.fail(job, code="crashed", message="It died.", dead=True)
    assert dead_letters.alert(now + PAUSE) == 1


def test_an_alert_reaches_every_operator_by_email_and_the_webhook_signed(settings: Settings) -> None:
    make_letters(2)
    with Receiver() as receiver:
        change(
            settings, operator_emails=("a@example.org", "b@example.org"), operator_webhook_url=receiver.url
        )  # an inner address: it is the operator's own
        assert dead_letters.alert() == 1
        for delivery in Delivery.objects.all():
            kind = letter_tasks.deliver_email if delivery.channel == "email" else letter_tasks.deliver_webhook
            kind(str(delivery.pk))
        (request,) = receiver.received
    assert sorted(message.to[0] for message in outbox.outbox) == ["a@example.org", "b@example.org"]
    said = Webhook(OPERATORS).verify(request.body, request.headers)
    assert said["type"] == "dead_letter.created"
    assert (said["data"]["count"], said["data"]["kind"]) == (2, "tests.kinds.add")
    assert said["data"]["error"] == {"code": "crashed", "message": "It died."}
    assert {row.status for row in Delivery.objects.all()} == {DeliveryStatus.DELIVERED}


def test_where_nobody_is_to_be_told_the_log_is(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    change(settings, operator_emails=(), operator_webhook_url="")
    make_letters(2)
    with caplog.at_level(logging.WARNING, logger="jobs.dead_letters"):
        assert dead_letters.alert() == 1
        assert dead_letters.alert() == 0
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("2 dead letters of tests.kinds.add, crashed: It died.")
    assert not Delivery.objects.exists()


def test_an_alert_gets_out_though_there_is_no_admin_to_link_to(settings: Settings) -> None:
    settings.ROOT_URLCONF = "jobs.api.urls"
    make_letter()
    assert dead_letters.alert() == 1
    assert "It died." in Delivery.objects.get().payload["message"]


def test_nothing_to_tell_costs_one_query() -> None:
    dead_letters.discard([make_letter()], by="ann")
    with CaptureQueriesContext(connection) as queries:
        assert dead_letters.alert() == 0
    assert len(queries) == 1


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What calls give that run at the same moment, each in a thread with a connection of its own."""
    barrier, results = threading.Barrier(len(calls)), list[Any]()

    def run(call: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            results.append(call())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_several_alerters_at_once_one_alerts() -> None:
    for turn in range(5):
        make_letters(5, code=f"code{turn}")
        now = timezone.now()
        assert sorted(at_once(*[lambda now=now: dead_letters.alert(now)] * 4)) == [0, 0, 0, 1]
        assert len(alerts()) == turn + 1


@pytest.mark.django_db(transaction=True)
def test_a_letter_that_comes_while_another_alerts_waits_for_the_pause_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second alerter waits for the first one's rows, then sees a letter that the first did not."""
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: the second alerter begins when the first has ended")
    make_letters(2)
    now, locked, go_on = timezone.now(), threading.Event(), threading.Event()

    def first() -> int:
        tell = dead_letters._tell

        def tell_slowly(letter: DeadLetter, *, count: int, now: datetime) -> None:
            locked.set()
            assert go_on.wait(10)
            tell(letter, count=count, now=now)

        monkeypatch.setattr(dead_letters, "_tell", tell_slowly)
        return dead_letters.alert(now)

    def second() -> int:
        assert locked.wait(10)
        make_letter()
        threading.Timer(0.3, go_on.set).start()
        return dead_letters._alert_of("tests.kinds.add", "crashed", now=now)

    assert sorted(at_once(first, second)) == [0, 1]
    assert alerts() == ["Jointo: 2 dead letters of tests.kinds.add: crashed"]
    assert DeadLetter.objects.filter(alerted_at=None).count() == 1


# -- retry and discard -----------------------------------------------------------------------------------


def test_retried_letters_have_their_jobs_done_again_with_who_and_why() -> None:
    letters = make_letters(3)
    results = dead_letters.retry(letters, by="ann", note="The disk is mended.")
    assert [result.error for result in results] == [None] * 3
    assert {job.status for job in Job.objects.all()} == {JobStatus.PENDING}
    for letter in DeadLetter.objects.all():
        assert (letter.resolution, letter.resolved_by, letter.note) == ("retried", "ann", "The disk is mended.")


def test_a_letter_whose_job_is_refused_stays_open_and_says_why() -> None:
    letter, busy = make_letter(), make_letter(subject="tests.Thing:1")
    make_claimed_job(subject="tests.Thing:1")
    results = dead_letters.retry([letter, busy], by="ann", note="Once more.")
    assert [result.error and result.error.code for result in results] == [None, "subject_busy"]
    busy.refresh_from_db()
    assert (busy.resolution, busy.note) == ("", "")


def test_a_letter_that_is_resolved_is_left_alone_even_if_its_job_has_failed_again() -> None:
    letter = make_letter()
    dead_letters.retry([letter], by="ann", note="first")
    transitions.fail(claim_again(letter.job_id), code="crashed", message="Again.", dead=True)
    for act in (dead_letters.retry, dead_letters.discard):
        (result,) = act([letter], by="bob", note="second")
        assert result.error and result.error.code == "dead_letter_resolved"
    letter.refresh_from_db()
    assert (letter.note, letter.resolved_by) == ("first", "ann")
    assert DeadLetter.objects.filter(resolved_at=None).count() == 1


def test_a_discarded_letter_leaves_its_job_failed() -> None:
    letter, other = make_letters(2)
    (result,) = dead_letters.discard([letter], by="ann", note="Not worth it.")
    assert result.error is None
    letter.refresh_from_db()
    assert (letter.resolution, letter.resolved_by, letter.note) == ("discarded", "ann", "Not worth it.")
    assert letter.job.status == JobStatus.FAILED
    assert list(DeadLetter.objects.filter(resolved_at=None)) == [other]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_retry_the_same_letters_at_once_each_job_is_retried_by_one() -> None:
    letters = make_letters(10)

    def retry(by: str) -> int:
        return sum(result.error is None for result in dead_letters.retry(letters, by=by))

    assert sum(at_once(lambda: retry("ann"), lambda: retry("bob"))) == 10
    assert {job.retry_count for job in Job.objects.all()} == {1}


# -- the admin -------------------------------------------------------------------------------------------


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


def staff(*permissions: str) -> Client:
    """A member of the staff who may do that and nothing else."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, address: str = LETTERS, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, (address, query)
    return answer.content.decode()


def hidden_fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def act(client: Client, action: str, letters: Sequence[DeadLetter], *, across: bool = False) -> str:
    """The page that asks for a note."""
    said = {"action": action, "_selected_action": [str(letter.pk) for letter in letters]}
    answer = client.post(LETTERS, {**said, "select_across": "1"} if across else said)
    assert answer.status_code == 200
    return answer.content.decode()


def confirm(client: Client, page: str, note: str) -> list[str]:
    answer = client.post(LETTERS, {**hidden_fields(page), "note": note}, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize("count", [40, 400])
def test_many_letters_are_retried_at_once_with_a_note(count: int, root: Client) -> None:
    letters = make_letters(count)
    page = act(root, "retry", letters[:50], across=count > 50)
    assert f"{count} dead letters are chosen." in page
    assert {letter.resolution for letter in DeadLetter.objects.all()} == {""}
    late = make_letter()  # came while the operator was typing
    assert confirm(root, page, "The disk is mended.") == [f"{count} dead letters were resolved."]
    rows = DeadLetter.objects.filter(resolution="retried", resolved_by="root", note="The disk is mended.")
    assert rows.count() == count
    assert Job.objects.filter(status="pending").count() == count
    assert list(DeadLetter.objects.filter(resolution="")) == [late]


def test_letters_are_discarded_with_a_note(root: Client) -> None:
    letters = make_letters(2)
    page = act(root, "discard", letters[:1])
    assert "1 dead letter is chosen." in page
    assert confirm(root, page, "Not worth it.") == ["1 dead letter was resolved."]
    assert [DeadLetter.objects.get(pk=letter.pk).resolution for letter in letters] == ["discarded", ""]


def test_what_is_refused_is_told_letter_by_letter(root: Client) -> None:
    letters = make_letters(2)
    page = act(root, "retry", letters)
    dead_letters.discard(letters[:1], by="ann")
    said = confirm(root, page, "")
    assert said == ["1 dead letter was resolved.", f"{letters[0].pk}: The dead letter is resolved already."]


def test_no_more_are_resolved_at_once_than_a_request_can_take(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_pages, "AT_ONCE", 3)
    letters = make_letters(5)
    page = act(root, "discard", letters)
    assert "3 dead letters are chosen." in page
    assert "do the same again for the rest" in page
    assert confirm(root, page, "") == ["3 dead letters were resolved."]


def test_who_may_only_look_at_letters_can_resolve_none() -> None:
    letter = make_letter()
    looker = staff("view_deadletter")
    assert "crashed" in shown(looker)
    said = {"action": "discard", "_selected_action": [str(letter.pk)], "confirmed": "yes", "letters": str(letter.pk)}
    looker.post(LETTERS, said)
    letter.refresh_from_db()
    assert letter.resolution == ""
    confirm(staff("change_deadletter"), act(staff("change_deadletter"), "discard", [letter]), "")
    letter.refresh_from_db()
    assert letter.resolution == "discarded"


def test_the_list_shows_what_is_open_and_filters_by_code_and_kind(root: Client) -> None:
    make_letter(code="time_limit", message="Too slow.")
    make_letter(code="crashed", message="It died.", kind="tests.kinds.collect")
    dead_letters.discard([make_letter(code="old_code", message="Old story.")], by="ann")
    page = shown(root)
    assert "Too slow." in page
    assert "It died." in page
    assert "Old story." not in page
    assert "?error_code=time_limit" in page
    assert "?error_code=old_code" not in page
    assert "It died." not in shown(root, error_code="time_limit")
    assert "Too slow." not in shown(root, kind="tests.kinds.collect")
    assert "Old story." in shown(root, state="discarded")
    assert "Old story." in shown(root, state="all")
    assert "Old story." not in shown(root, state="retried")


def test_the_link_of_an_alert_leads_to_its_letters(root: Client) -> None:
    make_letters(2, code="crashed")
    make_letter(code="time_limit", message="Too slow.")
    dead_letters.alert()
    told = Delivery.objects.get(payload__subject__endswith="crashed").payload["message"]
    (link,) = re.findall(r"https://video\.example\.org(/admin/\S+)", told)
    page = root.get(link).content.decode()
    assert page.count("It died.") == 2 * 2  # the cell, and its title
    assert "Too slow." not in page


def test_a_letter_is_found_by_its_job_and_leads_to_it(root: Client) -> None:
    letter, other = make_letter(subject="tests.Thing:7"), make_letter()
    for term in (str(letter.job_id), "tests.Thing:7"):
        page = shown(root, q=term)
        assert f"/admin/jobs/job/{letter.job_id}/change/" in page
        assert str(other.job_id) not in page
    assert "0 dead letters" in shown(root, q="nothing")
    assert "It died." in shown(root, f"{LETTERS}{letter.pk}/change/")


def test_what_an_error_says_is_text_and_no_markup(root: Client) -> None:
    letter = make_letter(code="evil", message=EVIL)
    for page in (shown(root), shown(root, f"{LETTERS}{letter.pk}/change/"), act(root, "retry", [letter])):
        assert EVIL not in page


def test_the_list_costs_the_same_for_fifty_letters_as_for_five(root: Client) -> None:
    make_letters(5)
    few = queries(root)
    make_letters(45)
    assert queries(root) == few


def queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        shown(client)
    return len(captured)


# -- deliveries: the log in the admin and the API --------------------------------------------------------


def make_delivery(*, status: DeliveryStatus = DeliveryStatus.FAILED, user: User | None = None) -> Delivery:
    row = deliveries.new(
        key=str(uuid.uuid4()),
        channel=Channel.WEBHOOK,
        event="job.completed",
        target="https://example.org/hook",
        payload={"type": "job.completed", "data": {"id": EVIL}},
        user_id=user.pk if user else None,
    )
    deliveries.queue([row])
    Delivery.objects.filter(pk=row.pk).update(status=status, answer="503 busy", tries=9)
    return Delivery.objects.get(pk=row.pk)


def test_the_log_of_deliveries_shows_payload_and_answer(root: Client) -> None:
    user = make_user("ann")
    delivery = make_delivery(user=user)
    assert "503 busy" in shown(root, DELIVERIES, status="failed")
    assert "503 busy" not in shown(root, DELIVERIES, status="pending")
    for term in (str(delivery.pk), "ann"):
        assert "503 busy" in shown(root, DELIVERIES, q=term)
    assert "503 busy" not in shown(root, DELIVERIES, q="bob")
    page = shown(root, f"{DELIVERIES}{delivery.pk}/change/")
    assert "&lt;script&gt;" in page
    assert EVIL not in page


def test_a_delivery_is_sent_again_from_the_log(root: Client) -> None:
    failed, waiting = make_delivery(), make_delivery(status=DeliveryStatus.PENDING)
    said = {"action": "deliver_again", "_selected_action": [str(failed.pk), str(waiting.pk)]}
    answer = root.post(DELIVERIES, said, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "1 is delivered again.",
        f"{str(waiting.pk)[:8]}: This is being delivered already. Wait for how it ends.",
    ]
    failed.refresh_from_db()
    assert failed.status == DeliveryStatus.PENDING
    assert Job.objects.filter(subject=f"jobs.Delivery:{failed.pk}").count() == 2
    root.post(DELIVERIES, said)
    looker = staff("view_delivery")
    Delivery.objects.update(status=DeliveryStatus.FAILED)
    looker.post(DELIVERIES, said)
    assert {row.status for row in Delivery.objects.all()} == {DeliveryStatus.FAILED}


@pytest.fixture
def ann() -> User:
    user = make_user("ann")
    Account.objects.create(user=user, webhook_secret=signing.new_secret())
    return user


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


def test_a_user_sees_their_deliveries_and_no_others(api: APIClient, ann: User) -> None:
    mine, _, _ = make_delivery(user=ann), make_delivery(user=make_user()), make_delivery()
    answer = api.get("/api/account/deliveries/")
    assert answer.status_code == 200
    (row,) = answer.json()["results"]
    assert row["id"] == str(mine.pk)
    assert (row["status"], row["tries"], row["answer"]) == ("failed", 9, "503 busy")
    assert row["payload"]["type"] == "job.completed"
    assert api.get("/api/account/deliveries/", {"status": "pending"}).json()["results"] == []
    assert APIClient().get("/api/account/deliveries/").status_code == 401


def test_a_user_has_a_delivery_sent_again_unless_it_is_under_way_or_not_theirs(api: APIClient, ann: User) -> None:
    mine, other = make_delivery(user=ann), make_delivery(user=make_user())
    answer = api.post(f"/api/account/deliveries/{mine.pk}/redeliver/")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    answer = api.post(f"/api/account/deliveries/{mine.pk}/redeliver/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "delivery_under_way")
    assert api.post(f"/api/account/deliveries/{other.pk}/redeliver/").status_code == 404
