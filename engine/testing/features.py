"""The contract of features."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import ContractError
from engine.data.next_bar import NextBar
from engine.features.base import FeatureSpec
from engine.features.contract import check_column
from engine.features.symbol_states import stack_states
from engine.testing.markets import make_bars, scale_prices
from engine.testing.rules import check_part, require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.features.window_state import FeatureState

OWN_SYMBOL = "OWN"
_BARS_BEYOND_WARMUP = 400
_ROUNDING = 1e-9
_SINGLE_BARS = 20
"""Bars that arrive one at a time, at the start and past the warm-up; the others arrive at once."""


def check_feature(
    feature: FeatureSpec,
    *,
    market: Mapping[str, pd.DataFrame] | None = None,
    first_bar_tolerance: float = _ROUNDING,
) -> None:
    """Computes a feature on generated bars, on parts of them and on changed ones.

    The rules: a frozen class with a kind of its own, whose JSON gives an equal part; float64
    values on the index of the bars, NaN before the row `warmup` and finite from it on; no change
    of a value by later bars; past the warm-up, no more change by another first bar than
    `first_bar_tolerance`; no change by the unit of prices or of volumes; the same values again;
    untouched bars; no column read that `required_columns` does not name; the values of the
    streaming form equal to these bit for bit, from a state that no call changes and that does not
    grow; at a single bar, the values of one symbol and of several at once equal to these as well.

    Args:
        feature: The feature.
        market: Symbol -> bars, the first of them the feature's own; generated unless given.
        first_bar_tolerance: For features that smooth without an end.

    Raises:
        ContractError: The first rule that is broken.
    """
    check_part(feature, (FeatureSpec,))
    tables = dict(market or _make_tables(feature))
    own = next(iter(tables))
    before = {symbol: bars.copy(deep=True) for symbol, bars in tables.items()}
    values = feature.compute_for_symbol(tables, own)
    check_column(feature, tables[own], values)

    def rule(text: str, *, kept: bool, found: str) -> None:
        require(feature.kind, text, kept=kept, found=found)

    rule(
        "computing a feature leaves the bars as they are",
        kept=all(tables[symbol].equals(bars) for symbol, bars in before.items()),
        found="other bars",
    )
    rule(
        f"the values before the row `warmup`, {feature.warmup}, are NaN",
        kept=bool(values.iloc[: feature.warmup].isna().all()),
        found="numbers",
    )
    again = feature.compute_for_symbol(tables, own)
    rule("the same bars give the same values", kept=values.equals(again), found="other values")
    _check_time(feature, tables, own, values, first_bar_tolerance)
    _check_units(feature, tables, own, values)
    _check_required_columns(feature, tables, own, values)
    _check_streaming(feature, tables, own, values)
    _check_single_bars(feature, tables, own)


def _make_tables(feature: FeatureSpec) -> dict[str, pd.DataFrame]:
    """Own bars, and those of another symbol that the feature names."""
    count = 2 * feature.warmup + _BARS_BEYOND_WARMUP
    other = getattr(feature, "symbol", "OTHER")
    return {OWN_SYMBOL: make_bars(count, 1), str(other): make_bars(count, 2)}


def _check_time(
    feature: FeatureSpec,
    tables: Mapping[str, pd.DataFrame],
    own: str,
    values: pd.Series[float],
    tolerance: float,
) -> None:
    count = len(values)
    for end in (count // 2, count - 1):
        part = feature.compute_for_symbol(_cut(tables, 0, end), own)
        require(
            feature.kind,
            "later bars do not change a value",
            kept=_largest_change(part, values.iloc[:end]) <= _ROUNDING,
            found=f"other values where the last {count - end} bars are missing",
        )
    start = (count - feature.warmup) // 2
    late = feature.compute_for_symbol(_cut(tables, start, count), own)
    change = _largest_change(late.iloc[feature.warmup :], values.iloc[start + feature.warmup :])
    require(
        feature.kind,
        "past the warm-up, the first bar does not change a value",
        kept=change <= tolerance,
        found=f"a change of {change:.2g} where the first {start} bars are missing",
    )


def _check_units(
    feature: FeatureSpec,
    tables: Mapping[str, pd.DataFrame],
    own: str,
    values: pd.Series[float],
) -> None:
    units = {
        "prices": scale_prices(tables[own], 1e-3),
        "volumes": tables[own].assign(volume=1e4 * tables[own]["volume"]),
    }
    for name, bars in units.items():
        change = _largest_change(feature.compute_for_symbol({**tables, own: bars}, own), values)
        require(
            feature.kind,
            f"the unit of {name} does not change a value",
            kept=change <= _ROUNDING,
            found=f"a change of {change:.2g}",
        )


def _check_required_columns(
    feature: FeatureSpec,
    tables: Mapping[str, pd.DataFrame],
    own: str,
    values: pd.Series[float],
) -> None:
    rng = np.random.default_rng(7)
    for column in sorted({"open", "high", "low", "close", "volume"}):
        if column in feature.required_columns:
            continue
        factors = rng.uniform(0.9, 1.1, len(values))
        bars = tables[own].assign(**{column: tables[own][column] * factors})
        require(
            feature.kind,
            "`required_columns` names every column that is read",
            kept=values.equals(feature.compute_for_symbol({**tables, own: bars}, own)),
            found=f"a value that depends on {column}",
        )


def _check_streaming(
    feature: FeatureSpec,
    tables: Mapping[str, pd.DataFrame],
    own: str,
    values: pd.Series[float],
) -> None:
    middle = (len(values) + feature.warmup) // 2
    ends = [*range(1, _SINGLE_BARS), *range(middle, middle + _SINGLE_BARS), len(values)]
    state: FeatureState | None = None
    sizes: dict[int, int] = {}
    parts: list[pd.Series[float]] = []
    for start, end in pairwise([0, *ends]):
        arrived = _cut(tables, start, end)
        state, part = _update_checked(feature, state, arrived, own)
        check_column(feature, arrived[own], part, seen=start)
        sizes[end] = state.size
        parts.append(part)
    require(
        feature.kind,
        "past the warm-up, the state of the streaming form does not grow",
        kept=sizes[len(values)] <= sizes[middle],
        found=f"{sizes[middle]} numbers after {middle} bars, {sizes[len(values)]} after "
        f"{len(values)}",
    )
    streamed = pd.concat(parts)
    differs = np.flatnonzero(~((streamed == values) | (streamed.isna() & values.isna())))
    first = differs[:1]
    require(
        feature.kind,
        "the streaming form gives the bits of the batch form: a value depends on its last "
        "`warmup` + 1 bars only, to the last bit, as those of engine.features.rolling do, or the "
        "class has an `update` of its own",
        kept=not len(differs),
        found=f"{len(differs)} other values, at row {first}: {streamed.iloc[first].tolist()} for "
        f"{values.iloc[first].tolist()}",
    )


def _check_single_bars(feature: FeatureSpec, tables: Mapping[str, pd.DataFrame], own: str) -> None:
    """Single bars past the warm-up, of one symbol and of several at once."""
    stamps = tables[own].index
    start = max(len(stamps) - _SINGLE_BARS, feature.warmup + 1)
    symbols = tuple(tables) if len(tables) > 1 else (own, own)
    known = _cut(tables, 0, start)
    alone, *others = (feature.update_for_symbol(None, known, symbol)[0] for symbol in symbols)
    together = stack_states([alone, *others])
    values = np.array([feature.compute_for_symbol(tables, symbol) for symbol in symbols])
    for row in range(start, len(stamps)):
        bars = pd.concat([t.iloc[[row]].assign(symbol=symbol) for symbol, t in tables.items()])
        bar = NextBar.of_bars(bars.rename_axis("timestamp").reset_index())
        alone, value = feature.advance_for_symbol(alone, bar, own)
        together, found = feature.advance_for_symbols(together, bar, symbols)
        expected = values[:, row]
        require(
            feature.kind,
            "a single bar gives the bits of the batch form, for one symbol and for several at "
            "once: arrays of several symbols, (n, symbols), are computed along their first axis",
            kept=value == expected[0] and np.array_equal(found, expected),
            found=f"{value} and {found} for {expected} at {stamps[row]}",
        )


def _update_checked(
    feature: FeatureSpec,
    state: FeatureState | None,
    tables: Mapping[str, pd.DataFrame],
    own: str,
) -> tuple[FeatureState, pd.Series[float]]:
    before = np.copy(state) if state is not None else None
    try:
        following, values = feature.update_for_symbol(state, tables, own)
    except KeyError as error:
        rule = "`required_columns` names every column that is read"
        raise ContractError(feature.kind, rule, f"no column {error} in a state") from error
    require(
        feature.kind,
        "an update returns a state, a float64 array, and leaves the state before as it is",
        kept=isinstance(following, np.ndarray)
        and following.dtype == np.float64
        and (state is None or before is None or np.array_equal(before, state, equal_nan=True)),
        found=f"{type(following).__name__}, or another state before",
    )
    return following, values


def _cut(tables: Mapping[str, pd.DataFrame], start: int, end: int) -> dict[str, pd.DataFrame]:
    return {symbol: bars.iloc[start:end] for symbol, bars in tables.items()}


def _largest_change(found: pd.Series[float], values: pd.Series[float]) -> float:
    """Largest difference; infinite where one has a value and the other none."""
    if bool((found.isna().to_numpy() != values.isna().to_numpy()).any()):
        return float("inf")
    change = (found - values).abs().max()
    return 0.0 if pd.isna(change) else float(change)
