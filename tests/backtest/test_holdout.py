"""Bars that are held out: no stage sees one, and every look at them is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import engine
from engine.cli.main import app
from engine.cli.run_summary import render_run_text
from engine.core.errors import UsageError
from engine.live.market import load_market
from engine.reporting import render_page
from engine.strategy import load_strategy
from engine.trials import hash_configuration
from engine.verification.again import OF_THE_PROCESS
from tests.pipeline.panels import PANEL, write_panel
from tests.verification.small_run import write_small_strategy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOLDOUT = "100d"
SEALED_FROM = pd.Timestamp("2018-06-10")
"""260 days from 2018-01-01 end on 2018-09-17; the day of the last bar is one of the 100."""


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    return write_small_strategy(tmp_path)


def run(strategy: Path, *, holdout: object = HOLDOUT, home: str = "home", **more) -> engine.Run:
    folder = strategy.parent
    overrides = {"windows.train": 60, "windows.test": 30, "windows.validation": 20}
    overrides |= {} if holdout is None else {"windows.holdout": holdout}
    return engine.run(
        strategy,
        overrides=overrides | more.pop("overrides", {}),
        out=folder / "reports",
        home=folder / home,
        workers=1,
        pages=False,
        **more,
    )


def poison(strategy: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Other values in every bar of the holdout, and in no other one."""
    file = strategy.parent / "market" / "AAA.csv"
    bars = pd.read_csv(file).astype({"volume": float})
    held = pd.to_datetime(bars["timestamp"]) >= SEALED_FROM
    assert held.sum() == 100
    bars.loc[held, bars.columns[1:]] = change(bars.loc[held, bars.columns[1:]])
    bars.to_csv(file, index=False)


def contents(made: engine.Run) -> dict[str, object]:
    """Every file, and of the manifest all but when and where."""
    found: dict[str, object] = {
        file.name: file.read_bytes()
        for file in made.run_dir.iterdir()
        if file.name not in {"manifest.json", "SHA256SUMS"}
    }
    manifest = json.loads((made.run_dir / "manifest.json").read_text())
    found["manifest"] = {k: v for k, v in manifest.items() if k not in OF_THE_PROCESS}
    return found


def other_walk(bars: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return bars * np.exp(np.cumsum(0.05 * rng.standard_normal(len(bars))))[:, None]


def halted(bars: pd.DataFrame) -> pd.DataFrame:
    """Bars that the quality gate has something to say about."""
    flat = bars.iloc[[0]].to_numpy().repeat(len(bars), axis=0)
    return pd.DataFrame(flat, index=bars.index, columns=bars.columns).assign(volume=0.0)


@pytest.mark.slow
def test_no_stage_sees_a_bar_of_the_holdout(strategy: Path) -> None:
    paths = {"overrides": {"paths.offsets": 2, "paths.groups": 3, "paths.test_groups": 1}}
    real = run(strategy, **paths)
    assert real.bars["timestamp"].max() == pd.Timestamp("2018-06-09", tz="UTC")
    expected = contents(real)
    whole = load_market(load_strategy(strategy), home=strategy.parent / "home").bars
    for change in (other_walk, halted):
        poison(strategy, change)
        assert contents(run(strategy, home=change.__name__, **paths)) == expected
        # Without the holdout the same change is seen, so that the test could have failed.
        bars = load_market(load_strategy(strategy), home=strategy.parent / "home").bars
        assert not bars.equals(whole)


@pytest.mark.slow
def test_every_look_is_told_on_every_later_page(
    strategy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = run(strategy)
    told = sealed.significance.holdout
    assert told is not None
    assert (told.sealed_from, told.sealed, told.looks) == ("2018-06-10", True, 0)
    assert told.books == {}
    assert "no stage of this run had any of them" in render_page(sealed, "significance")

    first = run(strategy, unseal=True)
    looked = first.significance.holdout
    assert looked is not None
    assert (looked.sealed, looked.looks, looked.bars) == (False, 1, 100)
    own = first.returns["strategy"].iloc[-100:]
    assert looked.books["strategy"].total_return_pct == pytest.approx(100 * ((1 + own).prod() - 1))
    assert "the first look" in render_page(first, "significance")
    assert "the first look" in render_run_text(first)
    shared = sealed.returns.index
    pd.testing.assert_frame_equal(first.returns.loc[shared], sealed.returns)

    assert run(strategy).significance.holdout.looks == 1
    second = run(strategy, unseal=True)
    assert second.significance.holdout.looks == 2
    assert "looked at 2 times" in render_page(second, "significance")
    # Whoever takes the holdout out of the file is told as well, and is one more look.
    without = run(strategy, holdout=None)
    assert without.significance.holdout.looks == 2
    assert "was made without a holdout" in render_page(without, "significance")
    later = run(strategy)
    assert (later.significance.holdout.looks, later.significance.holdout.beyond) == (3, 1)
    monkeypatch.setenv("BACKTEST_HOME", str(strategy.parent / "home"))
    shown = CliRunner().invoke(app, ["ledger", "show", "1"]).stdout
    assert shown.count("Unsealed on") == 2
    for made in (second, without, later):
        found = engine.verify(made.run_dir, again=made is second, home=strategy.parent / "home")
        assert found.is_intact, found.first_difference


@pytest.mark.slow
def test_a_changed_figure_of_the_holdout_is_found(strategy: Path) -> None:
    from engine.runs.sums import write_sums
    from tests.verification.small_run import change_figure

    made = run(strategy, unseal=True)
    change_figure("significance", "holdout", "books", "strategy", "sharpe", to=3.0)(made.run_dir)
    write_sums(made.run_dir)
    difference = engine.verify(made.run_dir).first_difference
    assert difference is not None
    assert difference.column == "holdout.books.strategy.sharpe"


def test_the_bars_that_python_loads_are_sealed_too(strategy: Path) -> None:
    spec = load_strategy(strategy, {"windows.holdout": HOLDOUT})
    home = strategy.parent / "home"
    sealed, whole = (load_market(spec, home=home, sealed=each) for each in (True, False))
    assert len(whole.bars) - len(sealed.bars) == 100
    assert sealed.provenance["symbols"]["AAA"]["rows"] == len(sealed.bars)
    assert "end" not in sealed.provenance
    assert sealed.provenance["holdout"] == {"sealed_from": "2018-06-10", "sealed": True}


def test_a_holdout_is_no_other_idea() -> None:
    whole = {"name": "a", "windows": {"train": 10}, "data": {}}
    held = whole | {"windows": {"train": 10, "holdout": "1y"}}
    assert hash_configuration(whole) == hash_configuration(held)


@pytest.mark.parametrize("holdout", ["1y", 260, 1000])
def test_a_holdout_of_everything_is_refused(strategy: Path, holdout: object) -> None:
    with pytest.raises(UsageError, match="leaves no bar") as error:
        run(strategy, holdout=holdout)
    assert error.value.where == "windows.holdout"


def test_a_symbol_that_begins_in_the_holdout_is_refused(tmp_path: Path) -> None:
    """It could be neither traded nor left out without telling of it."""
    file = write_panel(tmp_path)
    spec = load_strategy(file, {**PANEL, "windows.holdout": "85d"})
    with pytest.raises(UsageError, match="all bars of a symbol") as error:
        load_market(spec, home=tmp_path / "home")
    assert error.value.found == "LATE: none"


def test_nothing_is_unsealed_unless_it_was_held_out_and_is_meant(strategy: Path) -> None:
    with pytest.raises(UsageError, match="holds no bars out"):
        run(strategy, holdout=None, unseal=True)
    told = CliRunner().invoke(app, ["unseal", str(strategy)])
    assert told.exit_code == 2
    assert "stays sealed" in told.stderr
