"""Bars a year: by a calendar that fits the bars; an error names it where the dataset does not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, StrategyError
from engine.data.annualisation import (
    advise,
    annualise,
    describe_deviation,
    require_fitting_calendar,
)
from engine.data.calendar import trading_schedule
from engine.data.check import check_dataset
from engine.data.manifests import read_manifest
from tests.data.datasets import RecordingProgress, load_files


def series(stamps):
    return pd.Series(pd.DatetimeIndex(stamps).as_unit("us"))


def utc(*args, **kwargs):
    return pd.date_range(*args, **kwargs, tz="UTC")


def sessions(calendar, freq, first, last):
    """Bars from the opens of an exchange's sessions to their closes, a lunch break left out."""
    found = []
    for row in trading_schedule(calendar, pd.Timestamp(first), pd.Timestamp(last)).itertuples():
        spans = [(row.open, row.close)]
        if not pd.isna(row.break_start):
            spans = [(row.open, row.break_start), (row.break_end, row.close)]
        for begin, end in spans:
            found += list(pd.date_range(begin, end, freq=freq, inclusive="left"))
    return series(found)


def local_hours(zone, begin, count, first, last):
    """A number of hours from a local time on, of each day from Monday to Friday."""
    found = []
    for day in pd.bdate_range(first, last):
        opens = pd.date_range(day + pd.Timedelta(begin), periods=count, freq="h")
        found += list(opens.tz_localize(zone).tz_convert("UTC"))
    return series(found)


def fx_hours(first, last):
    """Hours from Sunday 17:00 in New York to Friday 17:00."""
    found = []
    for sunday in pd.date_range(first, last, freq="W-SUN"):
        week = [sunday + pd.Timedelta(days=days, hours=17) for days in (0, 5)]
        begin, end = (each.tz_localize("America/New_York").tz_convert("UTC") for each in week)
        found += list(pd.date_range(begin, end, freq="h", inclusive="left"))
    return series(found)


CRYPTO_DAYS = series(utc("2021-01-01", "2023-12-31"))
FX_DAYS = series(utc("2020-01-06", "2024-01-05", freq="B"))


@cache
def bars(name):
    """Bars of a kind of market; those of exchanges take half a second each."""
    makers = {
        "crypto days": lambda: CRYPTO_DAYS,
        "FX days": lambda: FX_DAYS,
        "FX hours": lambda: fx_hours("2022-01-02", "2023-12-31"),
        "New York hours": lambda: sessions("XNYS", "1h", "2019-01-01", "2023-12-31"),
        "extended hours": lambda: local_hours(
            "America/New_York", "4h", 16, "2023-01-02", "2024-03-01"
        ),
        "Tokyo half-hours": lambda: sessions("XTKS", "30min", "2024-11-05", "2025-10-30"),
        "Hong Kong hours": lambda: sessions("XHKG", "1h", "2023-01-03", "2024-01-05"),
        "CME hours": lambda: sessions("CMES", "1h", "2023-01-02", "2023-12-29"),
        "weeks": lambda: series(utc("2020-01-06", periods=300, freq="7D")),
        "months": lambda: series(utc("2000-01-01", periods=300, freq="MS")),
    }
    return makers[name]()


@pytest.mark.parametrize(
    ("kind", "calendar", "interval", "periods"),
    [
        ("crypto days", "24/7", "1d", 365),
        ("FX days", "24/5", "1d", 261),
        ("FX hours", "24/5", "1h", 261 * 24),
        ("New York hours", "XNYS", "1h", 252 * 7),
        ("Tokyo half-hours", "XTKS", "30m", 245 * 11),
        ("Hong Kong hours", "XHKG", "1h", 247 * 6),
        ("CME hours", "CMES", "1h", 258 * 23),
        ("weeks", "XNYS", "1w", 365 / 7),
        ("months", "24/7", "1mo", 12),
    ],
)
def test_a_calendar_that_fits_says_how_many_bars_a_year_has(kind, calendar, interval, periods):
    found = annualise(bars(kind), calendar, interval)
    assert not found.deviates
    assert (found.basis, found.periods_per_year) == ("calendar", pytest.approx(periods, rel=1e-12))
    assert found.measured == pytest.approx(periods, rel=0.02)


@pytest.mark.parametrize(
    ("kind", "calendar", "interval", "times", "error", "fitting"),
    [
        ("FX days", "24/7", "1d", 7 / 5, "18 % too high", "24/5"),
        ("FX hours", "24/7", "1h", 7 / 5, "18 % too high", "24/5"),
        ("FX hours", "XNYS", "1h", 7 / 24, "47 % too low", "24/5"),
        ("extended hours", "XNYS", "1h", 7 / 16, "35 % too low", None),
        ("New York hours", "24/7", "1h", 4.2, "105 % too high", "XNYS"),
        ("New York hours", "XLON", "1h", 9 / 8, "6 % too high", "XNYS"),
        ("New York hours", "XTKS", "1h", 5 / 6, "9 % too low", "XNYS"),
        ("crypto days", "XNYS", "1d", 252 / 365, "17 % too low", "24/7"),
        ("crypto days", "24/5", "1d", 5 / 7, "16 % too low", "24/7"),
    ],
)
def test_a_calendar_that_does_not_fit_is_named_with_the_one_that_does(
    kind, calendar, interval, times, error, fitting
):
    stamps = bars(kind)
    found = annualise(stamps, calendar, interval)
    assert found.deviates
    assert found.expected_per_bar == pytest.approx(times, rel=0.05)
    assert error in describe_deviation(found, calendar)
    advice = advise(found, stamps, calendar, interval)
    assert "`periods_per_year: measured`" in advice
    if fitting:
        assert f"`calendar: {fitting}`" in advice
        assert not annualise(stamps, fitting, interval).deviates
    else:
        assert "`calendar:" not in advice
    with pytest.raises(InvalidBarsError, match="times as many bars"):
        require_fitting_calendar(found, stamps, calendar, interval, "a file")


class TestMissingBars:
    """Bars that are missing do not make a calendar wrong: the rule `gaps` counts them."""

    @pytest.mark.parametrize("calendar", ["24/7", "XNYS"])
    def test_a_hole_of_years(self, calendar):
        stamps, interval = (
            (CRYPTO_DAYS, "1d") if calendar == "24/7" else (bars("New York hours"), "1h")
        )
        kept = pd.concat([stamps[:200], stamps[-300:]], ignore_index=True)
        assert not annualise(kept, calendar, interval).deviates

    @pytest.mark.parametrize("share", [0.9, 0.5])
    def test_holes_at_random(self, share):
        rng = np.random.default_rng(3)
        kept = bars("New York hours")[rng.random(len(bars("New York hours"))) < share].reset_index(
            drop=True
        )
        found = annualise(kept, "XNYS", "1h")
        assert not found.deviates
        assert found.periods_per_year == 252 * 7

    def test_quiet_nights_of_a_thin_market(self):
        minutes = utc("2024-01-01", "2024-03-31", freq="min")
        share = np.where(minutes.hour < 6, 0.15, 0.8)
        kept = minutes[np.random.default_rng(4).random(len(minutes)) < share]
        assert not annualise(series(kept), "24/7", "1m").deviates

    def test_a_session_that_the_calendar_has_longer_than_the_market(self):
        # Half an hour of a day of 24 hours.
        halves = series(utc("2024-01-01", "2024-03-31", freq="30min"))
        kept = halves[(halves.dt.hour != 21) | (halves.dt.minute != 0)].reset_index(drop=True)
        found = annualise(kept, "24/7", "30m")
        assert not found.deviates
        assert found.expected_per_bar == pytest.approx(48 / 47, rel=1e-4)

    def test_too_few_weeks_tell_nothing(self):
        found = annualise(FX_DAYS[:20], "24/7", "1d")
        assert not found.deviates
        assert found.measured is None


def test_hours_labelled_by_the_clock_are_counted_by_the_clock():
    opens = sessions("XTKS", "5min", "2024-11-05", "2025-10-30")
    found = annualise(series(opens.dt.floor("h").unique()), "XTKS", "1h")
    assert (found.deviates, found.periods_per_year) == (False, 245 * 7)


def test_sessions_before_the_holidays_are_known_are_not_compared():
    early = series(utc("1950-01-02", "1969-12-31", freq="W-MON"))
    assert not annualise(early, "XNYS", "1d").deviates


class TestDeclared:
    def test_the_measured_figure_is_the_number_of_bars_of_the_weeks_that_have_any(self):
        found = annualise(FX_DAYS, "24/7", "1d", "measured")
        assert (found.basis, found.by_calendar) == ("measured", 365)
        assert found.periods_per_year == pytest.approx(5 * 365.25 / 7)
        hole = pd.concat([FX_DAYS[:300], FX_DAYS[-300:]], ignore_index=True)
        again = annualise(hole, "24/7", "1d", "measured")
        assert again.periods_per_year == pytest.approx(5 * 365.25 / 7)

    def test_a_declared_figure_is_used_as_it_is(self):
        found = annualise(FX_DAYS, "24/7", "1d", 259.8)
        assert (found.basis, found.periods_per_year) == ("declared", 259.8)

    @pytest.mark.parametrize("declared", ["measured", 260.0])
    def test_a_declared_figure_answers_for_the_calendar(self, declared):
        found = annualise(FX_DAYS, "24/7", "1d", declared)
        require_fitting_calendar(found, FX_DAYS, "24/7", "1d", "a file")

    def test_too_few_bars_to_measure_are_an_error(self):
        with pytest.raises(InvalidBarsError, match="too few bars") as caught:
            annualise(FX_DAYS[:10], "24/7", "1d", "measured")
        assert "periods_per_year: 365" in caught.value.fix


FX = """name: fx
interval: 1d
calendar: 24/7
symbols: [AUDUSD]
sources:
  - {kind: files, path: .}
"""


@pytest.fixture
def fx(tmp_path):
    """Writes a file of FX days and its manifest with some lines changed; returns its path."""

    def write(*changes):
        closes = 0.7 + 0.01 * np.sin(np.arange(len(FX_DAYS)))
        columns = dict.fromkeys(("open", "high", "low", "close"), closes)
        table = pd.DataFrame({"timestamp": FX_DAYS.dt.strftime("%Y-%m-%d"), **columns})
        table.assign(volume=1000 + np.arange(len(table))).to_csv(
            tmp_path / "AUDUSD.csv", index=False
        )
        text = FX
        for old, new in changes:
            text = text.replace(old, new)
        (tmp_path / "fx.yaml").write_text(text)
        return tmp_path / "fx.yaml"

    return write


MEASURED = ("symbols:", "periods_per_year: measured\nsymbols:")


class TestDatasets:
    def test_a_calendar_that_does_not_fit_stops_the_load(self, fx):
        with pytest.raises(InvalidBarsError, match="times as many bars") as caught:
            load_files(fx())
        assert caught.value.exit_code == 3
        assert "calendar: 24/5" in caught.value.fix

    def test_the_calendar_that_was_named_is_right(self, fx):
        market = load_files(fx(("24/7", "24/5")))
        assert market.periods_per_year == 261
        assert market.provenance["annualisation"] == {
            "periods_per_year": 261,
            "basis": "calendar",
            "by_calendar": 261,
            "measured": pytest.approx(260.9, abs=0.1),
        }

    def test_the_measured_figure_is_used_and_told_where_the_dataset_says_so(self, fx):
        progress = RecordingProgress()
        market = load_files(fx(MEASURED), progress=progress)
        assert market.periods_per_year == pytest.approx(260.9, abs=0.1)
        assert market.provenance["annualisation"]["basis"] == "measured"
        assert (
            "annual figures use 260.9 bars a year, measured as the dataset says; the calendar "
            "24/7 has 365.0"
        ) in progress.notices

    def test_a_check_finds_what_a_run_would_refuse(self, fx):
        check = check_dataset(
            str(fx()), home=fx().parent / "home", offline=True, progress=RecordingProgress()
        )
        (finding,) = (each for each in check.findings if each.rule == "bars_per_year")
        assert (finding.severity, finding.symbol) == ("error", "AUDUSD")
        assert "18 % too high" in finding.sentence
        assert "calendar: 24/5" in finding.advice
        assert not check.is_usable
        assert check.bar_counts == {"AUDUSD": None}

    def test_a_check_accepts_what_a_run_accepts(self, fx):
        for path in (fx(MEASURED), fx(("24/7", "24/5"))):
            check = check_dataset(
                str(path), home=path.parent / "home", offline=True, progress=RecordingProgress()
            )
            assert check.is_usable

    @pytest.mark.parametrize("value", ["0", "-3", "counted"])
    def test_a_figure_that_cannot_be_one_is_refused(self, fx, value):
        path = fx(("symbols:", f"periods_per_year: {value}\nsymbols:"))
        with pytest.raises(StrategyError):
            read_manifest(str(path))


def test_the_case_of_forex_days_on_a_calendar_without_weekends(market_data):
    folder = market_data.parent / "cases" / "bars" / "annual-figures-fx-on-24-7"
    if not folder.is_dir():
        pytest.skip("the case is not beside the real bars")
    days = pd.to_datetime(pd.read_csv(folder / "AUDUSD.csv")["time"], utc=True)
    found = annualise(series(days), "24/7", "1d")
    assert describe_deviation(found, "24/7") == (
        "the calendar 24/7 expects 1.40 times as many bars as the file has; annual volatilities "
        "and Sharpe ratios would be 18 % too high"
    )
    assert found.measured == pytest.approx(259.5, abs=0.5)
