"""Draws the pages of a run into its folder, and notes their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.terminal import print_notice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.runs.run import Run


def draw_pages(run: Run, folder: Path) -> list[Path]:
    """Writes the pages of a run; returns their files.

    Args:
        run: The run.
        folder: Its folder.

    Raises:
        UsageError: A file cannot be written there.
        ReportError: quantstats failed.
    """
    from engine.core.storage import translate_disk_faults
    from engine.core.writable import OutputPlace
    from engine.reporting import write_pages
    from engine.runs.folder import INTERPRETATION, PAGES

    place = OutputPlace("the pages", "copy the folder to another place, and name that")
    names = [*PAGES, *((INTERPRETATION,) if run.interpretation is not None else ())]
    files = [folder / f"{page}.html" for page in names]
    for file in files:
        place.require_file(file)
    with translate_disk_faults("the pages cannot be written", folder, place.otherwise):
        write_pages(run, folder)
        note_hashes(folder, files)
    return files


def note_hashes(folder: Path, files: Sequence[Path]) -> None:
    """Notes the hashes of files that were written, and says that a signature is of those before.

    Args:
        folder: A run folder; one of an earlier version has no hashes, and gets none.
        files: Files of it.
    """
    from engine.runs.sums import SIGNATURE_FILE, SUMS_FILE, renew_sums

    renewed = renew_sums(folder, [file.name for file in files])
    if renewed and (folder / SIGNATURE_FILE).exists():
        print_notice(
            f"{SIGNATURE_FILE} is of the files before: {SUMS_FILE} has the hashes of the new "
            "ones; sign the folder again"
        )
