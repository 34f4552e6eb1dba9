"""The commands, and the files that run Jointo elsewhere: what can be held without starting everything."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.environment import ROOT

SCRIPTS = [
    *(path for path in sorted((ROOT / "bin").iterdir()) if path.is_file() and not path.suffix),
    ROOT / ".ci/run",
]
ELSEWHERE = {"JOINTO_PORT", "JOINTO_ENV_FILE"}  # read by bin/ and Compose; read before the file is


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def queues_of(command: str) -> set[str]:
    words = shlex.split(command)
    return set(words[words.index("-Q") + 1].split(",")) if "-Q" in words else set()


def demo(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """bin/demo after its set-up, in the state that the tests run in."""
    return subprocess.run(
        [sys.executable, ROOT / "bin/demo.py", *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_command_can_be_run_and_is_sound_bash(script: Path) -> None:
    assert script.stat().st_mode & stat.S_IXOTH
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", script], check=True)


def test_the_commands_of_the_readme_are_there() -> None:
    assert {path.name for path in SCRIPTS} >= {"setup", "demo", "dev", "test", "bench", "run"}


def test_the_example_names_every_setting_and_no_other() -> None:
    read = set(re.findall(r'_env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "jointo/env.py").read_text())) - {"JOINTO_"}
    named = re.findall(r"^#?(JOINTO_[A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == sorted({f"JOINTO_{name}" for name in read} | ELSEWHERE)


def test_the_example_names_everything_that_compose_asks_for() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert asked <= named


def test_the_workers_of_compose_take_every_queue_and_no_other(compose: dict[str, Any]) -> None:
    commands = [str(service.get("command", "")) for service in compose["services"].values()]
    assert set().union(*map(queues_of, commands)) == set(settings.CELERY_TASK_QUEUES)


def test_whatever_ends_in_compose_is_started_again(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services.pop("migrate")["restart"] == "no"
    assert {service["restart"] for service in services.values()} == {"unless-stopped"}
    assert all(service["init"] and service["stop_grace_period"] for service in services.values())


def test_compose_publishes_on_loopback_alone(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_workers_of_systemd_and_supervisor_take_every_queue_and_no_other() -> None:
    target = (ROOT / "docs/deploy/systemd/jointo.target").read_text()
    assert set(re.findall(r"jointo-worker@(\w+)\.service", target)) == set(settings.CELERY_TASK_QUEUES)
    supervisor = (ROOT / "docs/deploy/supervisor/jointo.conf").read_text()
    assert set(re.findall(r" -Q (\w+)", supervisor)) == set(settings.CELERY_TASK_QUEUES)


def test_each_service_of_systemd_can_be_enabled_by_itself() -> None:
    services = sorted((ROOT / "docs/deploy/systemd").glob("*.service"))
    assert len(services) == 3
    for service in services:
        assert "\n[Install]\nWantedBy=multi-user.target\n" in service.read_text(), service.name


def test_the_image_has_every_front_end_library_that_is_served() -> None:
    copied = set(re.findall(r"^COPY --from=front-end /app/(\S+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    served = {entry[1] for entry in settings.STATICFILES_DIRS if isinstance(entry, tuple)}
    assert {str(folder.relative_to(ROOT)) for folder in served} == copied


def test_nginx_lets_a_chunk_pass() -> None:
    site = (ROOT / "docs/deploy/nginx/jointo.conf").read_text()
    largest = re.search(r"client_max_body_size (\d+)m;", site)
    assert largest is not None
    assert int(largest[1]) * 2**20 >= 8 * 2**20 + 64 * 2**10  # the default of JOINTO_UPLOAD_CHUNK_BYTES


def test_the_front_end_libraries_are_pinned_and_name_no_host() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert "://" not in text
    assert '"resolved"' not in text
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads(text)["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(package["integrity"] for name, package in locked.items() if name)


def test_a_port_that_is_taken_is_named_in_one_line(taken_port: int) -> None:
    ended = demo("--exit", JOINTO_PORT=str(taken_port))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert str(taken_port) in ended.stderr


# What bin/demo and bin/dev start, in a folder of the test's; then a shell beside it, as they say how to open one.
BESIDE = """
import pathlib, subprocess, sys
from stack import ROOT, Stack, free_port
data = pathlib.Path(sys.argv[1])
settings = {"JOINTO_ENV_FILE": "", "JOINTO_DATA_DIR": str(data), "JOINTO_SECRET_KEY": "it's a \\"key\\" # of ours"}
stack = Stack(port=free_port(), data=data, settings=settings, beneath={"JOINTO_TIME_ZONE": "Asia/Shanghai"})
code = sys.argv[2]
sys.exit(stack.run(lambda: subprocess.run([*f"env {stack.shell} -v 0 -c".split(), code], cwd=ROOT).returncode))
"""
ASK = """
import time
from django.conf import settings
from jobs.models import Job
from jobs.tasks import reset_hourly_quota
result = reset_hourly_quota.delay()
while not result.ready(): time.sleep(0.1)
print(result.state, Job.objects.get(pk=result.id).attempts.get().worker.split("@")[0])
print(settings.TIME_ZONE, settings.SECRET_KEY)
"""


@pytest.mark.stack
def test_a_shell_beside_the_demo_reaches_its_database_its_broker_and_its_worker(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JOINTO_")}
    command = [sys.executable, "-c", BESIDE, str(tmp_path / "data"), ASK]
    ended = subprocess.run(
        command, cwd=ROOT, env={**clean, "PYTHONPATH": str(ROOT / "bin")}, capture_output=True, text=True, timeout=150
    )
    said = ended.stdout.splitlines()
    assert said[:2] == ["SUCCESS celery", 'Asia/Shanghai it\'s a "key" # of ours'], ended.stdout + ended.stderr
    assert not (tmp_path / "data/env").exists(), "it leads nowhere any more"


def test_bin_dev_takes_its_port_from_the_developers_file(tmp_path: Path, taken_port: int) -> None:
    (tmp_path / "env").write_text(f"JOINTO_PORT={taken_port}\n")
    env = {**os.environ, "JOINTO_ENV_FILE": str(tmp_path / "env")}
    ended = subprocess.run([sys.executable, ROOT / "bin/dev.py"], env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert f"Port {taken_port} is taken" in ended.stderr


def test_a_file_that_is_not_there_is_named_in_one_line() -> None:
    ended = demo("not-there.mp4", "--exit")
    assert ended.returncode == 1
    assert ended.stderr == "bin/demo: not-there.mp4: No such file or directory\n"


def test_an_unknown_benchmark_is_answered_with_those_there_are() -> None:
    ended = subprocess.run(["bin/bench", "nothing"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "Usage" in ended.stderr
