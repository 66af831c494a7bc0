from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from engine.evaluation.forecasts import model_diagnostics
from engine.evaluation.forecasts.accuracy_tests import (
    clark_west,
    diebold_mariano,
    direction_test,
    pesaran_timmermann,
)
from engine.evaluation.forecasts.model_diagnostics import (
    run_forecast_tests,
    run_input_tests,
    run_residual_tests,
)
from engine.evaluation.inference.diagnostics import (
    augmented_dickey_fuller,
    breusch_godfrey,
    ljung_box,
)
from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult
from engine.evaluation.inference.multiple_testing import holm

UNTESTED = asdict(HypothesisTestResult())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


ACTUAL = rng(1).standard_normal(300)
OWN = 0.5 * ACTUAL + 0.3 * rng(2).standard_normal(300)
RIDGE = 0.1 * ACTUAL + 0.3 * rng(3).standard_normal(300)


DRIFT_RETURN = np.full(300, 0.02)


def with_gap(values: np.ndarray, *rows: int) -> np.ndarray:
    gapped = values.copy()
    gapped[list(rows)] = np.nan
    return gapped


def test_the_first_forecast_is_tested_against_no_change_and_all_others() -> None:
    section = run_forecast_tests(
        {"strategy": OWN, "ridge": RIDGE}, ACTUAL, DRIFT_RETURN, horizon=1
    )
    assert list(section["diebold_mariano"]) == ["no_change", "ridge"]
    still = diebold_mariano(ACTUAL - OWN, ACTUAL, 1)
    ridge = diebold_mariano(ACTUAL - OWN, ACTUAL - RIDGE, 1)
    adjusted = holm([still.p_value, ridge.p_value])
    assert section["diebold_mariano"]["no_change"] == asdict(still) | {"p_value_holm": adjusted[0]}
    assert section["diebold_mariano"]["ridge"] == asdict(ridge) | {"p_value_holm": adjusted[1]}
    assert still.statistic < -5
    assert section["clark_west"] == {
        "no_change": asdict(clark_west(OWN, np.zeros(300), ACTUAL, 1)),
        "drift": asdict(clark_west(OWN, DRIFT_RETURN, ACTUAL, 1)),
    }
    assert section["pesaran_timmermann"] == asdict(pesaran_timmermann(OWN, ACTUAL))


def test_forecasts_are_compared_on_the_rows_that_both_have() -> None:
    own, ridge, actual = with_gap(OWN, 0, 7), with_gap(RIDGE, 7, 9), with_gap(ACTUAL, 299)
    section = run_forecast_tests(
        {"strategy": own, "ridge": ridge}, actual, DRIFT_RETURN, horizon=1
    )
    rows = np.isfinite(own) & np.isfinite(actual)
    both = rows & np.isfinite(ridge)
    expected = diebold_mariano((actual - own)[both], (actual - ridge)[both], 1)
    assert section["diebold_mariano"]["ridge"]["statistic"] == expected.statistic
    assert section["diebold_mariano"]["no_change"]["observations"] == 297
    assert section["pesaran_timmermann"] == asdict(pesaran_timmermann(own[rows], actual[rows]))


def test_every_hth_row_is_used_where_a_test_needs_independent_rows() -> None:
    features = rng(4).standard_normal((300, 2))
    section = run_forecast_tests({"strategy": OWN}, ACTUAL, DRIFT_RETURN, horizon=5)
    assert section["diebold_mariano"]["no_change"]["lags"] == 4
    assert section["diebold_mariano"]["no_change"]["observations"] == 300
    assert section["pesaran_timmermann"]["observations"] == 60
    assert run_residual_tests(OWN, ACTUAL, features, 5)["ljung_box"]["observations"] == 60


def test_no_change_itself_has_no_test() -> None:
    section = run_forecast_tests({"strategy": np.zeros(300)}, ACTUAL, DRIFT_RETURN, horizon=1)
    assert section["diebold_mariano"]["no_change"] == UNTESTED | {"p_value_holm": None}
    assert section["pesaran_timmermann"] == UNTESTED


def test_residuals_are_tested_over_ten_lags_or_a_fifth_of_the_rows() -> None:
    features = rng(4).standard_normal((300, 2))
    section = run_residual_tests(with_gap(OWN, 3), with_gap(ACTUAL, 299), features, 1)
    rows = np.delete(np.arange(300), [3, 299])
    residuals = (ACTUAL - OWN)[rows]
    assert section["ljung_box"] == asdict(ljung_box(residuals, 10))
    assert section["breusch_godfrey"] == asdict(breusch_godfrey(residuals, features[rows], 10))
    few = run_residual_tests(OWN[:32], ACTUAL[:32], features[:32], 1)
    assert [few[name]["lags"] for name in ("ljung_box", "breusch_godfrey")] == [6, 6]


def test_inputs_are_tested_and_adjusted_together() -> None:
    features = np.column_stack(
        [np.cumsum(rng(5).standard_normal(300)), rng(6).standard_normal(300), np.ones(300)]
    )
    inputs = dict(zip(("walk", "noise", "still"), features.T, strict=True))
    section = run_input_tests(inputs)["adf"]
    walk, noise = (augmented_dickey_fuller(features[:, column]) for column in (0, 1))
    adjusted = holm([walk.p_value, noise.p_value])
    assert section["walk"] == asdict(walk) | {"p_value_holm": adjusted[0]}
    assert section["noise"] == asdict(noise) | {"p_value_holm": adjusted[1]}
    assert section["still"] == UNTESTED | {"p_value_holm": None}
    assert section["noise"]["p_value_holm"] < 0.01 < section["walk"]["p_value_holm"]


def test_of_long_inputs_the_latest_rows_are_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_diagnostics, "MAX_ADF_ROWS", 200)
    values = rng(7).standard_normal(500)
    assert run_input_tests({"long": values}) == run_input_tests({"long": values[300:]})


@pytest.mark.parametrize("bars", [0, 1, 4])
def test_without_rows_every_figure_is_none_and_valid_json(bars: int) -> None:
    features, none = np.zeros((bars, 2)), np.full(bars, np.nan)
    section = {
        "forecasts": run_forecast_tests({"strategy": none}, none, none, 1),
        "residuals": run_residual_tests(none, none, features, 1),
        "inputs": run_input_tests({"a": features[:, 0], "b": features[:, 1]}),
    }
    plain = {name: section.as_dict() for name, section in section.items()}
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["residuals"] == {"ljung_box": UNTESTED, "breusch_godfrey": UNTESTED}
    assert plain["inputs"]["adf"]["a"] == UNTESTED | {"p_value_holm": None}


def test_several_symbols_have_the_direction_test_of_a_panel_and_say_how_many_they_are() -> None:
    own, actual = (np.column_stack([each, each[::-1] + 0.1]) for each in (OWN, ACTUAL))
    drift = np.full(own.shape, 0.02)
    panel = run_forecast_tests({"strategy": own}, actual, drift, horizon=1)
    assert panel["symbols"] == 2
    assert panel["pesaran_timmermann"] == asdict(direction_test(own, actual))
    alone = run_forecast_tests({"strategy": own[:, :1]}, actual[:, :1], drift[:, :1], horizon=1)
    assert "symbols" not in alone
