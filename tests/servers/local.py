"""A server on 127.0.0.1 that answers as it is told, and misbehaves as it is told."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

HANG_S = 3.0
DRIP_S = 0.05


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, status: int = 200, **headers: str) -> Answer:
        return cls(status, json.dumps(value), headers=headers)


class Site(Protocol):
    def answer(self, path: str, query: dict[str, str]) -> Answer: ...


@dataclass
class Served:
    """A running server.

    `faults` are used up one a request to a path that holds `faulty`: an answer, a status alone,
    "hang" (no answer), "half" (the first half of the JSON, as if that were all), "cut" (the
    connection ends half-way) or "drip" (a byte now and then, for ever). `log` holds every
    request's path with its query, `times` when it came, in seconds; `ahead_s` is how far its
    clock is ahead of ours.
    """

    site: Site
    url: str = ""
    faulty: str = ""
    faults: list[Answer | int | str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    ahead_s: float = 0.0
    closing: threading.Event = field(default_factory=threading.Event)

    def requests(self, part: str) -> list[str]:
        return [line for line in self.log if part in line]

    def respond(self, target: str) -> tuple[Answer, object]:
        """The answer, and the fault it is to be sent with."""
        self.log.append(target)
        self.times.append(time.monotonic())
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        fault = self.faults.pop(0) if self.faults and self.faulty in parts.path else None
        if fault == "hang":
            self.closing.wait(HANG_S)
        if isinstance(fault, Answer):
            return fault, None
        if isinstance(fault, int):
            return Answer(fault, f"<html>{fault}</html>", "text/html"), None
        answer = self.site.answer(parts.path, query)
        if fault == "half":
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        return answer, fault

    def send(self, body: bytes, fault: object, out: BinaryIO) -> None:
        if fault == "cut":
            body = body[: len(body) // 2]
        if fault == "drip":
            for i in range(len(body)):
                out.write(body[i : i + 1])
                if self.closing.wait(DRIP_S):
                    return
        out.write(body)


@contextmanager
def serve(site: Site, port: int = 0) -> Iterator[Served]:
    served = Served(site)

    class Handler(BaseHTTPRequestHandler):
        # Without it the kernel holds back a body for 40 ms after its headers.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            answer, fault = served.respond(self.path)
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body.encode())))
                for name, value in answer.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                served.send(answer.body.encode(), fault, self.wfile)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client gave up waiting, as a hang is meant to make it

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + served.ahead_s)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield served
    finally:
        served.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
