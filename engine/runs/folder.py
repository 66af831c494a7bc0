"""The files of a run folder, and how it is written: complete or absent."""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from engine.core.storage import translate_disk_faults
from engine.core.writable import OutputPlace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLES = ("bars", "predictions", "positions", "returns", "trades")
ANALYSIS_TABLES = ("series", "round_trips", "forecasts")
"""Tables that the folder has if it has `analysis.json`."""
OPTIONAL_ANALYSIS_TABLES = ("universe",)
"""Tables of it that only some runs have: `universe` that of several symbols."""
OPTIONAL_TABLES = ("rates", "financing", "funding", "source_bars")
"""Tables of the runs that have something to say in them: `rates` where a rate is not 0,
`financing` where the costs charge funding or lend, `funding` where they charge it, and
`source_bars` where bars of several calendars or currencies were joined."""
DOCUMENTS = ("metrics", "significance", "certificate", "analysis")
OPTIONAL_DOCUMENTS = ("certificate", "analysis")
"""Documents that folders of earlier versions lack."""
PAGES = ("tearsheet", "significance", "quantstats")


RUNS_PLACE = OutputPlace("the folder of the runs", "name another folder with --out")
LONGEST_RUN_FILE = ".0123456789ab.4194304/significance.parquet"
"""As long as any path that `atomic_directory` writes below the folder of a strategy."""

FIXED_BYTES, BYTES_PER_CELL = 2**20, 64
"""Size of a run folder: at most so many bytes, and so many more for each bar of each book.
Measured without pages: 1.9 MB for 10,062 bars and 7 books (ridge.yaml), 0.2 MB for 920 and 3."""

PAGES_BYTES_PER_CELL = 64
"""What the pages add, measured in the same way: 3.6 MB and 0.6 MB."""

STALE_AFTER_S = 86_400.0
"""Age of a draft that no process fills any more."""

_DRAFT_PATTERN = f".{'[0-9a-f]' * 12}.[0-9]*"
_RENAME_ATTEMPTS = 10


def estimate_folder_bytes(bars: int, books: int, *, pages: bool) -> int:
    """Upper bound of the size of a run folder, in bytes, from measured folders.

    Args:
        bars: Bars of all symbols together.
        books: Books, the strategy's own among them.
        pages: Whether pages are written.
    """
    per_cell = BYTES_PER_CELL + PAGES_BYTES_PER_CELL * pages
    return FIXED_BYTES + per_cell * bars * books


@contextmanager
def atomic_directory(run_dir: Path) -> Iterator[Path]:
    """A folder to fill that becomes `run_dir` on success and vanishes on any failure.

    An earlier folder of the same id is replaced: the same id means the same results. Drafts of the
    same strategy that are a day old are removed.

    Raises:
        StorageError: A file cannot be written, or the disk is full.
    """
    draft = run_dir.with_name(f".{run_dir.name}.{os.getpid()}")
    with translate_disk_faults(
        "the folder of the run cannot be written",
        run_dir,
        "name another folder with --out; fits that are stored are not trained again",
    ):
        run_dir.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale_drafts(run_dir.parent)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            yield draft
            _put_in_place(draft, run_dir)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _remove_stale_drafts(folder: Path) -> None:
    """Removes drafts that killed processes left; one that is written now is younger."""
    for draft in folder.glob(_DRAFT_PATTERN):
        with suppress(FileNotFoundError):  # another process removed it
            if time.time() - draft.stat().st_mtime > STALE_AFTER_S:
                shutil.rmtree(draft, ignore_errors=True)


def _put_in_place(draft: Path, run_dir: Path) -> None:
    """Renames the folder; another process may put the same run there at the same time."""
    for attempt in range(_RENAME_ATTEMPTS):
        shutil.rmtree(run_dir, ignore_errors=True)
        try:
            draft.rename(run_dir)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or attempt + 1 == (
                _RENAME_ATTEMPTS
            ):
                raise
        else:
            return
