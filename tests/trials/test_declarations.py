"""Registrations are rows of the chain: before or after which runs is decided by their places."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from engine.trials import Ledger, hash_configuration
from tests.trials.factories import finished, strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.trials.declarations import Declaration

CONTENT = {"expectations": ["sharpe > 0.5"], "span": {"dataset": "made-up"}}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def register(ledger: Ledger, seed: int = 0) -> Declaration:
    return ledger.declare("registration", strategy(seed=seed), CONTENT)


def registrations(ledger: Ledger, seed: int = 0) -> tuple[Declaration, ...]:
    return ledger.declarations(hash_configuration(strategy(seed=seed)), "registration")


def test_a_registration_knows_the_runs_of_its_idea_before_it(ledger: Ledger) -> None:
    first = register(ledger)
    finished(ledger.path, 0)
    finished(ledger.path, 1)  # another idea
    later = register(ledger)
    assert (first.runs_before, later.runs_before) == (0, 1)
    assert registrations(ledger) == (first, later)
    assert registrations(ledger, seed=1) == ()
    assert first.content == CONTENT


def test_a_run_on_other_data_is_a_run_of_the_idea(ledger: Ledger) -> None:
    finished(ledger.path, 0, data={"dataset": "elsewhere", "target": None})
    assert register(ledger).runs_before == 1


def test_declarations_are_in_the_chain(ledger: Ledger) -> None:
    finished(ledger.path, 0)
    register(ledger)
    finished(ledger.path, 2)
    assert ledger.check_chain().is_intact
    # The number of the declaration is that of a run too, whose hash stays its own.
    assert len({row.hash for row in ledger.rows()}) == 2
    assert ledger.rows()[0].hash != registrations(ledger)[0].hash
    assert ledger.check_chain(registrations(ledger)[0].hash).noted


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE declarations SET declared_at = '2000-01-01'", "changed"),
        ("UPDATE declarations SET content = '{}'", "changed"),
        ("DELETE FROM declarations", "removed"),
        (
            "INSERT INTO declarations SELECT 9, kind, declared_at, name, configuration, strategy, "
            "content, engine, host, origin FROM declarations",
            "inserted",
        ),
    ],
)
def test_a_declaration_changed_past_the_engine_is_found(ledger, statement, kind) -> None:
    register(ledger)
    finished(ledger.path, 0)
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("DELETE FROM declarations")
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
    found = ledger.check_chain().first_break
    assert found is not None
    assert (found.table, found.kind) == ("declarations", kind)
    assert found.sentence.startswith("declaration ")


def test_a_merged_registration_stays_before_or_after_the_runs_of_its_ledger(
    ledger: Ledger, tmp_path: Path
) -> None:
    other = Ledger(tmp_path / "other.sqlite")
    register(other)
    finished(other.path, 0)
    register(other)
    assert ledger.merge(other.path).added == 1
    assert [each.runs_before for each in registrations(ledger)] == [0, 1]
    assert ledger.merge(other.path).added == 0
    assert len(registrations(ledger)) == 2
    # Through a third ledger they are the same.
    third = Ledger(tmp_path / "third.sqlite")
    third.merge(ledger.path)
    ledger.merge(third.path)
    assert len(registrations(ledger)) == 2
    assert ledger.check_chain().is_intact
