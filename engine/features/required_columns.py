"""Refuses features of columns that the bars do not have: volumes, or open, high and low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.core.name_lists import join_names
from engine.data import VALUE_COLUMNS, has_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from engine.features.base import FeatureSpec

_MAX_NAMED_SYMBOLS = 10


def check_columns(
    features: Sequence[FeatureSpec], market: Mapping[str, pd.DataFrame], symbols: Sequence[str]
) -> None:
    """Refuses every feature that needs a column of a symbol that has none.

    A files source declares `volume: none`, or `prices: close`; these columns of its symbols are
    NaN in every row. Features that need other columns are not affected.

    Args:
        features: Features.
        market: Symbol -> bars; none of a symbol without bars is judged.
        symbols: The symbols that get the features.

    Raises:
        UsageError: The strategy lists features that these bars cannot have.
    """
    absent = {symbol: _absent_columns(bars) for symbol, bars in market.items() if len(bars)}
    if not any(absent.values()):
        return
    needs: dict[str, set[str]] = {}
    lacking: dict[str, None] = {}
    for feature in features:
        for symbol in symbols:
            for source, column in _columns_read(feature, symbol):
                if column in absent.get(source, ()):
                    needs.setdefault(feature.name, set()).add(column)
                    lacking[source] = None
    if not needs:
        return
    columns = {name: [each for each in VALUE_COLUMNS if each in own] for name, own in needs.items()}
    names = ", ".join(needs)
    raise UsageError(
        "a feature needs columns that the bars do not have",
        expected="features of columns that the bars have, or of time alone",
        found="; ".join(f"{name} needs {', '.join(own)}" for name, own in columns.items())
        + f"; no bar of {join_names([*lacking], _MAX_NAMED_SYMBOLS)} has them",
        where="features",
        fix=f"remove {names}, or choose a dataset with these columns by --data; a feature of your "
        "own says by `required_columns` which columns it reads",
    )


def _absent_columns(bars: pd.DataFrame) -> frozenset[str]:
    """Columns of which no bar has a value."""
    return frozenset(column for column in VALUE_COLUMNS if not has_values(bars, column))


def _columns_read(feature: FeatureSpec, symbol: str) -> Iterator[tuple[str, str]]:
    """The symbols and columns that a feature of `symbol` depends on, each once."""
    for column in dict.fromkeys((*feature.required_columns, *feature.input_columns)):
        other, _, name = column.rpartition(":")
        yield other or symbol, name
