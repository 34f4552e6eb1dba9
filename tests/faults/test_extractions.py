"""Scripts that a language model reads, broken on purpose while it is asked: each question is paid for once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from django.conf import settings

from assets import tasks
from assets.models import Asset, Extracted, Extraction, PieceAnswer, Usage
from jobs import control
from jobs.models import Job
from jobs.status import JobStatus
from tests.assets.builders import make_episode
from tests.assets.model_server import KEY, ModelServer, character, empty, serving
from tests.faults.arena import pause
from tests.faults.test_generations import ended, kill
from tests.stack import Process, Stack, wait_for

pytestmark = [pytest.mark.stack]


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """Holds its answers back until it is told to go on."""
    with serving() as running:
        running.answers = [empty(characters=[character("SARAH", scenes=[])])]
        running.hold = threading.Event()
        yield running


def worker_for(model: ModelServer, stack: Stack) -> Process:
    return stack.worker(concurrency=1, JOINTO_OPENAI_BASE_URL=model.url, JOINTO_OPENAI_API_KEY=KEY)


def asked(model: ModelServer) -> Job:
    """A job whose question waits for its answer."""
    episode = make_episode()
    job, _ = tasks.extract_assets.submit((episode.pk,), {"model": ["openai:small"]})
    wait_for(lambda: model.asked, what="the question")
    return Job.objects.get(pk=job.pk)


def test_killed_while_it_asks_nobody_asks_again_before_a_person_says_so(stack: Stack, model: ModelServer) -> None:
    first = worker_for(model, stack)
    job = asked(model)
    kill(first)
    assert model.hold
    model.hold.set()
    worker_for(model, stack)
    job = ended(job)
    assert (job.status, job.error_code, len(model.asked)) == (JobStatus.FAILED, "answer_lost", 1)
    control.retry(job, by="ann")
    job = ended(job)
    assert (job.status, len(model.asked), Asset.objects.get().name) == (JobStatus.COMPLETED, 2, "SARAH")
    assert (Extraction.objects.count(), Extracted.objects.count(), PieceAnswer.objects.count()) == (1, 1, 0)
    assert [one for one in stack.folder.glob("*.log") if KEY in one.read_text()] == []


def test_a_worker_that_stops_while_it_asks_keeps_the_answer_for_the_next_one(stack: Stack, model: ModelServer) -> None:
    first = worker_for(model, stack)
    job = asked(model)
    os.kill(first.pid, signal.SIGTERM)
    wait_for(pause(settings.JOINTO_JOBS.stop_grace.total_seconds() + 1), what="the moment of an interruption")
    assert model.hold
    model.hold.set()
    wait_for(lambda: not first.alive, seconds=60, what="the worker's end")
    worker_for(model, stack)
    job = ended(job)
    assert (job.status, len(model.asked), Usage.objects.count()) == (JobStatus.COMPLETED, 1, 1)
