"""The states of a run's markets at its out-of-sample closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.evaluation.metrics.market_regimes import REGIME_NAMES, label_regimes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import WideFrame
    from engine.runs.run import Run


def market_regimes(run: Run) -> dict[str, WideFrame]:
    """Kind of state -> the state of each traded symbol at each out-of-sample close.

    Returns:
        `volatility` and `trend`, wide: rows of the returns, a column a symbol; missing where
        there were too few bars.
    """
    return _regimes(run, shift=0)


def regimes_at_previous_close(run: Run) -> dict[str, WideFrame]:
    """The same at the close before: the state that was known when the row's return began."""
    return _regimes(run, shift=1)


def _regimes(run: Run, shift: int) -> dict[str, WideFrame]:
    index = pd.DatetimeIndex(run.returns.index)
    bars = dict(iter(run.bars.groupby("symbol", sort=False)))
    labelled: Mapping[str, pd.DataFrame] = {
        symbol: label_regimes(bars[symbol].set_index("timestamp"), index[0])
        for symbol in run.manifest.target
    }
    return {
        kind: pd.DataFrame(
            {
                symbol: labels[kind].shift(shift).reindex(index)
                for symbol, labels in labelled.items()
            },
            index=index,
        )
        for kind in REGIME_NAMES
    }
