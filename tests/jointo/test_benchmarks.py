"""The benchmarks run, and end as their readers expect. What they measure is nothing for a test."""

from __future__ import annotations

import json
import subprocess
import sys

from tests import environment


def last_line(name: str, *options: str) -> dict[str, float]:
    argv = [sys.executable, "-m", f"benchmarks.{name}", "--rounds", "1", *options]
    done = subprocess.run(argv, cwd=environment.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_ladder_is_measured_against_one_command_and_against_a_process_a_rung() -> None:
    ratios = last_line("ladder", "--seconds", "2")
    assert set(ratios) == {"cpu_vs_one_command", "cpu_vs_process_a_rung"}
    assert all(ratio > 0 for ratio in ratios.values())


def test_an_upload_is_measured_against_a_plain_write() -> None:
    ratios = last_line("upload", "--size", "32")
    assert {"cpu_vs_plain_write", "peak_rss_mib"} <= set(ratios)
    assert all(ratio > 0 for ratio in ratios.values())
