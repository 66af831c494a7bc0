"""The connection that yfinance is given: bounded in time, and remembering what the server said."""

from __future__ import annotations

import json
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.data.sources.clients import retry_after_s

if TYPE_CHECKING:
    from curl_cffi.requests import Response, Session

    from engine.data.sources.clients import Clients

_CHARTS = "/finance/chart/"
_FAILED = 400


class Connection:
    """One session of the kind yfinance makes itself, for all histories of a pull.

    yfinance keeps the cookie and the crumb it was given once, so that each further history takes
    one request or two. It does not pass on the status of an answer nor what its headers ask for,
    which is why they are kept here.

    Args:
        clients: Time-outs, and the server.

    Attributes:
        status: Of the last answer of the chart server within this history; None before one came.
        body: Of that answer.
        asked_s: Seconds for which that answer asked to be left alone, if it did.
        ever_answered: Whether the chart server answered at all since the connection was made.
    """

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.status: int | None = None
        self.body = b""
        self.asked_s: float | None = None
        self.ever_answered = False
        self._deadline = 0.0

    def begin(self, until: float) -> None:
        """Begins another history, which may take until then on the monotonic clock, or less.

        One history takes up to six requests, and yfinance waits 30 s each for a cookie and a
        crumb, whatever time-out it is given: all of them together have twice the time-out.
        """
        self.status = self.asked_s = None
        self.body = b""
        self._deadline = min(until, time.monotonic() + 2 * self.clients.timeout_s)

    @cached_property
    def session(self) -> Session[Response]:
        """What yfinance asks through."""
        from curl_cffi import requests

        connection = self

        class Bounded(requests.Session[requests.Response]):
            # The options are the base's thirty, handed through.
            def request(self, method: Any, url: str, **options: Any) -> Response:  # type: ignore[override]  # noqa: ANN401
                options["timeout"] = connection.seconds_left()
                response = super().request(method, connection.address(url), **options)
                if _CHARTS in url:
                    connection.note(response)
                return response

        return Bounded(impersonate="chrome")

    def seconds_left(self) -> float:
        """For one request; curl takes 0 for no limit at all."""
        return max(0.1, min(self.clients.timeout_s, self._deadline - time.monotonic()))

    def address(self, url: str) -> str:
        """The address, on the server to ask instead of Yahoo's if there is one."""
        if not self.clients.yahoo_url:
            return url
        return f"{self.clients.yahoo_url}/{url.partition('://')[2].partition('/')[2]}"

    def explanation(self) -> str:
        """Yahoo's own words for a refusal; nothing where it gave none."""
        try:
            return str(json.loads(self.body)["chart"]["error"]["description"])
        except (ValueError, LookupError, TypeError):
            return ""

    def note(self, response: Response) -> None:
        """Remembers what yfinance will not tell.

        Raises:
            HTTPError: The server refuses and says for how long it wants to be left alone, in place
                of yfinance's second request at once with another cookie.
        """
        from curl_cffi.requests.exceptions import HTTPError

        self.status, self.body = response.status_code, response.content
        self.ever_answered = True
        if response.status_code >= _FAILED:
            self.asked_s = retry_after_s(response.headers.get("Retry-After"))
            if self.asked_s is not None:
                raise HTTPError(f"Retry-After {self.asked_s:.0f} s", response=response)
