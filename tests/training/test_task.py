"""The key of a task covers everything that its fit depends on, and nothing else."""

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
    FittedForecaster,
    Lstm,
    Micdl,
    Ridge,
    TrainingSpec,
    TunedForecaster,
    TuningSpec,
)
from engine.models.dataset import CoarseInputs
from engine.models.fitted_model import InputTransform, ScaledColumns
from engine.splits.purged import PurgedKFold
from engine.splits.scaling import StandardScaling
from engine.testing import make_example
from engine.training.task import FitTask

SCALER = StandardScaling().fit(np.arange(30.0).reshape(10, 3))
VERSIONS = {"keras": "3.15.1"}
TASK = FitTask("strategy", "BTC", 3, 0, 11, Micdl(), TrainingSpec(), make_example().training_set)


def tune(longest: int, **told: object) -> TuningSpec:
    space = {"model.lookback": {"kind": "integer", "low": 1, "high": longest}}
    return TuningSpec.model_validate({"space": space, **told})


def key(task: FitTask, backend: str = "tensorflow", versions: dict[str, str] = VERSIONS) -> str:
    return task.key(backend, versions)


def test_the_same_task_has_the_same_key() -> None:
    assert key(TASK) == key(replace(TASK, training_set=make_example().training_set))


@pytest.mark.parametrize("array", ["inputs", "target", "trailing", "train", "validation"])
def test_one_changed_number_in_any_array_changes_the_key(array: str) -> None:
    changed = getattr(TASK.training_set, array).copy()
    changed.ravel()[5] += 1
    assert key(replace(TASK, training_set=replace(TASK.training_set, **{array: changed}))) != key(
        TASK
    )


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
def test_horizons_and_groups_change_the_key(change) -> None:
    assert key(replace(TASK, training_set=replace(TASK.training_set, **change))) != key(TASK)


@pytest.mark.parametrize("array", ["inputs", "latest"])
def test_one_changed_number_of_the_coarse_inputs_changes_the_key(array: str) -> None:
    coarse = CoarseInputs(np.zeros((9, 2), dtype=np.float32), np.arange(371) // 60, ((0, 1),))
    changed = getattr(coarse, array).copy()
    changed.ravel()[5] += 1

    def with_coarse(*further: CoarseInputs) -> str:
        return key(replace(TASK, training_set=replace(TASK.training_set, coarse=further)))

    others = [(), (coarse, coarse), (replace(coarse, groups=((0,), (1,))),)]
    others.append((replace(coarse, **{array: changed}),))
    assert len({with_coarse(coarse), *(with_coarse(*other) for other in others)}) == 5


def test_features_and_their_scaling_change_the_key() -> None:
    """The arrays alone do not say from which columns, and by which scaling, they were made."""
    columns = ScaledColumns(
        ("a", "b", "c"), ((0,), (1,), (2,)), SCALER, lambda: np.zeros((101, 3))
    )
    transform = InputTransform("BTC", (1,), recursive=False, columns=columns)
    other_scaler = StandardScaling().fit(np.arange(30.0).reshape(10, 3) ** 2)
    keys = {
        key(replace(TASK, transform=changed))
        for changed in (
            None,
            transform,
            replace(transform, symbol="ETH"),
            replace(transform, columns=replace(columns, names=("a", "b", "d"))),
            replace(transform, columns=replace(columns, scaler=other_scaler)),
            replace(
                transform, columns=replace(columns, build_quantiles=lambda: np.ones((101, 3)))
            ),
        )
    }
    assert len(keys) == 6


def test_realised_returns_that_the_target_does_not_hold_change_the_key() -> None:
    """Recursive forecasts are trained on one bar ahead, and keep the returns over several."""
    realised = np.zeros((40, 2))
    keys = {key(replace(TASK, realised=changed)) for changed in (None, realised, realised + 0.01)}
    assert len(keys) == 3


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


def test_the_version_of_optuna_changes_only_keys_of_tuned_tasks(monkeypatch) -> None:
    tuned = replace(TASK, model=TunedForecaster(model=Ridge(), tune=tune(8)))
    plain, before = key(TASK), key(tuned)
    monkeypatch.setattr(
        "engine.core.versions.read_version",
        lambda name: "9.9.9" if name == "optuna" else metadata.version(name),
    )
    assert key(tuned) != before
    assert key(TASK) == plain


def test_the_space_and_the_splits_change_the_key() -> None:
    keys = {
        key(replace(TASK, model=TunedForecaster(model=Ridge(), tune=changed)))
        for changed in (tune(8), tune(9), tune(8, trials=3), tune(8, splits=PurgedKFold(folds=5)))
    }
    assert len(keys) == 4


def test_labels_of_a_task_do_not_change_the_key() -> None:
    named = replace(TASK, book="other", window=9, seed_index=4, symbol="ETH", horizons=(1, 5))
    assert key(named) == key(TASK)


def test_a_refit_has_a_key_of_its_own_although_its_arrays_are_the_same() -> None:
    refits = [
        replace(TASK, refit=f"other bars after {bar}") for bar in ("2020-05-01", "2020-05-02")
    ]
    assert len({key(TASK), *map(key, refits)}) == 3


def test_a_derived_seed_depends_on_its_name_only() -> None:
    assert derive_seed(7, "fit", "BTC", 0) == derive_seed(7, "fit", "BTC", 0)
    seeds = {
        derive_seed(root, "fit", s, m) for root in (7, 8) for s in ("A", "B") for m in range(50)
    }
    assert len(seeds) == 200


def test_a_derived_seed_is_valid_for_every_generator() -> None:
    assert all(0 <= derive_seed(0, n) < 2**63 for n in range(100))
    np.random.default_rng(derive_seed(0, "x"))


def test_the_previous_fit_changes_the_key() -> None:
    warm = replace(TASK, training=TrainingSpec(warm_start="previous_window"))
    keys = {warm.key("jax", VERSIONS, before) for before in (None, "ab", "cd")}
    assert len(keys) == 3


def test_the_key_does_not_depend_on_the_attached_weights() -> None:
    warm = replace(TASK, training=TrainingSpec(warm_start="previous_window"))
    start = FittedForecaster(Micdl(), weights=(np.ones(3),))
    assert warm.with_previous_fit(start).key("jax", VERSIONS, "ab") == warm.key(
        "jax", VERSIONS, "ab"
    )


def test_only_networks_with_warm_start_in_the_strategy_start_warm() -> None:
    training = TrainingSpec(warm_start="previous_window")
    assert replace(TASK, training=training).starts_warm
    assert not TASK.starts_warm
    assert not replace(TASK, training=training, model=Ridge()).starts_warm
    assert replace(TASK, training=training, model=Ensemble(members=(Ridge(), Micdl()))).starts_warm
