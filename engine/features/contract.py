"""What the column of a feature that is not the engine's own has to be."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from engine.core.errors import ContractError


class CheckedFeature(Protocol):
    """What is read of a feature."""

    @property
    def kind(self) -> str:
        """For the error."""

    @property
    def warmup(self) -> int:
        """Leading bars without a valid value."""


def check_column(
    feature: CheckedFeature,
    bars: pd.DataFrame,
    column: object,
    where: str = "",
    *,
    seen: int = 0,
) -> None:
    """Refuses a column that is not one number a bar, finite from the row `warmup` on.

    Args:
        feature: Whose column it is.
        bars: Of the symbol.
        column: What `compute_for_symbol` or `update_for_symbol` returned.
        where: The symbol, for the error.
        seen: Bars of the history before these.

    Raises:
        ContractError: The first rule that is broken.
    """
    if not isinstance(column, pd.Series) or not column.index.equals(bars.index):
        found = type(column).__name__
        if isinstance(column, pd.Series):
            found = f"{len(column)} rows with another index"
        rule = "the values of a symbol are a Series with the index of the bars"
        raise ContractError(feature.kind, rule, found, where)
    if column.dtype != np.float64:
        raise ContractError(feature.kind, "the values are float64", str(column.dtype), where)
    valid = column.iloc[max(feature.warmup - seen, 0) :]
    bad = valid.index[~np.isfinite(valid.to_numpy())]
    if len(bad):
        rule = f"the values are finite from the row `warmup`, {feature.warmup}, on"
        raise ContractError(
            feature.kind, rule, f"{len(bad)} that are not, the first at {bad[0]}", where
        )
