from __future__ import annotations

from engine.evaluation.forecasts.skill_sentence import no_skill_sentence
from engine.runs.documents.significance_models import ForecastTestFigures, StatisticalTestFigures


def forecast_tests(
    no_change: float | None, drift: float | None, direction: float | None
) -> ForecastTestFigures:
    return ForecastTestFigures(
        clark_west={
            "no_change": StatisticalTestFigures(p_value=no_change),
            "drift": StatisticalTestFigures(p_value=drift),
        },
        pesaran_timmermann=StatisticalTestFigures(p_value=direction),
    )


def test_the_sentence_names_the_tests_that_find_no_skill() -> None:
    assert no_skill_sentence(forecast_tests(0.31, 0.4, 0.123)) == (
        "The forecasts show no skill: they add nothing to no change (p = 0.31), they add nothing "
        "to the drift of the train rows (p = 0.40) and their direction is right as often as by "
        "chance (p = 0.12)."
    )


def test_forecasts_that_only_know_the_drift_show_no_skill() -> None:
    text = no_skill_sentence(forecast_tests(0.001, 0.4, None))
    assert text == (
        "The forecasts show no skill: they add nothing to the drift of the train rows (p = 0.40)."
    )


def test_one_significant_kind_of_skill_is_enough() -> None:
    assert no_skill_sentence(forecast_tests(0.01, 0.04, 0.5)) is None
    assert no_skill_sentence(forecast_tests(0.5, 0.5, 0.04)) is None


def test_without_tests_nothing_is_said() -> None:
    assert no_skill_sentence(forecast_tests(None, None, None)) is None
    assert no_skill_sentence(ForecastTestFigures()) is None
