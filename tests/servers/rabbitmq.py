"""A RabbitMQ of the tests' own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import kombu

from tests import environment
from tests.servers.server import Server

_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's, below its wrapper that wants to be root

_CONFIG = """\
[{rabbit, [{tcp_listeners, [{"127.0.0.1", %d}]},
           {loopback_users, []},
           {log, [{console, [{enabled, true}, {level, warning}]}, {file, [{file, false}]}]}]}].
"""


class RabbitMQ(Server):
    """Durable queues and their messages outlive `restart`; no plug-ins.

    Started by root, it runs as the user `rabbitmq` that Debian's package makes. The node is a distributed one
    before RabbitMQ boots, on a port that is told and not looked up, and needs no epmd. RabbitMQ starts one all the
    same, which would stay behind.
    """

    name = "rabbitmq"
    user = "rabbitmq"
    start_seconds = 90.0

    def __init__(self, port: int | None = None) -> None:
        super().__init__(port=port)
        self._node_port = environment.free_port()
        self._epmd_port = environment.free_port()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def prepare(self) -> None:
        super().prepare()
        if not _PROGRAM.exists():
            raise FileNotFoundError("RabbitMQ is not installed: bin/setup --dev installs it.")
        # Erlang's own terms: the newer format has to be translated at each start.
        (self.folder / "rabbitmq.config").write_text(_CONFIG % self.port)
        for name in ("enabled_plugins", "env.conf"):  # empty, in place of the system's
            (self.folder / name).touch()

    def command(self) -> list[str]:
        return [str(_PROGRAM)]

    def env(self) -> dict[str, str]:
        folder, port = self.folder, self._node_port
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        node = f"jointo-{self.port}@localhost"
        arguments = [
            *("-sname", node, "-start_epmd", "false", "-erl_epmd_port", str(port)),
            *("-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
            *("-kernel", "inet_dist_listen_min", str(port), "-kernel", "inet_dist_listen_max", str(port)),
        ]
        return inherited | {
            "HOME": str(folder),  # for its cookie
            # Should the system have an epmd, this node is not its business. Nobody may listen on this port:
            # RabbitMQ asks there, and goes on at once only if it is refused.
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RUNNING_UNDER_SYSTEMD": "true",  # the script gives way to the server, instead of waiting for it
            "RABBITMQ_NODENAME": node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.config"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(arguments),
        }

    def stop(self) -> None:
        super().stop()
        self._end_epmd()

    def kill(self) -> None:
        super().kill()
        self._end_epmd()

    def _end_epmd(self) -> None:
        """End the daemon that RabbitMQ starts on the port that is ours, when it finds none there; nobody uses it."""
        subprocess.run(["epmd", "-port", str(self._epmd_port), "-kill"], capture_output=True, check=False)

    def answers(self) -> bool:
        try:
            with self.connect():
                return True
        except OSError:
            return False

    def connect(self) -> Any:
        """A connection of kombu's, made, as a context."""
        connection = kombu.Connection(self.url, connect_timeout=2)
        try:
            connection.connect()
        except BaseException:
            connection.release()
            raise
        return connection

    def waiting(self, queue: str) -> int:
        """How many messages wait in a queue that exists, those in the hands of consumers not counted."""
        with self.connect() as connection:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
