"""Whole histories, whatever way an exchange cuts its pages: no candle is lost without a word."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import SourceError
from tests.data.sources.exchanges import NOON, at, paged
from tests.hypothesis_examples import examples
from tests.servers.candles import Candle, candles
from tests.servers.paging import (
    Bitbank,
    BitgetSwap,
    Bullish,
    Deepcoin,
    GateSwap,
    Gemini,
    HtxSwap,
    KucoinFutures,
    MexcSpot,
    P2b,
    PagedExchange,
)

STEPS = {"1m": 60, "1h": 3_600, "1d": 86_400, "1w": 604_800}

WINDOWS = {
    Bullish: {},
    BitgetSwap: {"1d": 90, "1w": 13},
    MexcSpot: {},
    KucoinFutures: {},
    GateSwap: {},
    HtxSwap: {},
    Deepcoin: {},
    Bitbank: {"1h": 24, "1d": 365, "1w": 52},
}
"""Candles that one answer can hold, where that is less than 100."""

COMPLETE = tuple(WINDOWS)
"""Exchanges that give their whole history."""


def open_at(interval: str) -> int:
    """When the unfinished candle opened, in seconds."""
    return int(NOON.timestamp()) // STEPS[interval] * STEPS[interval]


def whole(interval: str, count: int) -> list[Candle]:
    step = STEPS[interval]
    return candles(open_at(interval) - (count - 1) * step, count, step=step)


def without(book: list[Candle], *spans: tuple[int, int]) -> list[Candle]:
    """The book without the candles of these spans of positions."""
    return [c for i, c in enumerate(book) if not any(a <= i < b for a, b in spans)]


def assert_equal(bars: pd.DataFrame, book: list[Candle], volume_scale: float = 1.0) -> None:
    """Every candle once, in order, as it was served."""
    assert bars["timestamp"].tolist() == [at(candle) for candle in book]
    for column in ("open", "high", "low", "close"):
        assert bars[column].tolist() == [getattr(candle, column) for candle in book]
    assert bars["volume"].tolist() == pytest.approx([c.volume * volume_scale for c in book])


@dataclass(frozen=True)
class History:
    """A made-up history: its candles, its start as it is asked for, and its number of pieces."""

    kind: type[PagedExchange]
    interval: str
    book: list[Candle] = field(repr=False)
    since: pd.Timestamp
    pieces: int
    largest: int
    from_end: bool

    @property
    def most_requests(self) -> int:
        """The bound that `CandlePager` states."""
        longest = max(self.interval, *self._longer(), key=lambda name: STEPS[name])
        span = (NOON.timestamp() - self.since.timestamp()) / STEPS[longest]
        windows = math.ceil(span / self._a_page(longest))
        pages = len(self.book) / self._a_page(self.interval)
        return math.floor(2 * pages + 16 * self.pieces + 40 + 2 * windows)

    def _longer(self) -> list[str]:
        offered = [name for name in STEPS if STEPS[name] in self.kind.steps.values()]
        return [name for name in ("1h", "1d", "1w") if name in offered] or ["1m"]

    def _a_page(self, interval: str) -> int:
        return min(self.largest, WINDOWS[self.kind].get(interval, 100))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Runs of candles with pauses of any length between them, after a listing of any date."""
    kind = draw(st.sampled_from(COMPLETE))
    interval = draw(
        st.sampled_from([name for name, step in STEPS.items() if step in kind.steps.values()])
    )
    runs = draw(st.lists(st.integers(1, 250), min_size=1, max_size=5))
    pauses = draw(st.lists(st.integers(1, 1_300), min_size=len(runs), max_size=len(runs)))
    holes = draw(st.sets(st.integers(0, 1_000), max_size=12))
    before = draw(st.integers(0, 3_000))
    ends_now = draw(st.booleans())
    most = sum(runs) + sum(pauses)
    if interval in ("1d", "1w"):
        # Histories do not begin before 2010.
        most = min(most, (open_at(interval) - 1_293_840_000) // STEPS[interval])
        before = min(before, 200)
    book, position, spans = whole(interval, most), 0, []
    for run, pause in zip(runs, pauses, strict=True):
        spans.append((position + run, position + run + pause))
        position += run + pause
    if ends_now:
        spans[-1] = (most, most)
    kept = [c for i, c in enumerate(without(book, *spans)) if i not in holes] or book[-1:]
    since = pd.Timestamp(kept[0].seconds - before * STEPS[interval], unit="s", tz="UTC")
    pieces = 1 + sum(
        later.seconds - sooner.seconds > STEPS[interval] for sooner, later in pairwise(kept)
    )
    # Bitbank's files hold all candles of their time.
    largest = 1_000_000 if kind is Bitbank else draw(st.sampled_from([30, 100, 200, 1_000]))
    from_end = kind is not Bitbank and draw(st.booleans())
    return History(kind, interval, kept, since, pieces, largest, from_end)


class TestAnyHistory:
    @pytest.mark.slow
    @given(history=histories())
    @examples(40)
    def test_bars_equal_the_history_of_the_exchange(self, history):
        options = {"largest": history.largest, "from_end": history.from_end}
        with paged(history.kind, history.book, **options) as fetcher:
            bars = fetcher.fetch(history.since, history.interval)
            assert_equal(bars, history.book, history.kind.volume_scale())
            assert len(fetcher.served.log) <= history.most_requests

    @pytest.mark.parametrize("empty", range(1, 12))
    @pytest.mark.parametrize("kind", [Bullish, MexcSpot, Deepcoin])
    def test_no_answer_that_is_empty_once_loses_a_candle(self, kind, empty):
        book = without(whole("1h", 900), (230, 420), (700, 703))
        with paged(kind, book, largest=100, empty_once={empty}) as fetcher:
            assert_equal(fetcher.fetch(at(book[0]) - pd.Timedelta(days=9)), book)


class TestPagesSmallerThanAnnounced:
    """Bitget's 90 days, Bullish's 100 candles and MEXC's 500 are less than `features` say."""

    @pytest.mark.parametrize(
        ("kind", "interval", "count", "most"),
        [
            (BitgetSwap, "1d", 2_700, 60),
            (BitgetSwap, "1w", 400, 100),
            (BitgetSwap, "1h", 3_000, 110),
            (Bullish, "1d", 2_700, 60),
            (Bullish, "1h", 3_000, 110),
            (MexcSpot, "1d", 2_700, 20),
            (MexcSpot, "1h", 3_000, 20),
            (KucoinFutures, "1h", 3_000, 30),
            (HtxSwap, "1h", 5_000, 30),
            (Deepcoin, "1h", 3_000, 40),
        ],
    )
    def test_a_history_with_a_late_listing_is_complete(self, kind, interval, count, most):
        book = whole(interval, count)
        with paged(kind, book) as fetcher:
            bars = fetcher.fetch(pd.Timestamp("2015-01-01", tz="UTC"), interval)
            assert_equal(bars, book, kind.volume_scale())
            assert len(fetcher.served.log) <= most

    @pytest.mark.parametrize("kind", [BitgetSwap, Bullish, MexcSpot, KucoinFutures, HtxSwap])
    @pytest.mark.parametrize("interval", ["1m", "1h", "1d"])
    def test_pauses_of_any_length_lose_nothing(self, kind, interval):
        book = without(whole(interval, 2_400), (150, 251), (600, 1_300), (1_301, 2_200))
        with paged(kind, book) as fetcher:
            assert_equal(fetcher.fetch(at(book[0]), interval), book, kind.volume_scale())

    @pytest.mark.parametrize("kind", [KucoinFutures, GateSwap, Bullish])
    def test_the_oldest_of_a_window_are_asked_for_where_the_newest_came(self, kind):
        book = whole("1h", 2_000)
        with paged(kind, book, largest=70, from_end=True) as fetcher:
            assert_equal(fetcher.fetch(at(book[0])), book, kind.volume_scale())


class TestPauses:
    BOOK = without(whole("1m", 4_000), (500, 1_900), (2_500, 3_300))

    def test_a_pause_longer_than_a_page_is_told_once(self):
        with paged(MexcSpot, self.BOOK) as fetcher:
            assert_equal(fetcher.fetch(at(self.BOOK[0]), "1m"), self.BOOK)
        (notice,) = fetcher.progress.notices
        assert "has no 1m candles between" in notice
        first, last = at(self.BOOK[499]), at(self.BOOK[500])
        assert f"{first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M}" in notice
        assert "asked in several ways" in notice

    def test_longer_candles_show_where_trading_resumes(self):
        book = without(whole("1m", 60_000), (300, 59_500))
        with paged(MexcSpot, book) as fetcher:
            assert_equal(fetcher.fetch(at(book[0]), "1m"), book)
            assert len(fetcher.served.log) <= 20

    def test_a_market_that_is_no_longer_traded_ends_with_few_requests(self):
        book = whole("1h", 9_000)[:700]
        with paged(Bullish, book) as fetcher:
            assert_equal(fetcher.fetch(at(book[0])), book)
            assert len(fetcher.served.log) <= 25


class TestNewestCandlesOnly:
    """Exchanges that are not told a start give their newest candles."""

    @pytest.mark.parametrize(("kind", "count"), [(P2b, 500), (Gemini, 365)])
    def test_a_start_that_lies_before_them_is_refused_in_plain_words(self, kind, count):
        with paged(kind, whole("1h", 1_200)) as fetcher, pytest.raises(SourceError) as error:
            fetcher.fetch(pd.Timestamp("2024-01-22", tz="UTC"))
        first = at(whole("1h", count)[0])
        assert error.value.problem == "the exchange gives only its newest 1h candles"
        assert f"the last {count}, from {first:%Y-%m-%d %H:%M} on" in error.value.found
        assert "whatever start is asked for" in error.value.found
        assert "another exchange, or files" in error.value.fix
        assert f"start the dataset on {first.ceil('D'):%Y-%m-%d} or later" in error.value.fix

    def test_without_longer_candles_a_full_page_shows_that_there_are_older_ones(self):
        with paged(P2b, whole("1d", 900)) as fetcher, pytest.raises(SourceError) as error:
            fetcher.fetch(pd.Timestamp("2021-01-01", tz="UTC"), "1d")
        assert "only its newest 1d candles" in error.value.problem

    @pytest.mark.parametrize("kind", [P2b, Gemini])
    @pytest.mark.parametrize("interval", ["1h", "1d"])
    def test_without_a_start_they_come_with_a_notice(self, kind, interval):
        with paged(kind, whole(interval, 900)) as fetcher:
            bars = fetcher.fetch(None, interval)
        (notice,) = fetcher.progress.notices
        assert f"the last {len(bars)}, from {bars['timestamp'].iloc[0]:%Y-%m-%d %H:%M}" in notice
        assert "whatever start is asked for" in notice
        assert "the cache keeps them" in notice
        assert "another exchange, or files" in notice

    def test_a_start_within_them_is_served_without_a_word(self):
        book = whole("1h", 1_200)
        with paged(P2b, book) as fetcher:
            assert_equal(fetcher.fetch(at(book[-300])), book[-300:])
        assert fetcher.progress.notices == []

    def test_a_market_listed_within_them_is_served_without_an_error(self):
        book = whole("1h", 200)
        with paged(P2b, book) as fetcher:
            assert_equal(fetcher.fetch(pd.Timestamp("2024-01-01", tz="UTC")), book)

    def test_swaps_of_htx_are_asked_for_without_a_number(self):
        book = whole("1h", 5_000)
        with paged(HtxSwap, book) as fetcher:
            assert_equal(fetcher.fetch(at(book[0])), book)
        assert fetcher.progress.notices == []


class TestDroppedCandles:
    """An exchange that keeps short candles for weeks alone answers older requests with nothing."""

    KEPT = 1_200
    BOOK = whole("1m", 8_000)

    @pytest.fixture
    def fetcher(self):
        dropped = (60, self.BOOK[0].seconds, self.BOOK[-self.KEPT].seconds - 60)
        with paged(MexcSpot, self.BOOK, silent=[dropped]) as fetcher:
            yield fetcher

    def test_a_start_before_those_that_it_keeps_is_refused_with_the_first(self, fetcher):
        with pytest.raises(SourceError, match="limits its 1m candles") as error:
            fetcher.fetch(at(self.BOOK[0]), "1m")
        first = at(self.BOOK[-self.KEPT])
        assert error.value.found == f"the last {self.KEPT}, from {first:%Y-%m-%d %H:%M} on"
        assert len(fetcher.served.log) <= 80

    def test_a_few_that_are_dropped_are_told_too(self):
        book = whole("1h", 100)
        dropped = (3_600, book[0].seconds, book[49].seconds)
        with (
            paged(MexcSpot, book, silent=[dropped]) as fetcher,
            pytest.raises(SourceError, match="limits its 1h candles") as error,
        ):
            fetcher.fetch(at(book[0]) - pd.Timedelta(days=40))
        assert error.value.found.startswith("the last 50, from")

    def test_without_a_start_they_come_with_a_notice(self, fetcher):
        assert_equal(fetcher.fetch(None, "1m"), self.BOOK[-self.KEPT :])
        assert f"limited to the last {self.KEPT}" in fetcher.progress.notices[0]


class TestVolumes:
    @pytest.mark.parametrize("kind", [KucoinFutures, GateSwap])
    def test_numbers_of_contracts_become_coins(self, kind):
        book = whole("1h", 50)
        with paged(kind, book) as fetcher:
            assert_equal(fetcher.fetch(at(book[0])), book, kind.contract_size)
        (notice,) = fetcher.progress.notices
        assert f"contracts of {kind.contract_size:g} BTC and are converted to BTC" in notice

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"contractSize": None}, "volumes count contracts, not BTC"),
            ({"linear": False, "inverse": True}, "contracts of 0.001 USDT, not BTC"),
        ],
    )
    def test_what_cannot_be_converted_is_named(self, change, told):
        book = whole("1h", 50)
        with paged(KucoinFutures, book) as fetcher:
            markets = [market | change for market in KucoinFutures.markets()]
            fetcher.settings["markets"] = markets
            assert_equal(fetcher.fetch(at(book[0])), book)
        (notice,) = fetcher.progress.notices
        assert told in notice

    @pytest.mark.parametrize("kind", [BitgetSwap, HtxSwap, Bullish])
    def test_volumes_in_coins_stay(self, kind):
        book = whole("1h", 50)
        with paged(kind, book) as fetcher:
            assert_equal(fetcher.fetch(at(book[0])), book)
        assert fetcher.progress.notices == []


class TestInterruptions:
    def test_an_interrupt_loses_nothing_and_the_rest_is_fetched(self, tmp_path):
        book = without(whole("1h", 2_500), (900, 1_300))
        with paged(Bullish, book) as fetcher:
            fetcher.checkpoint_folder = tmp_path

            def interrupt(done: int, *_: object) -> None:
                if done > 1_700:
                    raise KeyboardInterrupt

            advance, fetcher.progress.advance = fetcher.progress.advance, interrupt
            with pytest.raises(KeyboardInterrupt):
                fetcher.fetch(at(book[0]))
            fetcher.progress.advance = advance
            fetcher.served.log.clear()
            assert_equal(fetcher.fetch(at(book[0])), book)
            assert "resumes after" in fetcher.progress.lines[0]
            assert len(fetcher.served.log) <= 15
