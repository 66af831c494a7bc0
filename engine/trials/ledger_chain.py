"""The hash chain of the ledger: each row's hash covers its values and the hash of the row before.

Whoever changes, removes or inserts a row past the engine breaks the chain from there on, unless
all later hashes are made anew. Against that, and against the loss of the newest rows, helps a hash
that was noted elsewhere: every run notes the newest one in its manifest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from engine.core.hashing import canonical_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

ChainedTable: TypeAlias = Literal["runs", "grounds", "outcomes", "merged", "declarations"]

FIRST_HASH = "0" * 64
"""Stands before the first row."""

KEYS: dict[ChainedTable, str] = {
    "runs": "number",
    "grounds": "run",
    "outcomes": "run",
    "merged": "run",
    "declarations": "number",
}
"""Table -> its column with the number of the run; of a declaration its own number."""

CREATE_CHAIN = """
    CREATE TABLE chain (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        run INTEGER NOT NULL,
        hash TEXT NOT NULL
    )
    """
CREATE_CHAIN_INDEX = "CREATE INDEX chain_by_run ON chain (run)"


class ChainedRow(NamedTuple):
    """A row that was written.

    Attributes:
        run: Number of the run, or of the declaration.
        hash: Newest hash of the chain.
    """

    run: int
    hash: str


@dataclass(frozen=True)
class ChainBreak:
    """The first place at which the ledger is not what its chain says.

    Attributes:
        run: Number of the run, or of the declaration.
        table: `runs` (its begin), `grounds` (its bars), `outcomes` (its end), `merged` (its
            origin), `declarations`, or `chain`.
        kind: `changed`, `removed` or `inserted`.
    """

    run: int
    table: str
    kind: Literal["changed", "removed", "inserted"]

    @property
    def sentence(self) -> str:
        """For users: `the end of run 3 was changed past the engine`."""
        if self.table == "declarations":
            return f"declaration {self.run} was {self.kind} past the engine"
        what = {
            "runs": "the begin",
            "grounds": "the bars",
            "outcomes": "the end",
            "merged": "the origin",
            "chain": "a hash",
        }
        return f"{what[self.table]} of run {self.run} was {self.kind} past the engine"


@dataclass(frozen=True)
class ChainCheck:
    """The result of `check_chain`.

    Attributes:
        rows: Chained rows that were compared.
        runs: Runs in the ledger.
        head: Newest hash; `FIRST_HASH` in an empty ledger.
        first_break: The first difference; None where there is none.
        chained_later: Rows that were written by a version without a chain, and chained when a
            newer one opened the ledger: nothing is known of changes before.
        noted: Whether a hash that was asked for is one of the chain; None where none was.
    """

    rows: int
    runs: int
    head: str
    first_break: ChainBreak | None
    chained_later: int
    noted: bool | None

    @property
    def is_intact(self) -> bool:
        """Whether no difference was found and the noted hash is there."""
        return self.first_break is None and self.noted is not False


def insert_chained(
    connection: sqlite3.Connection, table: ChainedTable, row: Mapping[str, Any]
) -> ChainedRow:
    """Inserts a row and its hash, inside of a transaction."""
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", dict(row))
    run = int(connection.execute("SELECT last_insert_rowid()").fetchone()[0])
    return ChainedRow(run, _append(connection, table, run, read_head(connection)))


def chain_earlier_rows(connection: sqlite3.Connection) -> None:
    """Chains the rows of a ledger that had no chain, those of each run together."""
    tables: tuple[ChainedTable, ...] = ("runs", "grounds", "outcomes")
    entries: list[tuple[int, ChainedTable]] = [
        (run, table)
        for table in tables
        for (run,) in connection.execute(f"SELECT {KEYS[table]} FROM {table}").fetchall()
    ]
    if not entries:
        return
    head = _hash(FIRST_HASH, "earlier", len(entries), {})
    connection.execute(
        "INSERT INTO chain (source, run, hash) VALUES ('earlier', ?, ?)", (len(entries), head)
    )
    for run, table in sorted(entries, key=lambda entry: entry[0]):
        head = _append(connection, table, run, head)


def read_head(connection: sqlite3.Connection) -> str:
    """The newest hash."""
    newest = connection.execute("SELECT hash FROM chain ORDER BY position DESC LIMIT 1").fetchone()
    return FIRST_HASH if newest is None else str(newest[0])


def check_chain(connection: sqlite3.Connection, noted: str | None = None) -> ChainCheck:
    """Compares every row with its hash.

    Args:
        connection: That reads the ledger, at one instant.
        noted: A hash that was noted earlier, at least its first 12 digits.
    """
    entries = connection.execute("SELECT * FROM chain ORDER BY position").fetchall()
    later = next((entry["run"] for entry in entries if entry["source"] == "earlier"), 0)
    breaks = (*_compare(connection, entries), *_find_inserted(connection, entries))
    hashes = [str(entry["hash"]) for entry in entries]
    return ChainCheck(
        rows=sum(entry["source"] != "earlier" for entry in entries),
        runs=int(connection.execute("SELECT COUNT(*) FROM runs").fetchone()[0]),
        head=hashes[-1] if hashes else FIRST_HASH,
        first_break=breaks[0] if breaks else None,
        chained_later=later,
        noted=None if noted is None else any(each.startswith(noted) for each in hashes),
    )


def _compare(connection: sqlite3.Connection, entries: list[sqlite3.Row]) -> Iterator[ChainBreak]:
    """The first entry whose row, position or hash is another."""
    before = FIRST_HASH
    for place, entry in enumerate(entries, start=1):
        table, run = entry["source"], entry["run"]
        if entry["position"] != place:
            yield ChainBreak(run, "chain", "removed")
            return
        row = {} if table == "earlier" else _read_row(connection, table, run)
        if row is None:
            yield ChainBreak(run, table, "removed")
            return
        if _hash(before, table, run, row) != entry["hash"]:
            yield ChainBreak(run, table, "changed")
            return
        before = entry["hash"]


def _find_inserted(
    connection: sqlite3.Connection, entries: list[sqlite3.Row]
) -> Iterator[ChainBreak]:
    chained = {(entry["source"], entry["run"]) for entry in entries}
    for table, key in KEYS.items():
        for (run,) in connection.execute(f"SELECT {key} FROM {table} ORDER BY {key}"):
            if (table, run) not in chained:
                yield ChainBreak(run, table, "inserted")


def _append(connection: sqlite3.Connection, table: ChainedTable, run: int, before: str) -> str:
    row = _read_row(connection, table, run)
    if row is None:
        raise RuntimeError(f"{table} has no row of run {run}, which is to be chained")
    chained = _hash(before, table, run, row)
    connection.execute(
        "INSERT INTO chain (source, run, hash) VALUES (?, ?, ?)", (table, run, chained)
    )
    return chained


def _read_row(
    connection: sqlite3.Connection, table: ChainedTable, run: int
) -> dict[str, Any] | None:
    row = connection.execute(f"SELECT * FROM {table} WHERE {KEYS[table]} = ?", (run,)).fetchone()
    return None if row is None else dict(row)


def _hash(before: str, table: str, run: int, row: Mapping[str, Any]) -> str:
    """SHA-256 of the hash before, the table and the values; what is NULL counts for nothing.

    So a column that a later version adds leaves the hashes of earlier rows as they are.
    """
    values = {
        name: hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else value
        for name, value in row.items()
        if value is not None
    }
    content = canonical_json([before, table, run, values])
    return hashlib.sha256(content.encode()).hexdigest()
