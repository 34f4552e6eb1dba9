"""Django and Celery of this process moved to another database and another broker, for as long as a test runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, cast

import dj_database_url
import kombu.pools
from django.core.management import call_command
from django.db import connections

from jobs import dispatch
from jointo.celery import app


@contextlib.contextmanager
def database(url: str, *, migrate: bool = True) -> Iterator[None]:
    """The default database is the one at `url`, in all threads of this process, and of stacks started meanwhile.

    It is made ready unless that was done before. The test needs pytest-django's leave to use a database.
    """
    before = connections.settings["default"]
    settings = {**before, **dj_database_url.parse(url), "TEST": before.get("TEST", {})}
    if settings["ENGINE"] != before["ENGINE"]:
        settings["OPTIONS"] = {}
    if settings["ENGINE"].endswith("sqlite3"):
        settings["OPTIONS"] = SQLITE
    _use(settings)
    try:
        if migrate:
            call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        _use(before)


SQLITE = {
    # As in jointo/settings.py, which knows one database alone.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
}


def _use(settings: dict[str, object]) -> None:
    connections["default"].close()
    connections.settings["default"] = settings
    connections["default"] = connections.create_connection("default")


@contextlib.contextmanager
def broker(url: str) -> Iterator[None]:
    """This process sends to the broker at `url`; so do stacks started meanwhile."""
    conf = app.conf
    before = (conf.broker_url, conf.broker_transport_options, os.environ["JOINTO_BROKER_URL"])
    options = {name: value for name, value in before[1].items() if not name.startswith("socket_")}
    if url.startswith("redis"):
        options |= {"socket_connect_timeout": 1, "socket_timeout": 3}
    _send_to(url, options)
    os.environ["JOINTO_BROKER_URL"] = url
    try:
        yield
    finally:
        _send_to(before[0], before[1])
        os.environ["JOINTO_BROKER_URL"] = before[2]


def _send_to(url: str, options: dict[str, object]) -> None:
    app.conf.update(broker_url=url, broker_transport_options=options)
    kombu.pools.reset()
    cast(Any, app)._after_fork()  # drops the pools that the application remembers
    dispatch.forget()
