"""How Celery's canvas (chain, group, chord, link) meets jobs.

What a job's signature wants done afterwards waits in the job's row, not in a message. When the job
completes, the next job of its chain is recorded in the very transaction that completes it, so that a crash
between the two can't lose it; when it fails, so are its error callbacks. docs/decisions/0002.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
import json
import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from celery import current_app, maybe_signature, states
from celery.app.task import Context
from celery.canvas import Signature
from celery.exceptions import ChordError
from celery.result import allow_join_result
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django_celery_results.models import (  # type: ignore[attr-defined]  # the stubs miss the first
    ChordCounter,
    TaskResult,
)
from kombu.utils.json import dumps, loads

from jobs import kinds
from jobs.heirs import on_behalf_of
from jobs.models import Job, Transition
from jobs.status import RETRYABLE

logger = logging.getLogger(__name__)

OPTIONS = ("link", "link_error", "chain", "chord", "group_id", "group_index", "root_id", "parent_id")

_DATABASE_GONE = (OperationalError, InterfaceError)  # nothing can be recorded: the whole move is made again
_failing: contextvars.ContextVar[Job | None] = contextvars.ContextVar("jobs_failing", default=None)


def wishes(options: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `apply_async`'s options that speaks of what comes afterwards, as plain JSON."""
    wanted = {name: options[name] for name in OPTIONS if options.get(name)}
    return dict(json.loads(dumps(wanted)))


def succeeded(job: Job, result: Any) -> None:
    """Submit what follows a job that completes; inside the transaction that completes it.

    What can't be submitted (its quota is used up, its arguments do not fit) is the follower's failure, and told as
    that: this job has worked.
    """
    wanted = _wanted(job)
    if not wanted:
        return
    for link in _listed(wanted.get("link")):
        _follow(_signature(link), result, job, wanted)
    tail = _listed(wanted.get("chain"))
    if tail:
        _follow(_signature(tail.pop()), result, job, wanted, tail=tail)
    if wanted.get("chord"):
        _count(job, wanted)


def failed(job: Job, error: Exception) -> None:
    """Record the error callbacks of a job that failed for good, and tell its chain and its chord.

    Inside the transaction that fails it: once for each failure.
    """
    wanted = _wanted(job)
    if not wanted:
        return
    token = _failing.set(job)
    try:
        with on_behalf_of(job):
            _mark_failed(_context(job, wanted), error)
    finally:
        _failing.reset(token)


def record_errbacks(request: Context) -> list[Any]:
    """Record those error callbacks of a failed task that are jobs; those that are plain tasks.

    As Celery sends them, they get the id of what failed, unless they are immutable.
    """
    tasks = []
    told = {"parent_id": request.id, "root_id": request.root_id or request.id}
    for errback in _listed(request.errbacks):
        signature = _signature(errback)
        if not _records_a_row(signature):
            tasks.append(errback)
            continue
        with _logged("the error callback %s of %s was not submitted", signature.task, request.id):
            _record(signature, (request.id,), **told)
    return tasks


def chord_failed(request: Context, error: Any) -> bool:
    """Tell a chord that a job among its members failed, once until that is retried; False if it is no job's failure.

    It is not counted: the job may be retried by hand, and a chord whose members have all completed runs its body.
    """
    job = _failing.get()
    if job is None:
        return False
    with transaction.atomic():
        counter = ChordCounter.objects.select_for_update().filter(group_id=request.group).only("pk")
        if counter.first() and (not _is_told(request.chord) or _failed_before(job)):
            _give_up(request.chord, ChordError(f"Dependency {request.id} raised {error!r}"))
    return True


def _follow(
    signature: Signature, result: Any, job: Job, wanted: Mapping[str, Any], tail: Sequence[Any] | None = None
) -> None:
    options: dict[str, Any] = {"parent_id": str(job.pk), "root_id": wanted.get("root_id") or str(job.pk)}
    if tail is not None:
        options["chain"] = tail

    def submit() -> None:
        try:
            with on_behalf_of(job):
                _record(signature, (result,), **options)
        except _DATABASE_GONE:
            raise
        except Exception as error:  # whatever is wrong with what follows, this job has worked
            logger.exception("job %s completed, but %s, which was to follow, was refused", job.pk, signature.task)
            with on_behalf_of(job):
                _give_up(signature, error, tail=tail or ())

    if _records_a_row(signature):
        submit()
    else:
        transaction.on_commit(submit, robust=True)  # a plain task is a message: only once we have committed


def _record(signature: Signature, args: tuple[Any, ...], **options: Any) -> None:
    """Submit a signature; under fresh ids if its own are taken, as Celery gives them anew to one applied twice."""
    try:
        with transaction.atomic():
            signature.apply_async(args, **options)
    except IntegrityError:
        if not Job.objects.filter(pk__in=[end.id for end in _ends(signature)]).exists():
            raise
        with transaction.atomic():
            _renamed(signature).apply_async(args, **options)


def _count(job: Job, wanted: Mapping[str, Any]) -> None:
    """Count a member of a chord that completed, which it does once; the last one has the body follow."""
    with transaction.atomic():
        counters = ChordCounter.objects.select_for_update().defer("sub_tasks")  # long, and wanted at the end only
        counter = counters.filter(group_id=wanted.get("group_id")).first()
        if counter is None:
            logger.warning("job %s completed, but the chord that it belongs to is over", job.pk)
            return
        counter.count -= 1
        if counter.count > 0:
            counter.save(update_fields=["count"])
            return
        members = counter.group_result(app=current_app)
        counter.delete()
    body = _signature(wanted["chord"])
    try:
        with allow_join_result():
            results = members.join(timeout=current_app.conf.result_chord_join_timeout)
    except _DATABASE_GONE:
        raise
    except Exception as error:  # the failure of a member that is a plain task, or a result that is gone
        logger.exception("the chord %s failed", wanted.get("group_id"))
        with on_behalf_of(job):
            _give_up(body, ChordError(f"A dependency raised {error!r}"))
    else:
        _follow(body, results, job, wanted)


def _give_up(signature: Any, error: Exception, tail: Sequence[Any] = ()) -> None:
    """Mark as failed what will never be submitted: results, error callbacks, the rest of its chain, its chord."""
    for end in _ends(_signature(signature), tail=tail):
        _mark_failed(end, error)


def _mark_failed(request: Context, error: Exception) -> None:
    with _logged("the failure of %s was not told", request.id):
        current_app.backend.mark_as_failure(str(request.id), error, request=request)


@contextlib.contextmanager
def _logged(message: str, *args: Any) -> Iterator[None]:
    """Do it, or nothing of it and log why: a failure stands, whoever can't be told of it."""
    try:
        with transaction.atomic():
            yield
    except _DATABASE_GONE:
        raise
    except Exception:  # one callback that is wrong must not keep the others from being told
        logger.exception(message, *args)


def _is_told(body: Any) -> bool:
    ids = [end.id for end in _ends(_signature(body))]
    return TaskResult.objects.filter(task_id__in=ids, status__in=sorted(states.PROPAGATE_STATES)).exists()


def _failed_before(job: Job) -> bool:
    ends = Transition.objects.filter(job_id=job.pk, after__in=sorted(status.value for status in RETRYABLE))
    return ends.count() > 1


def _wanted(job: Job) -> dict[str, Any]:
    return dict(loads(json.dumps(job.canvas))) if job.canvas else {}


def _signature(wanted: Any) -> Signature:
    return cast(Signature, maybe_signature(wanted, app=current_app))


def _listed(value: Any) -> list[Any]:
    if not value:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _records_a_row(signature: Signature) -> bool:
    """Whether submitting the signature only writes job rows, so that it can be part of a transaction."""
    members = getattr(signature, "tasks", None)
    if members is not None:
        return all(_records_a_row(_signature(member)) for member in members)
    return kinds.find(signature.task) is not None


def _ends(signature: Any, *, tail: Sequence[Any] = (), errbacks: Sequence[Any] = ()) -> Iterator[Context]:
    """The tasks on which it depends what a signature, of any shape, comes to, as Celery's errors ask for them."""
    options = signature.options
    told = [*_listed(options.get("link_error")), *errbacks]
    after = [*tail, *_listed(options.get("chain"))]
    shape = signature.subtask_type
    if shape == "chord":
        yield from _ends(_signature(signature.body), tail=after, errbacks=told)
    elif shape == "group":
        for member in signature.tasks:
            yield from _ends(_signature(member), tail=after, errbacks=told)
    elif shape == "chain":
        first, *rest = signature.tasks
        yield from _ends(_signature(first), tail=[*after, *reversed(rest)], errbacks=told)
    else:
        yield Context(
            id=options.setdefault("task_id", str(uuid.uuid4())),
            task=signature.task,
            args=list(signature.args),
            kwargs=dict(signature.kwargs),
            group=options.get("group_id"),
            chord=options.get("chord"),
            chain=after,
            errbacks=[errback for place, errback in enumerate(told) if errback not in told[:place]],
            root_id=options.get("root_id"),
            parent_id=options.get("parent_id"),
        )


def _renamed(signature: Any) -> Signature:
    """The same signature, to whose tasks Celery gives new ids."""
    renamed = copy.deepcopy(dict(_signature(signature)))
    renamed["options"].pop("task_id", None)
    kwargs = renamed["kwargs"]
    for name in ("tasks", "header"):
        if renamed["subtask_type"] and name in kwargs:
            kwargs[name] = [_renamed(member) for member in getattr(kwargs[name], "tasks", kwargs[name])]
    if renamed["subtask_type"] == "chord":
        kwargs["body"] = _renamed(kwargs["body"])
    return _signature(renamed)


def _context(job: Job, wanted: Mapping[str, Any]) -> Context:
    return Context(
        id=str(job.pk),
        task=job.kind,
        args=job.args,
        kwargs=job.kwargs,
        group=wanted.get("group_id"),
        group_index=wanted.get("group_index"),
        chord=wanted.get("chord"),
        chain=wanted.get("chain"),
        errbacks=_listed(wanted.get("link_error")),
        root_id=wanted.get("root_id"),
        parent_id=wanted.get("parent_id"),
    )
