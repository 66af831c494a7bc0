"""`backtest audit`: files in, a page and a verdict out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
from typer.testing import CliRunner

from engine.cli.main import app
from tests.auditing.tables import noise, write_csv
from tests.auditing.test_tries import tracking_database

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def test_returns_get_a_page_and_a_verdict(working_folder: Path) -> None:
    returns = write_csv(noise(0.003), working_folder / "mine.csv")
    bars = write_csv((1 + noise(seed=1)).cumprod().rename("close"), working_folder / "bars.csv")

    result = invoke("returns", returns, "--bars", bars, "--tries", 3, "--out", "out")

    assert result.exit_code == 0, result.output
    assert "Evidence: weak" in result.stdout
    assert sorted(path.name for path in (working_folder / "out").iterdir()) == [
        "audit.html",
        "audit.json",
        "significance.json",
    ]
    page = (working_folder / "out" / "audit.html").read_text()
    assert "Growth of 1 as the file has it" in page
    assert "after all costs" not in page
    assert "of each book after costs" not in page


def test_json_is_one_value_with_both_documents(working_folder: Path) -> None:
    frame = pd.DataFrame({"a": noise(), "b": noise(seed=1)})
    matrix = write_csv(frame, working_folder / "m.csv")

    result = invoke("matrix", matrix, "--column", "a", "--json")

    document = json.loads(result.stdout)
    assert document["audit"]["tries"] == {"known": True, "total": 2, "variants": 1}
    assert document["significance"]["verdict"]["grade"] == "none"


def test_a_kind_of_values_that_does_not_exist_is_refused(working_folder: Path) -> None:
    returns = write_csv(noise(), working_folder / "mine.csv")

    assert invoke("returns", returns, "--values", "money").exit_code == 2


def test_a_format_that_the_file_does_not_have_is_refused(working_folder: Path) -> None:
    returns = write_csv(noise(), working_folder / "mine.csv")

    assert invoke("returns", returns, "--format", "table", "--json").exit_code == 0
    assert invoke("returns", returns, "--format", "lean").exit_code == 2
    assert invoke("trades", returns, "--format", "vectorbt").exit_code == 2


def test_the_tries_of_one_experiment_of_mlflow_are_counted(working_folder: Path) -> None:
    returns = write_csv(noise(), working_folder / "mine.csv")
    tracking_database(working_folder / "mlflow.db")

    done = invoke("returns", returns, "--tries-from", "mlflow", "mlflow.db:alpha", "--json")

    assert json.loads(done.stdout)["audit"]["tries"]["total"] == 3


def test_a_function_that_looks_ahead_ends_with_exit_code_4(working_folder: Path) -> None:
    (working_folder / "mine.py").write_text(
        "def ahead(bars):\n    return bars['close'].shift(-1)\n"
        "def honest(bars):\n    return bars['close'].shift(1)\n",
        encoding="utf-8",
    )
    bars = write_csv((1 + noise()).cumprod().rename("Close"), working_folder / "bars.csv")

    ahead, honest = (
        invoke("code", f"mine.py:{name}", "--data", bars) for name in ("ahead", "honest")
    )

    assert ahead.exit_code == 4
    assert "Look-ahead in 1 column" in ahead.stdout
    assert honest.exit_code == 0
    assert "No look-ahead found" in honest.stdout


def test_findings_as_json_have_no_value_that_json_lacks(working_folder: Path) -> None:
    (working_folder / "mine.py").write_text("def f(bars):\n    return bars['close'].shift(-1)\n")
    bars = write_csv((1 + noise()).cumprod().rename("close"), working_folder / "bars.csv")

    result = invoke("code", "mine.py:f", "--data", bars, "--json")

    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["column"] == "close"
    assert finding["other"] is None
