"""The account equals the backtest to the last bit, or differs for a cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.progress import NullProgress
from engine.live import load_market
from engine.live.paper.account_bars import load_account_market
from engine.live.paper.backtest_comparison import BacktestComparison, Difference
from engine.live.paper.settings import PaperSettings
from tests.live.paper.accounts import (
    NAME,
    SYMBOLS,
    PaperMarket,
    events_of,
    start_paper,
    write_history,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.data import Market

SECOND = pd.Timedelta(seconds=1)


def compare(market: PaperMarket, change: Callable[[Market], Market] | None = None) -> Difference:
    """The comparison on the bars that came, or on changed ones."""
    with market.journal() as journal:
        comparison = BacktestComparison(
            journal, market.account, market.home, progress=NullProgress()
        )
        if change is None:
            return comparison.on_received_bars()
        return comparison.on_present_bars(
            change(load_account_market(journal, market.account, market.home))
        )


@pytest.fixture(scope="module")
def in_time(module_folder: Path) -> PaperMarket:
    """An account that decided 15 bars, each in time."""
    market = start_paper(module_folder)
    market.play(15)
    return market


def revise(bar: pd.Timestamp, factor: float) -> Callable[[Market], Market]:
    """Another close of one bar."""

    def change(market: Market) -> Market:
        bars = market.bars.copy()
        own = (bars["timestamp"] == bar) & (bars["symbol"] == SYMBOLS[0])
        bars.loc[own, ["high", "close"]] *= factor
        return replace(market, bars=bars)

    return change


def test_an_account_whose_bars_came_in_time_equals_the_backtest(in_time) -> None:
    found = compare(in_time)
    assert (found.bars, found.targets, found.equity, found.first) == (15, 0, 0, None)
    assert found.account_equity == found.expected_equity != 1.0
    assert found.causes == {}
    assert compare(in_time, lambda market: market).first is None


def test_a_revised_bar_is_the_cause_of_what_comes_after_it(in_time) -> None:
    bar = in_time.coming[6]
    found = compare(in_time, revise(bar, 1.3))
    assert found.first is not None
    assert found.first >= bar
    assert found.causes == {"bar revised": (bar,)}


def test_a_bar_that_the_dataset_has_and_the_account_lacks_is_a_cause(in_time) -> None:
    bar = in_time.coming[4]

    def withdraw(market: Market) -> Market:
        return replace(market, bars=market.bars[market.bars["timestamp"] != bar])

    assert compare(in_time, withdraw).causes == {"bar withdrawn": (bar,)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missed", "causes"),
    [
        ("skip", {"order missed"}),
        ("fill_at_next_open", {"order missed", "order deferred"}),
    ],
)
def test_late_orders_are_a_cause_and_change_no_target(tmp_path, missed, causes) -> None:
    market = start_paper(tmp_path, settings=PaperSettings(missed=missed))
    market.play(4)
    for number in (13, 14, 15, 16):
        market.look(market.bars.end(market.coming[number]) + (600 if number == 13 else 1) * SECOND)
    found = compare(market)
    assert found.targets == 0
    assert found.equity > 0
    assert set(found.causes) == causes


@pytest.mark.slow
def test_an_absent_bar_is_a_cause_on_the_present_bars(tmp_path) -> None:
    market = start_paper(tmp_path)
    market.feed.delay(market.coming[3], "never", SYMBOLS[1])
    market.play(8)
    assert compare(market).first is None

    def present(_: Market) -> Market:
        write_history(tmp_path / "market", market.bars, 460)
        return load_market(market.spec, home=market.home)

    assert compare(market, present).causes == {"bar absent": (market.coming[3],)}


def test_a_difference_before_every_cause_is_unexplained(in_time) -> None:
    spec = in_time.spec.model_copy(
        update={"costs": in_time.spec.costs.model_copy(update={"fee_bps": 9.0})}
    )
    other = replace(in_time.account, specification=spec.model_dump_json())
    with in_time.journal() as journal:
        found = BacktestComparison(
            journal, other, in_time.home, progress=NullProgress()
        ).on_received_bars()
    assert found.causes == {"unexplained": (found.first,)}


@pytest.mark.slow
def test_once_a_day_it_is_compared_and_a_difference_is_told_once(tmp_path) -> None:
    market = start_paper(tmp_path)
    market.play(3)
    days = [pd.Timestamp(f"2024-01-1{day} 00:30", tz="UTC") for day in (6, 6, 7, 7)]
    for instant in days:
        market.look(instant)
        market.look()
    comparisons = events_of(market, "comparison")
    assert [event.at.day for event in comparisons] == [16, 17]
    assert comparisons[-1].detail["received"]["targets_differ"] == 0
    told = events_of(market, "difference")
    assert {event.detail["compared_on"] for event in told} == {"received"}
    assert len({(event.bar, str(event.detail["causes"])) for event in told}) == len(told)
    with market.journal() as journal:
        newest = journal.newest(NAME)
    market.look(newest.decided_at + pd.Timedelta(minutes=10))
    assert len(events_of(market, "difference")) == len(told)
