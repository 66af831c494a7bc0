"""Paths of combinatorial purged cross-validation: a diagnostic beside the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.paths import combinatorial_plot
from engine.reporting.question_section import QuestionSection
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents.significance_combinatorial import CombinatorialFigures

COMBINATORIAL_SOURCE = "Lopez de Prado 2018, chapter 12, with purge and embargo of chapter 7"

NOT_TRADABLE = (
    "It is a diagnostic and no part of the verdict: its models are trained on bars after their "
    "test bars too, which no trader could do."
)


def combinatorial_section(figures: CombinatorialFigures) -> QuestionSection:
    """Distribution of the paths, beside holding and the walk-forward run."""
    spread, common, count = figures.sharpe, figures.common, len(figures.paths)
    below_holding = (
        ""
        if figures.below_holding_share is None
        else f", {formatting.PERCENT(100 * figures.below_holding_share)} below buy and hold"
    )
    beside = (
        ""
        if common.run.sharpe is None
        else f" On the bars of the run their median is {formatting.RATIO(common.sharpe.median)}; "
        f"the run itself, walk-forward, has {formatting.RATIO(common.run.sharpe)}."
    )
    span = f"{formatting.date_range(figures.first, figures.last)}, {formatting.BARS(figures.bars)}"
    return QuestionSection(
        key="combinatorial-paths",
        label="Cross-validated paths",
        question="Does the result depend on which bars the model was trained on?",
        answer=(
            f"Over {formatting.count_of(count, 'path')} of cross-validation the Sharpe ratio "
            f"ranges from {formatting.RATIO(spread.minimum)} to "
            f"{formatting.RATIO(spread.maximum)}, with a median of "
            f"{formatting.RATIO(spread.median)}; "
            f"{formatting.PERCENT(100 * figures.negative_share)} are below 0"
            f"{below_holding}.{beside} {NOT_TRADABLE}"
        ),
        description=_describe_splits(figures),
        source=COMBINATORIAL_SOURCE,
        plots=(combinatorial_plot(figures, finding="", span=span),),
        tables=(_distribution_table(figures),),
        span=span,
    )


def _describe_splits(figures: CombinatorialFigures) -> str:
    fewest, most = figures.train_rows
    left_out = (
        f" {formatting.count_of(figures.left_out_fits, 'fit')} failed and were left out: their "
        "groups hold nothing."
        if figures.left_out_fits
        else ""
    )
    overlap = (
        f" Inputs reach up to {formatting.BARS(figures.reach_bars)} back, further than this "
        "embargo: those of the first bars to train on after a test group share bars with it."
        if figures.embargo_bars < figures.reach_bars
        else ""
    )
    splits, purged = formatting.COUNT(figures.splits), figures.purge_bars
    return (
        f"The bars were cut into {figures.groups} groups. For each of the {splits} choices of "
        f"{formatting.count_of(figures.test_groups, 'test group')} the model was fitted on "
        f"{formatting.COUNT(fewest)} to {formatting.COUNT(most)} bars of the others; "
        f"{formatting.count_of(purged, 'bar')} on each side of a test group, for the labels, and "
        f"{formatting.COUNT(figures.embargo_bars)} more after it, for the inputs, are left out."
        f"{overlap}{left_out} Neither the grade nor a p-value, the hurdle of the trials or the "
        "leakage test has any of it. The paths share most of their data: their spread shows what "
        "depends on the choice of train bars, and not the sampling error of the bars."
    )


def _distribution_table(figures: CombinatorialFigures) -> PlainTable:
    """Quantiles of the paths, and holding and the run on the same bars."""
    common = figures.common
    spreads = (figures.sharpe, figures.total_return_pct, figures.max_drawdown_pct, common.sharpe)
    formats = (
        formatting.SIGNED_RATIO,
        formatting.SIGNED_PERCENT,
        formatting.PERCENT,
        formatting.SIGNED_RATIO,
    )
    held = figures.holding
    rows: dict[str, tuple[float | None, ...]] = {
        "Lowest": tuple(each.minimum for each in spreads),
        "25 %": tuple(each.p25 for each in spreads),
        "Median": tuple(each.median for each in spreads),
        "75 %": tuple(each.p75 for each in spreads),
        "Highest": tuple(each.maximum for each in spreads),
        "Buy and hold": (
            *(held.sharpe, held.total_return_pct, held.max_drawdown_pct),
            common.holding.sharpe,
        ),
        "This run, walk-forward": (None, None, None, common.run.sharpe),
    }
    return PlainTable(
        (
            *("Paths", "Sharpe ratio", "Total return", "Max drawdown"),
            "Sharpe ratio on the bars of this run",
        ),
        tuple(
            (name, *(show(value) for show, value in zip(formats, values, strict=True)))
            for name, values in rows.items()
        ),
        note=f"{formatting.PERCENT(100 * figures.loss_share)} of the paths end with a loss. Each "
        "column has its own order.",
    )
