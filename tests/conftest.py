"""Every test stays on this machine: a connection to anything but loopback is refused."""

import ipaddress
import logging
import sys

import pytest


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, str | bytes):  # a Unix socket
        return
    host = str(address[0])  # type: ignore[index]
    if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        raise PermissionError(f"a test tried to reach {host}")


# An audit hook sees every connect of this process, whichever library makes it.
sys.addaudithook(_only_loopback)


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    """Undo what a test that runs a whole command does to the logging of the process."""
    root, own = logging.getLogger(), logging.getLogger("technoshare")
    handlers, levels = root.handlers[:], (root.level, own.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])
