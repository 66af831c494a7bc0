"""The arithmetic of a book, bar by bar, in plain floats.

`step` runs these functions as they are, on lists; `compiled` compiles the very same code for all
bars of a run, so that the two keep equal books bit for bit. Marked money is for an initial equity
of 1; orders are executed at the scale of `INITIAL_CASH`.
"""

from engine.simulation.accounting.bar_fold import fold_arrays, fold_bars
from engine.simulation.accounting.financing import (
    credit_of,
    finance_bar,
    fund_positions,
    net_of_financing,
)
from engine.simulation.accounting.order_execution import (
    MAX_FILL_RATE,
    cash_flow_of,
    execute_orders,
    execute_target_weight,
)
from engine.simulation.accounting.positions import (
    INITIAL_CASH,
    RUIN_FLOOR,
    add_units,
    hold_after_fills,
    is_called,
    value_units,
)

__all__ = [
    "INITIAL_CASH",
    "MAX_FILL_RATE",
    "RUIN_FLOOR",
    "add_units",
    "cash_flow_of",
    "credit_of",
    "execute_orders",
    "execute_target_weight",
    "finance_bar",
    "fold_arrays",
    "fold_bars",
    "fund_positions",
    "hold_after_fills",
    "is_called",
    "net_of_financing",
    "value_units",
]
