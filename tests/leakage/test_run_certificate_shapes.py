"""Honest runs of every shape pass; costly fits are made once, and again only where they must."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

import engine
from engine.core.errors import LookaheadError
from engine.models import TrainingSpec
from engine.strategy import Strategy, load_strategy
from engine.training.store import FitStore
from engine.training.worker import fit_task
from tests.leakage.leaks import PeekingChained, Remembering
from tests.pipeline.markets import market, write_strategy
from tests.training.chained import Chained
from tests.training.in_process import InProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.models.fitted_model import FittedModel
    from engine.training.executors.base import Executor
    from engine.training.task import FitTask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
]

FAST = {"evaluation.resamples": 200, "benchmarks": [{"kind": "ma_crossover"}]}

SHAPES = {
    "several horizons on coarser bars too": {
        "target": {"horizon": 3, "horizons": [1, 3]},
        "resolutions": ["1w"],
        "scaling": {"kind": "rolling_zscore", "window": 20},
        "execution": {"delay": 2, "price": "close"},
    },
    "an ensemble on its own symbol": {
        "model": {
            "kind": "ensemble",
            "members": [{"kind": "ridge"}, {"kind": "drift"}],
            "combine": "validation_weighted",
        },
        "inputs": "target",
    },
    "one window": {"windows": {"train": 300, "validation": 50, "test": 400}},
    "one bar out of sample": {"windows": {"train": 400, "validation": 238, "test": 20}},
    "a window a bar": {"windows": {"train": 400, "validation": 220, "test": 1, "embargo": 3}},
    "tuned": {
        "tune": {
            "trials": 2,
            "splits": {"kind": "purged_kfold", "folds": 2},
            "space": {"model.lookback": {"kind": "integer", "low": 1, "high": 2}},
        },
    },
}


@pytest.fixture(scope="module")
def file(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"))


FEW = ("several horizons on coarser bars too", "one window", "one bar out of sample")


@pytest.mark.parametrize(
    "shape",
    [pytest.param(name, marks=() if name in FEW else pytest.mark.slow) for name in SHAPES],
)
def test_an_honest_run_of_any_shape_has_a_certificate(
    shape: str, file: Path, module_folder: Path
) -> None:
    made = engine.run(
        file,
        overrides={**FAST, **SHAPES[shape]},
        out=module_folder / "out",
        home=module_folder / "home",
        pages=False,
    )
    told = made.certificate
    assert told["result"] == "passed"
    bars = len(made.returns)
    assert len(told["cuts"]) >= min(8, bars)
    assert {"features", "labels"} <= set(told["compared"])
    if bars > 1:
        assert {"positions", "fills"} <= set(told["compared"])


@dataclass
class RoundingExecutor(InProcess):
    """Rounds as a machine of its own does."""

    rounding: float = 0.0

    def fit(self, task: FitTask) -> FittedModel:
        return move_weight(fit_task(task), self.rounding)


def move_weight(fitted: FittedModel, step: float) -> FittedModel:
    """The model that another machine, which rounds otherwise, makes of the same fit."""
    (weight,) = fitted.forecaster.weights
    return replace(
        fitted,
        forecaster=replace(fitted.forecaster, weights=(weight + step,)),
        train=fitted.train + step,
        validation=fitted.validation + step,
    )


@pytest.fixture
def costly(file: Path, tmp_path: Path, monkeypatch) -> Iterator:
    """Runs a strategy whose fits are stored, on an executor of choice, in a home of its own."""
    spec = load_strategy(file, FAST)

    def run(executor: Executor, *, fresh: bool = False, **chosen: object) -> engine.Run:
        monkeypatch.setattr("engine.pipeline.executor.LocalExecutor", lambda *_: executor)
        wanted: Strategy = spec.model_copy(update={"model": Chained(), "seeds": 2, **chosen})
        places = {"out": tmp_path / "out", "home": tmp_path / "home"}
        return engine.run(wanted, **places, fresh=fresh, pages=False)

    return run


WARM = TrainingSpec(warm_start="previous_window")


@pytest.mark.parametrize("training", [TrainingSpec(), WARM], ids=["cold", "warm"])
def test_what_is_stored_is_not_fitted_again_and_the_certificate_is_the_same(
    costly, training: TrainingSpec
) -> None:
    first, second = InProcess(), InProcess()
    made = costly(first, training=training)
    windows = len(made.manifest["windows"])
    assert len(first.fitted) == 2 * windows + made.certificate["fits_refitted"]
    assert made.certificate["fits_refitted"] == 8
    written = (made.run_dir / "certificate.json").read_bytes()
    again = costly(second, training=training)
    assert second.fitted == []
    assert (again.run_dir / "certificate.json").read_bytes() == written
    anew = InProcess()
    costly(anew, training=training, fresh=True)
    assert len(anew.fitted) >= 2 * windows, "all of the run's own"
    assert (made.run_dir / "certificate.json").read_bytes() == written


def test_a_fit_that_was_left_out_is_not_asked_for_again(costly) -> None:
    executor = InProcess()
    made = costly(executor, model=Chained(fails="warm"), training=WARM, on_failure="skip", seeds=1)
    assert made.certificate["result"] == "passed"


def test_another_machine_that_rounds_otherwise_is_no_look_ahead(costly, tmp_path: Path) -> None:
    costly(InProcess())
    store = FitStore(tmp_path / "home" / "fits")
    store.remove([entry.key for entry in store.entries() if "other bars" in entry.label])
    other = RoundingExecutor(rounding=1e-3)
    assert costly(other).certificate["result"] == "passed"
    asked = [fit for fit in other.fitted if "first" in fit]
    assert 1 <= len(asked) <= 2, "the windows that are fitted again, to settle it, and not all"
    assert len(other.fitted) <= 8 + 3 * len(asked), other.fitted


def test_a_costly_fit_that_reads_bars_beside_its_arrays(costly, file: Path) -> None:
    features = (*load_strategy(file).features, Remembering())
    with pytest.raises(LookaheadError, match="strategy AAA window 0 seed 0"):
        costly(InProcess(), model=PeekingChained(), features=features)


class Restless(InProcess):
    """Never makes the same fit twice."""

    def fit(self, task: FitTask) -> FittedModel:
        return move_weight(fit_task(task), 1e-3 * len(self.fitted))


def test_a_fit_that_does_not_repeat_itself_cannot_be_certified(costly) -> None:
    with pytest.raises(LookaheadError, match="does not repeat itself"):
        costly(Restless())
