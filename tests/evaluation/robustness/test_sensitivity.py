"""The fragility surface, against a simulation of every cell on its own."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.robustness.sensitivity import (
    SensitivitySurface,
    TradingParameters,
    compute_sensitivity_surface,
)
from engine.evaluation.robustness.sensitivity_sentence import describe_sensitivity
from engine.portfolio import PortfolioSpec, TopAllocation
from engine.signals.inputs import SignalInputs
from engine.signals.sizing import FixedSizing, VolatilityTargetSizing
from engine.signals.target_weights import compute_target_weights
from engine.signals.threshold_grid import build_threshold_grid
from engine.signals.thresholds import CostMultipleThreshold, FixedThreshold, QuantileThreshold
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate

BARS, BEFORE, SYMBOLS = 260, 40, ["AAA", "BBB"]

PARAMETERS = TradingParameters(
    signal=FixedThreshold(enter_bps=10, exit_bps=2, side="long_short"),
    sizing=VolatilityTargetSizing(target_pct_per_year=15, window=20),
    costs=Costs(fee_bps=7, slippage_bps=3, borrow_bps_per_year=80),
    execution=Execution(delay=2),
    periods_per_year=365.0,
    max_weight=0.8,
)
"""Whatever could be left out on the way is in use: shorts, sizes, two symbols, borrowing."""


@pytest.fixture(scope="module")
def market() -> tuple[SignalInputs, pd.DataFrame, pd.DataFrame]:
    """Forecasts that are right more often than not, for the bars after the next."""
    rng = np.random.default_rng(11)
    index = pd.date_range("2020-01-01", periods=BEFORE + BARS, freq="D", tz="UTC")
    moves = pd.DataFrame(rng.normal(0, 0.02, (len(index), 2)), index, SYMBOLS)
    close = 100 * (1 + moves).cumprod()
    opened = close.shift(1).fillna(100.0) * (1 + 0.001 * rng.standard_normal(close.shape))
    coming = moves.rolling(5).mean().shift(-6).fillna(0.0)
    predicted = (0.3 * coming + 0.001 * rng.standard_normal(close.shape)).iloc[BEFORE:]
    window = np.repeat([0, 1], BARS // 2)
    predicted.iloc[BARS // 2 : BARS // 2 + 9, 0] = 0.0
    train = {w: {s: rng.normal(0, 0.003, 200) for s in SYMBOLS} for w in (0, 1)}
    return SignalInputs(predicted, window, train), opened.iloc[BEFORE:], close


def alone(market, terms: TradingParameters, signal, costs: Costs, delay: int) -> float | None:
    returns = simulate_alone(market, terms, signal, costs, delay)
    return sharpe(returns.to_numpy(), terms.periods_per_year)


def simulate_alone(
    market, terms: TradingParameters, signal, costs: Costs, delay: int
) -> pd.Series[float]:
    forecasts, opened, close = market
    weights = compute_target_weights(
        forecasts,
        close,
        signal,
        terms.sizing,
        round_trip_cost=terms.costs.round_trip_cost,
        periods_per_year=terms.periods_per_year,
        max_weight=terms.max_weight,
    )
    execution = terms.execution.model_copy(update={"delay": delay})
    return simulate(
        weights, opened, close.loc[opened.index], costs=costs, execution=execution
    ).returns


def test_every_cell_equals_a_separate_simulation_to_the_last_digit(market) -> None:
    result = compute_sensitivity_surface(*market, PARAMETERS)
    assert result.cost_bps == (0, 5, 10, 20, 40)
    assert result.delay_bars == (1, 2, 3, 5)
    assert result.threshold == result.threshold_bps == (0, 5, 10, 20, 40)
    assert result.chosen_cell == (2, 1, 2)
    charged = [(0, 0), (3.5, 1.5), (7, 3), (14, 6), (28, 12)]
    cells = product(enumerate(charged), enumerate(result.delay_bars), range(5))
    # A prime step visits every cost, delay and threshold, and most pairs of them.
    for (cost, (fee, slippage)), (row, delay), index in list(cells)[::7]:
        costs = Costs(fee_bps=fee, slippage_bps=slippage, borrow_bps_per_year=80)
        signal = build_threshold_grid(PARAMETERS.signal)[index].signal
        assert result.sharpe[cost][row][index] == alone(market, PARAMETERS, signal, costs, delay)
    own = alone(market, PARAMETERS, PARAMETERS.signal, PARAMETERS.costs, 2)
    assert result.to_document()["chosen"]["sharpe"] == result.sharpe[2][1][2] == own
    assert own > 1


@pytest.mark.parametrize("price", ["open", "close"])
def test_fills_use_the_price_of_the_strategy(market, price: str) -> None:
    terms = dataclasses.replace(PARAMETERS, execution=Execution(delay=7, price=price))
    result = compute_sensitivity_surface(*market, terms)
    assert result.delay_bars == (1, 2, 3, 5, 7)
    assert result.sharpe[2][4][2] == alone(market, terms, terms.signal, terms.costs, 7)


def test_a_cell_with_higher_costs_is_never_better(market) -> None:
    # Nothing is lent: with a fixed size below the cash, no cost changes what is bought.
    surface = compute_sensitivity_surface(
        *market, dataclasses.replace(PARAMETERS, sizing=FixedSizing(weight=0.5))
    )
    by_cost = np.array(surface.sharpe, dtype=float)
    assert (np.diff(by_cost, axis=0) < 0).all()


def test_at_the_break_even_cost_nothing_is_earned(market) -> None:
    limit = compute_sensitivity_surface(*market, PARAMETERS).break_even_cost_bps
    assert limit is not None
    totals = [
        (
            1
            + simulate_alone(
                market,
                PARAMETERS,
                PARAMETERS.signal,
                Costs(fee_bps=0.7 * cost, slippage_bps=0.3 * cost, borrow_bps_per_year=80),
                2,
            )
        ).prod()
        - 1
        for cost in (limit - 0.01, limit, limit + 0.01)
    ]
    assert totals[0] > 0 > totals[2]
    assert totals[1] == pytest.approx(0, abs=1e-5)
    free = compute_sensitivity_surface(
        *market, dataclasses.replace(PARAMETERS, costs=Costs(fee_bps=0, slippage_bps=0))
    )
    assert free.cost_bps == (0, 5, 10, 20, 40)
    # Not the same: what is charged as a fee or as slippage, and borrowing that cost nothing.
    assert free.break_even_cost_bps == pytest.approx(limit, rel=0.1)


def test_no_break_even_cost_for_a_loss_without_costs_or_a_profit_at_any_cost(
    market,
) -> None:
    forecasts, opened, close = market
    wrong = dataclasses.replace(forecasts, predicted=-forecasts.predicted)
    result = compute_sensitivity_surface(wrong, opened, close, PARAMETERS)
    assert result.break_even_cost_bps == 0.0
    assert result.sharpe[0][1][2] < 0
    rising = close.copy()
    rising[SYMBOLS] = 100 * 1.02 ** np.arange(len(close))[:, None] * (1 + 1e-3 * close / 1e3)
    held = dataclasses.replace(forecasts, predicted=0 * forecasts.predicted + 0.01)
    long_only = dataclasses.replace(
        PARAMETERS, signal=FixedThreshold(), sizing=FixedSizing(weight=0.5)
    )
    result = compute_sensitivity_surface(held, rising.loc[opened.index], rising, long_only)
    assert result.break_even_cost_bps is None
    assert (
        "The total return stays above zero at every cost up to 2,000 bps a fill."
        in result.to_document()["sentence"]
    )


@pytest.mark.parametrize(
    ("signal", "unit", "bps"),
    [
        (CostMultipleThreshold(enter=1.5), "round trips", (0, 15, 30, 60, 120)),
        (QuantileThreshold(), "quantile", None),
    ],
)
def test_other_thresholds_are_varied_in_their_own_unit_and_given_in_bps_too(
    market, signal, unit: str, bps
) -> None:
    result = compute_sensitivity_surface(*market, dataclasses.replace(PARAMETERS, signal=signal))
    assert result.threshold_unit == unit
    if bps:
        assert result.threshold_bps == pytest.approx(bps)
    else:
        train = market[0].train_predictions
        level = np.mean([np.quantile(train[w][s], 0.85) for w, s in product((0, 1), SYMBOLS)])
        assert result.threshold_bps[3] == pytest.approx(1e4 * level)
    # Other costs do not move a threshold that is measured in those charged.
    index = [each.signal for each in build_threshold_grid(signal)].index(signal)
    dear = Costs(fee_bps=28, slippage_bps=12, borrow_bps_per_year=80)
    assert result.sharpe[4][0][index] == alone(market, PARAMETERS, signal, dear, 1)


def test_a_threshold_that_no_forecast_reaches_has_no_sharpe_ratio(market) -> None:
    result = compute_sensitivity_surface(
        *market, dataclasses.replace(PARAMETERS, signal=FixedThreshold(enter_bps=9_999))
    )
    document = result.to_document().as_dict()
    assert result.sharpe[2][1][2] is None
    assert document["sentence"].startswith(
        "With the settings chosen the strategy has no Sharpe ratio"
    )
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_without_forecasts_nothing_is_held_at_any_threshold(market) -> None:
    forecasts, opened, close = market
    gone = forecasts.predicted.copy()
    gone.iloc[BARS // 2 :] = np.nan
    half = dataclasses.replace(
        forecasts, predicted=gone, train_predictions={0: forecasts.train_predictions[0]}
    )
    result = compute_sensitivity_surface(half, opened, close, PARAMETERS)
    assert result.sharpe[2][1][2] == alone(
        (half, opened, close), PARAMETERS, PARAMETERS.signal, PARAMETERS.costs, 2
    )
    assert result.threshold_bps == (0, 5, 10, 20, 40)
    none = dataclasses.replace(half, predicted=gone * np.nan, train_predictions={})
    nothing = compute_sensitivity_surface(none, opened, close, PARAMETERS).to_document()
    assert nothing["threshold_bps"] == [None] * 5
    assert nothing["break_even_cost_bps"] == 0.0


def test_costs_above_the_value_of_a_fill_are_left_out(market) -> None:
    dear = dataclasses.replace(PARAMETERS, costs=Costs(fee_bps=6_000, slippage_bps=1_000))
    assert compute_sensitivity_surface(*market, dear).cost_bps == (0, 3_500, 7_000)


def test_a_surface_computed_in_batches_is_the_same(market, monkeypatch) -> None:
    whole = compute_sensitivity_surface(*market, PARAMETERS)
    monkeypatch.setattr("engine.simulation.portfolio.MAX_BATCH_CELLS", 7 * 2 * BARS)
    assert compute_sensitivity_surface(*market, PARAMETERS) == whole


def surface(rows: list[list[float | None]], limit: float | None) -> dict:
    """Delay by threshold at the chosen cost, the middle of each chosen; dearer is worse by 1."""
    sheets = [[[None if c is None else c - k for c in row] for row in rows] for k in (0, 1)]
    simulated = SensitivitySurface(
        cost_bps=(15.0, 30.0),
        delay_bars=(1, 2, 3),
        threshold=(2.5, 5.0, 10.0),
        threshold_unit="bps",
        threshold_bps=(2.5, 5.0, 10.0),
        sharpe=tuple(tuple(tuple(row) for row in sheet) for sheet in sheets),
        chosen_cell=(0, 1, 1),
        break_even_cost_bps=limit,
    )
    return simulated.to_document()


@pytest.mark.parametrize(
    ("rows", "limit", "sentence"),
    [
        (
            [[0.1, 0.9, 0.1], [0.4, 0.5, -0.1], [0.1, -0.2, None]],
            21.34,
            "The Sharpe ratio stays above zero at costs of 15 bps a fill, fills 1 to 2 bars after "
            "the decision and entries above 2.5 to 5 bps; it does not at costs of 30 bps a fill, "
            "fills 3 bars after the decision and entries above 10 bps. The total return is zero "
            "at a cost of 21.3 bps a fill, 1.4 times the 15 charged. 6 of 18 combinations of "
            "cost, delay and threshold have a Sharpe ratio above zero.",
        ),
        (
            [[1.5, 1.5, 1.5]] * 3,
            None,
            "The Sharpe ratio stays above zero at costs of 15 to 30 bps a fill, fills 1 to 3 bars "
            "after the decision and entries above 2.5 to 10 bps; no setting lowers it to zero. "
            "The total return stays above zero at every cost up to 2,000 bps a fill. 18 of 18 "
            "combinations of cost, delay and threshold have a Sharpe ratio above "
            "zero.",
        ),
        (
            [[0.1, 0.9, 0.1], [0.4, -0.5, -0.1], [0.1, -0.2, 0.3]],
            0.0,
            "With the settings chosen the Sharpe ratio is -0.50. The total return is not above "
            "zero without costs either. 6 of 18 combinations of cost, delay and threshold have a "
            "Sharpe ratio "
            "above zero.",
        ),
        (
            [[0.1, 0.9, 0.1], [0.4, -0.5, -0.1], [0.1, -0.2, 0.3]],
            6.68,
            "With the settings chosen the Sharpe ratio is -0.50. The total return is zero at a "
            "cost of 6.7 bps a fill, 0.4 times the 15 charged. 6 of 18 combinations of cost, "
            "delay and threshold have a "
            "Sharpe ratio above zero.",
        ),
    ],
)
def test_the_sentence_says_where_the_sharpe_ratio_stays_above_zero(
    rows: list[list[float | None]], limit: float | None, sentence: str
) -> None:
    document = surface(rows, limit)
    assert document["sentence"] == sentence
    assert describe_sensitivity(document) == sentence


def test_where_forecasts_are_ranked_there_is_one_threshold_and_no_word_of_it(market) -> None:
    ranked = dataclasses.replace(
        PARAMETERS,
        signal=FixedThreshold(),
        sizing=FixedSizing(),
        portfolio=PortfolioSpec(allocation=TopAllocation(count=1)),
    )
    result = compute_sensitivity_surface(*market, ranked)
    assert (result.threshold, result.chosen_cell) == ((5.0,), (2, 1, 0))
    assert np.array(result.sharpe).shape == (5, 4, 1)
    sentence = result.to_document()["sentence"]
    assert "combinations of cost and delay have" in sentence
    assert "entries" not in sentence


def test_higher_costs_lower_every_sharpe_ratio(market) -> None:
    # Sizes by volatility buy a little less after a cost, yet the order stays.
    for dear, cheap in pairwise(reversed(compute_sensitivity_surface(*market, PARAMETERS).sharpe)):
        for sheet_dear, sheet_cheap in zip(dear, cheap, strict=True):
            assert all(a < b for a, b in zip(sheet_dear, sheet_cheap, strict=True))
