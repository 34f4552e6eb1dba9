"""Extraction by real workers: a batch in parallel, a worker that is killed, an episode as long as a book."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from assets import tasks
from assets.models import Appearance, Asset, ExtractionReport
from jobs.testing import run
from tests.assets.builders import make_episode, make_project
from tests.stack import Process, wait_for

LONG = 100_000  # characters
_MEGABYTE = 2**20


def long_script(characters: int) -> str:
    """An episode in which sixty people talk in two hundred rooms."""
    scenes, length, number = [], 0, 0
    while length < characters:
        speaker = f"PERSON {chr(65 + number % 26)}{chr(65 + number % 20)}"
        scenes.append(f"INT. ROOM {number % 200} - DAY\n\nSomebody waits here.\n\n{speaker}\n{'So it goes. ' * 20}\n\n")
        length += len(scenes[-1])
        number += 1
    return "".join(scenes)


@pytest.mark.django_db
def test_an_episode_of_a_hundred_thousand_characters_takes_little_memory() -> None:
    episode = make_episode(script=long_script(LONG))
    assert episode.length > LONG
    job = tasks.start(episode.pk)
    tracemalloc.start()
    try:
        done = run(job)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done.status == "completed", done.error_message
    assert Asset.objects.filter(kind="scene").count() == 200
    assert peak < 48 * _MEGABYTE, f"{peak / _MEGABYTE:.0f} MiB"


@pytest.mark.stack
def test_a_batch_runs_in_parallel_is_compared_and_reported(worker: Process, api: APIClient, ann: User) -> None:
    project = make_project(ann)
    for _ in range(3):
        make_episode(project)
    make_episode(project, script=" ")
    ids = list(project.episodes.values_list("pk", flat=True))
    asked = api.post(f"/api/projects/{project.pk}/episodes/extract/", {"episodes": ids}, format="json").json()

    def report() -> Any:
        return ExtractionReport.objects.filter(pk=asked["report"]["id"], finished_at__isnull=False).first()

    written = wait_for(report, seconds=90, what="the report")
    assert written.counts["episodes"] == {"total": 4, "completed": 3, "failed": 1, "cancelled": 0}
    assert written.counts["characters"] == {"found": 2, "new": 2, "merged": 0}
    assert [one["code"] for one in written.failures] == ["script_empty"]
    assert Asset.objects.filter(project=project).count() == 4  # two people, two places: found by all three at once
    assert Appearance.objects.filter(asset__name="SARAH").count() == 6
    assert worker.alive
