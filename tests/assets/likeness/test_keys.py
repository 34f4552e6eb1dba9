"""What is alike is found without comparing each with each."""

from __future__ import annotations

from assets.likeness import Verdict, compare
from assets.likeness.keys import keys
from tests.assets.likeness.labelled import pairs


def test_all_labelled_pairs_that_are_alike_have_a_word_in_common_by_which_one_asks_for_the_other() -> None:
    unfound = []
    for pair in pairs():
        if compare(pair.one, pair.other).verdict is Verdict.DIFFERENT:
            continue
        one, other = keys(pair.one), keys(pair.other)
        asked = {key.word for key in one | other if key.asks}
        if not asked & {key.word for key in one} & {key.word for key in other}:
            unfound.append(str(pair))
    assert not unfound
