"""Rank tests of the forecast errors of several models over the walk-forward windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.name_lists import join_names
from engine.reporting import formatting
from engine.reporting.book_styles import book_style
from engine.reporting.question_section import (
    QuestionSection,
    UnansweredQuestion,
    p_value_equation,
)
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents.significance_models import RankFigures

RANKS_SOURCE = (
    "Hodges & Lehmann 1962; Garcia, Fernandez, Luengo & Herrera 2010 (Friedman's aligned ranks); "
    "Finner 1993"
)
NO_CHANGE = "no_change"
RELATIVE_ERROR_FORMAT = formatting.NumberFormat(4)


def forecaster_label(name: str) -> str:
    """Label of a model; `No change` for the random-walk forecast, which needs no model."""
    return "No change" if name == NO_CHANGE else book_style(name).label


def ranks_section(
    ranks: RankFigures | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    """Friedman's aligned ranks, and each model against the best one.

    Args:
        ranks: `ranks` of significance.json; None where the test does not apply.
        confidence: Level of the test.
    """
    question = "Is one model better across the walk-forward windows?"
    if not ranks:
        return UnansweredQuestion(
            question, "it takes two windows with forecasts whose outcome is known"
        )
    windows = formatting.count_of(ranks.windows, "window")
    return QuestionSection(
        key="ranks",
        label="Rank tests",
        question=question,
        answer=_ranks_answer(ranks, confidence),
        description=(
            "Root mean squared error in each window relative to the no-change forecast, whose "
            "error is 1. The mean of each window is subtracted, then all errors are ranked "
            "together, smallest first, so that no single window dominates."
        ),
        source=RANKS_SOURCE,
        tables=(
            PlainTable(
                (
                    "Forecast",
                    "Relative RMSE",
                    "Average rank",
                    "p against the best",
                    "p after Finner",
                ),
                tuple(
                    (
                        forecaster_label(name),
                        RELATIVE_ERROR_FORMAT(scores.relative_rmse),
                        formatting.RATIO(scores.average_rank),
                        formatting.p_value(scores.p_value),
                        formatting.p_value(scores.p_value_finner),
                    )
                    for name, scores in sorted(
                        ranks.models.items(),
                        key=lambda item: (item[1].average_rank, item[0]),
                    )
                ),
                note=(
                    f"Friedman's aligned ranks over {windows}: "
                    f"{p_value_equation(ranks.p_value)} for the hypothesis that all forecasts "
                    "are equally good. p after Finner: adjusted for the "
                    f"{formatting.count_of(len(ranks.models) - 1, 'comparison')} of this table; "
                    "read it only where that hypothesis is rejected."
                ),
            ),
        ),
    )


def _ranks_answer(ranks: RankFigures, confidence: float) -> str:
    best, p_value = forecaster_label(ranks.best), ranks.p_value
    if p_value is None:
        return "No answer: all forecasts have the same errors."
    over = formatting.count_of(ranks.windows, "window")
    if p_value >= 1.0 - confidence:
        return (
            f"Over {over} no model is significantly better than the others "
            f"({p_value_equation(p_value)})."
        )
    worse = [
        forecaster_label(name).lower()
        for name, scores in sorted(ranks.models.items())
        if scores.p_value_finner is not None and scores.p_value_finner < 1.0 - confidence
    ]
    detail = (
        f": significantly smaller than {join_names(worse)}"
        if worse
        else ", but not significantly smaller than those of any single model"
    )
    return (
        f"Over {over} {best.lower()} has the smallest errors{detail} "
        f"({p_value_equation(p_value)})."
    )
