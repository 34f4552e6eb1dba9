"""From a script to assets, by the built-in reader: saved with the job's end, refused twice, forced again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from assets import deduplication, errors, reading, saving, tasks
from assets.models import Appearance, Asset, Episode, Extracted, Extraction
from jobs import control, transitions
from jobs.models import Job
from jobs.testing import Clock, assert_enqueued, run
from tests.assets.builders import SCRIPT, make_asset, make_episode, make_project
from tests.builders import claim, make_user
from tests.videos.test_videos_api import code

pytestmark = pytest.mark.django_db


def names_of(project: Any, kind: str) -> list[str]:
    return sorted(Asset.objects.filter(project=project, kind=kind, merged_into=None).values_list("name", flat=True))


def extract(episode: Episode, **said: Any) -> Job:
    return run(tasks.start(episode.pk, **said))


def test_an_episode_becomes_characters_and_scenes_with_the_places_where_they_appear() -> None:
    episode = make_episode()
    job = extract(episode)
    assert job.status == "completed", job.error_message
    assert (job.current, job.total, job.owner_id) == (5, 5, episode.project.owner_id)
    assert job.subject == f"assets.Episode:{episode.pk}"
    result: Any = job.result
    found = result["extracted_assets"]
    assert [one["name"] for one in found["characters"]] == ["SARAH", "TOM"]
    assert result["episode_id"] == episode.pk
    assert (result["total"]["characters"], result["total"]["scenes"]) == (2, 2)
    sarah = Asset.objects.get(pk=found["characters"][0]["id"])
    assert (sarah.project_id, sarah.kind, sarah.normal) == (episode.project_id, "character", "sarah")
    spoken = list(sarah.appearances.values_list("scene_index", "first_line", "lines"))
    assert spoken == [(0, 5, 1), (1, 16, 1)]
    kitchen, street = Asset.objects.filter(kind="scene").order_by("pk")
    assert (kitchen.time, kitchen.place, street.time, street.place) == ("day", "inside", "night", "outside")
    episode = Episode.objects.get()
    assert (episode.status, episode.job_id) == ("completed", job.pk)
    assert episode.extracted_at is not None


def test_an_extraction_is_recorded_with_each_finding_and_the_asset_that_it_became(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    job = extract(episode)
    listed = api.get(f"/api/episodes/{episode.pk}/extractions/").json()["results"]
    assert [(one["status"], one["model"], one["job"]) for one in listed] == [("completed", "offline", str(job.pk))]
    assert listed[0]["counts"]["characters"] == {"found": 2, "new": 2}
    told = api.get(f"/api/episodes/{episode.pk}/extractions/{listed[0]['id']}/").json()
    sarah = next(one for one in told["findings"] if one["name"] == "SARAH")
    assert Asset.objects.get(pk=sarah["asset"]).name == "SARAH"
    assert (sarah["first_line"], sarah["new"], 0 < sarah["confidence"] <= 1) == (5, True, True)
    assert len(sarah["payload"]["spots"]) == 2
    assert (told["answers"], told["error"]) == ([], None)


def test_the_same_character_in_two_episodes_is_one_asset() -> None:
    project = make_project()
    for _ in range(2):
        extract(make_episode(project))
    assert names_of(project, "character") == ["SARAH", "TOM"]
    sarah = Asset.objects.get(name="SARAH")
    assert sarah.appearances.count() == 4
    assert Extracted.objects.filter(asset=sarah).count() == 2
    assert [one.counts["characters"]["new"] for one in Extraction.objects.order_by("pk")] == [2, 0]


def test_an_extracted_episode_is_refused_unless_forced(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    address = f"/api/episodes/{episode.pk}/extract/"
    first = extract(episode)
    assert code(api.post(address)) == (409, "already_extracted")
    job = run(tasks.extract_assets.delay(episode.pk))  # asked for past the door
    assert (job.status, job.error_code) == ("failed", "already_extracted")
    assert Episode.objects.get().job_id == first.pk
    assert Episode.objects.get().status == "completed"
    forced = api.post(address, {"force": True})
    assert forced.status_code == 202, forced.content
    assert run(forced.json()["id"]).status == "completed"
    assert Extraction.objects.count() == 2


def test_a_forced_extraction_moves_appearances_and_keeps_what_people_did(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    extract(episode)
    sarah, tom = Asset.objects.get(name="SARAH"), Asset.objects.get(name="TOM")
    changed = api.patch(f"/api/assets/{sarah.pk}/", {"name": "Sarah Chen", "description": "tired", "role": ""})
    assert changed.status_code == 200, changed.content
    script = "INT. OFFICE - DAY\n\nSARAH\nHello.\n\nMIA\nHello yourself.\n"
    api.patch(f"/api/episodes/{episode.pk}/", {"script": script})
    extract(episode, force=True)
    sarah.refresh_from_db()
    assert (sarah.name, sarah.description, sarah.role) == ("Sarah Chen", "tired", "")
    assert list(sarah.appearances.values_list("scene_heading", flat=True)) == ["INT. OFFICE - DAY"]
    assert tom.appearances.count() == 0
    assert Asset.objects.filter(pk=tom.pk, deleted_at=None).exists()
    assert names_of(episode.project, "character") == ["MIA", "Sarah Chen", "TOM"]
    assert Extraction.objects.filter(episode=episode).count() == 2


def test_what_was_merged_or_deleted_is_found_as_what_it_became() -> None:
    project = make_project()
    kept = make_asset(project, "Sarah Chen")
    absorbed = make_asset(project, "SARAH", merged_into=kept)
    episode = make_episode(project)
    gone = make_asset(project, "TOM", deleted_at=timezone.now())
    result: Any = extract(episode).result
    assert [one["id"] for one in result["extracted_assets"]["characters"]] == [kept.pk, gone.pk]
    assert set(Appearance.objects.filter(asset=kept).values_list("found_as", flat=True)) == {absorbed.pk}
    gone.refresh_from_db()
    assert gone.deleted_at is not None
    assert Extracted.objects.get(name="SARAH").asset == absorbed


def test_what_was_not_known_of_an_asset_is_filled_in_and_nothing_else_changed() -> None:
    project = make_project()
    asset = make_asset(project, "sarah", role="", description="as she was")
    extract(make_episode(project))
    asset.refresh_from_db()
    assert asset.role != ""
    assert (asset.name, asset.description) == ("sarah", "as she was")


def test_while_an_episode_is_being_analysed_the_same_job_is_the_answer(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    address = f"/api/episodes/{episode.pk}/extract/"
    first = api.post(address, headers={"Idempotency-Key": "one"}).json()["id"]
    assert api.post(address, headers={"Idempotency-Key": "two"}).json()["id"] == first
    assert api.post(address).json()["id"] == first
    assert api.get(f"/api/episodes/{episode.pk}/").json()["status"] == "analysing"
    other = run(tasks.extract_assets.delay(episode.pk))
    assert (other.status, other.error_code) == ("failed", "episode_analysing")
    assert run(first).status == "completed"
    assert api.post(address, headers={"Idempotency-Key": "two"}).json()["id"] == first


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"model": "nobody:x"}, (422, "model_unknown")),
        ({"model": "offline:x"}, (422, "model_unknown")),
        ({"model": "anthropic:claude"}, (422, "model_unknown")),  # no key is set
        ({"model": 7}, (400, "invalid")),
        ({"model": "x" * 201}, (422, "model_unknown")),
        ({"model": "a\0"}, (400, "invalid")),
        ({"model": ["offline", 7]}, (400, "invalid")),
        ({"force": "perhaps"}, (400, "invalid")),
    ],
    ids=repr,
)
def test_an_extraction_that_makes_no_sense_is_refused(
    api: APIClient, ann: User, body: dict[str, Any], expected: Any
) -> None:
    episode = make_episode(make_project(ann))
    assert code(api.post(f"/api/episodes/{episode.pk}/extract/", body, format="json")) == expected
    assert not Job.objects.exists()


def test_an_episode_without_a_script_is_refused(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann), script="")
    assert code(api.post(f"/api/episodes/{episode.pk}/extract/")) == (422, "script_empty")


def test_a_worker_that_lost_its_job_leaves_nothing_behind() -> None:
    episode = make_episode()
    job = tasks.start(episode.pk)
    saved = saving.save

    def lose(*args: Any) -> Any:
        saved(*args)  # all rows are written; then another attempt has the job
        Job.objects.filter(pk=job.pk).update(attempt=99)
        raise RuntimeError("killed")

    with mock.patch.object(saving, "save", lose):
        run(job)
    assert not Asset.objects.exists()
    assert not Extraction.objects.exists()
    assert not Appearance.objects.exists()
    assert Episode.objects.get().extracted_at is None
    assert not Job.objects.filter(kind=deduplication.KIND).exists()


def test_an_attempt_that_comes_too_late_changes_nothing() -> None:
    """The first attempt has read the script when its lease is gone, and the job is another attempt's."""
    episode = make_episode()
    job = tasks.start(episode.pk)
    read = reading.read

    def late(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        Job.objects.filter(pk=job.pk).update(attempt=2)
        return found

    with mock.patch.object(reading, "read", late):
        assert run(job).status == "processing"
    assert not Extraction.objects.exists()
    assert not Asset.objects.exists()


def test_an_attempt_that_loses_its_job_after_its_body_leaves_nothing_behind() -> None:
    episode = make_episode()
    with mock.patch.object(transitions, "complete", return_value=False):  # somebody else has the job: none was updated
        run(tasks.start(episode.pk))
    assert not Extraction.objects.exists()
    assert not Asset.objects.exists()


def test_after_an_extraction_the_project_is_compared_once() -> None:
    project = make_project()
    for _ in range(3):
        extract(make_episode(project))
    assert_enqueued(tasks.deduplicate_assets, project.pk)
    job = Job.objects.get(kind=deduplication.KIND)
    assert (job.owner_id, job.subject, job.queue) == (project.owner_id, f"videos.Project:{project.pk}", "assets")
    claim(job)  # it runs: what is extracted now, it may have missed
    extract(make_episode(project))
    assert_enqueued(tasks.deduplicate_assets, project.pk, times=2)


def test_an_episode_that_is_removed_meanwhile_ends_the_job_and_is_not_tried_again(api: APIClient, ann: User) -> None:
    episode = make_episode(make_project(ann))
    recorded = tasks.extract_assets.delay(episode.pk)
    Episode.objects.all().delete()
    job = run(recorded)
    assert (job.status, job.error_code) == ("failed", "episode_gone")
    other = make_episode(make_project(ann))
    recorded = tasks.extract_assets.delay(other.pk)
    api.delete(f"/api/projects/{other.project_id}/")
    job = run(recorded)
    assert (job.status, job.error_code) == ("failed", "project_deleted")
    with pytest.raises(errors.EpisodeGone):
        tasks.extract_assets.delay(10**9)


def test_a_failed_or_cancelled_episode_can_be_tried_by_hand_again() -> None:
    episode = make_episode()
    job = tasks.start(episode.pk)
    control.cancel(job, by="ann")
    assert Episode.objects.select_related("job").get().status == "pending"
    control.retry(Job.objects.get(pk=job.pk), by="ann")
    assert run(job).status == "completed"


def test_what_goes_wrong_in_between_is_tried_again_later() -> None:
    episode = make_episode()
    with mock.patch.object(reading, "read", side_effect=OSError("no such disk")):
        job = run(tasks.start(episode.pk))
    assert job.status == "retrying"
    wait = (job.run_at - job.updated_at).total_seconds()
    assert 45 <= wait <= 75  # 60 s, and a fifth of it more or less
    assert Episode.objects.select_related("job").get().status == "analysing"
    Clock().turn(timedelta(minutes=2))
    assert run(job).status == "completed"


def test_a_user_has_only_their_own_episodes_extracted_in_a_batch_of_jobs(api: APIClient, ann: User) -> None:
    mine, other = make_episode(make_project(ann)), make_episode(make_project(make_user()))
    kind = tasks.extract_assets.name

    def ask(*ids: Any) -> Any:
        members = [{"kwargs": {"episode_id": pk}} for pk in ids]
        return api.post("/api/batches/", {"kind": kind, "members": members}, format="json")

    assert code(ask(mine.pk, other.pk)) == (403, "member_not_allowed")
    assert code(ask(2**80)) == (403, "member_not_allowed")
    assert code(ask("1")) == (422, "bad_member")
    assert ask(mine.pk).status_code == 202
    assert Episode.objects.get(pk=mine.pk).status == "analysing"


def test_names_that_no_database_takes_whole_are_cut(api: APIClient, ann: User) -> None:
    name = "A" * 300
    script = f"INT. {'B' * 400} - DAY\n\n{name}\nHello.\n"
    job = extract(make_episode(make_project(ann), script=script))
    assert job.status == "completed", job.error_message
    assert all(len(asset.name) <= 200 for asset in Asset.objects.all())


def test_a_long_episode_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    scenes = [f"INT. ROOM {n} - DAY\n\nHERO {n % 40}\nLine.\n" for n in range(300)]
    episode = make_episode(script="\n".join(scenes))
    job = tasks.start(episode.pk)
    with django_assert_max_num_queries(80 if connection.vendor == "sqlite" else 64):
        assert run(job).status == "completed"
    assert Asset.objects.filter(kind="scene").count() == 300


def test_the_script_is_the_one_of_the_tests() -> None:
    assert SCRIPT.split("\n")[4] == "SARAH"  # line 5, which the tests above speak of
