"""A receiver of webhooks on 127.0.0.1 that keeps what came, and misbehaves as it is told."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
DRIP_S = 0.02
DRIPS = {
    "drip": b"HTTP/1.1 2",
    "drip headers": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "drip body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
}

Behaviour: TypeAlias = "bytes | str | Callable[[], None]"


@dataclass(frozen=True)
class Request:
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A running receiver.

    `behaviours` are used up one a request: bytes that are the whole answer, "close" (the
    connection ends without an answer), "hang" (no answer), one of `DRIPS` (a part of the
    answer, then a byte now and then, for ever), or a function that is called before the request
    is taken. A request without one is taken.
    """

    port: int = 0
    scheme: str = "http"
    behaviours: list[Behaviour] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    @property
    def keys(self) -> list[str]:
        return [request.headers["idempotency-key"] for request in self.requests]

    def wait_for(self, count: int) -> list[Request]:
        """The requests, when so many have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, 30)
        return self.requests

    def answer(self, connection: socket.socket) -> None:
        request = _read(connection)
        if request is None:
            return
        with self.arrived:
            self.requests.append(request)
            behaviour = self.behaviours.pop(0) if self.behaviours else TAKEN
            self.arrived.notify_all()
        if callable(behaviour):
            behaviour()
            behaviour = TAKEN
        if behaviour == "hang":
            self.closing.wait()
        elif behaviour in DRIPS:
            self._drip(connection, DRIPS[behaviour])
        elif isinstance(behaviour, bytes):
            connection.sendall(behaviour)

    def _drip(self, connection: socket.socket, first: bytes) -> None:
        connection.sendall(first)
        while not self.closing.wait(DRIP_S):
            connection.sendall(b"x")


def _read(connection: socket.socket) -> Request | None:
    with connection.makefile("rb") as stream:
        first = stream.readline().decode()
        if not first:
            return None
        headers = {}
        while (line := stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
    return Request(first.split(" ")[1], headers, body)


@contextmanager
def receive(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(scheme="http" if tls is None else "https")
    listening = socket.create_server(("127.0.0.1", 0))
    receiver.port = listening.getsockname()[1]

    def serve_one(plain: socket.socket) -> None:
        with suppress(OSError), plain:
            if tls is None:
                receiver.answer(plain)
            else:
                with tls.wrap_socket(plain, server_side=True) as encrypted:
                    receiver.answer(encrypted)

    def serve_all() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=[plain], daemon=True).start()

    thread = threading.Thread(target=serve_all, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
