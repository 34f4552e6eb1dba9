"""The operator's dashboard: who may look, what it tells, and a queue that is paused from it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from jobs.models import Queue
from jobs.worker import heartbeat
from tests.builders import make_claimed_job, make_job, make_user

pytestmark = pytest.mark.django_db

PAGE = "/admin/jobs/job/dashboard/"
DATA = f"{PAGE}data/"
QUEUE = f"{PAGE}queue/"
EVIL = "<script>alert('x')</script>"


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


def told(client: Client, **query: str) -> Any:
    answer = client.get(DATA, query)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer.json()


def is_paused(queue: str) -> bool:
    return Queue.objects.filter(name=queue, paused=True).exists()


def test_the_page_has_its_address_and_runs_no_script_of_its_own_and_none_of_others(root: Client) -> None:
    assert reverse("admin:jobs_dashboard") == PAGE
    answer = root.get(PAGE)
    assert answer.status_code == 200
    text = answer.content.decode()
    scripts = re.findall(r"<script([^>]*)>", text)
    assert all("src=" in script or "application/json" in script for script in scripts), scripts
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", text) == []
    assert re.findall(r"\son\w+=|\sstyle=", text) == []


def test_the_numbers_are_of_now(root: Client) -> None:
    heartbeat("w", queues=["maintenance"], concurrency=2)
    running = make_claimed_job(subject=EVIL)
    make_job()
    report = told(root)
    assert (report["status"]["pending"], report["status"]["processing"]) == (1, 1)
    [worker] = report["workers"]
    assert worker["running"][0]["job_id"] == str(running.pk)
    assert worker["running"][0]["subject"] == EVIL


@pytest.mark.parametrize(("asked", "hours"), [("6", 6), ("168", 168), ("", 24), ("7", 24), ("x", 24), ("99999", 24)])
def test_it_looks_back_as_far_as_it_offers(root: Client, asked: str, hours: int) -> None:
    assert len(told(root, hours=asked)["hourly"]) == hours


def test_numbers_cost_the_same_however_many_jobs_there_are(root: Client) -> None:
    costs = []
    for jobs in (1, 30):
        for _ in range(jobs):
            make_claimed_job()
        told(root)
        with CaptureQueriesContext(connection) as queries:
            told(root)
        costs.append(len(queries))
        assert not [query for query in queries if "COUNT(" in query["sql"].upper()]
    assert costs[0] == costs[1]


def test_a_queue_is_paused_and_resumed(root: Client) -> None:
    assert root.post(QUEUE, {"queue": "ai", "paused": "yes"}).json() == {"paused": True}
    assert is_paused("ai")
    assert [queue["name"] for queue in told(root)["queues"] if queue["paused"]] == ["ai"]
    assert root.post(QUEUE, {"queue": "ai", "paused": "no"}).json() == {"paused": False}
    assert not is_paused("ai")


def test_a_queue_that_there_is_not_is_refused(root: Client) -> None:
    answer = root.post(QUEUE, {"queue": "nonsense", "paused": "yes"})
    assert answer.status_code >= 400
    assert answer.json()["error"]["message"]
    assert not Queue.objects.exists()


def test_who_may_look_at_jobs_may_look_and_not_pause() -> None:
    client = staff("view_job")
    answer = client.get(PAGE)
    assert answer.context["settings"]["may_pause"] is False
    assert client.get(DATA).status_code == 200
    assert client.post(QUEUE, {"queue": "ai", "paused": "yes"}).status_code == 403
    assert not is_paused("ai")


def test_who_may_change_queues_may_pause() -> None:
    client = staff("view_job", "change_queue")
    assert client.get(PAGE).context["settings"]["may_pause"] is True
    assert client.post(QUEUE, {"queue": "ai", "paused": "yes"}).status_code == 200
    assert is_paused("ai")


@pytest.mark.parametrize("address", [PAGE, DATA])
def test_who_may_not_look_at_jobs_sees_nothing(address: str) -> None:
    assert staff("change_queue").get(address).status_code == 403
    assert Client().get(address).status_code == 302
    assert staff("change_queue").post(QUEUE, {"queue": "ai", "paused": "yes"}).status_code == 403


def test_a_queue_is_not_paused_by_a_link_nor_by_another_site(root: Client) -> None:
    assert root.get(QUEUE, {"queue": "ai", "paused": "yes"}).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = root.cookies
    assert strict.post(QUEUE, {"queue": "ai", "paused": "yes"}).status_code == 403
    assert not is_paused("ai")


def test_every_text_that_the_script_says_is_on_the_page(root: Client) -> None:
    folder = Path(settings.BASE_DIR) / "static/js"
    source = "".join(path.read_text() for path in sorted(folder.glob("dashboard*.js")))
    units = re.findall(r'say\([^"]*"(\w+)"\)', source)
    said = set(re.findall(r"texts\.(\w+)", source)) | set(units)
    page = root.get(PAGE).content.decode()
    there = {re.sub(r"-(\w)", lambda m: m[1].upper(), name) for name in re.findall(r"data-([\w-]+)=", page)}
    assert len(units) == 6
    assert said - there == set()


def test_the_page_speaks_the_operators_language(root: Client) -> None:
    with translation.override("zh-hans"):
        answer = root.get(PAGE, headers={"Accept-Language": "zh-hans"})
    assert 'lang="zh-hans"' in answer.content.decode()


@pytest.mark.parametrize("address", ["/admin/jobs/", "/admin/jobs/job/"])
def test_the_admin_leads_to_it(root: Client, address: str) -> None:
    assert f'href="{PAGE}"' in root.get(address).content.decode()


@pytest.mark.parametrize("address", ["/admin/jobs/", "/admin/jobs/job/"])
def test_the_admin_leads_only_those_to_it_who_may_look(address: str) -> None:
    answer = staff("view_worker").get(address)
    assert f'href="{PAGE}"' not in answer.content.decode()


def test_what_the_script_must_know_is_json(root: Client) -> None:
    page = root.get(PAGE).content.decode()
    found = re.search(r'<script id="settings" type="application/json">(.*?)</script>', page)
    assert found
    known = json.loads(found[1])
    assert known["refresh_seconds"] == 2
    for name in ("data", "jobs", "letters"):
        assert root.get(known["urls"][name]).status_code == 200
    job = make_job()
    assert root.get(known["urls"]["job"].replace(known["no_job"], str(job.pk))).status_code == 200
