"""The local HTTP server of the index, reachable from this machine only."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from engine.core.errors import UsageError
from engine.reporting.index._routes import IndexRoutes, PageResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.comparison import RunComparison
    from engine.runs.run import Run

HOST = "127.0.0.1"
HOST_NAMES = (HOST, "localhost")

REQUEST_TIMEOUT_S = 30
"""How long a browser may take to send its request."""

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
"""No page may load from, send to or be embedded in another origin."""


class IndexServer:
    """Serves a folder of runs to browsers on this machine until it is closed; it only reads.

    DNS rebinding: a foreign web page can make a browser send requests to this machine under the
    page's own host name and read the responses. Only requests whose Host header is one of the
    names of this machine are answered.

    Args:
        reports: Folder of the runs.
        open_run: Opens a run folder with its analysis.
        compare: Compares runs, the first one as the reference.
        port: 0 for any free port.

    Raises:
        UsageError: The folder does not exist, or the port is in use.
    """

    def __init__(
        self,
        reports: Path,
        *,
        open_run: Callable[[Path], Run],
        compare: Callable[[Sequence[Run]], RunComparison],
        port: int = 0,
    ) -> None:
        if not reports.is_dir():
            raise UsageError(
                "the folder of runs does not exist",
                expected="a folder with <strategy>/<run id>/ in it, as `backtest run` writes it",
                found=str(reports),
                fix="run a strategy first, or name the folder with --out",
            )
        try:
            self._http_server = _IndexHTTPServer((HOST, port), _IndexRequestHandler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                "the server cannot use this port",
                expected="a free port from 1024 to 65535, or 0 for any",
                found=f"{port}: {error}",
                where=HOST,
                fix="leave out --port, or choose another one",
            ) from error
        self._http_server.routes = IndexRoutes(reports, open_run, compare)
        self._is_serving = False

    @property
    def url(self) -> str:
        """Address of the index."""
        return f"http://{HOST}:{self._http_server.server_port}/"

    def serve(self) -> None:
        """Answers requests until `close` is called or an interrupt arrives."""
        self._is_serving = True
        self._http_server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stops `serve`, in whatever thread it runs, and frees the port."""
        if self._is_serving:  # else shutdown would wait for ever
            self._http_server.shutdown()
        self._http_server.server_close()


class _IndexHTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    routes: IndexRoutes

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - types of the base class
        """Ignores browsers that closed the connection."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _IndexRequestHandler(BaseHTTPRequestHandler):
    server: _IndexHTTPServer
    server_version = "backtest"
    sys_version = ""
    timeout = REQUEST_TIMEOUT_S

    def do_GET(self) -> None:
        """Answers with the page."""
        self._send(self._make_response())

    def do_HEAD(self) -> None:
        """Answers as GET does, without the body."""
        self._send(self._make_response(), body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the terminal is no access log."""

    def _make_response(self) -> PageResponse:
        if self.headers.get("Host", "") not in self._allowed_hosts():
            return PageResponse(421, b"not for this host\n", "text/plain; charset=utf-8")
        return self.server.routes.respond(self.path)

    def _allowed_hosts(self) -> set[str]:
        port = self.server.server_port
        hosts = {f"{name}:{port}" for name in HOST_NAMES}
        return hosts | set(HOST_NAMES) if port == 80 else hosts

    def _send(self, response: PageResponse, *, body: bool = True) -> None:
        self.send_response(response.status)
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        if body:
            self.wfile.write(response.content)
