"""Losses, optimizers and schedules inside the compiled steps, on both backends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.models import (
    Adam,
    AdamW,
    ConstantSchedule,
    CosineSchedule,
    DirectionalLoss,
    HuberLoss,
    MaeLoss,
    MseLoss,
    QuantileLoss,
    RmsProp,
    SharpeLoss,
    StepSchedule,
    TrainingSpec,
)
from engine.models.training.batches import make_even_batches
from engine.models.training.losses import LossBatch, TargetScale
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from tests.models.inspection import OnExample, to_forecast
from tests.models.planted_data import ExampleForecast, change, planted
from tests.models.training.networks import Tiny, outputs_by_hand

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PLANTED = planted(edge=0.8)
EXAMPLE = change(PLANTED, target=PLANTED.target + 0.004)
"""With a drift, so that scaled and raw returns often differ in sign."""

KNOWN = EXAMPLE.training_set
TRUTH = EXAMPLE.target[KNOWN.train]
SCALE = TargetScale(TRUTH.mean(), TRUTH.std())
SCALED = (EXAMPLE.target - SCALE.mean) / SCALE.std

LOSSES = [MseLoss(), MaeLoss(), HuberLoss(), DirectionalLoss(), SharpeLoss(), QuantileLoss()]

STILL = TrainingSpec(epochs=1, optimizer=Adam(learning_rate=1e-6), schedule=ConstantSchedule())
"""Weights move enough to count as trained, and not enough to change a loss."""

LEARNING = TrainingSpec(epochs=12, batch_size=32, optimizer=Adam(learning_rate=0.02))
OPTIONS = {
    **{loss.kind: LEARNING.model_copy(update={"loss": loss}) for loss in LOSSES},
    "adamw": LEARNING.model_copy(update={"optimizer": AdamW(learning_rate=0.02)}),
    "rmsprop": LEARNING.model_copy(
        update={"optimizer": RmsProp(learning_rate=0.01, momentum=0.5)}
    ),
    "cosine": LEARNING.model_copy(update={"schedule": CosineSchedule()}),
}
DECAY = AdamW(learning_rate=1e-4, weight_decay=90)
FITS = {
    **{(name, n): (Tiny(), OPTIONS[name], s) for name in OPTIONS for n, s in enumerate((1, 2, 1))},
    **{("still", x.kind): (Tiny(), STILL.model_copy(update={"loss": x}), 1) for x in LOSSES},
    "penalised": (Tiny(l2=0.5), STILL, 1),
    "decayed": (Tiny(), STILL.model_copy(update={"optimizer": DECAY}), 1),
    "close": (Tiny(), STILL.model_copy(update={"loss": QuantileLoss(levels=(0.4, 0.5, 0.6))}), 1),
    "frozen": (
        Tiny(),
        LEARNING.model_copy(update={"schedule": StepSchedule(factor=1e-7, every=2)}),
        1,
    ),
}


@dataclass(frozen=True)
class Bench:
    """One backend, and all fits one after the other in one worker."""

    backend: str
    programs: Path
    fits: dict[object, ExampleForecast]

    def fit(self, names) -> dict[object, ExampleForecast]:
        tasks = [
            FitTask("strategy", "X", 0, 0, seed, OnExample(network, EXAMPLE), training, KNOWN)
            for network, training, seed in map(FITS.get, names)
        ]
        finished = dict(
            LocalExecutor(1, self.backend, self.programs).run_tasks(FitScheduler(tasks))
        )
        return {name: to_forecast(finished[place]) for place, name in enumerate(names)}


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def bench(request, tmp_path_factory) -> Bench:
    bench = Bench(request.param, tmp_path_factory.mktemp("programs"), {})
    bench.fits.update(bench.fit(list(FITS)))
    return bench


def loss_by_hand(loss, forecast: ExampleForecast, rows) -> float:
    outputs = outputs_by_hand(forecast.fitted.weights, EXAMPLE.inputs, rows)
    real = np.ones(len(rows), dtype=bool)
    return float(loss.compute(np, LossBatch(outputs, SCALED[rows], real, SCALE)))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
def test_compiled_step_and_validation_use_the_same_loss(bench: Bench, loss) -> None:
    forecast = bench.fits["still", loss.kind]
    batches = make_even_batches(KNOWN.train, STILL.batch_size)
    assert not batches.mask.all()
    by_batch = [
        loss_by_hand(loss, forecast, rows[real]) * real.sum()
        for rows, real in zip(batches.rows, batches.mask, strict=True)
    ]
    train = sum(by_batch) / len(KNOWN.train)
    assert forecast.fitted.history.train_loss[0] == pytest.approx(train, rel=1e-3)
    validation = loss_by_hand(loss, forecast, KNOWN.validation)
    assert forecast.fitted.history.validation_loss[0] == pytest.approx(validation, rel=1e-4)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_loss_falls_and_a_planted_signal_is_learnt(bench: Bench, name: str) -> None:
    forecast = bench.fits[name, 0]
    losses = forecast.fitted.history.train_loss
    assert losses[-1] < losses[0] - 0.1 * abs(losses[0])
    assert np.corrcoef(forecast.test, EXAMPLE.target[EXAMPLE.test])[0, 1] > 0.5


@pytest.mark.parametrize("name", OPTIONS)
def test_no_state_is_carried_from_one_fit_to_the_next(bench: Bench, name: str) -> None:
    first, other, again = (bench.fits[name, number] for number in range(3))
    assert first.test.tobytes() == again.test.tobytes() != other.test.tobytes()
    assert first.fitted.history == again.fitted.history


def test_a_reused_worker_gives_the_bytes_of_a_fresh_one(bench: Bench) -> None:
    names = [("rmsprop", 0), ("adamw", 0), ("sharpe", 0)]
    for name, fresh in bench.fit(names).items():
        assert fresh.test.tobytes() == bench.fits[name].test.tobytes()


def test_every_option_gives_another_fit(bench: Bench) -> None:
    assert len({bench.fits[name, 0].test.tobytes() for name in OPTIONS}) == len(OPTIONS)


def test_quantiles_ascend_around_the_forecast_and_cover_their_share(bench: Bench) -> None:
    forecast = bench.fits["quantile", 0]
    low, middle, high = forecast.quantiles.T
    assert (low <= middle).all()
    assert (middle <= high).all()
    assert middle.tobytes() == forecast.test.tobytes()
    truth = EXAMPLE.target[EXAMPLE.test]
    assert 0.6 < ((low < truth) & (truth < high)).mean() < 0.95
    assert bench.fits["mse", 0].quantiles is None


def test_crossing_quantiles_are_sorted(bench: Bench) -> None:
    forecast = bench.fits["close"]
    outputs = outputs_by_hand(forecast.fitted.weights, EXAMPLE.inputs, EXAMPLE.test)
    assert (np.diff(outputs, axis=1) < 0).any()
    expected = SCALE.mean + SCALE.std * np.sort(outputs, axis=1)
    assert forecast.quantiles == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_penalties_on_weights_count_in_training_and_not_in_validation(bench: Bench) -> None:
    free, penalised = bench.fits["still", "mse"], bench.fits["penalised"]
    extra = penalised.fitted.history.train_loss[0] - free.fitted.history.train_loss[0]
    assert extra == pytest.approx(0.5 * np.sum(np.square(free.fitted.weights[0])), rel=1e-3)
    validation = penalised.fitted.history.validation_loss
    assert validation == pytest.approx(free.fitted.history.validation_loss, rel=1e-4)


def test_weight_decay_shrinks_kernels_by_its_share_of_the_rate_every_step(bench: Bench) -> None:
    kept, decayed = bench.fits["still", "mse"], bench.fits["decayed"]
    steps = len(make_even_batches(KNOWN.train, STILL.batch_size).rows)
    for kernel in (0, 2):
        share = np.median(decayed.fitted.weights[kernel] / kept.fitted.weights[kernel])
        assert share == pytest.approx((1 - 1e-4 * 90) ** steps, abs=5e-3)


def test_the_schedule_sets_the_rate_of_every_epoch(bench: Bench) -> None:
    losses = bench.fits["frozen"].fitted.history.validation_loss
    assert losses[1] < losses[0] - 1e-3
    assert losses[2:] == pytest.approx([losses[1]] * (len(losses) - 2), abs=1e-5)
