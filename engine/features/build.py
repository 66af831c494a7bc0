"""The feature matrix: every feature of every symbol."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError, UsageError
from engine.core.part_origin import is_built_in
from engine.features.contract import check_column
from engine.features.cross_section import check_cross_section, compare_symbols, own_feature
from engine.features.required_columns import check_columns
from engine.features.several_symbols import compute_together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Matrix
    from engine.data import Market
    from engine.features.kinds import Feature


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Features known at the close of each bar.

    Attributes:
        timestamps: UTC, shape (n,), one per bar.
        values: Shape (n, k), columns symbol by symbol; each column is NaN up to its bars_by_symbol
            warm-up and finite from there, but at the rows of a panel at which its symbol has no
            bar.
        names: k names such as `BTC-USD:rsi_14`.
        symbol_columns: Each symbol with the positions of its columns.
        warmup: First row at which every column is valid; of a panel, the bars of a symbol before
            its first such row.
    """

    timestamps: pd.DatetimeIndex
    values: Matrix
    names: tuple[str, ...]
    symbol_columns: tuple[tuple[str, tuple[int, ...]], ...]
    warmup: int

    def of_symbol(self, symbol: str) -> FeatureMatrix:
        """The columns of one symbol; the values are not copied."""
        columns = self._columns_by_symbol[symbol]
        kept = slice(columns[0], columns[-1] + 1)
        return replace(
            self,
            values=self.values[:, kept],
            names=self.names[kept],
            symbol_columns=((symbol, tuple(range(len(columns)))),),
        )

    @cached_property
    def _columns_by_symbol(self) -> dict[str, tuple[int, ...]]:
        return dict(self.symbol_columns)


def build_features(
    market: Market, features: Sequence[Feature], symbols: Sequence[str]
) -> FeatureMatrix:
    """Computes each feature of each symbol.

    Args:
        market: Checked bars.
        features: At least one, without repetition.
        symbols: Symbols of the market, in the order of the groups.

    Returns:
        Columns in the order of `symbols`, within a symbol in the order of `features`.

    Raises:
        UsageError: There is no feature, a feature is listed twice, one needs a symbol or a
            column that the market does not have, or one compares symbols and there is one.
        InvalidBarsError: A value past its warm-up is not finite.
    """
    check_distinct(features)
    check_cross_section(features, symbols)
    if market.lacks_values:
        check_columns(features, market.bars_by_symbol, symbols)
    stamps = market.present.index
    width = len(features)
    values = np.empty((len(stamps), len(symbols) * width))
    for place, feature in enumerate(features):
        own = own_feature(feature)
        together = compute_together(own, market, symbols)
        if together is not None:
            values[:, place::width] = together
            continue
        for number, symbol in enumerate(symbols):
            column = _compute_checked(own, market.bars_by_symbol, symbol)
            if market.has_absences:
                column = column.reindex(stamps)
            values[:, number * width + place] = column.to_numpy()
    return _make_matrix(pd.DatetimeIndex(stamps), values, features, symbols)


def assemble_matrix(
    columns: Sequence[pd.Series[float]], features: Sequence[Feature], symbols: Sequence[str]
) -> FeatureMatrix:
    """The matrix of the columns of each symbol and feature, in the order of `build_features`.

    Args:
        columns: Values of `own_feature` of each feature.
        features: In the order of each symbol's columns.
        symbols: In the order of the groups.
    """
    values: Matrix = np.column_stack([column.to_numpy() for column in columns])
    return _make_matrix(pd.DatetimeIndex(columns[0].index), values, features, symbols)


def _make_matrix(
    stamps: pd.DatetimeIndex,
    values: Matrix,
    features: Sequence[Feature],
    symbols: Sequence[str],
) -> FeatureMatrix:
    width = len(features)
    return FeatureMatrix(
        timestamps=stamps,
        values=compare_symbols(values, features),
        names=tuple(f"{symbol}:{feature.name}" for symbol in symbols for feature in features),
        symbol_columns=tuple(
            (symbol, tuple(range(position * width, (position + 1) * width)))
            for position, symbol in enumerate(symbols)
        ),
        warmup=max(feature.warmup for feature in features),
    )


def check_distinct(features: Sequence[Feature]) -> None:
    """Refuses an empty list and repetitions.

    Raises:
        UsageError: There is no feature, or a feature is listed twice.
    """
    names = Counter(feature.name for feature in features)
    twice = [name for name, count in names.items() if count > 1]
    if twice or not features:
        raise UsageError(
            "A feature is listed twice" if twice else "No feature is listed",
            expected="at least one feature, each once",
            found=", ".join(twice) or "an empty list",
            where="features",
            fix="remove the repetition" if twice else "add one, such as {kind: log_return}",
        )


def _compute_checked(
    feature: Feature, market: Mapping[str, pd.DataFrame], symbol: str
) -> pd.Series[float]:
    column = feature.compute_for_symbol(market, symbol)
    check_values(feature, market[symbol], column, symbol)
    return column


def check_values(
    feature: Feature, bars: pd.DataFrame, column: pd.Series[float], symbol: str, seen: int = 0
) -> None:
    """Refuses a value past the warm-up that is not finite.

    Args:
        feature: Whose column it is.
        bars: Of the symbol.
        column: The values at these bars.
        symbol: For the error.
        seen: Bars of the history before these.

    Raises:
        ContractError: The column of a user's feature breaks a rule.
        InvalidBarsError: A value past the warm-up is not finite.
    """
    if not is_built_in(type(feature)):
        check_column(feature, bars, column, symbol, seen=seen)
    first = max(feature.warmup - seen, 0)
    is_finite = np.isfinite(column.to_numpy()[first:])
    if not is_finite.all():
        bad = column.index[first:][~is_finite]
        raise InvalidBarsError(
            f"{feature.name} of {symbol} has no finite value",
            expected="prices above 0 and volumes of 0 or more, without gaps",
            found=f"{len(bad)} bars, the first {bad[0]}",
            where=symbol,
            fix="check the bars there with `backtest data check`",
        )
