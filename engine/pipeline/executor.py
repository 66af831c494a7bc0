"""Where the fits of a strategy run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.training.executors.local import LocalExecutor
from engine.training.executors.ray import RayExecutor

if TYPE_CHECKING:
    from pathlib import Path

    from engine.strategy import Strategy
    from engine.training.executors.base import Executor


def make_executor(spec: Strategy, workers: int | None, home: Path) -> Executor:
    """The executor that `compute` names; close it after use.

    Args:
        spec: The strategy.
        workers: Processes to train in, instead of `compute.workers`.
        home: Folder of caches; compiled programs are kept in it.

    Raises:
        UsageError: Ray is not installed, or no cluster responds.
    """
    compute = spec.compute
    chosen = workers or (None if compute.workers == "auto" else compute.workers)
    if compute.executor == "ray":
        return RayExecutor(compute.ray_address, compute.backend, chosen, compute.gpus_per_fit)
    return LocalExecutor(chosen, compute.backend, home / "programs")
