"""The states of a run's markets at its out-of-sample closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.types import PRICE_COLUMNS
from engine.evaluation.metrics.market_regimes import REGIME_NAMES, compute_regimes, name_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.core.types import Matrix, Vector, WideFrame
    from engine.runs.run import Run


@dataclass(frozen=True, eq=False)
class MarketStates:
    """The states of each traded symbol, on its own bars.

    Attributes:
        index: The out-of-sample closes.
        by_symbol: Symbol -> kind -> labels as by `compute_regimes`, a row a bar of its own.
        rows: Symbol -> the row of its bar at each out-of-sample close; -1 where it has none.
    """

    index: pd.DatetimeIndex
    by_symbol: Mapping[str, Mapping[str, Vector]]
    rows: Mapping[str, npt.NDArray[np.intp]]

    @classmethod
    def of_run(cls, run: Run) -> MarketStates:
        """Those of a run's markets."""
        index = pd.DatetimeIndex(run.returns.index)
        places = run.bars.groupby("symbol", sort=False).indices
        bars = run.bars.set_index("timestamp")[list(PRICE_COLUMNS)]
        labelled, rows = {}, {}
        for symbol in run.manifest.target:
            own = bars.iloc[places[symbol]]
            labelled[symbol] = compute_regimes(own, index[0])
            rows[symbol] = own.index.get_indexer(index)
        return cls(index, labelled, rows)

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
        found = {}
        for kind, names in REGIME_NAMES.items():
            labels: Matrix = np.full((len(self.index), len(self.by_symbol)), np.nan)
            for column, (symbol, own) in zip(labels.T, self.by_symbol.items(), strict=True):
                rows = self.rows[symbol]
                known = rows >= shift
                column[known] = own[kind][rows[known] - shift]
            found[kind] = pd.DataFrame(
                name_labels(labels, names), self.index, list(self.by_symbol), dtype="object"
            )
        return found
