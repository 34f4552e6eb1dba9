"""Several episodes extracted as one batch: in parallel, with one report at the end."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from assets import batches, tasks
from assets.models import Asset, Episode, ExtractionReport
from jobs import batches as engine
from jobs import control, journal
from jobs.models import Batch, Job
from jobs.testing import run
from tests.assets.builders import make_asset, make_episode, make_project
from tests.builders import make_user
from tests.videos.test_videos_api import code

pytestmark = pytest.mark.django_db


def members(batch_id: Any) -> list[Job]:
    return list(Job.objects.filter(batch_id=batch_id).order_by("created_at", "pk"))


def finish(batch_id: Any) -> ExtractionReport:
    """Have all members run, and the report written."""
    for job in members(batch_id):
        if job.status in ("pending", "retrying"):
            run(job)
    journal.book_all()
    for job in Job.objects.filter(kind=tasks.finalize_batch_extraction.name, status="pending"):
        assert run(job).status == "completed", Job.objects.get(pk=job.pk).error_message
    return ExtractionReport.objects.get(batch_id=batch_id)


def test_twenty_episodes_of_which_three_fail_have_one_report_and_the_rest_is_done(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    for number in range(1, 21):
        name = f"{chr(64 + number)}ORIN"
        script = f"INT. HALL - DAY\n\nSARAH\nHello.\n\n{name}\nHello.\n"
        make_episode(project, title=f"part {number}", script=script if number not in (4, 17) else " \n ")
    Episode.objects.filter(number=9).update(extracted_at="2026-01-01T00:00Z")  # by nobody now
    ids = list(project.episodes.values_list("pk", flat=True))
    asked = api.post(f"/api/projects/{project.pk}/episodes/extract/", {"episodes": ids}, format="json")
    assert asked.status_code == 202, asked.content
    batch = asked.json()["batch"]
    assert (batch["total"], asked.json()["report"]["finished_at"]) == (20, None)
    finish(batch["id"])
    told = api.get(asked.json()["report"]["urls"]["self"]).json()
    assert told["finished_at"] is not None
    assert told["counts"]["episodes"] == {"total": 20, "completed": 17, "failed": 3, "cancelled": 0}
    assert told["counts"]["characters"] == {"found": 18, "new": 18, "merged": 0}
    assert told["counts"]["scenes"] == {"found": 1, "new": 1, "merged": 0}
    failed = [(one["number"], one["title"], one["code"]) for one in told["failures"]]
    assert failed == [
        (4, "part 4", "script_empty"),
        (9, "part 9", "already_extracted"),
        (17, "part 17", "script_empty"),
    ]
    assert Asset.objects.get(name="SARAH").appearances.count() == 17
    assert [one["id"] for one in api.get("/api/extraction-reports/", {"project": project.pk}).json()["results"]] == [
        told["id"]
    ]


def test_without_a_choice_all_that_are_not_extracted_are(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    done, _busy, empty, open_ = (make_episode(project, script=text) for text in ("INT. A - DAY\n", "B", "", "C"))
    run(tasks.start(done.pk))
    tasks.start(_busy.pk)
    address = f"/api/projects/{project.pk}/episodes/extract/"
    first = api.post(address)
    assert first.json()["report"]["episodes"] == [open_.pk]
    assert code(api.post(address)) == (422, "episodes_none")
    assert api.post(address, {"force": True}, format="json").json()["report"]["episodes"] == [done.pk]
    assert empty.status == "pending"


def test_a_batch_that_is_asked_for_twice_with_one_key_is_one(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    make_episode(project)
    address = f"/api/projects/{project.pk}/episodes/extract/"
    first = api.post(address, headers={"Idempotency-Key": "k"}).json()
    again = api.post(address, headers={"Idempotency-Key": "k"}).json()
    assert (again["batch"]["id"], again["report"]["id"]) == (first["batch"]["id"], first["report"]["id"])
    other = api.post(address, {"episodes": [10**6]}, format="json", headers={"Idempotency-Key": "k"})
    assert code(other) == (409, "idempotency_key_reused")
    assert (Batch.objects.count(), ExtractionReport.objects.count()) == (1, 1)


def test_a_member_that_is_retried_by_hand_has_the_report_written_again(ann: User) -> None:
    project = make_project(ann)
    good, bad = make_episode(project), make_episode(project, script=" ")
    report = batches.start([good, bad], owner_id=ann.pk)
    assert report.batch is not None
    assert finish(report.batch_id).counts["episodes"]["failed"] == 1
    Episode.objects.filter(pk=bad.pk).update(script="INT. B - DAY\n\nMIA\nYes.\n")
    engine.retry_failed(report.batch, by="ann")
    after = finish(report.batch_id)
    assert (after.rounds, after.failures) == (2, [])
    assert after.counts["episodes"] == {"total": 2, "completed": 2, "failed": 0, "cancelled": 0}
    assert after.counts["characters"]["found"] == 3


def test_new_ones_that_prove_to_be_others_are_counted_as_merged(ann: User) -> None:
    project = make_project(ann)
    kept = make_asset(project, "Dr. Sarah Chen")
    report = batches.start([make_episode(project)], owner_id=ann.pk)
    (member,) = members(report.batch_id)
    run(member)
    Asset.objects.filter(name="SARAH").update(merged_into=kept)
    assert finish(report.batch_id).counts["characters"] == {"found": 2, "new": 2, "merged": 1}


def test_a_cancelled_batch_says_so_in_its_report(ann: User) -> None:
    report = batches.start([make_episode(make_project(ann))], owner_id=ann.pk)
    assert report.batch is not None
    engine.cancel(report.batch, by="ann")
    written = finish(report.batch_id)
    assert written.counts["episodes"]["cancelled"] == 1
    assert [(one["status"], one["code"]) for one in written.failures] == [("cancelled", "cancelled")]


def test_the_kind_makes_a_batch_once_with_its_end(ann: User) -> None:
    episodes = [make_episode(make_project(ann)) for _ in range(2)]
    ids = [episode.pk for episode in episodes]
    job = run(tasks.extract_multiple_episodes.delay([*ids, ids[0]], "offline"))
    assert job.status == "completed", job.error_message
    batch = Batch.objects.get()
    assert job.result == {
        "batch_id": str(batch.pk),
        "total_tasks": 2,
        "report_id": ExtractionReport.objects.get().pk,
    }
    assert (batch.owner, batch.total) == (ann, 2)
    assert [member.priority for member in members(batch.pk)] == [3, 3]
    assert finish(batch.pk).project is None  # they are of two
    refused = run(tasks.extract_multiple_episodes.delay([10**9]))
    assert (refused.status, refused.error_code) == ("failed", "episodes_unknown")


@pytest.mark.parametrize(
    "body",
    [
        {"episodes": []},
        {"episodes": "all"},
        {"episodes": [0]},
        {"episodes": [2**80]},
        {"episodes": ["x"]},
        {"episodes": list(range(1, 1002))},
        {"force": 7},
    ],
    ids=lambda body: str(body)[:30],
)
def test_what_makes_no_sense_is_refused(api: APIClient, ann: User, body: Any) -> None:
    project = make_project(ann)
    make_episode(project)
    assert code(api.post(f"/api/projects/{project.pk}/episodes/extract/", body, format="json")) == (400, "invalid")


def test_episodes_of_others_are_unknown_and_their_reports_not_shown(api: APIClient, ann: User) -> None:
    other = make_episode(make_project(make_user()))
    project = make_project(ann)
    refused = api.post(f"/api/projects/{project.pk}/episodes/extract/", {"episodes": [other.pk]}, format="json")
    assert code(refused) == (422, "episodes_unknown")
    report = batches.start([other], owner_id=other.project.owner_id)
    assert code(api.get(f"/api/extraction-reports/{report.pk}/")) == (404, "not_found")
    assert api.get("/api/extraction-reports/").json()["results"] == []


def test_a_project_that_is_deleted_takes_its_report_along(ann: User) -> None:
    episode = make_episode(make_project(ann))
    report = batches.start([episode], owner_id=ann.pk)
    for job in members(report.batch_id):
        control.cancel(job, by="ann")
    episode.project.delete()
    journal.book_all()
    job = run(Job.objects.get(kind=tasks.finalize_batch_extraction.name))
    assert (job.status, job.result) == ("completed", {"report_id": None})
