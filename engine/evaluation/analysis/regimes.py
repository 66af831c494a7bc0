"""The states of a run's markets at its out-of-sample closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.evaluation.metrics.market_regimes import label_regimes

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.runs.run import Run


def market_regimes(run: Run, kind: str, *, previous_close: bool = False) -> WideFrame:
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
    for symbol in run.manifest.target:
        bars = run.bars[run.bars["symbol"] == symbol].set_index("timestamp")
        found[symbol] = (
            label_regimes(bars, index[0])[kind].shift(int(previous_close)).reindex(index)
        )
    return pd.DataFrame(found, index=index)
