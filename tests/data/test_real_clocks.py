"""Public files whose clocks, sessions or rows were read wrong: each is right now, or refused."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, SourceError
from engine.data.check import check_dataset
from engine.data.config import DataSpec
from engine.data.load import load_market
from tests.data.datasets import RecordingProgress

NOW = pd.Timestamp("2026-06-01", tz="UTC")


@pytest.fixture
def case(market_data):
    def folder(name):
        path = market_data.parent / "cases" / "bars" / name
        if not path.is_dir():
            pytest.skip(f"there is no folder {path}")
        return path

    return folder


@pytest.fixture
def check(case, tmp_path):
    def checked(name, manifest):
        path = str(case(name) / f"{manifest}.yaml")
        return check_dataset(
            path, home=tmp_path, offline=True, progress=RecordingProgress(), now=NOW
        )

    return checked


@pytest.fixture
def load(case, tmp_path):
    def market(name, manifest):
        return load_market(
            DataSpec(dataset=str(case(name) / f"{manifest}.yaml")),
            home=tmp_path,
            offline=True,
            override=None,
            progress=RecordingProgress(),
            now=NOW,
        )

    return market


@pytest.mark.parametrize(
    ("name", "manifest"),
    [
        ("local-hours-checked-as-hours", "hours"),
        ("local-hours-to-days", "days"),
        ("local-hours-two-symbols-lookahead", "two"),
    ],
)
def test_hours_of_new_york_are_refused(name, manifest, check, load):
    (found,) = [one for one in check(name, manifest).findings if one.severity == "error"]
    assert found.rule == "clock"
    assert "`timezone: America/New_York`" in found.advice
    with pytest.raises(InvalidBarsError):
        load(name, manifest)


def test_with_the_zone_declared_days_are_whole(load):
    first = load("local-hours-to-days", "declared").bars.iloc[0]
    values = [first[column] for column in ("open", "high", "low", "close", "volume")]
    expected = [177.6799927, 179.3500061, 176.7599945, 177.4199982, 60_120_852]
    assert values == pytest.approx(expected)
    hours = load("local-hours-two-symbols-lookahead", "declared").wide("close")
    pd.testing.assert_series_equal(hours["A"], hours["B"], check_names=False)


@pytest.mark.parametrize("manifest", ["weeks", "declared"])
def test_days_of_shanghai_are_whole_weeks(manifest, load):
    first = load("asian-days-to-weeks", manifest).bars.iloc[0]
    assert first["timestamp"] == pd.Timestamp("2000-01-03", tz="UTC")
    values = [first[column] for column in ("open", "high", "low", "close", "volume")]
    assert values == pytest.approx([24.75, 27.5, 24.75, 26.9, 367_713])


def test_days_with_a_time_name_the_zone_that_joins_them(check, load):
    name = "days-with-a-time-do-not-join"
    errors = [one for one in check(name, "two").findings if one.severity == "error"]
    assert {one.rule for one in errors} == {"not_shared"}
    assert "days lie at 04:00 and 05:00 UTC" in errors[0].sentence
    assert "`timezone: America/New_York`" in errors[0].advice
    with pytest.raises(SourceError, match="no timestamp in common"):
        load(name, "two")
    assert len(load(name, "declared").wide("close")) == 61


@pytest.mark.parametrize(
    ("name", "manifest"),
    [
        ("lunch-break-off-grid", "hours"),
        ("lunch-break-off-grid", "days"),
        ("overnight-sessions-false-warnings", "hours"),
    ],
)
def test_nothing_is_found_in_right_hours(name, manifest, check):
    assert check(name, manifest).findings == ()


def test_days_of_their_last_five_minutes_are_refused(check):
    errors = [
        one
        for one in check("date-and-time-in-two-columns", "advice").findings
        if one.severity == "error"
    ]
    assert {one.repair for one in errors} == {None}
    assert any("`columns: {timestamp: [Date, Time]}`" in one.advice for one in errors)


def test_months_are_called_months(check):
    (found,) = [one for one in check("month-advice", "w").findings if one.rule == "interval"]
    assert "31d" not in found.advice
    assert "mo" in found.advice
