"""What an answer of Yahoo says about a ticker: its kind, time zone, and present session."""

from __future__ import annotations

import json
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pandas as pd

from engine.data.calendar import ALWAYS_OPEN, exchange_timezone
from engine.data.config import YAHOO_DELAY

_WITH_SESSIONS = frozenset({"EQUITY", "ETF", "INDEX"})
"""Kinds whose bar of a day is that of a session; a currency's and a future's go on."""


@dataclass(frozen=True)
class TickerMeta:
    """A ticker at the time of an answer.

    Attributes:
        kind: Yahoo's `instrumentType`.
        zone: Time zone of its exchange.
        asked_at: When it was asked.
        session: Begin and end of its present or next session; None where Yahoo sent none.
    """

    kind: str
    zone: str
    asked_at: pd.Timestamp
    session: tuple[pd.Timestamp, pd.Timestamp] | None = None

    @classmethod
    def parse(cls, body: bytes, asked_at: pd.Timestamp) -> TickerMeta | None:
        """Reads an answer of the chart server; None where it says too little."""
        try:
            meta = json.loads(body)["chart"]["result"][0]["meta"]
            regular = meta.get("currentTradingPeriod", {}).get("regular")
            session = None
            if regular:
                begin, end = (
                    pd.Timestamp(int(regular[name]), unit="s", tz="UTC")
                    for name in ("start", "end")
                )
                session = (begin, end)
            zone = str(meta["exchangeTimezoneName"])
            return cls(str(meta["instrumentType"]), zone, asked_at, session)
        except (ValueError, LookupError, TypeError, AttributeError):
            return None

    def closes_with(self, calendar: str) -> bool:
        """Whether its newest bar is whole when a session of the calendar has closed."""
        if calendar == ALWAYS_OPEN or self.kind not in _WITH_SESSIONS:
            return False
        if self.session is not None:
            begin, end = self.session
            if begin <= self.asked_at < end + YAHOO_DELAY:
                return False
        local = self.asked_at.tz_convert(ZoneInfo(self.zone))
        return (
            local.utcoffset() == self.asked_at.tz_convert(exchange_timezone(calendar)).utcoffset()
        )
