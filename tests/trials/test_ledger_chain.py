"""The hash chain: what is changed past the engine is found, and ledgers merge."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress

import pytest

from engine.core.errors import LedgerError
from engine.trials import Ledger
from engine.trials.ledger_chain import FIRST_HASH
from engine.trials.ledger_schema import MIGRATIONS, ledger_transaction
from tests.trials.factories import data_scope, finished, outcome, strategy


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    """Three runs: finished, failed, finished."""
    kept = Ledger(tmp_path / "home" / "ledger.sqlite")
    finished(kept.path, 0)
    with suppress(ValueError), kept.record(strategy(seed=8)) as entry:
        entry.set_data_scope(data_scope())
        raise ValueError("no")
    finished(kept.path, 2)
    return kept


def tamper(ledger: Ledger, *statements: str) -> None:
    """As somebody who removes the triggers first."""
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def test_an_untouched_ledger_agrees_with_its_chain(ledger) -> None:
    check = ledger.check_chain()
    assert check.is_intact
    assert (check.runs, check.rows, check.chained_later) == (3, 9, 0)
    assert ledger.rows()[-1].hash == check.head


def test_a_ledger_without_a_run_is_an_empty_chain(tmp_path) -> None:
    check = Ledger(tmp_path / "none.sqlite").check_chain()
    assert (check.is_intact, check.rows, check.head) == (True, 0, FIRST_HASH)


COPY_OF_RUN_2 = "SELECT {}, started_at, name, configuration, strategy, command, engine, host, pid"


@pytest.mark.parametrize(
    ("statement", "run", "table", "kind"),
    [
        ("UPDATE runs SET name = 'x' WHERE number = 2", 2, "runs", "changed"),
        ("UPDATE runs SET pid = pid + 1 WHERE number = 1", 1, "runs", "changed"),
        ("UPDATE grounds SET last = '2030' WHERE run = 3", 3, "grounds", "changed"),
        ("UPDATE outcomes SET sharpe = 3.0 WHERE run = 1", 1, "outcomes", "changed"),
        ("UPDATE outcomes SET status = 'interrupted' WHERE run = 2", 2, "outcomes", "changed"),
        ("UPDATE outcomes SET returns = holding WHERE run = 3", 3, "outcomes", "changed"),
        ("UPDATE outcomes SET grade = NULL WHERE run = 1", 1, "outcomes", "changed"),
        ("DELETE FROM outcomes WHERE run = 2", 2, "outcomes", "removed"),
        ("DELETE FROM runs WHERE number = 2", 2, "runs", "removed"),
        ("DELETE FROM chain WHERE position = 4", 2, "chain", "removed"),
        ("UPDATE chain SET hash = hash || '0' WHERE position = 5", 2, "grounds", "changed"),
        (
            "INSERT INTO runs (number, started_at, name, configuration, strategy, command, "
            f"engine, host, pid) {COPY_OF_RUN_2.format(9)} FROM runs WHERE number = 2",
            9,
            "runs",
            "inserted",
        ),
    ],
)
def test_what_is_changed_past_the_engine_is_found(ledger, statement, run, table, kind) -> None:
    tamper(ledger, statement)
    check = ledger.check_chain()
    assert not check.is_intact
    assert (check.first_break.run, check.first_break.table, check.first_break.kind) == (
        *(run, table, kind),
    )


def test_the_loss_of_the_newest_rows_is_found_by_a_noted_hash(ledger) -> None:
    noted = ledger.check_chain().head
    assert ledger.check_chain(noted[:12]).is_intact
    tamper(
        ledger,
        *(f"DELETE FROM {table} WHERE run = 3" for table in ("outcomes", "grounds", "chain")),
        "DELETE FROM runs WHERE number = 3",
    )
    assert ledger.check_chain().is_intact
    assert not ledger.check_chain(noted).is_intact


def test_a_run_notes_the_hash_of_its_bars(ledger) -> None:
    with ledger.record(strategy(seed=9)) as entry:
        entry.set_data_scope(data_scope())
        place = entry.place_in_ledger
        entry.finish(outcome(4))
    assert place["number"] == 4
    assert ledger.check_chain(place["hash"]).is_intact
    assert place["hash"] != ledger.check_chain().head  # the end came after


def test_rows_of_a_version_without_a_chain_are_chained_as_they_are_found(tmp_path) -> None:
    path = tmp_path / "ledger.sqlite"
    with ledger_transaction(path, migrations=MIGRATIONS[:3]) as connection:
        connection.execute(
            "INSERT INTO runs VALUES (1, '', 'old', '', '{}', '', '', '', 0, '', NULL)"
        )
    check = Ledger(path).check_chain()
    assert (check.is_intact, check.chained_later, check.rows) == (True, 1, 1)
    tamper(Ledger(path), "UPDATE runs SET name = 'new'")
    assert Ledger(path).check_chain().first_break.kind == "changed"


@pytest.fixture
def other(tmp_path) -> Ledger:
    """Of somebody else: one run that finished, and one that still goes on."""
    theirs = Ledger(tmp_path / "theirs.sqlite")
    finished(theirs.path, 5)
    return theirs


def test_the_runs_of_another_ledger_are_added_once(ledger, other) -> None:
    before = other.path.read_bytes()
    first, second = ledger.merge(other.path), ledger.merge(other.path)
    assert (first.added, first.known) == (1, 0)
    assert (second.added, second.known) == (0, 1)
    assert other.path.read_bytes() == before
    assert [row.number for row in ledger.rows()] == [1, 2, 3, 4]
    assert ledger.returns([4])[4].equals(other.returns([1])[1])
    assert ledger.check_chain().is_intact


def test_a_run_that_ended_since_gets_its_end(ledger, other) -> None:
    with other.record(strategy(seed=77)) as entry:
        entry.set_data_scope(data_scope())
        assert ledger.merge(other.path).added == 2
        assert ledger.rows()[-1].ended_at is None
        entry.finish(outcome(6))
    assert ledger.merge(other.path).completed == 1
    assert ledger.rows()[-1].status == "finished"


def test_a_copy_of_the_same_ledger_adds_what_it_has_more(ledger, tmp_path) -> None:
    copy = Ledger(tmp_path / "copy.sqlite")
    ledger.copy(copy.path)
    assert copy.check_chain() == ledger.check_chain()
    finished(copy.path, 3)
    result = ledger.merge(copy.path)
    assert (result.added, result.known) == (1, 3)


def test_a_run_that_comes_by_two_ways_is_added_once(ledger, other, tmp_path) -> None:
    third = Ledger(tmp_path / "third.sqlite")
    third.merge(other.path)
    ledger.merge(other.path)
    assert ledger.merge(third.path).known == 1


def test_a_changed_ledger_is_not_merged(ledger, other) -> None:
    tamper(other, "UPDATE outcomes SET sharpe = 3.0")
    before = ledger.rows()
    with pytest.raises(LedgerError, match="not as the engine wrote it") as caught:
        ledger.merge(other.path)
    assert caught.value.found == "the end of run 1 was changed past the engine"
    assert ledger.rows() == before


def test_a_ledger_of_an_earlier_version_is_merged_and_stays_as_it_is(ledger, tmp_path) -> None:
    path = tmp_path / "old.sqlite"
    with ledger_transaction(path, migrations=MIGRATIONS[:1]) as connection:
        connection.execute("INSERT INTO runs VALUES (1, '', 'old', '', '{}', '', '', '', 0, '')")
    before = path.read_bytes()
    assert ledger.merge(path).added == 1
    assert path.read_bytes() == before
    shutil.copy(path, tmp_path / "again.sqlite")
    assert ledger.merge(tmp_path / "again.sqlite").known == 1


def test_a_file_that_is_not_there_is_named(ledger, tmp_path) -> None:
    with pytest.raises(LedgerError, match="no ledger to merge") as caught:
        ledger.merge(tmp_path / "none.sqlite")
    assert caught.value.where.endswith("none.sqlite")
