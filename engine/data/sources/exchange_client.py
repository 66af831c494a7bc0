"""One exchange as ccxt shows it: its markets, and answers that are asked for until they come."""

from __future__ import annotations

import difflib
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from engine.data.sources.clients import persist, retry_after_s
from engine.errors import SourceError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.data.sources.clients import Clients
    from engine.data.sources.exchange_session import Session
    from engine.data.sources.feed import Request

    T = TypeVar("T")

LONGEST_WAIT_S = 60.0
"""Longest that an exchange's `Retry-After` is obeyed; who asks for more is given up."""

_NOTICED_S = 5.0
"""A clock that is off by less is as right as those of most machines."""


class ExchangeClient:
    """The public side of one exchange.

    ccxt spaces the requests as the exchange wants them.

    Args:
        name: ccxt's id of the exchange.
        clients: Time-outs, pauses, and settings of the exchange.
    """

    def __init__(self, name: str, clients: Clients) -> None:
        self.name = name
        self.clients = clients
        self.label = f"ccxt:{name}"

    @cached_property
    def exchange(self) -> Any:  # noqa: ANN401  ccxt is left untyped
        """The exchange as ccxt wraps it.

        Raises:
            SourceError: ccxt knows no such exchange.
        """
        import ccxt

        if self.name not in ccxt.exchanges:
            raise _unknown("exchange", self.name, ccxt.exchanges, "exchange")
        settings: dict[str, Any] = {
            "enableRateLimit": True,
            "timeout": int(self.clients.timeout_s * 1000),
            # A session heeds the proxies of the environment, which ccxt's own does not.
            "session": self._session,
        }
        return getattr(ccxt, self.name)({**settings, **self.clients.exchange})

    @cached_property
    def _session(self) -> Session:
        from engine.data.sources.exchange_session import Session

        return Session()

    def market(self, ticker: str, request: Request) -> dict[str, Any]:
        """A market of the exchange, as ccxt describes it.

        Raises:
            UnreachableError: No usable answer.
            SourceError: The exchange does not have it.
        """
        if not self.exchange.markets:
            self.ask(self.exchange.load_markets)
            self._tell_skew(request)
        known = self.exchange.markets
        if ticker not in known:
            raise _unknown("symbol", ticker, list(known), f"{request.symbol} on {self.label}")
        found: dict[str, Any] = known[ticker]
        return found

    def time(self, now: pd.Timestamp) -> pd.Timestamp:
        """The exchange's time at what this machine calls `now`, by its last answer."""
        return now + pd.Timedelta(seconds=self._session.skew_s)

    def _tell_skew(self, request: Request) -> None:
        skew = self._session.skew_s
        if abs(skew) >= _NOTICED_S:
            request.progress.notice(
                f"{self.label}: this machine's clock is about {abs(skew):.0f} s "
                f"{'behind' if skew > 0 else 'ahead of'} the exchange's; "
                "a bar counts as finished once it is so by both"
            )

    def ask(self, call: Callable[[], T]) -> T:
        """The answer of `call`, asked again after each pause where that may help.

        An exchange that says how long to wait is left alone for that long. One that has answered
        and then does not in time is asked once more.

        Raises:
            UnreachableError: Throttled, a server error, or nothing that can be read, each time; no
                answer in time, twice in a row or before there was any; or it asks for a longer
                wait than a minute.
            SourceError: The exchange refuses.
        """
        try:
            return persist(lambda: self._ask_once(call), _may_pass, self.clients, asked_s=_asked_s)
        except _PassingError as error:
            wait = f"{error.wait_s:.0f} s" if error.wait_s > LONGEST_WAIT_S else "some minutes"
            raise self._unreachable(error.cause, f"wait {wait}") from error

    def _ask_once(self, call: Callable[[], T]) -> T:
        import ccxt

        self.exchange.last_response_headers = None
        try:
            return call()
        except ccxt.RequestTimeout as error:
            # One hang among answers must not cost a long history; a second has had its time.
            if self._session.unanswered == 1:
                raise _PassingError(error, 0.0) from error
            raise self._unreachable(error, "wait some minutes") from error
        except ccxt.OperationFailed as error:
            raise _PassingError(error, self._wait_s()) from error
        except ccxt.BaseError as error:
            if _never_answered(error):
                raise self._unreachable(error, "check the network") from error
            raise SourceError(
                "the server refused",
                found=_short(error),
                where=self.label,
                fix="use another exchange",
            ) from error
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            # JSON of another shape reaches us as whatever ccxt stumbles over.
            raise _PassingError(error, 0.0) from error

    def _wait_s(self) -> float:
        """Seconds that the last answer asks to wait, a date being one of the exchange's clock."""
        headers = self.exchange.last_response_headers or {}
        now = self.time(pd.Timestamp.now("UTC")).to_pydatetime()
        return retry_after_s(headers.get("Retry-After"), now) or 0.0

    def _unreachable(self, error: Exception, fix: str) -> UnreachableError:
        return UnreachableError(
            "the server gave no usable answer",
            found=_told(error),
            where=self.label,
            fix=f"{fix} and run again",
        )


class _PassingError(Exception):
    """What asking again may cure, and how long the exchange asks to wait before."""

    def __init__(self, cause: Exception, wait_s: float) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.wait_s = wait_s


def _asked_s(error: Exception) -> float:
    return error.wait_s if isinstance(error, _PassingError) else 0.0


def _may_pass(error: Exception) -> bool:
    return isinstance(error, _PassingError) and error.wait_s <= LONGEST_WAIT_S


def _told(error: Exception) -> str:
    """The error, and what was behind it where ccxt tells the address alone."""
    import requests

    told = f"{type(error).__name__}: {_short(error)}"
    if isinstance(error.__cause__, requests.ConnectionError | requests.Timeout):
        told += f" ({_short(error.__cause__)})"
    return told


def _never_answered(error: Exception) -> bool:
    """Whether an error that ccxt blames on the exchange is one of the connection, as of TLS."""
    import requests

    cause = error.__cause__
    return isinstance(cause, OSError) and not isinstance(cause, requests.HTTPError)


def _unknown(kind: str, name: str, known: Sequence[str], where: str) -> SourceError:
    close = difflib.get_close_matches(name, known, n=3)
    return SourceError(
        f"ccxt knows no {kind} {name}",
        expected=f"one of {len(known)} names",
        found=name,
        where=where,
        fix=f"did you mean {', '.join(close)}?" if close else f"look the {kind} up in ccxt's list",
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
