"""What the rates of a cost model have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import ContractError
from engine.simulation.cost_rates import FUNDING, OF_VOLUMES, RATE_NAMES, CostRates
from engine.simulation.rate_values import values_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.market import Market

_HIGHEST_RATES = {"fee": 1.0, "slippage": 1.0}


def _is_not_a_rate(name: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """A maximum and a limit may be infinite; of volumes, which may be unknown, are two tables."""
    if name in OF_VOLUMES:
        return np.zeros(values.shape, dtype=np.bool_)
    return np.isnan(values) if name == "maximum" else ~np.isfinite(values)


def check_rates(kind: str, rates: object, market: Market) -> None:
    """Refuses rates that a fill cannot pay.

    Args:
        kind: Of the cost model.
        rates: What its `compute_rates` returned.
        market: All bars.

    Raises:
        ContractError: They break the contract of `compute_rates`.
    """
    if not isinstance(rates, CostRates):
        raise ContractError(kind, "compute_rates returns CostRates", repr(type(rates)))
    closes = market.wide("close")
    for name in RATE_NAMES:
        rate = getattr(rates, name)
        if isinstance(rate, pd.DataFrame) and not (
            rate.index.equals(closes.index) and set(closes.columns) <= set(rate.columns)
        ):
            raise ContractError(
                kind,
                f"{name} has the timestamps and the symbols of the market",
                f"shape {rate.shape}, the market's is {closes.shape}",
            )
        values = values_of(rate)
        limit = _HIGHEST_RATES.get(name, np.inf)
        below = (values < 0) & (name not in FUNDING)
        wrong = _is_not_a_rate(name, values) | below | ((values >= limit) & (limit < np.inf))
        if isinstance(rate, pd.DataFrame) and np.isnan(values).any():
            # Before its first bar nothing is known of a symbol, and nothing of it is traded.
            begun = market.begun.reindex(columns=rate.columns, fill_value=True).to_numpy()
            wrong &= begun | ~np.isnan(values)
        if wrong.any():
            bound = "" if limit == np.inf else " and below 1"
            raise ContractError(
                kind,
                f"{name} is at least 0{bound} at every bar",
                f"{int(wrong.sum())} values that are not, the first {values[wrong][0]}",
            )
