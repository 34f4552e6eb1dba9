"""Pictures by a service, broken on purpose while it works: one order, one file, or a person who decides."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from assets import tasks
from assets.models import Generation, GenerationState
from jobs import control
from jobs.models import Job
from jobs.status import JobStatus
from tests.assets.generation.conftest import png
from tests.assets.providers.making import ReplicateService
from tests.assets.providers.serving import KEY, Seen, Told
from tests.builders import make_user
from tests.faults.arena import pause
from tests.faults.test_processing import folders
from tests.files import files_under
from tests.stack import Process, Stack, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("no_files")]


class Slow(ReplicateService):
    """Holds its answers to orders, or its files, back until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.file = png()
        self.holds = ""  # order, file
        self.held = threading.Event()
        self.go_on = threading.Event()

    def answer(self, seen: Seen) -> Told | str:
        told = super().answer(seen)
        what = "file" if seen.path.startswith("/files/") else "order" if seen.method == "POST" else "look"
        if what == self.holds:
            self.held.set()
            self.go_on.wait(120)
        return told


@pytest.fixture
def service() -> Iterator[Slow]:
    with Slow() as running:
        yield running
        running.go_on.set()


def worker_for(service: Slow, stack: Stack) -> Process:
    env = {"JOINTO_REPLICATE_BASE_URL": service.url, "JOINTO_REPLICATE_API_TOKEN": KEY}
    return stack.worker(concurrency=1, JOINTO_INNER_HOSTS="127.0.0.1", **env)


def ordered(**options: Any) -> Job:
    said = {"prompt": "a lamp", "model": "replicate:o/n"}
    job, _ = tasks.generate_image.submit((), said, owner_id=make_user().pk, **options)
    return Job.objects.get(pk=job.pk)


def row_of(job: Job) -> Generation:
    return Generation.objects.get(job=job)


def ended(job: Job) -> Job:
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished, seconds=120, what="the end")
    return Job.objects.get(pk=job.pk)


def kill(worker: Process) -> None:
    for process in worker.family():
        process.kill()


def assert_one_picture(job: Job, service: Slow) -> None:
    done = ended(job)
    assert done.status == JobStatus.COMPLETED, (done.error_code, done.error_message)
    assert (len(service.begun), row_of(job).state) == (1, GenerationState.COMPLETED)
    root = Path(settings.MEDIA_ROOT) / "ai-generated"
    assert [path.relative_to(root).as_posix() for path in files_under(root)] == [f"images/{job.pk}.png"]
    wait_for(lambda: not folders(), what="the private folder's end")


def test_killed_between_order_and_look_it_goes_on_with_the_id(stack: Stack, service: Slow) -> None:
    service.phases = ["running"]
    first = worker_for(service, stack)
    job = ordered()
    wait_for(lambda: row_of(job).provider_id, what="the id")
    kill(first)
    service.phases = ["done"]
    worker_for(service, stack)
    assert_one_picture(job, service)


def test_killed_between_download_and_store_it_is_stored_once(stack: Stack, service: Slow) -> None:
    service.phases, service.holds = ["done"], "file"
    first = worker_for(service, stack)
    job = ordered()
    assert service.held.wait(60)
    kill(first)
    service.holds = ""
    service.go_on.set()
    worker_for(service, stack)
    assert_one_picture(job, service)


def test_killed_while_it_orders_nobody_orders_again(stack: Stack, service: Slow) -> None:
    service.holds = "order"
    first = worker_for(service, stack)
    job = ordered()
    assert service.held.wait(60)
    kill(first)
    service.go_on.set()
    worker_for(service, stack)
    done = ended(job)
    assert (done.status, done.error_code, len(service.begun)) == (JobStatus.FAILED, "create_ambiguous", 1)
    wait_for(lambda: row_of(job).state == GenerationState.AMBIGUOUS, what="the row's word")


def test_a_worker_that_stops_while_it_orders_writes_the_id_down_first(stack: Stack, service: Slow) -> None:
    service.phases, service.holds = ["running"], "order"
    first = worker_for(service, stack)
    job = ordered()
    assert service.held.wait(60)
    os.kill(first.pid, signal.SIGTERM)
    wait_for(pause(settings.JOINTO_JOBS.stop_grace.total_seconds() + 1), what="the moment of an interruption")
    service.holds, service.phases = "", ["done"]
    service.go_on.set()
    wait_for(lambda: not first.alive, seconds=60, what="the worker's end")
    worker_for(service, stack)
    assert_one_picture(job, service)


def test_a_cancel_is_passed_on(stack: Stack, service: Slow) -> None:
    service.phases = ["running"]
    worker_for(service, stack)
    job = ordered()
    wait_for(lambda: service.looks, what="a look at the service")
    control.cancel(Job.objects.get(pk=job.pk), by="ann")
    wait_for(lambda: service.cancelled == ["pred1"], what="the service to hear of it")
    wait_for(lambda: row_of(job).state == GenerationState.CANCELLED, what="the row's word")
    assert (ended(job).status, len(service.begun)) == (JobStatus.CANCELLED, 1)


def test_a_cancel_while_it_orders_is_passed_on_once_its_id_is_known(stack: Stack, service: Slow) -> None:
    service.phases, service.holds = ["running"], "order"
    worker_for(service, stack)
    job = ordered()
    assert service.held.wait(60)
    control.cancel(Job.objects.get(pk=job.pk), by="ann")
    wait_for(pause(settings.JOINTO_JOBS.watch.total_seconds() * 4), what="the moment of an interruption")
    service.holds = ""
    service.go_on.set()
    wait_for(lambda: service.cancelled == ["pred1"], what="the service to hear of it")
    wait_for(lambda: row_of(job).state == GenerationState.CANCELLED, what="the row's word")
    assert row_of(job).provider_id == "pred1"


def test_a_message_that_comes_twice_orders_once(stack: Stack, service: Slow) -> None:
    service.phases = ["running", "done"]
    worker_for(service, stack)
    job = ordered()
    tasks.generate_image.publish(Job.objects.get(pk=job.pk))
    assert_one_picture(job, service)
