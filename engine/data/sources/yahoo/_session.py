"""The HTTP session of yfinance: limits the time, and records the status of the answers."""

from __future__ import annotations

import json
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.data.sources.retry import parse_retry_after

if TYPE_CHECKING:
    from curl_cffi.requests import Response, Session

    from engine.data.sources.client_settings import ClientSettings

_CHART_PATH = "/finance/chart/"
_MIN_ERROR_STATUS = 400


class YahooConnection:
    """One session, of the type that yfinance creates itself, for all histories of a fetch.

    yfinance stores its cookie and crumb in the session, so that each further history takes one or
    two requests. yfinance passes on neither the status nor the headers of an answer, which is why
    they are recorded here.

    Args:
        clients: Time-outs, and the server.

    Attributes:
        status: Status of the chart server's last answer in this history; None before the first.
        body: Body of that answer.
        retry_after_s: Pause in seconds that it requested; None if it requested none.
        has_answered: Whether the chart server has answered at all on this connection.
    """

    def __init__(self, clients: ClientSettings) -> None:
        self.clients = clients
        self.status: int | None = None
        self.body = b""
        self.retry_after_s: float | None = None
        self.has_answered = False
        self._deadline = 0.0

    def start_history(self, deadline: float) -> None:
        """Starts another history.

        One history takes up to six requests, and yfinance waits 30 s each for a cookie and a
        crumb, whatever its time-out: all requests together have twice the time-out.

        Args:
            deadline: Latest end on the monotonic clock.
        """
        self.status = self.retry_after_s = None
        self.body = b""
        self._deadline = min(deadline, time.monotonic() + 2 * self.clients.timeout_s)

    @cached_property
    def session(self) -> Session[Response]:
        """The session for yfinance."""
        from curl_cffi import requests

        connection = self

        class Bounded(requests.Session[requests.Response]):
            # The thirty options of the base class are passed on by name.
            def request(self, method: Any, url: str, **options: Any) -> Response:  # type: ignore[override]  # noqa: ANN401 - as above
                options["timeout"] = connection.request_timeout_s()
                response = super().request(method, connection.rewrite_url(url), **options)
                if _CHART_PATH in url:
                    connection.record_response(response)
                return response

        return Bounded(impersonate="chrome")

    def request_timeout_s(self) -> float:
        """Time-out of one request; curl reads 0 as no limit."""
        return max(0.1, min(self.clients.timeout_s, self._deadline - time.monotonic()))

    def rewrite_url(self, url: str) -> str:
        """The address on the configured server; unchanged without one."""
        if not self.clients.yahoo_url:
            return url
        return f"{self.clients.yahoo_url}/{url.partition('://')[2].partition('/')[2]}"

    def error_description(self) -> str:
        """Yahoo's reason for a refusal; empty where it gave none."""
        try:
            return str(json.loads(self.body)["chart"]["error"]["description"])
        except (ValueError, LookupError, TypeError):
            return ""

    def record_response(self, response: Response) -> None:
        """Records the status and body, which yfinance does not pass on.

        Raises:
            HTTPError: The server refuses and requests a pause. Otherwise yfinance would repeat the
                request at once with another cookie.
        """
        from curl_cffi.requests.exceptions import HTTPError

        self.status, self.body = response.status_code, response.content
        self.has_answered = True
        if response.status_code >= _MIN_ERROR_STATUS:
            self.retry_after_s = parse_retry_after(response.headers.get("Retry-After"))
            if self.retry_after_s is not None:
                raise HTTPError(f"Retry-After {self.retry_after_s:.0f} s", response=response)
