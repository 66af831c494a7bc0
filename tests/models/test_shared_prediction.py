"""Models that share a fit predict together, with the bits that each has alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import DataError
from engine.models import Ridge
from engine.models.shared_prediction import PredictionRequest, predict_requests
from engine.splits.scaling import MinMaxScaling
from tests.models.planted_data import planted
from tests.models.served_models import fit_model, make_feature_rows

if TYPE_CHECKING:
    from engine.models.fitted_model import FittedModel

NEWEST = planted().test[40:41]


def pooled_requests(fitted: FittedModel, other: FittedModel) -> list[PredictionRequest]:
    """Five symbols with bars and scalings of their own, the third of another fit."""
    rows = make_feature_rows(coarse=bool(fitted.input_transform.coarse))
    requests = []
    for place in range(5):
        model = other if place == 2 else fitted
        if place == 4:
            model = replace(fitted, transform=other.input_transform)
        own = replace(rows, features=rows.features * (1 + place / 7), trailing=-rows.trailing)
        requests.append(PredictionRequest(model, own, NEWEST + np.arange(1 + place)))
    return requests


@pytest.mark.parametrize("coarse", [False, True], ids=["one interval", "two intervals"])
def test_a_forecast_has_the_same_bits_alone_and_with_other_symbols(coarse: bool) -> None:
    fitted = fit_model(Ridge(lookback=5), coarse=coarse)
    requests = pooled_requests(
        fitted, fit_model(fitted.forecaster.model, MinMaxScaling(), coarse=coarse)
    )
    together = predict_requests(requests)
    for request, found in zip(requests, together, strict=True):
        alone = request.model.predict(request.rows, request.at)
        assert found.returns.tobytes() == alone.returns.tobytes()
        assert len(found.returns) == len(request.at)


def test_one_fit_predicts_by_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = pooled_requests(fit_model(Ridge(lookback=5)), fit_model(Ridge(lookback=5)))
    predict, calls = Ridge.predict, []

    def count(self, fitted, inputs, rows):
        calls.append(len(rows))
        return predict(self, fitted, inputs, rows)

    monkeypatch.setattr(Ridge, "predict", count)
    predict_requests(requests)
    assert calls == [1 + 2 + 4 + 5, 3]


def test_a_feature_of_one_symbol_that_is_not_finite_is_refused() -> None:
    fitted = fit_model(Ridge(lookback=5))
    requests = pooled_requests(fitted, fitted)
    broken = requests[3].rows.features.copy()
    broken[NEWEST[0] - 1, 1] = np.nan
    requests[3] = replace(requests[3], rows=replace(requests[3].rows, features=broken))
    with pytest.raises(DataError, match="not finite"):
        predict_requests(requests)
