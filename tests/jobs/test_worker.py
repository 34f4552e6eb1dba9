"""A worker's heartbeat, and what an attempt in it settles whatever its body raises."""

from __future__ import annotations

import pytest
from celery.exceptions import Retry
from django.conf import settings

from jobs import dispatch, rescue, runner
from jobs.context import JobContext
from jobs.health import workers_alive
from jobs.models import Job, Worker
from jobs.now import Now
from jobs.task import job
from jobs.worker import heartbeat
from tests.builders import make_job

WORDS = {"nul": "a\0b", "half": "a\udc80b", "long": "x" * 10**6}


@job(queue="maintenance")
def say(ctx: JobContext, word: str) -> None:
    """Raises what nobody expected, with words that no database likes."""
    raise ValueError(WORDS[word])


@pytest.mark.django_db
def test_a_worker_is_written_down_once_and_is_alive_while_its_heart_beats() -> None:
    heartbeat("w@host", queues=["media"], concurrency=2)
    began = Worker.objects.get().started_at
    heartbeat("w@host", queues=["ai", "media"], concurrency=3)
    row = Worker.objects.get()
    assert (row.queues, row.concurrency, row.started_at) == (["ai", "media"], 3, began)
    assert (workers_alive(), dispatch.capacity("ai")) == (["w@host"], 3)
    Worker.objects.update(seen_at=row.seen_at - 4 * settings.JOINTO_JOBS.pulse)
    assert (workers_alive(), dispatch.capacity("ai")) == ([], 0)


@pytest.mark.django_db
def test_sweeping_twice_is_harmless() -> None:
    assert rescue.sweep() == rescue.sweep() == {"rescued": 0, "expired": 0, "resent": 0, "released": 0}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("word", WORDS)
def test_an_error_is_written_down_whatever_its_words_are(word: str) -> None:
    waiting = make_job(say.name, args=(word,))
    Job.objects.filter(pk=waiting.pk).update(released_at=Now())
    with pytest.raises(Retry):
        runner.run(say, str(waiting.pk), worker="w")
    waiting.refresh_from_db()
    attempt = waiting.attempts.get()
    assert (waiting.status, attempt.outcome, attempt.error_code) == ("retrying", "failed", "unexpected")
    assert "ValueError" in attempt.error_message
    assert attempt.traceback
