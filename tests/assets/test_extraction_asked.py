"""Extractions that are asked for twice, at once, or in words that make no sense: one answer, and nobody in a circle."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from assets import batches, episodes, reading, tasks
from assets.episodes import Source
from assets.errors import EpisodeAnalysing
from assets.models import Appearance, Episode
from jobs.models import Job, Period, QuotaLimit
from jobs.testing import run
from tests.assets.builders import make_asset, make_episode, make_project
from tests.assets.model_server import ModelServer, character, empty, scene
from tests.assets.test_batches import finish
from tests.videos.test_media import begin, merge, put, signed_in
from tests.videos.test_videos_api import code
from videos.models import Project, Upload
from videos.uploads import sessions

pytestmark = pytest.mark.django_db

LISTS = [
    *(("assets", "project"), ("assets", "episode"), ("assets", "merged_into"), ("assets/likenesses", "project")),
    *(("assets/merges", "project"), ("assets/merges", "kept"), ("extraction-reports", "project")),
    *(("episodes", "project"), ("episodes", "number")),
]


@pytest.mark.parametrize(("path", "name"), LISTS)
@pytest.mark.parametrize("value", ["-1", "-1e30", "1e1000000", "1e1", "0.5", "9" * 5000, "nan", "\0"])
def test_a_number_that_is_none_is_refused_at_once(api: APIClient, path: str, name: str, value: str) -> None:
    assert code(api.get(f"/api/{path}/", {name: value})) == (400, "invalid")


def test_the_same_key_gives_the_same_job_whatever_was_asked_while_another_worked(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    address = f"/api/episodes/{make_episode(project).pk}/extract/"

    def ask(key: str, **said: Any) -> Any:
        return api.post(address, said, headers={"Idempotency-Key": key})

    first = api.post(address, {}).json()["id"]
    for _ in range(2):
        assert ask("a", force=True).json()["id"] == ask("b", model="offline").json()["id"] == first
    run(first)
    assert ask("a", force=True).json()["id"] == first
    other = f"/api/episodes/{make_episode(project).pk}/extract/"
    assert code(api.post(other, {}, headers={"Idempotency-Key": "a"})) == (409, "idempotency_key_reused")


def test_a_key_of_a_batch_stands_for_what_was_asked(api: APIClient, ann: User) -> None:
    project, other = make_project(ann), make_project(ann)
    ids = [make_episode(project).pk for _ in range(2)]
    make_episode(other)

    def ask(of: Project, **said: Any) -> Any:
        return api.post(f"/api/projects/{of.pk}/episodes/extract/", said, headers={"Idempotency-Key": "k"})

    first = ask(project, episodes=ids).json()["report"]["id"]
    assert ask(project, episodes=[*reversed(ids), ids[0]]).json()["report"]["id"] == first
    for of, said in (
        (project, {}),
        (project, {"episodes": ids[:1]}),
        (project, {"episodes": ids, "force": True}),
        (project, {"episodes": ids, "model": "offline"}),
        (other, {}),
    ):
        assert code(ask(of, **said)) == (409, "idempotency_key_reused"), said


def test_of_two_equal_requests_at_once_the_later_has_the_report_of_the_first(
    api: APIClient, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(ann)
    make_episode(project)
    address, key = f"/api/projects/{project.pk}/episodes/extract/", {"Idempotency-Key": "k"}
    first = api.post(address, {}, headers=key).json()
    known, seen = batches._known, []

    def late(*asked: Any) -> Any:
        """It looks before the first is there, and chooses after."""
        seen.append(asked)
        return None if len(seen) == 1 else known(*asked)

    monkeypatch.setattr(batches, "_known", late)
    assert api.post(address, {}, headers=key).json()["report"]["id"] == first["report"]["id"]
    assert len(seen) == 2


def test_a_job_that_was_asked_for_while_another_worked_is_the_episodes_once_it_begins(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = make_episode(make_project(ann))
    first = tasks.start(episode.pk)
    report = batches.start([episode], owner_id=ann.pk, force=True)
    second = Job.objects.get(batch=report.batch)
    run(first)
    read, seen = reading.read, []

    def meanwhile(*given: Any, **named: Any) -> Any:
        found = read(*given, **named)
        now = Episode.objects.select_related("job").get(pk=episode.pk)
        with pytest.raises(EpisodeAnalysing):
            episodes.change(now, source=Source(content="INT. OTHER - DAY\n\nZOE\nHello.\n"))
        seen.append((now.status, now.job_id, tasks.start(episode.pk, force=True).pk))
        return found

    monkeypatch.setattr(reading, "read", meanwhile)
    assert run(second).status == "completed"
    assert seen == [("analysing", second.pk, second.pk)]
    assert set(Appearance.objects.values_list("asset__name", flat=True)) >= {"SARAH", "TOM"}


def test_a_quota_on_comparing_costs_nothing_that_was_found(ann: User) -> None:
    project = make_project(ann)
    QuotaLimit.objects.create(kind="assets.tasks.deduplicate_assets", tier="pro", period=Period.HOUR, limit=0)
    QuotaLimit.objects.create(kind="assets.tasks.deduplicate_assets", tier="free", period=Period.HOUR, limit=0)
    job = run(tasks.start(make_episode(project).pk))
    assert job.status == "completed", job.error_message
    assert Job.objects.filter(kind="assets.tasks.deduplicate_assets", status="pending").exists()


@pytest.mark.parametrize("model", ["openai:\ud800", "openai:\0", ["offline", "openai:\ud800"]])
def test_a_model_that_no_database_takes_is_refused(model: Any, api: APIClient, ann: User) -> None:
    project = make_project(ann)
    episode = make_episode(project)
    for path in (f"projects/{project.pk}/episodes/extract", f"episodes/{episode.pk}/extract"):
        answer = api.post(f"/api/{path}/", json.dumps({"model": model}), content_type="application/json")
        assert code(answer)[0] in (400, 422)


@pytest.mark.parametrize("ids", [[2**70], [1e300], [True], ["1"], [None], 7, {"a": 1}, [[1]]])
def test_ids_that_are_none_are_refused_in_a_batch_of_batches(api: APIClient, ids: Any) -> None:
    said = {"kind": "assets.tasks.extract_multiple_episodes", "members": [{"kwargs": {"episode_ids": ids}}]}
    assert code(api.post("/api/batches/", said))[0] in (400, 403, 422)


def test_whole_numbers_may_be_written_with_a_point(model: ModelServer) -> None:
    model.answers = [empty(scenes=[scene("KITCHEN", first_line=1.0)], characters=[character("SARAH", scenes=[0.0])])]
    job = run(tasks.start(make_episode().pk, model="openai:small"))
    assert job.status == "completed", job.error_message
    assert Appearance.objects.get(asset__name="SARAH").scene_index == 0


def test_a_project_that_is_deleted_keeps_no_report_of_others_back(ann: User) -> None:
    gone, other = make_project(ann), make_project(ann)
    both = [make_episode(gone), make_episode(other)]
    report = batches.start(both, owner_id=ann.pk)
    for job in Job.objects.filter(batch=report.batch):
        run(job)
    Project.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    assert finish(report.batch_id).finished_at is not None


def test_a_script_can_be_taken_away(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    told = api.patch(f"/api/episodes/{episode.pk}/", {"script": ""}).json()
    assert (told["script"], told["length"], told["script_format"]) == ("", 0, "")
    assert code(api.post(f"/api/episodes/{episode.pk}/extract/", {})) == (422, "script_empty")


@pytest.mark.django_db(transaction=True)
def test_a_script_is_read_before_anybody_has_to_wait_for_it(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    api, project = signed_in(ann), make_project(ann)
    data = b"INT. ROOM - DAY\n\nANN\nHello.\n"
    upload = begin(api, data, "script").json()
    put(api, upload, 0, data)
    consume, held = sessions.consume, []

    def watched(upload: Upload, read: Any, make: Any, **more: Any) -> Any:
        def reading(content: bytes) -> Any:
            held.append(connection.in_atomic_block)
            found = read(content)
            assert {"script", "episodes"} <= set(vars(found))
            return found

        return consume(upload, reading, make, **more)

    monkeypatch.setattr(sessions, "consume", watched)
    assert merge(api, upload, project=project.pk).status_code == 202
    assert held == [False]


def test_whoever_locks_a_quota_has_locked_the_project_before(ann: User) -> None:
    """Else one who asks for an episode and one who asks for all of them wait for each other."""
    project = make_project(ann)
    make_asset(project, "SARAH")
    one, other, third = (make_episode(project) for _ in range(3))
    acts = (
        lambda: tasks.start(one.pk),
        lambda: batches.start([other], owner_id=ann.pk),
        lambda: tasks.extract_assets.delay(third.pk),
    )
    for act in acts:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            act()
        said = [query["sql"] for query in caught.captured_queries]
        quota = next(place for place, sql in enumerate(said) if "INTO jobs_quotause" in sql)
        later = [sql for sql in said[quota + 1 :] if "videos_project" in sql or "assets_episode" in sql]
        assert later == []
        assert any("videos_project" in sql for sql in said[:quota])
