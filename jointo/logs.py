"""Logs: lines for people, or one JSON object a line for whatever collects them; with the job that each is about.

`jobs.runner` binds job_id, kind and attempt (structlog's contextvars) around an attempt; what is logged there, by
anybody's library, says so. Celery and uvicorn log through the same handler, in workers' children too.
"""

from __future__ import annotations

import copy
import json
import logging
import math
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import current_app, signals

Event = MutableMapping[str, Any]

_LONGEST = 20_000  # characters of one text: a line has to pass whatever collects it
_DEEPEST = 5
_MANY = 100
_FIRST = ("time", "level", "logger", "message", "job_id", "kind", "attempt")
# What every record has, and what libraries add for themselves: colours, the whole request.
_KNOWN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message", "request", "data"}


def configuration(*, style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: `style` is line or json, `level` the least that is written."""
    formatter = {"line": LineFormatter, "json": JsonFormatter}[style]
    logging.captureWarnings(style == "json")
    ours = {"handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": formatter}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # These bring handlers of their own, or let nothing through to the root.
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "propagate": True, "level": "WARNING"},
            "uvicorn.error": {"handlers": [], "propagate": True},
            "django": {"handlers": [], "propagate": True},
            "django.server": ours,
            "celery.task": {"handlers": [], "propagate": True},
            "multiprocessing": {**ours, "level": "ERROR"},
        },
    }


class LineFormatter(logging.Formatter):
    """`time level logger: message`, and the job that it is about."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        said = structlog.contextvars.get_contextvars()
        line = super().formatMessage(record)
        return f"{line} (job {said['job_id']}, attempt {said.get('attempt')})" if "job_id" in said else line

    def format(self, record: logging.LogRecord) -> str:
        return super().format(_sayable(record))


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """One JSON object a line, whatever is logged."""

    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=[structlog.contextvars.merge_contextvars, _tell],
            processors=[self.remove_processors_meta, structlog.processors.format_exc_info, _render],
        )

    def format(self, record: logging.LogRecord) -> str:
        try:
            return super().format(_sayable(record))
        except Exception as error:  # noqa: BLE001  a value that can't even be looked at must not cost the line
            said = {"level": record.levelname.lower(), "logger": record.name, "message": _text(record.msg)}
            return _render(None, "", {**said, "unsayable": type(error).__name__})


def _sayable(record: logging.LogRecord) -> logging.LogRecord:
    """The record itself; or, if its arguments do not fit its message, one that says both."""
    try:
        record.getMessage()
    except Exception:  # noqa: BLE001  a mistake in a log line is not worth losing the line
        record = copy.copy(record)
        record.msg, record.args = f"{_text(record.msg)} {_text(record.args)}", ()
    return record


def _tell(logger: Any, name: str, event: Event) -> Event:
    """What the record itself knows: when, how bad, who says so, what was given as `extra`."""
    record: logging.LogRecord = event["_record"]
    event["message"] = event.pop("event")
    event["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    event["process"] = record.process
    task = vars(record).get("data")
    if isinstance(task, Mapping) and "id" in task and "name" in task:  # Celery's own lines about a task
        event.setdefault("kind", task["name"])
        event.setdefault("task_id", task["id"])
        if getattr(current_app.tasks.get(task["name"]), "is_job", False):
            event.setdefault("job_id", str(task["id"])[:36])  # a message that is sent again has .2, .3, … behind it
    for key, value in vars(record).items():
        if key not in _KNOWN and not key.startswith("_"):
            event.setdefault(key, value)
    return event


def _render(logger: Any, name: str, event: Mapping[str, Any]) -> str:
    ordered = {key: event[key] for key in _FIRST if key in event} | dict(event)
    # ASCII: no terminal, no pipe and no locale stumbles over it.
    return json.dumps(_plain(ordered), allow_nan=False)


def _plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON can say it; what can't be said is named."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else _text(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, str) or depth >= _DEEPEST:
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(key): _plain(item, depth + 1) for key, item in list(value.items())[:_MANY]}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in list(value)[:_MANY]]
    return _text(value)


def _text(value: Any) -> str:
    """The value as text, without halves of characters, and not too long."""
    try:
        text = value if isinstance(value, str) else str(value) if isinstance(value, Exception) else repr(value)
    except Exception:  # noqa: BLE001  somebody's __repr__
        text = f"<{type(value).__name__} that can't be shown>"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


@signals.setup_logging.connect(weak=False)
def _leave_logging_to_us(loglevel: Any = None, logfile: str | None = None, **_: Any) -> None:
    """Celery sets up no handlers if somebody listens here: those of LOGGING serve in its processes too.

    `-l DEBUG` and `-f FILE` mean what they always do; otherwise the level is JOINTO_LOG_LEVEL.
    """
    root = logging.getLogger()
    if isinstance(loglevel, int) and 0 < loglevel < logging.INFO:
        root.setLevel(loglevel)
    if logfile:
        kept = logging.FileHandler(logfile, encoding="utf-8")
        kept.setFormatter(root.handlers[0].formatter if root.handlers else None)
        root.handlers = [kept]
    if current_app.conf.worker_redirect_stdouts:  # somebody's print() is a line of the log, not half an object
        current_app.log.redirect_stdouts(current_app.conf.worker_redirect_stdouts_level)


@signals.celeryd_init.connect(weak=False)
def _no_banner(instance: Any = None, **_: Any) -> None:
    if any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers):
        instance.quiet = True
