"""The run folder: what a finished run leaves behind, and how it is read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.runs.folder import atomic_directory
    from engine.runs.run import BENCHMARK_BOOK, Run, RunAnalysis, compute_run_id

__all__ = [
    "BENCHMARK_BOOK",
    "Run",
    "RunAnalysis",
    "atomic_directory",
    "compute_run_id",
]

# A signal needs the orders of a run, and no document of it.
_IN_RUN = ("BENCHMARK_BOOK", "Run", "RunAnalysis", "compute_run_id")
__getattr__ = lazy_exports(
    __name__, {**dict.fromkeys(_IN_RUN, "run"), "atomic_directory": "folder"}
)
