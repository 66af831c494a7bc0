from __future__ import annotations

import math

import pytest

from engine.reporting import formatting


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_a_figure_that_does_not_exist_is_an_en_dash_without_unit(nothing: float | None) -> None:
    assert formatting.PERCENT(nothing) == "\N{EN DASH}"
    assert formatting.p_value(nothing) == "\N{EN DASH}"
    assert formatting.duration(nothing) == "\N{EN DASH}"
    assert formatting.RATIO.interval(nothing, 1.0) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (formatting.PERCENT, -12.345, "\N{MINUS SIGN}12.3\N{NO-BREAK SPACE}%"),
        (formatting.SIGNED_PERCENT, 4.0, "+4.0\N{NO-BREAK SPACE}%"),
        (formatting.SIGNED_PERCENT, -0.04, "0.0\N{NO-BREAK SPACE}%"),
        (formatting.COUNT, 12345, "12,345"),
        (formatting.BPS, 5.0, "5.0\N{NO-BREAK SPACE}bps"),
        (formatting.GROWTH, 1234.5, "1,234.500\N{MULTIPLICATION SIGN}"),
    ],
)
def test_figures_carry_sign_thousands_and_unit(
    unit: formatting.NumberFormat, value: float, text: str
) -> None:
    assert unit(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.2374561, "0.23746"), (8.5, "8.5000"), (130.2, "130.20"), (64123.456, "64,123.46")),
        *((0.0, "0.0000"), (None, "\N{EN DASH}")),
    ],
)
def test_a_price_has_five_significant_digits_and_two_decimals_at_least(
    value: float | None, text: str
) -> None:
    assert formatting.price(value) == text


def test_an_interval_names_its_unit_once() -> None:
    assert formatting.PERCENT.interval(-1, 2) == "\N{MINUS SIGN}1.0 to 2.0\N{NO-BREAK SPACE}%"


def test_a_tiny_p_value_says_only_that_it_is_tiny() -> None:
    assert formatting.p_value(0.00004) == "< 0.001"
    assert formatting.p_value(0.0321) == "0.032"


def test_a_moment_has_a_time_only_where_the_bar_has_one() -> None:
    assert formatting.timestamp("2003-06-02T00:00:00+00:00") == "2003-06-02"
    assert formatting.timestamp("2003-06-02T15:30:00+02:00") == "2003-06-02 13:30"


def test_durations_grow_coarser() -> None:
    space = "\N{NO-BREAK SPACE}"
    assert formatting.duration(0.351) == f"0.35{space}s"
    assert formatting.duration(12.34) == f"12.3{space}s"
    assert formatting.duration(185.2) == f"3{space}min 05{space}s"


def test_losses_of_any_scale_show_three_digits() -> None:
    assert formatting.loss_value(1.0) == "1.00"
    assert formatting.loss_value(0.00012345) == "0.000123"


def test_a_sentence_of_a_file_gets_minus_signs_and_keeps_its_dates_and_names() -> None:
    said = "Sharpe -0.85 (95 % interval -2.91 to -.5) from 2019-01-01, t-1 of the level-trap."
    minus = "\N{MINUS SIGN}"
    assert formatting.typeset(said) == (
        f"Sharpe {minus}0.85 (95\N{NO-BREAK SPACE}% interval {minus}2.91 to {minus}.5) "
        "from 2019-01-01, t-1 of the level-trap."
    )
