"""The part of `analysis.json` about a book of several symbols."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.analysis_returns import BenchmarkRegressionFigures
from engine.runs.documents.base import DocumentPart


class ExposureRange(DocumentPart):
    """A figure of the book over the closes.

    Attributes:
        mean: Over all closes that have it.
        lowest: Lowest value.
        highest: Highest value.
    """

    mean: float
    lowest: float
    highest: float


class BookSymbolFigures(DocumentPart):
    """What one symbol gave the book: log returns in per cent, which add up over the symbols.

    Attributes:
        symbol: Its name.
        long_pct: What long positions earned before costs.
        short_pct: What short positions earned before costs.
        gross_pct: Both together.
        costs_pct: Kind of cost -> what it took, at or below 0.
        cost_pct: All of them.
        net_pct: `gross_pct` and `cost_pct`; interest on cash is of no symbol.
        t_statistic: Mean of its net contributions to a bar over its HAC standard error; None below
            30 bars and for a symbol that was never held.
        p_value: Of H0, the mean is 0, two-sided, normal.
        p_value_holm: Holm-adjusted over all symbols that have one.
        turnover_per_year: Value traded a year in multiples of the book's equity; None where fills
            lack the equity they were made at.
        mean_weight_pct: Of the equity, signed, mean over all closes.
        held_bars_pct: Share of the closes with a position.
    """

    symbol: str
    long_pct: float
    short_pct: float
    gross_pct: float
    costs_pct: Mapping[str, float]
    cost_pct: float
    net_pct: float
    t_statistic: float | None
    p_value: float | None
    p_value_holm: float | None
    turnover_per_year: float | None
    mean_weight_pct: float
    held_bars_pct: float


class GroupFigures(DocumentPart):
    """The weights held in one group of symbols, and what they gave.

    Attributes:
        symbols: Target symbols in the group.
        net_pct: Sum of their weights at each close, of the equity.
        gross_pct: Sum of the absolute values.
        contribution_pct: Log return after costs.
    """

    symbols: int
    net_pct: ExposureRange
    gross_pct: ExposureRange
    contribution_pct: float


class BreadthFigures(DocumentPart):
    """Effective number of independent bets; None where it is not defined.

    Attributes:
        universe: Of the returns of all symbols, each scaled to the same variance.
        book: Of the contributions of all positions to the return of a bar.
    """

    universe: float | None
    book: float | None


class UniverseFigures(DocumentPart):
    """The book of several symbols: exposures, concentration, breadth, and each symbol.

    Figures of weights are None where the fills do not reproduce the returns.

    Attributes:
        symbols: Target symbols.
        net_pct: Sum of the weights held at each close, of the equity.
        gross_pct: Sum of their absolute values.
        largest_weight_pct: The largest absolute weight.
        herfindahl: Sum of the squared shares in the gross weight, 1 for a single position; over
            the closes with a position.
        effective_positions: One over it.
        universe_regression: Least squares of the book's return on that of all symbols, equally
            weighted, both above the risk-free rate; None below 30 bars.
        breadth: Effective number of independent bets.
        significant_symbols: Symbols with a Holm-adjusted p-value below 1 less the confidence.
        symbol_figures: In the order of the targets; empty where the fills do not reproduce the
            returns.
        groups: Name of each group of `portfolio.groups` -> its weights; empty without groups, and
            where the fills do not reproduce the returns.
    """

    symbols: int
    net_pct: ExposureRange | None
    gross_pct: ExposureRange | None
    largest_weight_pct: ExposureRange | None
    herfindahl: ExposureRange | None
    effective_positions: ExposureRange | None
    universe_regression: BenchmarkRegressionFigures | None
    breadth: BreadthFigures
    significant_symbols: int
    symbol_figures: tuple[BookSymbolFigures, ...]
    groups: Mapping[str, GroupFigures] = {}
