"""A task's key is everything that decides its forecast, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest

from engine.core.randomness import derive_seed
from engine.core.stage_versions import FIT_STAGES, STAGE_VERSIONS, format_stage_versions
from engine.core.versions import collect_fit_versions
from engine.models import (
    Ensemble,
    Forecast,
    Lstm,
    Micdl,
    Ridge,
    TrainingSpec,
    TunedForecaster,
    TuningSpec,
)
from engine.models.dataset import CoarseInputs
from engine.splits.purged import PurgedKFold
from engine.training.task import FitTask
from tests.models.planted_data import planted

VERSIONS = {"keras": "3.15.1"}
TASK = FitTask("strategy", "BTC", 3, 0, 11, Micdl(), TrainingSpec(), planted())


def tune(longest: int, **told: object) -> TuningSpec:
    space = {"model.lookback": {"kind": "integer", "low": 1, "high": longest}}
    return TuningSpec.model_validate({"space": space, **told})


def key(task: FitTask, backend: str = "tensorflow", versions: dict[str, str] = VERSIONS) -> str:
    return task.key(backend, versions)


def test_the_same_task_has_the_same_key() -> None:
    assert key(TASK) == key(replace(TASK, dataset=planted()))


@pytest.mark.parametrize("array", ["inputs", "target", "trailing", "train", "validation", "test"])
def test_one_changed_number_in_any_array_changes_the_key(array: str) -> None:
    changed = getattr(TASK.dataset, array).copy()
    changed.ravel()[5] += 1
    assert key(replace(TASK, dataset=replace(TASK.dataset, **{array: changed}))) != key(TASK)


@pytest.mark.parametrize(
    "change",
    [
        {"model": Lstm()},
        {"model": Micdl(units=51)},
        {"training": TrainingSpec(epochs=21)},
        {"seed": 12},
    ],
    ids=str,
)
def test_model_training_and_seed_change_the_key(change) -> None:
    assert key(replace(TASK, **change)) != key(TASK)


@pytest.mark.parametrize("change", [{"horizons": (5,)}, {"recursive": True}], ids=str)
def test_what_is_asked_for_changes_the_key(change) -> None:
    assert key(replace(TASK, dataset=replace(TASK.dataset, **change))) != key(TASK)


@pytest.mark.parametrize("array", ["inputs", "latest"])
def test_one_changed_number_of_the_coarse_inputs_changes_the_key(array: str) -> None:
    coarse = CoarseInputs(np.zeros((9, 2), dtype=np.float32), np.arange(460) // 60, ((0, 1),))
    changed = getattr(coarse, array).copy()
    changed.ravel()[5] += 1

    def with_coarse(*further: CoarseInputs) -> str:
        return key(replace(TASK, dataset=replace(TASK.dataset, coarse=further)))

    others = [(), (coarse, coarse), (replace(coarse, groups=((0,), (1,))),)]
    others.append((replace(coarse, **{array: changed}),))
    assert len({with_coarse(coarse), *(with_coarse(*other) for other in others)}) == 5


def test_backend_and_versions_change_the_key() -> None:
    assert key(TASK, "jax") != key(TASK)
    assert key(TASK, versions={"keras": "3.15.2"}) != key(TASK)


@pytest.mark.parametrize("stage", FIT_STAGES)
def test_a_raised_version_of_a_fitting_stage_changes_the_key(stage: str, monkeypatch) -> None:
    before = key(TASK, versions=collect_fit_versions("tensorflow"))
    raised = {**STAGE_VERSIONS, stage: STAGE_VERSIONS[stage] + 1}
    monkeypatch.setattr("engine.core.stage_versions.STAGE_VERSIONS", raised)
    assert key(TASK, versions=collect_fit_versions("tensorflow")) != before


def test_no_byte_of_the_engines_source_is_part_of_a_key() -> None:
    told = collect_fit_versions("tensorflow")
    assert set(told) == {"stages", "keras", "numpy", "scikit-learn", "tensorflow"}
    assert told["stages"] == format_stage_versions(FIT_STAGES)


def test_optunas_version_changes_the_key_of_tuned_tasks_alone(monkeypatch) -> None:
    tuned = replace(TASK, model=TunedForecaster(model=Ridge(), tune=tune(8)))
    plain, before = key(TASK), key(tuned)
    installed = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "9.9.9" if name == "optuna" else installed(name)
    )
    assert key(tuned) != before
    assert key(TASK) == plain


def test_the_space_and_the_splits_change_the_key() -> None:
    keys = {
        key(replace(TASK, model=TunedForecaster(model=Ridge(), tune=changed)))
        for changed in (tune(8), tune(9), tune(8, trials=3), tune(8, splits=PurgedKFold(folds=5)))
    }
    assert len(keys) == 4


def test_whose_task_it_is_does_not_change_the_key() -> None:
    named = replace(TASK, book="other", window=9, seed_index=4, symbol="ETH", horizons=(1, 5))
    assert key(named) == key(TASK)


def test_a_seed_is_decided_by_its_name_alone() -> None:
    assert derive_seed(7, "fit", "BTC", 0) == derive_seed(7, "fit", "BTC", 0)
    seeds = {
        derive_seed(root, "fit", s, m) for root in (7, 8) for s in ("A", "B") for m in range(50)
    }
    assert len(seeds) == 200


def test_a_seed_fits_every_generator() -> None:
    assert all(0 <= derive_seed(0, n) < 2**63 for n in range(100))
    np.random.default_rng(derive_seed(0, "x"))


def test_the_weights_it_goes_on_from_change_the_key() -> None:
    warm = replace(TASK, training=TrainingSpec(warm_start="previous_window"))
    keys = {warm.key("jax", VERSIONS, before) for before in (None, "ab", "cd")}
    assert len(keys) == 3


def test_the_key_is_the_same_before_and_after_the_weights_are_handed_out() -> None:
    warm = replace(TASK, training=TrainingSpec(warm_start="previous_window"))
    start = Forecast(np.empty(0), np.empty(0), np.empty(0), weights=(np.ones(3),))
    assert warm.with_previous_fit(start).key("jax", VERSIONS, "ab") == warm.key(
        "jax", VERSIONS, "ab"
    )


def test_only_networks_in_a_strategy_that_says_so_start_warm() -> None:
    training = TrainingSpec(warm_start="previous_window")
    assert replace(TASK, training=training).starts_warm
    assert not TASK.starts_warm
    assert not replace(TASK, training=training, model=Ridge()).starts_warm
    assert replace(TASK, training=training, model=Ensemble(members=(Ridge(), Micdl()))).starts_warm
