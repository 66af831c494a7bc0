"""One fit: a window, a symbol, a seed, and the exact arrays; its key is its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.artifacts import canonical_json

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from engine.models import Backend, Forecast, Forecaster, Problem, Training


@dataclass(frozen=True)
class Task:
    """One fit.

    Attributes:
        book: Whose forecast it is: `strategy`, or an opponent.
        symbol: Whose return is forecast.
        window: Index of the window.
        member: Which of the strategy's `seeds` fits, from 0.
        seed: Decides every random draw of the fit.
        model: Who forecasts.
        training: How networks are trained.
        problem: The arrays.
        horizons: Those it forecasts, where its book forecasts several; it tells its fits apart.
    """

    book: str
    symbol: str
    window: int
    member: int
    seed: int
    model: Forecaster
    training: Training
    problem: Problem
    horizons: tuple[int, ...] = ()

    def __str__(self) -> str:
        """As progress and errors name it."""
        name = f"{self.book} {self.symbol} window {self.window} seed {self.member}"
        if self.horizons:
            which = "horizon" if len(self.horizons) == 1 else "horizons"
            name += f" {which} {', '.join(map(str, self.horizons))}"
        return name

    @property
    def warm(self) -> bool:
        """Whether it goes on from the window before; only what starts from random weights can."""
        return self.training.warm_start is not None and self.model.random

    @property
    def chain(self) -> Hashable | None:
        """Tasks of one chain go on from each other, window after window; None where cold."""
        return (self.book, self.symbol, self.member, self.problem.horizons) if self.warm else None

    def starting_from(self, start: Forecast | None) -> Task:
        """The same task with the weights to go on from; None starts from scratch."""
        return replace(self, problem=replace(self.problem, start=start))

    def key(self, backend: Backend, versions: Mapping[str, str], before: str | None = None) -> str:
        """SHA-256 over everything that decides the forecast.

        Args:
            backend: What Keras computes with.
            versions: Of the libraries that shape numbers.
            before: Key of the fit that this one goes on from, which stands for its weights and,
                by its own `before`, for those of the whole chain; None where from scratch.
        """
        told = {
            "model": self.model.model_dump(mode="json"),
            "training": self.training.model_dump(mode="json"),
            "seed": self.seed,
            "backend": backend,
            "versions": dict(versions),
            "groups": self.problem.groups,
            "horizons": self.problem.horizons,
            "recursive": self.problem.recursive,
            "coarse": [coarse.groups for coarse in self.problem.coarse],
        }
        if before is not None:
            told["before"] = before
        digest = hashlib.sha256(canonical_json(told).encode())
        for name, part in _arrays(self.problem):
            array = np.ascontiguousarray(part)
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()


def _arrays(problem: Problem) -> Iterator[tuple[str, np.ndarray]]:
    """Every array that a fit reads, by name."""
    for name in ("inputs", "target", "trailing", "train", "validation", "test"):
        yield name, getattr(problem, name)
    for place, coarse in enumerate(problem.coarse):
        yield f"coarse {place} inputs", coarse.inputs
        yield f"coarse {place} latest", coarse.latest
