"""The section of `significance.json` about combinatorial purged cross-validation."""

from __future__ import annotations

from engine.runs.documents.base import DocumentPart
from engine.runs.documents.significance_paths import SpreadFigures


class ReferenceFigures(DocumentPart):
    """A book that the paths are compared with, on the same bars.

    Attributes:
        sharpe: Sharpe ratio a year.
        total_return_pct: Total return.
        max_drawdown_pct: Max drawdown, 0 or less.
    """

    sharpe: float | None = None
    total_return_pct: float | None = None
    max_drawdown_pct: float | None = None


class CombinatorialPath(DocumentPart):
    """One path over all groups.

    Attributes:
        path: Its number, from 1.
        splits: For each group the number of the split that forecasts it, from 1.
        sharpe: Sharpe ratio a year.
        total_return_pct: Total return.
        max_drawdown_pct: Max drawdown, 0 or less.
        common_sharpe: Sharpe ratio on the bars that the run has too.
    """

    path: int
    splits: tuple[int, ...]
    sharpe: float | None = None
    total_return_pct: float | None = None
    max_drawdown_pct: float | None = None
    common_sharpe: float | None = None


class CommonBarFigures(DocumentPart):
    """Paths, run and holding on the bars that the walk-forward run has too.

    Attributes:
        bars: Number of these bars.
        sharpe: Spread of the Sharpe ratios of the paths.
        run: The run itself.
        holding: Buy and hold.
        rank: Place of the run's Sharpe ratio among those of the paths, 1 is above all of them;
            None where it has none.
    """

    bars: int
    sharpe: SpreadFigures = SpreadFigures()
    run: ReferenceFigures = ReferenceFigures()
    holding: ReferenceFigures = ReferenceFigures()
    rank: int | None = None


class CombinatorialFigures(DocumentPart):
    """Paths of combinatorial purged cross-validation, a diagnostic: they train on later bars.

    Attributes:
        groups: Number of groups, N.
        test_groups: Number of test groups of a split, k.
        splits: Number of splits, C(N, k).
        fits: Fits over all splits.
        left_out_fits: Fits that failed and were left out.
        group_bars: Bars of the shortest group.
        purge_bars: Bars left out on each side of a test group, for the labels.
        embargo_bars: Bars left out after that, for the inputs.
        reach_bars: Most bars before a row that its inputs may hold.
        train_rows: Fewest and most train rows of a split.
        first: First bar of the groups, ISO 8601.
        last: Last bar of the groups.
        bars: Number of their bars.
        paths: The paths, C(N - 1, k - 1).
        sharpe: Spread of their Sharpe ratios.
        total_return_pct: Spread of their total returns.
        max_drawdown_pct: Spread of their max drawdowns.
        negative_share: Share of paths with a Sharpe ratio below 0.
        loss_share: Share of paths that end with less than they began.
        below_holding_share: Share of paths with a Sharpe ratio below that of holding.
        holding: Buy and hold on the same bars.
        common: The same beside the walk-forward run, on the bars that it has too.
    """

    groups: int
    test_groups: int
    splits: int
    fits: int
    left_out_fits: int = 0
    group_bars: int
    purge_bars: int
    embargo_bars: int
    reach_bars: int
    train_rows: tuple[int, int]
    first: str
    last: str
    bars: int
    paths: tuple[CombinatorialPath, ...]
    sharpe: SpreadFigures = SpreadFigures()
    total_return_pct: SpreadFigures = SpreadFigures()
    max_drawdown_pct: SpreadFigures = SpreadFigures()
    negative_share: float
    loss_share: float
    below_holding_share: float | None = None
    holding: ReferenceFigures = ReferenceFigures()
    common: CommonBarFigures
