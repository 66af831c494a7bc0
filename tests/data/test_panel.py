"""A market of symbols that are listed, halted and delisted: absences, and no filled bar."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import DataError, StrategyError
from engine.data import DataSpec, load_market
from engine.data.universe import SURVIVORS_ONLY
from engine.testing import make_market
from tests.data.datasets import RecordingProgress
from tests.pipeline.markets import bars, write_market

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market

OLD, YOUNG, GONE = range(700), range(200, 700), [*range(300), *range(310, 400)]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """One symbol with all bars, one listed later, one halted and then delisted."""
    rows = {"OLD": OLD, "YOUNG": YOUNG, "GONE": GONE}
    tables = {name: bars(seed).iloc[list(kept)] for seed, (name, kept) in enumerate(rows.items())}
    return write_market(tmp_path / "market", tables)


def load(manifest: Path, *, panel: bool = True, **data: object) -> tuple[Market, list[str]]:
    progress = RecordingProgress()
    market = load_market(
        DataSpec(dataset=str(manifest), **({"targets": "all"} | data)),
        home=manifest.parent / "home",
        offline=True,
        override=None,
        progress=progress,
        panel=panel,
    )
    return market, progress.notices


def write_members(manifest: Path, *rows: str, header: str = "symbol,from,to") -> None:
    (manifest.parent / "members.csv").write_text("\n".join([header, *rows]) + "\n")
    manifest.write_text(manifest.read_text() + "members: {file: members.csv}\n")


def test_no_symbol_is_cut_to_the_youngest_and_no_bar_is_filled(manifest: Path) -> None:
    market, notices = load(manifest)
    assert market.present.sum().to_dict() == {"OLD": 700, "YOUNG": 500, "GONE": 390}
    assert len(market.bars) == 3 * 700
    absent = market.bars[~market.present.to_numpy().ravel()]
    assert absent[["open", "high", "low", "close", "volume"]].isna().all(axis=None)
    assert market.traded.equals(market.present)
    assert any(
        "a panel of 700 timestamps" in each and "YOUNG 500 bars" in each for each in notices
    )
    assert market.provenance["symbols"]["GONE"]["rows"] == 390


def test_the_bars_of_a_symbol_are_those_of_its_file(manifest: Path) -> None:
    panel, (joined, _) = load(manifest)[0], load(manifest, panel=False)
    own = panel.bars_by_symbol["GONE"]
    assert len(own) == 390
    assert own["close"].tolist() == bars(2).iloc[GONE]["close"].tolist()
    assert len(joined.bars_by_symbol["GONE"]) == len(set(GONE) & set(YOUNG))


def test_a_market_whose_symbols_have_all_bars_is_the_joined_one(tmp_path: Path) -> None:
    manifest = write_market(
        tmp_path / "market", {name: bars(seed) for seed, name in enumerate("AB")}
    )
    (panel, _), (joined, _) = load(manifest), load(manifest, panel=False)
    pd.testing.assert_frame_equal(panel.bars, joined.bars)
    assert panel.provenance == joined.provenance
    assert not panel.is_panel
    assert panel.marks.equals(panel.wide("close"))


def test_a_symbol_is_delisted_two_weeks_after_its_last_bar_and_marked_at_it_until_then(
    manifest: Path,
) -> None:
    market, _ = load(manifest)
    listed = market.listed["GONE"].to_numpy()
    assert listed[:414].all()
    assert not listed[414:].any()
    assert np.flatnonzero(market.settlements["GONE"]).tolist() == [414]
    marks, close = market.marks["GONE"].to_numpy(), bars(2)["close"].to_numpy()
    assert (marks[300:310] == close[299]).all()
    assert (marks[399:] == close[399]).all()
    assert np.isnan(market.marks["YOUNG"].to_numpy()[:200]).all()
    assert (market.tradable("open")["YOUNG"].to_numpy()[:200] == 1.0).all()


@pytest.mark.parametrize(
    ("paid", "share"), [("delisting_return: -0.3", 0.7), ("by_symbol: {GONE: -1}", 0)]
)
def test_a_delisted_symbol_pays_its_last_close_and_the_delisting_return(
    manifest: Path, paid: str, share: float
) -> None:
    manifest.write_text(manifest.read_text() + f"delisting: {{after_days: 20, {paid}}}\n")
    market, _ = load(manifest)
    close = bars(2)["close"].to_numpy()[399]
    assert np.flatnonzero(market.settlements["GONE"]).tolist() == [420]
    assert market.marks["GONE"].iloc[419] == close
    assert market.marks["GONE"].iloc[420:].to_numpy() == pytest.approx(share * close, abs=1e-9)
    assert (market.tradable("close").to_numpy() > 0).all()


def test_more_than_all_of_a_symbol_cannot_be_lost(manifest: Path) -> None:
    manifest.write_text(manifest.read_text() + "delisting: {by_symbol: {GONE: -1.5}}\n")
    with pytest.raises(StrategyError, match="at least -1"):
        load(manifest)


def test_a_delisting_return_of_a_symbol_that_is_not_there_is_refused(manifest: Path) -> None:
    manifest.write_text(manifest.read_text() + "delisting: {by_symbol: {NONE: -1}}\n")
    with pytest.raises(StrategyError, match="NONE"):
        load(manifest)


@pytest.mark.parametrize("wrong", [-1.5, 11])
def test_no_symbol_loses_more_than_all(manifest: Path, wrong: float) -> None:
    manifest.write_text(manifest.read_text() + f"delisting: {{by_symbol: {{GONE: {wrong}}}}}\n")
    with pytest.raises(StrategyError, match="GONE"):
        load(manifest)


def test_later_bars_and_absences_change_no_mask_before(manifest: Path) -> None:
    market, _ = load(manifest)
    cut = market.present.index[305]
    known = market.until(cut)
    for name in ("present", "listed", "settlements", "marks", "traded", "members"):
        pd.testing.assert_frame_equal(getattr(known, name), getattr(market, name).loc[:cut])


def test_members_are_those_of_the_day_that_ends_with_the_bar(manifest: Path) -> None:
    write_members(
        manifest,
        "OLD,2018-01-01,",
        "YOUNG,2018-09-01,2018-10-15",
        "YOUNG,2019-01-01,",
        "GONE,2018-01-01,2018-05-05",
    )
    market, notices = load(manifest)
    members = market.members
    assert members["OLD"].all()
    days = members.index[members["YOUNG"]].strftime("%Y-%m-%d")
    assert (days[0], days[44], days[45]) == ("2018-09-01", "2018-10-15", "2019-01-01")
    assert members.index[members["GONE"]][-1].date() == date(2018, 5, 5)
    assert market.is_panel
    assert SURVIVORS_ONLY not in notices


def test_an_intraday_bar_does_not_know_the_list_of_its_own_day() -> None:
    from engine.data.membership import Membership, MemberSpan

    stamps = pd.date_range("2024-03-01 00:00", periods=72, freq="h", tz="UTC")
    day = Membership((MemberSpan("A", date(2024, 3, 2), date(2024, 3, 2)),))
    hours = stamps[day.at(stamps, "1h", ("A",))[:, 0]]
    assert hours[0] == pd.Timestamp("2024-03-02 23:00", tz="UTC")
    assert hours[-1] == pd.Timestamp("2024-03-03 22:00", tz="UTC")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            ("OLD,2018-01-01,2018-05-01", "OLD,2018-05-01,"),
            ("line 3", "line 2", "2018-05-01 of OLD"),
        ),
        (("NEW,2018-01-01,",), ("line 2", "OLD, YOUNG, GONE", "NEW")),
        (("OLD,2018-05-01,2018-01-01",), ("line 2", "not after", "swap")),
        (("OLD,05/01/2018,",), ("line 2", "such as 2015-03-31", "05/01/2018")),
        (("OLD,,",), ("line 2", "`from`", "nothing")),
        (("OLD,2018-01-01,", "YOUNG,2018-01-01,"), ("no row of GONE", "take it out")),
    ],
)
def test_a_wrong_row_is_told_with_its_line(
    manifest: Path, rows: tuple[str, ...], told: tuple[str, ...]
) -> None:
    write_members(manifest, *rows)
    with pytest.raises(DataError) as caught:
        load(manifest)
    assert all(each in str(caught.value) for each in (*told, "members.csv"))


def test_a_symbol_that_converts_prices_needs_no_row(manifest: Path) -> None:
    write_members(manifest, "OLD,2018-01-01,", "GONE,2018-01-01,")
    with pytest.raises(DataError, match="no row of YOUNG"):
        load(manifest)
    rates = "currency: USD\ncurrencies: {GONE: JPY}\nfx: {JPY: YOUNG}\n"
    manifest.write_text(manifest.read_text() + rates)
    market, _ = load(manifest)
    assert market.symbols == ("OLD", "GONE")
    assert market.members.all(axis=None)


def test_another_header_and_a_missing_file_are_refused(manifest: Path) -> None:
    write_members(manifest, "OLD,2018-01-01,", header="ticker,start,end")
    with pytest.raises(DataError, match="cannot be read") as caught:
        load(manifest)
    assert "symbol,from,to" in str(caught.value)
    (manifest.parent / "members.csv").unlink()
    with pytest.raises(DataError, match="cannot be read") as caught:
        load(manifest)
    assert "relative to the manifest" in str(caught.value)


def test_a_member_without_one_bar_is_told(manifest: Path) -> None:
    write_members(
        manifest,
        "OLD,2018-01-01,",
        "YOUNG,2018-01-05,2018-02-01",
        "YOUNG,2019-01-01,",
        "GONE,2018-01-01,",
    )
    _, notices = load(manifest)
    assert any("YOUNG from 2018-01-05 to 2018-02-01" in each for each in notices)


def test_a_book_on_a_list_of_today_is_told_to_be_biased_and_a_single_target_is_not(
    manifest: Path,
) -> None:
    assert SURVIVORS_ONLY in load(manifest)[1]
    assert SURVIVORS_ONLY not in load(manifest, panel=False, targets=None)[1]


def test_a_market_of_the_engine_without_absences_is_no_panel() -> None:
    market = make_market(30)
    assert not market.is_panel
    assert market.tradable("open").equals(market.wide("open"))
