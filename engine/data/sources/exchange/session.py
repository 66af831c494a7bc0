"""The HTTP session that ccxt speaks through: whole answers only, and the exchange's time.

Imported with ccxt, when an exchange is first asked, since it loads requests.
"""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import requests
import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_RESPONSE_TIMEOUTS = 6
"""Longest that an answer may take as a whole, in time-outs: a time-out bounds the wait for the
next byte alone, and a server that sends one now and then would be listened to for ever."""

_BUFFER_BYTES = 1 << 16


class ExchangeSession(requests.Session):
    """Refuses what ccxt would take for an empty page: an answer that is cut off or is no JSON.

    ccxt hands text that it cannot parse on as text, in which it then finds no candles.

    Attributes:
        clock_skew_s: How far the exchange's clock is ahead of this machine's, as the last answer
            told; 0 where the two agree as far as one answer can tell, and where it bore no time.
        unanswered_requests: Requests since the last answer that came whole; one more before the
            first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock_skew_s = 0.0
        self.unanswered_requests = 1

    # The options are the base's fifteen, handed through.
    def request(self, method: Any, url: Any, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        """An answer that came whole, within six time-outs.

        Raises:
            requests.ReadTimeout: It went on for longer.
            requests.ConnectionError: It ended before its end, or is no JSON.
        """
        self.unanswered_requests += 1
        sent = time.time()
        deadline = time.monotonic() + _MAX_RESPONSE_TIMEOUTS * float(options["timeout"])
        response = super().request(method, url, **{**options, "stream": True})
        self.clock_skew_s = _measure_clock_skew_s(response, sent, time.time())
        # Where requests itself keeps what it has read.
        response._content = b"".join(_read_chunks(response, deadline))
        self.unanswered_requests = 0
        if response.ok:
            _require_json(response.content)
        return response


def _read_chunks(response: requests.Response, deadline: float) -> Iterator[bytes]:
    """What arrives, as it arrives: requests' own reading waits until it has a whole buffer."""
    try:
        while piece := response.raw.read1(_BUFFER_BYTES, decode_content=True):
            yield piece
            if time.monotonic() > deadline:
                raise requests.ReadTimeout("the answer does not end")
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(str(error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(str(error)) from error
    finally:
        # One that was read whole went back to the pool and stays open; another must not.
        response.raw.close()


def _require_json(body: bytes) -> None:
    try:
        whole = isinstance(json.loads(body), dict | list)
    except ValueError:
        whole = False
    if not whole:
        begins = " ".join(body[:60].decode(errors="replace").split())
        raise requests.ConnectionError(f"{len(body)} bytes that are not JSON: {begins}")


def _measure_clock_skew_s(response: requests.Response, sent: float, received: float) -> float:
    """Seconds by which the answer's date is off, towards the past where it can only be bounded.

    A date is cut to the second, and was written at some time between sending and receiving. One
    that a cache hands out says with `Age` how long ago that was.
    """
    try:
        written = parsedate_to_datetime(response.headers["Date"]).timestamp()
        written += float(response.headers.get("Age", 0))
    except (LookupError, ValueError, TypeError):
        return 0.0
    least, most = written - received, written + 1.0 - sent
    return 0.0 if least <= 0.0 <= most else least
