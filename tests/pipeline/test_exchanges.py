"""A strategy on symbols of several exchanges, from files to orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import LookaheadError, StaleBarsError, UsageError
from engine.live.freshness import require_fresh_bars
from engine.live.market import load_market
from engine.pipeline.prepare import prepare_data
from engine.selftest.harness import certify_strategy, make_strategy, run_stages
from engine.selftest.leak_test import certify_planted
from engine.selftest.leaks import Leak
from engine.selftest.random_strategies import Case
from tests.data.exchanges import write_dataset
from tests.data.test_assembly import replace_after

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market
    from engine.selftest.leaks.planting import Function
    from engine.strategy import Strategy

WORLD = {"SYDNEY": "XASX", "COIN": "24/7", "TOKYO": "XTKS", "JPYUSD": "24/5"}
FIRST = "2022-07-01"
"""So that Sydney, which opens at 23:00 UTC in its summer, is traded then."""

KEYS = "end: 2023-03-17\ncurrency: USD\ncurrencies: {TOKYO: JPY}\nfx: {JPY: JPYUSD}\n"
BOOK = {"inputs": "target", "scope": "pooled"}


def load(folder: Path, data: dict[str, Any], **sections: Any) -> tuple[Strategy, Market]:
    manifest = write_dataset(folder, WORLD, 260, first=FIRST, keys=KEYS)
    spec = make_strategy(
        data={"dataset": str(manifest), **data},
        windows={"train": 70, "validation": 20, "test": 30},
        evaluation={"resamples": 200},
        **sections,
    )
    return spec, load_market(spec, home=folder / "home")


def test_a_market_is_on_the_calendar_of_its_target(tmp_path) -> None:
    _, market = load(tmp_path, {"target": "TOKYO"})
    assert market.symbols == ("SYDNEY", "COIN", "TOKYO")
    assert (market.calendar, market.periods_per_year) == ("XTKS", 245.0)
    about = market.provenance["exchanges"]
    assert about["decided_at"] == "TOKYO"
    assert about["rates"]["JPY"]["symbol"] == "JPYUSD"
    assert set(market.provenance["symbols"]) == set(market.symbols)
    assert market.fill_lags("open") is None


def test_a_book_has_a_row_for_each_date_and_a_year_for_its_union(tmp_path) -> None:
    _, market = load(tmp_path, {"targets": "all"}, **BOOK)
    assert market.has_absences
    assert market.periods_per_year == 365.0
    lags = market.fill_lags("open")
    assert lags is not None
    assert lags.max().to_dict() == {"SYDNEY": 2, "COIN": 1, "TOKYO": 1}


@pytest.mark.slow
@pytest.mark.parametrize("data", [{"target": "TOKYO"}, {"target": "SYDNEY"}])
def test_nothing_at_or_before_a_decision_knows_a_bar_that_closes_after_it(tmp_path, data) -> None:
    spec, market = load(tmp_path, data)
    real = run_stages(spec, market).result
    assert market.assembly is not None
    row = real.prepared.tested.start + 40
    bar = market.present.index[row]
    altered = replace_after(market.assembly, int(market.decided_at[row]), np.random.default_rng(0))
    other = run_stages(spec, market.with_assembly(altered)).result
    known = slice(0, row + 1)
    np.testing.assert_array_equal(
        real.prepared.feature_history.features.values[known],
        other.prepared.feature_history.features.values[known],
    )
    pd.testing.assert_frame_equal(
        real.predictions["strategy"].predicted.loc[:bar],
        other.predictions["strategy"].predicted.loc[:bar],
    )
    for book, weights in real.weights.items():
        pd.testing.assert_frame_equal(weights.loc[:bar], other.weights[book].loc[:bar])
    assert not real.weights["strategy"].equals(other.weights["strategy"])


@pytest.mark.slow
def test_a_book_on_several_exchanges_is_certified(tmp_path) -> None:
    spec, market = load(tmp_path, {"targets": "all"}, **BOOK)
    certificate = certify_strategy(spec, market)
    assert certificate["compared"]["joined bars"]["values"] > 10_000
    assert certificate["compared"]["fills"]["values"] > 0


@pytest.mark.slow
def test_a_fill_at_an_open_before_the_decision_is_caught(tmp_path) -> None:
    def at_once(honest: Function, _: object) -> Function:
        def schedule(weights: Any, delay: int, lags: object = None) -> Any:
            assert lags is not None
            return honest(weights, delay)

        return schedule

    leak = Leak("early", "", "fills", "engine.signals.orders.schedule_orders", at_once)
    spec, market = load(tmp_path, {"targets": "all"}, **BOOK)
    with pytest.raises(LookaheadError) as caught:
        certify_planted(Case("early", spec, market), leak, seed=0)
    assert caught.value.where.startswith("fills")


@pytest.mark.parametrize(
    "sections",
    [
        {"execution": {"maintenance_margin": 0.25}},
        {"costs": {"kind": "itemised", "max_participation": 0.1}, "capital": 1_000_000},
    ],
)
def test_what_does_not_know_of_waiting_is_refused_before_any_training(tmp_path, sections) -> None:
    spec, market = load(tmp_path, {"targets": "all"}, **sections)
    with pytest.raises(UsageError, match="sessions open before the last close"):
        prepare_data(spec, market)


def test_each_symbol_is_fresh_by_its_own_calendar(tmp_path) -> None:
    _, market = load(tmp_path, {"targets": "all"}, **BOOK)
    # Friday 2023-03-17 is the last bar of all; the coin's Saturday ends at midnight.
    require_fresh_bars(market, pd.Timestamp("2023-03-18 23:59:59", tz="UTC"))
    with pytest.raises(StaleBarsError, match="symbols COIN"):
        require_fresh_bars(market, pd.Timestamp("2023-03-19", tz="UTC"))


def test_a_symbol_of_a_panel_that_is_halted_or_gone_leaves_the_others_fresh(tmp_path) -> None:
    calendars = {"NY": "XNYS", "HALTED": "XNYS", "GONE": "XTKS", "TOKYO": "XTKS"}
    manifest = write_dataset(tmp_path, calendars, 60)
    for symbol, bars in (("HALTED", 59), ("GONE", 30)):
        file = manifest.parent / f"{symbol}.csv"
        file.write_text("\n".join(file.read_text().splitlines()[: bars + 1]) + "\n")
    spec = make_strategy(data={"dataset": str(manifest), "targets": "all"}, inputs="target")
    market = load_market(spec, home=tmp_path)
    # The last bar of NY is of 2023-03-29, and that of TOKYO of a day later.
    require_fresh_bars(market, pd.Timestamp("2023-03-30 19:59", tz="UTC"))
    with pytest.raises(StaleBarsError, match="symbols NY, HALTED"):
        require_fresh_bars(market, pd.Timestamp("2023-03-30 20:00", tz="UTC"))


@pytest.mark.parametrize("data", [{"targets": "all"}, {"target": "SYDNEY"}])
def test_a_symbol_that_was_delisted_is_not_waited_for(tmp_path, data) -> None:
    spec, _ = load(tmp_path, data, **(BOOK if "targets" in data else {}))
    coin = pd.read_csv(tmp_path / "COIN.csv")
    coin[coin["timestamp"] < "2023-01-01"].to_csv(tmp_path / "COIN.csv", index=False)
    market = load_market(spec, home=tmp_path / "home")
    now = pd.Timestamp("2023-03-19", tz="UTC")
    if "targets" in data:
        require_fresh_bars(market, now)
    else:  # a target that reads the coin has no row without it
        with pytest.raises(StaleBarsError, match="symbols"):
            require_fresh_bars(market, now)


def test_a_row_of_one_target_has_ended_when_its_own_session_has(tmp_path) -> None:
    spec, _ = load(tmp_path, {"target": "TOKYO"})
    # Tokyo closes at 6:00; the coin's day of that date ends at midnight.
    for clock, day in (("05:59", 15), ("06:00", 16)):
        then = pd.Timestamp(f"2023-03-16 {clock}", tz="UTC")
        market = load_market(spec, as_of=then, home=tmp_path / "home")
        assert market.present.index[-1].day == day


def test_as_it_was_known_at_an_instant(tmp_path) -> None:
    spec, _ = load(tmp_path, {"targets": "all"}, **BOOK)
    then = pd.Timestamp("2023-03-16 23:59:59", tz="UTC")
    market = load_market(spec, as_of=then, home=tmp_path / "home")
    assert market.present.index[-1] == pd.Timestamp("2023-03-15", tz="UTC")
    assert market.assembly is not None
    newest = {name: frame["timestamp"].max() for name, frame in market.assembly.frames.items()}
    assert newest["TOKYO"] == pd.Timestamp("2023-03-16", tz="UTC")
    assert newest["COIN"] == pd.Timestamp("2023-03-15", tz="UTC")
    require_fresh_bars(market, then)
