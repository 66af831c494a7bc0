"""`backtest replicate`: output, options and exit codes; nothing is trained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import TrainingError
from engine.replication.livieris2021 import render_replication
from tests.replication.papers import compared, write_paper

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from engine.core.progress import Progress
    from engine.replication.livieris2021 import Livieris2021Result


@pytest.fixture(scope="module")
def replication(tmp_path_factory: pytest.TempPathFactory) -> Livieris2021Result:
    return compared(write_paper(tmp_path_factory.mktemp("paper")), runs=1)


class Fake:
    """Reports some progress, then returns the outcome or raises it."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.options: dict[str, Any] = {}

    def __call__(self, data: Path, *, progress: Progress, **options: Any) -> Livieris2021Result:
        self.options = {"data": str(data), **options}
        progress.stage("refits")
        progress.advance(1, 1, "MICDL lag 7 BTC")
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def invoke(*arguments: str, obj: object = None) -> Result:
    return CliRunner().invoke(app, ["replicate", *arguments], obj=obj)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    result = invoke("livieris2020", "--data", ".")
    assert result.exit_code == 2
    assert "there is no replication named 'livieris2020'" in result.stderr
    assert "expected: livieris2021" in result.stderr


def test_data_is_required() -> None:
    result = invoke("livieris2021")
    assert result.exit_code == 2
    assert "--data DIR" in result.stderr


def test_missing_data_ends_with_3(tmp_path: Path) -> None:
    result = invoke("livieris2021", "--data", str(tmp_path / "nowhere"))
    assert result.exit_code == 3
    assert result.stdout == ""


def test_tables_go_to_stdout_and_progress_to_stderr(replication) -> None:
    result = invoke("livieris2021", "--data", "somewhere", obj=Fake(replication))
    assert result.exit_code == 0
    assert result.stdout == render_replication(replication) + "\n"
    assert "refits: 1 of 1 (MICDL lag 7 BTC)" in result.stderr


def test_quiet_prints_no_progress(replication) -> None:
    assert invoke("livieris2021", "--data", "x", "-q", obj=Fake(replication)).stderr == ""


def test_json_is_one_object_on_stdout(replication) -> None:
    result = invoke("livieris2021", "--data", "somewhere", "--json", obj=Fake(replication))
    assert json.loads(result.stdout) == json.loads(json.dumps(replication.as_json()))


def test_every_option_is_passed_on(replication) -> None:
    fake = Fake(replication)
    options = ["--runs", "3", "--scaling", "refit-on-test", "--backend", "jax"]
    invoke("livieris2021", "--data", "d", *options, "--workers", "2", "--fresh", obj=fake)
    assert fake.options == {
        "data": "d",
        "runs": 3,
        "scaling": "refit-on-test",
        "backend": "jax",
        "workers": 2,
        "fresh": True,
    }


def test_ten_runs_on_train_scaled_inputs_are_the_default(replication) -> None:
    fake = Fake(replication)
    invoke("livieris2021", "--data", "d", obj=fake)
    assert (fake.options["runs"], fake.options["scaling"]) == (10, "train")


@pytest.mark.parametrize(
    ("error", "code"), [(TrainingError("a fit broke down"), 5), (KeyboardInterrupt(), 130)]
)
def test_each_error_has_its_exit_code(error, code) -> None:
    assert invoke("livieris2021", "--data", "d", obj=Fake(error)).exit_code == code


def test_no_runs_are_refused() -> None:
    assert invoke("livieris2021", "--data", "d", "--runs", "0").exit_code == 2
