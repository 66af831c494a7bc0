"""Whether one model is better window after window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.books import book
from engine.reporting.significance.section import Section, Table, Unasked, equals, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = (
    "Hodges & Lehmann 1962; Garcia, Fernandez, Luengo & Herrera 2010 (Friedman's aligned ranks); "
    "Finner 1993"
)
NO_CHANGE = "no_change"
RELATIVE = formatting.Unit(4)


def rival(name: str) -> str:
    """A model's label; that of the forecast that needs none."""
    return "No change" if name == NO_CHANGE else book(name).label


def ranks_section(found: Mapping[str, Any] | None, confidence: float) -> Section | Unasked:
    """The joint test, and each model against the best."""
    question = "Is one model better window after window?"
    if not found:
        return Unasked(question, "it takes two windows with forecasts whose outcome is known")
    models: Mapping[str, Mapping[str, Any]] = found["models"]
    windows = formatting.count_of(found["windows"], "window")
    return Section(
        key="ranks",
        label="Windows",
        question=question,
        answer=_answer(found, confidence),
        says=(
            "The errors of each window as a part of those of no change, which are 1; all of them "
            "ranked together, each less the mean of its window, the smallest first. So one lucky "
            "window counts no more than any other."
        ),
        source=SOURCE,
        tables=(
            Table(
                ("Forecast", "Errors", "Average rank", "p against the best", "p after Finner"),
                tuple(
                    (
                        rival(name),
                        RELATIVE(told["relative_rmse"]),
                        formatting.RATIO(told["average_rank"]),
                        formatting.p_value(told["p_value"]),
                        formatting.p_value(told["p_value_finner"]),
                    )
                    for name, told in sorted(
                        models.items(), key=lambda item: (item[1]["average_rank"], item[0])
                    )
                ),
                note=(
                    f"Friedman's aligned ranks over {windows}: {equals(found['p_value'])} for all "
                    "being alike. p after Finner: adjusted for the "
                    f"{formatting.count_of(len(models) - 1, 'comparison')} of this table; to be "
                    "read only where all are not alike."
                ),
            ),
        ),
    )


def _answer(found: Mapping[str, Any], confidence: float) -> str:
    best, p_value = rival(found["best"]), found["p_value"]
    if p_value is None:
        return "There is no answer: all have the same errors."
    over = formatting.count_of(found["windows"], "window")
    if p_value >= 1.0 - confidence:
        return (
            f"Over {over} no model is better than the others by more than chance "
            f"({equals(p_value)})."
        )
    behind = [
        rival(name).lower()
        for name, told in sorted(found["models"].items())
        if told["p_value_finner"] is not None and told["p_value_finner"] < 1.0 - confidence
    ]
    than = f": better than {listed(behind)}" if behind else ", though not surely than any one"
    return f"Over {over} {best.lower()} has the smallest errors{than} ({equals(p_value)})."
