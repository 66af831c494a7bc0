"""The section about a book of several symbols, and its series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.analysis.returns import regress_returns
from engine.evaluation.forecasts.cross_section import (
    MIN_SYMBOLS,
    overlapping_group_returns,
    rank_ic_by_bar,
)
from engine.evaluation.inference.hac import hac_mean_test
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.metrics.breadth import effective_bets
from engine.evaluation.metrics.exposures import EXPOSURE_COLUMNS, measure_exposures
from engine.evaluation.metrics.rolling import rolling_beta, rolling_window_length
from engine.runs.documents.analysis_universe import (
    BookSymbolFigures,
    BreadthFigures,
    ExposureRange,
    GroupFigures,
    UniverseFigures,
)

if TYPE_CHECKING:
    from engine.core.types import Matrix, WideFrame
    from engine.evaluation.metrics.attribution import ReturnContributions
    from engine.runs.run import Run


@dataclass(frozen=True)
class UniverseAnalysis:
    """Figures of a book of several symbols, and its series.

    Attributes:
        figures: The section of `analysis.json`.
        series: `universe.parquet`, see `runs.run.RunAnalysis`.
    """

    figures: UniverseFigures
    series: pd.DataFrame


def analyse_universe(
    run: Run, contributions: ReturnContributions | None, forecasts: pd.DataFrame
) -> UniverseAnalysis | None:
    """Exposures, concentration, breadth, contributions by symbol, and forecasts by group.

    Args:
        run: The run.
        contributions: As `attribution.strategy_contributions` makes them.
        forecasts: Its traded forecasts, as `scores.average_over_seeds` gives them.

    Returns:
        None with one target symbol.
    """
    if len(run.manifest.target) < 2:
        return None
    confidence = run.significance.method.confidence
    periods = run.metrics.span.periods_per_year
    changes = _close_returns(run)
    own = run.excess_returns[STRATEGY_BOOK]
    market = changes.mean(axis=1).fillna(0.0) - run.rates_by_bar.risk_free_per_bar
    exposures = None if contributions is None else measure_exposures(contributions.held_weights)
    symbols = () if contributions is None else _symbol_figures(run, contributions)
    window = rolling_window_length(len(own), periods)
    series = pd.DataFrame(index=run.returns.index)
    for name in EXPOSURE_COLUMNS:
        series[name] = np.nan if exposures is None else exposures[name]
    series["universe_beta"] = rolling_beta(own, market, window=window)
    series["turnover_pct"] = _turnover_by_bar(run)
    ranges = {
        name: None if exposures is None else _range(exposures[name]) for name in EXPOSURE_COLUMNS
    }
    figures = UniverseFigures(
        symbols=len(run.manifest.target),
        **ranges,
        universe_regression=regress_returns(
            own.to_numpy(dtype=np.float64), market.to_numpy(), periods, confidence
        ),
        breadth=BreadthFigures(
            universe=effective_bets(changes.to_numpy(), standardised=True),
            book=None
            if contributions is None
            else effective_bets(contributions.gross.to_numpy(), standardised=False),
        ),
        significant_symbols=sum(
            each.p_value_holm is not None and each.p_value_holm < 1.0 - confidence
            for each in symbols
        ),
        symbol_figures=symbols,
        groups={} if contributions is None else _group_figures(run, contributions),
    )
    if contributions is not None:
        for name, members in _members(run).items():
            series[f"net_pct:{name}"] = 100.0 * contributions.held_weights[members].sum(axis=1)
    series = series.join(_forecast_series(run, changes, forecasts, window))
    return UniverseAnalysis(figures, series.rename_axis("timestamp").reset_index())


def _members(run: Run) -> dict[str, list[str]]:
    """Groups of the portfolio -> their target symbols; without those that have none."""
    targets = set(run.manifest.target)
    groups = run.manifest.settings.symbol_groups
    members = {name: [each for each in own if each in targets] for name, own in groups.items()}
    return {name: own for name, own in members.items() if own}


def _group_figures(run: Run, contributions: ReturnContributions) -> dict[str, GroupFigures]:
    held, net = contributions.held_weights, contributions.gross + contributions.cost
    figures = {}
    for name, members in _members(run).items():
        weights = held[members]
        ranges = _range(100.0 * weights.sum(axis=1)), _range(100.0 * weights.abs().sum(axis=1))
        assert ranges[0] is not None
        assert ranges[1] is not None
        figures[name] = GroupFigures(
            symbols=len(members),
            net_pct=ranges[0],
            gross_pct=ranges[1],
            contribution_pct=100.0 * float(net[members].to_numpy().sum()),
        )
    return figures


def _close_returns(run: Run) -> WideFrame:
    """Return of each bar from the last close before, NaN at a bar that a symbol does not have."""
    wide = run.bars.pivot_table(index="timestamp", columns="symbol", values="close")
    wide = wide[list(run.manifest.target)]
    changes = wide.ffill().pct_change(fill_method=None).where(wide.notna())
    return changes.reindex(run.returns.index)


def _range(values: pd.Series[float]) -> ExposureRange | None:
    known = values.dropna().to_numpy(dtype=np.float64)
    if not len(known):
        return None
    return ExposureRange(
        mean=float(known.mean()), lowest=float(known.min()), highest=float(known.max())
    )


def _fills_value(run: Run) -> pd.DataFrame | None:
    """The strategy's fills with their `value`, a fraction of the equity; None where not known."""
    fills = run.trades[run.trades["book"] == STRATEGY_BOOK]
    if "equity" not in fills:
        return None
    return fills.assign(value=fills["size"] * fills["price"] / fills["equity"])


def _turnover_by_bar(run: Run) -> pd.Series[float] | float:
    """Value traded at each bar, per cent of the equity; NaN where that is not known."""
    fills = _fills_value(run)
    if fills is None:
        return np.nan
    return 100.0 * fills.groupby("timestamp")["value"].sum().reindex(
        run.returns.index, fill_value=0.0
    )


def _symbol_figures(run: Run, contributions: ReturnContributions) -> tuple[BookSymbolFigures, ...]:
    symbols = list(contributions.held_weights.columns)
    net = contributions.gross + contributions.cost
    tests = {str(symbol): hac_mean_test(net[symbol].to_numpy(dtype=float)) for symbol in symbols}
    adjusted = holm_by_name({symbol: test[1] for symbol, test in tests.items()})
    sums = {
        name: 100.0 * getattr(contributions, name).sum()
        for name in ("long", "short", "gross", "cost")
    }
    items = {name: 100.0 * each.sum() for name, each in contributions.cost_items.items()}
    held = contributions.held_weights
    mean_weight, held_bars = 100.0 * held.mean(), 100.0 * (held != 0).mean()
    fills = _fills_value(run)
    years = len(run.returns) / run.metrics.span.periods_per_year
    traded = None if fills is None else fills.groupby("symbol")["value"].sum() / years
    return tuple(
        BookSymbolFigures(
            symbol=name,
            long_pct=float(sums["long"][symbol]),
            short_pct=float(sums["short"][symbol]),
            gross_pct=float(sums["gross"][symbol]),
            costs_pct={item: float(values[symbol]) for item, values in items.items()},
            cost_pct=float(sums["cost"][symbol]),
            net_pct=float(sums["gross"][symbol] + sums["cost"][symbol]),
            t_statistic=tests[name][0],
            p_value=tests[name][1],
            p_value_holm=adjusted[name],
            turnover_per_year=None if traded is None else float(traded.get(symbol, 0.0)),
            mean_weight_pct=float(mean_weight[symbol]),
            held_bars_pct=float(held_bars[symbol]),
        )
        for symbol in symbols
        for name in [str(symbol)]
    )


def _forecast_series(
    run: Run, changes: WideFrame, forecasts: pd.DataFrame, window: int
) -> pd.DataFrame:
    """Rank IC of each bar and its rolling mean, and growth of each group of forecasts.

    The growth of a group is relative to that of all symbols with a forecast, in equal parts;
    `spread` is that of the highest group less the lowest.
    """
    index = run.returns.index
    if len(run.manifest.target) < MIN_SYMBOLS or forecasts.empty:
        return pd.DataFrame(index=index)

    def wide(column: str) -> Matrix:
        table = forecasts.pivot(index="timestamp", columns="symbol", values=column)
        aligned = table.reindex(index=index, columns=list(changes.columns))
        values: Matrix = aligned.to_numpy(dtype=np.float64)
        return values

    predicted = wide("predicted")
    rank_ic = pd.Series(rank_ic_by_bar(predicted, wide("actual")), index=index)
    columns = {
        "rank_ic": rank_ic,
        "rank_ic_mean": rank_ic.rolling(window, min_periods=max(1, window // 2)).mean(),
    }
    groups = overlapping_group_returns(predicted, changes.to_numpy(), run.horizon)
    filled = [np.nan_to_num(group) for group in groups]
    growth = np.cumprod(1.0 + np.mean(filled, axis=0))
    for number, group in enumerate(filled, start=1):
        columns[f"group_{number}"] = pd.Series(np.cumprod(1.0 + group) / growth, index=index)
    columns["spread"] = pd.Series(np.cumprod(1.0 + filled[-1] - filled[0]), index=index)
    return pd.DataFrame(columns, index=index)
