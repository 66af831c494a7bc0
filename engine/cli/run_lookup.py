"""Finds the folder of a run from a path or from the first digits of its id."""

from __future__ import annotations

import re
from pathlib import Path

MIN_ID_DIGITS = 4
_RUN_ID_PREFIX = re.compile(rf"[0-9a-f]{{{MIN_ID_DIGITS},12}}")


def find_run_folder(reference: str, reports: Path) -> Path:
    """The folder of a run; not checked to be one until it is opened.

    Args:
        reference: A path, or at least the first four digits of a run id.
        reports: Folder of the runs, searched for the id.

    Raises:
        UsageError: No run has that id, or more than one has.
    """
    from engine.core.errors import UsageError

    path = Path(reference)
    if path.exists() or not _RUN_ID_PREFIX.fullmatch(reference):
        return path
    matches = sorted(
        file.parent
        for file in reports.glob(f"*/{reference}*/manifest.json")
        if not file.parent.name.startswith(".")
    )
    if len(matches) == 1:
        return matches[0]
    raise UsageError(
        f"{'more than one run' if matches else 'no run'} has an id that begins with {reference}",
        expected="a run folder, or enough of the first digits of a run id",
        found=", ".join(map(str, matches)) or f"none of that id in {reports}",
        fix="name the folder, or give the folder of the runs with --reports",
    )
