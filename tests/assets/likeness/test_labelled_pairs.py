"""The labelled pairs: what is merged by itself is never wrong, and hardly anything that is the same is overlooked."""

from __future__ import annotations

import sys

import pytest

from assets.likeness import Verdict, compare
from tests.assets.likeness.labelled import Labelled, pairs

PAIRS = list(pairs())


def found(verdict: Verdict) -> list[Labelled]:
    return [pair for pair in PAIRS if compare(pair.one, pair.other).verdict is verdict]


def share(of: list[Labelled], among: list[Labelled]) -> float:
    return len(of) / len(among)


def named(several: list[Labelled]) -> str:
    return "".join(f"\n  {pair}" for pair in several)


def test_precision_and_recall_on_the_labelled_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    certain, doubtful = found(Verdict.CERTAIN), found(Verdict.DOUBTFUL)
    same = [pair for pair in PAIRS if pair.same]
    seen = [pair for pair in (*certain, *doubtful) if pair.same]
    wrong = [pair for pair in certain if not pair.same]
    missed = [pair for pair in same if pair not in seen]
    with capsys.disabled():
        sys.stdout.write(
            f"\nlikeness: {len(PAIRS)} labelled pairs, {len(same)} the same;"
            f" certain {len(certain)}, precision {share([p for p in certain if p.same], certain):.3f},"
            f" recall {share([p for p in certain if p.same], same):.3f};"
            f" with the doubtful {len(certain) + len(doubtful)},"
            f" precision {share(seen, [*certain, *doubtful]):.3f}, recall {share(seen, same):.3f}\n"
        )
    assert len(PAIRS) >= 200
    assert not wrong, f"merged by themselves, though they are two: {named(wrong)}"
    assert share(seen, same) >= 0.95, f"overlooked: {named(missed)}"
    assert share([pair for pair in certain if pair.same], same) >= 0.45
    assert share(seen, [*certain, *doubtful]) >= 0.85


@pytest.mark.parametrize("kind", ["character", "scene", "prop"])
def test_no_kind_is_left_to_the_others(kind: str) -> None:
    same = [pair for pair in PAIRS if pair.same and pair.one.kind == kind]
    missed = [pair for pair in same if compare(pair.one, pair.other).verdict is Verdict.DIFFERENT]
    assert share(missed, same) <= 0.1, named(missed)


def test_it_makes_no_difference_which_comes_first() -> None:
    for pair in PAIRS:
        assert compare(pair.one, pair.other) == compare(pair.other, pair.one), str(pair)
