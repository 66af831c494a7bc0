"""The socket that the server listens on, and the loop that answers requests."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

GRACE_S = 3
"""How long pages that are being rendered may take to end after an interrupt."""


class Listener:
    """A listening socket; it is bound at once, so that its port is known before it serves.

    Args:
        address: Address to listen on.
        port: 0 for any free port.

    Raises:
        UsageError: The address is not one of this machine, or the port is in use.
    """

    def __init__(self, address: str, port: int) -> None:
        self._address = address
        self._server: uvicorn.Server | None = None
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(
                address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            self._socket = _bind(socket.socket(family, kind, protocol), place)
        except (OSError, OverflowError, UnicodeError) as error:
            raise UsageError(
                "the server cannot listen there",
                expected="an address of this machine, and a free port from 1024 to 65535, or 0 "
                "for any",
                found=f"port {port}: {error}",
                where=address,
                fix="leave out --port, or choose another one with --port or --host",
            ) from error

    @property
    def port(self) -> int:
        """The port."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Address of the first page."""
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{host}:{self.port}/"

    def serve(self, application: ASGIApp, on_stop: Callable[[], None]) -> None:
        """Answers requests until an interrupt or `SIGTERM`, which is raised again at the end.

        Args:
            application: What answers.
            on_stop: Called once when the server begins to stop; it has to end open streams.

        Raises:
            KeyboardInterrupt: At Ctrl-C.
        """
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = _StreamEndingServer(config, on_stop)
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Ends `serve`, in whatever thread it runs."""
        if self._server is not None:
            self._server.should_exit = True

    def close(self) -> None:
        """Frees the port, also where nothing was served."""
        self._socket.close()


class _StreamEndingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends open streams before waiting for the connections: a stream ends by itself never."""
        self._on_stop()
        await super().shutdown(sockets)


def _bind(unbound: socket.socket, place: object) -> socket.socket:
    try:
        unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        unbound.bind(place)  # type: ignore[arg-type]  # an address as getaddrinfo gives it
        unbound.listen(128)
    except BaseException:
        unbound.close()
        raise
    return unbound
