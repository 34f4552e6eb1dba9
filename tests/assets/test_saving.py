"""Saving of findings: by several at once, and against whatever people did meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connections, transaction
from rest_framework.test import APIClient

from assets import episodes, saving, tasks
from assets.findings import Finding, Findings, Spot
from assets.models import Appearance, Asset, Extraction
from jobs.models import QuotaLimit
from tests.assets.builders import make_appearance, make_asset, make_episode, make_project
from tests.videos.test_videos_api import code

FOUND = Findings(
    things=tuple(
        Finding(kind=kind, name=f"{kind} {letter}", spots=(Spot(scene_index=0, first_line=1, lines=1),))
        for kind in ("scene", "prop", "character")
        for letter in "ZYXWVABC"
    ),
    scenes=1,
)
RECORD = saving.Record(job_id=None, attempt=1, model="offline")


def save(episode_id: int, found: Findings = FOUND) -> dict[str, Any]:
    with episodes.held(episode_id) as episode:
        return saving.save(episode, found, RECORD)


@pytest.mark.django_db(transaction=True)
def test_six_episodes_that_are_saved_at_once_find_the_same_assets_and_none_waits_in_a_circle() -> None:
    project = make_project()
    ids = [make_episode(project).pk for _ in range(6)]
    begin = threading.Barrier(len(ids))

    def one(episode_id: int) -> int:
        begin.wait(60)
        try:
            return len(save(episode_id)["extracted_assets"]["characters"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(ids)) as pool:
        assert list(pool.map(one, ids)) == [8] * 6
    assert Asset.objects.count() == 24
    assert Appearance.objects.count() == 6 * 24
    new = [sum(kind["new"] for kind in extraction.counts.values()) for extraction in Extraction.objects.all()]
    assert sorted(new) == [0, 0, 0, 0, 0, 24]


@pytest.mark.django_db
def test_two_names_of_one_asset_in_one_scene_are_one_appearance_with_the_lines_of_both() -> None:
    project = make_project()
    make_asset(project, "Sarah", aliases=["Mother"])
    spots = (Spot(scene_index=0, first_line=4, lines=2),)
    found = [Finding(kind="character", name=name, spots=spots) for name in ("SARAH", "MOTHER")]
    save(make_episode(project).pk, Findings(things=tuple(found), scenes=1))
    assert Asset.objects.count() == 1
    assert Appearance.objects.get().lines == 4


@pytest.mark.django_db
def test_an_alias_that_two_have_is_nobody_s() -> None:
    project = make_project()
    make_asset(project, "Anna", aliases=["Mother"])
    make_asset(project, "Berta", aliases=["Mother"])
    save(make_episode(project).pk, Findings(things=(Finding(kind="character", name="MOTHER"),)))
    assert Asset.objects.filter(normal="mother").exists()


@pytest.mark.django_db
def test_a_renamed_asset_is_found_by_both_names(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    asset = make_asset(project, "SARAH")
    api.patch(f"/api/assets/{asset.pk}/", {"name": "Dr. Chen"})
    for name in ("Sarah", "DR. CHEN"):
        save(make_episode(project).pk, Findings(things=(Finding(kind="character", name=name, spots=(Spot(),)),)))
    assert Asset.objects.get().appearances.count() == 2


@pytest.mark.django_db
def test_a_scene_that_was_renamed_is_found_at_its_time_alone(api: APIClient, ann: User) -> None:
    project = make_project(ann)
    scene = make_asset(project, "HALL", kind="scene", time="day", place="inside")
    api.patch(f"/api/assets/{scene.pk}/", {"name": "Throne room"})
    for time in ("day", "night"):
        thing = Finding(kind="scene", name="HALL", time=time, place="inside")
        save(make_episode(project).pk, Findings(things=(thing,)))
    assert sorted(Asset.objects.values_list("name", "time")) == [("HALL", "night"), ("Throne room", "day")]


@pytest.mark.django_db
def test_the_database_keeps_a_name_once_and_an_appearance_once() -> None:
    asset = make_asset()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_asset(asset.project, asset.name)
    episode = make_episode(asset.project)
    for index in (0, None):
        make_appearance(asset, episode, scene_index=index)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_appearance(asset, episode, scene_index=index)


@pytest.mark.django_db
def test_extractions_are_counted_for_quotas_and_limited_once_an_operator_says_so(api: APIClient, ann: User) -> None:
    kind = tasks.extract_assets.name
    project = make_project(ann)
    api.post(f"/api/episodes/{make_episode(project).pk}/extract/")
    told = [one for one in api.get("/api/account/").json()["quotas"] if one["kind"] == kind]
    assert [(one["period"], one["limit"], one["used"]) for one in told] == [("hour", None, 1), ("month", None, 1)]
    QuotaLimit.objects.create(tier="free", kind=kind, period="hour", limit=1)
    refused = api.post(f"/api/episodes/{make_episode(project).pk}/extract/")
    assert code(refused) == (429, "quota_exceeded")
