"""Celery's own commands, from a shell: they find Django set up, and a kind that is called by name is a job."""

from __future__ import annotations

import subprocess
import sys

import pytest
from celery import current_app

from jobs.models import Job, Worker
from tests import kinds
from tests.stack import Process, Stack, wait_for

pytestmark = pytest.mark.stack


@pytest.fixture
def celery(worker: Process, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """What the commands are given: the database and the broker of a worker that runs."""
    return Stack(tmp_path_factory.mktemp("commands"))


def run(stack: Stack, *arguments: str) -> str:
    command = [sys.executable, "-m", "celery", "-A", "jointo", *arguments]
    ended = subprocess.run(command, env=stack.env(), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


def test_celery_call_records_a_job_which_is_done_and_answers_by_its_id(celery: Stack) -> None:
    job = Job.objects.get(pk=run(celery, "call", "jobs.tasks.reset_hourly_quota"))
    wait_for(lambda: Job.objects.get(pk=job.pk).status == "completed", what="the job that was called")
    assert run(celery, "result", str(job.pk)) == "0"


def test_celery_call_sends_a_plain_task_as_ever(celery: Stack) -> None:
    task_id = run(celery, "call", "jobs.tasks.health_check")
    wait_for(lambda: current_app.AsyncResult(task_id).state == "SUCCESS", what="the task that was called")
    assert not Job.objects.exists()


def test_celery_inspect_ping_is_answered(celery: Stack) -> None:
    # The test before has emptied the table of workers. With a destination, the first answer ends it.
    [name] = wait_for(lambda: list(Worker.objects.values_list("name", flat=True)), what="the worker's next pulse")
    assert "pong" in run(celery, "inspect", "--timeout", "60", "--destination", name, "ping")


def test_a_kind_that_is_sent_by_name_is_a_job_with_its_arguments(transactional_db: None) -> None:
    result = current_app.send_task("tests.kinds.add", (1,), {"b": 2}, countdown=600)
    job = Job.objects.get(pk=result.id)
    assert (job.kind, job.args, job.kwargs) == (kinds.add.name, [1], {"b": 2})
    assert job.run_at > job.created_at
