"""The ledger as it was when a run counted its trials, in a copy."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from engine.core.sqlite_file import connect
from engine.trials.ledger_schema import copy_ledger, open_ledger
from engine.trials.ledger_wait import WAIT_S

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


def copy_earlier_ledger(path: Path, noted: str, to: Path) -> bool:
    """Copies what a ledger had when the run with a hash was evaluated.

    Args:
        path: The ledger.
        noted: Hash of the row with the run's bars, as its manifest notes it.
        to: The copy, which only this process may read: it has no hashes that agree.

    Returns:
        Whether the ledger has the hash, and no other run wrote to it between the run's bars and
        its end: of those it is not known whether the run counted them. Nothing is copied
        otherwise.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or cannot be read.
    """
    if not path.is_file():
        return False
    with open_ledger(path) as connection:  # which migrates an earlier version
        place = _find_place(connection, noted)
    if place is None:
        return False
    copy_ledger(path, to)
    with closing(connect(to, "rw", timeout_s=WAIT_S)) as copy:
        _forget_later_rows(copy, place)
    return True


def _find_place(connection: sqlite3.Connection, noted: str) -> int | None:
    """Position of the row with the bars; None where it is not there, or others ran beside it."""
    own = connection.execute(
        "SELECT position, run FROM chain WHERE hash = ? AND source = 'grounds'", (noted,)
    ).fetchone()
    if own is None:
        return None
    end = connection.execute(
        "SELECT MIN(position) FROM chain WHERE run = ? AND source = 'outcomes'", (own["run"],)
    ).fetchone()[0]
    beside = connection.execute(
        "SELECT COUNT(*) FROM chain WHERE position > ? AND position < ?",
        (own["position"], end or own["position"]),
    ).fetchone()[0]
    return None if beside else int(own["position"])


def _forget_later_rows(copy: sqlite3.Connection, place: int) -> None:
    """Removes every later row, and the runs that were in progress then."""
    triggers = copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    copy.execute("BEGIN")
    for trigger in triggers:
        copy.execute(f"DROP TRIGGER {trigger[0]}")
    later = "(SELECT run FROM chain WHERE position > ? AND source = 'outcomes')"
    for table in ("outcomes", "grounds"):
        copy.execute(f"DELETE FROM {table} WHERE run IN {later}", (place,))
    new = "(SELECT run FROM chain WHERE position > ? AND source = 'grounds')"
    copy.execute(f"DELETE FROM grounds WHERE run IN {new}", (place,))
    said = "(SELECT run FROM chain WHERE position > ? AND source = 'declarations')"
    copy.execute(f"DELETE FROM declarations WHERE number IN {said}", (place,))
    copy.execute("COMMIT")
