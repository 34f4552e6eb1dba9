from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from jobs import transitions
from jobs.api.batch_serializers import render as render_batch
from jobs.api.serializers import render
from jobs.events import Hub, Renderers, Scope
from jobs.events.changes import Changes
from jobs.models import Job, Transition
from tests.builders import claim, make_job, make_user
from tests.jobs.test_events import ends, heard, in_thread, move_on, moves


def age(job, seconds):
    then = transitions.after(Now(), -timedelta(seconds=seconds))
    Job.objects.filter(pk=job.pk).update(updated_at=then)
    Transition.objects.filter(job=job).update(at=then)


def test_a(db):
    ann = make_user()
    mine, other = make_job(owner_id=ann.pk), make_job(owner_id=ann.pk)
    ch = Changes()
    told = []

    def look(*jobs):
        told.extend(m.pk for m in ch.since_last({Scope(ann.pk, j.pk) for j in jobs}).moves)

    claim(mine)
    age(mine, 60)
    look(mine)
    move_on(other)
    for _ in range(3):
        look(mine, other)
    for _ in range(3):
        look(mine)
    assert len(told) == len(set(told)), told


def test_b(db):
    ann = make_user()
    mine, other = make_job(owner_id=ann.pk), make_job(owner_id=ann.pk)
    ch = Changes()
    told = []

    def look(*jobs):
        told.extend(m.pk for m in ch.since_last({Scope(ann.pk, j.pk) for j in jobs}).moves)

    age(mine, 60)
    age(other, 60)
    look(mine, other)
    claim(mine)
    age(mine, 20)
    move_on(other)
    look(mine, other)
    assert mine.transitions.latest("id").pk in told


@pytest.mark.django_db(transaction=True)
def test_c():
    ann = make_user()
    job = make_job(owner_id=ann.pk)
    broken = []

    def flaky(row):
        if broken and broken.pop():
            raise DatabaseError("away")
        return render(row)

    async def test(hub):
        stream: Any = hub.watch(Scope(ann.pk, job.pk), after=None)
        await heard(stream, lambda e: True)
        claimed = await in_thread(lambda: claim(job))
        await heard(stream, lambda e: e.name == "job")
        broken.append(True)
        await in_thread(lambda: transitions.complete(claimed, None))
        said = await asyncio.wait_for(heard(stream, ends(job)), 5)
        assert moves(said)[-1:] == [("processing", "completed")]

    hub = Hub(Renderers(flaky, render_batch))
    try:
        asyncio.run(asyncio.wait_for(test(hub), 10))
    finally:
        hub._thread.submit(lambda: connection.close()).result()
        hub._thread.shutdown()
