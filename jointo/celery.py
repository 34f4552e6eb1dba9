"""The Celery application: settings from Django, tasks found in the apps, the worker's pulse added."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.backends.base import Backend
from celery.result import AsyncResult

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jointo.settings")


class Jointo(Celery):
    """Celery's application, which sets Django up where that is needed and nobody has done it.

    Workers, beat and manage.py do so themselves; `celery call`, `celery result` and Flower do not.
    """

    def send_task(  # type: ignore[override]  # of its thirty parameters these are ours; nobody gives the others by place
        self, name: str, args: Any = None, kwargs: Any = None, *, task_type: Any = None, **options: Any
    ) -> AsyncResult[Any]:
        """Send a task by its name. One that is a kind of job is recorded, as by its own `apply_async`."""
        if task_type is None:
            self._set_django_up()
            task: Any = self.tasks.get(name)
            if getattr(task, "is_job", False):  # a bare message would find no row, and do nothing
                recorded: AsyncResult[Any] = task.apply_async(args, kwargs, **options)
                return recorded
        return super().send_task(name, args, kwargs, task_type=task_type, **options)

    @property
    def backend(self) -> Backend:
        """Where results are: in the database."""
        self._set_django_up()
        return super().backend

    def _set_django_up(self) -> None:
        from django.apps import apps

        if not apps.models_ready:
            self.loader.import_default_modules()


app = Jointo("jointo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the database's connection before and after each task: a fifth of what a short job costs.
app.conf["CELERY_DB_REUSE_MAX"] = 500
# By name: importing it here would need Django to be set up already.
app.steps["worker"].add("jobs.worker:Pulse")
