"""`backtest run` of several strategies, or of a grid: what is printed, and how it ends."""

from __future__ import annotations

import json
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


class Family:
    """Hands back one outcome after the other; remembers how it was called."""

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
    """Three of different luck; the second one's own pages call it strong."""
    rng = np.random.default_rng(4)
    days = pd.date_range("2020-01-01", periods=400, freq="D", tz="UTC", name="timestamp")
    made = []
    for number, mean in enumerate((0.0, 0.0016, -0.001)):
        grade = "strong" if number == 1 else "none"
        made.append(
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
                | {"verdict": {"grade": grade, "sentence": "As it was judged alone."}},
            )
        )
    return made


def invoke(family: Family, *arguments: str, **env: str) -> Result:
    Path("s.yaml").write_text(STRATEGY)
    grid = ("--grid", "signal.enter_bps=5,10,20", "--no-pages")
    return CliRunner().invoke(
        app, ["run", "s.yaml", *grid, *arguments], obj=family, env={"COLUMNS": "80"} | env
    )


def test_a_grid_runs_once_with_each_value_and_says_which_run_it_is(runs: list[Run]) -> None:
    family = Family(*runs)
    result = invoke(family, "--set", "seed=3", "--workers", "2")
    assert [call["overrides"] for call in family.calls] == [
        {"seed": 3, "signal.enter_bps": value} for value in (5, 10, 20)
    ]
    assert {call["workers"] for call in family.calls} == {2}
    assert {call["sweep_id"] for call in family.calls} == {result.stdout.split()[1][:-1]}
    assert "run 2 of 3 (signal.enter_bps=10)" in result.stderr.splitlines()


def test_the_table_has_a_line_a_run_and_the_verdict_counts_them_all(runs: list[Run]) -> None:
    result = invoke(Family(*runs), COLUMNS="100")
    assert result.exit_code == 0
    heading, table, verdict, evidence, *rest = result.stdout.split("\n\n")
    assert heading.endswith(": 3 runs")
    lines = [line.split() for line in table.splitlines()]
    assert " ".join(lines[0]) == "Run Return % Sharpe 95 % DD % Grade Run id"
    assert [line[0] for line in lines[1:]] == [f"signal.enter_bps={n}" for n in (5, 10, 20)]
    assert [line[-1] for line in lines[1:]] == [run.run_id for run in runs]
    assert "the best of these 3 runs" in " ".join(verdict.split())
    assert "3 independent trials" in " ".join(verdict.split())
    assert evidence.startswith("Evidence: ")
    assert any(part.startswith("Probability of backtest overfitting") for part in rest)


def test_the_best_of_a_grid_is_not_graded_as_the_only_one(runs: list[Run]) -> None:
    told = json.loads(invoke(Family(*runs), "--json").stdout)
    best = told["runs"][1]
    assert best["verdict"]["grade"] == "strong"
    assert best["grade_in_family"] in {"none", "weak"}
    assert told["comparison"]["best"] == best["run_id"]
    alone = told["comparison"]["family"]
    assert alone["deflated_sharpe"] < alone["probabilistic_sharpe"]


def test_json_is_one_object_with_the_family_its_runs_and_their_comparison(
    runs: list[Run],
) -> None:
    result = invoke(
        Family(runs[0], TrainingError("NaN loss", where="window 3"), runs[2]), "--json"
    )
    told = json.loads(result.stdout)
    assert list(told) == ["family", "runs", "comparison", "comparison_page"]
    assert [run["label"] for run in told["runs"]] == [f"signal.enter_bps={n}" for n in (5, 10, 20)]
    assert [run["values"] for run in told["runs"]][1] == {"signal.enter_bps": 10}
    assert told["runs"][0]["run_id"] == runs[0].run_id
    assert told["runs"][1]["error"] == {
        "class": "TrainingError",
        "problem": "NaN loss",
        "where": "window 3",
        **dict.fromkeys(("expected", "found", "fix"), ""),
    }
    assert list(told["comparison"]["runs"]) == [runs[0].run_id, runs[2].run_id]


def test_a_member_that_fails_is_told_at_the_end_and_decides_the_exit_code(
    runs: list[Run],
) -> None:
    result = invoke(
        Family(TrainingError("NaN loss", where="window 3"), runs[1], runs[2]), COLUMNS="100"
    )
    assert result.exit_code == 5
    assert ": 3 runs, 1 of them failed" in result.stdout
    row = result.stdout.split("\n\n")[1].splitlines()[1]
    assert row.split() == ["signal.enter_bps=5", "-", "-", "-", "-", "failed", "-"]
    assert result.stderr.splitlines()[-2:] == [
        "error: signal.enter_bps=5: NaN loss",
        "  where: window 3",
    ]


def test_an_interrupt_ends_with_130_and_says_what_is_kept(runs: list[Run]) -> None:
    result = invoke(Family(runs[0], KeyboardInterrupt()))
    assert (result.exit_code, result.stdout) == (130, "")
    assert "1 of 3 runs were finished and are kept" in result.stderr


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(
    runs: list[Run], width: int
) -> None:
    text = invoke(Family(*runs), COLUMNS=str(width)).stdout
    assert max(map(len, text.splitlines())) <= width
    table = text.split("\n\n")[1].splitlines()
    place = table[0].index("Sharpe")
    assert all(line[place : place + 6].strip().lstrip("-")[1] == "." for line in table[1:])


def test_several_strategies_are_a_family_too_and_one_is_not(runs: list[Run]) -> None:
    Path("a.yaml").write_text(STRATEGY)
    Path("b.yaml").write_text(STRATEGY.replace("small", "other"))
    both = Family(*runs)
    result = CliRunner().invoke(app, ["run", "a.yaml", "b.yaml", "--no-pages"], obj=both)
    assert "run 2 of 2 (b)" in result.stderr
    alone = Family(*runs)
    CliRunner().invoke(app, ["run", "a.yaml"], obj=alone)
    assert "sweep_id" not in alone.calls[0]


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("signal.enter_bps", "has no path and values"),
        ("signal.enter_bps=", "has no path and values"),
        ("signal.enter_bps=5,5", "has a value twice"),
        ("signal.enter_bps=[", "is not YAML"),
        ("signal.enter_bp=5,6", "did you mean `enter_bps`?"),
    ],
)
def test_a_grid_that_is_wrong_ends_with_2_before_anything_runs(
    runs: list[Run], item: str, told: str
) -> None:
    family = Family(*runs)
    Path("s.yaml").write_text(STRATEGY)
    result = CliRunner().invoke(app, ["run", "s.yaml", "--grid", item], obj=family)
    assert (result.exit_code, family.calls) == (2, [])
    assert told in result.stderr


def test_a_grid_that_names_a_place_twice_is_wrong() -> None:
    result = CliRunner().invoke(app, ["run", "s.yaml", "--grid", "seed=1", "--grid", "seed=2"])
    assert result.exit_code == 2
    assert "names seed twice" in result.stderr
