"""Whether one model is better window after window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.book_styles import book_style
from engine.reporting.significance.section import (
    PlainTable,
    QuestionSection,
    UnansweredQuestion,
    join_names,
    p_value_equation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

RANKS_SOURCE = (
    "Hodges & Lehmann 1962; Garcia, Fernandez, Luengo & Herrera 2010 (Friedman's aligned ranks); "
    "Finner 1993"
)
NO_CHANGE = "no_change"
RELATIVE_ERROR_FORMAT = formatting.NumberFormat(4)


def forecaster_label(name: str) -> str:
    """A model's label; that of the forecast that needs none."""
    return "No change" if name == NO_CHANGE else book_style(name).label


def ranks_section(
    ranks: Mapping[str, Any] | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    """The joint test, and each model against the best."""
    question = "Is one model better window after window?"
    if not ranks:
        return UnansweredQuestion(
            question, "it takes two windows with forecasts whose outcome is known"
        )
    models: Mapping[str, Mapping[str, Any]] = ranks["models"]
    windows = formatting.count_of(ranks["windows"], "window")
    return QuestionSection(
        key="ranks",
        label="Windows",
        question=question,
        answer=_ranks_answer(ranks, confidence),
        description=(
            "The errors of each window as a part of those of no change, which are 1; all of them "
            "ranked together, each less the mean of its window, the smallest first. So one lucky "
            "window counts no more than any other."
        ),
        source=RANKS_SOURCE,
        tables=(
            PlainTable(
                ("Forecast", "Errors", "Average rank", "p against the best", "p after Finner"),
                tuple(
                    (
                        forecaster_label(name),
                        RELATIVE_ERROR_FORMAT(told["relative_rmse"]),
                        formatting.RATIO(told["average_rank"]),
                        formatting.p_value(told["p_value"]),
                        formatting.p_value(told["p_value_finner"]),
                    )
                    for name, told in sorted(
                        models.items(), key=lambda item: (item[1]["average_rank"], item[0])
                    )
                ),
                note=(
                    f"Friedman's aligned ranks over {windows}: "
                    f"{p_value_equation(ranks['p_value'])} for all "
                    "being alike. p after Finner: adjusted for the "
                    f"{formatting.count_of(len(models) - 1, 'comparison')} of this table; to be "
                    "read only where all are not alike."
                ),
            ),
        ),
    )


def _ranks_answer(ranks: Mapping[str, Any], confidence: float) -> str:
    best, p_value = forecaster_label(ranks["best"]), ranks["p_value"]
    if p_value is None:
        return "There is no answer: all have the same errors."
    over = formatting.count_of(ranks["windows"], "window")
    if p_value >= 1.0 - confidence:
        return (
            f"Over {over} no model is better than the others by more than chance "
            f"({p_value_equation(p_value)})."
        )
    behind = [
        forecaster_label(name).lower()
        for name, told in sorted(ranks["models"].items())
        if told["p_value_finner"] is not None and told["p_value_finner"] < 1.0 - confidence
    ]
    than = f": better than {join_names(behind)}" if behind else ", though not surely than any one"
    return (
        f"Over {over} {best.lower()} has the smallest errors{than} ({p_value_equation(p_value)})."
    )
