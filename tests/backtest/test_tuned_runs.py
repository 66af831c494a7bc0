"""A tuned strategy from file to report: chosen by window, counted, kept, and the same again."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

import engine
from engine.backtest import runner
from engine.cli.run_summary import render_run_text
from engine.core.errors import UsageError
from engine.reporting.tearsheet import render_tearsheet
from engine.runs.folder import TABLES
from tests.pipeline.markets import changed_after, market, write_strategy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

RIDGE = {
    "trials": 5,
    "splits": {"kind": "purged_kfold", "folds": 3, "embargo": 2},
    "space": {
        "model.lookback": {"kind": "integer", "low": 1, "high": 4},
        "model.alphas": {"kind": "choice", "values": [[1.0], [1000.0]]},
    },
}
LEARNING_RATE = {"kind": "log_uniform", "low": 1e-3, "high": 1e-1}
OPPONENTS = [{"kind": "buy_and_hold"}, {"kind": "persistence"}]
OVERRIDES = {"tune": RIDGE, "benchmarks": OPPONENTS, "model.lookback": 1}


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"))


@pytest.fixture(scope="module")
def run(module_folder: Path, strategy: Path) -> engine.Run:
    return engine.run(
        strategy,
        overrides=OVERRIDES,
        out=module_folder / "reports",
        home=module_folder / "home",
        pages=False,
    )


def fits_of(run: engine.Run) -> Iterator[dict]:
    return (fit for window in run.manifest["windows"] for fit in window["fits"])


def test_every_fit_tells_what_it_chose_and_how_many_it_tried(run: engine.Run) -> None:
    fits = list(fits_of(run))
    assert [fit["trials"] for fit in fits] == [5] * len(run.manifest["windows"])
    for fit in fits:
        assert fit["chosen"]["model.lookback"] in range(1, 5)
        assert fit["chosen"]["model.alphas"] in ([1.0], [1000.0])
    assert run.manifest["tuning"] == {"trials": 5 * len(fits)}


def test_the_terminal_and_the_tearsheet_tell_it_too(run: engine.Run) -> None:
    tried = 5 * len(run.manifest["windows"])
    assert f"Tuning: {tried} configurations tried, on train rows only" in render_run_text(run)
    page = render_tearsheet(run)
    assert f"{tried}\u00a0configurations tried in total" in page
    assert "one more chance to fit noise" in page
    section = page[page.index('id="tuning"') : page.index('<section id="months"')]
    assert section.count("<tr>") == 1 + len(run.manifest["windows"])
    for fit in fits_of(run):
        assert f"<td>{fit['chosen']['model.lookback']}</td>" in section


def test_the_same_inputs_choose_the_same_and_the_id_knows_the_sampler(
    run, strategy, module_folder
) -> None:
    again = engine.run(
        strategy,
        overrides=OVERRIDES,
        out=module_folder / "again",
        home=module_folder / "home",
        pages=False,
    )
    assert again.run_id == run.run_id
    for table in TABLES:
        one, two = ((r.run_dir / f"{table}.parquet").read_bytes() for r in (run, again))
        assert one == two, table
    assert list(fits_of(again)) == list(fits_of(run))
    assert "optuna" in run.manifest["versions"]


def test_without_tune_nothing_is_told_of_it_and_optuna_is_not_needed(
    strategy, module_folder, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    plain = engine.run(
        strategy, out=module_folder / "plain", home=module_folder / "home", pages=False
    )
    assert plain.manifest["tuning"] is None
    assert "optuna" not in plain.manifest["versions"]
    assert not any("chosen" in fit for fit in fits_of(plain))
    assert "Tuning" not in render_run_text(plain)
    assert 'id="tuning"' not in render_tearsheet(plain)


def test_bars_after_the_train_rows_change_no_choice(run, strategy, module_folder) -> None:
    first = run.manifest["windows"][0]
    stamps = [stamp.isoformat() for stamp in run.bars["timestamp"].drop_duplicates()]
    cut = stamps.index(first["train"][1]) + 1  # the last label's close
    assert stamps[cut] < first["validation"][0]
    other = engine.run(
        strategy,
        overrides=OVERRIDES,
        data=str(changed_after(module_folder / "changed", cut)),
        out=module_folder / "other",
        home=module_folder / "home",
        pages=False,
    )
    then = other.manifest["windows"][0]
    assert then["train"] == first["train"]
    assert then["fits"][0]["chosen"] == first["fits"][0]["chosen"]
    assert not other.predictions.equals(run.predictions)


def test_without_optuna_nothing_is_loaded_and_the_extra_is_named(
    strategy, module_folder, monkeypatch
) -> None:
    found = runner.find_spec
    monkeypatch.setattr(runner, "find_spec", lambda n: None if n == "optuna" else found(n))
    with pytest.raises(UsageError, match=r"pip install 'backtest-engine\[tune\]'") as caught:
        engine.run(strategy, overrides=OVERRIDES, data="no such data", out=module_folder / "none")
    assert caught.value.exit_code == 2
    assert (
        engine.run(
            strategy, out=module_folder / "plain", home=module_folder / "home", pages=False
        ).manifest["tuning"]
        is None
    )


def test_splits_that_leave_nothing_are_told_before_anything_is_trained(
    strategy, module_folder
) -> None:
    overrides = {**OVERRIDES, "tune.splits.embargo": 400}
    with pytest.raises(UsageError, match=r"where: tune\.splits"):
        engine.run(
            strategy, overrides=overrides, out=module_folder / "none", home=module_folder / "none"
        )
    assert not (module_folder / "none" / "fits").exists()


@pytest.mark.slow
def test_a_tuned_network_is_kept_and_not_tuned_again(module_folder: Path) -> None:
    network = write_strategy(
        module_folder, market(module_folder / "network"), "{kind: mlp, lookback: 2}"
    )
    tune = {
        "trials": 2,
        "splits": {"kind": "purged_kfold", "folds": 2},
        "space": {"training.optimizer.learning_rate": LEARNING_RATE},
    }
    overrides = {
        "tune": tune,
        "benchmarks": OPPONENTS,
        "compute.backend": "jax",
        "windows.train": 500,
        "training.epochs": 2,
        "model.dense": [4],
    }
    runs = [
        engine.run(
            network,
            overrides=overrides,
            out=module_folder / f"run{n}",
            home=module_folder,
            workers=n,
            pages=False,
        )
        for n in (1, 2)
    ]
    windows = len(runs[0].manifest["windows"])
    assert [run.manifest["fits"] for run in runs] == [
        {"trained": windows, "stored": 0},
        {"trained": 0, "stored": windows},
    ]
    assert list(fits_of(runs[0])) == list(fits_of(runs[1]))
    told = [json.dumps(run.manifest["windows"], sort_keys=True) for run in runs]
    assert told[0] == told[1]
