"""Yahoo Finance through yfinance."""

from __future__ import annotations

import json
import logging
import time
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.core.errors import SourceError, UnreachableError
from engine.core.lazy_imports import deep_bind
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.retry import call_with_retries
from engine.data.sources.yahoo._prices import (
    describe_conflicts,
    find_conflicting_bars,
    history_to_bars,
)
from engine.data.sources.yahoo._session import YahooConnection

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

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
}
_STATUS_OK, _STATUS_THROTTLED = 200, 429
# An unknown ticker, and an interval or a span that there is not.
_REFUSED_STATUSES = (400, 404, 422)
_RERUN_HINT = "run again: the symbols that came are kept, and only the others are asked for"


@dataclass
class _YahooAttemptError(Exception):
    """One try that failed.

    Attributes:
        error: What the user is told if it was the last.
        retryable: Whether asking again may help.
        retry_after_s: Seconds for which the server asked to be left alone, if it did.
    """

    error: SourceError
    retryable: bool = True
    retry_after_s: float | None = None


class YahooBarSource(BarSource):
    """The whole history of a ticker in one request, ticker after ticker.

    Tickers are asked for in batches with a pause between two, because Yahoo throttles bursts. An
    answer that may come when asked again is asked for again after each of the clients' pauses,
    later if the server says when. The feed asks no more once it was throttled to the end, because
    that holds for the client and not for the ticker, and once its time is over.

    All prices of a bar are adjusted alike, as the source's `adjust` says: see `to_bars`.

    Args:
        spec: Symbols, adjustment, size of a batch, time limit.
        home: Folder for what yfinance keeps: time zones and a cookie.
        clients: Time-outs and pauses, and the server.
    """

    # A dividend or a split changes every adjusted price before it.
    append_only = False

    def __init__(self, spec: YahooSourceSpec, home: Path, clients: ClientSettings) -> None:
        self.spec = spec
        self.home = home
        self.clients = clients
        self.label = "yahoo"
        self.cache_key = f"yahoo {spec.adjust}"
        self._connection = YahooConnection(clients)
        self._request_count = 0
        self._throttled = False

    def ticker(self, symbol: str) -> str:
        """Yahoo's symbol."""
        return self.spec.symbols.get(symbol, symbol)

    def origin(self, symbol: str) -> str:  # noqa: ARG002  one answer for all
        """Yahoo, whatever the ticker."""
        return "yahoo"

    def location(self, symbol: str) -> str:
        """The ticker."""
        return f"{self.ticker(symbol)} of yahoo"

    def url(self) -> str:
        """Yahoo's chart server."""
        return self.clients.yahoo_url or _DEFAULT_URL

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """All bars that Yahoo has; those for which it has no price at all are left out.

        yfinance sorts rows that are out of order, and of several rows of one bar it keeps one: the
        last row for the last bar, the first elsewhere. Where these differ, that is told.

        Raises:
            UnreachableError: No answer, throttled, or a server error, and again after each pause;
                or not asked, because Yahoo throttled before or the time is over.
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
        self._wait_for_turn(ticker)
        # yfinance warns and logs about what is told here as an error, and puts a filter of its own
        # before all others when it is imported.
        with warnings.catch_warnings():
            with deep_bind():
                import yfinance  # noqa: F401

            warnings.simplefilter("ignore")
            logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
            history = self._fetch_with_retries(ticker, request)
        twice = find_conflicting_bars(self._connection.body, request.interval)
        if len(twice):
            request.progress.notice(describe_conflicts(ticker, request.interval, twice))
        return history_to_bars(history, self.spec.adjust, request.interval, ticker)

    @cached_property
    def _deadline(self) -> float:
        """When the time is over, on the monotonic clock; it runs from the first ticker on."""
        return time.monotonic() + self.spec.time_limit_s

    def _wait_for_turn(self, ticker: str) -> None:
        """Waits if a batch is full.

        Raises:
            UnreachableError: There is no turn any more.
        """
        if self._throttled:
            raise _unreachable_error("was not asked", ticker, "it throttled to the end before")
        if self._request_count and self._request_count % self.spec.batch == 0:
            time.sleep(
                max(0.0, min(self.clients.batch_pause_s, self._deadline - time.monotonic()))
            )
        if time.monotonic() >= self._deadline:
            limit = f"the time limit of {self.spec.time_limit_s:g} s is over"
            raise _unreachable_error("was not asked", ticker, limit, "; or raise time_limit_s")
        self._request_count += 1

    def _fetch_with_retries(self, ticker: str, request: BarRequest) -> pd.DataFrame:
        try:
            return call_with_retries(
                lambda: self._fetch_history(ticker, request),
                lambda error: isinstance(error, _YahooAttemptError) and error.retryable,
                self.clients,
                requested_pause_s=lambda error: getattr(error, "retry_after_s", None),
                deadline=self._deadline,
            )
        except _YahooAttemptError as failure:
            self._throttled = self._connection.status == _STATUS_THROTTLED
            raise failure.error from failure.__cause__

    def _fetch_history(self, ticker: str, request: BarRequest) -> pd.DataFrame:
        import yfinance
        from curl_cffi.requests.exceptions import ImpersonateError
        from yfinance.data import YfData
        from yfinance.exceptions import YFException

        # yfinance 1.7 keeps the answer that should tell the time zone for the whole process, be it
        # an error page, and would read that again with every further try.
        YfData.cache_get.cache_clear()
        yfinance.config.debug.hide_exceptions = False
        yfinance.set_tz_cache_location(str(self.home))
        self._connection.start_history(self._deadline)
        try:
            history: pd.DataFrame = yfinance.Ticker(
                ticker, session=self._connection.session
            ).history(
                period="max",
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
            # curl_cffi's errors are OSErrors. An error page in place of JSON, or JSON without
            # prices, reaches us as whatever yfinance stumbles over.
            raise self._to_attempt_error(error, ticker, request) from error
        if history.empty:
            raise _YahooAttemptError(_no_bars_error(ticker, request, "an empty answer"))
        return history

    def _to_attempt_error(
        self, error: Exception, ticker: str, request: BarRequest
    ) -> _YahooAttemptError:
        """What yfinance's error means, judged by the status of the answer where there is one."""
        from curl_cffi.requests.exceptions import HTTPError, RequestException
        from yfinance.exceptions import YFDataException, YFPricesMissingError, YFRateLimitError

        status, asked_s = self._connection.status, self._connection.retry_after_s
        if isinstance(error, YFRateLimitError) or status == _STATUS_THROTTLED:
            wait = "" if asked_s is None else f", and asks for a pause of {asked_s:.0f} s"
            told = _unreachable_error("throttles", ticker, f"429 Too Many Requests{wait}")
            return _YahooAttemptError(told, retry_after_s=asked_s)
        if isinstance(error, YFDataException):
            return _YahooAttemptError(_unreachable_error("is down", ticker, _format_error(error)))
        if isinstance(error, RequestException) and not isinstance(error, HTTPError):
            # No connection, or no answer in time. A server, or a proxy before it, that has not
            # answered once will not the next time either.
            told = _unreachable_error("gave no usable answer", ticker, _format_error(error))
            return _YahooAttemptError(told, retryable=self._connection.has_answered)
        words = self._connection.error_description() or _format_error(error)
        if status in _REFUSED_STATUSES:
            return _YahooAttemptError(_no_bars_error(ticker, request, words), retryable=False)
        if status == _STATUS_OK and isinstance(error, YFPricesMissingError):
            # Yahoo says why where it has none; without a reason it may have them the next time.
            return _YahooAttemptError(
                _no_bars_error(ticker, request, words), retryable=error.yahoo_reason is None
            )
        found = words if status in {None, _STATUS_OK} else f"HTTP {status}: {words}"
        told = _unreachable_error("gave no usable answer", ticker, found)
        return _YahooAttemptError(told, retry_after_s=asked_s)


def _format_error(error: Exception) -> str:
    """The error in one line, without curl's link to its own manual."""
    text = " ".join(str(error).split()).partition(" See http")[0] or type(error).__name__
    if isinstance(error, json.JSONDecodeError):
        text = f"no whole JSON: {text}"
    elif isinstance(error, LookupError | TypeError | AttributeError):
        text = f"JSON of another form: {text}"
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
        "this process can make no connection to Yahoo",
        expected="curl_cffi loaded before other libraries that bring a TLS of their own",
        found=f"{_format_error(error)}; TensorFlow was probably loaded before it",
        where=f"{ticker} of yahoo",
        fix="put `import curl_cffi` first, before tensorflow and before quantstats or yfinance",
    )


def _no_bars_error(ticker: str, request: BarRequest, found: str) -> SourceError:
    return SourceError(
        f"no bars of {ticker}",
        found=found,
        where=f"{request.symbol}, interval {request.interval}",
        fix="look the ticker up on Yahoo, and map it under `symbols` of the yahoo source",
    )
