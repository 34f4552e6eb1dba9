"""Builders that can only build legal states."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from jobs import dispatch, transitions
from jobs.models import Job
from jobs.now import Now

_numbers = itertools.count(1)


def make_user(name: str = "", **fields: Any) -> User:
    """A user whose password is `secret`."""
    users = get_user_model().objects
    return users.create_user(name or f"user{next(_numbers)}", password="secret", **fields)


def make_job(kind: str = "tests.kinds.add", *, args: tuple[Any, ...] = (1, 2), **fields: Any) -> Job:
    """A pending job, as `delay` records it, that is not released."""
    request = dispatch.Request(
        kind=kind,
        queue=fields.pop("queue", "maintenance"),
        args=args,
        max_attempts=fields.pop("max_attempts", 4),
        **fields,
    )
    with transaction.atomic():
        job, _ = dispatch.submit(request)
    return Job.objects.get(pk=job.pk)


def make_claimed_job(**fields: Any) -> Job:
    """A job whose first attempt runs, on a worker called `w`."""
    return claim(make_job(**fields))


def claim(job: Job, *, lease: timedelta = timedelta(minutes=1)) -> Job:
    """The next attempt at a waiting job."""
    Job.objects.filter(pk=job.pk).update(released_at=Now(), releases=job.releases + 1)
    claimed = transitions.claim(job.pk, worker="w", pid=1, lease=lease)
    assert claimed
    return claimed
