"""Whether the web process lives, and whether it can serve."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from jobs.worker import heartbeat
from tests.stack import Redis, Stack


@pytest.mark.django_db
def test_a_process_that_answers_is_alive() -> None:
    answer = Client().get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert Client().head("/health/").status_code == 200
    assert Client().post("/health/").status_code == 405


def test_readiness_says_which_part_is_away(stack: Stack, redis_server: Redis) -> None:
    def ready() -> tuple[int, str, bool]:
        answer = Client().get("/ready/")
        said = answer.json()
        assert said["database"] and said["storage"]
        return answer.status_code, said["status"], said["broker"]

    assert ready() == (200, "degraded", True), "no worker"
    heartbeat("w@host", queues=["media"], concurrency=1)
    assert ready() == (200, "ok", True)
    redis_server.stop()
    try:
        assert ready() == (200, "degraded", False), "what is accepted meanwhile waits in the database"
    finally:
        redis_server.start()


@pytest.mark.django_db
def test_a_place_for_files_that_can_not_be_written_is_not_ready() -> None:
    folder = Path(settings.UPLOADS_DIR)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    folder.touch()
    try:
        answer = Client().get("/ready/")
    finally:
        folder.unlink()
    assert (answer.status_code, answer.json()["status"], answer.json()["storage"]) == (503, "unavailable", False)
