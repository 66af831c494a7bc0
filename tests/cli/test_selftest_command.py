"""`backtest selftest`: a table, one JSON object, an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from engine.cli.main import app
from engine.cli.selftest import render_selftest_text
from engine.selftest.base import CheckResult
from engine.selftest.run import SelfTestResult

GOOD = CheckResult(
    name="noise: false alarms",
    planted="a random walk: nothing to find",
    expected="significant at 5 % no more often than that",
    found="18 of 300: 6.0 % (3.0 to 10.4 %)",
    passed=True,
    figures={"rate": 0.06},
)
BAD = CheckResult(
    "costs twice as high", "5 kinds of cost", "no book richer", "3 of 180 richer", False
)


def invoke(
    *arguments: str, rows: tuple[CheckResult, ...] = (GOOD,)
) -> tuple[Result, dict[str, Any]]:
    options: dict[str, Any] = {}

    def execute(**given: Any) -> SelfTestResult:
        options.update(given)
        given["progress"].notice("working")
        return SelfTestResult(rows, given["seed"], 300, 61.7)

    return CliRunner().invoke(app, ["selftest", *arguments], obj=execute), options


def test_passed_checks_end_with_0_and_a_conclusion() -> None:
    result, options = invoke()

    assert result.exit_code == 0
    assert "All 1 checks passed (300 generated markets, seed 0, 62 s)" in result.stdout
    assert (options["seed"], options["workers"]) == (0, None)
    assert result.stderr == "working\n"


def test_a_failed_check_ends_with_1_and_is_named_on_stderr() -> None:
    result, _ = invoke("--seed", "4", "--workers", "2", rows=(GOOD, BAD))

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "self-test failed: costs twice as high"
    assert "1 of 2 checks failed" in result.stdout
    assert "FAIL  costs twice as" in result.stdout


def test_json_is_one_object_and_nothing_else() -> None:
    result, _ = invoke("--json", rows=(GOOD, BAD))
    document = json.loads(result.stdout)

    assert result.exit_code == 1
    assert (document["passed"], document["seed"], document["markets"]) == (False, 0, 300)
    assert document["checks"][0]["figures"] == {"rate": 0.06}
    assert [check["passed"] for check in document["checks"]] == [True, False]


@pytest.mark.parametrize("width", [60, 80, 100, 300])
def test_the_table_fits_its_terminal(width: int) -> None:
    text = render_selftest_text(SelfTestResult((GOOD, BAD), 0, 300, 61.7), width)

    assert max(map(len, text.splitlines())) <= min(width, 120)
    assert "\N{NO-BREAK SPACE}" not in text
    for word in ("Check", "Simulated", "Expected", "Result", "a random", "10.4 %"):
        assert word in text


def test_the_printed_table_matches_the_expected_text() -> None:
    table = render_selftest_text(SelfTestResult((GOOD, BAD), 0, 300, 61.7), 80).splitlines()

    assert table[:9] == [
        "      Check            Simulated           Expected            Result",
        "-" * 80,
        "pass  noise: false     a random walk:      significant at 5 %  18 of 300: 6.0 %",
        "      alarms           nothing to find     no more often than  (3.0 to 10.4 %)",
        "                                           that",
        "",
        "FAIL  costs twice as   5 kinds of cost     no book richer      3 of 180 richer",
        "      high",
        "-" * 80,
    ]


@pytest.mark.slow
def test_an_interrupt_ends_it_and_its_workers_with_130_and_one_line() -> None:
    command = "from engine.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "selftest", "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "selftest\n"
        assert process.stderr.readline().startswith("selftest: ")
        # As a terminal does: to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)

    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "interrupted"
    assert "Traceback" not in stderr
