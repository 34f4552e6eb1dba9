"""Several programs at once: never more than asked for, and none is left however it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType

import psutil
import pytest

from jobs import children
from videos.timeline import crew
from videos.timeline.crew import Abandoned, Call


class Interrupted(Exception):
    pass


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    """Each program is there until it is killed, so that one which was forgotten is found."""
    yield
    assert not [child for child in psutil.Process().children(recursive=True) if child.name() == "sleep"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("film")]


def sleep(folder: Path, call: Call) -> None:
    children.run(["sleep", "1000"], cwd=folder, on_tick=call.check)


def once(condition: Callable[[], bool], error: Exception) -> Callable[[], None]:
    """Raises as soon as it is so."""

    def tick() -> None:
        if condition():
            raise error

    return tick


def sleepers() -> int:
    return sum(child.name() == "sleep" for child in psutil.Process().children(recursive=True))


def test_all_are_done_and_no_more_at_once_than_may_be() -> None:
    lock, now, seen = threading.Lock(), [0], [0]
    meeting = threading.Barrier(3, timeout=60)

    def task(call: Call) -> None:
        with lock:
            now[0] += 1
            seen.append(now[0])
        meeting.wait()
        with lock:
            now[0] -= 1

    ticks: list[int] = []
    crew.work([task] * 9, most=3, on_tick=lambda: ticks.append(now[0]))
    assert (len(seen), max(seen)) == (10, 3)
    assert ticks


def test_what_the_caller_raises_ends_all_of_them(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        crew.work([partial(sleep, tmp_path)] * 5, most=3, on_tick=once(lambda: sleepers() == 3, Interrupted()))


def test_the_first_that_fails_ends_the_others_and_is_what_is_told(tmp_path: Path) -> None:
    def fails(call: Call) -> None:
        while sleepers() < 2:
            call.check()
        children.run(["false"], cwd=tmp_path)

    begun: list[int] = []
    with pytest.raises(children.ChildFailed, match="exit status 1"):
        crew.work(
            [partial(sleep, tmp_path), partial(sleep, tmp_path), fails, lambda call: begun.append(1)],
            most=3,
            on_tick=lambda: None,
        )
    assert not begun


def test_what_a_signal_handler_raises_ends_all_of_them(tmp_path: Path) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR2, handler)
    sent: list[bool] = []

    def tick() -> None:
        if sleepers() == 2 and not sent:
            sent.append(True)
            signal.raise_signal(signal.SIGUSR2)

    try:
        with pytest.raises(Interrupted):
            crew.work([partial(sleep, tmp_path)] * 2, most=2, on_tick=tick)
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_whoever_is_not_wanted_any_more_is_told() -> None:
    call = Call()
    call.check()
    call.off()
    with pytest.raises(Abandoned):
        call.check()
