"""Which bars of Yahoo close with a session, and which with their interval."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from engine.core.progress import NullProgress
from engine.data.bar_times import TradingTimes
from engine.data.config import Dataset, YahooSourceSpec
from engine.data.context import DataContext
from engine.data.fetch.request import request_finished_bars
from engine.data.sources.yahoo import YahooBarSource
from engine.data.sources.yahoo._ticker_meta import TickerMeta
from tests.servers.candles import candles
from tests.servers.yahoo import Chart

CLOSED = pd.Timestamp("2024-03-08 21:30", tz="UTC")


def meta_of(kind: str, zone: str, *session: str, at: pd.Timestamp = CLOSED) -> TickerMeta | None:
    """What is read of an answer."""
    meta: dict[str, object] = {"instrumentType": kind, "exchangeTimezoneName": zone}
    if session:
        begin, end = (int(pd.Timestamp(each, tz="UTC").timestamp()) for each in session)
        meta["currentTradingPeriod"] = {"regular": {"start": begin, "end": end}}
    return TickerMeta.parse(json.dumps({"chart": {"result": [{"meta": meta}]}}).encode(), at)


@pytest.mark.parametrize(
    ("kind", "zone", "session", "with_session"),
    [
        ("EQUITY", "America/New_York", ("2024-03-08 14:30", "2024-03-08 21:00"), True),
        ("INDEX", "America/New_York", (), True),
        ("ETF", "America/New_York", ("2024-03-11 13:30", "2024-03-11 20:00"), True),
        # Traded until 21:15: the present price is no close.
        ("ETF", "America/New_York", ("2024-03-08 14:30", "2024-03-08 21:15"), False),
        ("INDEX", "America/Chicago", (), False),
        ("EQUITY", "Asia/Tokyo", (), False),
        ("CRYPTOCURRENCY", "UTC", (), False),
        ("CURRENCY", "Europe/London", (), False),
        ("FUTURE", "America/New_York", (), False),
    ],
)
def test_a_ticker_closes_with_the_sessions_of_its_own_exchange(
    kind, zone, session, with_session
) -> None:
    meta = meta_of(kind, zone, *session)
    assert meta is not None
    assert meta.closes_with("XNYS") is with_session
    assert not meta.closes_with("24/7")


@pytest.mark.parametrize(
    "body",
    [b"", b"not JSON", b'{"chart": {"result": []}}', b'{"chart": {"result": [{"meta": {}}]}}'],
)
def test_an_answer_that_says_too_little_is_no_session(body) -> None:
    assert TickerMeta.parse(body, CLOSED) is None


@pytest.mark.parametrize(
    ("kind", "calendar", "whole_at"),
    [
        ("EQUITY", "XNYS", "2024-03-08 21:30"),
        ("CRYPTOCURRENCY", "XNYS", "2024-03-09 00:00"),
        ("CRYPTOCURRENCY", "24/7", "2024-03-09 00:00"),
    ],
)
def test_the_newest_bar_is_taken_when_it_is_whole(
    yahoo, tmp_path, clients, kind, calendar, whole_at
) -> None:
    bar, instant = (pd.Timestamp(text, tz="UTC") for text in ("2024-03-08", whole_at))
    first = int((bar - pd.Timedelta(days=40) + pd.Timedelta(hours=15)).timestamp())
    yahoo.site.charts["X"] = Chart(candles(first, 41), zone="America/New_York", kind=kind)
    source = YahooBarSource(YahooSourceSpec(adjust="splits"), tmp_path, clients)
    dataset = Dataset(
        name="x", interval="1d", calendar=calendar, symbols=("X",), sources=(source.spec,)
    )

    def newest(seconds: int) -> pd.Timestamp:
        now = instant + pd.Timedelta(seconds=seconds)
        context = DataContext(tmp_path, True, now, NullProgress(), clients)
        return request_finished_bars(source, "X", dataset, context, None)["timestamp"].max()

    assert (newest(-1), newest(0)) == (bar - pd.Timedelta(days=1), bar)
    assert source.times_of("X", TradingTimes("1h", calendar)) == TradingTimes("1h", calendar)
