"""How the parts are that jobs need: database, broker, workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from kombu.exceptions import OperationalError

from jobs import transitions
from jobs.dispatch import MISSED_PULSES
from jobs.models import Worker
from jobs.now import Now


def database_answers() -> bool:
    """Whether a query comes back."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except (DatabaseError, InterfaceError):
        return False


def broker_answers() -> bool:
    """Whether the broker can be reached within about two seconds."""
    try:
        with current_app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
            return True
    except (OperationalError, OSError):
        return False


def workers_alive() -> list[str]:
    """The names of the workers whose heartbeat is fresh."""
    wait: timedelta = MISSED_PULSES * settings.JOINTO_JOBS.pulse
    alive = Worker.objects.filter(seen_at__gt=transitions.after(Now(), -wait))
    return list(alive.values_list("name", flat=True))


def report() -> dict[str, Any]:
    """All of it, as JSON."""
    database = database_answers()
    return {
        "database": database,
        "broker": broker_answers(),
        "workers": workers_alive() if database else [],
    }
