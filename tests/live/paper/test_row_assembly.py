"""Rows that are joined as bars arrive are those that a backtest joins of all bars at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.bars import utc_datetime64
from engine.live.paper.row_assembly import RowAssembler
from engine.live.row_schedule import RowSchedule
from tests.hypothesis_examples import examples
from tests.live.worlds import KINDS, draw_world

if TYPE_CHECKING:
    from engine.data.assembly import Assembly

DAYS, WAIT = pd.Timedelta(days=14), pd.Timedelta(seconds=15)


def schedule_of(assembly: Assembly) -> RowSchedule:
    traded = {symbol: assembly.times[symbol] for symbol in assembly.symbols}
    return RowSchedule(traded, assembly.target, assembly.panel)


def assembler_of(world, known_until: int) -> tuple[RowAssembler, pd.DataFrame]:
    """The assembler with the bars that closed by an instant, and the others as they will come."""
    assembly = world.market.assembly
    known, coming = {}, []
    for symbol, frame in assembly.frames.items():
        closes = assembly.times[symbol].closes(utc_datetime64(frame).astype(np.int64))
        known[symbol] = frame[closes <= known_until].reset_index(drop=True)
        later = frame[closes > known_until]
        coming.append(later.assign(closes=closes[closes > known_until]))
    rows = RowAssembler(
        assembly.with_frames(known), schedule_of(assembly), delisted_after=DAYS, wait=WAIT
    )
    return rows, pd.concat(coming, ignore_index=True)


def play(rows, coming, newest, delays, looks) -> dict[pd.Timestamp, pd.DataFrame]:
    """The rows as they are decided; bars arrive so many seconds after their close."""
    arrives = coming["closes"] + (delays * 1e6).astype(np.int64)
    instants = np.unique(np.concatenate([arrives + int(1e6 * after) for after in looks]))
    decided: dict[pd.Timestamp, pd.DataFrame] = {}
    for instant in np.sort(instants):
        here = coming[(arrives <= instant) & (arrives > instant - 40 * 86_400_000_000)]
        rows.take(here.drop(columns="closes"), newest)
        for row in rows.rows(newest, pd.Timestamp(int(instant), unit="us", tz="UTC")):
            newest = pd.Timestamp(row.bars["timestamp"].iloc[0])
            assert newest not in decided
            decided[newest] = row.bars
    return decided


@pytest.mark.parametrize("kind", KINDS)
@examples(8)
@given(seed=st.integers(0, 2**32 - 1), start=st.integers(60, 90))
def test_any_order_of_arrival_within_the_grace_time_makes_the_rows_of_a_backtest(
    kind, seed, start
) -> None:
    world = draw_world(seed, kind)
    market, rng = world.market, np.random.default_rng(seed)
    bars = market.bars[market.bars["close"].notna()]
    stamps = market.present.index
    newest, until = stamps[start], int(market.decided_at[start])
    rows, coming = assembler_of(world, until)
    coming = coming[coming["closes"] <= until + 12 * 86_400_000_000].reset_index(drop=True)
    delays = rng.uniform(0, 14, len(coming))
    decided = play(rows, coming, newest, delays, (0, 16))
    expected = dict(tuple(bars[bars["timestamp"] > newest].groupby("timestamp")))
    assert len(decided) > 1
    for stamp, row in decided.items():
        pd.testing.assert_frame_equal(row, expected[stamp].reset_index(drop=True))
    assert list(decided) == [stamp for stamp in stamps if newest < stamp <= max(decided)]


@pytest.mark.parametrize("kind", KINDS)
@examples(8)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_row_is_decided_before_the_close_of_its_bars(kind, seed) -> None:
    world = draw_world(seed, kind)
    market = world.market
    newest, until = market.present.index[70], int(market.decided_at[70])
    rows, coming = assembler_of(world, until)
    rows.take(coming.drop(columns="closes"), newest)  # as of a source with a clock ahead
    for row in range(71, 75):
        before = pd.Timestamp(int(market.decided_at[row]) - 1, unit="us", tz="UTC")
        assert all(
            each.bars["timestamp"].iloc[0] < market.present.index[row]
            for each in rows.rows(newest, before)
        )


@pytest.mark.parametrize("kind", KINDS)
@examples(8)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_rows_that_calendars_expect_are_those_of_bars_without_holes(kind, seed) -> None:
    world = draw_world(seed, kind, holes=0)
    market = world.market
    stamps, schedule = market.present.index, schedule_of(market.assembly)
    expected = [span.bar for span in schedule.following(stamps[20], 50)]
    assert expected == list(stamps[21:71])
    closes = [schedule.is_traded_until(bar).value // 1_000 for bar in expected]
    assert closes == market.decided_at[21:71].tolist()
    assert schedule.expected_between(stamps[20], stamps[60]) == 39
