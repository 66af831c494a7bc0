"""The states of a run's markets, known at each close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.evaluation.metrics.market_regimes import (
    MAX_HISTORY,
    TREND_WINDOW,
    VOLATILITY_WINDOW,
    label_regimes,
)
from engine.reporting import formatting

if TYPE_CHECKING:
    from engine.runs.run import Run

REGIME_DESCRIPTION = (
    "Calm, usual and turbulent are the thirds of the volatility of the last "
    f"{formatting.BARS(VOLATILITY_WINDOW)} among its latest {formatting.COUNT(MAX_HISTORY)} "
    "values, or as many as there were bars before the span; rising and falling the sign of the "
    f"mean return of the last {formatting.BARS(TREND_WINDOW)}. All of it was known at the close."
)


def market_regimes(run: Run, kind: str, *, previous_close: bool = False) -> pd.DataFrame:
    """The state of each traded symbol at each out-of-sample close, or at the close before it.

    Args:
        run: The run.
        kind: `volatility` or `trend`.
        previous_close: Whether each row has the state at the close before: the one that was known
            when the return of the row's bar began.

    Returns:
        Wide: rows of the returns, a column a symbol; missing where there were too few bars.
    """
    index = pd.DatetimeIndex(run.returns.index)
    found = {}
    for symbol in run.manifest["target"]:
        bars = run.bars[run.bars["symbol"] == symbol].set_index("timestamp")
        found[symbol] = (
            label_regimes(bars, index[0])[kind].shift(int(previous_close)).reindex(index)
        )
    return pd.DataFrame(found, index=index)
