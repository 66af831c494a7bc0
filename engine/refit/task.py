"""One fit: a window, a symbol, a seed, and the exact arrays; its key is its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.artifacts import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.models import Backend, Forecaster, Problem, Training


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

    def key(self, backend: Backend, versions: Mapping[str, str]) -> str:
        """SHA-256 over everything that decides the forecast.

        Args:
            backend: What Keras computes with.
            versions: Of the libraries that shape numbers.
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
