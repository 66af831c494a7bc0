"""Tries counted in the records of other tools."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import md5
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


RUNS = {
    "alpha": {"sweep": None, "first": "sweep", "second": "sweep", "alone": None},
    "beta": {"other": None},
}
"""Runs of two experiments, each with the run that it is nested in."""


def run_id(name: str) -> str:
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def tracking_folder(path: Path) -> Path:
    """The files of MLflow's file store, as far as they are read; the second experiment deleted."""
    for number, (name, runs) in enumerate(RUNS.items()):
        folder = path / (".trash" if name == "beta" else ".") / str(number)
        for run, parent in runs.items():
            tags = folder / run_id(run) / "tags"
            tags.mkdir(parents=True)
            write(tags.parent / "meta.yaml", f"run_id: {run_id(run)}\nlifecycle_stage: deleted\n")
            if parent:
                write(tags / "mlflow.parentRunId", run_id(parent))
        write(folder / "meta.yaml", f"artifact_location: x\nname: {name}\n")
        (folder / "models" / f"m-{number}").mkdir(parents=True)
        write(folder / "models" / f"m-{number}" / "meta.yaml", "name: a model\n")
    return path


def tracking_database(path: Path) -> Path:
    """The tables of MLflow's database, as far as they are read."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "CREATE TABLE experiments (experiment_id INTEGER, name VARCHAR);"
            "CREATE TABLE runs (run_uuid VARCHAR, name VARCHAR, experiment_id INTEGER);"
            "CREATE TABLE tags (key VARCHAR, value VARCHAR, run_uuid VARCHAR);"
        )
        for number, (name, runs) in enumerate(RUNS.items()):
            connection.execute("INSERT INTO experiments VALUES (?, ?)", (number, name))
            for run, parent in runs.items():
                connection.execute("INSERT INTO runs VALUES (?, ?, ?)", (run_id(run), run, number))
                tag = ("mlflow.parentRunId", run_id(parent or ""), run_id(run))
                if parent:
                    connection.execute("INSERT INTO tags VALUES (?, ?, ?)", tag)
    return path


@pytest.fixture(params=[tracking_folder, tracking_database])
def tracked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return request.param(tmp_path / "mlflow")


def test_every_run_of_mlflow_counts_but_one_that_holds_others(tracked: Path) -> None:
    assert count_tries("mlflow", tracked) == 4


@pytest.mark.parametrize(("experiment", "count"), [("alpha", 3), ("0", 3), ("beta", 1)])
def test_the_runs_of_one_experiment_are_counted_by_its_name_or_number(
    tracked: Path, experiment: str, count: int
) -> None:
    assert count_tries("mlflow", tracked.with_name(f"mlflow:{experiment}")) == count


def test_an_experiment_that_is_missing_is_told_with_those_there_are(tracked: Path) -> None:
    with pytest.raises(UsageError, match="gamma") as caught:
        count_tries("mlflow", tracked.with_name("mlflow:gamma"))

    assert "alpha" in caught.value.expected


def test_the_folder_of_one_experiment_is_enough(tmp_path: Path) -> None:
    assert count_tries("mlflow", tracking_folder(tmp_path / "mlruns") / "0") == 3


def test_a_folder_without_experiments_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no storage of MLflow"):
        count_tries("mlflow", tmp_path)


@pytest.mark.parametrize("kind", ["optuna", "mlflow", "wandb"])
def test_other_files_and_kinds_are_told(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageError):
        count_tries(kind, write(tmp_path / "t.csv", "sharpe\n0.4\n"))


def test_a_storage_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        count_tries("optuna", tmp_path / "none.db")

    assert not list(tmp_path.iterdir())
