from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from engine.cli.errors import INTERRUPTED_FITS_STORED
from engine.cli.main import app
from engine.core.errors import (
    EXIT_INTERRUPTED,
    InvalidBarsError,
    LedgerError,
    LookaheadError,
    Mistake,
    StrategyError,
    TrainingError,
    UnreachableError,
    UsageError,
)

if TYPE_CHECKING:
    from typer.testing import Result

    from engine.runs.run import Run

PipelineOf = Any


def invoke(pipeline: object, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["run", "s.yaml", *arguments], obj=pipeline)


def test_every_option_is_passed_on(
    finished: Run, pipeline: PipelineOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/backtest", "run", "s.yaml"])
    fake = pipeline(finished)

    result = invoke(
        fake,
        *("--data", "mine.yaml", "--set", "seeds=3", "--set", "benchmarks.0.fast=10"),
        *("--out", "elsewhere", "--workers", "2", "--executor", "ray", "--offline", "--fresh"),
        *("--ray-address", "auto", "--no-pages", "--vintage", "2024-05-10"),
        *("--tries-elsewhere", "40"),
    )

    assert result.exit_code == 0
    assert fake.strategy == "s.yaml"
    assert fake.options.pop("command") == "backtest run s.yaml"
    assert fake.options == {
        "overrides": {
            "seeds": 3,
            "benchmarks.0.fast": 10,
            "compute.executor": "ray",
            "compute.ray_address": "auto",
            "trials.elsewhere": 40,
        },
        "data": "mine.yaml",
        "offline": True,
        "out": Path("elsewhere"),
        "workers": 2,
        "fresh": True,
        "pages": False,
        "vintage": "2024-05-10",
    }


def test_defaults_without_options(finished: Run, pipeline: PipelineOf) -> None:
    fake = pipeline(finished)

    invoke(fake)

    del fake.options["command"]
    assert fake.options == {
        "overrides": {},
        "data": None,
        "offline": False,
        "out": Path("reports"),
        "workers": None,
        "fresh": False,
        "pages": True,
        "vintage": None,
    }


def test_the_result_is_on_stdout_and_progress_on_stderr(
    finished: Run, pipeline: PipelineOf
) -> None:
    result = invoke(pipeline(finished))

    assert "Verdict: No evidence that the strategy has skill." in result.stdout
    assert "reports/micdl/0123456789ab/tearsheet.html" in result.stdout
    assert "refits: 3 of 3 (window 3)" in result.stderr
    assert "stands in" in result.stderr
    assert "stands in" not in result.stdout
    assert "\x1b" not in result.output


def test_json_is_one_object_on_stdout(finished: Run, pipeline: PipelineOf) -> None:
    result = invoke(pipeline(finished), "--json")

    document = json.loads(result.stdout)
    assert document == {
        "run_id": "0123456789ab",
        "run_dir": "reports/micdl/0123456789ab",
        "dataset": {"name": "us-indices", "offline": True},
        "span": finished.metrics["span"],
        "risk_free_rate": {"mean_pct": 0.0, "lowest_pct": 0.0, "highest_pct": 0.0},
        "cash_yield": {"mean_pct": 0.0, "lowest_pct": 0.0, "highest_pct": 0.0},
        "metrics": finished.metrics["books"],
        "forecasts": finished.metrics["forecasts"],
        "significance": finished.significance.as_dict(),
        "left_out": [],
        "certificate": None,
        "verdict": {"grade": "none", "sentence": "No evidence that the strategy has skill."},
        "next_orders": [],
    }
    assert "refits: 3 of 3" in result.stderr


def test_quiet_prints_notices_only(finished: Run, pipeline: PipelineOf) -> None:
    result = invoke(pipeline(finished), "--quiet")

    assert result.stderr == "us-indices stands in for crypto-majors\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such dataset"), 2),
        (StrategyError("s.yaml", (Mistake("seeds", 3, "a whole number", '"x"'),)), 2),
        (InvalidBarsError("BTC-USD has 3 bars without a price"), 3),
        (UnreachableError("the server did not answer"), 3),
        (LookaheadError("position 12 depends on later bars"), 4),
        (TrainingError("window 3 ended with a NaN loss"), 5),
        (ZeroDivisionError("division by zero"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_is_a_few_lines_and_its_exit_code(
    pipeline: PipelineOf, error: BaseException, code: int
) -> None:
    result = invoke(pipeline(error), "--quiet")

    assert result.exit_code == code
    assert str(error) in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_an_interrupt_is_one_line(pipeline: PipelineOf) -> None:
    assert invoke(pipeline(KeyboardInterrupt()), "--quiet").stderr.splitlines()[1:] == [
        INTERRUPTED_FITS_STORED
    ]


def test_a_fault_of_the_engine_suggests_debug(pipeline: PipelineOf) -> None:
    assert "--debug" in invoke(pipeline(ZeroDivisionError("oh"))).stderr


@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), TrainingError("oh")])
def test_debug_shows_the_traceback(pipeline: PipelineOf, error: Exception) -> None:
    result = invoke(pipeline(error), "--debug")

    assert "Traceback" in result.stderr
    assert 'conftest.py", line' in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu", "s.yaml"], "run"),
        (["run", "s.yaml", "--ofline"], "--offline"),
        (["run", "s.yaml", "--executor", "rya"], "ray"),
        (["run", "s.yaml", "--workers", "0"], "greater than or equal to 1"),
        (["run", "s.yaml", "--tries-elsewhere", "-1"], "from 0 to a million"),
        (["run"], "STRATEGY"),
        (["run", "s.yaml", "--set", "seeds"], "--set path=value"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_a_suggestion(
    pipeline: PipelineOf, arguments: list[str], message: str
) -> None:
    fake = pipeline(AssertionError("must not run"))

    result = CliRunner().invoke(app, arguments, obj=fake)

    assert result.exit_code == 2
    assert message in result.stderr
    assert fake.strategy == ""


@pytest.mark.parametrize("tries", ["-1", "x", "1.5", "", "99999999"])
@pytest.mark.parametrize("more", [(), ("--grid", "seed=1,2")])
def test_tries_that_are_no_count_are_told_in_four_parts_with_their_option(
    pipeline: PipelineOf, tries: str, more: tuple[str, ...]
) -> None:
    fake = pipeline(AssertionError("must not run"))
    result = invoke(fake, "--tries-elsewhere", tries, *more)
    assert result.exit_code == 2
    lines = [line.strip() for line in result.stderr.splitlines()]
    assert "expected: a whole number from 0 to a million" in lines
    assert "where: --tries-elsewhere" in lines
    assert any(line.startswith("fix: ") for line in lines)
    assert "--set" not in result.stderr
    assert fake.strategy == ""
    if tries:
        assert f"found: {tries}" in lines


def test_the_help_lists_every_exit_code_of_a_run(pipeline: PipelineOf) -> None:
    text = " ".join(CliRunner().invoke(app, ["run", "--help"]).stdout.split())
    codes = text.partition("Exit codes: ")[2].partition(". ")[0]
    kinds = (UsageError, InvalidBarsError, LookaheadError, TrainingError, LedgerError)
    for code in {0, EXIT_INTERRUPTED, *(kind.exit_code for kind in kinds)}:
        assert f" {code} " in f" {codes}"
    assert "1 the trial ledger is damaged" in codes
    assert invoke(pipeline(LedgerError("the trial ledger is damaged"))).exit_code == 1


def test_a_missing_strategy_is_a_usage_error_with_a_suggestion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.config import load_config
    from engine.core.types import Spec

    (tmp_path / "micdl.yaml").write_text("name: micdl\n")
    monkeypatch.chdir(tmp_path)

    def reading(strategy: str, **_: object) -> Run:
        load_config(Path(strategy), Spec)
        raise AssertionError

    result = CliRunner().invoke(app, ["run", "mikdl.yaml"], obj=reading)

    assert result.exit_code == 2
    assert "did you mean micdl.yaml?" in result.stderr
