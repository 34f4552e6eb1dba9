"""Findings of readers and models in one shape: united, put together, cut to what tables hold. Plain Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assets import findings, names
from assets.findings import Finding, Findings, Spot
from assets.schema import SCHEMA
from assets.scripts import break_down, read
from tests.assets.builders import SCRIPT
from tests.assets.model_server import character, empty, scene


def of(kind: str, found: Findings) -> dict[str, Finding]:
    return {thing.name: thing for thing in found.things if thing.kind == kind}


def test_the_readers_breakdown_says_who_speaks_where_and_how_much() -> None:
    found = findings.of_breakdown(break_down(read(SCRIPT)))
    tom = of("character", found)["TOM"]
    assert [(spot.scene_index, spot.first_line, spot.lines) for spot in tom.spots] == [(0, 8, 1), (1, 13, 1)]
    assert tom.first_line == 8
    assert found.scenes == 2
    assert of("scene", found)["STREET"].spots[0].scene_heading == "EXT. STREET - NIGHT"


def test_the_same_place_at_the_same_time_is_one_scene_and_another_time_is_another() -> None:
    script = "INT. HALL - DAY\n\nA.\n\nINT. HALL - NIGHT\n\nB.\n\nEXT. HALL - DAY\n\nC.\n\nINT. HALL - DAY\n\nD.\n"
    found = findings.of_breakdown(break_down(read(script)))
    halls = [thing for thing in found.things if thing.kind == "scene"]
    assert [(hall.time, hall.place, len(hall.spots)) for hall in halls] == [
        ("day", "inside", 2),
        ("night", "inside", 1),
        ("day", "outside", 1),
    ]


def test_parts_are_put_together_with_their_scenes_counted_on() -> None:
    one = findings.of_answer(
        empty(scenes=[scene("A"), scene("B", first_line=2)], characters=[character("Sarah", role="minor")]), "A\nB"
    )
    other = findings.of_answer(
        empty(
            scenes=[scene("A", first_line=3)],
            characters=[character("SARAH", role="lead", age="30", aliases=["Sas"], first_line=3)],
        ),
        "A",
        first_line=3,
    )
    found = findings.put_together([one, other])
    (sarah,) = of("character", found).values()
    assert (sarah.name, sarah.role, sarah.age, sarah.aliases) == ("Sarah", "lead", "30", ("Sas",))
    assert [spot.scene_index for spot in sarah.spots] == [0, 2]
    assert [spot.scene_index for spot in of("scene", found)["A"].spots] == [0, 2]
    assert found.scenes == 3


def test_lines_outside_of_the_text_and_scenes_that_are_not_there_are_left_out() -> None:
    said = empty(scenes=[scene("A", first_line=99)], characters=[character("B", scenes=[0, 0, 5, -1], first_line=-3)])
    found = findings.of_answer(said, "A B", first_line=1)
    (spot,) = of("character", found)["B"].spots
    assert (spot.scene_index, spot.first_line) == (0, None)


def test_what_has_no_name_is_left_out_and_long_names_are_cut() -> None:
    said = empty(characters=[character(" "), character("x" * 500, description="y" * 9999, aliases=["", "z" * 500])])
    (thing,) = findings.of_answer(said, "").things
    assert (len(thing.name), len(thing.description), [len(alias) for alias in thing.aliases]) == (200, 2000, [200])


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            Finding,
            kind=st.sampled_from(["character", "prop"]),
            name=st.text(max_size=8),
            aliases=st.lists(st.text(max_size=4), max_size=3).map(tuple),
            spots=st.lists(st.builds(Spot, scene_index=st.integers(0, 3)), max_size=3).map(tuple),
        ),
        max_size=8,
    )
)
def test_whatever_is_put_together_each_thing_is_there_once_and_each_scene_once(things: list[Finding]) -> None:
    found = findings.put_together([Findings(things=(thing,)) for thing in things])
    keys = [(thing.kind, thing.normal) for thing in found.things]
    assert len(keys) == len(set(keys))
    assert all(normal for _, normal in keys)
    for thing in found.things:
        scenes = [spot.scene_index for spot in thing.spots]
        assert len(scenes) == len(set(scenes))
        assert names.normal(thing.name) not in {names.normal(alias) for alias in thing.aliases}
    again = findings.put_together([found])
    assert again.things == found.things


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SARAH", "sarah"),
        ("ＳＡＲＡＨ", "Sarah "),
        ("“Sarah”", "SARAH"),
        ("Mary-Jane", "MARY JANE"),
        ("林 晚", "林　晚"),
    ],
)
def test_names_that_are_only_written_differently_are_one(one: str, other: str) -> None:
    assert names.normal(one) == names.normal(other)


@pytest.mark.parametrize(("one", "other"), [("GUARD 1", "GUARD 2"), ("林晚", "林晚晚"), ("?", "!"), ("José", "Jose")])
def test_names_that_are_different_stay_so(one: str, other: str) -> None:
    assert names.normal(one) != names.normal(other)


def test_the_schema_is_one_and_closed_all_the_way() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    def objects(part: Any) -> list[Any]:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
        here = [part] if isinstance(part, dict) and part.get("type") == "object" else []
        return here + [one for entry in inner for one in objects(entry)]

    found = objects(SCHEMA)
    assert len(found) == 4
    for one in found:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
