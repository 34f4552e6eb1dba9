"""A merge that is undone is as if it had never been, whatever was extracted in between."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from assets import editing, episodes, merging, saving
from assets.findings import Finding, Findings, Spot
from assets.models import Appearance, Asset, Merge
from tests.assets.builders import make_appearance, make_asset, make_episode, make_project
from videos.models import Project

pytestmark = pytest.mark.django_db

FIELDS = ("description", "gender", "age", "voice", "role")
RECORD = saving.Record(job_id=None, attempt=1, model="offline")


def extract(project: Project, *found: Finding) -> None:
    with episodes.held(make_episode(project).pk) as episode:
        saving.save(episode, Findings(things=found), RECORD)


def person(name: str, scene: int = 0, **said: Any) -> Finding:
    return Finding(kind="character", name=name, spots=(Spot(scene_index=scene, first_line=scene + 1, lines=2),), **said)


def known(project: Project) -> dict[str, Any]:
    """Of each asset what is known of it, and where it appears."""
    said: dict[str, Any] = {}
    for asset in Asset.objects.filter(project=project, merged_into=None):
        places = Appearance.objects.filter(asset=asset).values_list("episode__number", "scene_index", "lines")
        said[asset.normal] = (
            *(getattr(asset, name) for name in FIELDS),
            sorted(asset.aliases),
            sorted(places),
        )
    return said


def fresh(asset: Asset) -> Asset:
    return Asset.objects.get(pk=asset.pk)


def test_what_was_found_of_the_absorbed_one_by_any_of_its_names_goes_back_with_it(ann: User) -> None:
    project = make_project(ann)
    kept, absorbed = make_asset(project, "SARAH"), make_asset(project, "ROBERT", aliases=["BOBBY"])
    make_appearance(kept)
    make_appearance(absorbed, scene_index=1)
    merge = merging.merge(kept, absorbed, by=ann)
    extract(project, person("BOBBY"), person("ROBERT", 1, gender="male", age="50", aliases=("ROBERTO",)))
    assert (fresh(kept).gender, fresh(kept).age, fresh(kept).aliases) == ("male", "50", ["ROBERT", "BOBBY", "ROBERTO"])
    extract(project, person("ROBERTO"))
    merging.undo(merge, by=ann)
    assert known(project) == {
        "sarah": ("", "", "", "", "", [], [(1, 0, 0)]),
        "robert": ("", "male", "50", "", "", ["BOBBY", "ROBERTO"], [(1, 1, 0), (2, 0, 2), (2, 1, 2), (3, 0, 2)]),
    }


def test_what_was_found_of_the_kept_one_itself_is_its_own_although_it_had_it_by_the_merge_before(ann: User) -> None:
    project = make_project(ann)
    kept = make_asset(project, "SARAH")
    merge = merging.merge(kept, make_asset(project, "ROBERT", age="50", aliases=["BOBBY"]), by=ann)
    extract(project, person("SARAH", age="34", aliases=("BOBBY",)))
    assert fresh(kept).age == "50"
    merging.undo(merge, by=ann)
    assert (fresh(kept).age, fresh(kept).aliases) == ("34", ["BOBBY"])


def test_what_one_of_two_has_brought_the_other_brings_as_well_if_it_was_learned_later(ann: User) -> None:
    project = make_project(ann)
    kept, first, second = (make_asset(project, name) for name in ("SARAH", "ROBERT", "TOM"))
    merging.merge(kept, first, by=ann)
    merge = merging.merge(kept, second, by=ann)
    for name, age in (("TOM", "20"), ("ROBERT", "50")):
        extract(project, person(name, age=age))
    assert fresh(kept).age == "20"
    merging.undo(merge, by=ann)
    assert [fresh(asset).age for asset in (kept, first, second)] == ["50", "50", "20"]


def test_a_name_of_one_part_is_found_as_that_part_at_its_own_time_of_day(ann: User) -> None:
    project = make_project(ann)
    kept = make_asset(project, "HALL", kind="scene", time="night")
    absorbed = make_asset(project, "LOBBY", kind="scene", time="day", aliases=["FOYER"])
    merging.merge(kept, absorbed, by=ann)
    extract(project, Finding(kind="scene", name="FOYER", time="day", spots=(Spot(scene_index=0),)))
    assert Appearance.objects.get().found_as == absorbed
    assert Asset.objects.count() == 2


def test_a_name_that_a_person_took_from_the_kept_one_is_not_found_by_way_of_its_parts(ann: User) -> None:
    project = make_project(ann)
    kept = make_asset(project, "SARAH")
    merging.merge(kept, make_asset(project, "ROBERT", aliases=["BOBBY"]), by=ann)
    editing.change(kept, {"aliases": ["ROBERT"]})
    extract(project, person("BOBBY"))
    assert Asset.objects.get(normal="bobby").merged_into is None


@pytest.mark.parametrize("edited", ["kept", "absorbed"])
def test_one_that_a_person_worked_on_is_left_alone_and_nothing_is_learned_by_way_of_it(ann: User, edited: str) -> None:
    project = make_project(ann)
    kept, absorbed = make_asset(project, "SARAH"), make_asset(project, "ROBERT")
    Asset.objects.filter(normal="sarah" if edited == "kept" else "robert").update(edited_at=timezone.now())
    merging.merge(kept, absorbed, by=ann)
    extract(project, person("ROBERT", age="50"))
    assert (fresh(kept).age, fresh(absorbed).age) == ("", "50" if edited == "kept" else "")


@pytest.mark.parametrize("seed", range(12))
def test_merges_that_are_all_undone_leave_no_trace(ann: User, seed: int) -> None:
    """Against a project that is read as often, in which nothing is ever merged."""
    luck = random.Random(seed)
    merging_one, other = make_project(ann), make_project(ann)
    people = {name: [f"{name} {number}" for number in range(3)] for name in ("ANN", "BEN", "CAT", "DAN")}
    for project in (merging_one, other):
        for name, aliases in people.items():
            make_asset(project, name, aliases=aliases[:1])
    words = itertools.count()
    for _ in range(12):
        there = list(Asset.objects.filter(project=merging_one, merged_into=None).order_by("pk"))
        free = list(Merge.objects.filter(project=merging_one, undone_at=None, kept__merged_into=None).order_by("pk"))
        if luck.random() < 0.3 and len(there) > 1:
            merging.merge(*luck.sample(there, 2), by=ann)
        elif luck.random() < 0.2 and free:
            merging.undo(luck.choice(free), by=ann)
        else:
            found = []
            for scene, (name, aliases) in enumerate(luck.sample(sorted(people.items()), 2)):
                said = {field: f"{next(words)}" for field in FIELDS if luck.random() < 0.3}
                called = luck.choice([name, name, aliases[0]])
                found.append(person(called, scene, aliases=tuple(luck.sample(aliases, luck.randrange(3))), **said))
            for project in (merging_one, other):
                extract(project, *found)
    while merges := list(Merge.objects.filter(project=merging_one, undone_at=None, kept__merged_into=None)):
        merging.undo(luck.choice(merges), by=ann)
    assert known(merging_one) == known(other)
