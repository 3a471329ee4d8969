"""`python -m technoshare.workspace`: the local Slack on its own, until Ctrl-C."""

import argparse
import asyncio
import errno
import signal
import sys

from technoshare.workspace.server import Workspace, open_workspace

PORT = 8500
"""Taken when no other is asked for: unprivileged and none of the usual development ports."""


async def serve(port: int) -> None:
    """Run the workspace until SIGINT or SIGTERM; say where it is and what a bot needs to find it."""
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with open_workspace(port=port) as workspace:
        print(_greeting(workspace), flush=True)  # noqa: T201 - this is the program's output
        await stopping.wait()


def _greeting(workspace: Workspace) -> str:
    variables = "\n".join(f"  export {name}={value}" for name, value in workspace.environment.items())
    return f"Local Slack: {workspace.url}\nA bot joins it with\n{variables}"


def main() -> int:
    """Parse the command line and serve; 2 when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m technoshare.workspace", description="A small Slack on loopback.")
    parser.add_argument("--port", type=int, default=PORT, help=f"port of the page; 0 takes a free one (default {PORT})")
    port = parser.parse_args().port
    try:
        asyncio.run(serve(port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"port {port} is taken; choose another with --port", file=sys.stderr)  # noqa: T201 - as above
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
