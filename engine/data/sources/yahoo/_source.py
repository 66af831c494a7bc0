"""Fetches bars from Yahoo Finance through yfinance."""

from __future__ import annotations

import json
import logging
import time
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
from typing_extensions import override

from engine.core.errors import SourceError, UnreachableError
from engine.core.lazy_imports import deep_bind
from engine.data.bar_times import TradingTimes
from engine.data.config import YAHOO_DELAY
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.retry import call_with_retries
from engine.data.sources.yahoo._prices import (
    describe_conflicts,
    find_conflicting_bars,
    history_to_bars,
)
from engine.data.sources.yahoo._session import YahooConnection
from engine.data.sources.yahoo._ticker_meta import TickerMeta

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.config import YahooSourceSpec
    from engine.data.sources.client_settings import ClientSettings

_DEFAULT_URL = "https://query2.finance.yahoo.com"
_INTERVALS = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1h": "1h",
    "1d": "1d",
    "1w": "1wk",
    "1mo": "1mo",
}
_KEPT_DAYS = {"1m": 6, "5m": 58, "15m": 58, "30m": 58, "1h": 728}
"""Days for which Yahoo keeps bars that are shorter than a day, less one: a start before that is
refused."""
_STATUS_OK, _STATUS_THROTTLED = 200, 429
# An unknown ticker, or an interval or a span that Yahoo does not have.
_REFUSED_STATUSES = (400, 404, 422)
_RERUN_HINT = "run again: fetched symbols are cached, and only the others are requested"


@dataclass
class _YahooAttemptError(Exception):
    """A failed attempt.

    Attributes:
        error: The error to raise if this was the last attempt.
        retryable: Whether a retry may help.
        retry_after_s: Pause in seconds that the server requested; None if it requested none.
    """

    error: SourceError
    retryable: bool = True
    retry_after_s: float | None = None


class YahooBarSource(BarSource):
    """The whole history of a ticker in one request, one ticker after another.

    Tickers are requested in batches with a pause between them, because Yahoo throttles bursts. A
    request that may succeed later is retried after each of the clients' pauses, or after the pause
    that the server requests. The source sends no more requests once throttling outlasted all
    retries, which concerns the client and not the ticker, or once its time limit is reached.

    All prices of a bar are adjusted alike, by the source's `adjust`: see `history_to_bars`.

    Args:
        spec: Symbols, adjustment, batch size, time limit.
        home: Folder for yfinance's own cache of time zones and a cookie.
        clients: Time-outs and pauses, and the server.
    """

    # A dividend or a split changes every adjusted price before it.
    append_only = False
    publication_delay = YAHOO_DELAY

    def __init__(self, spec: YahooSourceSpec, home: Path, clients: ClientSettings) -> None:
        self.spec = spec
        self.home = home
        self.clients = clients
        self.label = "yahoo"
        self.cache_key = f"yahoo {spec.adjust}"
        self._connection = YahooConnection(clients)
        self._request_count = 0
        self._throttled = False
        self._meta: dict[str, TickerMeta | None] = {}

    def ticker(self, symbol: str) -> str:
        """Yahoo's symbol."""
        return self.spec.symbols.get(symbol, symbol)

    @override
    def times_of(self, symbol: str, times: TradingTimes) -> TradingTimes:
        """Stocks, funds and indices close with the sessions of their own exchange.

        Where Yahoo does not say that a ticker is one of them, in the time zone of the calendar and
        not traded at present, its bars are taken to end with their interval: a day of a currency,
        and of a future, at midnight UTC.
        """
        meta = self._meta.get(symbol)
        known = meta is not None and meta.closes_with(times.calendar)
        return times if known or not times.follow_sessions else TradingTimes(times.interval)

    @override
    def origin(self, symbol: str) -> str:
        """Yahoo, whatever the ticker."""
        return "yahoo"

    def location(self, symbol: str) -> str:
        """The ticker."""
        return f"{self.ticker(symbol)} of yahoo"

    def url(self) -> str:
        """Yahoo's chart server."""
        return self.clients.yahoo_url or _DEFAULT_URL

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Fetches all bars that Yahoo has; bars without any price are left out.

        yfinance sorts rows that are out of order, and of several rows of one bar it takes one: the
        last row for the last bar, the first elsewhere. A notice reports rows that differ.

        Raises:
            UnreachableError: No answer, throttled, or a server error, also after every retry; or
                no request, because Yahoo throttled before or the time limit is reached.
            SourceError: Yahoo does not know the ticker, or has no bars of this interval or none
                with this adjustment.
        """
        ticker = self.ticker(request.symbol)
        if request.interval not in _INTERVALS:
            raise SourceError(
                f"no {request.interval} bars",
                expected=", ".join(_INTERVALS),
                found=request.interval,
                where=self.location(request.symbol),
                fix="change the interval of the dataset",
            )
        deadline = self._deadline
        if request.newest_only:
            # A feed asks for years: neither the time of a pull nor its throttling ends it.
            self._throttled = False
            deadline = time.monotonic() + self.spec.time_limit_s
        self._wait_for_turn(ticker, deadline)
        # yfinance warns and logs about faults that become errors here, and its import puts a
        # warnings filter of its own before all others.
        with warnings.catch_warnings():
            with deep_bind():
                import yfinance  # noqa: F401 - loaded here, used by the fetch

            warnings.simplefilter("ignore")
            logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
            history = self._fetch_with_retries(ticker, request, deadline)
        self._meta[request.symbol] = TickerMeta.parse(self._connection.body, request.now)
        conflicts = find_conflicting_bars(self._connection.body, request.interval)
        if len(conflicts):
            request.progress.notice(describe_conflicts(ticker, request.interval, conflicts))
        return history_to_bars(history, self.spec.adjust, request.interval, ticker)

    @cached_property
    def _deadline(self) -> float:
        """End of the time limit on the monotonic clock; it starts with the first ticker."""
        return time.monotonic() + self.spec.time_limit_s

    def _wait_for_turn(self, ticker: str, deadline: float) -> None:
        """Waits between two batches.

        Raises:
            UnreachableError: Yahoo throttled before, or the time limit is reached.
        """
        if self._throttled:
            raise _unreachable_error(
                "was not requested", ticker, "it throttled until the last retry"
            )
        if self._request_count and self._request_count % self.spec.batch == 0:
            time.sleep(max(0.0, min(self.clients.batch_pause_s, deadline - time.monotonic())))
        if time.monotonic() >= deadline:
            limit = f"the time limit of {self.spec.time_limit_s:g} s is reached"
            raise _unreachable_error("was not requested", ticker, limit, "; or raise time_limit_s")
        self._request_count += 1

    def _fetch_with_retries(
        self, ticker: str, request: BarRequest, deadline: float
    ) -> pd.DataFrame:
        try:
            return call_with_retries(
                lambda: self._fetch_history(ticker, request, deadline),
                lambda error: isinstance(error, _YahooAttemptError) and error.retryable,
                self.clients,
                requested_pause_s=lambda error: getattr(error, "retry_after_s", None),
                deadline=deadline,
            )
        except _YahooAttemptError as failure:
            self._throttled = self._connection.status == _STATUS_THROTTLED
            raise failure.error from failure.__cause__

    def _fetch_history(self, ticker: str, request: BarRequest, deadline: float) -> pd.DataFrame:
        import yfinance
        from curl_cffi.requests.exceptions import ImpersonateError
        from yfinance.data import YfData
        from yfinance.exceptions import YFException

        # yfinance 1.7 caches the answer with the time zone for the whole process, even if it is an
        # error page, and would read it again at every retry.
        YfData.cache_get.cache_clear()
        yfinance.config.debug.hide_exceptions = False
        yfinance.set_tz_cache_location(str(self.home))
        self._connection.start_history(deadline)
        try:
            history: pd.DataFrame = yfinance.Ticker(
                ticker, session=self._connection.session
            ).history(
                **_history_span(request),
                interval=_INTERVALS[request.interval],
                auto_adjust=False,
                actions=True,
                keepna=True,
                timeout=self.clients.timeout_s,
            )
        except ImpersonateError as error:
            raise _YahooAttemptError(
                _no_connection_error(ticker, error), retryable=False
            ) from error
        except (
            YFException,
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
        ) as error:
            # curl_cffi's errors are OSErrors. yfinance raises any of the others for an error page
            # in place of JSON, or for JSON without prices.
            raise self._to_attempt_error(error, ticker, request) from error
        if history.empty:
            raise _YahooAttemptError(_no_bars_error(ticker, request, "an empty answer"))
        return history

    def _to_attempt_error(
        self, error: Exception, ticker: str, request: BarRequest
    ) -> _YahooAttemptError:
        """Interprets an error of yfinance by the status of the answer, where there is one."""
        from curl_cffi.requests.exceptions import HTTPError, RequestException
        from yfinance.exceptions import YFDataException, YFPricesMissingError, YFRateLimitError

        status, retry_after_s = self._connection.status, self._connection.retry_after_s
        if isinstance(error, YFRateLimitError) or status == _STATUS_THROTTLED:
            wait = ""
            if retry_after_s is not None:
                wait = f", and requests a pause of {retry_after_s:.0f} s"
            reported = _unreachable_error("throttles", ticker, f"429 Too Many Requests{wait}")
            return _YahooAttemptError(reported, retry_after_s=retry_after_s)
        if isinstance(error, YFDataException):
            return _YahooAttemptError(_unreachable_error("is down", ticker, _format_error(error)))
        if isinstance(error, RequestException) and not isinstance(error, HTTPError):
            # No connection, or no answer in time. Without a single answer so far, a retry will not
            # help: the server, or a proxy before it, is not reachable.
            reported = _unreachable_error("gave no usable answer", ticker, _format_error(error))
            return _YahooAttemptError(reported, retryable=self._connection.has_answered)
        words = self._connection.error_description() or _format_error(error)
        if status in _REFUSED_STATUSES:
            return _YahooAttemptError(_no_bars_error(ticker, request, words), retryable=False)
        if status == _STATUS_OK and isinstance(error, YFPricesMissingError):
            # Yahoo gives a reason where it has no prices; without one a retry may help.
            return _YahooAttemptError(
                _no_bars_error(ticker, request, words), retryable=error.yahoo_reason is None
            )
        found = words if status in {None, _STATUS_OK} else f"HTTP {status}: {words}"
        reported = _unreachable_error("gave no usable answer", ticker, found)
        return _YahooAttemptError(reported, retry_after_s=retry_after_s)


def _history_span(request: BarRequest) -> dict[str, str | pd.Timestamp]:
    """The span of a history for yfinance: all of it, or the newest bars alone.

    A start that Yahoo refuses as too early is left to it: it gives the newest that it has.
    """
    oldest = pd.Timedelta(days=_KEPT_DAYS.get(request.interval, 36_500))
    if not request.newest_only or request.since is None or request.now - request.since > oldest:
        return {"period": "max"}
    return {"start": request.since}


def _format_error(error: Exception) -> str:
    """The error in one line, without curl's link to its own manual."""
    text = " ".join(str(error).split()).partition(" See http")[0] or type(error).__name__
    if isinstance(error, json.JSONDecodeError):
        text = f"incomplete JSON: {text}"
    elif isinstance(error, LookupError | TypeError | AttributeError):
        text = f"unexpected JSON: {text}"
    return text[:200]


def _unreachable_error(problem: str, ticker: str, found: str, more: str = "") -> UnreachableError:
    return UnreachableError(
        f"the server {problem}",
        found=found,
        where=f"{ticker} of yahoo",
        fix=f"wait some minutes and {_RERUN_HINT}{more}",
    )


def _no_connection_error(ticker: str, error: Exception) -> SourceError:
    return SourceError(
        "this process cannot connect to Yahoo",
        expected="curl_cffi imported before other libraries with a TLS of their own",
        found=f"{_format_error(error)}; TensorFlow was probably imported before it",
        where=f"{ticker} of yahoo",
        fix="import curl_cffi first, before tensorflow and before quantstats or yfinance",
    )


def _no_bars_error(ticker: str, request: BarRequest, found: str) -> SourceError:
    return SourceError(
        f"no bars of {ticker}",
        found=found,
        where=f"{request.symbol}, interval {request.interval}",
        fix="look up the ticker on Yahoo, and map it under `symbols` of the yahoo source",
    )
