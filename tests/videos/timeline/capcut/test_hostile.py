"""Drafts that are meant to take long, or much memory: what is read of them is bounded, and what is not is told."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import assert_at_most
from tests.videos.timeline.capcut.drafts import SECOND, Paper, codes, segment
from videos.timeline.capcut import letters, reading
from videos.timeline.capcut.letters import Allowance, Look, Run
from videos.timeline.capcut.reading import Draft, DraftInvalid

LOST = ("video_effects", "plugin_effects", "audio_effects", "manual_deformations")


def hung(count: int, *extras: str, paper: Paper, **about: Any) -> Paper:
    """So many segments of one file, one after the other, with the same things hanging on each."""
    film = paper.video(**about)
    paper.track("video", *(segment(film, number * SECOND, SECOND, *extras) for number in range(count)))
    return paper


def effects(count: int, refs: int = 50) -> Paper:
    """Each reference is that of four effects."""
    paper = Paper()
    ids = [f"E-{number}" for number in range(refs)]
    for sort in LOST:
        for key in ids:
            paper.material(sort, id=key, name=f"{sort} {key}")
    return hung(count, *ids, paper=paper)


def letters_of(*contents: str) -> Paper:
    """A text for each."""
    paper = Paper()
    texts = [paper.material("texts", content=content) for content in contents]
    paper.track("text", *(segment(text, number * SECOND, SECOND) for number, text in enumerate(texts)))
    return paper


def styled(text: str, *styles: dict[str, Any]) -> str:
    return json.dumps({"text": text, "styles": styles})


def load(paper: Paper) -> Draft:
    return reading.load(json.dumps(paper.document()).encode())


def keyframes(name: str, count: int) -> list[dict[str, Any]]:
    said = [{"time_offset": number * SECOND, "values": [number / 100]} for number in range(count)]
    return [{"property_type": f"KFType{name}", "keyframe_list": said}]


def memory(paper: Paper) -> int:
    """Bytes that are taken by what is read, at most; without the draft itself."""
    document = paper.document()
    tracemalloc.start()
    try:
        reading.read(document)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def seconds(paper: Paper) -> float:
    """CPU of this thread, so that others don't count."""
    data = json.dumps(paper.document()).encode()
    began = time.thread_time()
    reading.load(data)
    return time.thread_time() - began


# -- what is told ----------------------------------------------------------------------------------------


def test_of_remarks_the_first_are_kept_and_the_rest_is_counted() -> None:
    draft = load(effects(300, refs=20))
    assert (len(draft.report), draft.more_remarks) == (1000, 300 * 20 * 4 - 1000)
    assert draft.report[-1].path == "tracks[0].segments[12]"
    draft = load(effects(12, refs=20))
    assert (len(draft.report), draft.more_remarks) == (12 * 20 * 4, 0)


def test_many_remarks_take_hardly_any_memory() -> None:
    """As much as those take that are kept: half a kilobyte each."""
    assert memory(effects(1000)) < memory(hung(1000, paper=Paper())) + (1 << 20)


def test_on_a_segment_hang_no_more_than_a_hundred_things_each_of_them_once() -> None:
    """Twenty, in real drafts."""
    assert len(load(effects(1)).report) == 100
    paper = Paper()
    filter_ = paper.material("effects", type="filter")
    assert codes(load(hung(1, *[filter_] * 50, paper=paper))) == ["filter_left_out"]


def test_of_problems_the_first_are_kept_and_the_rest_is_counted() -> None:
    paper = Paper()
    paper.track("video", *[{}] * 20_000)
    document = paper.document()
    tracemalloc.start()
    with pytest.raises(DraftInvalid) as caught:
        reading.read(document)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    details = caught.value.details
    assert (len(details["problems"]), details["count"]) == (50, 20_000)
    assert details["problems"][-1]["path"] == "tracks[0].segments[49].target_timerange"


def test_keyframes_in_compounds_count_each_time_they_are_shown() -> None:
    """A hundred times ten clips, of which each moves by itself, and with the compound."""

    def shown(inner: int, outer: int) -> Paper:
        inside, paper = hung(10, paper=Paper()), Paper()
        for one in inside.tracks[0]["segments"]:
            one["common_keyframes"] = keyframes("PositionX", inner)
        compound, film = paper.material("drafts", draft=inside.document()), paper.video("")
        for number in range(100):
            one = segment(film, number * 10 * SECOND, 10 * SECOND, compound)
            paper.track("video", one | {"common_keyframes": keyframes("Alpha", outer)})
        return paper

    assert sum(1 for _ in load(shown(50, 49)).timeline.clips()) == 100 * 10
    with pytest.raises(DraftInvalid) as caught:
        load(shown(50, 55))
    (problem,) = caught.value.details["problems"]
    assert (problem["path"], "100000 keyframes" in problem["problem"]) == ("tracks[95].segments[0]", True)


def test_a_list_may_be_called_what_it_likes() -> None:
    """Its name is in the path of each of its materials, of which few are ever named."""
    paper = hung(1, paper=Paper())
    for _ in range(1000):
        paper.material("x" * 10_000)
    assert memory(paper) < 5 << 20


# -- letters ---------------------------------------------------------------------------------------------


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every style that is read, and every tag."""
    seen: list[Any] = []

    def watched(read: Callable[..., Look]) -> Callable[..., Look]:
        def reading(*said: Any) -> Look:
            seen.append(said)
            return read(*said)

        return reading

    for name in ("_styled", "_with_tag"):
        monkeypatch.setattr(letters, name, watched(getattr(letters, name)))
    return seen


def test_of_styles_that_lie_over_one_another_one_is_read(looked_at: list[Any]) -> None:
    load(letters_of(*[styled("a" * 5000, *[{}] * 900)] * 10))
    assert len(looked_at) == 10


def test_a_text_is_read_once_however_many_templates_show_it(looked_at: list[Any]) -> None:
    load(templates(240))
    assert len(looked_at) == 20


@pytest.mark.parametrize(
    "content",
    [
        styled("a" * 4000, *({"range": [number, number + 1], "size": 3 + number % 7} for number in range(2000))),
        "<size=3>a<size=4>b" * 1000,
    ],
)
def test_how_a_text_looks_changes_a_thousand_times_and_in_a_draft_fifty_thousand(
    content: str, looked_at: list[Any]
) -> None:
    draft = load(letters_of(content))
    assert len(looked_at) <= 1001
    assert codes(draft) == ["text_approximated"]
    looked_at.clear()
    draft = load(letters_of(*[content] * 100))
    assert len(looked_at) < 51_000
    texts = draft.timeline.tracks[0].texts
    assert {len(text.text) for text in texts} == {len(texts[0].text)}, "the letters are there even so"
    assert codes(draft) == ["text_approximated"] * 100


def test_a_thousand_texts_of_which_each_has_some_changes_are_read_whole() -> None:
    paper = letters_of(*["<b>a</b><i>b</i>" + "<size=8>c</size>" * 8] * 1000)
    draft = load(paper)
    assert {len(text.spans) for text in draft.timeline.tracks[0].texts} == {2}
    assert codes(draft) == []


def test_a_tag_without_an_end_takes_no_longer_than_letters() -> None:
    evil, tame = ("<b>" + before + "a" * 190_000 for before in ("<", " "))
    assert_at_most(64, lambda: seconds(letters_of(*[tame] * 4)), lambda: seconds(letters_of(*[evil] * 4)))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=8), st.integers(0, 12))
def test_the_last_of_the_styles_of_a_letter_is_that_which_counts(ranges: list[tuple[int, int]], length: int) -> None:
    """As if each were painted over the ones before it."""
    painted = [0] * length
    ranges = [(min(first, length), min(after, length)) for first, after in ranges]
    for number, (first, after) in enumerate(ranges):
        painted[first:after] = [number] * max(0, after - first)
    found = list(letters._topmost(ranges, length))
    assert [number for number, first, after in found for _ in range(first, after)] == painted
    assert all(one[2] == other[1] and one[0] != other[0] for one, other in pairwise(found))


def test_runs_beyond_what_is_allowed_are_one() -> None:
    runs = [Run(text=letter, look=Look(opacity=number / 8)) for number, letter in enumerate("abcde")]
    assert letters.fewer(runs, Allowance(left=4)) == runs
    some = letters.fewer(runs, Allowance(left=2))
    assert [(run.text, run.look.opacity) for run in some] == [("a", 0), ("b", 1 / 8), ("cde", 2 / 8)]
    assert [run.text for run in letters.fewer(runs, Allowance(left=0))] == ["abcde"]


# -- how long it takes -----------------------------------------------------------------------------------


def long_numbers(size: int) -> Paper:
    """In a material, which is looked at for each segment."""
    wide = " " * size * 1000
    return hung(size, paper=Paper(), crop={"upper_left_x": wide}, width=wide)


def long_names(size: int) -> Paper:
    wide = " " * size * 4000
    paper = Paper()
    return hung(size, paper.material("transitions", resource_id=wide, effect_id=wide, name=wide), paper=paper)


def long_masks(size: int) -> Paper:
    wide = "A" * size * 4000
    paper = Paper()
    return hung(size, paper.material("masks", resource_id=wide, effect_id=wide, resource_type=wide), paper=paper)


def templates(size: int) -> Paper:
    """Each of them shows the same text, fifty times."""
    paper = Paper()
    size = size // 12
    ranges = ({"range": [number, number + 1], "size": 3 + number % 7} for number in range(size))
    text = paper.material("texts", content=styled("a" * size, *ranges))
    parts = [{"text_material_id": text}] * 50
    shown = [paper.material("text_templates", text_info_resources=parts) for _ in range(size)]
    paper.track("text", *(segment(one, number * SECOND, SECOND) for number, one in enumerate(shown)))
    return paper


@pytest.mark.parametrize("evil", [effects, long_numbers, long_names, long_masks, templates])
def test_sixteen_times_the_draft_is_about_sixteen_times_the_work(evil: Callable[[int], Paper]) -> None:
    """Of what looks at all of something for each of something else it would be 256 times."""
    assert_at_most(64, lambda: seconds(evil(60)), lambda: seconds(evil(960)))
