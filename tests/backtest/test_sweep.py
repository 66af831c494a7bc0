"""Runs that belong together: what is tried, what is shared, and how the best of them is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from scipy.stats import norm

import engine
from engine.backtest.sweep import Sweep, expand_sweep
from engine.core.errors import DatasetNotFoundError, StrategyError, UsageError
from engine.core.progress import NullProgress
from engine.evaluation.inference.sharpe_significance import measure_track_record
from engine.evaluation.verdict import cap_grade
from engine.trials import Ledger
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.comparison import RunComparison

GRID = {"signal.enter": [0.6, 0.8]}


class Told(NullProgress):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.notices: list[str] = []

    def run(self, number: int, total: int, name: str) -> None:
        self.runs.append(f"{number} of {total} {name}")

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("family")


@pytest.fixture(scope="module")
def strategy(place: Path) -> Path:
    return write_strategy(place, market(place / "market", edge=0.3))


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def family(place: Path, strategy: Path, told: Told) -> Sweep:
    """Two values, and in the middle a dataset that is not there."""
    return engine.run_sweep(
        [strategy],
        grid={"data.dataset": [str(place / "market" / "market.yaml"), "nowhere"], **GRID},
        overrides={"evaluation.resamples": 200},
        out=place / "out",
        home=place / "home",
        pages=False,
        progress=told,
        command="backtest run small.yaml --grid ...",
    )


def rows(place: Path) -> list[Any]:
    return Ledger(place / "home" / "ledger.sqlite").rows()


def test_every_combination_runs_the_last_path_varying_fastest(family: Sweep, told: Told) -> None:
    assert [member.values["signal.enter"] for member in family.points] == [0.6, 0.8, 0.6, 0.8]
    assert [line.split()[:3] for line in told.runs] == [[str(n), "of", "4"] for n in (1, 2, 3, 4)]
    assert told.runs[1].endswith(" enter=0.8")


def test_a_member_is_a_run_of_its_own_that_knows_its_family(family: Sweep, place: Path) -> None:
    (_, first), (_, second) = family.finished_runs
    assert first.run_id != second.run_id
    for run in (first, second):
        assert engine.Run.open(run.run_dir).manifest["family"] == family.sweep_id
    assert [row.family for row in rows(place)] == [family.sweep_id] * 4
    assert [row.status for row in rows(place)] == ["finished", "finished", "failed", "failed"]


def test_one_that_fails_takes_nothing_from_the_others(family: Sweep, told: Told) -> None:
    assert [type(error) for _, error in family.failures] == [DatasetNotFoundError] * 2
    assert len(family.finished_runs) == 2
    assert sum("failed:" in notice for notice in told.notices) == 2


def test_every_member_is_graded_with_all_trials_of_the_family_counted(family: Sweep) -> None:
    found = family.comparison
    assert found is not None
    assert found.selection_bias is not None
    assert (found.selection_bias.known, found.selection_bias.counted) == (2, 2)
    first, second = (run for _, run in family.finished_runs)
    assert [run.significance["trials"]["distinct"] for run in (first, second)] == [1, 2]
    for run in (first, second):
        told = run.significance | {"verdict": run.significance["verdict"] | {"grade": "strong"}}
        strong = replace(run, significance=told)
        assert family.adjust_grade(strong) == cap_grade("strong", _deflated(found, run), 0.95)
        luckier = replace(found, selection_bias=replace(found.selection_bias, luckiest=99.0))
        assert replace(family, comparison=luckier).adjust_grade(strong) == "none"


def _deflated(found: RunComparison, run: engine.Run) -> float:
    """Bailey & Lopez de Prado's formula, written out."""
    assert found.selection_bias is not None
    record = measure_track_record(found.returns[run.run_id].to_numpy())
    assert record is not None
    benchmark = found.selection_bias.luckiest / found.periods_per_year**0.5
    scale = (record.bars / record.variance_inflation - 1) ** 0.5
    spread = 1 - record.skewness * record.sharpe + (record.kurtosis - 1) / 4 * record.sharpe**2
    return float(norm.cdf((record.sharpe - benchmark) * scale / spread**0.5))


@pytest.mark.parametrize(
    ("own", "deflated", "left"),
    [
        *(("strong", 0.99, "strong"), ("strong", 0.94, "weak"), ("strong", 0.89, "none")),
        *(("weak", 0.99, "weak"), ("none", 0.99, "none"), ("moderate", None, "none")),
        ("none", 0.94, "none"),
    ],
)
def test_a_grade_falls_with_the_trials_that_become_known(own, deflated, left) -> None:
    assert cap_grade(own, deflated, 0.95) == left


class Standing:
    """Runs nothing; remembers what it was asked for."""

    def __init__(self, *outcomes: engine.Run | BaseException) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, strategy: Path, **options: Any) -> engine.Run:
        self.asked.append({"strategy": strategy, **options})
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def test_the_page_compares_the_members_under_their_labels(
    family: Sweep, place: Path, strategy: Path
) -> None:
    execute = Standing(*(run for _, run in family.finished_runs))
    again = engine.run_sweep([strategy], grid=GRID, out=place / "out", execute=execute)
    assert again.comparison_page == place / "out" / "families" / again.sweep_id / "comparison.html"
    assert "signal.enter=0.8" in again.comparison_page.read_text(encoding="utf-8")
    assert again.comparison is not None
    assert list(again.comparison.labels.values()) == ["signal.enter=0.6", "signal.enter=0.8"]


def test_an_interrupt_ends_the_family_and_says_what_is_kept(family: Sweep, strategy: Path) -> None:
    told = Told()
    execute = Standing(family.finished_runs[0][1], KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        engine.run_sweep(
            [strategy], grid={"seed": [1, 2, 3]}, progress=told, execute=execute, workers=2
        )
    assert told.notices == ["1 of 3 runs were finished and are kept"]
    assert [call["workers"] for call in execute.asked] == [2, 2]


def test_a_fault_of_the_engine_in_one_member_is_kept_with_it(
    family: Sweep, strategy: Path
) -> None:
    execute = Standing(ZeroDivisionError("by zero"), family.finished_runs[0][1])
    made = engine.run_sweep([strategy], grid={"seed": [1, 2]}, execute=execute, pages=False)
    assert [str(error) for _, error in made.failures] == ["by zero"]
    assert made.comparison is None
    assert made.comparison_error == "fewer than two runs finished"
    assert (
        made.adjust_grade(family.finished_runs[0][1])
        == family.finished_runs[0][1].significance["verdict"]["grade"]
    )


def test_runs_that_cannot_be_compared_are_kept_without_a_comparison(
    family: Sweep, strategy: Path
) -> None:
    run = family.finished_runs[0][1]
    dataset = run.manifest["dataset"] | {"interval": "1h"}
    hourly = replace(run, run_id="0" * 12, manifest=run.manifest | {"dataset": dataset})
    execute = Standing(run, hourly)
    made = engine.run_sweep([strategy], grid={"seed": [1, 2]}, execute=execute, pages=False)
    assert made.comparison is None
    assert "bars of different lengths" in made.comparison_error


def test_a_mistake_in_any_member_is_told_before_one_is_run(strategy: Path) -> None:
    execute = Standing()
    with pytest.raises(StrategyError, match="mistake"):
        engine.run_sweep([strategy], grid={"signal.entr": [1]}, execute=execute)
    with pytest.raises(UsageError, match="the same"):
        engine.run_sweep([strategy, strategy], execute=execute)
    assert execute.asked == []


def test_members_are_called_by_what_tells_them_apart(strategy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(strategy.read_text().replace("name: small", "name: other"))
    alike = tmp_path / "small.yaml"
    alike.write_text(strategy.read_text().replace("name: small", "name: alike"))

    def called(files: list[Path], grid: dict[str, list[object]]) -> list[str]:
        return [member.label for member in expand_sweep(files, grid, {})]

    assert called([strategy, other], {}) == ["small", "other"]
    assert called([strategy, alike], {}) == [str(strategy), str(alike)]
    assert called([strategy], {"seed": [1], "model": [{"kind": "drift"}]}) == [
        "seed=1 model={kind: drift}"
    ]
    assert called([strategy, other], {"seed": [1]}) == ["small seed=1", "other seed=1"]


def test_the_bars_that_are_asked_for_are_part_of_the_identity(
    family: Sweep, strategy: Path
) -> None:
    run = family.finished_runs[0][1]

    def identity(**options: Any) -> str:
        execute = Standing(run)
        return engine.run_sweep([strategy], execute=execute, pages=False, **options).sweep_id

    assert identity() == identity()
    assert (
        len({identity(), identity(offline=True), identity(data="x"), identity(vintage="y")}) == 4
    )
