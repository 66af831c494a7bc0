"""Honest runs of every shape pass; costly fits are made once, and again only where they must."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import engine
from engine.backtest import runner
from engine.core.errors import LookaheadError
from engine.models import Forecast, TrainingSpec
from engine.strategy import Strategy, load_strategy
from engine.training.executors.base import Executor
from engine.training.store import FitStore
from engine.training.worker import fit_task
from tests.pipeline.markets import market, write_strategy
from tests.training.chained import Chained

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

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


class Here(Executor):
    """Fits in this process, and counts; rounds as a machine of its own does."""

    def __init__(self, rounding: float = 0.0) -> None:
        self.backend, self.workers = "tensorflow", 1
        self.rounding, self.fitted = rounding, []

    def run_tasks(self, scheduler) -> Generator:
        while taken := scheduler.next_ready():
            place, start = taken
            task = scheduler.tasks[place].with_previous_fit(start)
            made = fit_task(task)
            made = replace(made, test=made.test + self.rounding)
            self.fitted.append(str(task))
            scheduler.mark_finished(place, made)
            yield place, made


@pytest.fixture
def costly(file: Path, tmp_path: Path, monkeypatch) -> Iterator:
    """Runs a strategy whose fits are stored, on an executor of choice, in a home of its own."""
    spec = load_strategy(file, FAST)

    def run(executor: Executor, *, fresh: bool = False, **chosen: object) -> engine.Run:
        monkeypatch.setattr(runner, "_make_executor", lambda *_: executor)
        wanted: Strategy = spec.model_copy(update={"model": Chained(), "seeds": 2, **chosen})
        places = {"out": tmp_path / "out", "home": tmp_path / "home"}
        return engine.run(wanted, **places, fresh=fresh, pages=False)

    return run


WARM = TrainingSpec(warm_start="previous_window")


@pytest.mark.parametrize("training", [TrainingSpec(), WARM], ids=["cold", "warm"])
def test_what_is_stored_is_not_fitted_again_and_the_certificate_is_the_same(
    costly, training: TrainingSpec
) -> None:
    first, second = Here(), Here()
    made = costly(first, training=training)
    windows = len(made.manifest["windows"])
    assert len(first.fitted) == 2 * windows + made.certificate["fits_refitted"]
    assert 1 <= made.certificate["fits_refitted"] <= 2
    written = (made.run_dir / "certificate.json").read_bytes()
    again = costly(second, training=training)
    assert second.fitted == []
    assert (again.run_dir / "certificate.json").read_bytes() == written
    anew = Here()
    costly(anew, training=training, fresh=True)
    assert len(anew.fitted) >= 2 * windows, "all of the run's own"
    assert (made.run_dir / "certificate.json").read_bytes() == written


def test_a_fit_that_was_left_out_is_not_asked_for_again(costly) -> None:
    executor = Here()
    made = costly(executor, model=Chained(fails="warm"), training=WARM, on_failure="skip", seeds=1)
    assert made.certificate["result"] == "passed"


def test_another_machine_that_rounds_otherwise_is_no_look_ahead(costly, tmp_path: Path) -> None:
    costly(Here())
    store = FitStore(tmp_path / "home" / "fits")
    store.remove([entry.key for entry in store.entries() if "other bars" in entry.label])
    other = Here(rounding=1e-3)
    assert costly(other).certificate["result"] == "passed"
    (asked,) = [fit for fit in other.fitted if "first" in fit]  # one window to settle it, not all
    assert len(other.fitted) == 4, asked


class PeekingChained(Chained):
    """Its weight knows the mean of the rows it is tested on."""

    def fit_predict(self, dataset, training, seed) -> Forecast:
        made = super().fit_predict(dataset, training, seed)
        level = 1e-3 * float(dataset.inputs[dataset.test].mean())
        return replace(made, train=made.train + level, test=made.test + level)


def test_a_network_that_reads_test_rows_when_it_is_trained(costly) -> None:
    with pytest.raises(LookaheadError, match="strategy AAA window 0 seed 0"):
        costly(Here(), model=PeekingChained())


class Restless(Here):
    """Never makes the same fit twice."""

    def run_tasks(self, scheduler) -> Generator:
        for place, made in super().run_tasks(scheduler):
            moved = replace(made, test=made.test + 1e-3 * len(self.fitted))
            yield place, moved


def test_a_fit_that_does_not_repeat_itself_cannot_be_certified(costly) -> None:
    with pytest.raises(LookaheadError, match="does not repeat itself"):
        costly(Restless())
