"""Robustness of the result: variance over seeds, sensitivity to costs, delays and thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
)
from engine.reporting.sensitivity_surface import sensitivity_heatmaps
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.significance_models import SeedFigures, SensitivityFigures

SEEDS_SOURCE = "Bouthillier et al. 2021; sampling error as in Ledoit & Wolf 2008"
SENSITIVITY_SOURCE = (
    "each cell is a separate simulation on the stored forecasts; break-even cost by the root "
    "finder of Brent 1973"
)


def robustness_sections(significance: Significance) -> SignificanceSections:
    """Sensitivity surface, and variance over seeds."""
    sections: SignificanceSections = []
    if "fragility" in significance:
        sections.append(_sensitivity_section(significance.sensitivity))
    if "seeds" in significance:
        sections.append(_seeds_section(significance.seeds))
    return sections


def _seeds_section(seeds: SeedFigures | None) -> QuestionSection | UnansweredQuestion:
    question = "How much of the result depends on the random seed?"
    if not seeds:
        return UnansweredQuestion(question, "it needs two seeds, and there was one")
    by_seed = [ratio for ratio in seeds.sharpe_by_seed if ratio is not None]
    share = seeds.share
    answer = (
        f"With a single seed the Sharpe ratio ranges from {formatting.RATIO(min(by_seed))} to "
        f"{formatting.RATIO(max(by_seed))}."
        if by_seed
        else "No seed alone has a Sharpe ratio."
    )
    if share is not None:
        answer += (
            f" Of the variance of a single seed's ratio, {formatting.PERCENT(100 * share)} comes "
            "from the seed, the rest from the sample of bars."
        )
    low, high = seeds.seed_deviation_low, seeds.seed_deviation_high
    between = formatting.RATIO(seeds.seed_deviation)
    if formatting.is_finite(low) and formatting.is_finite(high):
        between += f" ({formatting.RATIO.interval(low, high)})"
    ratios = tuple(
        (f"Seed {number}", formatting.SIGNED_RATIO(ratio))
        for number, ratio in enumerate(seeds.sharpe_by_seed, start=1)
    )
    return QuestionSection(
        key="seeds",
        label="Seeds",
        question=question,
        answer=answer,
        description=(
            "All seeds are trained on the same bars, so that they differ by the randomness of "
            "training alone. Averaging over more seeds reduces that part, and never the sampling "
            "error of the bars."
        ),
        source=SEEDS_SOURCE,
        tables=(
            PlainTable(
                ("Sharpe ratio", "Value"),
                (
                    *ratios,
                    ("Standard deviation between seeds", between),
                    ("Sampling error of the bars", formatting.RATIO(seeds.sampling_deviation)),
                ),
            ),
        ),
    )


def _sensitivity_section(
    surface: SensitivityFigures | None,
) -> QuestionSection | UnansweredQuestion:
    question = "How sensitive is the result to costs, delays and thresholds?"
    if not surface:
        return UnansweredQuestion(question, "there is no forecast to trade on")
    columns = "columns the entry threshold"
    if len(surface.threshold) == 1:
        question = "How sensitive is the result to costs and delays?"
        columns = "and there is one column, as forecasts are ranked and no threshold takes part"
    return QuestionSection(
        key="fragility",
        label="Sensitivity",
        question=question,
        answer=formatting.typeset(surface.sentence or ""),
        description=(
            "Sharpe ratio of the same forecasts, one map per execution delay: rows are the cost "
            f"of a fill (fee and slippage), {columns}. The framed cell is the "
            "run itself. A robust result is positive around that cell too, not in it alone. The "
            "stored forecasts are used and nothing is trained again; decisions do not take the "
            "changed costs into account."
        ),
        source=SENSITIVITY_SOURCE,
        heatmaps=sensitivity_heatmaps(surface),
        tables=(
            PlainTable(
                ("Cost of a fill", "Value"),
                (
                    ("Charged", formatting.BPS(surface.chosen.cost_bps)),
                    (
                        "Break-even, where the total return is zero",
                        formatting.BPS(surface.break_even_cost_bps),
                    ),
                ),
            ),
        ),
    )
