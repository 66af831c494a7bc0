"""An account that pays item by item and is cut to a share of the volume, from start to restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.core.progress import NullProgress
from engine.live.paper.backtest_comparison import BacktestComparison
from tests.live.paper.accounts import NAME, problems_of, start_paper

if TYPE_CHECKING:
    from pathlib import Path

COSTS = {
    "kind": "itemised",
    "commission": {"kind": "per_unit", "per_unit": 0.005, "minimum": 1, "maximum_pct": 1},
    "spread": {"kind": "corwin_schultz", "window": 10},
    "impact": {"coefficient": 0.1, "window": 10},
    "max_participation": 0.05,
    "borrow_bps_per_year": 50,
}


CAPITAL = 1e6
"""So much that orders are larger than a twentieth of a bar's volume."""


def test_an_account_of_other_money_than_the_costs_are_charged_on_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="depend on the money") as caught:
        start_paper(tmp_path, overrides={"costs": COSTS, "capital": CAPITAL}, capital=5_000.0)
    assert (caught.value.found, caught.value.where) == ("5000", "--capital")


@pytest.mark.slow
def test_an_account_that_bars_fill_in_part_equals_the_backtest(tmp_path: Path) -> None:
    market = start_paper(tmp_path, overrides={"costs": COSTS, "capital": CAPITAL}, capital=CAPITAL)
    for bars in (6, 12, 18):  # each a process of its own
        market.play(bars)
    assert problems_of(market) == ()
    with market.journal() as journal:
        fills = list(journal.fills(NAME))
        found = BacktestComparison(
            journal, market.account, market.home, progress=NullProgress()
        ).on_received_bars()
    volumes = market.bars.table.set_index(["timestamp", "symbol"])["volume"]
    shares = [CAPITAL * fill.size / volumes[fill.bar, fill.symbol] for fill in fills]
    assert max(shares) == pytest.approx(COSTS["max_participation"])
    assert np.isclose(shares, COSTS["max_participation"]).sum() > 5
    assert (found.bars, found.targets, found.equity, found.first) == (18, 0, 0, None)
