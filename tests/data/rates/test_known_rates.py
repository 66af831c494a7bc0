"""Which rate is known at a bar, and what it earns over the bar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.data.rates import (
    RateHistory,
    RatesByBar,
    RatesSpec,
    load_rates,
    rate_per_bar,
)
from engine.evaluation.metrics import sharpe
from tests.data.rates.rate_files import days, history, write_rates

ROWS = {"2024-01-02": 1, "2024-01-04": 2}


def test_a_rate_applies_from_the_first_bar_that_opens_after_its_publication(tmp_path) -> None:
    """Row and one day of lag: known from 2024-01-03 00:00, at which no bar opens after it."""
    rates = history(write_rates(tmp_path / "r.csv", ROWS))
    assert list(rates.at(days("2024-01-04", 4))) == [0.01, 0.01, 0.02, 0.02]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({"risk_free": 0.03, "cash": 0.02}, 0.03),
        ({"risk_free": 0.0, "cash": 0.05}, 0.05),
        ({"risk_free": -0.05, "cash": 0.0}, 0.0),
    ],
)
def test_what_cash_earns_is_the_least_risk_free_rate(rates, expected) -> None:
    """A book with 2 % invested had a Sharpe ratio of 13.8 from its interest of 5 %."""
    known = load_rates(RatesSpec(**rates)).on_bars(days("2024-01-04", 4))
    assert set(known.risk_free) == {expected}
    assert set(known.cash) == {rates["cash"]}


@pytest.mark.parametrize(("lag_days", "first"), [(0, "2024-01-03"), (1, "2024-01-04")])
def test_the_lag_moves_the_publication(tmp_path, lag_days, first) -> None:
    rates = history(write_rates(tmp_path / "r.csv", ROWS), lag_days=lag_days)
    opened = pd.Timestamp(first, tz="UTC")
    assert rates.at(pd.DatetimeIndex([opened])) == [0.01]
    with pytest.raises(UsageError, match="not known yet"):
        rates.at(pd.DatetimeIndex([opened - pd.Timedelta(days=1)]))


def test_a_lag_of_hours_lets_a_rate_apply_within_the_day(tmp_path) -> None:
    rates = history(write_rates(tmp_path / "r.csv", ROWS), lag_days=0.75)
    hours = pd.DatetimeIndex(["2024-01-04 18:00", "2024-01-04 18:01"], tz="UTC")
    assert list(rates.at(hours)) == [0.01, 0.02]


def test_a_bar_before_the_first_row_is_an_error_with_both_times(tmp_path) -> None:
    rates = history(write_rates(tmp_path / "r.csv", ROWS))
    with pytest.raises(UsageError) as caught:
        rates.at(days("2023-12-31", 10))
    error = caught.value
    assert "2023-12-31" in error.expected
    assert "2024-01-03" in error.found
    assert "r.csv" in error.where
    assert error.fix


RATES = st.lists(st.floats(-0.05, 0.5), min_size=2, max_size=30)


@given(values=RATES, row=st.integers(0, 29), other=st.floats(-0.05, 0.5), lag=st.integers(0, 9))
def test_a_row_changes_nothing_at_a_bar_that_opens_before_its_publication(
    values, row, other, lag
) -> None:
    row %= len(values)
    published = days("2024-01-01", len(values)) + pd.Timedelta(days=lag)
    known_from = published.to_numpy(dtype="datetime64[us]")
    changed = [*values[:row], other, *values[row + 1 :]]
    bars = pd.date_range(published[0], periods=80, freq="13h", tz="UTC")[1:]
    one, two = (
        RateHistory("rates.risk_free", known_from, np.array(rows)).at(bars)
        for rows in (values, changed)
    )
    before = np.asarray(bars <= published[row])
    assert list(one[before]) == list(two[before])
    after = bars[~before]
    if len(after):
        assert two[~before][0] == other  # so that the test could fail


def test_a_row_that_applies_for_long_is_told(tmp_path) -> None:
    """Two rows a year apart; the second one ends the series, half a year before the bars end."""
    rows = {"2022-01-01": 1, "2023-01-01": 2}
    rates = history(write_rates(tmp_path / "r.csv", rows))
    years = rates.describe_longest_gap(days("2022-02-01", 520))
    assert "the row of 2022-01-01" in years
    assert "applies for 335 days" in years
    end = rates.describe_longest_gap(days("2022-12-01", 210))
    assert "the row of 2023-01-01" in end
    assert "applies for 177 days" in end
    assert rates.describe_longest_gap(days("2022-12-01", 100)) == ""
    assert load_rates(RatesSpec(risk_free=0.03)).describe_gaps(days("2022-01-01", 900)) == ()


def test_a_row_that_is_published_after_the_last_bar_does_not_make_the_notice_wrong(
    tmp_path,
) -> None:
    """The file has a later row with a rate; it is only not published before the bars end."""
    rows = {"2023-01-01": 2, "2023-06-20": 3}
    rates = history(write_rates(tmp_path / "r.csv", rows), lag_days=30)
    notice = rates.describe_longest_gap(days("2023-02-01", 150))
    assert "the row of 2023-01-01" in notice
    assert notice.endswith("applies for 149 days, in which no other row was published")


def test_replaced_rows_are_those_that_are_not_known_before_the_bar(tmp_path) -> None:
    rates = history(write_rates(tmp_path / "r.csv", {f"2024-01-{d:02}": d for d in range(1, 29)}))
    bars, cut = days("2024-01-03", 25), 10
    replaced = rates.replace_from(bars[cut], np.random.default_rng(1))
    same = rates.at(bars) == replaced.at(bars)
    assert same[: cut + 1].all()
    assert not same[cut + 1 :].any()


def test_cash_may_earn_the_risk_free_rate(tmp_path) -> None:
    file = write_rates(tmp_path / "r.csv", ROWS)
    spec = RatesSpec.model_validate(
        {
            "risk_free": {"file": str(file), "column": "rate", "unit": "percent"},
            "cash": "risk_free",
        }
    )
    by_bar = load_rates(spec).on_bars(days("2024-01-04", 4))
    assert list(by_bar.cash) == list(by_bar.risk_free) == [0.01, 0.01, 0.02, 0.02]


def test_constants_apply_to_every_bar() -> None:
    by_bar = load_rates(RatesSpec(risk_free=0.03, cash=0.02)).on_bars(days("1800-01-01", 2))
    assert list(by_bar.risk_free) == [0.03] * 2
    assert list(by_bar.cash) == [0.02] * 2
    assert not by_bar.is_zero


def test_a_bar_earns_the_rate_of_the_bar_before_over_its_calendar_time() -> None:
    friday_to_monday = pd.DatetimeIndex(["2024-01-04", "2024-01-05", "2024-01-08"], tz="UTC")
    earned = rate_per_bar(pd.Series([0.03, 0.02, 0.01], index=friday_to_monday))
    assert list(earned) == pytest.approx([0.0, 0.03 / 365.25, 3 * 0.02 / 365.25], rel=1e-15)


def test_the_rate_on_other_bars_is_the_last_one_known_there() -> None:
    annual = pd.Series([0.01, 0.02], index=days("2024-01-04", 2))
    others = days("2024-01-02", 6)
    earned = rate_per_bar(annual, others)
    assert list(earned * 365.25) == pytest.approx([0.0, 0.01, 0.01, 0.01, 0.02, 0.02])


def test_without_a_rate_the_excess_is_the_return_itself() -> None:
    returns = pd.DataFrame({"book": [0.0, 0.01, 1e-15]}, index=days("2024-01-01", 3))
    zero = RatesByBar.constant(returns.index)
    assert zero.is_zero
    assert zero.excess(returns) is returns


def test_the_excess_is_what_is_left_of_each_book() -> None:
    returns = pd.DataFrame({"a": [0.0, 0.01], "b": [0.0, -0.01]}, index=days("2024-01-01", 2))
    left = RatesByBar.constant(returns.index, risk_free=365.25 * 0.004).excess(returns)
    assert left["a"].tolist() == pytest.approx([0.0, 0.006])
    assert left["b"].tolist() == pytest.approx([0.0, -0.014])


def weekdays(periods: int) -> pd.DatetimeIndex:
    return pd.date_range("2024-01-01", periods=periods, freq="B", tz="UTC", name="timestamp")


def test_a_book_that_earns_the_rate_has_no_excess_but_rounding_which_is_zero() -> None:
    rates = RatesByBar.constant(weekdays(500), risk_free=0.03)
    equity = (1.0 + rates.risk_free_per_bar).cumprod()
    returns = (equity / equity.shift(fill_value=1.0) - 1.0).to_frame("book")
    assert (returns["book"] != rates.risk_free_per_bar).any()
    assert not rates.excess(returns).any(axis=None)


@pytest.mark.parametrize(("risk_free", "cash"), [(0.03, 0.0), (0.03, 0.02), (0.0, 0.02)])
def test_a_book_that_holds_nothing_has_a_mean_excess_and_no_sharpe_ratio(risk_free, cash) -> None:
    rates = RatesByBar.constant(weekdays(500), risk_free=risk_free, cash=cash)
    idle = rates.cash_per_bar.to_numpy()
    excess = rates.excess_values(idle)
    years = (rates.cash.index[-1] - rates.cash.index[0]) / pd.Timedelta(days=365.25)
    assert excess.sum() == pytest.approx((cash - risk_free) * years, rel=1e-9)
    assert sharpe(excess, 261.0) is None


@pytest.mark.parametrize("risk_free", [0.03, -0.03])
def test_a_ruined_book_has_no_sharpe_ratio_above_a_rate_either(risk_free) -> None:
    bars = pd.date_range("2024-01-01", periods=4, tz="UTC")
    rates = RatesByBar.constant(bars, risk_free=risk_free)
    excess = rates.excess_values(np.array([0.0, 0.01, -1.0, 0.0]))
    assert excess[2] == -1.0
    assert sharpe(excess, 261.0) is None


def test_bars_without_a_position_count_in_a_book_that_trades_at_others() -> None:
    rates = RatesByBar.constant(weekdays(3), risk_free=0.03)
    excess = rates.excess_values(np.array([0.0, 0.0, 0.01]))
    a_day = 0.03 / 365.25
    assert list(excess) == pytest.approx([0.0, -a_day, 0.01 - a_day])


def test_chosen_bars_keep_their_own_calendar_time() -> None:
    rates = RatesByBar.constant(days("2024-01-01", 10), risk_free=0.03)
    every_third = rates.rows(np.arange(10) % 3 == 2)
    assert list(every_third.risk_free_per_bar) == pytest.approx([0.03 / 365.25] * 3)
