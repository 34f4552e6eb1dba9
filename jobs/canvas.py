"""How Celery's canvas (chain, group, chord, link) meets jobs.

What a job's signature wants done afterwards waits in the job's row, not in a message. When the job
completes, the next job of its chain is recorded in the very transaction that completes it, so that a crash
between the two can't lose it. docs/decisions/0002.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, cast

from celery import current_app, maybe_signature, states
from celery.app.task import Context
from celery.canvas import Signature
from django.db import transaction
from kombu.utils.json import dumps, loads

from jobs import kinds
from jobs.heirs import on_behalf_of
from jobs.models import Job

logger = logging.getLogger(__name__)

OPTIONS = ("link", "link_error", "chain", "chord", "group_id", "group_index", "root_id", "parent_id")


def wishes(options: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `apply_async`'s options that speaks of what comes afterwards, as plain JSON."""
    wanted = {name: options[name] for name in OPTIONS if options.get(name)}
    return dict(json.loads(dumps(wanted)))


def succeeded(job: Job, result: Any) -> None:
    """Submit what follows a job that completes; inside the transaction that completes it."""
    wanted = _wanted(job)
    if not wanted:
        return
    with on_behalf_of(job):
        for link in _listed(wanted.get("link")):
            _submit(_signature(link), result, job, wanted)
        chain = _listed(wanted.get("chain"))
        if chain:
            following = _signature(chain.pop())
            _submit(following, result, job, wanted, chain=chain)
        if wanted.get("chord"):
            current_app.backend.on_chord_part_return(_context(job, wanted), states.SUCCESS, result)


def failed(job: Job, error: Exception) -> None:
    """Let Celery tell the error callbacks, the chain and the chord of a job that failed for good."""
    wanted = _wanted(job)
    if not wanted:
        return
    try:
        current_app.backend.mark_as_failure(str(job.pk), error, request=_context(job, wanted))
    except Exception:  # the job's own end is committed; its error callbacks are Celery's best effort
        logger.exception("the error callbacks of job %s were not reached", job.pk)


def _wanted(job: Job) -> dict[str, Any]:
    return dict(loads(json.dumps(job.canvas))) if job.canvas else {}


def _signature(wanted: Any) -> Signature:
    return cast(Signature, maybe_signature(wanted, app=current_app))


def _listed(value: Any) -> list[Any]:
    if not value:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _submit(signature: Signature, result: Any, job: Job, wanted: Mapping[str, Any], **options: Any) -> None:
    options |= {"parent_id": str(job.pk), "root_id": wanted.get("root_id") or str(job.pk)}

    def apply() -> None:
        signature.apply_async((result,), **options)

    if _records_a_row(signature):
        apply()
    else:
        transaction.on_commit(apply, robust=True)  # a plain task is a message: only once we have committed


def _records_a_row(signature: Signature) -> bool:
    """Whether submitting the signature only writes job rows, so that it can be part of a transaction."""
    members = getattr(signature, "tasks", None)
    if members is not None:
        return all(_records_a_row(_signature(member)) for member in members)
    return kinds.find(signature.task) is not None


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
