"""How well scripts are read that were written for it, with their answers beside them."""

from __future__ import annotations

import pytest

from assets.scripts import break_down, read
from assets.scripts.breakdown import Format
from tests.assets.scripts import corpus

BOUNDS = {"fountain": 0.98, "fdx": 0.98, "chinese": 0.95, "messy": 0.85}
FORMATS = {"fountain": {Format.FOUNTAIN}, "fdx": {Format.FDX}, "chinese": {Format.CHINESE}}


@pytest.mark.parametrize("group", corpus.GROUPS)
def test_scripts_of_every_kind_are_read_as_well_as_promised(group: str) -> None:
    score = corpus.score(group)
    assert score.whole >= BOUNDS[group], score.wrong


def test_there_are_enough_scripts_to_say_so() -> None:
    counts = {group: sum(1 for _ in corpus.labelled(group)) for group in corpus.GROUPS}
    assert counts["fountain"] >= 6
    assert counts["fdx"] >= 4
    assert counts["chinese"] >= 10
    assert counts["messy"] >= 6


@pytest.mark.parametrize("group", FORMATS)
def test_formats_are_told_by_what_is_in_the_file_and_not_by_its_name(group: str) -> None:
    for one in corpus.labelled(group):
        script = read(one.path.read_bytes(), name="script" + (".fountain" if group == "fountain" else ""))
        assert script.format in FORMATS[group], one.path.name


def test_a_script_of_final_draft_means_the_same_as_the_fountain_it_becomes() -> None:
    for one in corpus.labelled("fdx"):
        script = read(one.path.read_bytes(), name=one.path.name)
        again = read(script.text, name="again.fountain")
        first, second = break_down(script), break_down(again)
        assert first.scenes == second.scenes, one.path.name
        assert first.characters == second.characters, one.path.name


def test_a_wrong_answer_is_counted_as_one() -> None:
    one = next(corpus.labelled("fountain"))
    total = corpus.Score()
    script = read(one.path.read_text(encoding="utf-8").replace("OLGA", "OLAF"), name=one.path.name)
    corpus.compare(one, script, break_down(script), total)
    assert total.whole < 0.98
    assert total.recall("characters") < 1
    assert total.precision("characters") < 1
