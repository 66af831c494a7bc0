"""The index over HTTP, for this machine alone."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from engine.core.errors import UsageError
from engine.reporting.index.routes import IndexRoutes, PageResponse

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
HOST_NAMES = (HOST, "localhost")

REQUEST_TIMEOUT_S = 30
"""How long a browser may take to say what it wants."""

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "img-src data:; font-src data:; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""No page may load, send or be shown in anything from elsewhere, whatever is in it."""


class IndexServer:
    """Serves a folder of runs to browsers of this machine until it is closed; it only reads.

    A web page from elsewhere can make a browser ask this machine under a name of its own (DNS
    rebinding), and would then be taken for the owner of the answer: only requests for this host by
    its own names are answered.

    Args:
        reports: The folder.
        port: 0 for any that is free.

    Raises:
        UsageError: The folder is not there, or the port is taken.
    """

    def __init__(self, reports: Path, port: int = 0) -> None:
        if not reports.is_dir():
            raise UsageError(
                "there is no folder of runs",
                expected="a folder with <strategy>/<run id>/ in it, as `backtest run` makes it",
                found=str(reports),
                fix="run a strategy first, or name the folder with --out",
            )
        try:
            self._http_server = _IndexHTTPServer((HOST, port), _IndexRequestHandler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                "nothing can be served on this port",
                expected="a port from 1024 to 65535 that is free, or 0 for any",
                found=f"{port}: {error}",
                where=HOST,
                fix="leave --port out",
            ) from error
        self._http_server.routes = IndexRoutes(reports)
        self._is_serving = False

    @property
    def url(self) -> str:
        """Where a browser finds the index."""
        return f"http://{HOST}:{self._http_server.server_port}/"

    def serve(self) -> None:
        """Answers until `close` is called, or an interrupt comes."""
        self._is_serving = True
        self._http_server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stops `serve`, wherever it runs, and gives the port back."""
        if self._is_serving:  # else it would be waited for
            self._http_server.shutdown()
        self._http_server.server_close()


class _IndexHTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    routes: IndexRoutes

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as there
        """Says nothing of a browser that went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _IndexRequestHandler(BaseHTTPRequestHandler):
    server: _IndexHTTPServer
    server_version = "backtest"
    sys_version = ""
    timeout = REQUEST_TIMEOUT_S

    def do_GET(self) -> None:
        """Answers with a page."""
        self._send(self._make_response())

    def do_HEAD(self) -> None:
        """Answers as GET does, without the page."""
        self._send(self._make_response(), body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the terminal is not a log."""

    def _make_response(self) -> PageResponse:
        if self.headers.get("Host", "") not in self._allowed_hosts():
            return PageResponse(421, b"not for this host\n", "text/plain; charset=utf-8")
        return self.server.routes.respond(self.path)

    def _allowed_hosts(self) -> set[str]:
        port = self.server.server_port
        named = {f"{name}:{port}" for name in HOST_NAMES}
        return named | set(HOST_NAMES) if port == 80 else named

    def _send(self, response: PageResponse, *, body: bool = True) -> None:
        self.send_response(response.status)
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        if body:
            self.wfile.write(response.content)
