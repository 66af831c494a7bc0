"""Yahoo Finance through yfinance."""

from __future__ import annotations

import logging
import time
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.calendar import is_daily
from engine.data.sources.clients import Clients, persist
from engine.data.sources.feed import Feed, Request
from engine.errors import SourceError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from curl_cffi.requests import Response, Session

    from engine.data.spec import YahooSource

_NOT_FOUND = 404
_SERVER = "https://query2.finance.yahoo.com"
_INTERVALS = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1h": "1h",
    "1d": "1d",
    "1w": "1wk",
}


class YahooFeed(Feed):
    """The whole history of a ticker in one request.

    All prices of a bar are adjusted alike: for splits and dividends, or for splits alone. A bar
    of a day or a week is labelled by its date on the exchange, at midnight UTC.

    Args:
        spec: Symbols and adjustment.
        home: Folder for what yfinance keeps: time zones and a cookie.
        clients: Time-outs, and the server.
    """

    # A dividend changes every adjusted price before it.
    appends = False

    def __init__(self, spec: YahooSource, home: Path, clients: Clients) -> None:
        self.spec = spec
        self.home = home
        self.clients = clients
        self.label = "yahoo"
        self.cache_key = f"yahoo {spec.adjust}"

    def ticker(self, symbol: str) -> str:
        """Yahoo's symbol."""
        return self.spec.symbols.get(symbol, symbol)

    def origin(self, symbol: str) -> str:  # noqa: ARG002  one answer for all
        """Yahoo, whatever the ticker."""
        return "yahoo"

    def place(self, symbol: str) -> str:
        """The ticker."""
        return f"{self.ticker(symbol)} of yahoo"

    def url(self) -> str:
        """Yahoo's chart server."""
        return self.clients.yahoo_url or _SERVER

    def fetch(self, request: Request) -> pd.DataFrame:
        """All bars that Yahoo has; days on which it has no price at all are left out.

        Raises:
            UnreachableError: No answer, throttled, or a server error.
            SourceError: Yahoo does not know the ticker, or has no bars of this interval.
        """
        ticker = self.ticker(request.symbol)
        if request.interval not in _INTERVALS:
            raise SourceError(
                f"no {request.interval} bars",
                expected=", ".join(_INTERVALS),
                found=request.interval,
                where=self.place(request.symbol),
                fix="change the interval of the dataset",
            )
        # yfinance warns and logs about what is told here as an error, and puts a filter of its own
        # before all others when it is imported.
        with warnings.catch_warnings():
            import yfinance  # noqa: F401

            warnings.simplefilter("ignore")
            logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
            history = persist(lambda: self._history(ticker, request), _may_pass, self.clients)
        return _label(history, request)

    def _history(self, ticker: str, request: Request) -> pd.DataFrame:
        import yfinance
        from curl_cffi.requests.exceptions import HTTPError
        from yfinance.exceptions import YFDataException, YFException, YFRateLimitError

        yfinance.config.debug.hide_exceptions = False
        yfinance.set_tz_cache_location(str(self.home))
        try:
            history: pd.DataFrame = yfinance.Ticker(
                ticker, session=_session(self.clients)
            ).history(
                period="max",
                interval=_INTERVALS[request.interval],
                auto_adjust=self.spec.adjust == "splits+dividends",
                actions=False,
                keepna=True,
                timeout=self.clients.timeout_s,
            )
            return history
        except YFRateLimitError as error:
            raise _unreachable("throttles", ticker, error) from error
        except YFDataException as error:
            raise _unreachable("is down", ticker, error) from error
        except (YFException, HTTPError) as error:
            if isinstance(error, HTTPError) and error.response.status_code != _NOT_FOUND:
                raise _unreachable("gave no usable answer", ticker, error) from error
            raise SourceError(
                f"no bars of {ticker}",
                found=str(error),
                where=f"{request.symbol}, interval {request.interval}",
                fix="look the ticker up on Yahoo, and map it under `symbols` of the yahoo source",
            ) from error
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            # curl_cffi's errors are OSErrors. An error page in place of JSON, or JSON without
            # prices, reaches us as whatever yfinance stumbles over.
            raise _unreachable("gave no usable answer", ticker, error) from error


def _unreachable(problem: str, ticker: str, cause: Exception) -> UnreachableError:
    text = " ".join(str(cause).split()).partition(" See http")[0] or type(cause).__name__
    return UnreachableError(
        f"the server {problem}",
        found=text[:200],
        where=f"{ticker} of yahoo",
        fix="wait some minutes and run again",
    )


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help; a server that hung or hung up has had its time."""
    return isinstance(error, UnreachableError) and not isinstance(error.__cause__, OSError)


def _session(clients: Clients) -> Session[Response]:
    """A session of the kind yfinance makes itself, but bounded in time over all its requests.

    One history takes up to six requests, and yfinance waits 30 s each for a cookie and a crumb,
    whatever time-out it is given.
    """
    from curl_cffi import requests

    deadline = time.monotonic() + 2 * clients.timeout_s

    class Bounded(requests.Session[requests.Response]):
        # The options are the base's thirty, handed through.
        def request(self, method: Any, url: str, **options: Any) -> Response:  # type: ignore[override]  # noqa: ANN401
            left = deadline - time.monotonic()
            options["timeout"] = max(0.1, min(clients.timeout_s, left))
            if clients.yahoo_url:
                url = f"{clients.yahoo_url}/{url.partition('://')[2].partition('/')[2]}"
            return super().request(method, url, **options)

    return Bounded(impersonate="chrome")


def _label(history: pd.DataFrame, request: Request) -> pd.DataFrame:
    prices = ["Open", "High", "Low", "Close"]
    table = history[[*prices, "Volume"]].dropna(how="all", subset=prices)
    stamps = pd.DatetimeIndex(table.index)
    stamps = stamps.tz_localize(None) if is_daily(request.interval) else stamps.tz_convert("UTC")
    return table.set_index(stamps.rename("timestamp")).reset_index().rename(columns=str.lower)
