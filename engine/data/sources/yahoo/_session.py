"""The connection that yfinance is given: bounded in time, and remembering what the server said."""

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
    """One session of the kind yfinance makes itself, for all histories of a pull.

    yfinance keeps the cookie and the crumb it was given once, so that each further history takes
    one request or two. It does not pass on the status of an answer nor what its headers ask for,
    which is why they are kept here.

    Args:
        clients: Time-outs, and the server.

    Attributes:
        status: Of the last answer of the chart server within this history; None before one came.
        body: Of that answer.
        retry_after_s: Seconds for which that answer asked to be left alone, if it did.
        has_answered: Whether the chart server answered at all since the connection was made.
    """

    def __init__(self, clients: ClientSettings) -> None:
        self.clients = clients
        self.status: int | None = None
        self.body = b""
        self.retry_after_s: float | None = None
        self.has_answered = False
        self._deadline = 0.0

    def start_history(self, deadline: float) -> None:
        """Begins another history, which may take until then on the monotonic clock, or less.

        One history takes up to six requests, and yfinance waits 30 s each for a cookie and a
        crumb, whatever time-out it is given: all of them together have twice the time-out.
        """
        self.status = self.retry_after_s = None
        self.body = b""
        self._deadline = min(deadline, time.monotonic() + 2 * self.clients.timeout_s)

    @cached_property
    def session(self) -> Session[Response]:
        """What yfinance asks through."""
        from curl_cffi import requests

        connection = self

        class Bounded(requests.Session[requests.Response]):
            # The options are the base's thirty, handed through.
            def request(self, method: Any, url: str, **options: Any) -> Response:  # type: ignore[override]  # noqa: ANN401
                options["timeout"] = connection.request_timeout_s()
                response = super().request(method, connection.rewrite_url(url), **options)
                if _CHART_PATH in url:
                    connection.record_response(response)
                return response

        return Bounded(impersonate="chrome")

    def request_timeout_s(self) -> float:
        """For one request; curl takes 0 for no limit at all."""
        return max(0.1, min(self.clients.timeout_s, self._deadline - time.monotonic()))

    def rewrite_url(self, url: str) -> str:
        """The address, on the server to ask instead of Yahoo's if there is one."""
        if not self.clients.yahoo_url:
            return url
        return f"{self.clients.yahoo_url}/{url.partition('://')[2].partition('/')[2]}"

    def error_description(self) -> str:
        """Yahoo's own words for a refusal; nothing where it gave none."""
        try:
            return str(json.loads(self.body)["chart"]["error"]["description"])
        except (ValueError, LookupError, TypeError):
            return ""

    def record_response(self, response: Response) -> None:
        """Remembers what yfinance will not tell.

        Raises:
            HTTPError: The server refuses and says for how long it wants to be left alone, in place
                of yfinance's second request at once with another cookie.
        """
        from curl_cffi.requests.exceptions import HTTPError

        self.status, self.body = response.status_code, response.content
        self.has_answered = True
        if response.status_code >= _MIN_ERROR_STATUS:
            self.retry_after_s = parse_retry_after(response.headers.get("Retry-After"))
            if self.retry_after_s is not None:
                raise HTTPError(f"Retry-After {self.retry_after_s:.0f} s", response=response)
