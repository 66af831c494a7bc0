"""Executors of fits: local processes or a Ray cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.training.executors.base import Executor
    from engine.training.executors.local import LocalExecutor
    from engine.training.executors.ray import RayExecutor

__all__ = [
    "Executor",
    "LocalExecutor",
    "RayExecutor",
]

_EXPORTS = {
    "Executor": "base",
    "LocalExecutor": "local",
    "RayExecutor": "ray",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
