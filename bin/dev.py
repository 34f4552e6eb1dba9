"""Jointo for those who work on it: DEBUG on, and started again when its source changes."""

from __future__ import annotations

import sys

from stack import ROOT, USER, Stack, alone, say, web_port


def main() -> int:
    data, port = ROOT / "var", web_port()
    with alone(data):
        stack = Stack(port=port, data=data, settings={"JOINTO_DEBUG": "true"}, reload=True)

        def serve() -> int:
            say(f"Jointo    {stack.url}/")
            say(f"Admin     {stack.url}/admin/   {USER} / {stack.password} (if the database had no accounts)")
            say("Logs      var/log/")
            say("Ctrl-C ends it.")
            stack.processes.wait()
            return 0

        return stack.run(serve)


if __name__ == "__main__":
    sys.exit(main())
