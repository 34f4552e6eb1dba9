"""The kinds of job that this process knows, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from celery import current_app

from jobs.models import Job
from jobs.retry import RetryPolicy


class Kind(Protocol):
    """What the engine asks of a kind of job; `jobs.task.JobTask` is it."""

    name: str
    job_queue: str
    policy: RetryPolicy
    quota: Any  # jobs.quotas.Quota, or None; that module asks this one for kinds
    at_once: int | None
    per_user: int | None
    dead_letters: bool
    soft_time_limit: int | None
    one_a_subject: bool

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """The body: the context first, then the job's arguments."""

    def link(self, job: Job) -> None:
        """Tell whoever the job is about that it is the one that works for them now."""

    def policy_of(self, job: Job) -> RetryPolicy:
        """The policy, with those who take over for this one job."""

    def submit(self, args: Sequence[Any], kwargs: Mapping[str, Any], **options: Any) -> tuple[Job, bool]:
        """Record a job; and whether it is a new one."""

    def publish(self, job: Job) -> None:
        """Send the message that carries a released job."""


def find(name: str | None) -> Kind | None:
    """The kind with this name; None for a plain task, and for one that nobody knows."""
    task: Any = current_app.tasks.get(name or "")
    return cast(Kind, task) if getattr(task, "is_job", False) else None


def every() -> Iterator[Kind]:
    """All kinds, by name."""
    for name in sorted(current_app.tasks):
        if kind := find(name):
            yield kind
