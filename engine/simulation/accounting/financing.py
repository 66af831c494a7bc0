"""What a book pays and earns between fills: borrow, interest, loans and funding."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.simulation.accounting.tables import Financing

if TYPE_CHECKING:
    from engine.simulation.accounting.tables import Numbers, YearlyRates


def finance_bar(
    units: Numbers,
    closes: Numbers,
    equity: float,
    terms: YearlyRates,
    years: float,
) -> Financing:
    """What was held at the last close pays and earns until now; of later bars it knows nothing.

    Args:
        units: Held at the last close, signed.
        closes: The last closes.
        equity: At the last close.
        terms: Rates of the last bar.
        years: Since the last close.
    """
    longs, shorts, borrow = 0.0, 0.0, 0.0
    for i in range(len(units)):
        value = units[i] * closes[i]
        if value > 0:
            longs += value
        else:
            shorts -= value
            borrow -= value * terms.borrow[i]
    owed = 0.0 if math.isnan(terms.loan) else max(0.0, longs - shorts - equity) * terms.loan
    return Financing(borrow * years, max(0.0, equity - longs) * terms.cash * years, owed * years)


def fund_positions(units: Numbers, marks: Numbers, rates: Numbers) -> float:
    """Funding that perpetuals held pay: units x mark x rate; negative where they receive it.

    Args:
        units: Held at the payments, signed.
        marks: The last closes before them.
        rates: Sum of the rates of the payments, by symbol.
    """
    paid = 0.0
    for i in range(len(units)):
        if units[i] != 0 and rates[i] != 0:
            paid += units[i] * marks[i] * rates[i]
    return paid


def credit_of(loan_per_year: float) -> float:
    """What a buy can spend beside the cash: nothing where no loan has a rate."""
    return 0.0 if math.isnan(loan_per_year) else math.inf


def net_of_financing(financing: Financing, funding: float) -> float:
    """What the cash receives when a bar begins; negative where it pays."""
    return financing.interest - financing.borrow - financing.loan_interest - funding
