"""Sweeps: points, shared fits, comparison, and grades with all trials counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import engine
from engine.backtest.sweep import Sweep, count_runs, expand_sweep
from engine.comparison.selection import compute_selection_bias
from engine.core.errors import DatasetNotFoundError, StrategyError, UsageError
from engine.core.progress import NullProgress
from engine.evaluation.verdict import cap_grade
from engine.trials import Ledger
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.slow

GRID = {"signal.enter": [0.6, 0.8]}


class RecordedProgress(NullProgress):
    """Records runs and notices."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.notices: list[str] = []

    def run(self, number: int, total: int, name: str) -> None:
        self.runs.append(f"{number} of {total} {name}")

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def strategy(folder: Path) -> Path:
    return write_strategy(folder, market(folder / "market", edge=0.3))


@pytest.fixture(scope="module")
def progress() -> RecordedProgress:
    return RecordedProgress()


@pytest.fixture(scope="module")
def sweep(folder: Path, strategy: Path, progress: RecordedProgress) -> Sweep:
    """Two values of a threshold, each with a dataset that exists and one that does not."""
    return engine.run_sweep(
        [strategy],
        grid={"data.dataset": [str(folder / "market" / "market.yaml"), "nowhere"], **GRID},
        overrides={"evaluation.resamples": 200},
        out=folder / "out",
        home=folder / "home",
        pages=False,
        progress=progress,
        command="backtest run small.yaml --grid ...",
    )


def rows(folder: Path) -> list[Any]:
    return Ledger(folder / "home" / "ledger.sqlite").rows()


def test_every_combination_runs_the_last_path_varying_fastest(
    sweep: Sweep, progress: RecordedProgress
) -> None:
    assert [point.values["signal.enter"] for point in sweep.points] == [0.6, 0.8, 0.6, 0.8]
    assert [line.split()[:3] for line in progress.runs] == [
        [str(n), "of", "4"] for n in (1, 2, 3, 4)
    ]
    assert progress.runs[1].endswith(" enter=0.8")


def test_each_point_is_a_run_with_the_id_of_the_sweep(sweep: Sweep, folder: Path) -> None:
    (_, first), (_, second) = sweep.finished_runs
    assert first.run_id != second.run_id
    for run in (first, second):
        assert engine.Run.open(run.run_dir).manifest["family"] == sweep.sweep_id
    assert [row.family for row in rows(folder)] == [sweep.sweep_id] * 4
    assert [row.status for row in rows(folder)] == ["finished", "finished", "failed", "failed"]


def test_other_runs_continue_after_a_failure(sweep: Sweep, progress: RecordedProgress) -> None:
    assert [type(error) for _, error in sweep.failures] == [DatasetNotFoundError] * 2
    assert len(sweep.finished_runs) == 2
    assert sum("failed:" in notice for notice in progress.notices) == 2


def test_each_run_is_graded_with_all_trials_of_the_sweep_counted(sweep: Sweep) -> None:
    found = sweep.comparison
    assert found is not None
    assert found.selection_bias is not None
    assert found.selection_bias.known == 2
    assert 1 < found.selection_bias.counted <= 2
    first, second = (run for _, run in sweep.finished_runs)
    assert [run.significance["trials"]["distinct"] for run in (first, second)] == [1, 2]
    for run in (first, second):
        verdict = run.significance["verdict"] | {"grade": "strong"}
        strong = replace(run, significance=run.significance | {"verdict": verdict})
        bias = compute_selection_bias(run.run_id, found.returns, found.runs, 0.95)
        capped = cap_grade("strong", bias.p_value, bias.lead_p_value, 0.95)
        assert sweep.adjust_grade(strong) == capped


class FakeRunner:
    """Returns or raises the outcomes in order; records its calls."""

    def __init__(self, *outcomes: engine.Run | BaseException) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[dict[str, Any]] = []

    def __call__(self, strategy: Path, **options: Any) -> engine.Run:
        self.calls.append({"strategy": strategy, **options})
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def test_the_comparison_page_has_the_labels_of_the_points(
    sweep: Sweep, folder: Path, strategy: Path
) -> None:
    execute = FakeRunner(*(run for _, run in sweep.finished_runs))
    again = engine.run_sweep([strategy], grid=GRID, out=folder / "out", execute=execute)
    assert (
        again.comparison_page == folder / "out" / "families" / again.sweep_id / "comparison.html"
    )
    assert "signal.enter=0.8" in again.comparison_page.read_text(encoding="utf-8")
    assert again.comparison is not None
    assert list(again.comparison.labels.values()) == ["signal.enter=0.6", "signal.enter=0.8"]


def test_an_interrupt_ends_the_sweep_and_keeps_finished_runs(sweep: Sweep, strategy: Path) -> None:
    progress = RecordedProgress()
    execute = FakeRunner(sweep.finished_runs[0][1], KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        engine.run_sweep(
            [strategy], grid={"seed": [1, 2, 3]}, progress=progress, execute=execute, workers=2
        )
    assert progress.notices == ["1 of 3 runs finished and are kept"]
    assert [call["workers"] for call in execute.calls] == [2, 2]


def test_an_unexpected_error_in_one_run_is_kept_as_its_outcome(
    sweep: Sweep, strategy: Path
) -> None:
    execute = FakeRunner(ZeroDivisionError("by zero"), sweep.finished_runs[0][1])
    result = engine.run_sweep([strategy], grid={"seed": [1, 2]}, execute=execute, pages=False)
    assert [str(error) for _, error in result.failures] == ["by zero"]
    assert result.comparison is None
    assert result.comparison_error == "fewer than two runs finished"
    assert (
        result.adjust_grade(sweep.finished_runs[0][1])
        == sweep.finished_runs[0][1].significance["verdict"]["grade"]
    )


def test_runs_that_cannot_be_compared_have_no_comparison(sweep: Sweep, strategy: Path) -> None:
    run = sweep.finished_runs[0][1]
    dataset = run.manifest["dataset"] | {"interval": "1h"}
    hourly = replace(run, run_id="0" * 12, manifest=run.manifest | {"dataset": dataset})
    execute = FakeRunner(run, hourly)
    result = engine.run_sweep([strategy], grid={"seed": [1, 2]}, execute=execute, pages=False)
    assert result.comparison is None
    assert "bars of different lengths" in result.comparison_error


def test_a_mistake_in_any_point_is_raised_before_anything_runs(strategy: Path) -> None:
    execute = FakeRunner()
    with pytest.raises(StrategyError, match="mistake"):
        engine.run_sweep([strategy], grid={"signal.entr": [1]}, execute=execute)
    with pytest.raises(UsageError, match="the same"):
        engine.run_sweep([strategy, strategy], execute=execute)
    assert execute.calls == []


def test_too_many_runs_are_refused_before_anything_runs(strategy: Path) -> None:
    execute = FakeRunner()
    grid = {"seed": [1, 2], "signal.enter_bps": [5, 10]}
    with pytest.raises(UsageError, match="the sweep has 4 runs") as caught:
        engine.run_sweep([strategy], grid=grid, execute=execute, max_runs=3)
    assert "at most 3 runs" in caught.value.expected
    assert "--yes" in caught.value.fix
    assert execute.calls == []


def test_runs_are_counted_without_listing_them() -> None:
    grid = {f"path.{number}": range(100) for number in range(10)}
    assert count_runs(["a.yaml", "b.yaml"], grid) == 2 * 100**10
    assert count_runs(["a.yaml"], {}) == 1


def test_labels_are_unique_and_short(strategy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(strategy.read_text().replace("name: small", "name: other"))
    alike = tmp_path / "small.yaml"
    alike.write_text(strategy.read_text().replace("name: small", "name: alike"))

    def labels(files: list[Path], grid: dict[str, list[object]]) -> list[str]:
        return [point.label for point in expand_sweep(files, grid, {})]

    assert labels([strategy, other], {}) == ["small", "other"]
    assert labels([strategy, alike], {}) == [str(strategy), str(alike)]
    assert labels([strategy], {"seed": [1], "model": [{"kind": "drift"}]}) == [
        "seed=1 model={kind: drift}"
    ]
    assert labels([strategy, other], {"seed": [1]}) == ["small seed=1", "other seed=1"]


def test_dataset_options_are_part_of_the_sweep_id(sweep: Sweep, strategy: Path) -> None:
    run = sweep.finished_runs[0][1]

    def identity(**options: Any) -> str:
        execute = FakeRunner(run)
        return engine.run_sweep([strategy], execute=execute, pages=False, **options).sweep_id

    assert identity() == identity()
    assert (
        len({identity(), identity(offline=True), identity(data="x"), identity(vintage="y")}) == 4
    )
