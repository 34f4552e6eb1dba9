"""Batches, groups, chords and chains, done by real workers."""

from __future__ import annotations

from typing import Any

import pytest
from celery import chain, chord, group
from django.contrib.auth.models import User

from jobs import (
    batches,
)
from jobs.models import Job
from tests import kinds
from tests.builders import make_user
from tests.jobs.test_batches import (
    now,
    numbers,
)
from tests.stack import Process, wait_for


@pytest.fixture
def ann() -> User:
    return make_user("ann")


@pytest.mark.stack
def test_workers_do_a_batch_and_it_ends_with_its_failed_members(worker: Process) -> None:
    batch = batches.create_mixed([kinds.add.si(1, 2), kinds.refuse.si(), kinds.add.si(3), kinds.fail_until.si(2)])
    wait_for(lambda: now(batch).ended_at, what="the batch's end")
    assert (numbers(batch), now(batch).rounds, now(batch).percent) == ((3, 1, 0), 1, 100)
    batches.retry_failed(batch, by="ann")
    wait_for(lambda: now(batch).rounds == 2 and now(batch).ended_at, what="the second round")
    assert numbers(batch) == (3, 1, 0)


@pytest.mark.stack
def test_a_running_batch_is_cancelled_within_seconds(worker: Process) -> None:
    batch = batches.create(kinds.sleep, [((60,), {})] * 20)
    wait_for(lambda: Job.objects.filter(batch=batch, status="processing").count() == 2, what="two that run")
    batches.cancel(batch, by="ann")
    wait_for(lambda: now(batch).ended_at, what="the batch's end", seconds=10)
    assert numbers(batch) == (0, 0, 20)
    assert Job.objects.filter(batch=batch, attempt__gt=0).count() <= 4


@pytest.mark.stack
def test_a_chord_of_groups_and_chains_is_tracked_whole(worker: Process, ann: User) -> None:
    firsts = [kinds.add.s(number, 1) for number in range(3)]
    for first in firsts:
        first.options["owner_id"] = ann.pk
    header = [chain(first, kinds.add.s(10)) for first in firsts]
    result = chord(header, kinds.collect.s()).apply_async()
    assert result.get(timeout=30) == 36
    jobs = Job.objects.filter(status="completed")
    assert sorted(jobs.values_list("kind", flat=True)) == [*["tests.kinds.add"] * 6, "tests.kinds.collect"]
    assert set(jobs.filter(kind="tests.kinds.add").values_list("owner_id", flat=True)) == {ann.pk}


@pytest.mark.stack
def test_a_job_of_a_group_that_fails_leaves_the_others(worker: Process) -> None:
    result: Any = group(kinds.add.s(1), kinds.refuse.s(), kinds.add.s(2)).apply_async()
    wait_for(lambda: Job.objects.filter(finished_at__isnull=False).count() == 3, what="all three")
    assert sorted(Job.objects.values_list("status", flat=True)) == ["completed", "completed", "failed"]
    assert len(result.results) == 3


@pytest.mark.stack
def test_a_chain_into_a_chord_goes_on_with_all_results(worker: Process) -> None:
    result = chain(kinds.add.s(1, 1), group(kinds.add.s(10), kinds.add.s(20)), kinds.collect.s()).apply_async()
    assert result.get(timeout=30) == 34
