"""One attempt at one job, in a worker: claim, run, settle."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import structlog
from celery.exceptions import Ignore, Retry, SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from jobs import canvas, dispatch, transitions, watch
from jobs.context import JobContext
from jobs.errors import JointoError
from jobs.kinds import Kind
from jobs.models import Attempt, Job
from jobs.progress import Progress
from jobs.results import job_id_of
from jobs.retry import GiveUp, RetryIn, decide
from jobs.status import Outcome

logger = logging.getLogger(__name__)

_LOG_LINES = 50
_TRACEBACK_LENGTH = 20_000
_CONNECTION_TRUSTED_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 30 * 86_400.0  # whatever the other side may tell us


class TimeLimit(JointoError):
    """The body took longer than its kind may."""

    code = "time_limit"
    status = 500
    message = "The job took longer than its kind is allowed to."


class Unexpected(JointoError):
    """An exception that is none of ours; the attempt's traceback tells more."""

    code = "unexpected"
    message = "Something unexpected went wrong. The job's attempts say more."


def run(kind: Kind, message_id: str | None, *, worker: str) -> Any:
    """Do the attempt that a message asks for, if the job is still to be had; what Celery is told of it.

    Raises `Ignore` when there is nothing to do or nothing to say, `Retry` when another attempt follows.
    """
    job_id = job_id_of(message_id)
    job = _claim(job_id, worker=worker) if job_id else None
    if not job:
        logger.info("message %s finds nothing to do: its job is taken, not due, or at its end", message_id)
        raise Ignore
    bound = structlog.contextvars.bound_contextvars(job_id=str(job.pk), kind=job.kind, attempt=job.attempt)
    with bound, _log_tail() as log_tail:
        try:
            return _attempt(kind, job, log_tail)
        finally:
            dispatch.release_quietly(job.queue, job.kind)


def record(kind: Kind, message_id: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Make a job of a bare message, from somebody who knows the task's name alone: a client without our code, a beat
    with older code. It has the message's id, and comes in its turn. Raises what `submit` raises: whoever waits for
    the result hears of it.
    """
    job_id = job_id_of(message_id)
    if job_id and not Job.objects.filter(pk=job_id).exists():
        logger.warning("message %s is no job yet: %s is recorded", message_id, kind.name)
        with contextlib.suppress(IntegrityError):  # the same message came twice
            kind.submit(args, kwargs, task_id=str(job_id))


def _claim(job_id: uuid.UUID, *, worker: str) -> Job | None:
    """Claim, by a new connection if the one kept from the attempt before has broken: the message is acknowledged."""
    claim = functools.partial(
        transitions.claim, job_id, worker=worker, pid=os.getpid(), lease=settings.JOINTO_JOBS.lease
    )
    try:
        return claim()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return claim()


def run_untracked(kind: Kind, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a body as a function: no job, no retry, but its effects and its clean-up as ever."""
    context = JobContext()
    completed = False
    try:
        result = kind.run(context, *args, **kwargs)
        with transaction.atomic():
            for effect in context.effects:
                effect()
        completed = True
    finally:
        for action in context.after_success if completed else context.when_not_published:
            _quietly(action)
        _quietly(context.clean_up)
    return result


def _attempt(kind: Kind, job: Job, log_tail: _LogTail) -> Any:
    progress = Progress()
    began = time.monotonic()
    with watch.over(job, progress, log_tail.text) as watched:
        context = JobContext(
            job_id=job.pk,
            attempt=job.attempt,
            owner_id=job.owner_id,
            fallback=job.fallback,
            progress=progress,
            lookout=watched,
        )
        completed = False
        try:
            result = _run_body(kind, job, context, watched)
            completed = _complete(job, result, context, log_tail)
        except watch.Stopped as stopped:
            if stopped.reason is watch.Reason.STOPPING:
                transitions.hand_back(job, log_tail=log_tail.text())
        except Exception as error:  # noqa: BLE001  whatever a body raises is an outcome of the attempt
            _fail(kind, job, error, context, log_tail)
        except BaseException:  # the process is told to go
            _gone(kind, job, context, log_tail, lasted=time.monotonic() - began)
            raise
        finally:
            _clean_up(job, context, completed=completed)
    if not completed:
        raise Ignore
    return result


def _run_body(kind: Kind, job: Job, context: JobContext, watched: watch.Watched) -> Any:
    began, is_ours, returned = time.monotonic(), not connection.in_atomic_block, False
    try:
        with dispatch.on_behalf_of(job), watched.interruptible():
            result = kind.run(context, *job.args, **job.kwargs)
        returned = True
        return result
    finally:
        # An interruption strikes anywhere, also between two steps of Django's that belong together: it may leave a
        # transaction behind that nobody ends, and that swallows all that this process writes from then on. After a
        # long body the database may have restarted, or a proxy given the idle connection up.
        trusted = returned and not connection.in_atomic_block and not watched.reason
        if is_ours and not (trusted and time.monotonic() - began < _CONNECTION_TRUSTED_SECONDS):
            _discard_connection()


def _discard_connection() -> None:
    """Give the connection up in whatever state it is, with what was not committed; the next query opens another."""
    left, connection.connection = connection.connection, None
    connection.closed_in_transaction = False  # else Django waits for the end of a block that nobody is in
    connection.in_atomic_block = False
    if left is not None:
        with contextlib.suppress(Exception):  # whatever a broken connection says to that: it is gone
            left.close()


def _complete(job: Job, result: Any, context: JobContext, log_tail: _LogTail) -> bool:
    effects = [*context.effects, lambda: canvas.succeeded(job, result)]
    try:
        completed = transitions.complete(job, result, effects=effects, log_tail=log_tail.text())
    except (OperationalError, InterfaceError):
        # The database went away in the middle. Once more, by a new connection: an hour's work is at stake.
        connection.close()
        completed = _is_completed(job) or transitions.complete(job, result, effects=effects, log_tail=log_tail.text())
    if completed:
        for action in context.after_success:
            _quietly(action)
    return completed


def _fail(kind: Kind, job: Job, error: Exception, context: JobContext, log_tail: _LogTail) -> None:
    """Settle an attempt whose body raised, and tell Celery the same; always raises."""
    said: dict[str, Any] = {
        "traceback": storable("".join(traceback.format_exception(error))[-_TRACEBACK_LENGTH:]),
        "log_tail": log_tail.text(),
    }
    ours = _as_ours(error)
    message = storable(ours.message)
    budget_before = job.max_attempts - kind.policy.max_attempts
    verdict = decide(
        kind.policy_of(job),
        ours,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        retry=max(1, job.attempt - budget_before),
        setbacks=job.setbacks,
        fallback=job.fallback,
    )
    match verdict:
        case RetryIn(seconds, setbacks, fallback):
            wait = timedelta(seconds=min(seconds, _LONGEST_WAIT_SECONDS))
            transitions.retry_later(
                job, wait=wait, code=ours.code, message=message, setbacks=setbacks, fallback=fallback, **said
            )
            raise Retry(exc=error, when=cast(Any, seconds))  # a number of seconds, whatever the stubs say
        case GiveUp(exhausted):
            dead = kind.dead_letters and (exhausted or ours.needs_operator)
            tell = functools.partial(canvas.failed, error=error)
            if transitions.fail(job, code=ours.code, message=message, dead=dead, then=tell, **said):
                for action in context.after_failure:
                    _quietly(lambda action=action: action(error))
            raise error


def _gone(kind: Kind, job: Job, context: JobContext, log_tail: _LogTail, *, lasted: float) -> None:
    """Settle an attempt whose process is told to end, in the moments that are left for it.

    By a worker that stops, or by an operator (`control revoke --terminate`): nobody's fault. Beyond the soft time
    limit by the hard one, which sends TERM before KILL; to hand that back uncharged would be to try it for ever.
    """
    if watch.is_stopping() or lasted < (kind.soft_time_limit or math.inf):
        transitions.hand_back(job, log_tail=log_tail.text())
        return
    with contextlib.suppress(Retry, TimeLimit):
        _fail(kind, job, TimeLimit(), context, log_tail)


def _as_ours(error: Exception) -> JointoError:
    if isinstance(error, JointoError):
        return error
    if isinstance(error, SoftTimeLimitExceeded):
        return TimeLimit()
    return Unexpected(f"{type(error).__name__}: {error}"[:2000])


def storable(text: str) -> str:
    """The text without what no database takes: NUL, and halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def _clean_up(job: Job, context: JobContext, *, completed: bool) -> None:
    if not completed and context.when_not_published and _surely_not_completed(job):
        for action in context.when_not_published:
            _quietly(action)
    _quietly(context.clean_up)


def _is_completed(job: Job) -> bool:
    return Attempt.objects.filter(job_id=job.pk, number=job.attempt, outcome=Outcome.COMPLETED).exists()


def _surely_not_completed(job: Job) -> bool:
    """Whether what the attempt wrote may be taken back. A COMMIT whose answer was lost may have taken effect."""
    try:
        return not _is_completed(job)
    except (DatabaseError, InterfaceError):
        connection.close()
        return False  # nobody knows: the clean-up finds what no row names


def _quietly(action: Any) -> None:
    try:
        action()
    except Exception:  # the job has ended; what is left over, the clean-up finds
        logger.exception("a follow-up of the attempt failed")


class _LogTail(logging.Handler):
    """The last lines that this thread logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_LOG_LINES)
        self._thread = threading.get_ident()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(self.format(record)[:1000])

    def text(self) -> str:
        return storable("\n".join(list(self.lines)))


@contextlib.contextmanager
def _log_tail() -> Iterator[_LogTail]:
    handler = _LogTail()
    logging.getLogger().addHandler(handler)
    try:
        yield handler
    finally:
        logging.getLogger().removeHandler(handler)
