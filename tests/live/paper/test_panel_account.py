"""What a paper account on a panel waits for, keeps, and knows again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.progress import NullProgress
from engine.live.loop.bar_loop import BarLoop
from engine.live.paper.account_bars import PanelWait, align_bars
from engine.live.paper.account_history import read_history, write_history
from engine.selftest.generated_panel import generate_panel, panel_strategy

if TYPE_CHECKING:
    from pathlib import Path

MARKET = generate_panel(np.random.default_rng(1))
PRESENT = MARKET.bars[MARKET.present.to_numpy().ravel()]


def bars_at(row: int, *, without: str = "") -> pd.DataFrame:
    stamp = MARKET.present.index[row]
    return PRESENT[(PRESENT["timestamp"] == stamp) & (PRESENT["symbol"] != without)]


def wait(now: pd.Timestamp, expected: str = "S1 S3 S4 S5") -> PanelWait:
    return PanelWait(frozenset(expected.split()), lambda bar: bar + pd.Timedelta("1D 15s"), now)


def test_a_bar_is_decided_when_every_symbol_that_had_the_one_before_has_it() -> None:
    bar = bars_at(10)
    (aligned,) = align_bars(bar, MARKET.symbols, wait(MARKET.present.index[10]))
    assert aligned["symbol"].tolist() == ["S1", "S3", "S4", "S5"]
    assert align_bars(bar, MARKET.symbols) == []


def test_a_symbol_that_is_missing_is_waited_for_and_no_later_bar_goes_first() -> None:
    end = MARKET.present.index[10] + pd.Timedelta("1D")
    both = pd.concat([bars_at(10, without="S4"), bars_at(11)])
    assert align_bars(both, MARKET.symbols, wait(end)) == []
    aligned = align_bars(both, MARKET.symbols, wait(end + pd.Timedelta("15s")))
    assert [each["symbol"].tolist() for each in aligned] == [
        ["S1", "S3", "S5"],
        ["S1", "S3", "S4", "S5"],
    ]


def test_the_history_of_an_account_keeps_absences_members_and_delistings(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    known = read_history(path, write_history(path, MARKET))
    for name in ("present", "members", "listed", "marks"):
        pd.testing.assert_frame_equal(getattr(known, name), getattr(MARKET, name))
    assert known.delisting == MARKET.delisting


@pytest.mark.slow
def test_a_loop_that_starts_late_decides_what_one_that_started_early_decides(
    tmp_path: Path,
) -> None:
    """All that it keeps of listings follows from the bars; bars come without absent symbols."""
    spec = panel_strategy().model_copy(update={"benchmarks": ()})
    stamps = MARKET.present.index

    def start(row: int, **state: object) -> BarLoop:
        return BarLoop.start(
            spec,
            MARKET.until(stamps[row]),
            load_history=MARKET.until,
            home=tmp_path,
            progress=NullProgress(),
            **state,
        )

    early = start(300)
    for row in range(301, 345):
        early.advance(bars_at(row))
    late = start(344, state=early.state)
    for row in range(345, 390):
        one, two = early.advance(bars_at(row)), late.advance(bars_at(row))
        assert one.targets == two.targets
        assert one.account == two.account
    assert early.state.account.units["S4"] == early.state.account.units["S5"] == 0.0
