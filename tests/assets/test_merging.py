"""Two assets become one, and two again: nothing is lost on the way, and nobody is in two places."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from assets import duplicates, errors, merging
from assets.models import Appearance, Asset, Episode, Extracted, Extraction, Kind, Likeness, LikenessState, Merge
from jobs.errors import JointoError
from tests.assets.builders import make_appearance, make_asset, make_episode, make_likeness, make_project
from videos.errors import ProjectDeleted
from videos.models import Medium, Project

pytestmark = pytest.mark.django_db

_VOLATILE = ("updated_at", "created_at")


@pytest.fixture
def project(ann: User) -> Project:
    return make_project(ann)


def rows_of(project: Project, *, but: tuple[int, int] | None = None) -> dict[str, list[dict[str, Any]]]:
    """All rows that a merge may touch, as they are; without the likeness of one pair."""
    likenesses = Likeness.objects.filter(project=project)
    if but:
        likenesses = likenesses.exclude(first=min(but), second=max(but))
    tables: dict[str, Any] = {
        "assets": Asset.objects.filter(project=project),
        "appearances": Appearance.objects.filter(episode__project=project),
        "extracted": Extracted.objects.filter(extraction__episode__project=project),
        "likenesses": likenesses,
    }
    return {
        name: [{key: row[key] for key in row if key not in _VOLATILE} for row in rows.order_by("pk").values()]
        for name, rows in tables.items()
    }


def make_crowd(project: Project, *names: str) -> list[Asset]:
    """Assets with everything that can be moved: they appear, were extracted, are described, and look alike."""
    episode = make_episode(project)
    extraction = Extraction.objects.create(episode=episode, attempt=1, model="offline", status="completed")
    several = []
    for number, name in enumerate(names):
        said = {"description": f"about {name}", "voice": f"voice of {name}"} if number else {}
        asset = make_asset(project, name, aliases=[f"{name} too", "shared"][: 1 + number % 2], **said)
        make_appearance(asset, episode, scene_index=number, lines=number)
        make_appearance(asset, episode, scene_index=number + 100)
        Extracted.objects.create(
            extraction=extraction, kind=asset.kind, name=name, payload={"name": name}, confidence=1.0, asset=asset
        )
        several.append(asset)
    for one, other in itertools.combinations(several, 2):
        make_likeness(one, other, reasons=[f"{one} and {other}"])
    return several


def fresh(asset: Asset) -> Asset:
    return Asset.objects.get(pk=asset.pk)


# -- merging ---------------------------------------------------------------------------------------------


def test_what_is_merged_appears_where_both_did_and_is_called_what_both_were(ann: User, project: Project) -> None:
    kept, absorbed = make_crowd(project, "SARAH", "SARAH CHEN")
    merging.merge(kept, absorbed, by=ann)
    assert Appearance.objects.filter(asset=kept).count() == 4
    assert not Appearance.objects.filter(asset=absorbed).exists()
    now = fresh(kept)
    assert now.aliases == ["SARAH too", "SARAH CHEN", "SARAH CHEN too", "shared"]
    assert (now.description, now.voice) == ("about SARAH CHEN", "voice of SARAH CHEN")
    assert fresh(absorbed).merged_into == kept
    assert Likeness.objects.get().state == LikenessState.MERGED


def test_what_an_asset_has_it_keeps(ann: User, project: Project) -> None:
    kept = make_asset(project, "SARAH", description="a surgeon", gender="female")
    absorbed = make_asset(project, "DR. CHEN", description="somebody", gender="male", age="30")
    merging.merge(kept, absorbed, by=ann)
    now = fresh(kept)
    assert (now.description, now.gender, now.age) == ("a surgeon", "female", "30")


def test_a_picture_goes_over_to_an_asset_that_has_none_and_comes_back(ann: User, project: Project) -> None:
    picture = Medium.objects.create(owner=ann, kind=Medium.Kind.STILL, source_size=1)
    kept, absorbed = make_asset(project, "SARAH"), make_asset(project, "DR. CHEN", picture=picture)
    merge = merging.merge(kept, absorbed, by=ann)
    assert fresh(kept).picture == picture
    merging.undo(merge, by=ann)
    assert (fresh(kept).picture, fresh(absorbed).picture) == (None, picture)


def test_of_two_that_look_alike_the_better_known_stays_unless_somebody_says(ann: User, project: Project) -> None:
    short, whole = make_asset(project, "SARAH"), make_asset(project, "SARAH CHEN")
    merge = merging.merge_alike(make_likeness(short, whole), by=ann)
    assert (merge.kept, merge.absorbed, merge.by) == (whole, short, ann)
    merging.undo(merge, by=ann)
    assert merging.merge_alike(Likeness.objects.get(), by=ann, keep=short).kept == short


def test_one_that_somebody_has_worked_on_stays(ann: User, project: Project) -> None:
    edited = make_asset(project, "SARAH", edited_at=timezone.now())
    assert merging.merge_alike(make_likeness(edited, make_asset(project, "SARAH CHEN")), by=ann).kept == edited


def test_whoever_is_part_of_another_goes_along_with_it(ann: User, project: Project) -> None:
    first, second, third = make_crowd(project, "A A", "B B", "C C")
    merging.merge(second, third, by=ann)
    merging.merge(first, second, by=ann)
    assert {asset.merged_into_id for asset in Asset.objects.filter(pk__in=[second.pk, third.pk])} == {first.pk}
    assert Appearance.objects.filter(asset=first).count() == 6


def test_a_question_about_one_that_was_merged_is_about_the_one_it_is_part_of(ann: User, project: Project) -> None:
    first, second, third = (make_asset(project, name) for name in ("SARAH", "SARAH CHEN", "DR. CHEN"))
    asked = make_likeness(second, third, score=0.6, reasons=["why"])
    merging.merge(first, second, by=ann)
    new = Likeness.objects.get(first=first, second=third)
    assert (new.state, new.score, new.reasons) == (LikenessState.OPEN, 0.6, ["why"])
    merged = merging.merge_alike(asked, by=ann, keep=third)
    assert (merged.kept, merged.absorbed) == (third, first)
    assert set(Likeness.objects.values_list("state", flat=True)) == {LikenessState.MERGED}


@pytest.mark.parametrize("spoil", ["kind", "project", "itself", "merged", "deleted", "project deleted"])
def test_what_cannot_be_merged_is_refused_and_nothing_changes(ann: User, project: Project, spoil: str) -> None:
    kept, absorbed = make_crowd(project, "SARAH", "SARAH CHEN")
    refused: type[JointoError] = errors.AssetsDiffer
    if spoil == "kind":
        absorbed = make_asset(project, "SARAH", kind=Kind.PROP)
    elif spoil == "project":
        absorbed = make_asset(make_project(ann), "SARAH")
    elif spoil == "itself":
        absorbed = kept
    elif spoil == "merged":
        merging.merge(make_asset(project, "OTHER ONE"), absorbed, by=ann)
        refused = errors.AssetMerged
    elif spoil == "deleted":
        Asset.objects.filter(pk=absorbed.pk).update(deleted_at=timezone.now())
        refused = errors.AssetDeleted
    else:
        Project.objects.filter(pk=project.pk).update(deleted_at=timezone.now())
        refused = ProjectDeleted
    before, merges = rows_of(project), Merge.objects.count()
    with pytest.raises(refused):
        merging.merge(kept, absorbed, by=ann)
    assert (rows_of(project), Merge.objects.count()) == (before, merges)


def test_a_second_merge_of_the_same_two_is_refused(ann: User, project: Project) -> None:
    alike = make_likeness(make_asset(project, "SARAH"), make_asset(project, "SARAH CHEN"))
    merging.merge_alike(alike, by=ann)
    with pytest.raises(errors.LikenessDecided):
        merging.merge_alike(alike, by=ann)
    with pytest.raises(errors.LikenessDecided):
        merging.keep_apart(alike, by=ann)
    assert Merge.objects.count() == 1


def test_a_question_that_is_gone_is_answered_by_nobody(ann: User, project: Project) -> None:
    alike = make_likeness(make_asset(project, "SARAH"), make_asset(project, "SARAH CHEN"))
    Likeness.objects.all().delete()
    with pytest.raises(errors.LikenessGone):
        merging.merge_alike(alike, by=ann)


# -- undoing ---------------------------------------------------------------------------------------------


def test_undoing_a_merge_restores_every_row(ann: User, project: Project) -> None:
    kept, absorbed, *_ = make_crowd(project, "SARAH", "SARAH CHEN", "DR. CHEN")
    before = rows_of(project, but=(kept.pk, absorbed.pk))
    merge = merging.merge(kept, absorbed, by=ann)
    assert rows_of(project, but=(kept.pk, absorbed.pk)) != before
    merging.undo(merge, by=ann)
    assert rows_of(project, but=(kept.pk, absorbed.pk)) == before


def test_what_was_undone_is_kept_apart(ann: User, project: Project) -> None:
    kept, absorbed = make_asset(project, "DR. CHEN"), make_asset(project, "DOCTOR CHEN")
    assert duplicates.settle(project.pk)["merged"] == 1
    merging.undo(Merge.objects.get(), by=ann)
    decided = Likeness.objects.get()
    assert (decided.state, decided.decided_by) == (LikenessState.KEPT_APART, ann)
    assert duplicates.settle(project.pk) == {"compared": 2, "merged": 0, "doubtful": 0}
    assert not fresh(kept).merged_into and not fresh(absorbed).merged_into


def test_a_merge_is_undone_once(ann: User, project: Project) -> None:
    merge = merging.merge(make_asset(project, "SARAH"), make_asset(project, "SARAH CHEN"), by=ann)
    merging.undo(merge, by=ann)
    with pytest.raises(errors.MergeUndone):
        merging.undo(merge, by=ann)


def test_merges_into_one_asset_are_undone_in_any_order(ann: User, project: Project) -> None:
    several = make_crowd(project, "A A", "B B", "C C", "D D")
    kept, *others = several
    before = rows_of(project)["assets"], rows_of(project)["appearances"]
    for order in itertools.permutations(range(3)):
        merges = [merging.merge(kept, other, by=ann) for other in others]
        for number in order:
            merging.undo(merges[number], by=ann)
        assert (rows_of(project)["assets"], rows_of(project)["appearances"]) == before, order


def test_after_an_undo_in_the_middle_it_is_as_if_that_merge_had_never_been(ann: User, project: Project) -> None:
    kept, second, third = make_crowd(project, "A A", "B B", "C C")
    Asset.objects.filter(pk=third.pk).update(aliases=["B B too", "shared"])
    first = merging.merge(kept, second, by=ann)
    merging.merge(kept, third, by=ann)
    merging.undo(first, by=ann)
    now = fresh(kept)
    assert set(now.aliases) == {"A A too", "C C", "B B too", "shared"}
    assert (now.description, now.voice) == ("about C C", "voice of C C")


def test_what_was_changed_since_stays(ann: User, project: Project) -> None:
    kept = make_asset(project, "SARAH")
    merge = merging.merge(kept, make_asset(project, "SARAH CHEN", description="a surgeon", age="30"), by=ann)
    Asset.objects.filter(pk=kept.pk).update(description="a pilot", aliases=["SARAH CHEN", "SALLY"])
    merging.undo(merge, by=ann)
    now = fresh(kept)
    assert (now.description, now.age, now.aliases) == ("a pilot", "", ["SALLY"])


def test_a_merge_under_another_says_what_has_to_be_undone_first(ann: User, project: Project) -> None:
    first, second, third, fourth = make_crowd(project, "A A", "B B", "C C", "D D")
    inner = merging.merge(third, fourth, by=ann)
    middle = merging.merge(second, third, by=ann)
    outer = merging.merge(first, second, by=ann)
    with pytest.raises(errors.MergeCovered) as refused:
        merging.undo(inner, by=ann)
    assert refused.value.details == {"undo_first": [outer.pk, middle.pk]}
    for pk in refused.value.details["undo_first"]:
        merging.undo(Merge.objects.get(pk=pk), by=ann)
    merging.undo(inner, by=ann)
    assert not Asset.objects.filter(project=project).exclude(merged_into=None).exists()


def test_what_was_found_under_the_absorbed_name_since_goes_back_with_it(ann: User, project: Project) -> None:
    kept, absorbed = make_crowd(project, "SARAH", "SARAH CHEN")
    merge = merging.merge(kept, absorbed, by=ann)
    later = make_appearance(fresh(absorbed), make_episode(project), scene_index=7)
    assert later.asset == kept
    merging.undo(merge, by=ann)
    assert Appearance.objects.get(pk=later.pk).asset == absorbed


def test_what_is_part_of_the_absorbed_one_goes_back_with_it(ann: User, project: Project) -> None:
    first, second, third = make_crowd(project, "A A", "B B", "C C")
    merging.merge(second, third, by=ann)
    within = rows_of(project)["assets"], rows_of(project)["appearances"]
    merging.undo(merging.merge(first, second, by=ann), by=ann)
    assert (rows_of(project)["assets"], rows_of(project)["appearances"]) == within
    assert fresh(third).merged_into == second


def test_a_decision_against_is_a_decision_again_after_the_undo(ann: User, project: Project) -> None:
    first, second, third = (make_asset(project, name) for name in ("A A", "B B", "C C"))
    alike = make_likeness(first, third)
    merging.keep_apart(alike, by=ann)
    merging.merge(second, third, by=ann)
    merge = merging.merge(first, second, by=ann)  # whoever does that has changed their mind
    assert Likeness.objects.get(pk=alike.pk).state == LikenessState.MERGED
    merging.undo(merge, by=ann)
    now = Likeness.objects.get(pk=alike.pk)
    assert (now.state, now.decided_by) == (LikenessState.KEPT_APART, ann)


def test_an_episode_that_is_removed_meanwhile_does_not_keep_a_merge_from_being_undone(
    ann: User, project: Project
) -> None:
    kept, absorbed = make_crowd(project, "SARAH", "SARAH CHEN")
    merge = merging.merge(kept, absorbed, by=ann)
    Episode.objects.all().delete()
    merging.undo(merge, by=ann)
    assert fresh(absorbed).merged_into is None
