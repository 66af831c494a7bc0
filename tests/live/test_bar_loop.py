"""The bar loop: what it keeps between two bars, what it asks for, what it refuses."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import pytest

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import InvalidBarsError, UsageError
from engine.data.next_bar import NextBar
from engine.live import BarLoop, LoopState
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.random_strategies import draw_case
from engine.strategy import Strategy
from tests.live.replays import backtest, replay_live
from tests.parts.own_parts import OwnCosts, OwnFeature, OwnModel, OwnSizing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.data import Market
    from engine.live import BarOutcome

TEST_BARS = 40
SECTIONS = {
    "name": "small",
    "data": {"dataset": "generated", "target": "S1"},
    "features": [{"kind": "log_return"}, {"kind": "rsi", "window": 4}],
    "windows": {"train": 120, "validation": 20, "test": TEST_BARS},
    "model": {"kind": "ridge", "lookback": 2},
    "signal": {"kind": "threshold", "enter_bps": 1, "exit_bps": 0, "side": "long_short"},
    "sizing": {"kind": "volatility_target", "window": 10},
    "execution": {"delay": 2},
}


def small_strategy(**changes: object) -> Strategy:
    return Strategy.model_validate(SECTIONS | changes)


def two_symbols(bars: int = 300) -> Market:
    pattern = BarPattern(
        symbols=("S1", "S2"), interval="1d", weekdays=False, process="ar1", still_share=0.0
    )
    return generate_market(np.random.default_rng(5), bars, pattern)


MARKET = two_symbols()
STAMPS = pd.DatetimeIndex(MARKET.bars["timestamp"].unique())


class History:
    """The bars so far, and the bars that were asked for."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.asked: list[pd.Timestamp] = []

    def load(self, until: pd.Timestamp) -> Market:
        self.asked.append(until)
        return self.market.until(until)


def start(
    home: Path,
    place: int,
    *,
    spec: Strategy | None = None,
    history: History | None = None,
    state: LoopState | None = None,
    market: Market = MARKET,
) -> BarLoop:
    """After the bars before a place."""
    known = market.until(STAMPS[place - 1])
    load = (history or History(market)).load
    return BarLoop.start(
        spec or small_strategy(), known, load_history=load, home=home, state=state
    )


def bars_at(place: int, market: Market = MARKET) -> pd.DataFrame:
    return market.bars[market.bars["timestamp"] == STAMPS[place]]


def advance(loop: BarLoop, places: Sequence[int]) -> list[BarOutcome]:
    return [loop.advance(bars_at(place)) for place in places]


def said(outcome: BarOutcome) -> tuple[object, ...]:
    row = (outcome.row.predicted, outcome.row.quantiles, outcome.row.levels.thresholds)
    return (
        outcome.timestamp,
        row,
        outcome.targets,
        outcome.orders,
        outcome.fills,
        outcome.account,
    )


def test_a_loop_that_starts_again_from_its_json_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    places = range(230, 280)
    whole = start(tmp_path, 230)
    expected = advance(whole, places)
    assert any(outcome.fills for outcome in expected)
    cuts = np.random.default_rng(1).choice(np.arange(231, 280), 4, replace=False)
    loop, resumed = start(tmp_path, 230), []
    for place in places:
        if place in cuts:
            text = loop.state.model_dump_json()
            loop = start(tmp_path, place, state=LoopState.model_validate_json(text))
        resumed += advance(loop, [place])
    assert list(map(said, resumed)) == list(map(said, expected))
    assert loop.state == whole.state


def test_a_loop_that_prepares_each_forecast_gives_the_same(tmp_path: Path) -> None:
    places = range(230, 260)
    expected = advance(start(tmp_path, 230), places)
    prepared = start(tmp_path, 230)
    found = []
    for place in places:
        prepared.prepare_next()
        prepared.prepare_next()
        found += advance(prepared, [place])
    assert list(map(said, found)) == list(map(said, expected))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sizing": {"kind": "fixed"}, "execution": {"delay": 1, "price": "close"}},
        {"windows": {"train": 120, "validation": 20, "test": 7}},
        {
            "costs": {
                "kind": "itemised",
                "spread": {"kind": "corwin_schultz", "window": 7},
                "impact": {"window": 4},
            },
            "capital": 1e5,
        },
    ],
    ids=["volatility target", "fixed size", "windows that begin", "itemised costs"],
)
def test_a_loop_that_rehearses_each_bar_gives_the_same(tmp_path: Path, changes) -> None:
    places, spec = range(230, 260), small_strategy(**changes)
    expected = advance(start(tmp_path, 230, spec=spec), places)
    rehearsed, found = start(tmp_path, 230, spec=spec), []
    for place in places:
        rehearsed.rehearse()
        rehearsed.prepare_next()
        rehearsed.rehearse()
        found += advance(rehearsed, [place])
    assert list(map(said, found)) == list(map(said, expected))
    assert any(outcome.fills for outcome in found)


def test_a_rehearsal_reads_no_history_and_begins_no_window(tmp_path: Path) -> None:
    history = History(MARKET)
    first = first_place(tmp_path)
    loop = start(tmp_path, first + TEST_BARS, history=history)
    before = loop.state, loop.newest
    loop.rehearse()
    assert (loop.state, loop.newest) == before
    assert not history.asked
    assert advance(loop, [first + TEST_BARS])[0].window == 1


class CountedFeature(OwnFeature):
    """A user's feature that counts its calls."""

    calls: ClassVar[list[int]] = []

    def compute_values(self, bars):
        self.calls.append(len(bars))
        return super().compute_values(bars)


def test_a_rehearsal_calls_no_part_of_a_user(tmp_path: Path) -> None:
    spec = small_strategy().model_copy(update={"features": (CountedFeature(),)})
    loop = start(tmp_path, 230, spec=spec)
    before = len(CountedFeature.calls)
    loop.rehearse()
    assert len(CountedFeature.calls) == before
    advance(loop, [230])
    assert len(CountedFeature.calls) > before


def test_a_new_account_buys_the_whole_target_of_the_decisions_before_it(tmp_path: Path) -> None:
    spec = small_strategy()
    result = backtest(spec, MARKET, tmp_path)
    weights = result.weights[STRATEGY_BOOK]["S1"]
    place = STAMPS.get_loc(weights.index[weights.ne(0) & weights.eq(weights.shift())][5])
    outcome = start(tmp_path, place).advance(bars_at(place))
    assert outcome.targets == {"S1": weights[STAMPS[place]]}
    (order,) = outcome.orders
    assert order.target_weight == weights[STAMPS[place]]
    assert order.due_in_bars == 2
    assert outcome.account.orders == (order,)
    assert not outcome.fills


def test_the_history_is_asked_for_when_a_window_begins_and_at_no_other_bar(tmp_path: Path) -> None:
    first_test = backtest(small_strategy(), MARKET, tmp_path).prepared.span[0]
    second = STAMPS.get_loc(first_test) + TEST_BARS
    history = History(MARKET)
    loop = start(tmp_path, second - 3, history=history)
    outcomes = advance(loop, range(second - 3, second + 4))
    assert history.asked == [STAMPS[second]]
    assert [outcome.window for outcome in outcomes] == [0, 0, 0, 1, 1, 1, 1]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_bars(tmp_path: Path) -> None:
    market = two_symbols(1_100)
    spec = small_strategy(windows={"train": 120, "validation": 20, "test": 10_000})
    stamps = pd.DatetimeIndex(market.bars["timestamp"].unique())
    loop = BarLoop.start(spec, market.until(stamps[299]), load_history=market.until, home=tmp_path)
    arriving = list(NextBar.of_market(market.bars.iloc[600:], market.symbols))

    def advance_over(bars: Sequence[NextBar]) -> int:
        for bar in bars:
            loop.advance(NextBar(bar.timestamp, bar.values))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    advance_over(arriving[:200])
    tracemalloc.start()
    try:
        before = advance_over(arriving[200:300])
        bytes_per_bar = (advance_over(arriving[300:]) - before) / len(arriving[300:])
    finally:
        tracemalloc.stop()
    assert bytes_per_bar < 100  # a single row of prices has more


def test_a_bar_that_fails_leaves_the_loop_as_it_was(tmp_path: Path) -> None:
    loop, place = start(tmp_path, 250), 250
    state = loop.state
    wrong = bars_at(place).assign(close=float("nan"))
    with pytest.raises(InvalidBarsError, match="cannot be simulated"):
        loop.advance(wrong)
    assert loop.state == state
    assert said(loop.advance(bars_at(place))) == said(start(tmp_path, 250).advance(bars_at(place)))


def test_a_history_that_fails_leaves_the_loop_before_the_window(tmp_path: Path) -> None:
    place = 250
    place += -(place - first_place(tmp_path)) % TEST_BARS
    broken = History(replace(MARKET, bars=MARKET.bars[MARKET.bars["timestamp"] >= STAMPS[1]]))
    loop = start(tmp_path, place, history=broken)
    with pytest.raises(UsageError, match="not that of the bars so far"):
        loop.advance(bars_at(place))
    broken.market = MARKET
    assert loop.advance(bars_at(place)).timestamp == STAMPS[place]


def first_place(home: Path) -> int:
    """Place of the first test bar."""
    return int(STAMPS.get_loc(backtest(small_strategy(), MARKET, home).prepared.span[0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda bars: bars.iloc[:1], "not complete"),
        (lambda bars: bars.iloc[::-1], "not complete"),
        (lambda bars: bars.drop(columns="volume"), "not complete"),
        (lambda bars: bars.iloc[:0], "not the bars of one timestamp"),
        (lambda bars: pd.concat([bars, bars]), "not the bars of one timestamp"),
        (lambda bars: pd.concat([bars_at(249), bars]), "not the bars of one timestamp"),
        (lambda bars: bars.assign(timestamp=STAMPS[249]), "do not follow"),
        (lambda bars: bars.assign(open=0.0), "cannot be simulated"),
    ],
)
def test_bars_that_are_not_the_next_ones_are_refused(tmp_path: Path, change, message) -> None:
    loop = start(tmp_path, 250)
    with pytest.raises(InvalidBarsError, match=message):
        loop.advance(change(bars_at(250)))


def test_a_state_that_is_later_than_the_bars_is_refused(tmp_path: Path) -> None:
    loop = start(tmp_path, 250)
    loop.advance(bars_at(250))
    with pytest.raises(UsageError, match="later than the bars"):
        start(tmp_path, 250, state=loop.state)


def test_a_market_without_a_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No window fits"):
        start(tmp_path, 100)


def test_no_order_is_filled_at_a_bar_that_is_said_not_to_have_traded(tmp_path: Path) -> None:
    expected = advance(start(tmp_path, 230), range(230, 280))
    (place, filled) = next((n, o) for n, o in enumerate(expected, start=230) if o.fills)
    loop = start(tmp_path, 230)
    advance(loop, range(230, place))
    halted = loop.advance(bars_at(place), traded={"S1": False})
    assert not halted.fills
    assert filled.fills[0].symbol == "S1"
    (waiting,) = (order for order in halted.account.orders if order.waited_bars)
    assert waiting.target_weight == filled.account.holdings[0].target_weight


@pytest.mark.parametrize(
    "part",
    [
        {"model": OwnModel()},
        {"features": (OwnFeature(),)},
        {"sizing": OwnSizing()},
        {"costs": OwnCosts()},
    ],
    ids=["model", "feature", "sizing", "costs"],
)
def test_a_users_part_is_traded_live_as_it_is_tested(tmp_path: Path, part) -> None:
    spec = small_strategy().model_copy(update=part)
    replay = replay_live(backtest(spec, MARKET, tmp_path), tmp_path, bars=45)
    assert replay.first_difference is None
    assert replay.compared.fills > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40, 60))
def test_a_restart_at_any_bar_of_any_strategy_changes_no_bit(tmp_path: Path, seed: int) -> None:
    case = draw_case(seed)
    stamps = pd.DatetimeIndex(case.market.bars["timestamp"].unique())
    begin = partial(BarLoop.start, case.spec, load_history=case.market.until, home=tmp_path)
    places = range(len(stamps) - 40, len(stamps))
    bars = [case.market.bars[case.market.bars["timestamp"] == stamps[place]] for place in places]
    whole = begin(case.market.until(stamps[places[0] - 1]))
    expected = [said(whole.advance(each)) for each in bars]
    loop, resumed = begin(case.market.until(stamps[places[0] - 1])), []
    cuts = np.random.default_rng(seed).choice(places[1:], 5, replace=False)
    for place, each in zip(places, bars, strict=True):
        if place in cuts:
            state = LoopState.model_validate_json(loop.state.model_dump_json())
            loop = begin(case.market.until(stamps[place - 1]), state=state)
        resumed.append(said(loop.advance(each)))
    assert resumed == expected
