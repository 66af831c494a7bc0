"""A task's key is everything that decides its forecast, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest

from engine.artifacts import seed_of
from engine.models import Lstm, Micdl, Ridge, Training, Tune, Tuned
from engine.refit.task import Task
from engine.windows.purged import PurgedKFold
from tests.models.problems import planted

VERSIONS = {"keras": "3.15.1"}
TASK = Task("strategy", "BTC", 3, 0, 11, Micdl(), Training(), planted())


def tune(longest: int, **told: object) -> Tune:
    space = {"model.lookback": {"kind": "integer", "low": 1, "high": longest}}
    return Tune.model_validate({"space": space, **told})


def key(task: Task, backend: str = "tensorflow", versions: dict[str, str] = VERSIONS) -> str:
    return task.key(backend, versions)


def test_the_same_task_has_the_same_key() -> None:
    assert key(TASK) == key(replace(TASK, problem=planted()))


@pytest.mark.parametrize("array", ["inputs", "target", "trailing", "train", "validation", "test"])
def test_one_changed_number_in_any_array_changes_the_key(array: str) -> None:
    changed = getattr(TASK.problem, array).copy()
    changed.ravel()[5] += 1
    assert key(replace(TASK, problem=replace(TASK.problem, **{array: changed}))) != key(TASK)


@pytest.mark.parametrize(
    "change",
    [
        {"model": Lstm()},
        {"model": Micdl(units=51)},
        {"training": Training(epochs=21)},
        {"seed": 12},
    ],
    ids=str,
)
def test_model_training_and_seed_change_the_key(change) -> None:
    assert key(replace(TASK, **change)) != key(TASK)


def test_backend_and_versions_change_the_key() -> None:
    assert key(TASK, "jax") != key(TASK)
    assert key(TASK, versions={"keras": "3.15.2"}) != key(TASK)


def test_optunas_version_changes_the_key_of_tuned_tasks_alone(monkeypatch) -> None:
    tuned = replace(TASK, model=Tuned(model=Ridge(), tune=tune(8)))
    plain, before = key(TASK), key(tuned)
    installed = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "9.9.9" if name == "optuna" else installed(name)
    )
    assert key(tuned) != before
    assert key(TASK) == plain


def test_the_space_and_the_splits_change_the_key() -> None:
    keys = {
        key(replace(TASK, model=Tuned(model=Ridge(), tune=changed)))
        for changed in (tune(8), tune(9), tune(8, trials=3), tune(8, splits=PurgedKFold(folds=5)))
    }
    assert len(keys) == 4


def test_whose_task_it_is_does_not_change_the_key() -> None:
    assert key(replace(TASK, book="other", window=9, member=4, symbol="ETH")) == key(TASK)


def test_a_seed_is_decided_by_its_name_alone() -> None:
    assert seed_of(7, "fit", "BTC", 0) == seed_of(7, "fit", "BTC", 0)
    seeds = {seed_of(root, "fit", s, m) for root in (7, 8) for s in ("A", "B") for m in range(50)}
    assert len(seeds) == 200


def test_a_seed_fits_every_generator() -> None:
    assert all(0 <= seed_of(0, n) < 2**63 for n in range(100))
    np.random.default_rng(seed_of(0, "x"))
