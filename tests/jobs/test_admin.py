"""The operator's view: finds, shows, acts, tells what it refused, and stays quick."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from jobs import schedule, transitions
from jobs.models import Job
from jobs.now import Now
from jobs.worker import heartbeat
from tests.builders import make_claimed_job, make_job, make_user
from videos.models import Video

pytestmark = pytest.mark.django_db

JOBS = "/admin/jobs/job/"
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


def shown(client: Client, address: str = JOBS, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, (address, query)
    return answer.content.decode()


def act(client: Client, action: str, *jobs: Job) -> list[str]:
    """What the admin says after an action."""
    said = {"action": action, "_selected_action": [str(job.pk) for job in jobs]}
    answer = client.post(JOBS, said, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def status(job: Job) -> str:
    return Job.objects.get(pk=job.pk).status


def test_a_job_is_found_by_what_an_operator_knows_of_it(root: Client) -> None:
    ann = make_user("ann")
    job = make_job(owner_id=ann.pk, subject="videos.Video:12", kind="videos.tasks.process_video")
    other = make_job(kind="other.kind")
    transitions.refuse(job, code="too_late", message="Too late.")
    for term in (str(job.pk), job.pk.hex, f" {job.pk} ", job.subject, job.kind, "ann", "too_late"):
        text = shown(root, q=term)
        assert str(job.pk) in text, term
        assert str(other.pk) not in text, term
    shown(root, q="\0")
    for term in ("nonsense", "x" * 3000, "%", "'"):
        assert str(job.pk) not in shown(root, q=term)


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": "failed"},
        {"queue": "media"},
        {"level": "7"},
        {"level": "x"},
        {"created_at__gte": "2020-01-01 00:00:00+00:00"},
        {"o": "1.-2.3"},
        {"p": "1"},
        {"all": ""},
    ],
    ids=str,
)
def test_lists_are_filtered_and_sorted(root: Client, query: dict[str, str]) -> None:
    make_job()
    shown(root, **query)


def test_a_list_of_thirty_times_as_many_costs_no_more_queries_and_counts_no_table(root: Client) -> None:
    def fill(count: int) -> None:
        now = timezone.now()
        owners = [make_user() for _ in range(2)]
        Job.objects.bulk_create(
            Job(
                kind=f"k{n % 7}",
                queue="media",
                owner=owners[n % 2],
                turn=n,
                run_at=now,
                created_at=now,
                updated_at=now,
            )
            for n in range(count)
        )

    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as told:
            shown(root)
        return [query["sql"] for query in told if "jobs_job" in query["sql"]]

    fill(10)
    few = asked()
    fill(290)
    many = asked()
    assert len(few) == len(many)
    for sql in many:
        assert "DISTINCT" not in sql, "a filter that reads the whole table for its choices"
        assert "COUNT(" not in sql or "LIMIT 300" in sql, sql
        assert "canvas" not in sql
        assert "COUNT(" in sql or "LIMIT" in sql, sql


def test_retry_and_cancel_act_on_what_they_can_and_name_what_they_refuse(root: Client) -> None:
    failed, waiting, running = make_claimed_job(), make_job(), make_claimed_job()
    transitions.fail(failed, code="broken", message="No.")
    said = act(root, "retry", failed, waiting)
    assert said[0] == "1 job was changed."
    assert said[1] == f"{str(waiting.pk)[:8]}: Only a job that failed or was cancelled can be retried."
    assert status(failed) == "pending"
    assert act(root, "cancel", failed, waiting, running) == ["3 jobs were changed."]
    assert {status(job) for job in (failed, waiting, running)} == {"cancelled"}
    said = act(root, "cancel", running)
    assert said == [f"{str(running.pk)[:8]}: The job has ended already, so there is nothing to cancel."]
    assert Job.objects.get(pk=failed.pk).transitions.get(before="failed").reason == "retried by root"


def test_a_priority_is_given_to_jobs_that_wait_and_refused_for_others(root: Client) -> None:
    waiting, done = make_job(), make_claimed_job()
    transitions.complete(done, None)
    for action, priority in (("make_critical", 10), ("make_high", 7), ("make_low", 3), ("make_normal", 5)):
        assert act(root, action, waiting) == ["1 job was changed."]
        assert Job.objects.get(pk=waiting.pk).priority == priority
    said = act(root, "make_high", done)
    assert len(said) == 1
    assert said[0].startswith(f"{str(done.pk)[:8]}: "), said
    assert Job.objects.get(pk=done.pk).priority == 5


def test_who_may_only_look_can_not_act() -> None:
    job = make_job()
    viewer = staff("view_job")
    assert str(job.pk) in shown(viewer)
    assert 'value="cancel"' not in shown(viewer)
    act(viewer, "cancel", job)
    act(viewer, "make_critical", job)
    assert (status(job), Job.objects.get(pk=job.pk).priority) == ("pending", 5)
    operator = staff("view_job", "change_job")
    assert act(operator, "cancel", job) == ["1 job was changed."]
    for client in (staff(), staff("view_video")):
        assert client.get(JOBS).status_code == 403
    assert Client().get(JOBS).status_code == 302


def test_nobody_adds_edits_or_deletes_a_row_by_hand(root: Client) -> None:
    job = make_job()
    page = f"{JOBS}{job.pk}/change/"
    assert root.get(f"{JOBS}add/").status_code == 403
    assert root.post(page, {"status": "completed"}).status_code == 403
    assert root.post(f"{JOBS}{job.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in shown(root)
    assert status(job) == "pending"


def test_a_jobs_page_shows_its_attempts_and_runs_nothing_of_what_they_said(root: Client) -> None:
    owner = make_user(EVIL)
    job = make_claimed_job(owner_id=owner.pk, args=(EVIL,), subject=EVIL)
    transitions.renew(job, lease=timedelta(minutes=1), current=1, total=2, message=f'"{EVIL}')
    text = shown(root) + shown(root, f"{JOBS}{job.pk}/change/")
    transitions.fail(
        job, code="broken", message=f"said {EVIL}", traceback=f"Traceback {EVIL}", log_tail=f"a line of the log {EVIL}"
    )
    text += shown(root) + shown(root, f"{JOBS}{job.pk}/change/")
    assert "Traceback &lt;script&gt;" in text
    assert "a line of the log &lt;script&gt;" in text
    assert "said &lt;script&gt;" in text
    assert EVIL not in text


def test_every_page_of_the_admin_opens(root: Client) -> None:
    user = User.objects.get(username="root")
    job = make_claimed_job(owner_id=user.pk)
    transitions.complete(job, {"sum": 3})
    schedule.install()
    heartbeat("w@host", queues=["media"], concurrency=2)
    video = user.videos.create(title=EVIL, source="s", source_size=1, job=job, folder="f", playlist="p")
    video.renditions.create(name="360p", width=1, height=1, file="f", bytes=1, bandwidth=1, codecs="c")
    medium = user.mediums.create(title=EVIL, kind="still", source="s", source_size=1, job=job)
    upload = user.uploads.create(file_name=EVIL, file_size=10, chunk_size=5, touched_at=Now())
    upload.chunks.create(index=0)
    rows: list[Any] = [
        *(job, video, medium, upload, PeriodicTask.objects.all()[0], TaskResult.objects.get(), user),
        job._meta.apps.get_model("jobs", "Worker").objects.first(),
    ]
    shown(root, "/admin/")
    for row in rows:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        text = shown(root, reverse(f"{name}_changelist")) + shown(root, reverse(f"{name}_change", args=[row.pk]))
        assert EVIL not in text, name
    assert "50 %" in shown(root, reverse("admin:videos_upload_changelist"))


def test_deleting_and_restoring_videos_is_an_action_and_a_row_is_never_deleted(root: Client) -> None:
    video = User.objects.get(username="root").videos.create(title="clip", source="s", source_size=1)
    page = reverse("admin:videos_video_changelist")

    def after(action: str) -> Video:
        root.post(page, {"action": action, "_selected_action": [video.pk]})
        return Video.objects.get(pk=video.pk)

    assert after("delete_for_a_while").deleted_at
    assert after("restore").deleted_at is None
    assert after("process_again").job == after("process_again").job == Job.objects.get()
    assert Job.objects.count() == 1
    assert root.post(reverse("admin:videos_video_delete", args=[video.pk]), {"post": "yes"}).status_code == 403


def test_lists_of_videos_and_uploads_cost_the_same_however_long_they_are(root: Client) -> None:
    user = User.objects.get(username="root")

    def fill(count: int) -> None:
        for n in range(count):
            user.videos.create(title=f"{n}", source="s", source_size=1, job=make_job())
            user.uploads.create(file_name="f", file_size=10, chunk_size=5, touched_at=Now())

    def cost(page: str) -> int:
        with CaptureQueriesContext(connection) as told:
            shown(root, reverse(page))
        return len(told)

    pages = ("admin:videos_video_changelist", "admin:videos_upload_changelist")
    fill(2)
    few = [cost(page) for page in pages]
    fill(20)
    assert [cost(page) for page in pages] == few
