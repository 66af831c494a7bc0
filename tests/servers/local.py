"""A server on 127.0.0.1 that answers as it is told, and misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

HANG_S = 3.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    content_type: str = "application/json"

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Answer:
        return cls(status, json.dumps(value))


class Site(Protocol):
    def answer(self, path: str, query: dict[str, str]) -> Answer: ...


@dataclass
class Served:
    """A running server.

    `faults` are used up one a request to a path that holds `faulty`: an answer, a status alone, or
    "hang". `log` holds every request's path with its query.
    """

    site: Site
    url: str = ""
    faulty: str = ""
    faults: list[Answer | int | str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def requests(self, part: str) -> list[str]:
        return [line for line in self.log if part in line]

    def respond(self, target: str) -> Answer:
        self.log.append(target)
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        fault = self.faults.pop(0) if self.faults and self.faulty in parts.path else None
        if fault == "hang":
            self.closing.wait(HANG_S)
        if isinstance(fault, Answer):
            return fault
        if isinstance(fault, int):
            return Answer(fault, f"<html>{fault}</html>", "text/html")
        return self.site.answer(parts.path, query)


@contextmanager
def serve(site: Site) -> Iterator[Served]:
    served = Served(site)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = served.respond(self.path)
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body.encode())))
                self.end_headers()
                self.wfile.write(answer.body.encode())
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client gave up waiting, as a hang is meant to make it

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        served.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
