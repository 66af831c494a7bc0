"""The HTTP session of ccxt: rejects incomplete answers, paces requests, measures clocks.

Imported with ccxt, at the first request, because it loads requests.
"""

from __future__ import annotations

import json
import math
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import requests
import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.sources.exchange.ccxt_types import CcxtExchange

_MAX_RESPONSE_TIMEOUTS = 6
"""Longest duration of a whole answer, in time-outs: a time-out limits only the wait for the next
byte, so that a server which sends a byte now and then would never time out."""

_BUFFER_BYTES = 1 << 16


class RequestPace:
    """Keeps requests apart by an exchange's rate limit, on the monotonic clock.

    ccxt's own `throttle` reads the wall clock: if that is set back during a fetch, ccxt 4.5 sleeps
    for as long as the step.

    Args:
        exchange: The exchange as ccxt wraps it; its `rateLimit` is in milliseconds.
    """

    def __init__(self, exchange: CcxtExchange) -> None:
        self._exchange = exchange
        self._last_s = -math.inf

    def __call__(self, cost: float | None = None) -> None:
        """Sleeps until a request of that cost may be sent; None is a cost of 1."""
        pause_s = self._exchange.rateLimit / 1000 * (1 if cost is None else cost)
        time.sleep(max(0.0, self._last_s + pause_s - time.monotonic()))
        self._last_s = time.monotonic()


class ExchangeSession(requests.Session):
    """Rejects answers that ccxt would read as an empty page: truncated ones and invalid JSON.

    ccxt passes on text that it cannot parse, and then finds no candles in it.

    Attributes:
        clock_skew_s: Seconds by which the exchange's clock is ahead of this machine's, from the
            last answer; 0 where one answer shows no difference or has no date.
        unanswered_requests: Requests since the last complete answer; one more before the first.
        last_request: Address and body of the last request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock_skew_s = 0.0
        self.unanswered_requests = 1
        self.last_request = ""

    # The fifteen options of the base class are passed on by name.
    def request(self, method: Any, url: Any, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401 - as above
        """Returns a complete answer, received within six time-outs.

        Raises:
            requests.ReadTimeout: The answer took longer.
            requests.ConnectionError: The answer is truncated or is not JSON.
        """
        self.unanswered_requests += 1
        self.last_request = f"{url} {options.get('data') or ''}"
        sent = time.time()
        deadline = time.monotonic() + _MAX_RESPONSE_TIMEOUTS * float(options["timeout"])
        response = super().request(method, url, **{**options, "stream": True})
        self.clock_skew_s = _measure_clock_skew_s(response, sent, time.time())
        # requests itself stores the body here.
        response._content = b"".join(_read_chunks(response, deadline))
        self.unanswered_requests = 0
        if response.ok:
            _require_json(response.content)
        return response


def _read_chunks(response: requests.Response, deadline: float) -> Iterator[bytes]:
    """Chunks as they arrive; reading through requests waits for a full buffer."""
    try:
        while chunk := response.raw.read1(_BUFFER_BYTES, decode_content=True):
            yield chunk
            if time.monotonic() > deadline:
                raise requests.ReadTimeout("the answer does not end")
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(str(error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(str(error)) from error
    finally:
        # A connection with a complete answer is back in the pool; any other must be closed.
        response.raw.close()


def _require_json(body: bytes) -> None:
    try:
        is_json = isinstance(json.loads(body), dict | list)
    except ValueError:
        is_json = False
    if not is_json:
        start = " ".join(body[:60].decode(errors="replace").split())
        raise requests.ConnectionError(f"{len(body)} bytes that are not JSON: {start}")


def _measure_clock_skew_s(response: requests.Response, sent: float, received: float) -> float:
    """Seconds by which the answer's date is ahead; the smaller bound where it is uncertain.

    A date is truncated to the second and was written between sending and receiving. A cached
    answer gives its age in `Age`.
    """
    try:
        written = parsedate_to_datetime(response.headers["Date"]).timestamp()
        written += float(response.headers.get("Age", 0))
    except (LookupError, ValueError, TypeError):
        return 0.0
    least, most = written - received, written + 1.0 - sent
    return 0.0 if least <= 0.0 <= most else least
