"""The environment: read once, and refused with the name of what can't be right."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ROOT


def start(folder: Path, code: str = "from jointo import settings", **env: str) -> subprocess.Popen[str]:
    """A process that reads the settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JOINTO_")}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, "JOINTO_ENV_FILE": "", "JOINTO_DATA_DIR": str(folder), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOB_LEASE_SECONDS", "0"),
        ("JOB_LEASE_SECONDS", "soon"),
        ("JOB_MAX_CRASHES", "1.5"),
        ("UPLOAD_CHUNK_BYTES", "-1"),
        ("KEEP_JOBS_DAYS", "0"),
        ("LOG_LEVEL", "loud"),
        ("DEBUG", "perhaps"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("DATABASE_URL", "nonsense"),
        ("ENV_FILE", "not/there"),
        ("BROKER_URL", ""),
        ("BROKER_URL", "nonsense"),
        ("BROKER_URL", "foo://127.0.0.1"),
        ("BROKER_URL", "redis://127.0.0.1:port/0"),
        ("BROKER_URL", "redis://127.0.0.1:6379/0;nonsense"),
        ("EMAIL_URL", ""),
        ("EMAIL_URL", "nonsense"),
        ("EMAIL_URL", "foo://x"),
    ],
)
def test_a_value_that_can_not_be_right_stops_the_program_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    process = start(tmp_path, **{f"JOINTO_{name}": value})
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"JOINTO_{name}" in said.splitlines()[-1], said.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROKER_URL", "amqp://jointo:secret@127.0.0.1:5672//"),
        ("BROKER_URL", "sentinel://127.0.0.1:26379;sentinel://127.0.0.1:26380"),
        ("EMAIL_URL", "submission://user:password@mail.example.org:587"),
        ("EMAIL_URL", "console:"),
    ],
)
def test_addresses_of_every_supported_sort_are_taken(tmp_path: Path, name: str, value: str) -> None:
    process = start(tmp_path, **{f"JOINTO_{name}": value})
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said


def test_the_secret_key_is_made_once_and_processes_that_start_together_agree(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    code = "from jointo import env; print(env.secret_key())"
    processes = [start(folder, code) for _ in range(4)]
    keys = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(keys) == 1
    assert len(keys.pop()) > 50
    assert [path.name for path in folder.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    given = start(folder, code, JOINTO_SECRET_KEY="from the environment")
    assert given.communicate(timeout=60)[0].strip() == "from the environment"
