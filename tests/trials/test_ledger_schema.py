"""The file: it only grows, whoever writes; and it knows its version."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from engine.core.errors import LedgerError, LedgerUnreachableError
from engine.trials import Ledger
from engine.trials.ledger_schema import MIGRATIONS, ledger_transaction
from tests.trials.factories import HOLDING, data_scope, finished, outcome, returns, strategy


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "ledger.sqlite"


@pytest.fixture
def kept(path):
    """With one run in it."""
    finished(path)
    return path


def execute(path, statement: str) -> list[tuple]:
    """As anybody could, past the engine."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runs SET name = 'x'",
        "UPDATE grounds SET last = '2030'",
        "UPDATE outcomes SET sharpe = 3.0",
        "UPDATE OR REPLACE outcomes SET sharpe = 3.0",
        "DELETE FROM runs",
        "DELETE FROM grounds WHERE run = 1",
        "DELETE FROM outcomes",
        "INSERT INTO outcomes (run, ended_at, status) VALUES (1, 'now', 'failed')",
        "INSERT OR REPLACE INTO outcomes (run, ended_at, status) VALUES (1, 'now', 'failed')",
        "INSERT OR REPLACE INTO runs SELECT * FROM runs",
        "INSERT OR REPLACE INTO grounds SELECT * FROM grounds",
        "INSERT INTO outcomes (run, ended_at, status) SELECT 1, 'now', 'failed' "
        "ON CONFLICT (run) DO UPDATE SET status = 'failed'",
    ],
)
def test_rows_cannot_be_changed_or_removed(kept, statement: str) -> None:
    before = execute(kept, "SELECT * FROM ledger")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        execute(kept, statement)
    assert execute(kept, "SELECT * FROM ledger") == before


@pytest.mark.parametrize("table", ["grounds", "outcomes"])
def test_rows_of_an_unknown_run_are_rejected(kept, table: str) -> None:
    columns = [row[1] for row in execute(kept, f"PRAGMA table_info({table})")]
    others = ", ".join(columns[1:])
    with pytest.raises(sqlite3.IntegrityError, match="no such run"):
        execute(kept, f"INSERT INTO {table} SELECT 99, {others} FROM {table}")


def test_an_outcome_is_one_of_three(kept) -> None:
    with closing(sqlite3.connect(kept)) as connection:
        connection.execute(
            "INSERT INTO runs SELECT 2, started_at, name, configuration, strategy, command, "
            "engine, host, pid, process, family FROM runs"
        )
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            connection.execute("INSERT INTO outcomes (run, ended_at, status) VALUES (2, '', 'ok')")


def test_the_journal_is_no_write_ahead_log(kept) -> None:
    assert execute(kept, "PRAGMA journal_mode") == [("delete",)]
    assert [file.name for file in kept.parent.iterdir()] == ["ledger.sqlite"]


def test_a_failed_transaction_leaves_nothing(kept) -> None:
    def fail() -> None:
        with ledger_transaction(kept) as connection:
            connection.execute("INSERT INTO runs SELECT 2, '', '', '', '', '', '', '', 0, '', ''")
            raise ZeroDivisionError

    before = execute(kept, "SELECT * FROM ledger")
    with pytest.raises(ZeroDivisionError):
        fail()
    assert execute(kept, "SELECT * FROM ledger") == before


def test_an_empty_file_is_a_ledger_without_runs(path) -> None:
    path.parent.mkdir()
    path.touch()
    assert Ledger(path).rows() == []
    finished(path)
    assert len(Ledger(path).rows()) == 1


def test_an_older_ledger_is_migrated_and_keeps_its_runs(kept) -> None:
    next_versions = (*MIGRATIONS, ("CREATE TABLE notes (run INTEGER)",))
    with ledger_transaction(kept, migrations=next_versions) as connection:
        connection.execute("INSERT INTO notes VALUES (1)")
    assert execute(kept, "SELECT number, run FROM runs JOIN notes") == [(1, 1)]
    assert execute(kept, "PRAGMA user_version") == [(len(next_versions),)]


def test_a_ledger_without_sweep_ids_is_migrated(path) -> None:
    with ledger_transaction(path, migrations=MIGRATIONS[:1]) as connection:
        connection.execute("INSERT INTO runs VALUES (1, '', 'old', '', '{}', '', '', '', 0, '')")
    assert [(row.name, row.family) for row in Ledger(path).rows()] == [("old", None)]
    with Ledger(path).record(strategy(), sweep_id="abc"):
        pass
    assert [row.family for row in Ledger(path).rows()] == [None, "abc"]
    assert execute(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]


@pytest.mark.parametrize("version", [1, 2])
def test_a_ledger_without_returns_of_holding_is_migrated_and_keeps_its_rows(path, version) -> None:
    earlier = [*("strategy", "configuration", "started_at", "command"), "engine", "host", "pid"]
    row = {"number": 1, "name": "old", **dict.fromkeys(earlier, ""), "strategy": "{}"}
    bars = {**data_scope().as_row(), "run": 1}
    end = {**outcome().as_row(), "run": 1, "ended_at": "2024", "status": "finished"}
    del end["holding"], bars["opening"]
    with ledger_transaction(path, migrations=MIGRATIONS[:version]) as connection:
        for table, values in (("runs", row), ("grounds", bars), ("outcomes", end)):
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(
                f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", values
            )
    assert execute(path, "PRAGMA user_version") == [(version,)]
    finished(path, 1)
    old, new = Ledger(path).recorded_returns([1, 2]).values()
    assert (old.holding, old.interval, old.targets) == (None, "1d", ("BTC",))
    assert old.returns.equals(returns(0))
    assert new.holding.equals(returns(HOLDING))
    assert [row.name for row in Ledger(path).rows()] == ["old", "ridge"]
    assert execute(path, "SELECT holding IS NULL FROM ledger") == [(1,), (0,)]
    assert execute(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        execute(path, "UPDATE outcomes SET holding = returns")


def test_a_newer_ledger_is_rejected_unchanged(kept) -> None:
    with ledger_transaction(kept, migrations=(*MIGRATIONS, ("CREATE TABLE notes (run INTEGER)",))):
        pass
    before = kept.read_bytes()
    for use in (lambda: Ledger(kept).rows(), lambda: finished(kept, 1)):
        with pytest.raises(LedgerError, match="newer engine") as caught:
            use()
        assert f"version {len(MIGRATIONS) + 1}" in str(caught.value)
    assert kept.read_bytes() == before


def test_a_database_of_another_program_is_rejected(path) -> None:
    path.parent.mkdir()
    execute(path, "CREATE TABLE mine (x)")
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="not a trial ledger"):
        finished(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["text", "torn"])
def test_a_damaged_ledger_is_an_error(kept, damage: str) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(
        b"no database at all " * 300 if damage == "text" else whole[: len(whole) // 3]
    )
    with pytest.raises(LedgerError, match="damaged") as caught:
        Ledger(kept).rows()
    assert str(kept) in str(caught.value)
    assert "backup" in caught.value.fix


def test_an_unusable_path_is_an_error(tmp_path) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(LedgerUnreachableError, match="cannot be used") as caught:
        Ledger(tmp_path / "ledger.sqlite").rows()
    assert caught.value.found == "a folder of this name"
