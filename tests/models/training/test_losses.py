"""Losses against their formulas in plain Python."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.models import (
    DirectionalLoss,
    HuberLoss,
    MaeLoss,
    MseLoss,
    QuantileLoss,
    SharpeLoss,
    TrainingSpec,
)
from engine.models.training.losses import LossBatch, TargetScale
from tests.models.training import formulas

LOSSES = [
    MseLoss(),
    MaeLoss(),
    HuberLoss(delta=0.7),
    DirectionalLoss(weight=2.0, sharpness=4.0),
    SharpeLoss(cost_bps=15, sharpness=2.0),
    QuantileLoss(levels=(0.05, 0.5, 0.8)),
]
kinds = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)


@dataclass(frozen=True)
class Row:
    predicted: tuple[float, ...]
    target: float
    raw_forecast: float
    raw_return: float


@st.composite
def batches(draw) -> LossBatch:
    count, padding = draw(st.integers(1, 40)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = TargetScale(draw(st.floats(-0.02, 0.02)), draw(st.floats(0.001, 0.1)))
    predicted = rng.normal(scale=draw(st.floats(0.01, 3)), size=(count + padding, 3))
    real = np.arange(count + padding) < count
    return LossBatch(predicted, rng.normal(size=count + padding), real, scale)


def by_hand(loss, batch: LossBatch) -> float:
    drift = batch.scale.mean / batch.scale.std
    rows = [
        Row(tuple(predicted), target, predicted[0] + drift, target + drift)
        for predicted, target, real in zip(batch.predicted, batch.target, batch.mask, strict=True)
        if real
    ]
    options = loss.model_dump(exclude={"kind"})
    if loss.kind == "sharpe":
        options["deviation"] = batch.scale.std
    return getattr(formulas, loss.kind)(rows, **options)


@kinds
@given(batch=batches())
def test_a_loss_equals_its_formula_over_the_real_rows(loss, batch: LossBatch) -> None:
    assert loss.compute(np, batch) == pytest.approx(by_hand(loss, batch), rel=1e-6, abs=1e-9)


@kinds
@given(batch=batches())
def test_padding_has_no_weight(loss, batch: LossBatch) -> None:
    other = np.where(batch.mask, batch.target, 1e6)
    assert loss.compute(np, batch) == loss.compute(np, batch._replace(target=other))


def one(predicted: float, target: float, mean: float) -> LossBatch:
    one_row = np.array([target]), np.array([True])
    return LossBatch(np.array([[predicted]]), *one_row, TargetScale(mean, 0.01))


@given(st.floats(0.01, 2), st.floats(0.01, 2), st.floats(-0.02, 0.02))
def test_of_two_equal_errors_the_wrong_sign_costs_more(
    size: float, error: float, mean: float
) -> None:
    target = size - mean / 0.01  # a raw return of `size` deviations, whatever the train mean
    above, below = (one(target + e, target, mean) for e in (error, -error))
    assert DirectionalLoss().compute(np, above) < DirectionalLoss().compute(np, below)


def test_the_directional_loss_does_not_favour_a_forecast_of_zero() -> None:
    rng = np.random.default_rng(3)
    returns = 0.1 + rng.normal(size=20_000)
    rows = np.ones(len(returns), dtype=bool)
    costs = [
        DirectionalLoss().compute(
            np, LossBatch(np.full((len(returns), 1), level), returns, rows, TargetScale(0, 1))
        )
        for level in (-0.1, 0.0, 0.1)
    ]
    assert costs[2] < costs[1] < costs[0]


def stretch(predicted: list[float], returns: list[float]) -> LossBatch:
    rows = np.ones(len(returns), dtype=bool)
    return LossBatch(np.array(predicted)[:, None], np.array(returns), rows, TargetScale(0.0, 0.01))


def test_the_sharpe_loss_charges_all_position_changes_after_the_first() -> None:
    returns = [1.0, -0.5, 0.8, 0.2]
    held, turned = stretch([5.0] * 4, returns), stretch([5.0, -5.0, 5.0, -5.0], returns)
    free, dear = SharpeLoss(cost_bps=0), SharpeLoss(cost_bps=50)
    assert dear.compute(np, held) == free.compute(np, held)
    assert dear.compute(np, turned) > free.compute(np, turned)


def test_the_sharpe_loss_of_vanishing_positions_is_zero() -> None:
    returns = [1.0, -0.5, 0.8, 0.2]
    bold, faint = (stretch([size] * 4, returns) for size in (1.0, 1e-6))
    assert SharpeLoss().compute(np, bold) < -0.5
    assert abs(SharpeLoss().compute(np, faint)) < 1e-3


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_the_optimum_of_the_pinball_loss_is_the_quantile(level: float) -> None:
    returns = np.random.default_rng(5).normal(size=4_000)
    grid = np.linspace(-2, 2, 161)
    rows = np.ones(len(returns), dtype=bool)
    place = sorted({level, 0.5}).index(level)
    loss = QuantileLoss(levels=tuple(sorted({level, 0.5})))
    outputs = np.zeros((len(returns), len(loss.levels)))

    def cost(guess: float) -> float:
        outputs[:, place] = guess
        return loss.compute(np, LossBatch(outputs, returns, rows, TargetScale(0, 1)))

    assert min(grid, key=cost) == pytest.approx(np.quantile(returns, level), abs=0.03)


@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.5, 0.1), (0.5, 0.5), (0.0, 0.5), ()])
def test_quantile_levels_ascend_and_include_the_median(levels: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError):
        QuantileLoss(levels=levels)


def test_a_loss_of_batch_statistics_needs_a_minimum_batch_size() -> None:
    with pytest.raises(ValidationError, match=r"raise training\.batch_size"):
        TrainingSpec(loss=SharpeLoss(), batch_size=8)
