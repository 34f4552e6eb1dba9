"""Celery's result backend: `AsyncResult(id)` of a job is answered from its row, whatever attempt it is at.

Every other task's result is in django-celery-results, as usual. docs/decisions/0002.
"""

from __future__ import annotations

import copy
from typing import Any

from celery import current_task, states
from celery.app.task import Context
from django.db import transaction
from django_celery_results.backends.database import DatabaseBackend

from jobs import canvas, kinds, rescue, results
from jobs.models import Job


class JobBackend(DatabaseBackend):
    """django-celery-results, except that a job's own row answers for it."""

    def _store_result(
        self,
        task_id: str,
        result: Any,
        status: str,
        traceback: str | None = None,
        request: Any = None,
        using: str | None = None,
    ) -> Any:
        if self._is_job(request) and not self._never_recorded(task_id, status):
            return result  # its row says it already, or knows better
        return super()._store_result(task_id, result, status, traceback, request, using)

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        job_id = results.job_id_of(task_id)
        job = Job.objects.filter(pk=job_id).first() if job_id else None
        if job is None:
            return dict(super()._get_task_meta_for(task_id))
        return dict(self.meta_from_decoded(results.meta(job, task_id)))

    def mark_as_failure(self, task_id: str, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        """Besides what Celery does: a child that died is a job that can be rescued now, not a lease later."""
        request: Any = kwargs.get("request")
        job_id = results.job_id_of(task_id) if self._is_job(request) else None
        if job_id and _is_lost_child(exc):
            rescue.child_died(job_id, worker=request.hostname)
        super().mark_as_failure(task_id, exc, *args, **kwargs)

    def on_chord_part_return(self, request: Any, state: str, result: Any, **kwargs: Any) -> None:
        """Besides what Celery does: a job that failed is no part yet, as it may be retried by hand."""
        if state not in states.PROPAGATE_STATES or not canvas.chord_failed(request, result):
            super().on_chord_part_return(request, state, result, **kwargs)

    def call_errbacks(self, failed: dict[str, Any], errbacks: list[Any], error: dict[str, Any]) -> None:
        """Do what Celery does with error callbacks, in a worker (`jobs.tasks.call_errbacks`)."""
        request = Context(failed, errbacks=errbacks, delivery_info={})
        super()._call_task_errbacks(request, self.exception_to_python(error), None)

    def _call_task_errbacks(self, request: Any, exc: Exception, traceback: Any) -> None:
        """Besides what Celery does: jobs are recorded, and plain tasks are not run by whoever notices a job's failure.

        That may be a request that cancels, or the worker's pulse; and Celery would call them here and now.
        """
        tasks = canvas.record_errbacks(request)
        if tasks and self._is_of_this_task(request):
            own = copy.copy(request)
            own.errbacks = tasks
            super()._call_task_errbacks(own, exc, traceback)
        elif tasks:
            names = ("id", "task", "args", "kwargs", "group", "root_id", "parent_id")
            failed = {name: getattr(request, name, None) for name in names}
            call = self.app.tasks["jobs.tasks.call_errbacks"]
            said = (failed, tasks, self.prepare_exception(exc, "json"))
            transaction.on_commit(lambda: call.apply_async(said, retry=False), robust=True)

    def _is_of_this_task(self, request: Any) -> bool:
        """Whether it is Celery itself that tells of the failure of the plain task that this process is at."""
        at = current_task.request if current_task else None
        return at is not None and at.id == request.id and kinds.find(current_task.name) is None

    def _never_recorded(self, task_id: str, status: str) -> bool:
        """Whether this is the failure of a chain's later job, which is only recorded when its turn comes."""
        job_id = results.job_id_of(task_id)
        failed = status in states.PROPAGATE_STATES
        return failed and job_id is not None and not Job.objects.filter(pk=job_id).exists()

    def _is_job(self, request: Any) -> bool:
        return kinds.find(getattr(request, "task", None)) is not None


def _is_lost_child(exc: BaseException) -> bool:
    # billiard's exception and Celery's have the same name and no common base.
    return type(exc).__name__ == "WorkerLostError"
