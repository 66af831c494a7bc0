"""The message where bars do not pass the gate, and the notices where they pass with findings."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError
from engine.data.bars import normalise_bars
from engine.data.config import Dataset
from engine.data.quality import QualityGate, QualityLog
from engine.data.quality_config import RuleName
from tests.data.quality.tables import NOW, plain, scaled, walk


def passed(raw, log=None, symbol="X", **quality):
    gate = QualityGate("24/7", quality, NOW, log or QualityLog())
    return gate.validate(normalise_bars(raw, symbol), "1d", "a test")


def refused(raw, **quality):
    with pytest.raises(InvalidBarsError) as error:
        passed(raw, **quality)
    return error.value


def test_the_error_lists_all_broken_rules_with_their_bars():
    raw = plain(10)
    raw.loc[2, "close"] = None
    raw.loc[4, "close"] = 0.0
    raw.loc[7, "timestamp"] = raw.loc[6, "timestamp"]
    error = refused(raw)
    assert "bars of X fail the quality checks" in error.problem
    assert "X: a test" in error.where
    for stamp in ("2020-01-03", "2020-01-05", "2020-01-07"):
        assert stamp in error.found
    assert [finding.rule for finding in error.findings if finding.severity == "error"] == [
        "duplicates",
        "missing_values",
        "nonpositive_prices",
    ]


def test_of_many_bad_bars_the_first_three_and_the_last_are_shown():
    raw = plain(200)
    raw.loc[:59, "open"] = 0.0
    error = refused(raw)
    assert "60 of 200 bars have no open" in error.problem
    assert "2020-01-01 (open 0 high 12 low 9 close 11 volume 1)" in error.found
    assert "2020-01-03" in error.found
    assert "2020-01-04" not in error.found
    assert "57 more, the last 2020-02-29" in error.found


def test_the_fix_is_the_line_that_requests_the_repair():
    raw = scaled(walk(), [100], 3.0)
    raw.loc[7, "open"] = 0.0
    error = refused(raw)
    assert "`quality: {missing_open: repair, bad_ticks: repair}`" in error.fix
    assert "open_from_previous_close, drop_bad_tick" in error.fix
    assert len(passed(raw, missing_open="repair", bad_ticks="repair")) == 399


@pytest.mark.parametrize(
    ("bad", "advice"),
    [
        (range(20), "`start: 2020-01-21`"),
        (range(80, 100), "`end: 2020-03-20`"),
        (range(10, 90), "correct these bars"),
    ],
)
def test_the_date_range_that_leaves_most_bars_is_suggested(bad, advice):
    raw = plain(100)
    raw.loc[list(bad), "open"] = 0.0
    assert advice in refused(raw).fix


def test_a_rule_still_broken_after_its_repair_is_an_error():
    """Bars off the grid have no repair; those labelled by their end have one."""
    raw = walk(100)
    raw["timestamp"] += pd.Timedelta("23:59:59")
    raw.loc[40, "timestamp"] -= pd.Timedelta(hours=7)
    assert "off_grid: 2020-02-10" in refused(raw, off_grid="repair").found


class TestNotices:
    def test_clean_bars_give_no_notices(self):
        log = QualityLog()
        passed(walk(), log)
        assert log.notices("d") == []
        document = log.as_json()
        assert (document["findings"], document["repairs"]) == ([], [])
        assert document["rules"] == list(get_args(RuleName))

    def test_a_rule_is_one_line_for_all_symbols(self):
        log = QualityLog()
        passed(walk().drop(index=[40]), log, "A")
        passed(walk().drop(index=[50, 51]), log, "B")
        assert log.notices("d") == [
            "gaps: A 1 bars are missing, 2020-02-10; "
            "B 2 bars are missing, 2020-02-20 to 2020-02-21"
        ]

    def test_repairs_come_before_warnings(self):
        log = QualityLog()
        passed(scaled(walk(), [100], 3.0), log, bad_ticks="repair")
        repair, gap = log.notices("d")
        assert repair.startswith("repaired bad_ticks: X 1 of 400 bars have a price far from")
        assert repair.endswith("the bars were dropped")
        assert gap.startswith("gaps: ")
        document = log.as_json()
        assert [applied["repair"] for applied in document["repairs"]] == ["drop_bad_tick"]
        assert [finding["rule"] for finding in document["findings"]] == ["gaps"]

    def test_many_rules_are_a_few_lines_and_a_command(self):
        raw = walk().drop(index=[40])
        raw.loc[100, "low"] /= 3.0
        raw.loc[110, "volume"] *= 1_000.0
        raw.loc[120, "volume"] = 0.0
        raw.loc[200:205, ["open", "high", "low", "close", "volume"]] = 77.0
        log = QualityLog()
        passed(raw, log)
        notices = log.notices("d")
        assert len(notices) == 4
        assert notices[-1] == "2 more kinds of finding: backtest data check d"


def test_a_rule_without_a_repair_cannot_be_set_to_repair():
    with pytest.raises(ValueError, match="no repair of gaps; say error or warn"):
        Dataset(
            name="d",
            interval="1d",
            calendar="24/7",
            symbols=["X"],
            sources=[{"kind": "files", "path": "bars"}],
            quality={"gaps": "repair"},
        )
