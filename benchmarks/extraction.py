"""How well the built-in reader reads screenplays: precision and recall of scenes, characters and cast.

The scripts and their answers are those of the tests (tests/assets/scripts/corpus). A scene is right if its line, place,
inside or outside, and time are; one of a cast if he or she is in that scene. Each `*_f1` is the worst of the three.
"""

from __future__ import annotations

import argparse
import functools

from benchmarks import measure
from benchmarks.measure import Figures, Side
from tests.assets.scripts import corpus


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--wrong", action="store_true", help="also print what is read otherwise than the answers have it"
    )
    wanted = parser.parse_args()
    scores = {group: corpus.score(group) for group in corpus.GROUPS}
    if wanted.wrong:
        for score in scores.values():
            print("\n".join(score.wrong))
    sides = [Side(group, functools.partial(_figures, score)) for group, score in scores.items()]
    found = measure.interleaved(sides, rounds=1)
    counts = ", ".join(f"{sum(1 for _ in corpus.labelled(group))} {group}" for group in corpus.GROUPS)
    measure.report(
        "Scripts taken apart: precision (P), recall (R) and F1",
        [f"scripts: {counts}", "what is found has no random part: every round is the same"],
        found,
        {f"{group}_f1": score.whole for group, score in scores.items()},
    )


def _figures(score: corpus.Score) -> Figures:
    figures: Figures = {}
    for kind in corpus.KINDS:
        figures |= {f"{kind} P": score.precision(kind), f"{kind} R": score.recall(kind), f"{kind} F1": score.f1(kind)}
    return figures


if __name__ == "__main__":
    main()
