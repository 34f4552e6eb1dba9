"""Jobs over the real thing: Redis, a worker, its pool."""

from __future__ import annotations

import pytest

from jobs.models import Job
from tests import kinds
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.stack


def test_delay_records_a_job_that_a_worker_completes(stack: Stack) -> None:
    stack.worker()
    result = kinds.add.delay(2, 3)
    wait_for(lambda: result.status == "SUCCESS", what="the job")
    assert result.get(timeout=5) == 5
    job = Job.objects.get(pk=result.id)
    assert (job.status, job.result, job.attempt, job.subject) == ("completed", 5, 1, "tests.Sum:2")
    assert [a.outcome for a in job.attempts.all()] == ["completed"]
