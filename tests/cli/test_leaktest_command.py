"""`backtest leaktest`: a table, one JSON object, an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from engine.cli.leaktest import render_leaktest_text
from engine.cli.main import app
from engine.cli.terminal import strip_styles
from engine.selftest.leak_test import LeakRow, LeakTestResult
from engine.selftest.leaks import CATALOGUE
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

CAUGHT = LeakRow("feature: next bar", "the next bar is in it", "features", 8, 8, 8, (), (), ())
MISSED = LeakRow(
    "order: exits undelayed", "filled early", "fills", 8, 7, 6, ("lstm",), ("ridge: marks",), ()
)


def result_of(*rows: LeakRow, false_alarms: tuple[str, ...] = ()) -> LeakTestResult:
    return LeakTestResult(rows, 38, false_alarms, seed=0, seconds=61.7)


def invoke(*arguments: str, result: LeakTestResult | None = None) -> tuple[Result, dict[str, Any]]:
    given: dict[str, Any] = {}

    def execute(sources: Any, **options: Any) -> LeakTestResult:
        given.update(options, sources=sources)
        return result or result_of(CAUGHT)

    return CliRunner().invoke(app, ["leaktest", *arguments], obj=execute), given


def test_all_caught_ends_with_0_and_a_conclusion() -> None:
    result, given = invoke()
    assert result.exit_code == 0
    assert "1 kinds of leaks in 8 runs: 8 caught, 8 with their stage, 0 missed" in result.stdout
    assert "Honest strategies: 38 runs, 0 false alarms." in result.stdout
    assert given["leaks"] == CATALOGUE
    assert given["honest"] > 0
    assert {"ridge", "lstm", "random 0"} <= {source.name for source in given["sources"]}
    assert "ridge in the place of networks" in result.stderr


def test_a_missed_leak_ends_with_1_and_is_named_with_its_strategy() -> None:
    result, _ = invoke(result=result_of(CAUGHT, MISSED))
    assert result.exit_code == 1
    assert "order: exits undelayed: missed in lstm" in result.stdout
    assert "another stage was named in ridge: marks" in result.stdout
    assert [line[:4] for line in result.stdout.splitlines()[1:3]] == ["    ", "FAIL"]


def test_a_false_alarm_ends_with_1() -> None:
    alarmed = result_of(CAUGHT, false_alarms=("random-7: Look-ahead: a feature knows it",))
    result, _ = invoke(result=alarmed)
    assert result.exit_code == 1
    assert "1 false alarms" in result.stdout
    assert "random-7: Look-ahead" in result.stdout


def test_json_is_one_object() -> None:
    result, _ = invoke("--json", "--quiet", result=result_of(CAUGHT, MISSED))
    told = json.loads(result.stdout)
    assert (told["passed"], told["honest"], told["seed"]) == (False, 38, 0)
    assert [kind["passed"] for kind in told["kinds"]] == [True, False]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_is_at_most_eighty_columns_wide(width: int) -> None:
    text = strip_styles(render_leaktest_text(result_of(CAUGHT, MISSED), width))
    assert max(map(len, text.splitlines())) <= min(width, 80)


def test_a_kind_without_effect_is_no_failure() -> None:
    idle = LeakRow("rate: history mean", "the mean", "rates", 0, 0, 0, (), (), ())
    result, _ = invoke(result=result_of(CAUGHT, idle))
    assert result.exit_code == 0
    assert "no effect" in result.stdout


def test_the_kinds_are_listed_and_selected() -> None:
    listed, given = invoke("--list", "--only", "thresholds")
    assert listed.exit_code == 0
    assert given == {}, "nothing ran"
    assert listed.stdout.count("(thresholds)") == sum(
        leak.stage == "thresholds" for leak in CATALOGUE
    )
    as_json = json.loads(invoke("--list", "--json")[0].stdout)
    assert [kind["name"] for kind in as_json] == [leak.name for leak in CATALOGUE]


def test_an_unknown_kind_is_a_mistake_of_the_command_line() -> None:
    result, _ = invoke("--only", "tomorrow")
    assert result.exit_code == 2
    assert "--list" in result.stderr


def test_a_strategy_of_ones_own_runs_on_its_own_bars_with_a_cheap_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    file = write_strategy(tmp_path, market(tmp_path / "market"), "{kind: lstm, lookback: 9}")
    result, given = invoke(str(file))
    assert result.exit_code == 0
    (source,) = given["sources"]
    assert source.build().market.symbols == ("AAA", "BBB")
    assert source.spec.model.kind == "ridge"
    assert "the model of strategy is ridge here" in result.stderr
    assert given["honest"] == 0


@pytest.mark.slow
def test_one_kind_in_a_strategy_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    file = write_strategy(tmp_path, market(tmp_path / "market"))
    arguments = ["leaktest", str(file), "--only", "mark: next close", "--workers", "1", "--json"]
    told = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert [kind["caught"] for kind in told["kinds"]] == [1, 1]
    assert (told["honest"], told["false_alarms"]) == (1, [])


@pytest.mark.slow
def test_an_interrupt_ends_it_and_its_workers_with_130_and_one_line() -> None:
    command = "from engine.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "leaktest", "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("leaktest: "):
            pass
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "interrupted"
    assert "Traceback" not in stderr
