"""Every run of a strategy is a row of its home's ledger, and changes nothing else."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.backtest import runner
from engine.core.errors import LedgerError, TrainingError, UsageError
from engine.runs.folder import DOCUMENTS, TABLES
from engine.strategy import load_strategy
from engine.trials import Ledger, LedgerRow
from tests.faults.runs import start
from tests.pipeline.markets import SYMBOLS, bars, market, write_market, write_strategy
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
        *("this run is not counted", "the trials before this run are not counted"),
        "what was registered about this idea is not known",
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
    deflated = told["track_record"]["deflated_sharpe"]
    assert deflated < run.significance["track_record"]["deflated_sharpe"]


def test_one_idea_from_three_start_dates_is_three_looks(run, module_folder) -> None:
    home, out = module_folder / "starts", module_folder / "starts" / "out"
    for skipped in (160, 80, 0):
        folder = module_folder / f"from-{skipped}"
        tables = {symbol: bars(seed).iloc[skipped:] for seed, symbol in enumerate(SYMBOLS)}
        latest = engine.run(
            write_strategy(folder, write_market(folder, tables)), out=out, home=home
        )
    for name in BUT_SIGNIFICANCE:
        if name != "manifest.json":
            assert (latest.run_dir / name).read_bytes() == (run.run_dir / name).read_bytes(), name
    told = latest.significance["trials"]
    assert told["distinct"] == 3
    assert (told["idea"]["looks"], told["idea"]["start_dates"]) == (3, 3)
    counted = "this idea has been looked at 3 times, from 3 start dates"
    assert counted in latest.significance["verdict"]["sentence"]
    assert counted in (latest.run_dir / "significance.html").read_text()
    deflated = latest.significance["track_record"]["deflated_sharpe"]
    assert deflated < run.significance["track_record"]["deflated_sharpe"]


def test_holding_without_a_benchmark_that_holds_is_no_skill(module_folder) -> None:
    folder = module_folder / "rising"
    tables = {symbol: rising(seed) for seed, symbol in enumerate(SYMBOLS)}
    always_up = engine.run(
        write_strategy(folder, write_market(folder, tables), "{kind: always_up}"),
        overrides={
            "benchmarks": [{"kind": "persistence"}],
            "signal": {"kind": "threshold"},
            "sizing": {"kind": "fixed"},
        },
        out=folder / "out",
        home=folder,
        pages=False,
    )
    books = always_up.metrics["books"]
    assert list(books) == ["strategy", "persistence", "buy_and_hold"]
    assert books["strategy"]["sharpe"] == pytest.approx(books["buy_and_hold"]["sharpe"])
    assert always_up.significance["sharpe"]["strategy"]["low"] > 0
    assert always_up.significance["verdict"]["grade"] == "none"
    held = ledger(folder).recorded_returns([1])[1].holding
    pd.testing.assert_series_equal(
        held,
        always_up.returns["buy_and_hold"],
        check_names=False,
        check_freq=False,
        check_exact=True,
    )


def rising(seed: int) -> pd.DataFrame:
    """The walk of a market with half a percent a day on top."""
    table = bars(seed)
    prices = ["open", "high", "low", "close"]
    table[prices] = table[prices].mul(np.exp(0.005 * np.arange(len(table))), axis=0)
    return table


def test_holding_cannot_be_left_out_by_a_copy_of_a_strategy(strategy, module_folder) -> None:
    spec = load_strategy(strategy).model_copy(update={"benchmarks": ()})
    run = engine.run(spec, out=module_folder / "copy", home=module_folder / "copy", pages=False)
    assert list(run.metrics["books"]) == ["strategy", "buy_and_hold"]


def test_tries_elsewhere_are_declared_by_an_argument_and_deflate(
    run, strategy, module_folder
) -> None:
    declared = engine.run(
        strategy,
        out=module_folder / "declared",
        home=module_folder / "declared",
        pages=False,
        tries_elsewhere=40,
    )
    assert declared.run_id != run.run_id
    assert declared.manifest["strategy"]["trials"] == {"elsewhere": 40}
    assert declared.significance["trials"]["elsewhere"] == 40
    assert (
        last(module_folder / "declared").configuration
        == last(module_folder / "home").configuration
    )
    deflated = declared.significance["track_record"]["deflated_sharpe"]
    assert deflated < run.significance["track_record"]["deflated_sharpe"]


@pytest.mark.parametrize("wrong", [-1, 1.5, "many", True, 99_999_999])
def test_tries_elsewhere_that_are_no_count_end_a_run_before_it_begins(
    strategy, module_folder, wrong
) -> None:
    home = module_folder / "no-count"
    with pytest.raises(UsageError, match="not a number of tries"):
        engine.run(strategy, home=home, out=home, tries_elsewhere=wrong)
    assert not (home / "ledger.sqlite").exists()


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
    monkeypatch.setattr(
        runner, "load_strategy_market", lambda *_, **__: pytest.fail("bars were read")
    )
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
