"""The files of a run folder, and how it is written: complete or absent."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLES = ("bars", "predictions", "positions", "returns", "trades")
ANALYSIS_TABLES = ("series", "round_trips", "forecasts")
"""Tables that the folder has if it has `analysis.json`."""
OPTIONAL_TABLES = ("rates",)
"""Tables of the runs that have something to say in them: `rates` where a rate is not 0."""
DOCUMENTS = ("metrics", "significance", "certificate", "analysis")
OPTIONAL_DOCUMENTS = ("certificate", "analysis")
"""Documents that folders of earlier versions lack."""
PAGES = ("tearsheet", "significance", "quantstats")


@contextmanager
def atomic_directory(run_dir: Path) -> Iterator[Path]:
    """A folder to fill that becomes `run_dir` on success and vanishes on any failure.

    An earlier folder of the same id is replaced: the same id means the same results.
    """
    run_dir.parent.mkdir(parents=True, exist_ok=True)
    draft = run_dir.with_name(f".{run_dir.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        shutil.rmtree(run_dir, ignore_errors=True)
        draft.rename(run_dir)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
