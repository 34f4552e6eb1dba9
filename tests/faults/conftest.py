"""Fixtures of the rows of faults."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]
import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.faults import arena as arenas
from tests.faults.arena import FULL, SEED, Arena
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis

_SHOWN = 3000  # characters
_LONGEST_SECONDS = 3600 if FULL else 400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "arena" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(_LONGEST_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and "arena" in getattr(item, "fixturenames", ()):
        report.sections.append(("seed", f"JOINTO_TEST_SEED={SEED}"))
        started = getattr(item, "funcargs", {}).get("arena")
        for process in started.stack.processes() if isinstance(started, Arena) else ():
            report.sections.append((f"the end of the log of {process.name}", process.text()[-_SHOWN:]))
    return report


@pytest.fixture(scope="session")
def faults_redis() -> Iterator[Redis]:
    """A Redis of the rows alone: the worker that other tests share must not take what they send."""
    with Redis() as server:
        yield server


@pytest.fixture(scope="session")
def filled_postgres(postgres_server: Postgres, django_db_blocker: DjangoDbBlocker) -> str:
    """The name of a database that is ready, to be copied for each row."""
    name = "faults"
    with django_db_blocker.unblock():
        arenas.fill(postgres_server.create(name))
    return name


@pytest.fixture(scope="session")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Path:
    """A database that is ready, to be copied for each row."""
    path = tmp_path_factory.mktemp("faults") / "filled.sqlite3"
    with django_db_blocker.unblock():
        arenas.fill(f"sqlite:///{path}")
    return path


@contextlib.contextmanager
def _copy(server: Postgres, template: str) -> Iterator[str]:
    """A copy of a database, for as long as one row needs it; its address."""
    name = f"row_{uuid.uuid4().hex}"
    yield server.create(name, template=template)
    with contextlib.closing(psycopg2.connect(server.url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def arena(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Arena]:
    """Where one row happens: on PostgreSQL and Redis, unless it is parametrized by other words (`arena.EVERYWHERE`)."""
    database, _, broker = getattr(request, "param", "pg_redis").partition("_")
    server = request.getfixturevalue("rabbitmq_server" if broker == "rabbitmq" else "faults_redis")
    with contextlib.ExitStack() as exits:
        postgres = None
        if database == "pg":
            postgres = request.getfixturevalue("postgres_server")
            url = exits.enter_context(_copy(postgres, request.getfixturevalue("filled_postgres")))
        else:
            url = f"sqlite:///{shutil.copy(request.getfixturevalue('filled_sqlite'), tmp_path / 'row.sqlite3')}"
        exits.enter_context(django_db_blocker.unblock())
        seed = f"{SEED} {request.node.nodeid}"
        yield exits.enter_context(arenas.opened(tmp_path, url=url, broker=server, postgres=postgres, seed=seed))
