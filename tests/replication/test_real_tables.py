"""The closes and figures of the paper: all deterministic figures equal the printed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.replication.papers import compared

if TYPE_CHECKING:
    from pathlib import Path

    from engine.replication.livieris2021 import Livieris2021Result


@pytest.fixture(scope="module")
def result(market_data: Path) -> Livieris2021Result:
    """With random forecasts; no figure below depends on them."""
    return compared(market_data / "livieris2021", runs=2)


def test_every_descriptive_figure_is_the_papers(result) -> None:
    same = [row.matches(name) for row in result.descriptive for name in row.paper]
    assert (len(same), all(same)) == (63, True)


def test_every_count_of_movements_is_the_papers(result) -> None:
    same = [row.matches(name) for row in result.movements for name in row.paper]
    assert (len(same), all(same)) == (36, True)


def test_unit_root_tests_are_the_papers_but_for_the_value_it_repeats(result) -> None:
    differ = [
        (row.labels["series"], row.labels["symbol"], round(row.ours["statistic"], 6))
        for row in result.stationarity
        if not all(map(row.matches, row.paper))
    ]
    assert differ == [("transformed", "ETH", -12.840660), ("transformed", "XRP", -8.527811)]
    assert "BTC's value, -36.832969, for every coin" in result.notes["adf"][0]


@pytest.mark.parametrize(
    ("coin", "mae", "rmse", "r2", "drift_mae", "drift_rmse", "up"),
    [
        ("BTC", 170.439, 257.114, 0.9524, 169.541, 256.460, 57.24),
        ("ETH", 9.133, 13.468, 0.9646, 9.110, 13.455, 55.92),
        ("XRP", 0.005, 0.007, 0.9625, 0.005, 0.007, 52.63),
    ],
)
def test_naive_forecasts(result, coin, mae, rmse, r2, drift_mae, drift_rmse, up) -> None:
    still, drift, always = (each.scores for each in result.naive_rules if each.symbol == coin)
    assert (round(still["mae"], 3), round(still["rmse"], 3)) == (mae, rmse)
    assert round(still["r2"], 4) == r2
    assert (round(drift["mae"], 3), round(drift["rmse"], 3)) == (drift_mae, drift_rmse)
    assert round(always["accuracy_pct"], 2) == up


def test_the_published_rows_do_not_beat_persistence(result) -> None:
    trap = result.level_trap
    assert trap["paper"] == {
        "r2_lowest": 0.936,
        "r2_highest": 0.964,
        "mae_below_persistence": 3,
        "mae_below_drift": 0,
        "rmse_below_persistence": 3,
        "rmse_below_drift": 1,
        "accuracy_above_always_up": 0,
    }
    assert trap["persistence_r2_lowest"] > trap["paper"]["r2_lowest"]


def test_rows_that_contradict_themselves_are_named(result) -> None:
    assert result.notes["forecasts"] == [
        "ETH MICDL lag 7: accuracy 50.86 %, but its Sen and Spe give 50.20 %.",
        "XRP MICDL lag 14: R2 0.953, but an RMSE of 0.009 allows 0.949 at most.",
    ]


def test_ranks_of_the_rmse_and_r2_follow_from_the_published_rows(result) -> None:
    by_number = {table.number: table for table in result.ranks}
    assert [by_number[n].metric for n in range(1, 7)] == ["mae", "rmse", "r2", "auc", "gm", "gm"]
    for number in (2, 3):
        assert all(map(by_number[number].rank_matches, by_number[number].ours.rank))


def test_every_printed_p_value_follows_from_the_printed_ranks(result) -> None:
    printed = [table for table in result.ranks if table.number]
    right = [all(map(table.p_value_matches, table.ours.rank)) for table in printed]
    assert dict(zip([table.number for table in printed], right, strict=True)) == {
        1: False,
        2: True,
        3: False,
        4: True,
        5: True,
        6: True,
    }
    assert [table.number for table in printed if table.relabelled] == [1, 3]


def test_contradictions_in_the_tables_of_ranks_are_named(result) -> None:
    control, swapped, tied, level = result.notes["ranks"]
    assert "No. 1: labels swapped. The control, without a p-value, is printed as MICDL" in control
    assert "the lowest rank is Model2's" in control
    assert "No. 3: labels swapped. The p-values of Model2 and MICDL" in swapped
    assert "No. 3: equal scores were ranked by the last bit" in tied
    assert "Model1 8.083, Model2 10.833, MICDL 9.583" in tied
    assert "No. 4: Model1 is rejected with p = 0.073" in level
