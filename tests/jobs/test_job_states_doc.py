"""docs/job-states.md draws the state machine; the drawing is the machine."""

from __future__ import annotations

import re

from jobs.status import TRANSITIONS
from tests.environment import ROOT


def test_the_documented_moves_are_those_of_the_engine() -> None:
    text = (ROOT / "docs/job-states.md").read_text()
    block = re.search(r"^```transitions\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block, "docs/job-states.md needs a fenced block ```transitions with lines such as: pending -> failed | …"
    drawn: dict[str, set[str]] = {}
    for line in filter(str.strip, block[1].splitlines()):
        before, arrow, afters = line.partition("->")
        assert arrow, line
        assert before.strip() not in drawn, line
        drawn[before.strip()] = {after.strip() for after in afters.split("|")} - {""}
    assert drawn == {str(before): {str(after) for after in afters} for before, afters in TRANSITIONS.items()}
