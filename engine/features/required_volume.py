"""Refuses features of volume on bars whose source has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.data import has_volume

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from engine.features.base import FeatureSpec

_VOLUME = "volume"


def check_volume(
    features: Sequence[FeatureSpec], market: Mapping[str, pd.DataFrame], symbols: Sequence[str]
) -> None:
    """Refuses every feature that needs the volume of a symbol that has none.

    A files source declares `volume: none`; the volume of its symbols is NaN in every row. Other
    columns are not affected, and neither are the features that do not need it.

    Args:
        features: Features.
        market: Symbol -> bars; none of a symbol without bars is judged.
        symbols: The symbols that get the features.

    Raises:
        UsageError: The strategy lists features that these bars cannot have.
    """
    lacking = {symbol for symbol, bars in market.items() if len(bars) and not has_volume(bars)}
    needs: dict[str, list[str]] = {}
    for feature in features if lacking else ():
        for symbol in symbols:
            for source in set(_volumes_read(feature, symbol)) & lacking:
                needs.setdefault(feature.name, []).append(source)
    if not needs:
        return
    names = ", ".join(needs)
    missing = dict.fromkeys(symbol for sources in needs.values() for symbol in sorted(sources))
    raise UsageError(
        "a feature needs the volume, which the bars do not have",
        expected="features of prices or of time alone, or bars with a volume",
        found=f"{names}; no volume of {', '.join(missing)} at any bar",
        where="features",
        fix=f"remove {names}, or choose a dataset with volumes by --data; a feature of your own "
        "that reads no volume says so by `required_columns`",
    )


def _volumes_read(feature: FeatureSpec, symbol: str) -> Iterator[str]:
    """The symbols whose volume a feature of `symbol` depends on."""
    columns = (*feature.required_columns, *feature.input_columns)
    for column in dict.fromkeys(columns):
        other, _, name = column.rpartition(":")
        if name == _VOLUME:
            yield other or symbol
