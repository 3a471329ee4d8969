"""A road to a real MLflow server that can be cut: before a request, or between a request and its answer."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.parse import urlsplit


class Road(ThreadingHTTPServer):
    """Forwards to `target`. `cut_after = n`: request n arrives, its answer is lost, and nothing passes any more."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Forward)
        self.target = urlsplit(target).netloc
        self.lock = threading.Lock()
        self.refused = threading.Event()
        self.requests = 0
        self.cut_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def cut(self, after: int = 0) -> None:
        """Let `after` more requests arrive; the last one's answer is lost."""
        self.cut_after = self.requests + after

    def mend(self) -> None:
        self.cut_after = None

    def count(self) -> tuple[bool, bool]:
        """Count a request; tell whether it arrives and whether its answer does."""
        with self.lock:
            if self.cut_after is not None and self.requests >= self.cut_after:
                self.refused.set()
                return False, False
            self.requests += 1
            return True, self.requests != self.cut_after


class Forward(BaseHTTPRequestHandler):
    """One request, one connection."""

    server: Road

    def handle_one_request(self) -> None:
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            arrives, answered = self.server.count()
            if arrives:
                self.forward(body, answered=answered)

    def forward(self, body: bytes, *, answered: bool) -> None:
        connection = http.client.HTTPConnection(self.server.target, timeout=60)
        headers = dict(self.headers) | {"Host": self.server.target, "Accept-Encoding": "identity"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answered:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


R = TypeVar("R", bound=Road)


@contextmanager
def open_road(target: str, kind: type[R] = Road) -> Iterator[R]:
    with kind(target) as road:
        thread = threading.Thread(target=road.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield road
        finally:
            road.shutdown()
            thread.join()
