"""Fixtures that many tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from jobs import dispatch, reports
from tests import environment, kinds  # noqa: F401  the kinds are known in this process too
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ
from tests.stack import Process, Redis, Stack, running


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """A password's hash takes a fifth of a second on purpose; the tests make hundreds."""
    PBKDF2PasswordHasher.iterations = 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In each file, what wants the shared worker comes last: it is away for all others, and would be started anew."""
    files = {item.path: place for place, item in reversed(list(enumerate(items)))}
    items.sort(key=lambda item: (files[item.path], "worker" in getattr(item, "fixturenames", ())))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The shared worker is away for all who did not ask for it.

    No fixture: the test's own transaction begins with another one, and on SQLite the worker would wait for its end.
    """
    if SharedWorker.only and "worker" not in getattr(item, "fixturenames", ()):
        SharedWorker.only.leave()


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    """Nothing is remembered from the test before."""
    dispatch.forget()
    reports.forget()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """On SQLite, the test database is a file, so that workers in other processes see it."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(environment.DATA_DIR / "test.sqlite3")


@pytest.fixture
def no_files() -> None:
    """No uploaded, published or private file is there when the test begins."""
    for folder in (settings.MEDIA_ROOT, settings.UPLOADS_DIR, settings.SCRATCH_DIR, settings.PARTS_DIR):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis for the whole run."""
    server = Redis(tmp_path_factory.mktemp("redis"), environment.REDIS_PORT)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL for the whole run, beside the database that the run itself is on; started when first wanted."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQ]:
    """A RabbitMQ for the whole run; started when first wanted."""
    with RabbitMQ() as server:
        yield server


class SharedWorker:
    """One worker for all tests that want just any; away during all others."""

    only: ClassVar[SharedWorker | None] = None

    def __init__(self, folder: Path, blocker: DjangoDbBlocker) -> None:
        SharedWorker.only = self
        self._stack = Stack(folder)
        self._blocker = blocker
        self._process: Process | None = None

    def process(self) -> Process:
        if self._process is None:
            self._process = self._stack.worker()
        assert self._process.alive, self._process.text()[-4000:]
        return self._process

    def leave(self) -> None:
        """End it, and remove what it wrote after the last test's tables were emptied: a pulse, a result, a count."""
        if self._process is None:
            return
        with self._blocker.unblock():
            self._stack.stop()
            call_command("flush", verbosity=0, interactive=False)
        self._process = None


@pytest.fixture(scope="session")
def shared_worker(
    redis_server: Redis,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SharedWorker]:
    """Started when it is first wanted, ended after the last test."""
    shared = SharedWorker(tmp_path_factory.mktemp("worker"), django_db_blocker)
    yield shared
    shared.leave()


@pytest.fixture
def worker(shared_worker: SharedWorker, transactional_db: None) -> Process:
    """A worker that runs."""
    if connection.vendor == "postgresql":
        # The worker goes on while this test's tables are emptied. Where both wait for each other, who finds it out
        # first gives way: that is to be the worker, whose next tick makes up for it.
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '60s'")
    return shared_worker.process()


@pytest.fixture
def stack(redis_server: Redis, transactional_db: None, tmp_path: Path) -> Iterator[Stack]:
    """Starts processes for one test, and ends them."""
    redis_server.client.flushall()
    with running(tmp_path) as started:
        yield started
