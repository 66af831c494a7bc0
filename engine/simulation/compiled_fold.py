"""`accounting.fold_bars`, compiled by Numba.

The compiled code is kept on disk, beside `accounting` or in the user's cache folder; the first
process on a machine compiles it, which takes some seconds. Where no book needs it, nothing imports
this module: importing Numba takes longer than reading the bars.
"""

from __future__ import annotations

from numba import njit
from numba.extending import register_jitable

from engine.simulation import accounting

# All that the fold calls. Nothing here may reorder or contract sums: `step` runs the same code in
# Python, and the two are equal bit for bit.
for function in (
    accounting.execute_target_weight,
    accounting._buy,
    accounting._sell,
    accounting._slip,
    accounting._fee_of,
    accounting._is_proportional,
    accounting._affordable,
    accounting._settle,
    accounting._is_close,
    accounting._add,
    accounting.add_units,
    accounting.value_units,
    accounting.finance_bar,
    accounting.fund_positions,
    accounting.credit_of,
    accounting.net_of_financing,
    accounting.is_called,
    accounting.execute_orders,
    accounting._insert_by_value,
    accounting.cash_flow_of,
    accounting._row,
    accounting._costs_at,
    accounting._find_targets,
    accounting._settle_orders,
    accounting._order_after_call,
    accounting._newest_order,
    accounting._reserve,
    accounting._record,
    accounting._finance_row,
    accounting._fund_after_fills,
    accounting.fold_bars,
    accounting.hold_after_fills,
):
    register_jitable(function)

fold_arrays = njit(cache=True, nogil=True)(accounting.fold_arrays)
hold_after_fills = njit(cache=True, nogil=True)(accounting.hold_after_fills)
