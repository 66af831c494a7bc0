"""The states of a run's markets at its out-of-sample closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.types import PRICE_COLUMNS
from engine.evaluation.metrics.market_regimes import REGIME_NAMES, label_regimes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import WideFrame
    from engine.runs.run import Run


@dataclass(frozen=True, eq=False)
class MarketStates:
    """The states of each traded symbol, on its own bars.

    Attributes:
        index: The out-of-sample closes.
        by_symbol: Symbol -> its states by the timestamps of its bars, as by `label_regimes`.
    """

    index: pd.DatetimeIndex
    by_symbol: Mapping[str, pd.DataFrame]

    @classmethod
    def of_run(cls, run: Run) -> MarketStates:
        """Those of a run's markets."""
        index = pd.DatetimeIndex(run.returns.index)
        rows = run.bars.groupby("symbol", sort=False).indices
        bars = run.bars.set_index("timestamp")[list(PRICE_COLUMNS)]
        labelled = {
            symbol: label_regimes(bars.iloc[rows[symbol]], index[0])
            for symbol in run.manifest.target
        }
        return cls(index, labelled)

    def at_close(self) -> dict[str, WideFrame]:
        """Kind of state -> the state of each traded symbol at each out-of-sample close.

        Returns:
            `volatility` and `trend`, wide: rows of the returns, a column a symbol; missing where
            there were too few bars.
        """
        return self._wide(shift=0)

    def at_previous_close(self) -> dict[str, WideFrame]:
        """The same at the close before: what was known when the row's return began."""
        return self._wide(shift=1)

    def _wide(self, shift: int) -> dict[str, WideFrame]:
        return {
            kind: pd.DataFrame(
                {
                    symbol: labels[kind].shift(shift).reindex(self.index)
                    for symbol, labels in self.by_symbol.items()
                },
                index=self.index,
            )
            for kind in REGIME_NAMES
        }
