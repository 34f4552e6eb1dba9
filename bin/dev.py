"""Jointo for those who work on it: DEBUG on, and started again when its source changes."""

from __future__ import annotations

import os
import sys

import dotenv
from stack import ROOT, USER, Stack, alone, say, web_port


def main() -> int:
    data, own = ROOT / "var", _developers_file()
    port = web_port(own.get("JOINTO_PORT", ""))
    with alone(data):
        stack = Stack(port=port, data=data, settings={"JOINTO_DEBUG": "true"}, beneath=own, reload=True)

        def serve() -> int:
            say(f"Jointo    {stack.url}/")
            say(f"Admin     {stack.url}/admin/   {USER} / {stack.password} (if the database had no accounts)")
            say(f"Shell     {stack.shell}")
            say("Logs      var/log/")
            say("Ctrl-C ends it.")
            stack.processes.wait()
            return 0

        return stack.run(serve)


def _developers_file() -> dict[str, str]:
    """The variables of .env, or of the file that stands in for it."""
    file = os.environ.get("JOINTO_ENV_FILE", str(ROOT / ".env"))
    return {name: value or "" for name, value in dotenv.dotenv_values(file).items()} if file else {}


if __name__ == "__main__":
    sys.exit(main())
