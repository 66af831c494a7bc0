"""The contract of every feature."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from engine.features.config import (
    Beta,
    BollingerPercent,
    BollingerWidth,
    CalendarFeature,
    Feature,
    FractionalDifference,
    HighLowRange,
    LogReturn,
    Macd,
    Obv,
    RelativeStrength,
    Rsi,
    SimpleReturn,
    TrendRegime,
    TurnOfMonth,
    Volatility,
    VolatilityRegime,
    VolumeZscore,
    Vwap,
    YangZhang,
)
from tests.features.two_symbols import OTHER, OWN, second_symbol, values_of, with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.features.base import FeatureSpec

VARIATIONS = (
    LogReturn(periods=5),
    Rsi(window=2),
    Rsi(window=60),
    Macd(fast=2, slow=3, signal=50),
    Macd(fast=30, slow=100, signal=2),
    BollingerPercent(window=50, deviations=2.5),
    VolumeZscore(window=2),
    YangZhang(window=2),
    FractionalDifference(order=0.9, window=2),
    VolatilityRegime(window=2, history=500),
    TrendRegime(window=2, threshold=0),
    CalendarFeature(cycle="month_of_year", wave="cosine"),
    TurnOfMonth(last=3, first=0, days="weekdays"),
    RelativeStrength(symbol=OTHER, periods=1),
    Beta(symbol=OTHER, window=10),
)
FEATURES = [*with_defaults(), *VARIATIONS]
EVERY_FEATURE = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
EVERY_FEATURE_OF_PRICES_OR_VOLUMES = pytest.mark.parametrize(
    "feature",
    [feature for feature in FEATURES if feature.required_columns],
    ids=lambda feature: feature.name,
)

FIRST_BAR = {"rsi": 2e-4, "macd": 1e-5}
"""Largest change by another first bar after the warm-up, at prices of one level; 1e-12 for all
other kinds."""

FLAT = {"rsi": 0.5, "bollinger_percent": 0.5}
"""The value at a constant price without volume; 0 for all other kinds."""


def flat_bars(n: int) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", periods=n, tz="UTC", name="timestamp")
    prices = dict.fromkeys(("open", "high", "low", "close"), 0.1)
    return pd.DataFrame({**prices, "volume": 0.0}, index=days)


@EVERY_FEATURE
def test_values_are_nan_before_the_declared_warmup_and_finite_from_it_on(
    feature: FeatureSpec, bars: pd.DataFrame
) -> None:
    values = values_of(feature, bars)
    assert values.iloc[: feature.warmup].isna().all()
    assert np.isfinite(values.iloc[feature.warmup :]).all()
    assert values.dtype == np.float64
    assert values.index.equals(bars.index)


@EVERY_FEATURE
def test_another_first_bar_changes_values_after_warmup_as_stated(
    feature: FeatureSpec, bars: pd.DataFrame
) -> None:
    whole, half = values_of(feature, bars), values_of(feature, bars.iloc[len(bars) // 2 :])
    change = (half - whole.loc[half.index]).iloc[feature.warmup :].abs()
    assert len(change) > 200
    assert change.max() <= FIRST_BAR.get(feature.kind, 1e-12)


FALLS = pytest.mark.parametrize("level", [1e-1, 1e-3, 1e-6, 1e-9])


def fallen(bars: pd.DataFrame, at: int, level: float) -> pd.DataFrame:
    """The same bars, whose price falls to a part of it at one bar, and their volume with it."""
    part = np.where(np.arange(len(bars)) < at, 1.0, level)
    return bars.mul(part, axis=0)


@FALLS
@EVERY_FEATURE
def test_a_fall_before_the_first_bar_changes_only_features_that_smooth(
    feature: FeatureSpec, bars: pd.DataFrame, level: float
) -> None:
    moving = fallen(bars.iloc[800:1700], 20, level)
    whole = values_of(feature, moving)
    for start in (20, 50):
        part = values_of(feature, moving.iloc[start:])
        change = (part - whole.loc[part.index]).iloc[feature.warmup :].abs()
        assert change.notna().all()
        if feature.kind not in FIRST_BAR:
            assert change.max() <= 1e-12


@FALLS
@pytest.mark.parametrize("window", [2, 14, 40])
def test_rsi_depends_on_the_first_bar_as_stated(
    bars: pd.DataFrame, level: float, window: int
) -> None:
    feature, moving = Rsi(window=window), fallen(bars.iloc[800:1700], 20, level)
    moves, largest = moving["close"].diff().abs(), 0.0
    for start in (20, 50):
        part, whole = (feature.compute(each) for each in (moving.iloc[start:], moving))
        change = (part - whole.loc[part.index]).abs()
        now = moves.iloc[start:].where(moves.index[start:] > part.index[0], 0.0)
        smoothed = now.ewm(alpha=1 / window, adjust=False).mean()
        bound = np.exp(-10) * moves.iloc[: start + 1].max() / smoothed
        assert (change <= bound + 1e-12).iloc[feature.warmup :].all()
        largest = max(largest, change.max())
    assert largest > 0.1 or level > 1e-5  # which makes the statement needed


@FALLS
@pytest.mark.parametrize(
    ("spans", "factor"),
    [
        ({}, 4e-6),
        ({"fast": 2, "slow": 3, "signal": 2}, 1.2e-4),
        ({"fast": 2, "slow": 3, "signal": 40}, 1.2e-4),
        ({"fast": 30, "slow": 40, "signal": 2}, 1.2e-4),
    ],
)
def test_macd_depends_on_the_first_bar_as_stated(
    bars: pd.DataFrame, level: float, spans: dict[str, int], factor: float
) -> None:
    feature, moving = Macd(**spans), fallen(bars.iloc[800:1700], 20, level)
    for start in (20, 50):
        part, whole = (feature.compute(each) for each in (moving.iloc[start:], moving))
        change = (part - whole.loc[part.index]).abs()
        bound = factor * moving["close"].iloc[: start + 1].max() / moving["close"]
        assert (change <= bound.loc[change.index] + 1e-12).iloc[feature.warmup :].all()


@EVERY_FEATURE
def test_real_bars_have_finite_values_for_any_first_bar(
    feature: FeatureSpec, real_bars: pd.DataFrame
) -> None:
    whole = values_of(feature, real_bars)
    assert np.isfinite(whole.iloc[feature.warmup :]).all()
    for start in range(1, len(real_bars) - 2 * feature.warmup, 500):
        part = values_of(feature, real_bars.iloc[start:])
        change = (part - whole.loc[part.index]).iloc[feature.warmup :].abs()
        assert change.max() <= FIRST_BAR.get(feature.kind, 1e-12)


@EVERY_FEATURE
def test_a_warmup_longer_than_the_bars_leaves_only_nan(
    feature: FeatureSpec, bars: pd.DataFrame
) -> None:
    values = values_of(feature, bars.iloc[: feature.warmup])
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
def test_features_do_not_depend_on_units_of_price_and_volume(
    feature: FeatureSpec, bars: pd.DataFrame, unit: dict[str, float]
) -> None:
    other = bars.assign(**{name: bars[name] * factor for name, factor in unit.items()})
    pd.testing.assert_series_equal(
        values_of(feature, other), values_of(feature, bars), rtol=0, atol=1e-9
    )


@EVERY_FEATURE_OF_PRICES_OR_VOLUMES
def test_a_constant_price_has_the_neutral_value(feature: FeatureSpec) -> None:
    values = values_of(feature, flat_bars(feature.warmup + 50)).iloc[feature.warmup :]
    np.testing.assert_allclose(values, FLAT.get(feature.kind, 0.0), rtol=0, atol=1e-15)


@EVERY_FEATURE_OF_PRICES_OR_VOLUMES
def test_a_price_that_becomes_constant_ends_at_the_neutral_value(
    feature: FeatureSpec, bars: pd.DataFrame
) -> None:
    still = flat_bars(3 * feature.warmup + 50)
    values = values_of(
        feature, pd.concat([bars, still.set_axis(still.index + pd.Timedelta("3650D"))])
    )
    assert np.isfinite(values.iloc[feature.warmup :]).all()
    assert values.iloc[-1] == pytest.approx(FLAT.get(feature.kind, 0.0), abs=1e-6)


@EVERY_FEATURE
def test_twice_the_history_changes_latest_values_as_stated(
    feature: FeatureSpec, bars: pd.DataFrame
) -> None:
    latest, needed = 50, feature.warmup + 50
    once, twice = (values_of(feature, bars.iloc[-n:]).iloc[-latest:] for n in (needed, 2 * needed))
    assert np.isfinite(once).all()
    assert (once - twice).abs().max() <= FIRST_BAR.get(feature.kind, 1e-12)


@EVERY_FEATURE
def test_a_feature_depends_on_exactly_its_required_columns(
    feature: FeatureSpec, bars: pd.DataFrame
) -> None:
    rng, beside = np.random.default_rng(7), second_symbol(bars)
    values = feature.compute_for_symbol({OWN: bars, OTHER: beside}, OWN)
    columns = []
    for column in ("open", "high", "low", "close", "volume"):
        other = bars.assign(**{column: bars[column] * rng.uniform(0.9, 1.1, len(bars))})
        if not values.equals(feature.compute_for_symbol({OWN: other, OTHER: beside}, OWN)):
            columns.append(column)
    assert tuple(columns) == feature.required_columns


@EVERY_FEATURE
def test_a_feature_round_trips_through_json(feature: FeatureSpec) -> None:
    assert TypeAdapter(Feature).validate_json(feature.model_dump_json()) == feature


@EVERY_FEATURE
def test_computing_a_feature_does_not_change_the_bars(
    feature: FeatureSpec, bars: pd.DataFrame
) -> None:
    before = bars.copy(deep=True)
    values_of(feature, bars)
    pd.testing.assert_frame_equal(bars, before)


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        (HighLowRange(), "range"),
        (SimpleReturn(periods=5), "return_5"),
        (Rsi(), "rsi_14"),
        (Macd(), "macd_12_26_9"),
        (BollingerWidth(), "bollinger_width_20_2"),
        (BollingerPercent(deviations=2.5), "bollinger_percent_20_2.5"),
        (Vwap(), "vwap_14"),
        (Obv(), "obv_20"),
        (Volatility(), "volatility_20"),
        (VolatilityRegime(), "volatility_regime_20_252"),
        (FractionalDifference(), "fractional_difference_0.4_100"),
        (CalendarFeature(), "calendar_day_of_week_sine"),
        (Beta(symbol="ETH-USD"), "beta_ETH-USD_60"),
    ],
)
def test_the_name_is_the_kind_and_its_parameters(feature: FeatureSpec, name: str) -> None:
    assert feature.name == name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Macd(fast=26, slow=12), "must be below slow"),
        (lambda: Rsi(window=1), "greater than or equal to 2"),
        (lambda: Vwap.model_validate({"windows": 14}), "Extra inputs"),
        (lambda: FractionalDifference(order=1.0), "less than 1"),
        (lambda: Beta(symbol="A", window=9), "greater than or equal to 10"),
        (lambda: Beta.model_validate({"window": 60}), "symbol"),
        (lambda: CalendarFeature.model_validate({"cycle": "moon"}), "day_of_week"),
    ],
)
def test_an_invalid_parameter_is_an_error(wrong: Callable[[], FeatureSpec], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def documented() -> dict[str, list[str]]:
    """Kind to the other cells of its row in the documentation."""
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", page, re.MULTILINE)
    return {kind: [cell.strip() for cell in cells.split("|")] for kind, cells in rows}


def test_every_feature_has_its_source_in_docs_and_docstring() -> None:
    rows = documented()
    for feature in with_defaults():
        source = rows[feature.kind][-1]
        assert source, feature.kind
        if source not in {"by definition", "the engine's own"}:
            author = re.sub("^after ", "", source).replace(",", " ").split()[0]
            assert author in str(type(feature).__doc__), feature.kind


def test_the_documentation_has_a_row_for_every_feature() -> None:
    rows = documented()
    assert set(rows) == {feature.kind for feature in with_defaults()}
    for feature in with_defaults():
        parameters, *_, warmup, _ = rows[feature.kind]
        assert warmup == str(feature.warmup), feature.kind
        for name, value in feature.model_dump(exclude={"kind", "symbol"}).items():
            expected = f"{name} ({value}" if isinstance(value, int) else f"{name} ("
            assert expected in parameters, feature.kind
