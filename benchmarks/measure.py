"""What all benchmarks share: sides that take turns, medians, the table, and the last line.

CPU is user + system, in seconds, of all processes that a side needs.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
ROOT = Path(__file__).resolve().parent.parent

Figures = dict[str, float]
Rounds = dict[str, list[Figures]]


@dataclass(frozen=True)
class Side:
    """One way to do the work; `run` does it once, and gives the same figures each time."""

    name: str
    run: Callable[[], Figures]


def interleaved(sides: Sequence[Side], *, rounds: int) -> Rounds:
    """Every side once a round, each round begun by another one: what the machine does beside hits all alike."""
    found: Rounds = {side.name: [] for side in sides}
    for number in range(rounds):
        first = number % len(sides)
        for side in [*sides[first:], *sides[:first]]:
            print(f"round {number + 1} of {rounds}: {side.name}", file=sys.stderr)
            found[side.name].append(side.run())
    return found


def median(found: Rounds, side: str, column: str) -> float:
    return statistics.median(figures[column] for figures in found[side])


def ratio(found: Rounds, side: str, to: str, *, column: str) -> float:
    """One side's median over another's."""
    return median(found, side, column) / median(found, to, column)


def report(title: str, notes: Sequence[str], found: Rounds, ratios: Mapping[str, float]) -> None:
    """Print what was measured and on what, every round, and as the last line the ratios as JSON."""
    print(f"# {title}\n")
    for note in [*_machine(), *notes]:
        print(f"- {note}")
    print()
    for line in _table(found):
        print(line)
    print()
    print(json.dumps({key: round(value, 4) for key, value in ratios.items()}))


def cpu_of(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def environment(folder: Path) -> dict[str, str]:
    """Jointo with its defaults, and with its data, its SQLite database and its broker in `folder` and in memory.

    Nothing of the caller's own settings: whoever runs a benchmark measures the same.
    """
    ours = ("JOINTO_", "CELERY_", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "DJANGO_SETTINGS_MODULE": "jointo.settings",
        "JOINTO_ENV_FILE": "",
        "JOINTO_SECRET_KEY": "a key for benchmarks, and for nothing else at all",
        "JOINTO_DATA_DIR": str(folder),
        "JOINTO_BROKER_URL": "memory://",
        "JOINTO_LOG_LEVEL": "WARNING",
    }


def _machine() -> Iterator[str]:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    yield f"{_processor()}, {os.cpu_count()} processors, Linux {platform.release()}, Python {platform.python_version()}"
    yield f"load of the machine at the end: {load}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _table(found: Rounds) -> Iterator[str]:
    columns = list(next(iter(found.values()))[0])
    rows = [["side", "round", *columns]]
    for side, rounds in found.items():
        for number, figures in enumerate(rounds, 1):
            rows.append([side, str(number), *(f"{figures[column]:.2f}" for column in columns)])
        rows.append([side, "median", *(f"{median(found, side, column):.2f}" for column in columns)])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        yield "  ".join(cells)
