"""What users and operators do with batches."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.test import APIClient

from jobs import (
    journal,
)
from jobs.api import batch_serializers
from jobs.models import Batch, Job
from tests.builders import make_user
from tests.jobs.test_batches import (
    complete,
    even,
    fail,
    make_batch,
    members_of,
)


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ann)
    return client


# -- the API ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
class TestApi:
    """What users may do with batches."""

    def post(self, api: APIClient, **said: Any) -> Any:
        body = {"kind": even.name, "members": [{"kwargs": {"number": 2}}, {"kwargs": {"number": 4}}], **said}
        headers = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
        return api.post("/api/batches/", body, format="json", headers=headers)

    def test_a_batch_is_made_and_looked_at(self, api: APIClient, ann: User) -> None:
        answer = self.post(api, name="two", callback_url="https://93.184.216.34/told")
        assert answer.status_code == 202, answer.content
        said = answer.json()
        assert (said["batch_id"], said["total_tasks"], said["name"]) == (said["id"], 2, "two")
        looked = api.get(said["urls"]["self"]).json()
        assert (looked["percent"], looked["rounds"], looked["counts"]["pending"]) == (0, 0, 2)
        jobs = api.get(said["urls"]["jobs"]).json()["results"]
        assert {(job["kind"], job["status"], job["priority"]) for job in jobs} == {(even.name, "pending", 3)}
        batch = Batch.objects.get()
        assert (batch.owner, batch.callback_url) == (ann, "https://93.184.216.34/told")
        assert batch_serializers.render(batch)["id"] == said["id"]

    def test_the_same_key_gives_the_same_batch(self, api: APIClient) -> None:
        first = self.post(api, key="k").json()
        assert self.post(api, key="k").json()["id"] == first["id"]
        other = self.post(api, key="k", members=[{"kwargs": {"number": 6}}])
        assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
        assert Job.objects.count() == 2

    @pytest.mark.parametrize(
        ("said", "wanted"),
        [
            ({"kind": "tests.kinds.add"}, (403, "kind_not_allowed", None)),
            ({"kind": "no.such.kind"}, (403, "kind_not_allowed", None)),
            ({"kind": "tests.kinds.plain"}, (403, "kind_not_allowed", None)),
            ({"members": [{"kwargs": {"number": 2}}, {"kwargs": {}}]}, (422, "bad_member", 1)),
            ({"members": [{"kwargs": {"number": 2, "ctx": 1}}]}, (422, "bad_member", 0)),
            ({"members": [{"kwargs": {"number": "two"}}]}, (422, "bad_member", 0)),
            ({"members": [{"kwargs": [2]}]}, (422, "bad_member", 0)),
            ({"members": [2]}, (422, "bad_member", 0)),
            ({"members": [{"kwargs": {"number": 2}}, {"kwargs": {"number": 3}}]}, (403, "member_not_allowed", 1)),
            ({"members": []}, (400, "invalid", None)),
            ({"members": [{}] * 10_001}, (422, "batch_too_large", None)),
            ({"callback_url": "ftp://example.org/"}, (422, "url_refused", None)),
            ({"callback_url": "http://127.0.0.1/"}, (422, "url_refused", None)),
            ({"callback_url": "http://169.254.169.254/latest"}, (422, "url_refused", None)),
            ({"members": [{"kwargs": {"number": 2}}, {"kwargs": {"number": "4"}}]}, (422, "bad_member", 1)),
            ({"members": [{"number": 2}]}, (422, "bad_member", 0)),
            ({"on_failure": "explode"}, (400, "invalid", None)),
            ({"key": "k" * 256}, (400, "idempotency_key_too_long", None)),
        ],
        ids=[
            *("kind without may", "unknown kind", "plain task", "missing argument", "context", "wrong type"),
            *("kwargs no object", "member no object", "not theirs", "none", "too many", "no web address"),
            *("our own address", "the address of clouds", "a number as text", "no kwargs"),
            *("unknown policy", "long key"),
        ],
    )
    def test_what_can_not_be_is_refused(
        self, api: APIClient, said: dict[str, Any], wanted: tuple[int, str, int | None]
    ) -> None:
        answer = self.post(api, **said)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["details"].get("index")) == wanted, error
        assert not Batch.objects.exists()

    def test_a_user_sees_and_touches_only_what_is_theirs(self, api: APIClient) -> None:
        foreign = make_batch(1, owner_id=make_user().pk)
        address = f"/api/batches/{foreign.pk}/"
        assert api.get("/api/batches/").json()["results"] == []
        assert {api.get(address).status_code, api.get(f"{address}jobs/").status_code} == {404}
        assert {api.post(f"{address}{act}/").status_code for act in ("cancel", "retry-failed")} == {404}
        assert APIClient().get("/api/batches/").status_code == 401

    def test_the_list_has_filters(self, api: APIClient, ann: User) -> None:
        running, over = make_batch(1, owner_id=ann.pk, name="a"), make_batch(0, owner_id=ann.pk, name="b")

        def listed(**filters: str) -> list[str]:
            return [batch["id"] for batch in api.get("/api/batches/", filters).json()["results"]]

        assert listed() == [str(over.pk), str(running.pk)]
        assert (listed(ended="true"), listed(ended="false")) == ([str(over.pk)], [str(running.pk)])
        assert listed(name="a") == [str(running.pk)]

    def test_all_members_come_page_by_page_though_they_are_of_one_moment(self, api: APIClient, ann: User) -> None:
        batch = make_batch(1500, owner_id=ann.pk)
        complete(members_of(batch)[0])
        seen: list[str] = []
        address = f"/api/batches/{batch.pk}/jobs/?page_size=200&status=pending"
        while address:
            page = api.get(address).json()
            seen += [job["id"] for job in page["results"]]
            address = page["next"]
        assert len(seen) == len(set(seen)) == 1499
        assert api.get(f"/api/batches/{batch.pk}/jobs/?cursor=cD1ub25zZW5zZQ==").status_code == 404

    def test_cancel_and_retry_answer_with_the_batch(self, api: APIClient, ann: User) -> None:
        batch = make_batch(3, owner_id=ann.pk)
        address = f"/api/batches/{batch.pk}/"
        nothing = api.post(f"{address}retry-failed/")
        assert (nothing.status_code, nothing.json()["error"]["code"]) == (409, "nothing_to_retry")
        fail(members_of(batch)[0])
        cancelled = api.post(f"{address}cancel/")
        assert (cancelled.status_code, cancelled.json()["counts"]["cancelled"]) == (202, 2)
        again = api.post(f"{address}cancel/")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "batch_ended")
        assert api.post(f"{address}retry-failed/").json()["counts"]["pending"] == 1
        more = api.post(f"{address}retry-failed/", {"cancelled": True}, format="json")
        assert (more.status_code, more.json()["counts"]["pending"]) == (202, 3)


# -- the admin -------------------------------------------------------------------------------------------


@pytest.fixture
def operator() -> Client:
    user = make_user(is_staff=True)
    wanted = ["view_batch", "change_batch", "view_job"]
    user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *chosen: Batch) -> list[str]:
    """What the admin says after an action."""
    said = {"action": action, "_selected_action": [str(batch.pk) for batch in chosen]}
    answer = client.post("/admin/jobs/batch/", said, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.django_db
def test_an_operator_finds_a_batch_and_goes_to_its_jobs(operator: Client, ann: User) -> None:
    batch = make_batch(2, owner_id=ann.pk, name="<b>night</b>")
    make_batch(1, name="day")
    complete(members_of(batch)[0])
    journal.book_all()
    for term in (str(batch.pk), batch.name, "ann"):
        page = operator.get("/admin/jobs/batch/", {"q": term}).content.decode()
        assert "&lt;b&gt;night" in page
        assert "50 %" in page
        assert ">day<" not in page
    assert operator.get(f"/admin/jobs/batch/{batch.pk}/change/").status_code == 200
    jobs = operator.get("/admin/jobs/job/", {"batch__id__exact": str(batch.pk)})
    assert (jobs.status_code, jobs.context["cl"].result_count) == (200, 2)


@pytest.mark.django_db
def test_an_operator_cancels_and_retries_batches(operator: Client) -> None:
    batch, over = make_batch(2), make_batch(0)
    fail(members_of(batch)[0])
    assert act(operator, "cancel", batch, over) == [
        "1 batch was changed.",
        f"{str(over.pk)[:8]}: All jobs of the batch have ended already, so there is nothing to cancel.",
    ]
    assert act(operator, "retry_failed", batch) == ["1 batch was changed."]
    assert sorted(job.status for job in members_of(batch)) == ["cancelled", "pending"]
