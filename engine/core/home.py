"""The folder that keeps state between runs: bars, fits, the trial ledger."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from engine.core.storage import create_private_folder, translate_disk_faults
from engine.core.writable import OutputPlace

HOME_FOLDERS = ("bars", "fits", "funding", "programs")
"""Folders of a home."""

LEDGER_FILE = "ledger.sqlite"
"""File of the trial ledger in a home."""

CHOOSE_HOME = "set BACKTEST_HOME to another folder"
HOME_PLACE = OutputPlace("the folder that keeps state between runs (BACKTEST_HOME)", CHOOSE_HOME)


def backtest_home(home: Path | str | None = None) -> Path:
    """`home` if given, else the environment's BACKTEST_HOME, else `.backtest` in this folder.

    Raises:
        StorageError: A file has this name, or none can have it.
    """
    folder = Path(home or os.environ.get("BACKTEST_HOME") or ".backtest")
    with translate_disk_faults(f"{HOME_PLACE.name} cannot be used", folder, CHOOSE_HOME):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return folder


def prepare_home(home: Path, place: OutputPlace = HOME_PLACE) -> None:
    """Creates the home for its owner alone, and tries whether everything in it can be written.

    A home that exists keeps its mode. The ledger is not tried: it can be locked or damaged while
    all else works, and a run that is not counted says so.

    Args:
        home: The folder.
        place: Its name in errors, and how free space is measured.

    Raises:
        StorageError: It cannot be created or written, its disk is full, or something else is where
            one of its folders has to be.
    """
    place.require_folder(home, f"fits/00/{64 * '0'}.failed")
    with translate_disk_faults(f"{place.name} cannot be written", home, place.otherwise):
        create_private_folder(home)
        for name in HOME_FOLDERS:
            _require_folder(home / name)


def _require_folder(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISDIR(path.stat().st_mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    if not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
