"""Fixtures that many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests import environment, kinds  # noqa: F401  the kinds are known in this process too
from tests.stack import Redis, Stack, running


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The test database is a file, so that workers in other processes see it."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(environment.DATA_DIR / "test.sqlite3")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis for the whole run, that tests may stop, pause and wipe, and start again."""
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stack(
    redis_server: Redis, transactional_db: None, tmp_path: Path
) -> Iterator[Stack]:
    """Starts processes for one test, and ends them."""
    redis_server.client.flushall()
    with running(tmp_path) as started:
        yield started
