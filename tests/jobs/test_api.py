"""The API of jobs, and of signing in: what it gives, and how it refuses."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from jobs import control, transitions
from jobs.models import Job
from tests.builders import claim, make_claimed_job, make_job, make_user
from tests.jobs.test_batches import at_once

pytestmark = pytest.mark.django_db

SHAPE = {
    *("id", "kind", "subject", "status", "state", "current", "total", "percent", "message", "result", "error"),
    *("attempt", "max_attempts", "retry_count", "priority", "queue", "created_at", "updated_at", "started_at"),
    *("finished_at", "run_at", "urls"),
}


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


def bearer(token: object) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def error(answer: Any) -> tuple[int, str]:
    """Status and code of an error in the one shape; its message is a sentence for people."""
    assert set(answer.json()) == {"error"}, answer.content
    said = answer.json()["error"]
    assert set(said) == {"code", "message", "details"}
    assert said["message"].endswith("."), said
    assert "{" not in said["message"], said
    return answer.status_code, said["code"]


def listed(api: APIClient, **filters: Any) -> list[str]:
    """The ids that a list gives."""
    answer = api.get("/api/jobs/", filters)
    assert answer.status_code == 200, answer.content
    return [job["id"] for job in answer.json()["results"]]


def cursor(position: str) -> str:
    return base64.b64encode(urlencode({"p": position}).encode()).decode()


# -- one job ---------------------------------------------------------------------------------------------


def test_a_job_is_given_with_every_field_of_the_contract(api: APIClient, ann: User) -> None:
    job = make_claimed_job(owner_id=ann.pk)
    transitions.renew(job, lease=timedelta(minutes=1), current=1, total=4, message="one of four")
    said = api.get(f"/api/jobs/{job.pk}/").json()
    assert set(said) >= SHAPE
    assert (said["status"], said["state"], said["percent"], said["message"]) == (
        *("processing", "PROGRESS", 25, "one of four"),
    )
    assert (said["error"], said["result"], said["attempt"], said["max_attempts"]) == (None, None, 1, 4)
    for name in ("created_at", "updated_at", "started_at", "run_at"):
        assert datetime.fromisoformat(said[name]).tzinfo, name
    assert said["finished_at"] is None
    actions = {"self": "", "events": "events/", "cancel": "cancel/", "retry": "retry/"}
    assert said["urls"] == {name: f"/api/jobs/{job.pk}/{action}" for name, action in actions.items()}


def test_a_jobs_attempts_tell_how_each_of_them_ended(api: APIClient, ann: User) -> None:
    job = make_claimed_job(owner_id=ann.pk)
    transitions.retry_later(job, wait=timedelta(0), code="busy", message="Later.", traceback="secret internals")
    transitions.fail(claim(Job.objects.get(pk=job.pk)), code="broken", message="No.")
    said = api.get(f"/api/jobs/{job.pk}/").json()
    assert [(one["number"], one["outcome"], one["error_code"]) for one in said["attempts"]] == [
        (1, "failed", "busy"),
        (2, "failed", "broken"),
    ]
    assert said["error"] == {"code": "broken", "message": "No."}
    assert (said["retry_count"], said["state"]) == (1, "FAILURE")
    assert b"secret internals" not in api.get(f"/api/jobs/{job.pk}/").content


def test_the_older_names_give_the_same(api: APIClient, ann: User) -> None:
    job = make_job(owner_id=ann.pk)
    assert api.get(f"/api/tasks/{job.pk}/status/").json() == api.get(f"/api/jobs/{job.pk}/").json()
    assert api.post(f"/api/tasks/{job.pk}/cancel/").json()["status"] == "cancelled"
    assert error(api.post(f"/api/tasks/{job.pk}/cancel/")) == (409, "job_finished")


def test_a_job_is_cancelled_once_and_retried_once(api: APIClient, ann: User) -> None:
    job = make_job(owner_id=ann.pk)
    assert error(api.post(f"/api/jobs/{job.pk}/retry/")) == (409, "job_not_retryable")
    answer = api.post(f"/api/jobs/{job.pk}/cancel/")
    assert (answer.status_code, answer.json()["status"], answer.json()["state"]) == (202, "cancelled", "REVOKED")
    assert error(api.post(f"/api/jobs/{job.pk}/cancel/")) == (409, "job_finished")
    answer = api.post(f"/api/jobs/{job.pk}/retry/")
    assert (answer.status_code, answer.json()["status"], answer.json()["finished_at"]) == (202, "pending", None)
    assert error(api.post(f"/api/jobs/{job.pk}/retry/")) == (409, "job_not_retryable")
    reasons = list(job.transitions.values_list("after", "reason"))
    assert reasons == [("pending", ""), ("cancelled", "cancelled by ann"), ("pending", "retried by ann")]


def test_a_completed_job_is_neither_cancelled_nor_retried(api: APIClient, ann: User) -> None:
    job = make_claimed_job(owner_id=ann.pk)
    transitions.complete(job, {"sum": 3})
    assert api.get(f"/api/jobs/{job.pk}/").json()["result"] == {"sum": 3}
    assert error(api.post(f"/api/jobs/{job.pk}/cancel/")) == (409, "job_finished")
    assert error(api.post(f"/api/jobs/{job.pk}/retry/")) == (409, "job_not_retryable")


def test_a_retry_gives_all_of_the_kinds_attempts_again_and_forgets_the_error(api: APIClient, ann: User) -> None:
    job = Job.objects.get(pk=make_claimed_job(owner_id=ann.pk).pk)
    transitions.fail(job, code="broken", message="No.", crashed=True)
    said = api.post(f"/api/jobs/{job.pk}/retry/").json()
    assert (said["attempt"], said["max_attempts"], said["error"], said["retry_count"]) == (1, 5, None, 1)
    assert Job.objects.get(pk=job.pk).crashes == 0


def test_two_people_who_retry_the_same_failure_retry_it_once(ann: User) -> None:
    job = make_claimed_job(owner_id=ann.pk)
    transitions.fail(job, code="broken", message="No.")
    one, other = Job.objects.get(pk=job.pk), Job.objects.get(pk=job.pk)
    control.retry(one, by="ann")
    with pytest.raises(control.NotRetryable):
        control.retry(other, by="bob")


@pytest.mark.django_db(transaction=True)
def test_two_jobs_for_one_subject_that_are_retried_at_once_do_not_both_run() -> None:
    jobs = [make_job(subject="videos.Video:1") for _ in range(2)]
    for _ in range(10):
        for job in Job.objects.filter(status="pending"):
            control.cancel(job, by="ann")
        acts = [partial(control.retry, Job.objects.get(pk=job.pk), by="ann") for job in jobs]
        assert [type(error) for error in at_once(*acts)] == [control.SubjectBusy]
        assert Job.objects.filter(status="pending").count() == 1


@pytest.mark.parametrize("name", [str(uuid.UUID(int=7)), "7", "nonsense", "%00", "x" * 3000])
def test_a_job_that_is_not_there_is_404(api: APIClient, name: str) -> None:
    for action in ("", "cancel/", "retry/", "events/"):
        method = api.post if action in ("cancel/", "retry/") else api.get
        assert error(method(f"/api/jobs/{name}/{action}")) == (404, "not_found")


# -- lists -----------------------------------------------------------------------------------------------


def test_a_list_is_newest_first_and_ones_own(api: APIClient, ann: User) -> None:
    made = [str(make_job(owner_id=ann.pk).pk) for _ in range(3)]
    for age, job_id in enumerate(made):
        Job.objects.filter(pk=job_id).update(created_at=timezone.now() - timedelta(hours=age))
    make_job(owner_id=make_user().pk)
    make_job()
    assert listed(api) == made
    assert set(api.get("/api/jobs/").json()["results"][0]) >= SHAPE


def test_pages_give_every_job_once_though_many_are_of_the_same_instant(api: APIClient, ann: User) -> None:
    made = {str(make_job(owner_id=ann.pk).pk) for _ in range(13)}
    Job.objects.update(created_at=timezone.now())
    found: list[str] = []
    address, pages = "/api/jobs/?page_size=4", 0
    while address:
        page = api.get(address).json()
        found += [job["id"] for job in page["results"]]
        address, pages = page["next"], pages + 1
    assert (sorted(found), pages) == (sorted(made), 4)


def test_a_list_is_filtered_by_field_name(api: APIClient, ann: User) -> None:
    waiting = make_job(owner_id=ann.pk)
    running = make_claimed_job(owner_id=ann.pk, subject="videos.Video:12", queue="media")
    failed = make_claimed_job(owner_id=ann.pk, kind="tests.kinds.sleep")
    transitions.fail(failed, code="broken", message="No.")
    ids = [str(job.pk) for job in (waiting, running, failed)]
    assert listed(api, status="pending") == [ids[0]]
    assert sorted(listed(api, status=["failed", "processing"])) == sorted(ids[1:])
    assert listed(api, subject="videos.Video:12") == listed(api, queue="media") == [ids[1]]
    assert listed(api, kind="tests.kinds.sleep") == [ids[2]]
    assert listed(api, kind="tests.kinds.sleep", status="pending") == []
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    assert listed(api, created_after=tomorrow) == []
    assert len(listed(api, created_before=tomorrow)) == 3


@pytest.mark.parametrize(
    "filters",
    [
        {"status": "lost"},
        {"status": "\0"},
        {"kind": "\0"},
        {"subject": "a\0b"},
        {"created_after": "yesterday"},
        {"created_after": "2026-02-31T00:00:00Z"},
        {"created_after": "0001-01-01T00:00:00+14:00"},
        {"created_before": "9999-12-31T23:59:59-14:00"},
        {"created_before": "\0"},
    ],
    ids=str,
)
def test_a_filter_that_can_not_be_is_refused(api: APIClient, filters: dict[str, str]) -> None:
    assert error(api.get("/api/jobs/", filters)) == (400, "invalid")


@pytest.mark.parametrize(
    "said",
    [
        *("x", "%%%", "\0", "é", "a" * 5000),
        *(cursor("rubbish"), cursor("2026-99-99"), cursor("\0"), cursor("0001-01-01 00:00:00+14:00"), cursor("")),
        base64.b64encode(b"o=-1").decode(),
        base64.b64encode(b"o=" + b"9" * 5000).decode(),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
    ids=range(13),
)
def test_a_cursor_that_is_none_is_no_bug_of_ours(api: APIClient, ann: User, said: str) -> None:
    make_job(owner_id=ann.pk)
    for address in ("/api/jobs/", "/api/videos/"):
        answer = api.get(address, {"cursor": said})
        assert answer.status_code == 200 or error(answer) in ((404, "not_found"), (400, "invalid"))


@pytest.mark.parametrize("size", ["0", "-1", "x", "\0", "1e3", "9" * 5000, "99999999999"])
def test_a_page_size_that_is_none_gives_a_page_of_a_sane_size(api: APIClient, ann: User, size: str) -> None:
    make_job(owner_id=ann.pk)
    assert len(listed(api, page_size=size)) == 1


def test_a_page_holds_no_more_than_200(api: APIClient, ann: User) -> None:
    Job.objects.bulk_create(
        Job(kind="k", queue="q", owner=ann, turn=0, run_at=now, created_at=now, updated_at=now)
        for now in [timezone.now()] * 201
    )
    assert len(listed(api, page_size=10_000)) == 200


def test_a_list_costs_the_same_however_long_it_is(
    api: APIClient, ann: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        make_claimed_job(owner_id=ann.pk)
    with django_assert_max_num_queries(1) as asked:
        listed(api)
    assert "COUNT(" not in asked.captured_queries[0]["sql"]


# -- signing in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/api/jobs/", f"/api/jobs/{uuid.UUID(int=7)}/", "/api/jobs/events/", "/api/videos/"]
)
def test_without_a_sign_in_it_is_401_and_says_how(address: str) -> None:
    answer = APIClient().get(address)
    assert error(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_name_and_a_password_give_a_token_that_opens_the_api(ann: User) -> None:
    answer = APIClient().post("/api/auth/token/", {"username": "ann", "password": "secret"})
    assert answer.status_code == 200
    assert bearer(answer.json()["access"]).get("/api/jobs/").status_code == 200
    again = APIClient().post("/api/auth/token/refresh/", {"refresh": answer.json()["refresh"]})
    assert bearer(again.json()["access"]).get("/api/jobs/").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", "secret")])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(ann: User, name: str, password: str) -> None:
    answer = APIClient().post("/api/auth/token/", {"username": name, "password": password})
    assert error(answer) == (401, "authentication_failed")
    assert "No active account" in answer.json()["error"]["message"]


def test_an_access_token_that_has_expired_says_what_to_do(ann: User) -> None:
    token = AccessToken.for_user(ann)
    token.set_exp(lifetime=timedelta(seconds=-1))
    answer = bearer(token).get("/api/jobs/")
    assert error(answer) == (401, "token_invalid")
    assert "refresh token" in answer.json()["error"]["message"]


def test_a_refresh_token_that_has_expired_does_not_send_one_in_circles(ann: User) -> None:
    token = RefreshToken.for_user(ann)
    token.set_exp(lifetime=timedelta(seconds=-1))
    answer = APIClient().post("/api/auth/token/refresh/", {"refresh": str(token)})
    assert error(answer) == (401, "token_invalid")
    assert "with your refresh token" not in answer.json()["error"]["message"]


@pytest.mark.parametrize("said", ["Bearer", "Bearer a b", "Bearer nonsense", "Bearer a.b.c", "Bearer \xff"])
def test_a_header_that_is_no_token_is_401_in_words(said: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=said)
    assert error(client.get("/api/jobs/"))[0] == 401


def test_the_token_of_somebody_who_may_not_come_any_more_is_401_in_words(ann: User) -> None:
    access, refresh = AccessToken.for_user(ann), RefreshToken.for_user(ann)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert error(bearer(access).get("/api/jobs/"))[0] == 401
    assert error(APIClient().post("/api/auth/token/refresh/", {"refresh": str(refresh)}))[0] == 401
    ann.delete()
    assert error(bearer(access).get("/api/jobs/"))[0] == 401
    assert error(APIClient().post("/api/auth/token/refresh/", {"refresh": str(refresh)}))[0] == 401


def test_a_session_of_the_pages_opens_the_api_but_changes_nothing_without_the_csrf_token(ann: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.login(username="ann", password="secret")
    job = make_job(owner_id=ann.pk)
    assert client.get(f"/api/jobs/{job.pk}/").status_code == 200
    assert error(client.post(f"/api/jobs/{job.pk}/cancel/")) == (403, "permission_denied")
    assert Job.objects.get(pk=job.pk).status == "pending"


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_following_the_pages_gives_each_job_once(api: APIClient, ann: User, page_size: int) -> None:
    jobs = [make_job(owner_id=ann.pk) for _ in range(7)]
    address, seen = f"/api/jobs/?page_size={page_size}", list[str]()
    while address and len(seen) < 20:
        page = api.get(address).json()
        seen += [job["id"] for job in page["results"]]
        address = page["next"]
    assert seen == [str(job.pk) for job in sorted(jobs, key=lambda job: (job.created_at, job.pk), reverse=True)]


def test_a_time_that_is_a_jobs_own_is_not_before_it(api: APIClient, ann: User) -> None:
    job = make_job(owner_id=ann.pk)
    at = job.created_at.isoformat()
    assert len(listed(api, created_after=at)) == 1
    assert not listed(api, created_before=at)
