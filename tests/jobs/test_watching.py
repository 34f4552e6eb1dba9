"""Hundreds of watchers on one web process: each is told all of it, once and in order, whatever becomes of its line."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from benchmarks import watchers_side
from tests.stack import Stack


@pytest.mark.stack
def test_three_hundred_watchers_are_told_everything_once_while_fifty_jobs_move(stack: Stack) -> None:
    web, address = stack.web()
    port = urlsplit(address).port
    assert port

    outcome = asyncio.run(watchers_side.watched(port, watchers=300, jobs=50, seconds=4, seed=1))

    assert len(outcome.watchers) == 300
    assert outcome.broken > 100
    assert (outcome.lost, outcome.doubled, outcome.misplaced) == (0, 0, 0)
    assert "Traceback" not in web.text()
