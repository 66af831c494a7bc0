from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.attribution import (
    ReturnContributions,
    attribute_returns,
    sum_by_group,
)
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate

if TYPE_CHECKING:
    from engine.simulation.portfolio import SimulationResult

BARS = 300
DEAR = Costs(fee_bps=10, slippage_bps=5, borrow_bps_per_year=300)
SYMBOLS = ["A", "B"]


def prices(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    index = pd.bdate_range("2024-01-01", periods=BARS, tz="UTC", name="timestamp").as_unit("us")
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (BARS, 2)), axis=0))
    opens = close * np.exp(rng.normal(0, 0.005, (BARS, 2)))
    return (
        pd.DataFrame(opens, index=index, columns=SYMBOLS),
        pd.DataFrame(close, index=index, columns=SYMBOLS),
    )


@pytest.fixture(scope="module")
def book() -> tuple[SimulationResult, pd.DataFrame, pd.DataFrame]:
    """Two symbols, long and short, turned over without going flat, at every cost there is."""
    rng = np.random.default_rng(11)
    opens, close = prices(rng)
    steps = rng.choice([-0.4, 0.0, 0.4], (BARS // 10, 2)).repeat(10, axis=0)
    weights = pd.DataFrame(steps, index=close.index, columns=SYMBOLS)
    result = simulate(weights, opens, close, costs=DEAR, execution=Execution(delay=1))
    return result, opens, close


@pytest.fixture(scope="module")
def attributed(book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame]) -> ReturnContributions:
    result, _, close = book
    contributions = attribute_returns(result.returns, result.trades, close, borrow_charged=True)
    assert contributions
    return contributions


def test_contributions_add_up_to_the_log_return_at_every_bar(
    book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame], attributed: ReturnContributions
) -> None:
    whole = (attributed.gross + attributed.cost).sum(axis=1)
    np.testing.assert_allclose(whole, np.log1p(book[0].returns), atol=1e-12)
    assert attributed.residual.abs().max() < 1e-12


def plain(
    result: SimulationResult, opens: pd.DataFrame, close: pd.DataFrame
) -> dict[str, list[dict[str, float]]]:
    """Money by bar and symbol over the equity before, in loops over positions."""
    units, cash, equity = dict.fromkeys(SYMBOLS, 0.0), 1.0, 1.0
    contributions: dict[str, list[dict[str, float]]] = {
        name: [] for name in ("long", "short", "fee", "slippage")
    }
    before = close.iloc[0]
    for stamp in close.index:
        row = {name: dict.fromkeys(SYMBOLS, 0.0) for name in contributions}
        cash += result.financing.at[stamp, "interest"] - result.financing.at[stamp, "borrow"]
        for symbol in SYMBOLS:
            side = "long" if units[symbol] > 0 else "short"
            row[side][symbol] += units[symbol] * (opens.at[stamp, symbol] - before[symbol])
        for fill in result.trades[result.trades["timestamp"] == stamp].itertuples():
            signed = fill.size if fill.side == "buy" else -fill.size
            units[fill.symbol] += signed
            if abs(units[fill.symbol]) < 1e-12:
                units[fill.symbol] = 0.0
            cash -= signed * fill.price + fill.fee
            row["fee"][fill.symbol] -= fill.fee
            row["slippage"][fill.symbol] -= fill.slippage_cost
        for symbol in SYMBOLS:
            side = "long" if units[symbol] > 0 else "short"
            move = close.at[stamp, symbol] - opens.at[stamp, symbol]
            row[side][symbol] += units[symbol] * move
        for name, values in row.items():
            contributions[name].append({key: value / equity for key, value in values.items()})
        before = close.loc[stamp]
        equity = cash + sum(units[symbol] * before[symbol] for symbol in SYMBOLS)
    return contributions


def test_contributions_equal_a_loop_over_positions(
    book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame], attributed: ReturnContributions
) -> None:
    result, opens, close = book
    returns = result.returns.to_numpy()
    link = np.where(returns == 0, 1.0, np.log1p(returns) / np.where(returns == 0, 1.0, returns))
    for name, rows in plain(result, opens, close).items():
        expected = pd.DataFrame(rows)[SYMBOLS].to_numpy() * link[:, None]
        np.testing.assert_allclose(getattr(attributed, name), expected, atol=1e-10, err_msg=name)
        assert np.abs(expected).sum() > 0.01


def test_borrow_cost_is_charged_by_calendar_time_to_the_short_symbol(
    book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame], attributed: ReturnContributions
) -> None:
    held = book[0].held_weights.shift().fillna(0.0)
    nights = attributed.borrow.index.to_series().diff().dt.days.fillna(0)
    rate = (-held.clip(upper=0)).mul(nights * 0.03 / 365.25, axis=0)
    np.testing.assert_allclose(attributed.borrow, -rate, rtol=0.15, atol=1e-12)
    assert (attributed.borrow.sum() < -0.001).all()


def test_held_weights_equal_those_of_the_simulation(
    book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame], attributed: ReturnContributions
) -> None:
    np.testing.assert_allclose(attributed.held_weights, book[0].held_weights, atol=1e-10)


def test_unexplained_returns_are_residual_and_not_borrow_cost(
    book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame],
) -> None:
    result, _, close = book
    contributions = attribute_returns(
        result.returns + 0.001, result.trades, close, borrow_charged=False
    )
    assert contributions
    assert (contributions.borrow == 0).all(axis=None)
    whole = (contributions.gross + contributions.cost).sum(axis=1) + contributions.residual
    np.testing.assert_allclose(whole, np.log1p(result.returns + 0.001), atol=1e-12)
    assert contributions.residual.sum() == pytest.approx(0.001 * BARS, rel=0.1)


def test_a_book_that_never_trades_has_zero_contributions(
    book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame],
) -> None:
    result, _, close = book
    contributions = attribute_returns(
        result.returns * 0, result.trades.iloc[:0], close, borrow_charged=True
    )
    assert contributions
    assert not contributions.gross.to_numpy().any()
    assert not contributions.held_weights.to_numpy().any()


def test_a_ruined_book_has_no_attribution(
    book: tuple[SimulationResult, pd.DataFrame, pd.DataFrame],
) -> None:
    result, _, close = book
    lost = result.returns.copy()
    lost.iloc[5] = -1.0
    assert attribute_returns(lost, result.trades, close, borrow_charged=True) is None


def test_groups_add_up_to_the_whole_and_the_unlabelled_come_last(
    attributed: ReturnContributions,
) -> None:
    labels = pd.DataFrame(
        "calm", index=attributed.held_weights.index, columns=SYMBOLS, dtype="object"
    )
    labels.iloc[:30] = None
    labels.iloc[200:, 1] = "turbulent"
    calm, turbulent, none = sum_by_group(attributed, labels)
    assert [calm.name, turbulent.name, none.name] == ["calm", "turbulent", ""]
    assert none.bar_share == pytest.approx(0.1)
    assert turbulent.gross == pytest.approx(attributed.gross["B"].iloc[200:].sum())
    assert turbulent.cost == pytest.approx(attributed.cost["B"].iloc[200:].sum())
    whole = (attributed.gross + attributed.cost).to_numpy().sum()
    assert calm.net + turbulent.net + none.net == pytest.approx(whole)


def test_group_sums_do_not_depend_on_the_names_of_the_labels(
    attributed: ReturnContributions,
) -> None:
    labels = pd.DataFrame(
        "2024", index=attributed.held_weights.index, columns=SYMBOLS, dtype="object"
    )
    (whole,) = sum_by_group(attributed, labels)
    assert dataclasses.asdict(whole)["bar_share"] == 1.0
    assert whole.net == pytest.approx((attributed.gross + attributed.cost).to_numpy().sum())
