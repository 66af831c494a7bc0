"""Single requests for the candles of one market: how many are asked for, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.sources.exchange._sent_times import parse_sent_times
from engine.data.sources.exchange._timeframes import ccxt_timeframe, shortest_length

if TYPE_CHECKING:
    from engine.data.calendar import BarInterval
    from engine.data.sources.exchange._client import ExchangeClient

CandleRow = list[float]
"""Open of the candle in milliseconds since 1970, open, high, low, close, volume."""

_DEFAULT_SIZE = 500
"""Candles asked for at once of an exchange whose limit ccxt does not know."""


_FILES = ("bitbank",)
"""Exchanges with one file of candles a day, and one a year of those longer than an hour."""

_LONGEST_IN_FILE_OF_DAY_MS = 3_600_000


@dataclass(frozen=True)
class RequestForm:
    """What a request names next to its start.

    Attributes:
        sized: Whether it names the number of candles.
        ended: Whether it names the end of the window.
    """

    sized: bool = True
    ended: bool = False


FORMS = (
    RequestForm(),
    RequestForm(sized=False),
    RequestForm(ended=True),
    RequestForm(sized=False, ended=True),
)
"""All forms of a request, the usual one first."""


@dataclass(frozen=True)
class CandlePage:
    """The answer to one request for candles.

    Attributes:
        since: Start that was asked for, in milliseconds since 1970.
        size: Number of candles that was asked for.
        rows: The candles from `since` on, ascending, exact repeats once.
        timeless: Whether the request as it was sent told the exchange no time at all.
        end: End of the window that was asked for; None where the request names none.
    """

    since: int
    size: int
    rows: list[CandleRow]
    timeless: bool
    end: int | None

    @property
    def first(self) -> int:
        """Open of the first candle."""
        return int(self.rows[0][0])

    @property
    def last(self) -> int:
        """Open of the last candle."""
        return int(self.rows[-1][0])


class CandleRequests:
    """Requests for the candles of one market and one length.

    Args:
        client: The exchange.
        market: ccxt's description of the market.
        interval: Length of a candle.

    Attributes:
        size: Candles asked for at once. It begins with ccxt's `features`, and is lowered where the
            exchange gives fewer and leaves out the oldest.
        form: Form of the requests.
        lead: Candles before the start that are asked for too, and dropped: an exchange may take
            the start as exclusive, or leave out the oldest candle of a window.
    """

    def __init__(
        self, client: ExchangeClient, market: dict[str, Any], interval: BarInterval
    ) -> None:
        self.client = client
        self.market = market
        self.interval = interval
        features = client.exchange.feature_value(
            market["symbol"], "fetchOHLCV", "limit", _DEFAULT_SIZE
        )
        self.size = int(features or _DEFAULT_SIZE)
        self.form = RequestForm()
        self.lead = 0

    @property
    def step_ms(self) -> int:
        """Milliseconds from one candle to the next; of months, those of the shortest."""
        return to_milliseconds(shortest_length(self.interval))

    def fetch(
        self,
        since: int,
        *,
        size: int | None = None,
        lead: int | None = None,
        form: RequestForm | None = None,
        end: int | None = None,
    ) -> CandlePage:
        """Requests candles that open at `since` or later.

        Args:
            since: Milliseconds since 1970.
            size: Number of candles; by default the largest.
            lead: Candles before `since` that are asked for too; by default `lead` of all.
            form: Form of this request; by default that of all.
            end: Last open wanted, for a form with an end; by default that of `size` candles.

        Raises:
            UnreachableError: No usable answer.
            SourceError: The exchange refuses.
        """
        size = size or self.size
        form = form or self.form
        start = since - (self.lead if lead is None else lead) * self.step_ms
        params: dict[str, Any] = {}
        if form.ended:
            params["until"] = start + size * self.step_ms - 1 if end is None else end
        timeframe = ccxt_timeframe(self.interval)

        def call() -> list[CandleRow]:
            candles = self.client.exchange.fetch_ohlcv(
                self.market["symbol"],
                timeframe,
                start,
                size if form.sized else None,
                params,
            )
            return sorted(candle[:6] for candle in candles if candle[0] >= since)

        rows, request = self.client.execute_traced(call)
        rows = [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]
        times = parse_sent_times(request)
        end_of_window = min((time for time in times if time > since + 1), default=None)
        if end_of_window is None and self.client.name in _FILES:
            end_of_window = self._end_of_file(start)
        timeless = bool(request) and not times
        return CandlePage(since, size, rows, timeless, end_of_window)

    def fetch_twice(
        self,
        since: int,
        *,
        size: int | None = None,
        lead: int | None = None,
        form: RequestForm | None = None,
        end: int | None = None,
    ) -> CandlePage:
        """As `fetch`; an empty answer is asked for again, because one may come by mistake."""
        page = self.fetch(since, size=size, lead=lead, form=form, end=end)
        return page if page.rows else self.fetch(since, size=size, lead=lead, form=form, end=end)

    def _end_of_file(self, start: int) -> int:
        """End of the UTC day or year that holds a time."""
        day = from_epoch_ms(start).floor("D")
        if self.step_ms > _LONGEST_IN_FILE_OF_DAY_MS:
            return to_epoch_ms(day.replace(month=1, day=1) + pd.DateOffset(years=1))
        return to_epoch_ms(day + pd.Timedelta(days=1))


def to_milliseconds(duration: pd.Timedelta) -> int:
    """Whole milliseconds."""
    return int(duration // pd.Timedelta(milliseconds=1))


def to_epoch_ms(stamp: pd.Timestamp) -> int:
    """Milliseconds since 1970 of a timestamp."""
    return to_milliseconds(stamp - pd.Timestamp(0, tz="UTC"))


def from_epoch_ms(since_epoch: float) -> pd.Timestamp:
    """The timestamp of milliseconds since 1970."""
    return pd.Timestamp(int(since_epoch), unit="ms", tz="UTC")
