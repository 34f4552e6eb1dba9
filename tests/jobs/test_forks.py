"""A worker's pool forks while its pulse is at the database: the child must be able to write all the same."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jobs.models import Queue
from tests.environment import ROOT
from tests.stack import database_url

_FORK_AMID_A_WRITE = """
import os, threading, time
import django
django.setup()
from django.db import transaction
from jobs import worker
from jobs.models import Queue

forks = worker.QuietForks()
writing = threading.Event()

def write():
    with forks.at_the_database(), transaction.atomic():
        Queue.objects.create(name="pulse")
        writing.set()
        time.sleep(0.5)

Queue.objects.create(name="main")
pulse = threading.Thread(target=write)
pulse.start()
writing.wait()
child = os.fork()
if not child:
    worker._forget_inherited_connections()
    Queue.objects.create(name="child")
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
pulse.join()
Queue.objects.create(name="main again")
"""


@pytest.mark.django_db(transaction=True)
def test_a_child_that_is_forked_amid_a_write_of_the_pulse_writes_too() -> None:
    """SQLite's own notes of who holds which lock are copied by a fork: the child would wait for nobody, for ever."""
    env = {**os.environ, "JOINTO_DATABASE_URL": database_url()}
    subprocess.run([sys.executable, "-c", _FORK_AMID_A_WRITE], cwd=ROOT, env=env, check=True, timeout=100)
    assert set(Queue.objects.values_list("name", flat=True)) == {"pulse", "main", "child", "main again"}
