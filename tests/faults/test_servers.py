"""The servers that faults are made with: they come, break as told, keep what they should, and leave nothing."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2  # type: ignore[import-untyped]
import pytest
import redis

from jobs.models import Job
from tests import kinds
from tests.servers import attached
from tests.servers.postgres import Postgres
from tests.servers.process import lives
from tests.servers.proxy import PostgresProxy, Proxy
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.redis import Redis
from tests.servers.server import Server
from tests.stack import running, wait_for

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def rabbitmq() -> Iterator[RabbitMQ]:
    with RabbitMQ() as server:
        yield server


def connect(url: str) -> Any:
    return psycopg2.connect(url, connect_timeout=5)


def rows(url: str) -> list[int]:
    with contextlib.closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM kept ORDER BY n")
        return [n for (n,) in cursor.fetchall()]


@pytest.fixture
def kept(postgres: Postgres) -> Iterator[None]:
    """A table with nothing in it."""
    with contextlib.closing(connect(postgres.url)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (n integer)")
        connection.commit()
    yield
    with contextlib.closing(connect(postgres.url)) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE kept")
        connection.commit()


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_what_postgresql_answered_outlives_it_on_the_same_address(postgres: Postgres, kept: None, how: str) -> None:
    url = postgres.url
    with contextlib.closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO kept VALUES (1)")
        connection.commit()
        cursor.execute("INSERT INTO kept VALUES (2)")
        if how == "kill":
            postgres.kill()
            postgres.start()
        else:
            postgres.restart()
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")
    assert (postgres.url, rows(url)) == (url, [1])


def test_a_paused_postgresql_answers_once_it_is_resumed(postgres: Postgres, kept: None) -> None:
    postgres.pause()
    try:
        with pytest.raises(psycopg2.OperationalError, match="timeout"):
            psycopg2.connect(postgres.url, connect_timeout=2)
    finally:
        postgres.resume()
    assert rows(postgres.url) == []


def test_a_lost_answer_to_commit_took_effect(postgres: Postgres, kept: None) -> None:
    with PostgresProxy(postgres.url) as proxy, contextlib.closing(connect(proxy.url)) as connection:
        lost = proxy.lose_answer_to(b"COMMIT", after=b"VALUES (2)")
        cursor = connection.cursor()
        cursor.execute("INSERT INTO kept VALUES (1)")
        connection.commit()
        assert not lost.is_set()
        cursor.execute("INSERT INTO kept VALUES (2)")
        with pytest.raises(psycopg2.OperationalError):
            connection.commit()
        assert lost.wait(5)
        assert rows(proxy.url) == [1, 2]


def ask(client: socket.socket) -> bytes:
    client.sendall(b"PING\r\n")
    return client.recv(100)


def test_a_proxy_cuts_refuses_hangs_and_passes_on_again(tmp_path: Path) -> None:
    with Redis(tmp_path) as server, Proxy(server.url) as proxy:
        address = ("127.0.0.1", proxy.port)
        with socket.create_connection(address) as client:
            assert ask(client) == b"+PONG\r\n"
            proxy.cut()
            assert client.recv(1) == b""
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError), socket.create_connection(address):
            pass
        proxy.pass_on()
        with socket.create_connection(address, timeout=20) as client:
            assert ask(client) == b"+PONG\r\n"
            proxy.hang()
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                ask(client)
            proxy.pass_on()
            client.settimeout(20)
            assert client.recv(100) == b"+PONG\r\n"
        server.stop()
        with socket.create_connection(address) as unserved:
            assert unserved.recv(1) == b""


def test_a_proxy_carries_much_at_once(tmp_path: Path) -> None:
    with Redis(tmp_path) as server, Proxy(server.url) as proxy, redis.Redis.from_url(proxy.url) as client:
        client.set("key", "x" * 3_000_000)
        assert server.client.strlen("key") == 3_000_000
        assert client.get("key") == b"x" * 3_000_000


@pytest.mark.parametrize("kind", [Redis, Postgres], ids=["redis", "postgres"])
@pytest.mark.parametrize("end", ["stopped", "killed", "paused"])
def test_a_server_leaves_no_process_and_no_file(kind: type[Server], end: str) -> None:
    with contextlib.suppress(ZeroDivisionError), kind() as server:
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        if end == "killed":
            server.kill()
        elif end == "paused":
            server.pause()
        raise ZeroDivisionError
    assert not server.folder.exists()
    wait_for(lambda: not any(map(lives, family)), what="the end of the server")


def test_messages_outlive_a_restart_of_rabbitmq_which_leaves_no_register_of_nodes(rabbitmq: RabbitMQ) -> None:
    with rabbitmq.connect() as connection:
        queue = connection.SimpleQueue("kept")
        for number in range(3):
            queue.put(number)
        queue.close()
    rabbitmq.restart()
    assert rabbitmq.waiting("kept") == 3
    assert not [p for p in psutil.Process(rabbitmq.pid).children(recursive=True) if p.name() == "epmd"]


def test_a_worker_takes_its_jobs_from_rabbitmq(rabbitmq: RabbitMQ, transactional_db: None, tmp_path: Path) -> None:
    with attached.broker(rabbitmq.url), running(tmp_path) as stack:
        stack.worker()
        results = [kinds.add.delay(number, 1) for number in range(10)]
        assert [result.get(timeout=30) for result in results] == list(range(1, 11))
        rabbitmq.restart()
        assert kinds.add.delay(1, 1).get(timeout=30) == 2


def test_jobs_are_done_on_another_database_by_way_of_a_proxy(
    postgres: Postgres, rabbitmq: RabbitMQ, transactional_db: None, tmp_path: Path
) -> None:
    url = postgres.create("attached")
    with attached.database(url), attached.broker(rabbitmq.url), PostgresProxy(url) as proxy:
        with running(tmp_path, database_url=proxy.url) as stack:
            stack.worker()
            lost = proxy.lose_answer_to(b"COMMIT", after=b"completed")
            assert kinds.add.delay(1, 1).get(timeout=60) == 2
            assert lost.is_set()
        assert Job.objects.get().status == "completed"
    assert not Job.objects.exists()
