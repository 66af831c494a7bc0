"""A strategy that seldom trades can hide nothing: at every cut it is seen entering and filling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.leakage.alternating import AlternatingProbe
from engine.pipeline import steps
from engine.signals.sizing import VolatilityTargetSizing
from engine.strategy import Strategy, load_strategy
from tests.leakage.leaks import leak_of, run, stage
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import WideFrame

FEW = {
    "signal": {"kind": "quantile", "enter": 0.97, "exit": 0.5, "side": "long_only"},
    "evaluation.resamples": 200,
    "benchmarks": [{"kind": "ma_crossover"}],
}


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Strategy:
    return load_strategy(write_strategy(module_folder, market(module_folder / "market")), FEW)


@pytest.fixture
def close_fills(strategy: Strategy) -> Strategy:
    execution = strategy.execution.model_copy(update={"price": "close"})
    return strategy.model_copy(update={"execution": execution})


def entries(weights: WideFrame) -> WideFrame:
    return weights.ne(weights.shift(fill_value=0.0)) & weights.ne(0.0)


def halve_entries(weights: WideFrame, falls: WideFrame) -> WideFrame:
    decided = entries(weights) | weights.eq(0.0)
    sizes = weights.where(decided).where(~falls[weights.columns], 0.5 * weights)
    return sizes.where(decided).ffill()


def sized_by(monkeypatch: pytest.MonkeyPatch, bars_after: int) -> None:
    """Entries half as large where the bar so many after the decision falls."""
    honest = steps.simulate_all

    def knowing(books, opens, closes, **terms):
        falls = (closes < opens).shift(-bars_after, fill_value=False)
        sized = {book: halve_entries(weights, falls) for book, weights in books.items()}
        return honest(sized, opens, closes, **terms)

    monkeypatch.setattr("engine.pipeline.steps.simulate_all", knowing)


def test_an_honest_one_is_certified_and_has_hardly_a_fill_where_one_would_show(
    strategy, module_folder
) -> None:
    made = run(strategy, module_folder)
    assert made.certificate["result"] == "passed"
    probed = [pd.Timestamp(cut["bar"]) for cut in made.certificate["cuts"]]
    bought = set(made.trades.query("book == 'strategy' and side == 'buy'")["timestamp"])
    assert len(bought) > 5
    assert len(bought.intersection(probed)) <= 2


@pytest.mark.parametrize("side", ["long_only", pytest.param("long_short", marks=pytest.mark.slow)])
def test_over_the_cuts_the_last_decision_is_of_every_kind_of_turn(
    side, strategy, module_folder, monkeypatch
) -> None:
    turns = []
    honest = AlternatingProbe.pair_positions

    def seen(self, *given, **more):
        (part,) = honest(self, *given, **more)
        turns.append(tuple(np.sign([0.0, *part.original[:, 0]])[-2:]))
        yield part

    monkeypatch.setattr(AlternatingProbe, "pair_positions", seen)
    signal = {"kind": "quantile", "enter": 0.97, "exit": 0.5, "side": side}
    spec = Strategy.model_validate(strategy.model_dump() | {"signal": signal})
    run(spec, module_folder, name=f"turning {side.replace('_', ' ')}")
    wanted = {(0, 1), (1, 0)}
    if side == "long_short":
        wanted |= {(0, -1), (-1, 0), (1, -1), (-1, 1)}
    assert wanted <= set(turns)


def test_an_entry_sized_by_the_close_of_the_bar_that_fills_it(
    strategy, module_folder, monkeypatch
) -> None:
    sized_by(monkeypatch, 1)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "fills"


def test_an_entry_at_a_close_sized_by_the_close_after_it(
    close_fills, module_folder, monkeypatch
) -> None:
    sized_by(monkeypatch, 2)
    error = leak_of(close_fills, module_folder)
    assert stage(error) == "fills"


def test_an_order_that_is_not_filled_on_a_bar_that_falls(
    strategy, module_folder, monkeypatch
) -> None:
    honest = steps.simulate_all

    def patient(books, opens, closes, **terms):
        falls = (closes < opens).shift(-1, fill_value=False)
        waiting = {
            book: weights.where(~falls[weights.columns]).ffill().fillna(0.0)
            for book, weights in books.items()
        }
        return honest(waiting, opens, closes, **terms)

    monkeypatch.setattr("engine.pipeline.steps.simulate_all", patient)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "fills"


def test_a_size_that_knows_the_volatility_of_the_next_bar(
    strategy, module_folder, monkeypatch
) -> None:
    honest = VolatilityTargetSizing.compute_sizes

    def knowing(*given):
        return honest(*given).shift(-1).ffill()

    monkeypatch.setattr(VolatilityTargetSizing, "compute_sizes", knowing)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "positions"


def test_a_position_left_before_the_price_falls(strategy, module_folder, monkeypatch) -> None:
    honest = steps.compute_target_weights

    def knowing(forecasts, close, *given, **terms):
        weights = honest(forecasts, close, *given, **terms)
        falls = (close.pct_change().shift(-1) < 0).loc[weights.index, weights.columns]
        return weights.where(~falls, 0.0)

    monkeypatch.setattr("engine.pipeline.steps.compute_target_weights", knowing)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "positions"
    assert np.isfinite(float(error.found.split()[0]))
