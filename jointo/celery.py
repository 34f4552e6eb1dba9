"""The Celery application: settings from Django, tasks found in the apps, the worker's pulse added."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jointo.settings")

app = Celery("jointo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the database's connection before and after each task: a fifth of what a short job costs.
app.conf["CELERY_DB_REUSE_MAX"] = 500
# By name: importing it here would need Django to be set up already.
app.steps["worker"].add("jobs.worker:Pulse")
