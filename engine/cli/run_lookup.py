"""Runs as the command line names them: a folder, or the first digits of a run id."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_ID_DIGITS = 4
_RUN_ID_PREFIX = re.compile(rf"[0-9a-f]{{{MIN_ID_DIGITS},12}}")


def find_run_folder(reference: str, reports: Path) -> Path:
    """The folder of a run; whether it is one is found out when it is opened.

    Args:
        reference: A path, or four or more of the first digits of a run id.
        reports: Where runs are looked for by their ids.

    Raises:
        UsageError: No run of that id, or more than one.
    """
    from engine.core.errors import UsageError

    path = Path(reference)
    if path.exists() or not _RUN_ID_PREFIX.fullmatch(reference):
        return path
    found = sorted(
        file.parent
        for file in reports.glob(f"*/{reference}*/manifest.json")
        if not file.parent.name.startswith(".")
    )
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"{'no run' if not found else 'more than one run'} has an id that begins with {reference}",
        expected="a run folder, or enough of the first digits of a run id",
        found=", ".join(map(str, found)) or f"none of that id in {reports}",
        fix="name the folder, or say with --reports where the runs are",
    )


@contextmanager
def translate_write_errors(folder: Path) -> Iterator[None]:
    """Around the writing of pages: a folder that cannot be written is the user's to mend."""
    from engine.core.errors import UsageError

    try:
        yield
    except OSError as error:
        raise UsageError(
            "the pages cannot be written",
            expected="a folder that can be made and written",
            found=error.strerror or str(error),
            where=str(error.filename or folder),
        ) from error
