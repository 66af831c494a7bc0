"""The run folder: what a finished run leaves behind, and how it is read back."""

from engine.runs.folder import atomic_directory
from engine.runs.run import Run, compute_run_id

__all__ = ["Run", "atomic_directory", "compute_run_id"]
