"""A Redis of the tests' own."""

from __future__ import annotations

from pathlib import Path

import redis

from tests.servers.server import Server


class Redis(Server):
    """Without persistence: a Redis that was stopped or killed has lost everything."""

    name = "redis"

    def __init__(self, folder: Path | None = None, port: int | None = None) -> None:
        super().__init__(folder, port)
        self.client = redis.Redis(port=self.port, socket_connect_timeout=1)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        network = ["--port", str(self.port), "--bind", "127.0.0.1"]
        return ["redis-server", *network, "--save", "", "--appendonly", "no", "--dir", str(self.folder)]

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        self.client.close()
        super().stop()
