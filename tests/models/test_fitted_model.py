"""A fitted model serves unscaled features of any bars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import DataError, UsageError
from engine.models import Ridge
from engine.models.fitted_model import FeatureRows
from engine.splits.scaling import MinMaxScaling, RollingZscoreScaling, StandardScaling
from tests.models.planted_data import planted
from tests.models.served_models import fit_model, make_feature_rows

AT = planted().test
MODEL = Ridge(lookback=5)


def from_bar(rows: FeatureRows, first: int) -> FeatureRows:
    """The rows without those before a bar."""
    return FeatureRows(
        rows.features[first:],
        rows.trailing[first:],
        tuple(replace(branch, latest=branch.latest[first:]) for branch in rows.coarse),
    )


def with_value(features: np.ndarray, row: int, value: float) -> np.ndarray:
    changed = features.copy()
    changed[row, 1] = value
    return changed


@pytest.mark.parametrize("coarse", [False, True], ids=["one interval", "two intervals"])
@pytest.mark.parametrize("scaling", [StandardScaling(), MinMaxScaling()], ids=lambda s: s.kind)
def test_the_bars_before_the_context_change_no_prediction(scaling, coarse: bool) -> None:
    fitted, rows = fit_model(MODEL, scaling, coarse=coarse), make_feature_rows(coarse=coarse)
    first = AT[0] - fitted.context
    short = fitted.predict(from_bar(rows, first), AT - first).returns
    assert short.tobytes() == fitted.predict(rows, AT).returns.tobytes()


def test_a_rolling_scaling_needs_the_bars_of_its_window() -> None:
    fitted, rows = fit_model(MODEL, RollingZscoreScaling(window=20)), make_feature_rows()
    assert fitted.context == 4 + 19
    first = AT[0] - fitted.context
    short = fitted.predict(from_bar(rows, first), AT - first).returns
    np.testing.assert_allclose(short, fitted.predict(rows, AT).returns, rtol=0, atol=1e-8)


def test_later_bars_change_no_prediction() -> None:
    fitted, rows = fit_model(MODEL), make_feature_rows()
    stop = AT[40] + 1
    known = replace(rows, features=rows.features[:stop], trailing=rows.trailing[:stop])
    before = fitted.predict(known, AT[:41]).returns
    assert before.tobytes() == fitted.predict(rows, AT).returns[:41].tobytes()


def test_it_predicts_its_train_rows_as_at_the_fit() -> None:
    fitted, rows = fit_model(MODEL), make_feature_rows()
    known = planted().training_set
    assert fitted.predict(rows, known.train).returns.tobytes() == fitted.train.tobytes()
    assert fitted.predict(rows, known.validation).returns.tobytes() == fitted.validation.tobytes()


def test_no_rows_give_no_predictions() -> None:
    assert fit_model(MODEL).predict(make_feature_rows(), AT[:0]).returns.shape == (0,)


def test_other_columns_than_those_of_the_fit_are_an_error() -> None:
    fitted, rows = fit_model(MODEL), make_feature_rows()
    with pytest.raises(UsageError, match="not those that the model was fitted on") as caught:
        fitted.predict(replace(rows, features=rows.features[:, :2]), AT)
    assert caught.value.expected == "3 columns: AAA:x, AAA:y, AAA:z"


def test_other_intervals_than_those_of_the_fit_are_an_error() -> None:
    with pytest.raises(UsageError, match="coarser intervals are not those"):
        fit_model(MODEL, coarse=True).predict(make_feature_rows(), AT)


def test_too_few_bars_before_a_row_are_an_error() -> None:
    fitted, rows = fit_model(MODEL), make_feature_rows()
    fitted.predict(rows, np.array([4]))
    with pytest.raises(UsageError, match="too few bars before a row") as caught:
        fitted.predict(rows, np.array([9, 3]))
    assert (caught.value.expected, caught.value.found) == ("4 bars before it", "3")


def test_a_row_after_the_last_is_an_error() -> None:
    fitted, rows = fit_model(MODEL), make_feature_rows()
    bars = len(rows.features)
    with pytest.raises(UsageError, match="a row to predict is not there") as caught:
        fitted.predict(rows, np.array([bars - 1, bars]))
    assert (caught.value.expected, caught.value.found) == (f"rows up to {bars - 1}", f"{bars}")


def test_a_coarse_bar_after_the_last_is_an_error() -> None:
    fitted, rows = fit_model(MODEL, coarse=True), make_feature_rows(coarse=True)
    (branch,) = rows.coarse
    cut = replace(branch, features=branch.features[: branch.latest[AT[0]]])
    with pytest.raises(UsageError, match="a row to predict is not there") as caught:
        fitted.predict(replace(rows, coarse=(cut,)), AT[:1])
    assert caught.value.where == "bars of BBB:1w:x"


def test_too_few_coarse_bars_before_a_row_are_an_error() -> None:
    fitted, rows = fit_model(MODEL, coarse=True), make_feature_rows(coarse=True)
    (branch,) = rows.coarse
    early = replace(rows, coarse=(replace(branch, latest=branch.latest - 31),))
    with pytest.raises(UsageError, match="too few bars before a row") as caught:
        fitted.predict(early, np.array([20]))
    assert caught.value.where == "bars of BBB:1w:x"
    assert caught.value.found == "3"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_feature_that_is_not_finite_in_a_sequence_is_an_error(value: float) -> None:
    fitted, rows = fit_model(MODEL), make_feature_rows()
    broken = replace(rows, features=with_value(rows.features, AT[0] - 4, value))
    with pytest.raises(DataError, match="a feature is not finite") as caught:
        fitted.predict(broken, AT)
    assert caught.value.found == "AAA:y, 1 in all"
    assert caught.value.where == f"row {AT[0] - 4}"
    outside = replace(rows, features=with_value(rows.features, AT[0] - 5, value))
    assert np.isfinite(fitted.predict(outside, AT).returns).all()


def test_a_coarse_feature_that_is_not_finite_is_an_error() -> None:
    fitted, rows = fit_model(MODEL, coarse=True), make_feature_rows(coarse=True)
    (branch,) = rows.coarse
    broken = replace(branch, features=with_value(branch.features, branch.latest[AT[0]], np.nan))
    with pytest.raises(DataError, match="a feature is not finite") as caught:
        fitted.predict(replace(rows, coarse=(broken,)), AT)
    assert caught.value.found == "BBB:1w:y, 1 in all"


def test_a_fit_on_arrays_that_were_scaled_by_other_means_serves_no_features() -> None:
    fitted = replace(fit_model(MODEL), transform=None)
    with pytest.raises(UsageError, match="no transform of features"):
        fitted.predict(make_feature_rows(), AT)
