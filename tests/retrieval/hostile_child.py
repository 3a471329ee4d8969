"""The real parser process, except that some pages make its parser hang, crash, or eat memory."""

import os
import signal

from technoshare.models import Document
from technoshare.retrieval import parse_child

real = parse_child.parse


def parse(kind: str, body: bytes, url: str, charset: str) -> Document:
    match body:
        case b"hang":
            signal.pause()
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"bug":
            raise RecursionError
        case b"eat":
            bytearray(4 * 1024**3)
        case b"print":
            print("a library says hello", flush=True)
        case b"environment":
            return Document(text=" ".join(sorted(os.environ)), title=str(os.getpid()))
    return real(kind, body, url, charset)


parse_child.parse = parse
if __name__ == "__main__":
    parse_child.main()
