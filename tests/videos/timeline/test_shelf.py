"""Parts come and go whole, whoever else is there and whoever dies; the shelf never stays fuller than it may be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from videos.timeline.reuse import digest
from videos.timeline.shelf import Shelf

KEEPS_FOR_EVER = """
import itertools, sys
from pathlib import Path
from videos.timeline.shelf import Shelf
shelf, part = Shelf(Path(sys.argv[1]), most=2**40), Path(sys.argv[2])
for number in itertools.count():
    shelf.keep(f"{number:064d}", part)
    print(number, flush=True)
"""


@pytest.fixture(params=["the same file system", "another file system"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    if request.param == "the same file system":
        yield tmp_path / "shelf"
        return
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system here")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name) / "shelf"


def key(number: int) -> str:
    return f"{number:02d}".ljust(64, "0")


def make_part(tmp_path: Path, number: int, *, size: int = 100) -> Path:
    path = tmp_path / f"part-{number}.mp4"
    path.write_bytes(bytes([number]) * size)
    return path


def there(shelf: Shelf, tmp_path: Path, *numbers: int) -> list[int]:
    found = []
    for number in numbers:
        target = tmp_path / "taken.mp4"
        if shelf.take(key(number), target):
            assert target.read_bytes()[:1] == bytes([number])
            found.append(number)
        target.unlink(missing_ok=True)
    return found


def age(folder: Path, number: int, seconds: float) -> None:
    (path,) = folder.glob(f"*/{key(number)}.*")
    os.utime(path, (seconds, seconds))


def test_a_part_is_taken_as_it_was_kept(folder: Path, tmp_path: Path) -> None:
    shelf = Shelf(folder, most=1000)
    assert not shelf.take(key(1), tmp_path / "taken.mp4")
    shelf.keep(key(1), make_part(tmp_path, 1))
    shelf.keep(key(1), tmp_path / "part-1.mp4")
    (tmp_path / "part-1.mp4").unlink()
    assert there(shelf, tmp_path, 1, 2) == [1]
    assert len(list(folder.glob("*/*"))) == 1


def test_those_that_were_not_used_for_the_longest_go_when_there_is_no_more_room(folder: Path, tmp_path: Path) -> None:
    shelf = Shelf(folder, most=1000)
    for number in range(10):
        shelf.keep(key(number), make_part(tmp_path, number))
        age(folder, number, 1000 + number)
    assert there(shelf, tmp_path, 0) == [0], "and it is used now"
    shelf.keep(key(10), make_part(tmp_path, 10))
    assert there(shelf, tmp_path, *range(11)) == [0, *range(3, 11)]
    shelf.keep(key(11), make_part(tmp_path, 11, size=2000))
    assert there(shelf, tmp_path, 11) == [], "larger than all of it"


def test_what_others_have_kept_meanwhile_counts_too(folder: Path, tmp_path: Path) -> None:
    shelf, other = Shelf(folder, most=1000), Shelf(folder, most=1000)
    for number in range(8):
        (shelf, other)[number % 2].keep(key(number), make_part(tmp_path, number, size=200))
    assert sum(path.stat().st_size for path in folder.glob("*/*")) <= 2000
    shelf.tidy()
    assert sum(path.stat().st_size for path in folder.glob("*/*")) <= 1000


def test_tidying_removes_what_is_old_and_what_is_too_much(folder: Path, tmp_path: Path) -> None:
    shelf = Shelf(folder, most=1000)
    assert shelf.tidy() == 0
    for number in range(6):
        shelf.keep(key(number), make_part(tmp_path, number))
        age(folder, number, 1000 + number)
    assert shelf.tidy(unused_since=1002) == 2
    assert Shelf(folder, most=300).tidy() == 1
    assert there(shelf, tmp_path, *range(6)) == [3, 4, 5]
    assert Shelf(folder, most=0).tidy() == 3


def test_many_may_keep_and_take_at_once(folder: Path, tmp_path: Path) -> None:
    bad: list[str] = []
    parts = [make_part(tmp_path, number, size=50_000) for number in range(4)]

    def work(number: int) -> None:
        shelf = Shelf(folder, most=120_000)  # two of four
        for turn in range(60):
            target = tmp_path / f"taken-{number}-{turn}.mp4"
            which = (number + turn) % 4
            if shelf.take(key(which), target):
                if target.read_bytes() != parts[which].read_bytes():
                    bad.append(f"{which} in turn {turn}")
            else:
                shelf.keep(key(which), parts[which])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not bad
    assert not list(folder.glob("*/.*")), "no draft is left"


def test_a_worker_that_is_killed_leaves_only_whole_parts(folder: Path, tmp_path: Path) -> None:
    part = make_part(tmp_path, 1, size=3_000_000)
    worker = subprocess.Popen(
        [sys.executable, "-c", KEEPS_FOR_EVER, str(folder), str(part)], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout
    for _ in range(5):
        worker.stdout.readline()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    kept = list(folder.glob("*/[0-9]*"))
    assert len(kept) >= 5
    assert {digest(path) for path in kept} == {digest(part)}
    assert Shelf(folder, most=0).tidy() >= len(kept)
    assert not list(folder.glob("*/*")), "nor anything that was left half written"


def test_a_shelf_that_can_not_be_written_to_keeps_nothing_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "shelf").write_text("no folder")
    shelf = Shelf(tmp_path / "shelf", most=1000)
    shelf.keep(key(1), make_part(tmp_path, 1))
    assert there(shelf, tmp_path, 1) == []
    assert shelf.tidy() == 0
