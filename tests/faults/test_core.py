"""What breaks, broken on purpose: workers, children, Redis. Every accepted job still ends, its effects once."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from celery.result import AsyncResult
from django.conf import settings
from django.db import transaction

from jobs import control, dispatch
from jobs.models import Attempt, Job, Worker
from jobs.testing import Clock
from tests import environment, kinds
from tests.stack import Process, Redis, Stack, wait_for

pytestmark = pytest.mark.stack


def status_of(result: AsyncResult) -> str:
    return Job.objects.get(pk=result.id).status


def wait_until(result: AsyncResult, status: str) -> Job:
    wait_for(lambda: status_of(result) == status, what=f"{status}: {status_of(result)}")
    return Job.objects.get(pk=result.id)


def running_pid(result: AsyncResult) -> int:
    """The process that runs the job now."""
    running = Attempt.objects.filter(job_id=result.id, outcome="running")
    return wait_for(lambda: [attempt.pid for attempt in running.all()], what="a running attempt")[0]


def outcomes(job: Job) -> list[str]:
    return list(job.attempts.values_list("outcome", flat=True))


def scratch_folders() -> list[str]:
    folder = Path(settings.SCRATCH_DIR)
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def no_child_is_left(name: str) -> bool:
    return not [
        p
        for p in psutil.process_iter(["name", "cmdline"])
        if p.info["name"] == name and "61" in (p.info["cmdline"] or [])
    ]


def test_a_killed_pool_child_is_a_crash_and_the_job_is_done_again(worker: Process) -> None:
    result = kinds.child.delay(61)
    pid = running_pid(result)
    wait_for(lambda: worker.children("sleep"), what="the children")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: Job.objects.get(pk=result.id).attempt == 2, what="the second attempt")
    control.cancel(Job.objects.get(pk=result.id), by="test")
    assert outcomes(Job.objects.get(pk=result.id)) == ["crashed", "cancelled"]
    wait_for(lambda: no_child_is_left("sleep") and not scratch_folders(), what="nothing left")


def test_a_killed_worker_is_a_crash_and_another_one_does_the_job(stack: Stack, tmp_path: Path) -> None:
    first = stack.worker()
    result = kinds.child.delay(61)
    running_pid(result)
    children = wait_for(lambda: first.children("sleep"), what="the children")
    family = first.family()
    for process in family:
        if "sleep" not in process.name() and process.name() != "sh":
            process.kill()
    psutil.wait_procs(children, timeout=5)
    assert not any(child.is_running() and child.status() != "zombie" for child in children)
    stack.worker()
    wait_for(lambda: Job.objects.get(pk=result.id).attempt == 2, what="the second attempt")
    control.cancel(Job.objects.get(pk=result.id), by="test")
    assert outcomes(Job.objects.get(pk=result.id)) == ["crashed", "cancelled"]
    wait_for(lambda: no_child_is_left("sleep") and not scratch_folders(), what="nothing left")


def test_a_job_that_always_kills_its_process_fails_after_its_cap_and_the_worker_goes_on(
    worker: Process,
) -> None:
    result = kinds.die.delay()
    wait_for(lambda: Job.objects.get(pk=result.id).crashes == 2, what="two crashes")
    Job.objects.filter(pk=result.id).update(run_at="2000-01-01T00:00Z")  # it waits longer each time
    job = wait_until(result, "failed")
    assert (job.error_code, outcomes(job)) == ("crashed_too_often", ["crashed"] * 3)
    assert kinds.add.delay(1, 1).get(timeout=30) == 2


def test_a_body_that_ends_amid_a_transaction_takes_nothing_of_the_next_job_with_it(stack: Stack) -> None:
    """As an interruption does between two steps of Django's: the transaction that nobody ends goes with its attempt."""
    worker = stack.worker(concurrency=1)
    result = kinds.end_in_a_transaction.delay()
    assert wait_until(result, "failed").message == ""
    assert kinds.add.delay(1, 1).get(timeout=30) == 2
    assert kinds.end_in_a_transaction.delay(raises=False).get(timeout=30) is None
    assert kinds.add.delay(2, 2).get(timeout=30) == 4
    assert "SAVEPOINT" not in worker.text()


def test_a_worker_that_stops_hands_its_job_back_uncharged(stack: Stack, tmp_path: Path) -> None:
    first = stack.worker()
    result = kinds.sleep.delay(61)
    running_pid(result)
    assert first.stop(seconds=20) == 0
    job = Job.objects.get(pk=result.id)
    assert (job.status, outcomes(job), job.max_attempts) == ("pending", ["handed_back"], 5)
    assert not Worker.objects.exists()
    stack.worker()
    wait_until(result, "processing")


def test_a_worker_that_was_stopped_past_its_lease_changes_nothing(stack: Stack, tmp_path: Path) -> None:
    first = stack.worker(concurrency=1)
    result = kinds.child.delay(61)
    pid = running_pid(result)
    family = first.family()
    with transaction.atomic():  # on SQLite it would keep the one lock for writing, were it stopped with it
        for process in family:
            process.suspend()
    stack.worker(concurrency=1)
    wait_for(lambda: Job.objects.get(pk=result.id).attempt == 2, what="the second attempt")
    for process in family:
        process.resume()
    wait_for(lambda: not psutil.Process(pid).children(recursive=True), what="the zombie's children")
    job = Job.objects.get(pk=result.id)
    assert (job.status, outcomes(job)) == ("processing", ["crashed", "running"])
    control.cancel(job, by="test")
    wait_for(lambda: no_child_is_left("sleep") and not scratch_folders(), what="nothing left")


def test_the_same_message_twice_is_one_attempt(stack: Stack, tmp_path: Path) -> None:
    stack.worker(concurrency=1)
    stack.worker(concurrency=1)
    traces = tmp_path / "traces"
    results = [kinds.count.apply_async((str(traces),), countdown=3600) for _ in range(20)]
    Job.objects.update(run_at="2000-01-01T00:00Z", released_at="2999-01-01T00:00Z", releases=1)
    task = kinds.count
    for job in Job.objects.all():
        for _ in range(3):
            task.publish(job)
    wait_for(lambda: all(status_of(result) == "completed" for result in results), what="all of them")
    assert sorted(traces.read_text().split()[::2]) == sorted(str(result.id) for result in results)
    assert Attempt.objects.count() == 20


def test_what_a_wiped_broker_lost_is_sent_again(stack: Stack, redis_server: Redis, tmp_path: Path) -> None:
    stack.worker(concurrency=1)
    traces = tmp_path / "traces"
    kinds.sleep.delay(3)
    results = [kinds.count.delay(str(traces)) for _ in range(10)]
    redis_server.client.flushall()
    wait_for(lambda: all(status_of(result) == "completed" for result in results), what="all of them", seconds=60)
    assert traces.read_text().count("\n") == 10


def test_a_broker_that_is_away_loses_nothing_and_delays_nobody(stack: Stack, tmp_path: Path) -> None:
    own = Redis(tmp_path, environment.free_port())
    own.start()
    url = f"redis://127.0.0.1:{own.port}/0"
    stack.worker(JOINTO_BROKER_URL=url)
    own.stop()
    result = kinds.add.delay(1, 1)
    assert status_of(result) == "pending"
    own.start()
    wait_until(result, "completed")
    own.stop()


def test_a_broker_that_hangs_delays_nobody_for_long(stack: Stack, redis_server: Redis) -> None:
    stack.worker()
    redis_server.pause()
    try:
        result = kinds.add.delay(1, 1)  # comes back, by the broker's time-out
        assert status_of(result) == "pending"
    finally:
        redis_server.resume()
    wait_until(result, "completed")


def test_a_job_of_a_kind_that_is_gone_fails_and_says_so(transactional_db: None) -> None:
    job = Job.objects.get(pk=kinds.add.delay(1).id)
    Job.objects.update(kind="gone.away", released_at=None)
    Worker.objects.create(name="w", queues=["maintenance"], started_at=job.created_at, seen_at="2999-01-01T00:00Z")
    for _ in range(5):
        dispatch.release_all()
        job.refresh_from_db()
        assert (job.status, job.hold) == ("pending", "later"), "a process with newer code may know it"
        Job.objects.update(run_at=job.created_at)
    Clock().turn(timedelta(minutes=11))
    dispatch.release_all()
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "unknown_kind")


def test_a_pool_that_can_not_be_interrupted_is_refused(stack: Stack) -> None:
    with pytest.raises(AssertionError, match="not in thread"):
        stack.worker(pool="threads")


def test_the_solo_pool_does_jobs_too(stack: Stack) -> None:
    stack.worker(pool="solo", concurrency=1)
    assert kinds.add.delay(1, 1).get(timeout=20) == 2
    result = kinds.report_progress.delay([[step, 100, ""] for step in range(100)], 0.1)
    wait_until(result, "processing")
    control.cancel(Job.objects.get(pk=result.id), by="test")
    assert kinds.add.delay(1, 1).get(timeout=20) == 2
