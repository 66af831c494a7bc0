"""Runs as the command line names them: a folder, or the first digits of a run id."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FEWEST_DIGITS = 4
_DIGITS = re.compile(rf"[0-9a-f]{{{FEWEST_DIGITS},12}}")


def run_folder(named: str, reports: Path) -> Path:
    """The folder of a run; whether it is one is found out when it is opened.

    Args:
        named: A path, or four or more of the first digits of a run id.
        reports: Where runs are looked for by their ids.

    Raises:
        UsageError: No run of that id, or more than one.
    """
    from engine.errors import UsageError

    path = Path(named)
    if path.exists() or not _DIGITS.fullmatch(named):
        return path
    found = sorted(
        file.parent
        for file in reports.glob(f"*/{named}*/manifest.json")
        if not file.parent.name.startswith(".")
    )
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"{'no run' if not found else 'more than one run'} has an id that begins with {named}",
        expected="a run folder, or enough of the first digits of a run id",
        found=", ".join(map(str, found)) or f"none of that id in {reports}",
        fix="name the folder, or say with --reports where the runs are",
    )


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Around the writing of pages: a folder that cannot be written is the user's to mend."""
    from engine.errors import UsageError

    try:
        yield
    except OSError as error:
        raise UsageError(
            "the pages cannot be written",
            expected="a folder that can be made and written",
            found=error.strerror or str(error),
            where=str(error.filename or folder),
        ) from error
