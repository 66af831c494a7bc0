"""Gradients are those of finite differences, integrated ones add up; attention sums to 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine.interpretation.attention import attention_over_steps
from engine.interpretation.gradient_attribution import attribute_gradients, why_no_gradients
from engine.interpretation.shapley import shapley_values
from engine.models import AttentionLstm, GradientBoosting, Lstm, Ridge, Transformer
from engine.models.training.input_gradients import DifferentiableForecast
from tests.interpretation.explained import explain_fit
from tests.interpretation.functions import feature_groups

LOOKBACK = 5
NETWORKS = [
    Lstm(lookback=LOOKBACK, units=(4,)),
    Transformer(lookback=LOOKBACK, width=4, heads=2, layers=2, feed_forward=4),
    AttentionLstm(lookback=LOOKBACK, units=4, attention_units=3),
]


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_gradients_of_a_network(network) -> None:
    with threadpool_limits(1):
        fit = explain_fit(network)
        deviation = float(fit.forecast(fit.test).std())
        found = attribute_gradients(fit, fit.test, deviation)

        # The kinks of ReLU leave a gap, which documents and pages tell.
        smooth = not isinstance(network, Transformer)
        assert found.completeness_errors.max() < (1e-3 if smooth else 5e-3)
        _check_finite_differences(fit)
        attention = attention_over_steps(fit, fit.test)

    if isinstance(network, Lstm):
        assert attention is None
    else:
        assert attention is not None
        assert attention.shape == (len(fit.test), LOOKBACK)
        assert (attention >= 0).all()
        np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)


def _check_finite_differences(fit) -> None:
    """A step of one cell of every row, by the forward pass that serves."""
    forecaster = fit.model.forecaster
    gradients = DifferentiableForecast(
        forecaster.model, forecaster, fit.test.shape.branches, 0
    ).gradients(fit.test.branches)[0]
    step = 0.005
    for place in ((0, 0), (LOOKBACK - 2, 1), (LOOKBACK - 1, 2)):
        moved = []
        for sign in (-1, 1):
            branch = fit.test.branches[0].copy()
            branch[:, *place] += sign * step
            moved.append(fit.forecast(replace(fit.test, branches=(branch,))))
        difference = (moved[1] - moved[0]) / (2 * step)
        scale = np.abs(gradients).max()
        np.testing.assert_allclose(gradients[:, *place], difference, atol=0.01 * scale)


def test_those_of_a_ridge_regression_are_exact_and_its_shapley_values() -> None:
    fit = explain_fit(Ridge(lookback=2))

    found = attribute_gradients(fit, fit.test, float(fit.forecast(fit.test).std()))

    assert found.completeness_errors.max() < 1e-5
    by_feature = found.attributions[0].sum(axis=1)
    everything = shapley_values(
        fit.forecast, fit.test, fit.background, feature_groups(3), rng=np.random.default_rng(1)
    )
    # The baseline is the mean of all steps, the background has each step of its own.
    own_steps = fit.background.branches[0].mean(axis=0) - fit.background.branches[0].mean((0, 1))
    weights = fit.model.forecaster.weights[0].reshape(own_steps.shape)
    shifted = by_feature - (own_steps * weights).sum(axis=0)
    np.testing.assert_allclose(everything.values, shifted, atol=1e-7)


def test_a_model_without_gradients_says_so() -> None:
    fit = explain_fit(GradientBoosting(lookback=2, trees=5))

    assert why_no_gradients(fit) == "gradient_boosting is no network of the engine"
