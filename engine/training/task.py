"""One fit: a window, a symbol, a seed, and the training set; its key is its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.core.hashing import canonical_json
from engine.core.part_origin import describe_parts
from engine.core.versions import installed_versions

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from engine.core.types import Matrix
    from engine.models import Backend, FittedForecaster, Forecaster, TrainingSet, TrainingSpec
    from engine.models.deployment import DeploySpec
    from engine.models.fitted_model import FittedModel, InputTransform
    from engine.training.joint import JointSymbols
    from engine.training.pooling import Pool


@dataclass(frozen=True)
class FitTask:
    """One fit.

    Attributes:
        book: Book of the forecast: `strategy`, or a benchmark.
        symbol: Symbol of the forecast return.
        window: Index of the window.
        seed_index: Index among the strategy's `seeds` fits, from 0.
        seed: Seed of every random draw of the fit.
        model: The forecaster.
        training: Settings for the training of networks.
        training_set: The arrays; none holds a test row.
        horizons: Horizons of the fit, where its book has fits of several.
        transform: What scaled the arrays; None where that was done by other means.
        spans: `train` and `validation` -> timestamps of the first and the last row.
        realised: (n, m) realised returns over each horizon on the validation rows; None takes
            those of the training set.
        refit: Of a fit that is made again to be compared with this one, which bars were altered;
            part of the key, because the arrays of both are the same.
        deploy: What is done to the fitted model; no part of the key, which is that of the fit.
        pool: The symbols of `training_set`, where the fit is of several; the tasks of these have
            one key, and are fitted once.
    """

    book: str
    symbol: str
    window: int
    seed_index: int
    seed: int
    model: Forecaster
    training: TrainingSpec
    training_set: TrainingSet
    horizons: tuple[int, ...] = ()
    transform: InputTransform | None = None
    spans: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    realised: Matrix | None = None
    refit: str = ""
    deploy: DeploySpec | None = None
    pool: Pool | JointSymbols | None = None

    def __str__(self) -> str:
        """The name of the task in progress and errors."""
        of = self.symbol if self.pool is None else f"{len(self.pool.symbols)} symbols"
        name = f"{self.book} {of} window {self.window} seed {self.seed_index}"
        if self.horizons:
            which = "horizon" if len(self.horizons) == 1 else "horizons"
            name += f" {which} {', '.join(map(str, self.horizons))}"
        return name

    @property
    def transforms(self) -> tuple[InputTransform, ...]:
        """What scaled the arrays: one transform, or that of each pooled symbol."""
        if self.pool is not None:
            return self.pool.transforms
        return () if self.transform is None else (self.transform,)

    @property
    def fit_identity(self) -> Hashable:
        """The same for the tasks of one pooled fit, and for no others of a run."""
        if self.pool is None:
            return id(self)
        return id(self.training_set), self.book, self.window, self.seed_index, self.refit

    def own_model(self, outcome: FittedModel | TrainingError) -> FittedModel | TrainingError:
        """What was fitted, as the model of this task's symbol."""
        if self.pool is None or isinstance(outcome, TrainingError):
            return outcome
        return self.pool.select(outcome, self.training_set, self.symbol)

    @property
    def starts_warm(self) -> bool:
        """Whether it starts from the previous window's weights; only stochastic models can."""
        return self.training.warm_start is not None and self.model.stochastic

    @property
    def warm_start_chain(self) -> Hashable | None:
        """The chain in which each task starts from the one before; None without warm start."""
        return (
            (self.book, self.symbol, self.seed_index, self.training_set.horizons)
            if self.starts_warm
            else None
        )

    def with_previous_fit(self, previous_fit: FittedForecaster | None) -> FitTask:
        """The same task with the weights to start from; None starts from random weights."""
        return replace(self, training_set=replace(self.training_set, previous_fit=previous_fit))

    def key(
        self, backend: Backend, versions: Mapping[str, str], previous_key: str | None = None
    ) -> str:
        """SHA-256 over everything that decides the fitted model; no test row does.

        Args:
            backend: What Keras computes with.
            versions: Versions of the libraries that the numbers depend on.
            previous_key: Key of the fit that this one starts from, which identifies its weights
                and, by its own `previous_key`, those of the whole chain; None without a warm
                start.
        """
        key_parts = {
            "model": self.model.model_dump(mode="json"),
            "training": self.training.model_dump(mode="json"),
            "seed": self.seed,
            "backend": backend,
            "versions": {**versions, **installed_versions(self.model.libraries)},
            "groups": self.training_set.groups,
            "horizons": self.training_set.horizons,
            "recursive": self.training_set.recursive,
            "coarse": [coarse.groups for coarse in self.training_set.coarse],
        }
        described = [
            [each.symbol, *(columns.names for columns in (each.columns, *each.coarse))]
            for each in self.transforms
        ]
        if self.training_set.symbols:
            key_parts["symbols"] = self.training_set.symbols
        if described:
            key_parts["features"] = described[0] if self.pool is None else described
        if parts := describe_parts(self.model):
            key_parts["parts"] = parts
        if previous_key is not None:
            key_parts["before"] = previous_key
        if self.refit:
            key_parts["refit"] = self.refit
        digest = hashlib.sha256(canonical_json(key_parts).encode())
        for name, part in _named_arrays(self):
            array = np.ascontiguousarray(part)
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()


def _named_arrays(task: FitTask) -> Iterator[tuple[str, np.ndarray]]:
    """Every array that a fit reads or a fitted model keeps, by name, and the fitted scalings."""
    for name in ("inputs", "target", "trailing", "train", "validation"):
        yield name, getattr(task.training_set, name)
    if task.training_set.row_symbols is not None:
        yield "row symbols", task.training_set.row_symbols
    for place, coarse in enumerate(task.training_set.coarse):
        yield f"coarse {place} inputs", coarse.inputs
        yield f"coarse {place} latest", coarse.latest
    if task.realised is not None:
        yield "realised", task.realised
    for number, transform in enumerate(task.transforms):
        of = "" if task.pool is None else f"symbol {number} "
        for place, columns in enumerate((transform.columns, *transform.coarse)):
            yield f"{of}quantiles {place}", columns.quantiles
            for name, array in columns.scaler.to_arrays().items():
                yield f"{of}scaler {place} {name}", array
