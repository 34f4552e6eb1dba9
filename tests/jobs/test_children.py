"""What `jobs.children` promises, tried on real processes."""

from __future__ import annotations

import os
import resource
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from jobs import children
from jobs.children import Limits
from jobs.lines import LONGEST_LINE


class Interrupted(Exception):
    """What a signal handler of these tests raises."""


def _raise(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


@pytest.fixture
def interrupting() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, _raise)
    yield
    signal.signal(signal.SIGUSR1, before)


def sh(script: str, *arguments: str) -> list[str]:
    return ["sh", "-c", script, "sh", *arguments]


def alive(pid: int) -> bool:
    """Whether a process still does anything; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def await_end_of(pid: int, *, seconds: float = 20) -> None:
    """Wait until a process that is none of our children has ended."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(process, selectors.EVENT_READ)
        assert selector.select(seconds), f"process {pid} is still there"
    os.close(process)


def pids_to(found: list[int]) -> Callable[[str], bool]:
    """An `on_line` that notes the numbers it reads, and interrupts this process once it has read one."""

    def note(line: str) -> bool:
        found.append(int(line))
        os.kill(os.getpid(), signal.SIGUSR1)
        return True

    return note


def test_what_a_program_says_is_handed_back(tmp_path: Path) -> None:
    finished = children.run(sh("echo out; echo err >&2"), cwd=tmp_path)
    assert finished.stdout == "out\n"
    assert finished.tail == ["err"]


def test_a_program_runs_in_the_folder_it_is_given_and_reads_nothing_from_us(tmp_path: Path) -> None:
    assert children.run(sh("pwd; cat"), cwd=tmp_path).stdout == f"{tmp_path}\n"


def test_arguments_reach_the_program_as_they_are(tmp_path: Path) -> None:
    odd = "$(id) 'quoted' \"and\" `so` on; *\n"
    assert children.run(["printf", "%s", odd], cwd=tmp_path).stdout == odd


def test_lines_are_handed_on_as_they_come_and_the_last_needs_no_end(tmp_path: Path) -> None:
    lines: list[str] = []
    log: list[str] = []

    def on_line(line: str) -> bool:
        lines.append(line)
        return True

    finished = children.run(
        sh("printf 'a\\nb\\r\\nc'; printf 'd\\re' >&2"), cwd=tmp_path, on_line=on_line, on_log=log.append
    )
    assert lines == ["a", "b", "c"]
    assert log == finished.tail == ["d", "e"]
    assert finished.stdout == ""


def test_a_program_that_fails_raises_with_its_exit_status_and_its_last_lines(tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 80 ]; do echo line $i >&2; i=$((i+1)); done; exit 3"
    with pytest.raises(children.ChildFailed) as caught:
        children.run(sh(script), cwd=tmp_path)
    assert caught.value.code == "child_failed"
    assert caught.value.returncode == 3
    assert caught.value.tail == [f"line {number}" for number in range(30, 80)]


def test_a_long_line_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    (line,) = children.run(sh("printf 'begin%01000dend' 0 >&2"), cwd=tmp_path).tail
    assert len(line) == children.TAIL_WIDTH
    assert line.startswith("begin")
    assert line.endswith("end")


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    finished = children.run(sh("printf 'a\\377b'; printf '\\376' >&2"), cwd=tmp_path)
    assert finished.stdout == "a\ufffdb"
    assert finished.tail == ["\ufffd"]


def test_a_program_that_is_not_installed_has_an_error_of_its_own_that_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(children.ProgramMissing, match="no-such-program"):
        children.run(["no-such-program"], cwd=tmp_path)
    for name in ("sh", "setpriv", "prlimit"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(children.ProgramMissing, match="package ffmpeg"):
        children.run(["ffprobe"], cwd=tmp_path)


def test_the_environment_does_not_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOINTO_SECRET_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("FFREPORT", "file=anywhere.log")
    said = children.run(["env"], cwd=tmp_path, env={"EXTRA": "1"}).stdout
    names = {line.partition("=")[0] for line in said.splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LANG", "HOME", "TMPDIR", "EXTRA"}


def test_no_file_of_ours_is_open_in_the_child(tmp_path: Path) -> None:
    with (tmp_path / "ours").open("wb") as ours:
        os.set_inheritable(ours.fileno(), True)
        said = children.run(sh("ls -l /proc/$$/fd"), cwd=tmp_path).stdout
    assert "ours" not in said


def test_a_program_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    found: list[int] = []

    def on_line(line: str) -> bool:
        found.append(int(line))
        return True

    with pytest.raises(children.ChildTimedOut) as caught:
        children.run(
            sh("echo $$; echo begun >&2; exec sleep 600"),
            cwd=tmp_path,
            limits=Limits(wall_seconds=3),
            on_line=on_line,
        )
    assert caught.value.code == "child_timed_out"
    assert caught.value.tail == ["begun"]
    assert not alive(found[0])


def test_a_program_that_talks_without_progress_counts_as_stalled(tmp_path: Path) -> None:
    with pytest.raises(children.ChildStalled) as caught:
        children.run(
            sh("while true; do echo still here; sleep 0.1; done"),
            cwd=tmp_path,
            limits=Limits(wall_seconds=60, stall_seconds=0.6),
            on_line=lambda line: False,
        )
    assert caught.value.code == "child_stalled"


def test_progress_sets_the_stall_clock_back(tmp_path: Path) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.6; done"
    limits = Limits(wall_seconds=60, stall_seconds=4)
    children.run(sh(script), cwd=tmp_path, limits=limits, on_line=lambda line: True)
    assert children.run(sh(script), cwd=tmp_path, limits=limits).stdout.endswith("8\n")


def test_a_program_gets_no_more_memory_than_it_may(tmp_path: Path) -> None:
    hungry = [sys.executable, "-c", "bytearray(400 * 2**20)"]
    children.run(hungry, cwd=tmp_path)
    with pytest.raises(children.ChildFailed) as caught:
        children.run(hungry, cwd=tmp_path, limits=Limits(memory_bytes=300 * 2**20))
    assert "MemoryError" in caught.value.tail[-1]


def test_a_program_writes_no_larger_file_than_it_may(tmp_path: Path) -> None:
    with pytest.raises(children.ChildFailed, match="larger file") as caught:
        children.run(
            ["dd", "if=/dev/zero", "of=large", "bs=64k", "count=100"],
            cwd=tmp_path,
            limits=Limits(file_bytes=100_000),
        )
    assert caught.value.returncode == -signal.SIGXFSZ
    assert (tmp_path / "large").stat().st_size == 100_000


def test_a_program_uses_no_more_processor_time_than_it_may(tmp_path: Path) -> None:
    with pytest.raises(children.ChildFailed) as caught:
        children.run(sh("while true; do :; done"), cwd=tmp_path, limits=Limits(cpu_seconds=1))
    assert caught.value.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_a_program_opens_no_more_files_than_it_may_and_dumps_no_core(tmp_path: Path) -> None:
    said = children.run(sh("ulimit -n; ulimit -c"), cwd=tmp_path, limits=Limits(open_files=64)).stdout
    assert said.split() == ["64", "0"]


def test_a_flood_of_output_does_not_grow_our_memory(tmp_path: Path) -> None:
    lines = 0

    def on_line(line: str) -> bool:
        nonlocal lines
        lines += 1
        assert len(line) <= LONGEST_LINE
        return True

    children.run(sh("true"), cwd=tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children.run(
        sh("head -c 100000000 /dev/zero; echo; yes a line | head -c 2000000; head -c 20000000 /dev/zero >&2"),
        cwd=tmp_path,
        on_line=on_line,
    )
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert lines > 200_000
    assert grown < 16 * 1024


def test_a_program_that_says_more_than_is_collected_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(children.ChildTooLoud):
        children.run(["yes"], cwd=tmp_path)


def test_grandchildren_die_with_a_child_that_is_stopped(tmp_path: Path) -> None:
    found: list[int] = []

    def on_line(line: str) -> bool:
        found.append(int(line))
        return True

    with pytest.raises(children.ChildTimedOut):
        children.run(sh("sleep 600 & echo $!; wait"), cwd=tmp_path, limits=Limits(wall_seconds=3), on_line=on_line)
    await_end_of(found[0])


def test_grandchildren_die_with_a_child_that_ends_well_and_hold_nothing_up(tmp_path: Path) -> None:
    said = children.run(sh("sleep 600 & echo $!; echo bye"), cwd=tmp_path).stdout.split()
    assert said[1] == "bye"
    await_end_of(int(said[0]))


def test_an_error_raised_while_reading_a_line_ends_the_child(tmp_path: Path) -> None:
    found: list[int] = []

    def on_line(line: str) -> bool:
        found.append(int(line))
        raise Interrupted

    with pytest.raises(Interrupted):
        children.run(sh("echo $$; exec sleep 600"), cwd=tmp_path, on_line=on_line)
    assert not alive(found[0])


@pytest.mark.usefixtures("interrupting")
def test_an_exception_raised_by_a_signal_handler_leaves_nothing_behind(tmp_path: Path) -> None:
    found: list[int] = []
    with pytest.raises(Interrupted):
        children.run(sh("echo $$; sleep 600 & echo $!; trap '' TERM; wait"), cwd=tmp_path, on_line=pids_to(found))
    assert not alive(found[0])
    for pid in found:
        await_end_of(pid)
    assert signal.getsignal(signal.SIGUSR1) is _raise


@pytest.mark.usefixtures("interrupting")
def test_an_exception_between_the_fork_and_the_moment_the_child_is_known_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Signalled(subprocess.Popen[bytes]):
        """The signal comes when the child exists and nobody holds it yet."""

        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            started.append(self)
            os.kill(os.getpid(), signal.SIGUSR1)

    monkeypatch.setattr(subprocess, "Popen", Signalled)
    with pytest.raises(Interrupted):
        children.run(["sleep", "600"], cwd=tmp_path)
    assert started[0].returncode == -signal.SIGKILL


@pytest.mark.usefixtures("interrupting")
def test_a_second_exception_during_the_clean_up_waits_until_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    killpg = os.killpg

    def kill_and_interrupt(pid: int, number: int) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        killpg(pid, number)
        killed.append(pid)

    monkeypatch.setattr(os, "killpg", kill_and_interrupt)
    with pytest.raises(Interrupted):
        children.run(sh("echo $$; exec sleep 600"), cwd=tmp_path, on_line=pids_to([]))
    assert killed
    assert not Path(f"/proc/{killed[0]}").exists(), "killed, but not reaped"
    assert signal.getsignal(signal.SIGUSR1) is _raise


def test_a_signal_whose_handler_only_takes_a_note_does_not_disturb_the_child(tmp_path: Path) -> None:
    noted: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: noted.append(number))
    try:
        finished = children.run(sh("kill -USR1 $1; echo done", str(os.getpid())), cwd=tmp_path)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert finished.stdout == "done\n"
    assert noted == [signal.SIGUSR1]


PARENT = """
import sys
from pathlib import Path
from jobs import children

def on_line(line):
    sys.stdout.write(line + "\\n")
    sys.stdout.flush()
    return True

children.run(["sh", "-c", "echo $$; exec sleep 600"], cwd=Path(sys.argv[1]), on_line=on_line)
"""


def test_a_child_dies_with_a_parent_that_is_killed_without_a_word(tmp_path: Path) -> None:
    root = str(Path(children.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    await_end_of(pid)


def test_a_child_whose_parent_died_before_it_could_ask_to_be_told_does_not_begin(tmp_path: Path) -> None:
    command = children._wrapped(["touch", "begun"], limits=Limits(), path=os.environ["PATH"])
    of_another = [str(os.getppid()) if part == str(os.getpid()) else part for part in command]
    assert subprocess.run(of_another, cwd=tmp_path, check=False).returncode == 125
    assert not (tmp_path / "begun").exists()
