"""Risk of the path: drawdowns to come, start dates and schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, ordered_book_styles
from engine.reporting.charts.paths import drawdown_plot, offsets_plot
from engine.reporting.path_risk_texts import (
    path_risk_sentence,
    path_risk_table,
    realised_sentence,
)
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
)
from engine.reporting.significance._combinatorial import combinatorial_section
from engine.reporting.significance._stability import stability_section
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.documents import Significance
    from engine.runs.documents.significance_paths import (
        OffsetFigures,
        PathRiskFigures,
        SpreadFigures,
        WindowSubset,
        WindowSubsetFigures,
    )

PATH_RISK_SOURCE = "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009"
STARTS_SOURCE = "the returns of the run, cut by its windows"
OFFSETS_SOURCE = (
    "one walk-forward run for each start of the windows; the paths of Lopez de Prado 2018, "
    "chapter 12, with the order of time kept"
)


def path_sections(significance: Significance) -> SignificanceSections:
    """Path risk, stability, start dates, and further paths where the run has them."""
    sections: SignificanceSections = []
    if "path_risk" in significance:
        sections.append(_path_risk_section(significance.path_risk))
    if "stability" in significance:
        sections.append(stability_section(significance.stability, significance.method.confidence))
    if "window_subsets" in significance:
        sections.append(
            _starts_section(
                significance.window_subsets, has_schedules=bool(significance.offset_paths)
            )
        )
    if significance.offset_paths:
        sections.append(_offsets_section(significance.offset_paths))
    if significance.combinatorial_paths:
        sections.append(combinatorial_section(significance.combinatorial_paths))
    return sections


def _path_risk_section(risk: PathRiskFigures | None) -> QuestionSection | UnansweredQuestion:
    question = "What may happen on the way?"
    if not risk:
        return UnansweredQuestion(question, "it needs 60 bars of returns that vary")
    compared = {
        style.key: risk.realised[style.key]
        for style in ordered_book_styles(risk.realised)
        if style.key in {STRATEGY, BUY_AND_HOLD}
    }
    cells = (
        f" The bars are drawn in cells of {formatting.AVERAGE_BARS(risk.cell_bars)}: times under "
        "water may be a cell too long, drawdowns are exact."
        if risk.cell_bars > 1
        else ""
    )
    left_out = (
        " Left out, as longer than twice the run: "
        f"{', '.join(formatting.count_of(round(y), 'year') for y in risk.left_out_years)}."
        if risk.left_out_years
        else ""
    )
    return QuestionSection(
        key="path-risk",
        label="Risk of the path",
        question=question,
        answer=" ".join(filter(None, [path_risk_sentence(risk), realised_sentence(risk)])),
        description=(
            f"The returns of all books were drawn together {formatting.COUNT(risk.resamples)} "
            f"times, in blocks of {formatting.AVERAGE_BARS(risk.block_length_bars)} on average. "
            "The figures assume that the future resembles these bars: a stationary market, and "
            "the mean return of the run, which is itself uncertain and flattered by selection. A "
            "loss larger than any the run has seen is not in them. Read them as the risk that is "
            f"there at least.{cells}{left_out}"
        ),
        source=PATH_RISK_SOURCE,
        plots=(drawdown_plot(compared, finding="", span=formatting.BARS(risk.bars)),)
        if compared
        else (),
        tables=tuple(
            path_risk_table(risk, book, title)
            for book, title in ((STRATEGY, "Strategy"), (BUY_AND_HOLD, "Buy and hold"))
            if risk.horizons and book in risk.horizons[0].books
        ),
    )


def _starts_section(
    subsets: WindowSubsetFigures | None, *, has_schedules: bool
) -> QuestionSection | UnansweredQuestion:
    question = "Does the result depend on the start date, or on one window?"
    if not subsets:
        return UnansweredQuestion(question, "there is a single window")
    starts, without = subsets.starts_spread, subsets.without_spread
    return QuestionSection(
        key="starts",
        label="Start dates",
        question=question,
        answer=(
            f"From {formatting.count_of(len(subsets.starts), 'start date')} the Sharpe ratio "
            f"ranges from {formatting.RATIO(starts.minimum)} to "
            f"{formatting.RATIO(starts.maximum)}{_shares(starts)}. Without one window it ranges "
            f"from {formatting.RATIO(without.minimum)} to {formatting.RATIO(without.maximum)}."
        ),
        description=(
            "The run from the start of each window on, and all of it but one window; nothing is "
            "trained again. Later starts have fewer bars, and therefore a wider spread by chance."
            + (
                ""
                if has_schedules
                else " Where the windows themselves begin is tested by `paths: {offsets: 8}` in "
                "the strategy, which trains eight times as much."
            )
        ),
        source=STARTS_SOURCE,
        tables=(
            _subset_table(subsets.starts, "From this window on", "Start dates"),
            _subset_table(subsets.without, "Without this window", "One window left out"),
        ),
        is_collapsed=True,
    )


def _shares(spread: SpreadFigures) -> str:
    """Shares of paths above 0 and above holding."""
    if spread.positive_share is None:
        return ""
    text = f"; {formatting.PERCENT(100 * spread.positive_share)} are above 0"
    if spread.above_holding_share is None:
        return text
    return f"{text}, {formatting.PERCENT(100 * spread.above_holding_share)} above buy and hold"


def _subset_table(subsets: Sequence[WindowSubset], column: str, title: str) -> PlainTable:
    return PlainTable(
        (column, "Begins", "Bars", "Sharpe ratio", "Buy and hold"),
        tuple(
            (
                str(each.window),
                formatting.timestamp(each.first),
                formatting.COUNT(each.bars),
                formatting.SIGNED_RATIO(each.sharpe),
                formatting.SIGNED_RATIO(each.holding_sharpe),
            )
            for each in subsets
        ),
        title=title,
    )


def _offsets_section(offsets: OffsetFigures) -> QuestionSection:
    spread = offsets.spread
    rank = (
        f" The run itself ranks {formatting.COUNT(offsets.rank)} of {offsets.offsets}."
        if offsets.rank is not None
        else ""
    )
    return QuestionSection(
        key="offsets",
        label="Schedules",
        question="Does the result depend on where the windows begin?",
        answer=(
            f"Over {offsets.offsets} schedules of windows the Sharpe ratio ranges from "
            f"{formatting.RATIO(spread.minimum)} to {formatting.RATIO(spread.maximum)}, with a "
            f"median of {formatting.RATIO(spread.median)}{_shares(spread)}.{rank}"
        ),
        description=(
            "The strategy was trained and traded once more for each start of the walk-forward "
            "windows, with the same purge and embargo. All are measured on the bars that they "
            "have in common. They share most of their data: their spread shows what depends on "
            "the start, and not the sampling error of the bars."
        ),
        source=OFFSETS_SOURCE,
        plots=(
            offsets_plot(
                offsets,
                finding="",
                span=f"From {formatting.timestamp(offsets.first)}, "
                f"{formatting.BARS(offsets.bars)}",
            ),
        ),
        tables=(
            PlainTable(
                (
                    *("Schedule", "Bars later", "Windows", "Sharpe ratio", "Total return"),
                    *("Max drawdown", "Fits left out"),
                ),
                tuple(
                    (
                        "This run" if not path.offset else f"{path.offset} of {offsets.offsets}",
                        formatting.COUNT(path.shift_bars),
                        formatting.COUNT(path.windows),
                        formatting.SIGNED_RATIO(path.sharpe),
                        formatting.SIGNED_PERCENT(path.total_return_pct),
                        formatting.PERCENT(path.max_drawdown_pct),
                        formatting.COUNT(path.left_out_fits),
                    )
                    for path in offsets.paths
                ),
                note=f"Quartiles of the Sharpe ratio: {formatting.RATIO(spread.p25)} and "
                f"{formatting.RATIO(spread.p75)}. Buy and hold on the same bars: "
                f"{formatting.RATIO(offsets.holding_sharpe)}.",
            ),
        ),
    )
