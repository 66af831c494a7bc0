"""Runs the forecasters of how-to/own-network.md through the contract; prints what came of each.

A process of its own: the first Keras of a process decides its threads and its backend.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, TypeAdapter

from engine.models import Adam, Forecaster, Model, TrainingSpec, WindowDataset
from tests.models.planted_data import planted

TRAINING = TrainingSpec(epochs=10, batch_size=32, optimizer=Adam(learning_rate=0.005))
SEEN = 41


def classes_of(file: Path) -> dict[str, type[Any]]:
    """What a page's file defines, read where the page says that it lies."""
    name = f"engine.models.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return {n: v for n, v in vars(module).items() if getattr(v, "__module__", "") == name}


def later_bars_changed(problem: WindowDataset) -> WindowDataset:
    """Other inputs, targets and returns from a test row on, and no target of a test row known."""
    later = np.arange(len(problem.target)) >= problem.test[SEEN]
    noise = np.random.default_rng(9).normal(size=problem.inputs.shape).astype(np.float32)
    target = np.where(later, 7.0, problem.target)
    target[problem.test] = np.nan
    return replace(
        problem,
        inputs=np.where(later[:, None], noise, problem.inputs),
        target=target,
        trailing=np.where(later, 7.0, problem.trailing),
    )


def found(model: Forecaster) -> dict[str, Any]:
    """How a forecaster keeps the contract."""
    problem = planted(edge=0.8)
    first, again, changed = (
        model.fit_predict(p, TRAINING, seed=1)
        for p in (problem, problem, later_bars_changed(problem))
    )
    parts = ("train", "validation", "test")
    return {
        "shapes": all(getattr(first, p).shape == getattr(problem, p).shape for p in parts),
        "finite": all(bool(np.isfinite(getattr(first, p)).all()) for p in parts),
        "repeats": first.test.tobytes() == again.test.tobytes(),
        "causal": all(
            a[:n].tobytes() == b[:n].tobytes()
            for a, b, n in (
                (first.train, changed.train, None),
                (first.validation, changed.validation, None),
                (first.test, changed.test, SEEN),
            )
        ),
        "moved": not np.allclose(first.test[SEEN:], changed.test[SEEN:]),
        "correlation": float(np.corrcoef(first.test, problem.target[problem.test])[0, 1]),
    }


def chosen(kind: type[Forecaster]) -> dict[str, Any]:
    """What a strategy file makes of it, once it is a member of the union."""
    union = TypeAdapter(Annotated[Model | kind, Field(discriminator="kind")])
    name = kind.model_fields["kind"].default
    told = {"kind": name, **({"smoothing": 10} if "smoothing" in kind.model_fields else {})}
    model = union.validate_python(told)
    return {key: getattr(model, key) for key in (*told, "lookback")}


def main() -> None:
    """Files on the command line; one JSON object on stdout."""
    made = {}
    for file in map(Path, sys.argv[1:]):
        for name, kind in classes_of(file).items():
            model = kind() if name == "LastWeek" else kind(lookback=8, units=8)
            made[name] = found(model) | {"chosen": chosen(kind)}
    print(json.dumps(made))  # noqa: T201


if __name__ == "__main__":
    main()
