"""Hostile answers, as bytes on the wire; whoever reads them gets a plain error, in time and without their gigabytes."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from base64 import b64decode
from collections.abc import AsyncIterator, Callable

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_ZEROS = bytes(1_000_000)

Body = Callable[[], AsyncIterator[bytes]]


def once(answer: bytes) -> Body:
    """Return a sender of these bytes."""

    async def send() -> AsyncIterator[bytes]:
        yield answer

    return send


def _answer(body: bytes, *headers: str) -> Body:
    named = "".join(f"{header}\r\n" for header in headers).encode()
    return once(_OK + named + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def _for_ever(start: bytes, piece: bytes, *, pause: float = 0.0) -> Body:
    async def send() -> AsyncIterator[bytes]:
        yield start
        while True:
            yield piece
            await asyncio.sleep(pause)  # the attack itself: never silent long enough for a read time-out

    return send


def _deflated() -> bytes:
    squeeze = zlib.compressobj(9)
    return b"".join(squeeze.compress(_ZEROS) for _ in range(200)) + squeeze.flush()


def _zstd_bomb() -> bytes:
    """Return 400 MB of zeros: a frame of blocks that say "this byte, 128 kB of it"."""
    block = (131_072 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * 3_000 + b"\x01\x00\x00"


_BROTLI_BOMB = b64decode(
    "y///PwAkAOKxQHLv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8fABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBIAMRhAeje//H//w8ACYA4LADd+z/+//8BIAEQhwWge//H//8/ACQA4rAAdO//+P//B4AEQBwWgO79H////wCQAIjDAtC9/8t/8DoAEgBxWAC62HU="
)
"""100 MB of zeros."""

BODIES: dict[str, Body] = {
    "gzip bomb, 200 MB": _answer(gzip.compress(_ZEROS * 200, 9), "Content-Encoding: gzip"),
    "deflate bomb, 200 MB": _answer(_deflated(), "Content-Encoding: deflate"),
    "brotli bomb, 100 MB, not asked for": _answer(_BROTLI_BOMB, "Content-Encoding: br"),
    "zstd bomb, 400 MB, not asked for": _answer(_zstd_bomb(), "Content-Encoding: zstd"),
    "gzip in gzip": _answer(gzip.compress(gzip.compress(_ZEROS)), "Content-Encoding: gzip, gzip"),
    "gzip of many members": _answer(gzip.compress(_ZEROS[:50_000]) * 400, "Content-Encoding: gzip"),
    "not gzip at all": _answer(b"this is text" * 1000, "Content-Encoding: gzip"),
    "gzip cut short": once(
        _OK + b"Content-Encoding: gzip\r\nContent-Length: 1003\r\n\r\n" + gzip.compress(_ZEROS)[:500]
    ),
    "5 GB announced and sent": _for_ever(_OK + b"Content-Length: 5000000000\r\n\r\n", bytes(100_000)),
    "chunks without end": _for_ever(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + bytes(32_768) + b"\r\n"),
    "a byte now and then": _for_ever(_OK + b"\r\n", b".", pause=0.01),
    "headers without end": _for_ever(_OK, b"X-More: and more\r\n"),
    "one header without end": _for_ever(_OK + b"X-Long: ", b"a" * 1_000),
    "headers that trickle": _for_ever(_OK, b"X: 1\r\n", pause=0.01),
    "nothing but 103 Early Hints": _for_ever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "silence": _for_ever(b"", b"", pause=0.01),
    "no HTTP at all": once(b"SSH-2.0-OpenSSH_9.9\r\n" + b"\0\xff" * 500),
    "a chunk size that is no number": _for_ever(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"zzz\r\n"),
    "a length that is no number": _for_ever(_OK + b"Content-Length: -1\r\n\r\n", b"x"),
    "length and chunks": _for_ever(_OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
    "half of what was announced": once(_OK + b"Content-Length: 1000\r\n\r\nhalf"),
}
