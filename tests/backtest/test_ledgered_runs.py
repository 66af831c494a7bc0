"""Every run of a strategy is a row of its home's ledger, and changes nothing else."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import engine
from engine.backtest import runner
from engine.core.errors import LedgerError, TrainingError, UsageError
from engine.runs.folder import DOCUMENTS, TABLES
from engine.trials import Ledger, LedgerRow
from tests.faults.runs import start
from tests.pipeline.markets import market, write_strategy
from tests.trials.factories import Listener

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"))


@pytest.fixture(scope="module")
def run(module_folder: Path, strategy: Path) -> engine.Run:
    return engine.run(
        strategy,
        out=module_folder / "out",
        home=module_folder / "home",
        pages=False,
        command="backtest run x",
    )


def ledger(home: Path) -> Ledger:
    return Ledger(home / "ledger.sqlite")


def last(home: Path) -> LedgerRow:
    return ledger(home).rows()[-1]


def test_a_run_is_kept_with_its_bars_its_returns_and_its_figures(run, module_folder) -> None:
    row = ledger(module_folder / "home").rows()[0]
    assert (row.status, row.run_id, row.name) == ("finished", run.run_id, "small")
    assert row.strategy == run.manifest["strategy"]
    assert row.command == "backtest run x"
    assert row.dataset == run.manifest["dataset"]
    assert (row.targets, row.inputs, row.interval) == (("AAA",), ("AAA", "BBB"), "1d")
    assert (row.first, row.last) == (run.metrics["span"]["first"], run.metrics["span"]["last"])
    assert row.bars == len(run.returns)
    assert row.sharpe == run.metrics["books"]["strategy"]["sharpe"]
    assert row.grade == run.significance["verdict"]["grade"]
    assert (row.seeds, row.tuning) == (1, 0)
    (held,) = ledger(module_folder / "home").returns([row.number]).values()
    pd.testing.assert_series_equal(
        held, run.returns["strategy"], check_names=False, check_freq=False, check_exact=True
    )


BUT_SIGNIFICANCE = [f"{t}.parquet" for t in TABLES] + [
    f"{d}.json" for d in DOCUMENTS if d != "significance"
]


def test_a_run_made_again_is_no_further_trial_and_has_the_same_bytes(
    run, strategy, module_folder
) -> None:
    again = engine.run(
        strategy, out=module_folder / "again", home=module_folder / "home", pages=False
    )
    for name in [*BUT_SIGNIFICANCE, "significance.json"]:
        assert (again.run_dir / name).read_bytes() == (run.run_dir / name).read_bytes(), name
    assert (run.significance["trials"]["runs"], run.significance["trials"]["distinct"]) == (1, 1)


def test_without_a_ledger_the_number_of_trials_is_unknown_and_nothing_else_changes(
    run, strategy, module_folder
) -> None:
    (module_folder / "bare" / "ledger.sqlite").mkdir(parents=True)
    told = Listener()
    bare = engine.run(
        strategy,
        out=module_folder / "without",
        home=module_folder / "bare",
        pages=False,
        progress=told,
    )
    for name in BUT_SIGNIFICANCE:
        assert (bare.run_dir / name).read_bytes() == (run.run_dir / name).read_bytes(), name
    assert bare.significance["trials"] is None
    assert "is not known" in bare.significance["verdict"]["sentence"]
    other = {"trials", "verdict"}
    assert {k: v for k, v in bare.significance.items() if k not in other} == {
        k: v for k, v in run.significance.items() if k not in other
    }
    assert [notice.partition(":")[0] for notice in told.notices] == [
        *("this run is not counted", "the trials before this run are not counted")
    ]


def test_another_strategy_on_the_same_bars_counts_in_the_verdict(
    run, strategy, module_folder
) -> None:
    home = module_folder / "two"
    for enter in (0.9, 0.6):
        latest = engine.run(
            strategy,
            overrides={"signal.enter": enter},
            out=module_folder / "tried",
            home=home,
            pages=False,
        )
    for name in BUT_SIGNIFICANCE:
        assert (latest.run_dir / name).read_bytes() == (run.run_dir / name).read_bytes(), name
    told = latest.significance
    assert (told["trials"]["runs"], told["trials"]["distinct"]) == (2, 2)
    assert "2 strategies were tried on these bars" in told["verdict"]["sentence"]
    assert told["trials"]["effective"] == 2
    deflated = told["track_record"]["deflated_sharpe"]
    assert deflated < run.significance["track_record"]["deflated_sharpe"]


def test_a_run_that_fails_before_its_bars_are_cut_is_kept_with_its_error(
    strategy, module_folder
) -> None:
    home = module_folder / "failing"
    with pytest.raises(UsageError):
        engine.run(strategy, overrides={"windows.train": 5000}, out=module_folder / "f", home=home)
    row = last(home)
    assert (row.status, row.error, row.targets) == ("failed", "UsageError", None)
    assert row.problem == "No window fits into the bars"


@pytest.mark.parametrize(
    ("raised", "status", "problem"),
    [
        (TrainingError("the loss is not a number"), "failed", "the loss is not a number"),
        (MemoryError(), "failed", ""),
        (KeyboardInterrupt(), "interrupted", None),
    ],
)
def test_a_run_that_breaks_off_is_kept_with_its_bars(
    strategy, module_folder, monkeypatch, raised, status, problem
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(runner, "simulate_books", broken)
    with pytest.raises(type(raised)):
        engine.run(
            strategy, out=module_folder / "broken", home=module_folder / "broken", pages=False
        )
    row = last(module_folder / "broken")
    assert (row.status, row.problem, row.targets) == (status, problem, ("AAA",))
    assert not list((module_folder / "broken").glob("small/*"))


def test_a_damaged_ledger_ends_a_run_before_any_bar_is_read(
    strategy, module_folder, monkeypatch
) -> None:
    monkeypatch.setattr(runner, "load_market", lambda *_, **__: pytest.fail("bars were read"))
    (module_folder / "damaged").mkdir()
    (module_folder / "damaged" / "ledger.sqlite").write_bytes(b"no database at all " * 300)
    with pytest.raises(LedgerError, match="damaged"):
        engine.run(strategy, out=module_folder / "damaged", home=module_folder / "damaged")


def test_a_ledger_that_breaks_while_the_run_trains_loses_no_result(
    strategy, module_folder, monkeypatch
) -> None:
    home, told = module_folder / "breaking", Listener()
    trade = runner.simulate_books

    def breaking(*given):
        (home / "ledger.sqlite").write_bytes(b"no database at all " * 300)
        return trade(*given)

    monkeypatch.setattr(runner, "simulate_books", breaking)
    found = engine.run(
        strategy, out=module_folder / "breaking", home=home, pages=False, progress=told
    )
    assert engine.Run.open(found.run_dir).run_id == found.run_id
    assert any("the end of this run is not recorded" in notice for notice in told.notices)


def wait_for_ground(home: Path) -> None:
    ends = time.monotonic() + 60
    while not any(row.targets for row in ledger(home).rows()):
        assert time.monotonic() < ends, "no run was begun within a minute"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_the_command_killed_in_the_middle_is_interrupted_and_the_next_run_finishes(
    strategy, module_folder, sent: signal.Signals
) -> None:
    name = f"killed-{sent.name}"
    home = module_folder / f"home-{name}"
    process = start(strategy, module_folder, name, {"evaluation.resamples": 1_000_000})
    wait_for_ground(home)
    assert last(home).status == "running"
    process.send_signal(sent)
    process.communicate(timeout=60)
    assert last(home).status == "interrupted"
    engine.run(strategy, out=module_folder / name, home=home, pages=False)
    assert [row.status for row in ledger(home).rows()] == ["interrupted", "finished"]
