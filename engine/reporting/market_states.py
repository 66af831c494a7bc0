"""The states of a run's markets, known at each close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.evaluation.regimes import (
    LONGEST_HISTORY,
    TREND_WINDOW,
    VOLATILITY_WINDOW,
    regimes,
)
from engine.reporting import formatting

if TYPE_CHECKING:
    from engine.artifacts import Run

SAYS = (
    "Calm, usual and turbulent are the thirds of the volatility of the last "
    f"{formatting.BARS(VOLATILITY_WINDOW)} among its latest {formatting.COUNT(LONGEST_HISTORY)} "
    "values, or as many as there were bars before the span; rising and falling the sign of the "
    f"mean return of the last {formatting.BARS(TREND_WINDOW)}. All of it was known at the close."
)


def market_states(run: Run, kind: str, *, before: bool = False) -> pd.DataFrame:
    """The state of each traded symbol at each out-of-sample close, or at the close before it.

    Args:
        run: The run.
        kind: `volatility` or `trend`.
        before: Whether each row has the state at the close before: the one that was known when
            the return of the row's bar began.

    Returns:
        Wide: rows of the returns, a column a symbol; missing where there were too few bars.
    """
    index = pd.DatetimeIndex(run.returns.index)
    found = {}
    for symbol in run.manifest["target"]:
        bars = run.bars[run.bars["symbol"] == symbol].set_index("timestamp")
        found[symbol] = regimes(bars, index[0])[kind].shift(int(before)).reindex(index)
    return pd.DataFrame(found, index=index)
