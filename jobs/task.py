"""How a kind of job is declared: one decorated function, and nothing else anywhere.

    @job(queue="media", retry=MEDIA, soft_time_limit=minutes(55))
    def process_video(ctx: JobContext, video_id: int) -> dict[str, Any]:
        \"\"\"Probe, ladder, poster and sprites of one uploaded video.\"\"\"
        return processing.process(video_id, ctx)

It is Celery's `shared_task` with a base class of ours: `process_video.delay(12)` — in a view, a shell, a
chain, a group, or by the beat — records a job and returns an AsyncResult whose id finds it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec

from celery import Task, shared_task
from celery.result import AsyncResult
from celery.utils.time import maybe_make_aware

from jobs import arguments, canvas, dispatch, runner, transitions
from jobs.context import JobContext
from jobs.errors import JointoError, Remedy
from jobs.models import Instant, Job
from jobs.now import Now
from jobs.quotas import Quota
from jobs.retry import RetryPolicy

P = ParamSpec("P")

_RECORDED = "jointo_recorded"  # a header of the messages that carry a job
_HARD_LIMIT_AFTER_SECONDS = 60  # what a body has left for cleaning up after the soft limit


def minutes(count: float) -> int:
    """So many minutes, in seconds."""
    return int(count * 60)


class TryAgain(JointoError):
    """Raised by `self.retry()` inside a job: Celery's word for another attempt, in ours."""

    code = "retry_requested"
    message = "The job asked to be tried again."


class JobTask(Task):
    """The base class of every kind of job."""

    abstract = True
    is_job = True
    typing = False  # the body's first parameter is the context; `submit` checks the rest
    throws = (JointoError,)  # expected: logged without a traceback, which the attempt keeps
    policy = RetryPolicy()
    fallbacks_of: Callable[..., Sequence[str]] | None = None
    job_queue = "maintenance"
    quota: Quota | None = None
    at_once: int | None = None
    per_user: int | None = None
    dead_letters = True
    one_a_subject = True
    may: Callable[..., bool] | None = None
    may_each: Callable[[int, Sequence[Mapping[str, Any]]], Sequence[bool]] | None = None
    subject_template = ""
    owner_of: Callable[..., int | None] | None = None
    on_recorded: Callable[..., None] | None = None
    on_each_recorded: Callable[[Sequence[tuple[Job, Mapping[str, Any]]]], None] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """In a worker: the attempt that the message asks for. Called directly: just the body, untracked."""
        request = self.request
        if request.called_directly or request.is_eager:
            return runner.run_untracked(self, args, kwargs)
        if not getattr(request, _RECORDED, False):
            runner.record(self, request.id, args, kwargs)
        return runner.run(self, request.id, worker=request.hostname or "")

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: str | None = None,
        *_: Any,
        owner_id: int | None = None,
        idempotency_key: str | None = None,
        batch_id: uuid.UUID | None = None,
        callback_url: str = "",
        **options: Any,
    ) -> AsyncResult:
        """Record a job. Celery's options mean what they always do; delays are kept in the row, limits are the kind's.

        `owner_id`, `idempotency_key`, `batch_id` and `callback_url` are Jointo's own. Raises TypeError if the
        arguments do not fit the body, or are no JSON; BadArguments, QuotaExceeded.
        """
        job, _new = self.submit(
            args or (),
            kwargs or {},
            task_id=task_id,
            owner_id=owner_id,
            idempotency_key=idempotency_key,
            batch_id=batch_id,
            callback_url=callback_url,
            **options,
        )
        return self.AsyncResult(str(job.pk))

    def submit(
        self,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        task_id: str | None = None,
        owner_id: int | None = None,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> tuple[Job, bool]:
        """`apply_async`, but gives the row, and whether it is a new one."""
        request = self.request_for(
            args, kwargs, task_id=task_id, owner_id=owner_id, idempotency_key=idempotency_key, **options
        )
        return dispatch.submit(request, then=self.link)

    def request_for(
        self,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        task_id: str | None = None,
        owner_id: int | None = None,
        idempotency_key: str | None = None,
        batch_id: uuid.UUID | None = None,
        callback_url: str = "",
        promised: bool = False,
        **options: Any,
    ) -> dispatch.Request:
        """What `submit` asks the dispatcher for; also for `dispatch.submit_many`. `promised`: beyond any quota."""
        if options.get("soft_time_limit") or options.get("time_limit"):
            raise TypeError(f"the time limits of {self.name} are those of its kind, and not of one job")
        named = arguments.named(self, args, kwargs)
        if owner_id is None and self.owner_of:
            owner_id = self.owner_of(**named)
        return dispatch.Request(
            kind=self.name,
            queue=options.get("queue") or self.job_queue,
            args=args,
            kwargs=kwargs,
            job_id=_job_id(task_id),
            owner_id=owner_id,
            subject=self.subject_of(named),
            priority=options.get("priority"),
            quota=self.quota,
            promised=promised,
            batch_id=batch_id,
            callback_url=callback_url,
            max_attempts=self.policy.max_attempts,
            run_at=_instant(options.get("eta")),
            wait=timedelta(seconds=options["countdown"]) if options.get("countdown") else None,
            deadline_at=_deadline(options.get("expires")),
            idempotency_key=idempotency_key,
            canvas=canvas.wishes(options),
        )

    def link(self, job: Job) -> None:
        """Call the kind's `recorded`: when the job is recorded, and when it is retried by hand."""
        if self.on_recorded:
            self.on_recorded(job, **arguments.named(self, job.args, job.kwargs))

    def link_each(self, jobs: Sequence[Job]) -> None:
        """As `link`, for many that were recorded together."""
        if self.on_each_recorded:
            self.on_each_recorded([(job, arguments.named(self, job.args, job.kwargs)) for job in jobs])
        elif self.on_recorded:
            for job in jobs:
                self.link(job)

    def allows_each(self, user_id: int, named: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
        """Whether a user may have it done with these arguments, for each of them. Raises what `may` raises."""
        if self.may is None:
            return [False] * len(named)
        if self.may_each:
            return self.may_each(user_id, named)
        return [self.may(user_id, **arguments) for arguments in named]

    def subject_of(self, named: Mapping[str, Any]) -> str:
        """What a job with these arguments is about; empty if the kind does not say."""
        return self.subject_template.format(**named)

    def policy_of(self, job: Job) -> RetryPolicy:
        """The kind's policy, with those who take over for this one job."""
        if self.fallbacks_of is None:
            return self.policy
        try:
            named = arguments.named(self, job.args, job.kwargs)
        except TypeError:  # recorded when the body took others
            return self.policy
        return replace(self.policy, fallbacks=tuple(self.fallbacks_of(**named)))

    def publish(self, job: Job) -> None:
        """Send the message that carries a released job; its id differs each time, as revoked ids stay revoked."""
        message_id = str(job.pk) if job.releases <= 1 else f"{job.pk}.{job.releases}"
        headers = {_RECORDED: "yes"}
        super().apply_async(job.args, job.kwargs, task_id=message_id, queue=job.queue, retry=False, headers=headers)

    def retry(
        self,
        args: Any = None,
        kwargs: Any = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Any,
    ) -> Any:
        """Celery's own retry: ends this attempt; the kind's policy decides about the next."""
        if isinstance(exc, JointoError) and exc.remedy is Remedy.NONE:
            raise exc
        raise TryAgain(str(exc) if exc else None, retry_after=countdown) from exc


def job(
    *,
    queue: str,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  frozen
    fallbacks: Callable[..., Sequence[str]] | None = None,
    soft_time_limit: int = minutes(5),
    time_limit: int | None = None,
    subject: str = "",
    owner: Callable[..., int | None] | None = None,
    recorded: Callable[..., None] | None = None,
    recorded_each: Callable[[Sequence[tuple[Job, Mapping[str, Any]]]], None] | None = None,
    quota: Quota | None = None,
    at_once: int | None = None,
    per_user: int | None = None,
    dead_letters: bool = True,
    one_a_subject: bool = True,
    may: Callable[..., bool] | None = None,
    may_each: Callable[[int, Sequence[Mapping[str, Any]]], Sequence[bool]] | None = None,
    **options: Any,
) -> Callable[[Callable[Concatenate[JobContext, P], Any]], JobTask]:
    """Make a function a kind of job.

    - `queue`: the workers that do it; `retry`: its policy; limits in seconds, the soft one raises in the body.
    - `fallbacks`: called with the arguments, names who takes over while the other side is down, in their order.
    - `subject`: what the job is about, a format string over the arguments: ``"videos.Video:{video_id}"``.
    - `owner`: called with the arguments, gives the id of the user it belongs to, unless the caller said.
    - `recorded`: called with the row and the arguments, in the transaction that records it, or retries it by hand.
    - `recorded_each`: `recorded` for many at once, that is for a batch: called with rows and their arguments by name.
    - `quota`: how many each tier may submit in an hour and a month; given back when the job fails or is cancelled.
    - `at_once`, `per_user`: how many run at once, altogether and of one user; an operator may change them.
    - `dead_letters`: whether a job whose attempts are used up is for an operator to see.
    - `one_a_subject`: whether a retry by hand is refused while another job of the kind works for the same subject.
    - `may`: called with a user's id and the arguments: whether that user may have it done in a batch of their own.
    - `may_each`: `may` for many at once: called with a user's id and the arguments of each, by name; a bool for each.
    """
    attributes: dict[str, Any] = {
        "job_queue": queue,
        "policy": retry,
        "fallbacks_of": staticmethod(fallbacks) if fallbacks else None,
        "soft_time_limit": soft_time_limit,
        "time_limit": time_limit or soft_time_limit + _HARD_LIMIT_AFTER_SECONDS,
        "subject_template": subject,
        "owner_of": staticmethod(owner) if owner else None,
        "on_recorded": staticmethod(recorded) if recorded else None,
        "on_each_recorded": staticmethod(recorded_each) if recorded_each else None,
        "quota": quota,
        "at_once": at_once,
        "per_user": per_user,
        "dead_letters": dead_letters,
        "one_a_subject": one_a_subject,
        "may": staticmethod(may) if may else None,
        "may_each": staticmethod(may_each) if may_each else None,
    }

    def decorate(body: Callable[Concatenate[JobContext, P], Any]) -> JobTask:
        return shared_task(base=JobTask, **attributes, **options)(body)  # type: ignore[no-any-return]

    return decorate


def _job_id(task_id: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(task_id) if task_id else None
    except ValueError:
        raise ValueError(f"a job's task_id has to be a UUID, not {task_id!r}") from None


def _instant(eta: datetime | str | None) -> datetime | None:
    moment = datetime.fromisoformat(eta) if isinstance(eta, str) else eta
    return maybe_make_aware(moment) if moment else None


def _deadline(expires: datetime | float | str | None) -> Instant | None:
    if isinstance(expires, int | float):  # from when the database records it, as it is the one to look at the end
        return transitions.after(Now(), timedelta(seconds=expires))
    return _instant(expires)
