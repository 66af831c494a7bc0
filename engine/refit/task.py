"""One fit: a window, a symbol, a seed, and the exact arrays; its key is its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.artifacts import canonical_json, versions_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """

    book: str
    symbol: str
    window: int
    member: int
    seed: int
    model: Forecaster
    training: Training
    problem: Problem

    def __str__(self) -> str:
        """As progress and errors name it."""
        return f"{self.book} {self.symbol} window {self.window} seed {self.member}"

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
            "versions": {**versions, **versions_of(self.model.libraries)},
            "groups": self.problem.groups,
        }
        digest = hashlib.sha256(canonical_json(told).encode())
        arrays = ("inputs", "target", "trailing", "train", "validation", "test")
        for name in arrays:
            array = np.ascontiguousarray(getattr(self.problem, name))
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()
