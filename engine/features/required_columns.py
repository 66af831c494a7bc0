"""Refuses features of columns that the bars do not have: volumes, or open, high and low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.core.name_lists import join_names
from engine.data import RANGE_COLUMNS, VALUE_COLUMNS, has_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from engine.features.base import FeatureSpec

_MAX_NAMED_SYMBOLS = 10
_MAY_BE_ABSENT = frozenset((*RANGE_COLUMNS, "volume"))


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
    needs: dict[str, set[str]] = {}
    lacking: dict[str, None] = {}
    absent: dict[tuple[str, str], bool] = {}
    for feature in features:
        for symbol in symbols:
            for read in _columns_read(feature, symbol):
                if read not in absent:
                    absent[read] = _is_absent(market, *read)
                if absent[read]:
                    needs.setdefault(feature.name, set()).add(read[1])
                    lacking[read[0]] = None
    if not needs:
        return
    columns = {
        name: [each for each in VALUE_COLUMNS if each in own] for name, own in needs.items()
    }
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


def _is_absent(market: Mapping[str, pd.DataFrame], symbol: str, column: str) -> bool:
    """Whether no bar of a symbol has a value; every bar has a time and a close."""
    if column not in _MAY_BE_ABSENT or symbol not in market:
        return False
    return len(market[symbol]) > 0 and not has_values(market[symbol], column)


def _columns_read(feature: FeatureSpec, symbol: str) -> Iterator[tuple[str, str]]:
    """The symbols and columns that a feature of `symbol` depends on, each once."""
    for column in dict.fromkeys((*feature.required_columns, *feature.input_columns)):
        other, _, name = column.rpartition(":")
        yield other or symbol, name
