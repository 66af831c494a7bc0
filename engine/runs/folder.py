"""The files of a run folder, and how it is written: complete or absent."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TABLES = ("bars", "predictions", "positions", "returns", "trades")
DOCUMENTS = ("metrics", "significance", "certificate")
OPTIONAL_DOCUMENTS = ("certificate",)
"""Documents that folders of earlier versions lack."""
PAGES = ("tearsheet", "significance", "quantstats")


def file_readers() -> dict[str, Callable[[Path], Any]]:
    """What reads each file of a run folder; pandas is loaded here, as few commands need it."""
    import pandas as pd

    def document(path: Path) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(path.read_text(encoding="utf-8"))

    tables: dict[str, Callable[[Path], Any]] = {
        f"{name}.parquet": pd.read_parquet for name in TABLES
    }
    return {f"{name}.json": document for name in ("manifest", *DOCUMENTS)} | tables


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
