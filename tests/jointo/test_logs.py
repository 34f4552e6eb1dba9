"""Logs: one JSON object a line whatever is logged, and lines for people."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from jointo import logs
from tests import kinds
from tests.stack import Process, Stack, wait_for

Said = Callable[[], dict[str, Any]]


class Unshowable:
    """Something whose repr fails, as that of a half-made object may."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


class Stream(StringIO):
    """Where a logger of the test writes; what it wrote last."""

    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    def last(self) -> dict[str, Any]:
        [line] = self.lines()
        self.seek(0)
        self.truncate()
        return dict(json.loads(line, parse_constant=pytest.fail))


def logger_to(formatter: logging.Formatter) -> tuple[logging.Logger, Stream]:
    stream = Stream()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("tests.logs", logging.DEBUG)
    logger.addHandler(handler)
    return logger, stream


@pytest.fixture
def logged() -> tuple[logging.Logger, Stream]:
    return logger_to(logs.JsonFormatter())


@pytest.fixture(autouse=True)
def nothing_bound() -> Iterator[None]:
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()


def test_a_line_says_when_how_bad_who_and_what(logged: tuple[logging.Logger, Stream]) -> None:
    logger, stream = logged
    logger.warning("%d of %s", 3, "five")
    said = stream.last()
    assert said.pop("time").endswith("+00:00")
    assert said.pop("process")
    assert said == {"level": "warning", "logger": "tests.logs", "message": "3 of five"}


def test_a_line_says_which_job_and_attempt_it_is_about(logged: tuple[logging.Logger, Stream]) -> None:
    logger, stream = logged
    with structlog.contextvars.bound_contextvars(job_id="7", kind="a.b", attempt=2):
        logger.info("inside")
    said = stream.last()
    assert (said["job_id"], said["kind"], said["attempt"]) == ("7", "a.b", 2)
    logger.info("outside")
    assert "job_id" not in stream.last()


def test_an_exception_is_part_of_its_line(logged: tuple[logging.Logger, Stream]) -> None:
    logger, stream = logged
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("went wrong")
    said = stream.last()
    assert said["message"] == "went wrong"
    assert said["exception"].startswith("Traceback")
    assert said["exception"].endswith("ValueError: two\nlines")


@pytest.mark.parametrize(
    ("message", "args"),
    [("%d", ("x",)), ("%s %s", (1,)), ("no place", (1, 2)), ("%s", (Unshowable(),)), (Unshowable(), ()), (None, ())],
    ids=["not a number", "too few", "too many", "unshowable", "unshowable message", "nothing"],
)
@pytest.mark.parametrize("style", ["json", "line"])
def test_a_mistake_in_a_log_line_does_not_lose_it(style: str, message: Any, args: tuple[Any, ...]) -> None:
    logger, stream = logger_to(logs.JsonFormatter() if style == "json" else logs.LineFormatter())
    logger.error(message, *args)
    assert len(stream.lines()) == 1
    if style == "json":
        assert stream.last()["level"] == "error"


ODD: list[Any] = [float("nan"), float("inf"), 2**80, b"\xff", "\udc80", "a\0b", "\u2028", {1: {2, 3}}, [Unshowable()]]


@pytest.mark.parametrize("value", ODD, ids=[str(number) for number in range(len(ODD))])
def test_odd_values_are_said_somehow(logged: tuple[logging.Logger, Stream], value: Any) -> None:
    logger, stream = logged
    logger.info("odd", extra={"value": value})
    assert "value" in stream.last()


def test_what_turns_in_circles_or_has_no_end_is_cut_off(logged: tuple[logging.Logger, Stream]) -> None:
    logger, stream = logged
    circle: dict[str, Any] = {}
    circle["self"] = circle
    logger.info("%s", "x" * 10**6, extra={"circle": circle, "long": list(range(10**5))})
    assert len(json.dumps(stream.last())) < 50_000


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    )
)
def test_whatever_is_given_it_is_one_object_on_one_line(value: Any) -> None:
    logger, stream = logger_to(logs.JsonFormatter())
    logger.info("%r", value, extra={"value": value})
    stream.last()


def test_what_a_caller_calls_message_or_level_does_not_hide_ours(logged: tuple[logging.Logger, Stream]) -> None:
    logger, stream = logged
    logger.info("ours", extra={"level": "theirs", "time": "theirs", "event": "theirs"})
    said = stream.last()
    assert (said["message"], said["level"], said["event"]) == ("ours", "info", "theirs")
    assert said["time"] != "theirs"


def test_a_line_for_people_names_the_job() -> None:
    logger, stream = logger_to(logs.LineFormatter())
    with structlog.contextvars.bound_contextvars(job_id="7", kind="a.b", attempt=2):
        logger.info("inside")
    logger.info("outside")
    inside, outside = stream.lines()
    assert inside.endswith("INFO    tests.logs: inside (job 7, attempt 2)")
    assert outside.endswith("INFO    tests.logs: outside")


def objects(process: Process) -> list[dict[str, Any]]:
    """All that a process has logged; fails on a line that is no object."""
    return [dict(json.loads(line)) for line in process.text().splitlines()]


def test_a_worker_and_its_children_log_objects_alone(stack: Stack) -> None:
    process = stack.worker(JOINTO_LOG_FORMAT="json", PYTHONWARNINGS="ignore")
    result = kinds.add.delay(1, 1)
    failing = kinds.refuse.delay()
    wait_for(lambda: result.ready() and failing.ready(), what="two jobs")
    wait_for(lambda: "succeeded" in process.text(), what="Celery's line about it")
    said = [line for line in objects(process) if line.get("job_id") == result.id]
    assert {line["logger"] for line in said} >= {"celery.worker.strategy", "celery.app.trace"}
    assert {line["kind"] for line in said} == {kinds.add.name}


def test_beat_logs_objects_alone_if_it_is_told_to_be_quiet(stack: Stack) -> None:
    argv = [sys.executable, "-m", "celery", "-q", "-A", "tests.celery", "beat", "-l", "INFO", "--pidfile="]
    process = stack.start("beat", argv, JOINTO_LOG_FORMAT="json")
    wait_for(lambda: "Starting" in process.text(), what=f"beat: {process.text()}")
    assert objects(process)[0]["logger"] == "celery.beat"


def test_the_web_server_logs_objects_alone(stack: Stack) -> None:
    process, _ = stack.web(JOINTO_LOG_FORMAT="json", PYTHONWARNINGS="ignore")
    assert {line["logger"] for line in objects(process)} == {"uvicorn.error"}


def test_lines_of_a_worker_are_ours_and_not_celerys(stack: Stack) -> None:
    process = stack.worker()
    kinds.add.delay(1, 1).get(timeout=20)
    wait_for(lambda: "INFO    celery.app.trace: Task tests.kinds.add" in process.text(), what=process.text())
