"""A run with a maintenance margin: its calls are counted, told, stored and certified."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import engine
from engine.core.progress import NullProgress
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runs.run import Run

pytestmark = pytest.mark.slow

MARGIN = 0.97
"""So high that a short which loses three per cent is called."""


class Heard(NullProgress):
    """Keeps the notices."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def called(module_folder: Path, heard: Heard) -> Run:
    overrides: dict[str, Any] = {
        "execution.maintenance_margin": MARGIN,
        "signal.side": "long_short",
        "costs.borrow_bps_per_year": 300,
        "evaluation.resamples": 200,
    }
    return engine.run(
        write_strategy(module_folder, market(module_folder / "market", edge=0.2)),
        overrides=overrides,
        out=module_folder / "out",
        home=module_folder / "home",
        pages=False,
        workers=1,
        progress=heard,
    )


def test_the_calls_are_counted_and_told(called: Run, heard: Heard) -> None:
    own = called.metrics.books["strategy"]
    assert own.margin_calls
    assert any("maintenance margin" in notice for notice in heard.notices)
    saved = json.loads((called.run_dir / "metrics.json").read_text(encoding="utf-8"))
    assert saved["books"]["strategy"]["margin_calls"] == own.margin_calls
    assert saved["books"]["buy_and_hold"]["margin_calls"] == 0


def test_the_stored_trades_say_which_were_calls(called: Run) -> None:
    trades = called.trades[called.trades["book"] == "strategy"]
    assert trades["margin_call"].dtype == bool
    assert 0 < trades["margin_call"].sum() < len(trades)
    assert (trades.loc[trades["margin_call"], "side"] == "buy").all()


def test_the_certificate_finds_that_no_call_knew_a_later_bar(called: Run) -> None:
    assert called.certificate is not None
    assert called.certificate.result == "passed"


def test_the_chosen_cell_of_the_sensitivity_surface_is_the_run(called: Run) -> None:
    surface = called.significance.sensitivity
    assert surface is not None
    assert surface.chosen.sharpe == called.metrics.books["strategy"].sharpe


def test_the_contributions_to_the_return_add_up(called: Run) -> None:
    split = called.analysis.attribution.split
    assert split is not None
    assert split.residual_is_rounding
    growth = np.log1p(called.returns["strategy"]).sum()
    assert split.net_pct == pytest.approx(100 * growth, abs=1e-6)
