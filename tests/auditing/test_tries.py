"""Tries counted in the records of other tools."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from engine.auditing.tries import count_tries
from engine.core.errors import UsageError
from tests.auditing.tables import write

if TYPE_CHECKING:
    from pathlib import Path


def storage(path: Path, states: tuple[str, ...]) -> Path:
    """The table of trials as Optuna has it, as far as it is read."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE trials (trial_id INTEGER, state VARCHAR(8))")
        connection.executemany("INSERT INTO trials VALUES (?, ?)", enumerate(states))
    return path


def test_a_row_of_a_table_is_a_try(tmp_path: Path) -> None:
    assert count_tries("csv", write(tmp_path / "t.csv", "sharpe\n0.4\n1.2\n-0.1\n")) == 3


def test_trials_of_optuna_count_once_they_ended_also_badly(tmp_path: Path) -> None:
    path = storage(tmp_path / "s.db", ("COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING"))

    assert count_tries("optuna", path) == 3


@pytest.mark.parametrize("kind", ["optuna", "wandb"])
def test_other_files_and_kinds_are_told(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageError):
        count_tries(kind, write(tmp_path / "t.csv", "sharpe\n0.4\n"))


def test_a_storage_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        count_tries("optuna", tmp_path / "none.db")

    assert not list(tmp_path.iterdir())
