"""What holds for every feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from engine.features.spec import (
    BollingerPercent,
    BollingerWidth,
    Feature,
    LogReturn,
    Macd,
    Obv,
    Range,
    Return,
    Rsi,
    Volatility,
    VolumeZscore,
    Vwap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.features.indicator import Indicator

KINDS: tuple[type[Indicator], ...] = get_args(get_args(Feature)[0])
VARIATIONS = (
    LogReturn(periods=5),
    Rsi(window=2),
    Rsi(window=60),
    Macd(fast=2, slow=3, signal=50),
    Macd(fast=30, slow=100, signal=2),
    BollingerPercent(window=50, deviations=2.5),
    VolumeZscore(window=2),
)
EVERY_FEATURE = pytest.mark.parametrize(
    "feature", [*(kind() for kind in KINDS), *VARIATIONS], ids=lambda feature: feature.name
)

FIRST_BAR = {"rsi": 2e-4, "macd": 1e-5}
"""What another first bar may change past the warm-up; 1e-12 for all the others."""

FLAT = {"rsi": 0.5, "bollinger_percent": 0.5}
"""The value while nothing moves and nothing is traded; 0 for all the others."""


def flat_bars(n: int) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", periods=n, tz="UTC", name="timestamp")
    prices = dict.fromkeys(("open", "high", "low", "close"), 0.1)
    return pd.DataFrame({**prices, "volume": 0.0}, index=days)


@EVERY_FEATURE
def test_values_are_nan_before_the_declared_warmup_and_finite_from_it_on(
    feature: Indicator, bars: pd.DataFrame
) -> None:
    values = feature.compute(bars)
    assert values.iloc[: feature.warmup].isna().all()
    assert np.isfinite(values.iloc[feature.warmup :]).all()
    assert values.dtype == np.float64
    assert values.index.equals(bars.index)


@EVERY_FEATURE
def test_values_on_real_bars_are_finite_after_the_warmup(
    feature: Indicator, real_bars: pd.DataFrame
) -> None:
    assert np.isfinite(feature.compute(real_bars).iloc[feature.warmup :]).all()


@EVERY_FEATURE
def test_another_first_bar_changes_nothing_past_the_warmup_beyond_what_is_stated(
    feature: Indicator, bars: pd.DataFrame
) -> None:
    whole, half = feature.compute(bars), feature.compute(bars.iloc[len(bars) // 2 :])
    change = (half - whole.loc[half.index]).iloc[feature.warmup :].abs()
    assert len(change) > 200
    assert change.max() <= FIRST_BAR.get(feature.kind, 1e-12)


@EVERY_FEATURE
def test_another_first_bar_of_real_bars_changes_no_more(
    feature: Indicator, real_bars: pd.DataFrame
) -> None:
    whole = feature.compute(real_bars)
    for start in range(1, len(real_bars) - 2 * feature.warmup, 500):
        part = feature.compute(real_bars.iloc[start:])
        change = (part - whole.loc[part.index]).iloc[feature.warmup :].abs()
        assert change.max() <= FIRST_BAR.get(feature.kind, 1e-12)


@EVERY_FEATURE
def test_a_warmup_longer_than_the_bars_leaves_only_nan(
    feature: Indicator, bars: pd.DataFrame
) -> None:
    values = feature.compute(bars.iloc[: feature.warmup])
    assert len(values) == feature.warmup
    assert values.isna().all()


@EVERY_FEATURE
@pytest.mark.parametrize(
    "unit",
    [
        pytest.param({"open": 1e-5, "high": 1e-5, "low": 1e-5, "close": 1e-5}, id="prices"),
        pytest.param({"volume": 1e6}, id="volumes"),
    ],
)
def test_the_unit_of_prices_and_of_volumes_does_not_matter(
    feature: Indicator, bars: pd.DataFrame, unit: dict[str, float]
) -> None:
    other = bars.assign(**{name: bars[name] * factor for name, factor in unit.items()})
    pd.testing.assert_series_equal(
        feature.compute(other), feature.compute(bars), rtol=0, atol=1e-9
    )


@EVERY_FEATURE
def test_a_market_that_stands_still_has_a_neutral_value(feature: Indicator) -> None:
    values = feature.compute(flat_bars(feature.warmup + 50)).iloc[feature.warmup :]
    np.testing.assert_allclose(values, FLAT.get(feature.kind, 0.0), rtol=0, atol=1e-15)


@EVERY_FEATURE
def test_a_market_that_comes_to_a_standstill_ends_at_the_neutral_value(
    feature: Indicator, bars: pd.DataFrame
) -> None:
    still = flat_bars(3 * feature.warmup + 50)
    values = feature.compute(
        pd.concat([bars, still.set_axis(still.index + pd.Timedelta("3650D"))])
    )
    assert np.isfinite(values.iloc[feature.warmup :]).all()
    assert values.iloc[-1] == pytest.approx(FLAT.get(feature.kind, 0.0), abs=1e-6)


@EVERY_FEATURE
def test_a_feature_survives_its_text_form(feature: Indicator) -> None:
    assert TypeAdapter(Feature).validate_json(feature.model_dump_json()) == feature


@EVERY_FEATURE
def test_computing_a_feature_leaves_the_bars_alone(feature: Indicator, bars: pd.DataFrame) -> None:
    before = bars.copy(deep=True)
    feature.compute(bars)
    pd.testing.assert_frame_equal(bars, before)


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        (Range(), "range"),
        (Return(periods=5), "return_5"),
        (Rsi(), "rsi_14"),
        (Macd(), "macd_12_26_9"),
        (BollingerWidth(), "bollinger_width_20_2"),
        (BollingerPercent(deviations=2.5), "bollinger_percent_20_2.5"),
        (Vwap(), "vwap_14"),
        (Obv(), "obv_20"),
        (Volatility(), "volatility_20"),
    ],
)
def test_the_name_is_the_kind_and_its_parameters(feature: Indicator, name: str) -> None:
    assert feature.name == name


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Macd(fast=26, slow=12), "must be below slow"),
        (lambda: Rsi(window=1), "greater than or equal to 2"),
        (lambda: Vwap.model_validate({"windows": 14}), "Extra inputs"),
    ],
)
def test_a_wrong_parameter_is_refused(wrong: Callable[[], Indicator], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrong()
