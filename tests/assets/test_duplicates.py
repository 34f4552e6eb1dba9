"""The job that finds duplicates: certain ones merged, others asked about, what people decided respected."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets import duplicates, merging, profiles
from assets.models import Appearance, Asset, Kind, Likeness, LikenessState, Merge
from assets.tasks import deduplicate_assets
from jobs import testing
from jobs.status import JobStatus
from tests.assets.builders import make_appearance, make_asset, make_episode, make_likeness, make_project
from tests.assets.likeness.test_properties import _PLACES, _TANGLED
from tests.assets.test_merging import fresh, rows_of
from videos.errors import ProjectDeleted
from videos.models import Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(ann: User) -> Project:
    return make_project(ann)


def make_all(project: Project, *names: str, **fields: Any) -> list[Asset]:
    return [make_asset(project, name, **fields) for name in names]


def open_questions(project: Project) -> set[frozenset[str]]:
    rows = Likeness.objects.filter(project=project, state=LikenessState.OPEN).select_related("first", "second")
    return {frozenset((row.first.name, row.second.name)) for row in rows}


def test_certain_ones_are_merged_and_doubtful_ones_asked_about(project: Project) -> None:
    whole, *_ = make_all(project, "林晚", "LIN WAN", "林总", "王强")
    job = testing.run(deduplicate_assets.delay(project.pk))
    assert (job.status, job.result) == (
        JobStatus.COMPLETED,
        {"project_id": project.pk, "compared": 4, "merged": 1, "doubtful": 1},
    )
    merge = Merge.objects.get()
    assert (merge.kept, merge.absorbed.name, merge.by) == (whole, "LIN WAN", None)
    assert merge.reasons == ["one is how the other is read"]
    assert open_questions(project) == {frozenset(("林晚", "林总"))}


def test_done_again_it_changes_nothing(project: Project) -> None:
    make_all(project, "林晚", "LIN WAN", "林总", "林枫", "SARAH", "SARAH CHEN", "DR. SARAH CHEN", "GUARD 1", "GUARD")
    duplicates.settle(project.pk)
    before = rows_of(project), list(Merge.objects.values()), list(Likeness.objects.values())
    assert duplicates.settle(project.pk)["merged"] == 0
    assert (rows_of(project), list(Merge.objects.values()), list(Likeness.objects.values())) == before


def test_places_and_things_are_compared_as_well_but_never_with_characters(project: Project) -> None:
    make_all(project, "KITCHEN", "THE KITCHEN", kind=Kind.SCENE, time="day", place="inside")
    make_all(project, "PHONE", "THE PHONE", kind=Kind.PROP)
    make_all(project, "PHONE", "KITCHEN")
    assert duplicates.settle(project.pk)["merged"] == 2
    assert {merge.kept.kind for merge in Merge.objects.all()} == {Kind.SCENE, Kind.PROP}


def test_other_projects_and_what_was_deleted_are_left_alone(project: Project, ann: User) -> None:
    make_asset(project, "林晚")
    make_asset(make_project(ann), "LIN WAN")
    make_asset(project, "Linwan", deleted_at=timezone.now())
    assert duplicates.settle(project.pk) == {"compared": 1, "merged": 0, "doubtful": 0}


def test_what_people_keep_apart_is_not_asked_again_not_even_by_way_of_another(project: Project, ann: User) -> None:
    one, other = make_all(project, "SARAH", "SARAH CHEN")
    duplicates.settle(project.pk)
    merging.keep_apart(Likeness.objects.get(), by=ann)
    merging.merge(make_asset(project, "THE SURGEON"), one, by=ann)
    assert duplicates.settle(project.pk) == {"compared": 2, "merged": 0, "doubtful": 0}
    assert Likeness.objects.get().state == LikenessState.KEPT_APART
    assert fresh(other).merged_into is None


def test_a_question_whose_reason_is_gone_is_withdrawn(project: Project, ann: User) -> None:
    one, _ = make_all(project, "SARAH", "SARAH CHEN")
    duplicates.settle(project.pk)
    assert open_questions(project)
    Asset.objects.filter(pk=one.pk).update(name="TOM")
    duplicates.settle(project.pk)
    assert not Likeness.objects.exists()


def test_a_question_about_what_was_deleted_waits_until_it_is_restored(project: Project) -> None:
    one, _ = make_all(project, "SARAH", "SARAH CHEN")
    duplicates.settle(project.pk)
    Asset.objects.filter(pk=one.pk).update(deleted_at=timezone.now())
    duplicates.settle(project.pk)
    assert Likeness.objects.get().state == LikenessState.OPEN


def test_two_who_speak_in_one_scene_are_not_taken_for_one(project: Project) -> None:
    boss, lin = make_all(project, "林总", "林枫")
    episode = make_episode(project)
    for asset in (boss, lin):
        make_appearance(asset, episode, scene_index=3, lines=2)
    reasons = Likeness.objects.filter(project=project)
    duplicates.settle(project.pk)
    assert "both speak in one scene" in reasons.get().reasons
    assert reasons.get().score < 0.4


def test_what_is_extracted_while_it_compares_is_compared_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    make_all(project, "林晚", "LIN WAN")
    plan, more = duplicates._plan, iter(["林婉"])

    def meanwhile(seen: profiles.Seen) -> Any:
        planned = plan(seen)
        for name in more:
            make_asset(project, name)
        return planned

    monkeypatch.setattr(duplicates, "_plan", meanwhile)
    assert duplicates.settle(project.pk) == {"compared": 3, "merged": 0, "doubtful": 3}


def test_who_never_stops_extracting_does_not_keep_it_from_ending(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_all(project, "林晚", "LIN WAN", "DR. CHEN", "DOCTOR CHEN")
    plan, more = duplicates._plan, iter(["NOBODY", "NOBODY ELSE", "林婉"])  # who is one turns upon the last

    def meanwhile(seen: profiles.Seen) -> Any:
        planned = plan(seen)
        for name in itertools.islice(more, 1):
            make_asset(project, name)
        return planned

    monkeypatch.setattr(duplicates, "_plan", meanwhile)
    assert duplicates.settle(project.pk) == {"compared": 7, "merged": 1, "doubtful": 4}
    assert Merge.objects.get().kept.name.endswith("CHEN")


def test_an_attempt_that_has_to_stop_merges_nothing(project: Project) -> None:
    class Stopped(Exception):
        pass

    def report(done: float, total: float, message: str) -> None:
        if message == "merge":
            raise Stopped

    make_all(project, "林晚", "LIN WAN")
    with pytest.raises(Stopped):
        duplicates.settle(project.pk, on_progress=report)
    assert not Merge.objects.exists()


def test_a_project_that_was_deleted_is_left_alone(project: Project) -> None:
    make_all(project, "林晚", "LIN WAN")
    Project.objects.filter(pk=project.pk).update(deleted_at=timezone.now())
    with pytest.raises(ProjectDeleted):
        duplicates.settle(project.pk)


@pytest.mark.parametrize("aliases", [0, "SARAH", {"a": 1}, [1, None, ["x"]], ["", "  "], ["x" * 5000]])
def test_other_names_may_be_anything_that_a_row_can_hold(project: Project, aliases: Any) -> None:
    make_asset(project, "SARAH CHEN", aliases=aliases)
    make_asset(project, "DR. SARAH CHEN", aliases=aliases)
    assert duplicates.settle(project.pk)["merged"] == 1


# -- whatever the assets are -----------------------------------------------------------------------------

_assets = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(_TANGLED),
            "aliases": st.lists(st.sampled_from(_TANGLED), max_size=2),
            "description": st.sampled_from(["", "人称林总"]),
            "gender": st.sampled_from(["", "", "male", "female"]),
            "age": st.sampled_from(["", "20", "35", "50"]),
        }
    ),
    max_size=9,
    unique_by=lambda said: str(said["name"]).casefold(),
)
_scenes = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(_PLACES), "time": st.sampled_from(["", "day", "night", "日"])}),
    max_size=4,
    unique_by=lambda said: (said["name"], said["time"]),
)
_on_rows = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def make_drawn(characters: list[dict[str, Any]], scenes: list[dict[str, Any]]) -> Project:
    project = make_project()
    episode = make_episode(project)
    for number, said in enumerate(characters):
        make_appearance(make_asset(project, **said), episode, scene_index=number % 3, lines=number % 2)
    for said in scenes:
        make_asset(project, kind=Kind.SCENE, **said)
    return project


@_on_rows
@given(_assets, _scenes)
def test_over_its_own_outcome_it_finds_nothing_more(characters: Any, scenes: Any) -> None:
    project = make_drawn(characters, scenes)
    duplicates.settle(project.pk)
    before = rows_of(project)
    assert duplicates.settle(project.pk)["merged"] == 0
    assert rows_of(project) == before


@_on_rows
@given(_assets, _scenes, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4), st.randoms())
def test_all_merges_undone_in_any_order_restore_every_row(
    characters: Any, scenes: Any, by_hand: list[tuple[int, int]], luck: Any
) -> None:
    project = make_drawn(characters, scenes)
    before = {name: rows for name, rows in rows_of(project).items() if name != "likenesses"}
    duplicates.settle(project.pk)
    there = list(Asset.objects.filter(project=project).order_by("pk"))
    for one, other in by_hand:
        if max(one, other) < len(there) and merging_is_possible(there[one], there[other]):
            merging.merge(fresh(there[one]), fresh(there[other]), by=None)
    undo_all(project, luck)
    assert {name: rows for name, rows in rows_of(project).items() if name != "likenesses"} == before
    assert not Likeness.objects.filter(project=project, state=LikenessState.MERGED).exists()
    assert duplicates.settle(project.pk)["compared"] == len(there)


def merging_is_possible(one: Asset, other: Asset) -> bool:
    return one != other and one.kind == other.kind and not fresh(one).merged_into and not fresh(other).merged_into


def undo_all(project: Project, luck: Any) -> None:
    while left := list(Merge.objects.filter(project=project, undone_at=None, kept__merged_into=None).order_by("pk")):
        merging.undo(luck.choice(left), by=None)
    assert not Merge.objects.filter(project=project, undone_at=None).exists()


# -- several at once -------------------------------------------------------------------------------------


def together(*acts: Any) -> list[Any]:
    """What each gave, or the class of what it raised; all begin at the same moment."""
    gate = threading.Barrier(len(acts))

    def run(act: Any) -> Any:
        try:
            gate.wait(timeout=60)
            return act()
        except Exception as error:  # noqa: BLE001  the outcome
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_of_several_merges_of_the_same_two_at_once_one_is_made(project: Project, ann: User) -> None:
    one, other = make_all(project, "SARAH", "SARAH CHEN")
    alike = make_likeness(one, other)
    make_appearance(one)
    outcomes = together(
        lambda: merging.merge_alike(alike, by=ann) and "merged",
        lambda: merging.merge(one, other, by=ann) and "merged",
        lambda: merging.merge(other, one, by=ann) and "merged",
        lambda: merging.merge_alike(alike, by=ann) and "merged",
    )
    assert outcomes.count("merged") == 1
    assert set(outcomes) <= {"merged", "AssetMerged", "LikenessDecided"}
    merge = Merge.objects.get()
    assert Appearance.objects.get().asset == merge.kept


@pytest.mark.django_db(transaction=True)
def test_of_several_undos_at_once_one_is_made(project: Project, ann: User) -> None:
    merge = merging.merge(*make_all(project, "SARAH", "SARAH CHEN"), by=ann)
    outcomes = together(*[lambda: merging.undo(merge, by=ann)] * 3)
    assert sorted(map(str, outcomes)) == ["MergeUndone", "MergeUndone", "None"]


@pytest.mark.django_db(transaction=True)
def test_several_at_once_do_it_once(project: Project) -> None:
    make_all(project, "林晚", "LIN WAN", "林晚老师", "DR. CHEN", "DOCTOR CHEN")
    outcomes = together(*[lambda: duplicates.settle(project.pk)["merged"]] * 3)
    assert sorted(outcomes) == [0, 0, 3]
    assert Merge.objects.count() == 3
