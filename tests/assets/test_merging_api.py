"""The review list over HTTP: what looks alike, merging, keeping apart, undoing; and what anybody may not do."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from assets import duplicates
from assets.models import Asset, Likeness, LikenessState, Merge
from jobs import testing
from jobs.models import Job
from tests.assets.builders import make_appearance, make_asset, make_likeness, make_project
from tests.builders import make_user
from videos.models import Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(ann: User) -> Project:
    return make_project(ann)


def make_alike(project: Project, one: str = "SARAH", other: str = "SARAH CHEN") -> Likeness:
    return make_likeness(make_asset(project, one), make_asset(project, other), reasons=["why"])


def listed(api: APIClient, path: str, **wanted: Any) -> list[Any]:
    answer = api.get(path, wanted)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# -- looking ---------------------------------------------------------------------------------------------


def test_the_review_list_shows_what_is_to_be_decided_with_the_reasons(api: APIClient, project: Project) -> None:
    alike = make_alike(project)
    (row,) = listed(api, "/api/assets/likenesses/", project=project.pk, state="open")
    assert (row["id"], row["score"], row["reasons"], row["state"]) == (alike.pk, 0.8, ["why"], "open")
    assert {row["first"]["name"], row["second"]["name"]} == {"SARAH", "SARAH CHEN"}
    assert not listed(api, "/api/assets/likenesses/", project=project.pk, state="merged")


def test_what_is_asked_about_an_asset_that_was_merged_is_shown_about_the_one_it_is_part_of(
    api: APIClient, project: Project
) -> None:
    alike = make_alike(project)
    into = make_asset(project, "THE SURGEON")
    assert api.post(f"/api/assets/{alike.first_id}/merge/", {"into": into.pk}).status_code == 200
    (row,) = listed(api, "/api/assets/likenesses/", state="open")
    assert {row["first"]["id"], row["second"]["id"]} == {into.pk, alike.second_id}


def test_what_is_asked_about_a_deleted_asset_is_not_shown(api: APIClient, project: Project) -> None:
    alike = make_alike(project)
    Asset.objects.filter(pk=alike.first_id).update(deleted_at=timezone.now())
    assert not listed(api, "/api/assets/likenesses/", state="open")


def test_nobody_sees_or_decides_what_is_somebody_elses(api: APIClient, ann: User) -> None:
    alike = make_alike(make_project(make_user()))
    mine = make_asset(make_project(ann), "MINE")
    merge = Merge.objects.create(project=alike.project, kept=alike.first, absorbed=alike.second)
    assert not listed(api, "/api/assets/likenesses/")
    assert not listed(api, "/api/assets/merges/")
    for path, said in [
        (f"/api/assets/likenesses/{alike.pk}/merge/", {}),
        (f"/api/assets/likenesses/{alike.pk}/keep-apart/", {}),
        (f"/api/assets/{alike.first_id}/merge/", {"into": mine.pk}),
        (f"/api/assets/merges/{merge.pk}/undo/", {}),
        (f"/api/projects/{alike.project_id}/deduplicate/", {}),
    ]:
        assert api.post(path, said).status_code == 404, path
    assert api.post(f"/api/assets/{mine.pk}/merge/", {"into": alike.first_id}).status_code == 400


# -- deciding --------------------------------------------------------------------------------------------


def test_two_are_merged_listed_and_undone(api: APIClient, project: Project) -> None:
    alike = make_alike(project)
    make_appearance(alike.first)
    merged = api.post(f"/api/assets/likenesses/{alike.pk}/merge/", {"keep": alike.first_id})
    assert merged.status_code == 200, merged.content
    said = merged.json()
    assert (said["kept"]["id"], said["absorbed"]["id"], said["by_hand"]) == (alike.first_id, alike.second_id, True)
    assert [row["id"] for row in listed(api, "/api/assets/merges/", project=project.pk)] == [said["id"]]
    assert [row["name"] for row in listed(api, "/api/assets/", project=project.pk)] == ["SARAH"]
    undone = api.post(said["undo_url"])
    assert (undone.status_code, bool(undone.json()["undone_at"])) == (200, True)
    assert len(listed(api, "/api/assets/", project=project.pk)) == 2
    assert code(api.post(said["undo_url"])) == (409, "merge_undone")


def test_two_are_kept_apart_and_that_holds(api: APIClient, project: Project) -> None:
    alike = make_alike(project)
    answer = api.post(f"/api/assets/likenesses/{alike.pk}/keep-apart/")
    assert (answer.status_code, answer.json()["state"]) == (200, "kept_apart")
    assert api.post(f"/api/assets/likenesses/{alike.pk}/keep-apart/").status_code == 200
    assert duplicates.settle(project.pk)["doubtful"] == 0
    assert not listed(api, "/api/assets/likenesses/", state="open")


def test_what_is_decided_is_refused_with_a_code(api: APIClient, project: Project) -> None:
    alike = make_alike(project)
    api.post(f"/api/assets/likenesses/{alike.pk}/merge/")
    assert code(api.post(f"/api/assets/likenesses/{alike.pk}/merge/")) == (409, "likeness_decided")
    assert code(api.post(f"/api/assets/likenesses/{alike.pk}/keep-apart/")) == (409, "likeness_decided")
    assert code(api.post(f"/api/assets/{alike.first_id}/merge/", {"into": alike.second_id})) == (409, "asset_merged")


def test_a_merge_under_another_names_what_has_to_be_undone_first(api: APIClient, project: Project) -> None:
    one, two, three = (make_asset(project, name) for name in ("A A", "B B", "C C"))
    inner = api.post(f"/api/assets/{one.pk}/merge/", {"into": two.pk}).json()
    outer = api.post(f"/api/assets/{two.pk}/merge/", {"into": three.pk}).json()
    refused = api.post(inner["undo_url"])
    assert code(refused) == (409, "merge_covered")
    assert refused.json()["error"]["details"] == {"undo_first": [outer["id"]]}


@pytest.mark.parametrize(
    "said", [{}, {"into": None}, {"into": "x"}, {"into": 0}, {"into": 2**63}, {"into": [1]}, [], 7]
)
def test_an_asset_is_merged_into_nothing_that_is_none(api: APIClient, project: Project, said: Any) -> None:
    asset = make_asset(project, "SARAH")
    assert api.post(f"/api/assets/{asset.pk}/merge/", said, format="json").status_code == 400
    other_kind = make_asset(project, "SARAH", kind="prop")
    assert code(api.post(f"/api/assets/{asset.pk}/merge/", {"into": other_kind.pk})) == (422, "assets_differ")
    assert code(api.post(f"/api/assets/{asset.pk}/merge/", {"into": asset.pk})) == (422, "assets_differ")


@pytest.mark.parametrize("keep", ["x", 0, -1, 2**63, [], {"a": 1}, 12345])
def test_only_one_of_the_two_can_be_kept(api: APIClient, project: Project, keep: Any) -> None:
    alike = make_alike(project)
    answer = api.post(f"/api/assets/likenesses/{alike.pk}/merge/", {"keep": keep}, format="json")
    assert answer.status_code == 400
    assert not Merge.objects.exists()


@pytest.mark.parametrize("wanted", [{"project": "x"}, {"project": 2**70}, {"state": "maybe"}, {"cursor": "\x00"}])
def test_odd_filters_are_no_accident(api: APIClient, wanted: dict[str, Any]) -> None:
    assert api.get("/api/assets/likenesses/", wanted).status_code in (200, 400, 404)
    assert api.get("/api/assets/merges/", wanted).status_code in (200, 400, 404)


# -- the job ---------------------------------------------------------------------------------------------


def test_whoever_asks_for_a_comparison_gets_a_job_and_the_waiting_one_again(api: APIClient, project: Project) -> None:
    make_asset(project, "林晚"), make_asset(project, "LIN WAN")
    first = api.post(f"/api/projects/{project.pk}/deduplicate/")
    assert (first.status_code, first.json()["kind"]) == (202, "assets.tasks.deduplicate_assets")
    assert api.post(f"/api/projects/{project.pk}/deduplicate/").json()["id"] == first.json()["id"]
    result = testing.run(Job.objects.get()).result
    assert result and result["merged"] == 1
    assert api.post(f"/api/projects/{project.pk}/deduplicate/").json()["id"] != first.json()["id"]


def test_a_deleted_project_is_not_compared(api: APIClient, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(deleted_at=timezone.now())
    answer = api.post(f"/api/projects/{project.pk}/deduplicate/")
    assert answer.status_code in (404, 409, 410)
    assert not Job.objects.exists()


# -- the operator's pages --------------------------------------------------------------------------------


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def act(operator: Client, page: str, action: str, *rows: Any) -> list[str]:
    """Do something with several rows of a list; what the page says about it."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer = operator.post(reverse(f"admin:assets_{page}_changelist"), chosen, follow=True)
    assert answer.status_code == 200, answer.content
    return [str(message) for message in answer.context["messages"]]


def test_an_operator_merges_several_at_once_and_takes_them_back(operator: Client, project: Project) -> None:
    several = [make_alike(project, f"TOM {letter}", f"TOMMY {letter}") for letter in "XYZ"]
    assert act(operator, "likeness", "merge", *several) == ["Decided: 3"]
    assert set(Likeness.objects.values_list("state", flat=True)) == {LikenessState.MERGED}
    assert act(operator, "merge", "undo", *Merge.objects.all()) == ["Decided: 3"]
    assert not Asset.objects.exclude(merged_into=None).exists()
    assert any("undone already" in said for said in act(operator, "merge", "undo", *Merge.objects.all()))


def test_an_operator_keeps_several_apart(operator: Client, project: Project) -> None:
    several = [make_alike(project, f"TOM {letter}", f"TOMMY {letter}") for letter in "XYZ"]
    act(operator, "likeness", "keep_apart", *several)
    assert set(Likeness.objects.values_list("state", flat=True)) == {LikenessState.KEPT_APART}


def test_an_operator_answers_questions_that_hang_together(operator: Client, project: Project) -> None:
    one, two, three = (make_asset(project, name) for name in ("SARAH", "SARAH CHEN", "DR. CHEN"))
    rows = [make_likeness(one, two), make_likeness(two, three), make_likeness(one, three)]
    act(operator, "likeness", "merge", *rows)
    assert Asset.objects.filter(merged_into=None).count() == 1
    assert set(Likeness.objects.values_list("state", flat=True)) == {LikenessState.MERGED}
