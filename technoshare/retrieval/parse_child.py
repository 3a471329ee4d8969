"""The parser process: one frame in, one frame out, until standard input ends.

A frame is its length (4 bytes, big-endian) and that many bytes. A request is two frames, a JSON header and the body;
the answer is one frame of JSON. The first frame out says that everything is imported. Nothing here may outlive the
bot: end-of-file ends it between two pages, the alarm in the middle of one.
"""

from __future__ import annotations

import json
import logging
import math
import os
import resource
import signal
import struct
import sys
from typing import BinaryIO

from technoshare.errors import Unusable
from technoshare.models import Document
from technoshare.ports import DocumentKind
from technoshare.retrieval.extract import html_document
from technoshare.retrieval.fragment import fragment_document
from technoshare.retrieval.latexml import latexml_document
from technoshare.retrieval.mediawiki import mediawiki_document
from technoshare.retrieval.pdf import pdf_document
from technoshare.retrieval.plain import text_document
from technoshare.retrieval.snippets import with_sentences

MEMORY = 2 * 1024**3
"""Bytes of address space: ten times what the worst measured page took."""
NICENESS = 10
"""Reading pages must not slow the loop that acknowledges events."""
GRACE = 1
"""Seconds after the deadline at which the alarm ends a process whose parent can no longer do it."""
LENGTH = struct.Struct(">I")


def parse(kind: DocumentKind, body: bytes, url: str, charset: str) -> Document:
    """Return what the body says. Raises `Unusable`, and whatever a parser's own bugs raise."""
    match kind:
        case "html":
            return html_document(body, url, charset)
        case "fragment":
            return fragment_document(body, charset)
        case "latexml":
            return latexml_document(body, url, charset)
        case "mediawiki":
            return mediawiki_document(body, charset)
        case "pdf":
            return pdf_document(body)
        case "text":
            return text_document(body, charset)


def answer(header: bytes, body: bytes) -> bytes:
    """Return the answer to one request as JSON: `document`, or `reason` and `obstacle`."""
    asked = json.loads(header)
    signal.alarm(math.ceil(asked["deadline"]) + GRACE)
    try:
        document = with_sentences(parse(asked["kind"], body, asked["url"], asked["charset"]))
        return b'{"document":' + document.model_dump_json().encode() + b"}"
    except Unusable as why:
        return json.dumps({"reason": str(why), "obstacle": why.obstacle}).encode()
    except Exception as error:  # noqa: BLE001 - hostile input finds every bug of four parsers; none may end the process
        reason = f"the page could not be read ({type(error).__name__})"
        return json.dumps({"reason": reason, "obstacle": "unreadable"}).encode()
    finally:
        signal.alarm(0)


def read_frame(source: BinaryIO) -> bytes | None:
    """Return the next frame, or None at the end of the input."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    frame = source.read(size)
    return frame if len(frame) == size else None


def write_frame(sink: BinaryIO, frame: bytes) -> None:
    """Write one frame and flush it."""
    sink.write(LENGTH.pack(len(frame)) + frame)
    sink.flush()


def main() -> None:
    """Serve requests; signals that stop the bot are the bot's business, so that a drain can still read pages."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a page that crashes a parser must not land on the disk
    os.nice(NICENESS)
    logging.disable()
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not land among the frames
    html_document(b"<html><body><p>" + b"Nothing is slow twice. " * 20 + b"</p></body></html>", "http://example.org/")
    write_frame(sink, b"ready")
    while (header := read_frame(source)) is not None and (body := read_frame(source)) is not None:
        write_frame(sink, answer(header, body))


if __name__ == "__main__":
    main()
