"""States that a model's forecasts show no skill, where no test finds any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.name_lists import join_names

if TYPE_CHECKING:
    from engine.runs.documents.significance_models import ForecastTestFigures

SIGNIFICANCE_LEVEL = 0.05

_REFERENCES = {"no_change": "no change", "drift": "the drift of the train rows"}


def no_skill_sentence(tests: ForecastTestFigures) -> str | None:
    """States that no test of the forecasts is significant at 5 %.

    Skill is that the model adds to no change and to the train drift (Clark-West, both), or that
    its direction is right more often than by chance (Pesaran-Timmermann).

    Args:
        tests: As `run_forecast_tests` makes them.

    Returns:
        A sentence; None where there is skill, or where no test is defined.
    """
    # A document that was read back has its keys in another order.
    order = dict.fromkeys((*_REFERENCES, *tests.clark_west))
    p_values = {name: tests.clark_west[name].p_value for name in order if name in tests.clark_west}
    nested = {name: p_value for name, p_value in p_values.items() if p_value is not None}
    direction = tests.pesaran_timmermann.p_value
    adds_information = bool(nested) and max(nested.values()) < SIGNIFICANCE_LEVEL
    if adds_information or (direction is not None and direction < SIGNIFICANCE_LEVEL):
        return None
    findings = [
        f"they add nothing to {_REFERENCES.get(name, name)} (p = {p_value:.2f})"
        for name, p_value in nested.items()
        if p_value >= SIGNIFICANCE_LEVEL
    ]
    if direction is not None:
        findings.append(f"their direction is right as often as by chance (p = {direction:.2f})")
    return f"The forecasts show no skill: {join_names(findings)}." if findings else None
