"""The run folder: what a finished run leaves behind, and how it is read back."""

from engine.runs.folder import atomic_directory
from engine.runs.run import (
    BENCHMARK_BOOK,
    Run,
    RunAnalysis,
    compute_run_id,
)

__all__ = [
    "BENCHMARK_BOOK",
    "Run",
    "RunAnalysis",
    "atomic_directory",
    "compute_run_id",
]
