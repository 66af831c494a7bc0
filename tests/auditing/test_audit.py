"""The verdict of an audit, and what it says about what it cannot know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import engine
from engine.auditing.periods import find_bars_per_year
from engine.core.errors import UsageError
from engine.reporting.audit_page import render_audit
from tests.auditing.tables import days, noise


def closes(returns: pd.Series) -> pd.Series:
    return 100.0 * (1.0 + returns).cumprod()


def questions(result: engine.auditing.AuditResult) -> str:
    return " ".join(each.question for each in result.document.not_shown)


SKILLED = noise(0.003)
MARKET = closes(noise(0.0, seed=1))


def test_skill_beyond_holding_is_weak_and_no_more() -> None:
    result = engine.audit(returns=SKILLED, bars=MARKET, tries=1)

    assert result.grade == "weak"
    assert "An audit grades at most weak" in result.sentence
    assert "later bar" in questions(result)
    assert "costs" in questions(result)


def test_without_a_benchmark_there_is_no_grade() -> None:
    result = engine.audit(returns=SKILLED, tries=1)

    assert result.grade == "none"
    assert "no benchmark was given" in result.sentence
    assert "more than holding" in questions(result)


def test_holding_itself_is_no_skill() -> None:
    held = noise(0.003)

    assert engine.audit(returns=held, benchmark=held, tries=1).grade == "none"


def test_many_tries_take_the_grade_away() -> None:
    few, many = (
        engine.audit(returns=noise(0.0018), bars=MARKET, tries=tries) for tries in (1, 1_000)
    )

    assert (few.grade, many.grade) == ("weak", "none")
    assert few.significance.selection.sharpe.p_value < many.significance.selection.sharpe.p_value
    assert "1,000 tries" in many.sentence


def test_unknown_tries_are_said_to_be_unknown() -> None:
    result = engine.audit(returns=SKILLED, bars=MARKET)

    assert not result.document.tries.known
    assert "How many strategies were tried is not known" in result.sentence
    assert "tried before" in questions(result)


def test_copies_of_the_audited_variant_are_one_try() -> None:
    copies = pd.DataFrame({"b": SKILLED, "c": 2 * SKILLED})
    noisy = pd.DataFrame({"b": noise(seed=5), "c": noise(seed=6)})

    by_copies, by_noise = (
        engine.audit(returns=SKILLED, bars=MARKET, variants=each).significance
        for each in (copies, noisy)
    )

    assert by_copies.selection.sharpe.effective_trials == pytest.approx(1.0)
    assert by_noise.selection.sharpe.effective_trials > 2.5
    assert by_noise.overfitting.configurations == 3


@pytest.mark.parametrize("returns", [noise(0.003, count=20), 0.0 * SKILLED + 0.001])
def test_too_few_or_constant_returns_have_no_ratio(returns: pd.Series) -> None:
    result = engine.audit(returns=returns)

    assert result.grade == "none"
    assert "fewer than 30 bars, or returns that do not vary" in result.sentence


def test_everything_lost_is_told() -> None:
    ruined = SKILLED.copy()
    ruined.iloc[200] = -1.0

    assert "lost everything on 2020-07-19" in engine.audit(returns=ruined).sentence


def test_benchmark_bars_that_are_missing_join_the_next() -> None:
    gaps = MARKET.drop(MARKET.index[[50, 51]])

    result = engine.audit(returns=SKILLED, bars=gaps)

    both = result.returns.loc[MARKET.index[52]]
    assert both["buy_and_hold"] == pytest.approx(MARKET.iloc[52] / MARKET.iloc[49] - 1)
    assert both["strategy"] == pytest.approx(np.prod(1 + SKILLED.iloc[50:53]) - 1)
    assert "3 of 400 bars" in result.document.notes[0]


def test_a_benchmark_of_other_days_is_refused() -> None:
    elsewhere = MARKET.set_axis(days(start="2010-01-01"))

    with pytest.raises(UsageError, match="lacks bars"):
        engine.audit(returns=SKILLED, bars=elsewhere)


def test_daily_bars_match_by_day_whatever_their_hour() -> None:
    at_close = MARKET.set_axis(MARKET.index + pd.Timedelta(hours=21))

    result = engine.audit(returns=SKILLED, bars=at_close)

    assert len(result.returns) == 399


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (pd.date_range("2020-01-01", periods=400, freq="D", tz="UTC"), 365.0),
        (pd.bdate_range("2020-01-01", periods=800, tz="UTC"), 261.0),
        (pd.date_range("2020-01-31", periods=30, freq="ME", tz="UTC"), 12.0),
        (pd.date_range("2020-01-03", periods=100, freq="W", tz="UTC"), 365.0 / 7.0),
        (pd.date_range("2020-01-01", periods=900, freq="h", tz="UTC"), 8_760.0),
    ],
)
def test_bars_a_year_come_from_the_calendar(stamps: pd.DatetimeIndex, expected: float) -> None:
    assert find_bars_per_year(stamps, None).value == pytest.approx(expected)


def test_declared_bars_a_year_and_confidence_are_checked() -> None:
    assert engine.audit(returns=SKILLED, periods_per_year=252).document.periods_basis == (
        "as declared"
    )
    for wrong in ({"periods_per_year": 0.0}, {"confidence": 0.2}):
        with pytest.raises(UsageError):
            engine.audit(returns=SKILLED, **wrong)


def test_a_later_gap_and_an_index_without_times_are_refused() -> None:
    gap = SKILLED.copy()
    gap.iloc[7] = np.nan

    with pytest.raises(UsageError, match="missing or infinite"):
        engine.audit(returns=gap)
    with pytest.raises(UsageError, match="no timestamps"):
        engine.audit(returns=SKILLED.reset_index(drop=True))


def test_the_page_names_what_is_not_shown_and_is_the_same_again() -> None:
    result = engine.audit(returns=SKILLED, bars=MARKET, name="<b>mine</b>")

    page = render_audit(result.document, result.significance, result.returns)

    assert page == render_audit(result.document, result.significance, result.returns)
    assert "Weak evidence" in page
    assert "<b>mine" not in page
    assert "ledger" not in page
    for each in result.document.not_shown:
        assert each.question in page
