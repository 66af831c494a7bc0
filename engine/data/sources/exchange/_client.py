"""Client of one exchange through ccxt: its markets, and requests with retries."""

from __future__ import annotations

import difflib
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from engine.core.errors import SourceError, UnreachableError
from engine.data.sources.retry import call_with_retries, parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.data.sources.base import BarRequest
    from engine.data.sources.client_settings import ClientSettings
    from engine.data.sources.exchange.ccxt_types import CcxtExchange
    from engine.data.sources.exchange.session import ExchangeSession

    T = TypeVar("T")

MAX_WAIT_S = 60.0
"""Longest `Retry-After` that is obeyed; a longer one ends the fetch."""

_RENAMED = {
    "bitfinex2": "bitfinex",
    "coinbasepro": "coinbaseexchange",
    "gateio": "gate",
    "hitbtc3": "hitbtc",
    "huobi": "htx",
    "huobipro": "htx",
    "okcoin": "okxus",
    "okex": "okx",
    "okex5": "okx",
}
"""Names of earlier versions of ccxt, and the exchange that has another name now."""

_GONE = (
    *("ascendex", "bitmart", "bitmex", "bittrex", "coinex", "ftx", "ftxus", "novadax", "oceanex"),
    *("probit", "tidex", "wazirx", "yobit"),
)
"""Exchanges of earlier versions of ccxt that later ones left out."""

_MIN_NOTICED_SKEW_S = 5.0
"""Smaller clock differences are normal and not reported."""


class ExchangeClient:
    """Public requests to one exchange.

    ccxt keeps to the exchange's rate limit.

    Args:
        name: ccxt's id of the exchange.
        clients: Time-outs, pauses, and settings of the exchange.
    """

    def __init__(self, name: str, clients: ClientSettings) -> None:
        self.name = name
        self.clients = clients
        self.label = f"ccxt:{name}"

    @cached_property
    def exchange(self) -> CcxtExchange:
        """The exchange as ccxt wraps it.

        Raises:
            SourceError: ccxt knows no such exchange.
        """
        import ccxt

        from engine.data.sources.exchange.session import RequestPace

        if self.name not in ccxt.exchanges:
            raise _unknown_exchange_error(self.name, ccxt.exchanges, ccxt.__version__)
        settings: dict[str, Any] = {
            "enableRateLimit": True,
            "timeout": int(self.clients.timeout_s * 1000),
            # This session uses the proxies of the environment, which ccxt's own does not.
            "session": self._session,
        }
        exchange = getattr(ccxt, self.name)({**settings, **self.clients.exchange_options})
        exchange.throttle = RequestPace(exchange)
        return exchange

    @cached_property
    def _session(self) -> ExchangeSession:
        from engine.data.sources.exchange.session import ExchangeSession

        return ExchangeSession()

    def market(self, ticker: str, request: BarRequest) -> dict[str, Any]:
        """Returns ccxt's description of a market.

        Raises:
            UnreachableError: No usable answer.
            SourceError: The exchange does not have the market.
        """
        if not self.exchange.markets:
            self.execute(self.exchange.load_markets)
            self._report_clock_skew(request)
        known = self.exchange.markets
        if ticker not in known:
            raise _unknown_symbol_error(ticker, list(known), f"{request.symbol} on {self.label}")
        market: dict[str, Any] = known[ticker]
        return market

    def exchange_time(self, now: pd.Timestamp) -> pd.Timestamp:
        """The exchange's time when this machine's clock shows `now`, from its last answer."""
        return now + pd.Timedelta(seconds=self._session.clock_skew_s).round("us")

    def execute_traced(self, call: Callable[[], T]) -> tuple[T, str]:
        """As `execute`, with the address and body of the last request; empty where none was sent.

        Raises:
            UnreachableError: As `execute`.
            SourceError: As `execute`.
        """
        self._session.last_request = ""
        return self.execute(call), self._session.last_request

    def _report_clock_skew(self, request: BarRequest) -> None:
        skew = self._session.clock_skew_s
        if abs(skew) >= _MIN_NOTICED_SKEW_S:
            request.progress.notice(
                f"{self.label}: this machine's clock is about {abs(skew):.0f} s "
                f"{'behind' if skew > 0 else 'ahead of'} the exchange's; "
                "a bar counts as finished once it is finished by both"
            )

    def execute(self, call: Callable[[], T]) -> T:
        """Returns the result of `call`, with a retry after each pause where that may help.

        A pause that the exchange requests is kept. After a first answer, one time-out is retried
        once.

        Raises:
            UnreachableError: Throttled, a server error, or an unreadable answer, also after every
                retry; a time-out twice in a row, or before the first answer; or a requested pause
                of more than a minute.
            SourceError: The exchange refuses.
        """
        try:
            return call_with_retries(
                lambda: self._execute_once(call),
                _is_retryable,
                self.clients,
                requested_pause_s=_requested_pause_s,
            )
        except _TransientError as error:
            wait = f"{error.wait_s:.0f} s" if error.wait_s > MAX_WAIT_S else "some minutes"
            raise self._unreachable_error(error.cause, f"wait {wait}") from error

    def _execute_once(self, call: Callable[[], T]) -> T:
        import ccxt

        self.exchange.last_response_headers = None
        try:
            return call()
        except ccxt.RequestTimeout as error:
            # One time-out must not end the fetch of a long history; a second one does.
            if self._session.unanswered_requests == 1:
                raise _TransientError(error, 0.0) from error
            raise self._unreachable_error(error, "wait some minutes") from error
        except ccxt.OperationFailed as error:
            raise _TransientError(error, self._requested_wait_s()) from error
        except ccxt.BaseError as error:
            if _is_connection_error(error):
                raise self._unreachable_error(error, "check the network") from error
            raise SourceError(
                "the server refused",
                found=_one_line(error),
                where=self.label,
                fix="use another exchange",
            ) from error
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            # ccxt raises any of these for JSON of an unexpected shape.
            raise _TransientError(error, 0.0) from error

    def _requested_wait_s(self) -> float:
        """Seconds that the last answer asks to wait; its dates are on the exchange's clock."""
        headers = self.exchange.last_response_headers or {}
        now = self.exchange_time(pd.Timestamp.now("UTC")).to_pydatetime()
        return parse_retry_after(headers.get("Retry-After"), now) or 0.0

    def _unreachable_error(self, error: Exception, fix: str) -> UnreachableError:
        return UnreachableError(
            "the server gave no usable answer",
            found=_describe_error(error),
            where=self.label,
            fix=f"{fix} and run again",
        )


class _TransientError(Exception):
    """An error that a retry may resolve, and the pause that the exchange requests."""

    def __init__(self, cause: Exception, wait_s: float) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.wait_s = wait_s


def _requested_pause_s(error: Exception) -> float:
    return error.wait_s if isinstance(error, _TransientError) else 0.0


def _is_retryable(error: Exception) -> bool:
    return isinstance(error, _TransientError) and error.wait_s <= MAX_WAIT_S


def _describe_error(error: Exception) -> str:
    """The error, and its cause where ccxt names the address alone."""
    import requests

    description = f"{type(error).__name__}: {_one_line(error)}"
    if isinstance(error.__cause__, requests.ConnectionError | requests.Timeout):
        description += f" ({_one_line(error.__cause__)})"
    return description


def _is_connection_error(error: Exception) -> bool:
    """Whether an error that ccxt attributes to the exchange is one of the connection, as TLS."""
    import requests

    cause = error.__cause__
    return isinstance(cause, OSError) and not isinstance(cause, requests.HTTPError)


def _unknown_exchange_error(name: str, known: Sequence[str], version: str) -> SourceError:
    renamed, gone = _RENAMED.get(name), name in _GONE
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5 if gone else 0.6)
    if renamed is not None and renamed in known:
        close = [renamed]
    names = ", ".join(close)
    fix = f"did you mean {names}?" if names else "look the exchange up in ccxt's list"
    if gone:
        fix = f"use another exchange (close names: {names}), or files"
    return SourceError(
        f"no exchange {name} in ccxt {version}"
        + ("; earlier versions had it" if gone or renamed else ""),
        expected=f"one of its {len(known)} exchanges",
        found=name,
        where="exchange",
        fix=fix,
    )


def _unknown_symbol_error(name: str, known: Sequence[str], where: str) -> SourceError:
    close = difflib.get_close_matches(name, known, n=3)
    return SourceError(
        f"ccxt knows no symbol {name}",
        expected=f"one of {len(known)} names",
        found=name,
        where=where,
        fix=f"did you mean {', '.join(close)}?" if close else "look the symbol up in ccxt's list",
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
