"""The API of assets and of what was used: seen, changed and deleted by their owners."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from assets import merging, usage
from assets.models import Asset, Kind, Usage
from assets.providers.base import Usage as Used
from tests.assets.builders import make_appearance, make_asset, make_episode, make_project
from tests.builders import make_user
from tests.videos.test_videos_api import code
from videos.models import Medium

pytestmark = pytest.mark.django_db


def names(api: APIClient, **filters: Any) -> list[str]:
    answer = api.get("/api/assets/", filters)
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()["results"]]


def test_assets_are_listed_by_project_kind_episode_and_name(api: APIClient, ann: User) -> None:
    project, other = make_project(ann), make_project(ann)
    episode = make_episode(project)
    sarah, knife = make_asset(project, "SARAH"), make_asset(project, "knife", kind=Kind.PROP)
    kitchen = make_asset(project, "KITCHEN", kind=Kind.SCENE, time="day", place="inside")
    make_asset(other, "TOM")
    make_asset(project, "Sarah C.", merged_into=sarah)
    make_asset(project, "gone", deleted_at=timezone.now())
    make_appearance(sarah, episode)
    assert names(api) == ["TOM", "KITCHEN", "knife", "SARAH"]
    assert names(api, project=project.pk, kind="prop") == ["knife"]
    assert names(api, project=project.pk, kind=["prop", "scene"]) == ["KITCHEN", "knife"]
    assert names(api, episode=episode.pk) == ["SARAH"]
    assert names(api, name="ara") == ["SARAH"]
    assert names(api, deleted="true") == ["gone"]
    assert names(api, merged_into=sarah.pk) == ["Sarah C."]
    told = api.get(f"/api/assets/{kitchen.pk}/").json()
    assert (told["time"], told["place"], told["first_appearance"]) == ("day", "inside", None)
    for wrong in ({"kind": "car"}, {"project": "x"}, {"episode": "1e999"}, {"deleted": "maybe"}):
        assert code(api.get("/api/assets/", wrong)) == (400, "invalid"), wrong
    assert knife.pk


def test_an_asset_says_where_it_appears_first(api: APIClient, ann: User, django_assert_max_num_queries: Any) -> None:
    project = make_project(ann)
    first, second = make_episode(project), make_episode(project)
    assets = [make_asset(project) for _ in range(3)]
    for asset in assets:
        make_appearance(asset, second, scene_index=0, first_line=2)
        make_appearance(asset, first, scene_index=4, first_line=None)
        make_appearance(asset, first, scene_index=3, first_line=40, scene_heading="INT. HALL")
    with django_assert_max_num_queries(4):
        listed = api.get("/api/assets/").json()["results"]
    assert [one["first_appearance"]["first_line"] for one in listed] == [40, 40, 40]
    assert listed[0]["first_appearance"]["scene_heading"] == "INT. HALL"
    assert listed[0]["first_appearance"]["episode_number"] == 1
    address = f"/api/assets/{assets[0].pk}/appearances/"
    page = api.get(address, {"page_size": 2}).json()
    rest = api.get(page["next"]).json()
    places = [(one["episode_number"], one["scene_index"]) for one in [*page["results"], *rest["results"]]]
    assert sorted(places) == [(1, 3), (1, 4), (2, 0)]
    assert places[-1] == (2, 0)
    assert code(api.get(address, {"cursor": "cD14"})) == (404, "not_found")


def test_an_asset_is_changed_deleted_and_restored(api: APIClient, ann: User) -> None:
    asset = make_asset(make_project(ann), "SARAH", aliases=["Sas"])
    still = Medium.objects.create(owner=ann, kind="still", title="s", source="a/b", source_size=1)
    address = f"/api/assets/{asset.pk}/"
    said = {"name": "Sarah Chen", "aliases": ["Sas"], "age": "34", "picture": still.pk, "description": "x" * 3000}
    told = api.patch(address, said, format="json")
    assert told.status_code == 200, told.content
    assert (told.json()["name"], told.json()["aliases"]) == ("Sarah Chen", ["Sas", "SARAH"])
    assert (told.json()["picture"]["id"], told.json()["age"]) == (still.pk, "34")
    assert told.json()["edited_at"] is not None
    assert api.patch(address, {"picture": None}, format="json").json()["picture"] is None
    assert Asset.objects.get().normal == "sarah"
    assert api.delete(address).status_code == 204
    assert names(api) == []
    assert code(api.patch(address, {"age": "35"})) == (409, "asset_deleted")
    assert api.post(f"{address}restore/").json()["deleted_at"] is None
    assert names(api) == ["Sarah Chen"]


def test_two_assets_of_a_kind_are_not_called_the_same(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    sarah, tom = make_asset(project, "SARAH"), make_asset(project, "TOM")
    make_asset(project, "sarah", kind=Kind.PROP)
    taken = api.patch(f"/api/assets/{tom.pk}/", {"name": "  ｓａｒａｈ "})
    assert code(taken) == (409, "asset_name_taken")
    assert taken.json()["error"]["details"] == {"asset": sarah.pk}
    day = make_asset(project, "HALL", kind=Kind.SCENE, time="day")
    make_asset(project, "HALL", kind=Kind.SCENE, time="night")
    assert code(api.patch(f"/api/assets/{day.pk}/", {"time": "night"})) == (409, "asset_name_taken")
    assert api.patch(f"/api/assets/{day.pk}/", {"time": "dusk"}).status_code == 200
    absorbed = make_asset(project, "SAS", merged_into=sarah)
    assert code(api.patch(f"/api/assets/{absorbed.pk}/", {"name": "x"})) == (409, "asset_merged")
    assert api.delete(f"/api/assets/{sarah.pk}/").status_code == 204
    assert api.patch(f"/api/assets/{tom.pk}/", {"name": "Sarah"}).status_code == 200
    taken = api.post(f"/api/assets/{sarah.pk}/restore/")
    assert code(taken) == (409, "asset_name_taken")
    assert taken.json()["error"]["details"] == {"asset": tom.pk}
    assert names(api, deleted="true") == ["SARAH"]
    api.delete(f"/api/assets/{tom.pk}/")
    assert api.post(f"/api/assets/{sarah.pk}/restore/").status_code == 200


def test_one_that_was_merged_is_not_deleted_and_is_there_after_the_undo(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    kept, absorbed = make_asset(project, "SARAH"), make_asset(project, "SAS")
    merge = merging.merge(kept, absorbed, by=ann)
    refused = api.delete(f"/api/assets/{absorbed.pk}/")
    assert code(refused) == (409, "asset_merged")
    assert refused.json()["error"]["details"] == {"asset": kept.pk}
    merging.undo(merge, by=ann)
    assert names(api) == ["SAS", "SARAH"]


@pytest.mark.parametrize("said", [{}, {"name": "SARAH", "age": "34", "aliases": ["Sas"], "picture": None}], ids=str)
def test_a_change_that_changes_nothing_does_not_keep_extractions_away(api: APIClient, ann: User, said: Any) -> None:
    asset = make_asset(make_project(ann), "SARAH", age="34", aliases=["Sas"])
    answer = api.patch(f"/api/assets/{asset.pk}/", said, format="json")
    assert (answer.status_code, answer.json()["edited_at"]) == (200, None)


@pytest.mark.parametrize(
    "said",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\0"},
        {"name": None},
        {"aliases": "x"},
        {"aliases": ["x"] * 51},
        {"aliases": [["x"]]},
        {"aliases": ["a\0"]},
        {"place": "under"},
        {"time": "day"},
        {"picture": 10**6},
        {"picture": 2**70},
        {"picture": "x"},
        {"gender": "x" * 41},
        {"description": "x" * 10_001},
    ],
    ids=lambda said: str(said)[:30],
)
def test_a_change_that_makes_no_sense_is_refused(api: APIClient, ann: User, said: Any) -> None:
    asset = make_asset(make_project(ann))
    assert code(api.patch(f"/api/assets/{asset.pk}/", said, format="json")) == (400, "invalid")
    asset.refresh_from_db()
    assert asset.edited_at is None


def test_nobody_sees_or_touches_the_assets_of_another(api: APIClient, ann: User) -> None:
    other = make_user()
    asset = make_asset(make_project(other))
    still = Medium.objects.create(owner=other, kind="still", title="s", source="a/b", source_size=1)
    address = f"/api/assets/{asset.pk}/"
    assert names(api) == names(api, project=asset.project_id) == []
    assert code(api.get(address)) == code(api.patch(address, {"name": "x"})) == (404, "not_found")
    assert code(api.delete(address)) == code(api.post(f"{address}restore/")) == (404, "not_found")
    assert code(api.get(f"{address}appearances/")) == code(api.post(f"{address}merge/")) == (404, "not_found")
    mine = make_asset(make_project(ann))
    assert code(api.patch(f"/api/assets/{mine.pk}/", {"picture": still.pk})) == (400, "invalid")
    assert code(api.post(f"/api/assets/{mine.pk}/merge/", {"into": asset.pk})) == (400, "invalid")


def test_usage_is_summed_by_month_provider_kind_and_model_and_is_ones_own(api: APIClient, ann: User) -> None:
    said = {"job_id": None, "model": "m", "kind": "assets.tasks.extract_assets"}
    for cost in (Decimal("0.1"), Decimal("0.2"), None):
        usage.record(Used(input_tokens=5, cost=cost), provider="openai", user_id=ann.pk, **said)  # type: ignore[arg-type]
    usage.record(Used(images=2, cost=Decimal(1)), provider="fal", user_id=ann.pk, **said)  # type: ignore[arg-type]
    usage.record(Used(images=9), provider="fal", user_id=make_user().pk, **said)  # type: ignore[arg-type]
    told = api.get("/api/usage/").json()
    rows = [(one["provider"], one["calls"], one["cost"], one["unpriced"]) for one in told["results"]]
    assert rows == [("fal", 1, "1.000000", 0), ("openai", 3, "0.300000", 1)]
    assert (told["cost"], told["calls"]) == ("1.300000", 4)
    assert told["results"][1]["input_tokens"] == 15
    assert api.get("/api/usage/", {"month": "2001-01"}).json() == {"cost": "0.000000", "calls": 0, "results": []}
    this = Usage.objects.first()
    assert this is not None
    assert api.get("/api/usage/", {"month": f"{this.month:%Y-%m}", "provider": "fal"}).json()["calls"] == 1
    for wrong in ({"month": "May"}, {"month": "2026-13"}, {"job": "x"}, {"project": "x"}, {"provider": "a\0"}):
        assert code(api.get("/api/usage/", wrong)) == (400, "invalid"), wrong


def test_who_reads_scripts_here_is_told(api: APIClient) -> None:
    assert api.get("/api/text-models/").json() == {"default": "offline", "models": ["offline"]}


def test_a_page_of_assets_costs_the_same_however_many_there_are(api: APIClient, ann: User) -> None:
    from django.db import connection

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            api.get("/api/assets/")
        return len(seen)

    project = make_project(ann)
    make_appearance(make_asset(project), make_episode(project))
    few = queries()
    for _ in range(20):
        make_appearance(make_asset(project))
    assert queries() == few
