"""Where the strategy's return came from: sides, costs, and groups of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.analysis.regimes import regimes_at_previous_close
from engine.evaluation.metrics.attribution import (
    GroupContribution,
    ReturnContributions,
    attribute_returns,
    sum_by_group,
)
from engine.evaluation.metrics.market_regimes import REGIME_NAMES
from engine.runs.documents.analysis_returns import (
    AttributionFigures,
    AttributionSplit,
    ContributionFigures,
    ContributionGroup,
)
from engine.runs.run import BENCHMARK_BOOK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.types import WideFrame
    from engine.runs.run import Run

ROUNDING_TOLERANCE = 1e-6
"""Log return up to which what the fills do not account for is rounding."""


def attribute_run(run: Run) -> AttributionFigures:
    """Sides, costs, interest, symbols, states of the market and years; they add up."""
    fills = run.trades[run.trades["book"] == STRATEGY_BOOK]
    settings = run.manifest.settings
    # A cost model of another kind may charge for borrowing; the manifest does not have its rates.
    unknown = bool(settings.costs.kind or settings.cost_overrides)
    may_borrow = unknown or (settings.borrow_bps_per_year or 0.0) > 0
    contributions = attribute_returns(
        run.returns[STRATEGY_BOOK],
        fills,
        _target_closes(run),
        borrow_charged=may_borrow,
        cash_per_bar=run.rates_by_bar.cash_per_bar,
    )
    if contributions is None:
        ruined = bool((run.returns[STRATEGY_BOOK] <= -1.0).any())
        return AttributionFigures(status="ruined" if ruined else "unreconciled", split=None)
    return AttributionFigures(status="split", split=_split(run, contributions))


def _target_closes(run: Run) -> WideFrame:
    """Closes of the traded symbols on the out-of-sample bars."""
    wide = run.bars.pivot(index="timestamp", columns="symbol", values="close")
    return wide[list(run.manifest.target)].reindex(run.returns.index)


def _split(run: Run, contributions: ReturnContributions) -> AttributionSplit:
    long, short, fee, slippage, borrow, gross, cost = (
        float(getattr(contributions, name).to_numpy().sum())
        for name in ("long", "short", "fee", "slippage", "borrow", "gross", "cost")
    )
    interest = float(contributions.interest.sum())
    held = contributions.held_weights
    invested = held.abs().sum(axis=1)
    return AttributionSplit(
        long_pct=100.0 * long,
        short_pct=100.0 * short,
        fee_pct=100.0 * fee,
        slippage_pct=100.0 * slippage,
        borrow_pct=100.0 * borrow,
        gross_pct=100.0 * gross,
        cost_pct=100.0 * cost,
        interest_pct=100.0 * interest,
        net_pct=100.0 * (gross + cost + interest),
        growth_factor=float(np.exp(gross + cost + interest)),
        residual_pct=100.0 * float(contributions.residual.sum()),
        residual_is_rounding=float(contributions.residual.abs().sum()) < ROUNDING_TOLERANCE,
        long_bars_pct=100.0 * float((held > 0).any(axis=1).mean()),
        short_bars_pct=100.0 * float((held < 0).any(axis=1).mean()),
        flat_bars_pct=100.0 * float((held == 0).all(axis=1).mean()),
        mean_invested_pct=100.0 * float(invested[invested > 0].mean())
        if (invested > 0).any()
        else None,
        groups=_groups(run, contributions),
    )


def _groups(run: Run, contributions: ReturnContributions) -> tuple[ContributionGroup, ...]:
    """By volatility, trend and year, and by symbol where there are several."""
    index = pd.DatetimeIndex(run.returns.index)
    symbols = list(contributions.held_weights.columns)
    benchmark = _benchmark_log_returns(run)
    # Symbols may be in different states at the same time: the benchmark is then in none.
    alone = benchmark if len(symbols) == 1 else None
    kinds: tuple[Literal["volatility", "trend"], ...] = ("volatility", "trend")
    regimes = regimes_at_previous_close(run)
    groups = [
        _group(kind, contributions, regimes[kind], alone, REGIME_NAMES[kind].values())
        for kind in kinds
    ]
    year = index.year.astype(str)
    years = pd.DataFrame(dict.fromkeys(symbols, year), index=index, dtype="object")
    groups.append(_group("years", contributions, years, benchmark, sorted(set(year))))
    if len(symbols) > 1:
        names = pd.DataFrame({symbol: str(symbol) for symbol in symbols}, index=index)
        groups.append(_group("symbols", contributions, names, None, list(map(str, symbols))))
    return tuple(groups)


def _benchmark_log_returns(run: Run) -> pd.Series[float] | None:
    """Log returns of buy and hold; None without that book, or where it lost everything."""
    held = run.returns.get(BENCHMARK_BOOK)
    return None if held is None or (held <= -1).any() else np.log1p(held)


def _group(
    key: Literal["volatility", "trend", "years", "symbols"],
    contributions: ReturnContributions,
    labels: WideFrame,
    benchmark: pd.Series[float] | None,
    order: Iterable[str],
) -> ContributionGroup:
    """Parts in the given order, the unlabelled last.

    `benchmark` only where every symbol has the same label.
    """
    rank = {name: position for position, name in enumerate(order)}
    found = sorted(
        sum_by_group(contributions, labels), key=lambda part: rank.get(part.name, len(rank))
    )
    held: list[float | None] = [None] * len(found)
    if benchmark is not None:
        label = labels.iloc[:, 0].fillna("").to_numpy()
        held = [float(benchmark[label == part.name].sum()) for part in found]
    whole = GroupContribution(
        "",
        sum(part.bar_share for part in found),
        sum(part.gross for part in found),
        sum(part.cost for part in found),
        sum(part.interest for part in found),
    )
    held_in_all = None if benchmark is None else sum(each or 0.0 for each in held)
    return ContributionGroup(
        key=key,
        parts=tuple(_part(part, own) for part, own in zip(found, held, strict=True)),
        total=_part(whole, held_in_all),
    )


def _part(part: GroupContribution, benchmark: float | None) -> ContributionFigures:
    return ContributionFigures(
        name=part.name,
        bar_share_pct=100.0 * part.bar_share,
        gross_pct=100.0 * part.gross,
        cost_pct=100.0 * part.cost,
        interest_pct=100.0 * part.interest,
        net_pct=100.0 * part.net,
        benchmark_pct=None if benchmark is None else 100.0 * benchmark,
    )
