"""Whose job submits another one: what is submitted on its behalf inherits from it."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from jobs.models import Job

_parent: contextvars.ContextVar[Job | None] = contextvars.ContextVar("jobs_parent", default=None)


@contextlib.contextmanager
def on_behalf_of(job: Job) -> Iterator[None]:
    """What is submitted inside belongs to the job's owner, and has its priority, unless it says otherwise."""
    token = _parent.set(job)
    try:
        yield
    finally:
        _parent.reset(token)


def parent() -> Job | None:
    """The job that submits; None outside of any."""
    return _parent.get()
