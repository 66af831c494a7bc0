"""`backtest run` of several strategies or a grid: output and exit codes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import TrainingError

if TYPE_CHECKING:
    from typer.testing import Result

    from engine.runs.run import Run

STRATEGY = "name: small\ndata: {dataset: us-indices}\nmodel: {kind: ridge}\n"


class FakeSweep:
    """Returns or raises one outcome after the other; records its calls."""

    def __init__(self, *outcomes: Run | BaseException) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[dict[str, Any]] = []

    def __call__(self, strategy: Path, **options: Any) -> Run:
        self.calls.append({"strategy": strategy, **options})
        options["progress"].stage("refits")
        outcome = self.outcomes[len(self.calls) - 1]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@pytest.fixture
def runs(finished: Run) -> list[Run]:
    """Three runs of different means; the second one alone is graded strong."""
    rng = np.random.default_rng(4)
    days = pd.date_range("2020-01-01", periods=400, freq="D", tz="UTC", name="timestamp")
    results = []
    for number, mean in enumerate((0.0, 0.0016, -0.001)):
        grade = "strong" if number == 1 else "none"
        results.append(
            replace(
                finished,
                run_id=f"{number:012x}",
                returns=pd.DataFrame({"strategy": rng.normal(mean, 0.01, 400)}, index=days),
                manifest=finished.manifest
                | {
                    "strategy": {"signal": {"enter_bps": number}, "opponents": []},
                    "dataset": {"name": "made-up", "interval": "1d", "offline": False},
                },
                significance=finished.significance
                | {"verdict": {"grade": grade, "sentence": "The verdict on this run alone."}},
            )
        )
    return results


def invoke(sweep: FakeSweep, *arguments: str, **env: str) -> Result:
    Path("s.yaml").write_text(STRATEGY)
    grid = ("--grid", "signal.enter_bps=5,10,20", "--no-pages")
    return CliRunner().invoke(
        app, ["run", "s.yaml", *grid, *arguments], obj=sweep, env={"COLUMNS": "80"} | env
    )


def test_a_grid_runs_once_per_value_and_names_each_run(runs: list[Run]) -> None:
    sweep = FakeSweep(*runs)
    result = invoke(sweep, "--set", "seed=3", "--workers", "2")
    assert [call["overrides"] for call in sweep.calls] == [
        {"seed": 3, "signal.enter_bps": value} for value in (5, 10, 20)
    ]
    assert {call["workers"] for call in sweep.calls} == {2}
    assert {call["sweep_id"] for call in sweep.calls} == {result.stdout.split()[1][:-1]}
    assert "run 2 of 3 (signal.enter_bps=10)" in result.stderr.splitlines()


def test_the_table_has_one_line_per_run_and_the_verdict_counts_all(runs: list[Run]) -> None:
    result = invoke(FakeSweep(*runs), COLUMNS="100")
    assert result.exit_code == 0
    heading, table, verdict, evidence, *rest = result.stdout.split("\n\n")
    assert heading.endswith(": 3 runs")
    lines = [line.split() for line in table.splitlines()]
    assert " ".join(lines[0]) == "Run Return % Sharpe 95 % MDD % Grade Run id"
    assert [line[0] for line in lines[1:]] == [f"signal.enter_bps={n}" for n in (5, 10, 20)]
    assert [line[-1] for line in lines[1:]] == [run.run_id for run in runs]
    assert "the best of these 3 runs" in " ".join(verdict.split())
    assert re.search(r"With [123]\.\d independent trials counted", " ".join(verdict.split()))
    assert evidence.startswith("Evidence: ")
    assert any(part.startswith("Probability of backtest overfitting") for part in rest)


def test_the_best_run_of_a_grid_is_not_graded_as_a_single_trial(runs: list[Run]) -> None:
    document = json.loads(invoke(FakeSweep(*runs), "--json").stdout)
    best = document["runs"][1]
    assert best["verdict"]["grade"] == "strong"
    assert best["grade_in_family"] in {"none", "weak"}
    assert document["comparison"]["best"] == best["run_id"]
    selection = document["comparison"]["family"]
    assert selection["deflated_sharpe"] < selection["probabilistic_sharpe"]


def test_json_is_one_object_with_id_runs_and_comparison(
    runs: list[Run],
) -> None:
    result = invoke(
        FakeSweep(runs[0], TrainingError("NaN loss", where="window 3"), runs[2]), "--json"
    )
    document = json.loads(result.stdout)
    assert list(document) == ["family", "runs", "comparison", "comparison_page"]
    assert [run["label"] for run in document["runs"]] == [
        f"signal.enter_bps={n}" for n in (5, 10, 20)
    ]
    assert [run["values"] for run in document["runs"]][1] == {"signal.enter_bps": 10}
    assert document["runs"][0]["run_id"] == runs[0].run_id
    assert document["runs"][1]["error"] == {
        "class": "TrainingError",
        "problem": "NaN loss",
        "where": "window 3",
        **dict.fromkeys(("expected", "found", "fix"), ""),
    }
    assert list(document["comparison"]["runs"]) == [runs[0].run_id, runs[2].run_id]


def test_a_failed_run_is_reported_last_and_gives_the_exit_code(
    runs: list[Run],
) -> None:
    result = invoke(
        FakeSweep(TrainingError("NaN loss", where="window 3"), runs[1], runs[2]), COLUMNS="100"
    )
    assert result.exit_code == 5
    assert ": 3 runs, 1 failed" in result.stdout
    row = result.stdout.split("\n\n")[1].splitlines()[1]
    assert row.split() == ["signal.enter_bps=5", "-", "-", "-", "-", "failed", "-"]
    assert result.stderr.splitlines()[-2:] == [
        "error: signal.enter_bps=5: NaN loss",
        "  where: window 3",
    ]


def test_an_interrupt_ends_with_130_and_states_the_finished_runs(runs: list[Run]) -> None:
    result = invoke(FakeSweep(runs[0], KeyboardInterrupt()))
    assert (result.exit_code, result.stdout) == (130, "")
    assert "1 of 3 runs finished and are kept" in result.stderr


@pytest.mark.parametrize("width", [40, 60, 80])
def test_lines_fit_the_terminal_and_figures_are_whole(runs: list[Run], width: int) -> None:
    text = invoke(FakeSweep(*runs), COLUMNS=str(width)).stdout
    assert max(map(len, text.splitlines())) <= width
    table = text.split("\n\n")[1].splitlines()
    start = table[0].index("Sharpe")
    assert all(line[start : start + 6].strip().lstrip("-")[1] == "." for line in table[1:])


def test_several_strategies_are_a_sweep_and_one_is_not(runs: list[Run]) -> None:
    Path("a.yaml").write_text(STRATEGY)
    Path("b.yaml").write_text(STRATEGY.replace("small", "other"))
    both = FakeSweep(*runs)
    result = CliRunner().invoke(app, ["run", "a.yaml", "b.yaml", "--no-pages"], obj=both)
    assert "run 2 of 2 (b)" in result.stderr
    alone = FakeSweep(*runs)
    CliRunner().invoke(app, ["run", "a.yaml"], obj=alone)
    assert "sweep_id" not in alone.calls[0]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("signal.enter_bps", "has no path and values"),
        ("signal.enter_bps=", "has no path and values"),
        ("signal.enter_bps=5,5", "has a value twice"),
        ("signal.enter_bps=[", "is not YAML"),
        ("signal.enter_bp=5,6", "did you mean `enter_bps`?"),
    ],
)
def test_an_invalid_grid_ends_with_2_before_anything_runs(
    runs: list[Run], item: str, message: str
) -> None:
    sweep = FakeSweep(*runs)
    Path("s.yaml").write_text(STRATEGY)
    result = CliRunner().invoke(app, ["run", "s.yaml", "--grid", item], obj=sweep)
    assert (result.exit_code, sweep.calls) == (2, [])
    assert message in result.stderr


MANY = f"seed={','.join(map(str, range(1001)))}"


@pytest.mark.usefixtures("working_folder")
def test_more_than_a_thousand_runs_are_told_and_not_begun_without_a_terminal() -> None:
    sweep = FakeSweep()
    result = invoke(sweep, "--grid", MANY)
    assert result.exit_code == 2
    assert "the sweep has 3,003 runs" in result.stderr
    assert "--yes" in result.stderr
    assert sweep.calls == []


@pytest.mark.usefixtures("working_folder")
def test_yes_goes_on_without_being_asked() -> None:
    result = invoke(FakeSweep(), "--grid", MANY, "--yes", "--set", "signal.entr=1")
    assert result.exit_code == 2
    assert "signal.entr" in result.stderr
    assert "3,003" not in result.stderr


def test_a_grid_that_names_a_path_twice_is_invalid() -> None:
    result = CliRunner().invoke(app, ["run", "s.yaml", "--grid", "seed=1", "--grid", "seed=2"])
    assert result.exit_code == 2
    assert "names seed twice" in result.stderr
