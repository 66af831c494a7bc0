"""`backtest ledger`: listing, showing and exporting runs."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import TrainingError
from engine.trials import Ledger
from tests.trials.factories import HOLDING, data_scope, finished, outcome, returns, strategy

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

RUN_ID = "0123456789ab"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def kept(home) -> Ledger:
    """A ledger: a finished, a failed and an interrupted run, and one with long names."""
    ledger = Ledger(home / "ledger.sqlite")
    finished(ledger.path, 0)
    with suppress(TrainingError), ledger.record(strategy(name="lstm"), "backtest run x") as entry:
        entry.set_data_scope(data_scope(targets=("ETH",)))
        raise TrainingError("window 3 ended with a NaN loss")
    with suppress(KeyboardInterrupt), ledger.record(strategy(name="lstm")):
        raise KeyboardInterrupt
    with ledger.record(strategy(name="a_strategy_with_quite_a_long_name")) as entry:
        entry.set_data_scope(data_scope(targets=("VERY-LONG-SYMBOL/USDT",)))
        entry.finish(outcome(3, run_id=RUN_ID, sharpe=-1.234, grade="moderate", tuning=5))
    return ledger


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["ledger", *arguments], env={"COLUMNS": "80"})


@pytest.mark.usefixtures("kept")
def test_the_table_fits_eighty_columns_and_has_the_status() -> None:
    lines = run("list").stdout.splitlines()
    heading = "Run Started Status Name Target Out of sample Sharpe Grade"
    assert lines[0].split() == heading.split()
    assert max(map(len, lines[:5])) <= 80
    assert [line.split()[0] for line in lines[1:5]] == ["1", "2", "3", "4"]
    assert [line.split()[2] for line in lines[1:5]] == [
        *("finished", "failed", "interrupted", "finished")
    ]
    assert lines[1].split()[3:] == ["ridge", "BTC", "2020-01..2020-07", "0.50", "none"]
    assert lines[3].split()[4:] == ["-", "-", "-", "-"]
    assert lines[4].split()[-2:] == ["-1.23", "moderate"]
    assert ".." in lines[4].split()[3]
    assert lines[5].startswith("4 runs in ")


@pytest.mark.usefixtures("kept")
def test_a_wide_terminal_shows_times_and_full_names() -> None:
    result = CliRunner().invoke(app, ["ledger", "list"], env={"COLUMNS": "150"})
    last = result.stdout.splitlines()[4]
    assert "a_strategy_with_quite_a_long_name  VERY-LONG-SYMBOL/USDT" in last
    assert "2020-01-01..2020-07-18" in last


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_leaves_out_columns_not_figures(kept, width: int) -> None:
    with kept.record(strategy(name="member"), sweep_id="0123456789ab"):
        pass
    result = CliRunner().invoke(app, ["ledger", "list"], env={"COLUMNS": str(width)})
    lines = result.stdout.splitlines()[:6]
    assert max(map(len, lines)) <= width
    start = lines[0].index("Sharpe")
    assert [line[start : start + 6].strip() for line in lines[1:]] == [
        *("0.50", "-", "-", "-1.23", "-")
    ]


def test_the_sweep_of_a_run_is_listed_shown_and_exported(kept) -> None:
    with kept.record(strategy(name="member"), sweep_id="0123456789ab"):
        pass
    wide = CliRunner().invoke(app, ["ledger", "list"], env={"COLUMNS": "150"}).stdout
    assert [line.split()[-1] for line in wide.splitlines()[:6]] == [
        *("Sweep", "-", "-", "-", "-", "01234567")
    ]
    assert json.loads(run("list", "--json").stdout)[-1]["family"] == "0123456789ab"
    assert "family           0123456789ab" in run("show", "5").stdout.splitlines()
    assert pd.read_csv(io.StringIO(run("export").stdout))["family"].tolist()[-1] == "0123456789ab"


@pytest.mark.usefixtures("kept")
def test_a_pipe_gets_all_columns_in_full_and_a_terminal_colours(monkeypatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    piped = CliRunner().invoke(app, ["ledger", "list"]).stdout
    assert "a_strategy_with_quite_a_long_name  VERY-LONG-SYMBOL/USDT" in piped
    assert "\x1b" not in piped
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in CliRunner().invoke(app, ["ledger", "list"]).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(app, ["ledger", "list"]).stdout


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ((), [1, 2, 3, 4]),
        (("--strategy", "lstm"), [2, 3]),
        (("--target", "ETH"), [2]),
        (("--status", "failed"), [2]),
        (("--status", "finished", "--strategy", "ridge"), [1]),
        (("--limit", "2"), [3, 4]),
        (("--limit", "0"), [1, 2, 3, 4]),
        (("--strategy", "nobody"), []),
    ],
)
def test_runs_are_filtered_and_limited(arguments, numbers) -> None:
    document = json.loads(run("list", "--json", *arguments).stdout)
    assert [row["number"] for row in document] == numbers


@pytest.mark.usefixtures("kept")
def test_the_number_of_hidden_runs_is_stated() -> None:
    assert "the last 2 of 4 runs in" in run("list", "--limit", "2").stdout
    assert "none of the 4 runs in" in run("list", "--target", "XRP").stdout


@pytest.mark.usefixtures("home")
def test_an_empty_ledger_is_an_empty_list() -> None:
    assert "no runs yet in" in run("list").stdout
    assert run("list", "--json").stdout == "[]\n"
    assert run("export", "--format", "json").stdout == "[]\n"
    assert run("export").stdout.startswith("number,started_at,")
    assert run("export", "--returns").stdout.startswith("number,run_id,")


def test_json_has_the_columns_of_the_table_and_the_error(kept) -> None:
    first, second, *_ = json.loads(run("list", "--json").stdout)
    assert (first["targets"], first["sharpe"], first["grade"]) == (["BTC"], 0.5, "none")
    assert first["configuration"] == kept.rows()[0].configuration
    assert (second["error"], second["problem"]) == (
        "TrainingError",
        "window 3 ended with a NaN loss",
    )
    assert second["sharpe"] is None


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("named", ["4", RUN_ID])
def test_a_run_is_shown_by_number_or_id(named: str) -> None:
    shown = run("show", named).stdout
    for line in (
        "number           4",
        "status           finished",
        f"run_id           {RUN_ID}",
        "tuning           5",
        "dataset          made-up",
        "inputs           BTC, ETH",
        f"BTC              {'ab' * 32}",
        '  "name": "a_strategy_with_quite_a_long_name",',
    ):
        assert line in shown.splitlines()


@pytest.mark.usefixtures("kept")
def test_a_failed_run_is_shown_with_its_error_and_its_command() -> None:
    shown = run("show", "2").stdout.splitlines()
    assert "error            TrainingError" in shown
    assert "command          backtest run x" in shown
    assert not any(line.startswith(("run_id", "grade")) for line in shown)


def test_show_as_json_is_the_whole_row(kept) -> None:
    document = json.loads(run("show", "1", "--json").stdout)
    assert document["strategy"] == kept.rows()[0].strategy
    assert document["dataset"]["symbols"]["BTC"]["sha256"] == "ab" * 32


def test_the_newest_run_of_an_id_is_shown(kept) -> None:
    finished(kept.path, 0)
    assert json.loads(run("show", f"{0:012x}", "--json").stdout)["number"] == 5


def test_show_says_how_often_the_idea_was_looked_at_and_over_what(kept) -> None:
    finished(kept.path, 0, on=data_scope("2019-01-01"))
    finished(kept.path, 0, on=data_scope("2018-01-01", targets=("ETH",)))
    finished(kept.path, 0)
    judged = {"confidence": 0.55}
    finished(kept.path, 0, evaluation=judged)
    shown = run("show", "7").stdout.splitlines()
    assert shown[-5:] == [
        "This idea has been looked at 4 times, from 3 start dates, to 3 end dates, on 2 targets "
        "and at 2 levels of confidence.",
        "run 1  BTC  1d  made-up  2020-01-01..2020-07-18  confidence 0.875",
        "run 5  BTC  1d  made-up  2019-01-01..2019-07-19  confidence 0.875",
        "run 6  ETH  1d  made-up  2018-01-01..2018-07-19  confidence 0.875",
        "run 8  BTC  1d  made-up  2020-01-01..2020-07-18  confidence 0.55",
    ]
    document = json.loads(run("show", "1", "--json").stdout)
    assert (document["idea"]["looks"], document["idea"]["targets"]) == (4, 2)


def test_an_idea_that_no_run_has_finished_has_no_look(kept) -> None:
    with suppress(TrainingError), kept.record(strategy(seed=5)):
        raise TrainingError("window 3 ended with a NaN loss")
    assert run("show", "5").stdout.splitlines()[-1] == "No run of this idea has finished."
    assert json.loads(run("show", "5", "--json").stdout)["idea"] is None


def test_confidence_and_declared_tries_are_listed_and_exported(kept) -> None:
    finished(kept.path, 1, evaluation={"confidence": 0.55}, trials={"elsewhere": 40})
    listed = json.loads(run("list", "--json").stdout)
    assert (listed[0]["confidence"], listed[-1]["confidence"]) == (0.875, 0.55)
    assert (listed[0]["tries_elsewhere"], listed[-1]["tries_elsewhere"]) == (0, 40)
    wide = CliRunner().invoke(app, ["ledger", "list"], env={"COLUMNS": "150"}).stdout
    assert wide.splitlines()[0].split()[-1] == "Confidence"
    assert [line.split()[-1] for line in wide.splitlines()[1:6:4]] == ["0.875", "0.55"]
    table = pd.read_csv(io.StringIO(run("export").stdout))
    assert table["confidence"].tolist()[-1] == 0.55
    assert table["tries_elsewhere"].tolist()[-1] == 40


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("named", ["99", "-", "ab", "123456789012"])
def test_an_unknown_run_ends_with_2(named: str) -> None:
    result = run("show", "--", named)
    assert result.exit_code == 2
    assert "backtest ledger list" in result.stderr


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_every_format_holds_every_run(kept, tmp_path, format_: str) -> None:
    file = tmp_path / f"runs.{format_}"
    result = run("export", "--format", format_, "--out", str(file))
    assert result.stdout == f"4 rows in {file}\n"
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[format_]
    table = read(file)
    assert list(table["number"]) == [1, 2, 3, 4]
    assert list(table["status"]) == [row.status for row in kept.rows()]
    assert table["sharpe"].tolist()[0::3] == [0.5, -1.234]
    tree = table["strategy"][0]
    assert (tree if format_ == "json" else json.loads(tree)) == kept.rows()[0].strategy


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_returns_are_exported_bar_by_bar_with_every_digit(tmp_path, format_: str) -> None:
    file = tmp_path / "returns"
    run("export", "--returns", "--format", format_, "--out", str(file))
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[format_]
    table = read(file)
    assert list(table.columns) == [
        *("number", "run_id", "name", "configuration", "timestamp", "return", "holding")
    ]
    assert table.groupby("number").size().to_dict() == {1: 200, 4: 200}
    first = table.query("number == 1")
    if format_ != "json":  # pandas reads floats of JSON a bit off, by default; see below
        assert list(first["return"]) == list(returns(0))
        assert list(first["holding"]) == list(returns(HOLDING))
    assert list(pd.to_datetime(first["timestamp"], utc=True)) == list(returns(0).index)


@pytest.mark.usefixtures("kept")
def test_json_returns_have_every_digit() -> None:
    document = json.loads(run("export", "--returns", "--format", "json").stdout)
    assert [row["return"] for row in document[:200]] == list(returns(0))


@pytest.mark.usefixtures("kept")
def test_an_export_has_the_filters_of_a_list_and_can_be_piped() -> None:
    piped = run("export", "--format", "parquet", "--status", "failed")
    assert list(pd.read_parquet(io.BytesIO(piped.stdout_bytes))["number"]) == [2]


@pytest.mark.usefixtures("kept")
def test_a_file_that_cannot_be_written_ends_with_2(tmp_path) -> None:
    result = run("export", "--out", str(tmp_path / "nowhere" / "runs.csv"))
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


@pytest.mark.parametrize("arguments", [["list"], ["show", "1"], ["export"]])
def test_a_damaged_ledger_is_a_few_lines_and_ends_with_1(home, arguments) -> None:
    (home / "ledger.sqlite").write_bytes(b"no database at all " * 300)
    result = run(*arguments)
    assert result.exit_code == 1
    assert "the trial ledger is damaged" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in run(*arguments, "--debug").stderr


@pytest.mark.slow
@pytest.mark.usefixtures("kept")
def test_listing_loads_nothing_heavy_and_a_reader_may_leave_early() -> None:
    script = (
        "import sys\nfrom engine.cli.main import main\n"
        "try:\n    main()\n"
        "finally:\n"
        "    heavy = {'numpy', 'pandas', 'scipy', 'vectorbt'} & set(sys.modules)\n"
        "    print(sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "ledger", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")
    command = f"{sys.executable} -c 'from engine.cli.main import main; main()' ledger export"
    piped = subprocess.run(
        ["bash", "-c", f"{command} --returns | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert piped.stdout.splitlines()[0].startswith("number,")
    assert piped.stderr == ""


def test_verify_names_the_newest_hash_and_finds_a_noted_one(kept) -> None:
    shown = run("verify")
    head = kept.check_chain().head
    assert shown.exit_code == 0
    assert head in shown.stdout
    assert "4 runs in " in shown.stdout
    assert run("verify", "--noted", head[:12]).exit_code == 0
    assert json.loads(run("verify", "--json").stdout)["intact"] is True


def test_verify_fails_where_a_row_was_changed(kept) -> None:
    with closing(sqlite3.connect(kept.path)) as connection, connection:
        connection.execute("DROP TRIGGER outcomes_keep")
        connection.execute("UPDATE outcomes SET sharpe = 3.0 WHERE run = 4")
    shown = run("verify")
    assert shown.exit_code == 1
    assert "the end of run 4 was changed past the engine" in shown.stderr
    assert json.loads(run("verify", "--json").stdout)["first_break"]["run"] == 4


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("noted", "code"), [("ab" * 6, 1), ("xyz", 2), ("abc", 2)])
def test_verify_fails_on_a_hash_that_the_ledger_does_not_have(noted, code) -> None:
    assert run("verify", "--noted", noted).exit_code == code


def test_merge_and_copy(kept, tmp_path) -> None:
    copy = tmp_path / "copy.sqlite"
    assert run("export", "--format", "sqlite", "--out", str(copy)).exit_code == 0
    finished(copy, 9)
    shown = run("merge", str(copy))
    assert shown.exit_code == 0
    assert shown.stdout.startswith("1 run added to ")
    assert len(kept.rows()) == 5


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("extra", [[], ["--out", "x.sqlite", "--strategy", "ridge"]])
def test_a_copy_is_the_whole_ledger(extra: list[str]) -> None:
    assert run("export", "--format", "sqlite", *extra).exit_code == 2
