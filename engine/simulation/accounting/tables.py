"""What the functions of `accounting` take and return: tuples that Numba knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.core.types import BoolMatrix, BoolVector, IntVector, Matrix, Vector

    Numbers: TypeAlias = Vector | list[float]
    Places: TypeAlias = IntVector | list[int]
    TierTable: TypeAlias = npt.NDArray[np.float64]
    TierRows: TypeAlias = Matrix | tuple[tuple[float, float, float], ...]
    Tiers: TypeAlias = TierTable | list[tuple[tuple[float, float, float], ...]]
    OrderArrays: TypeAlias = tuple[Matrix, BoolMatrix, int]
    BarArrays: TypeAlias = tuple[Matrix, Matrix, Vector]
    RateArrays: TypeAlias = tuple[
        *tuple[Matrix, Matrix, Matrix, Matrix, Matrix, Matrix, Matrix],
        *tuple[TierTable, Matrix, Vector, float, Matrix, Matrix],
    ]
    RecordArrays: TypeAlias = tuple[
        *tuple[Vector, Vector, Matrix, Vector, Vector, Vector, Vector],
        *tuple[BoolVector, Matrix, Matrix, IntVector],
    ]


class ExecutedOrder(NamedTuple):
    """What an order traded, and what is available after it.

    Attributes:
        size: Units, positive bought, negative sold; 0 where nothing was traded.
        price: Price with slippage.
        fee: Fee.
        cash: Cash after the fill.
        units: Units after the fill.
        unfilled: Units that the limit of the bar left over, positive.
    """

    size: float
    price: float
    fee: float
    cash: float
    units: float
    unfilled: float


class Funds(NamedTuple):
    """What an order meets: cash, units of its symbol, and the equity its weight is a share of.

    `credit` is what a buy can spend beside the cash: 0, or infinite where money is lent.
    """

    cash: float
    units: float
    equity: float
    credit: float


class OrderCosts(NamedTuple):
    """What an order of one bar pays, an entry a symbol; money and units for an equity of 1.

    An order of q units at a price p, before slippage, is filled at

        P = p (1 ± min(slippage + impact sqrt(q), 0.9999))

    and pays, of the value v = q P, min(max(fee v + per_unit q + tiers, minimum), maximum v).

    Attributes:
        fee: Fraction of the value.
        slippage: Fraction of the price.
        per_unit: Money a unit.
        minimum: Money an order.
        maximum: Fraction of the value; infinite is none.
        impact: Fraction of the price an order of one unit moves it.
        limit: Units that the bar can fill; infinite is none.
        tiers: Of each symbol rows of threshold, slope, and whether they are of units (1) or of
            value (0): slope x max(0, amount - threshold) is added to the fee.
    """

    fee: Numbers
    slippage: Numbers
    per_unit: Numbers
    minimum: Numbers
    maximum: Numbers
    impact: Numbers
    limit: Numbers
    tiers: Tiers


class OrderCharge(NamedTuple):
    """`OrderCosts` of one symbol, without its tiers."""

    fee: float
    slippage: float
    per_unit: float
    minimum: float
    maximum: float
    impact: float
    limit: float


class BarFills(NamedTuple):
    """The fills of one bar, an entry a symbol; `sequence` begins with the symbols due, in order.

    Attributes:
        sequence: Symbols in the order of execution.
        size: Units for an initial equity of 1, signed; 0 where nothing was traded.
        price: Price with slippage.
        fee: Fee for an initial equity of 1.
        unfilled: Units that the limit of the bar left over, for an initial equity of 1.
    """

    sequence: Places
    size: Numbers
    price: Numbers
    fee: Numbers
    unfilled: Numbers


class Financing(NamedTuple):
    """What time costs and earns between two closes, in money for an initial equity of 1.

    Attributes:
        borrow: Paid for the shorts.
        interest: Earned by the cash.
        loan_interest: Paid for borrowed cash.
    """

    borrow: float
    interest: float
    loan_interest: float


class YearlyRates(NamedTuple):
    """Fractions a year: `borrow` by symbol, yield on `cash`, and of a `loan`, NaN for none."""

    borrow: Numbers
    cash: float
    loan: float


class OrderTables(NamedTuple):
    """The orders of a book: `due` (n, k), NaN where none is, and whether each bar `traded`.

    `delay` is the number of bars from a decision to the row at which it is due.
    """

    due: Matrix
    traded: BoolMatrix
    delay: int


class BarTables(NamedTuple):
    """The bars: `prices` of fills and `closes` (n, k), `years` (n,) since the bar before."""

    prices: Matrix
    closes: Matrix
    years: Vector


class RateTables(NamedTuple):
    """Rates, one row or a row a bar, as in `OrderCosts`, `borrow` (., k) and `cash` (.,).

    `tiers` (k, m, 3) are those of all bars; `loan` is NaN where nobody lends. `funding_before`
    and `funding_after` (., k) are the funding rates of a bar due before and after its fills.
    """

    fee: Matrix
    slippage: Matrix
    per_unit: Matrix
    minimum: Matrix
    maximum: Matrix
    impact: Matrix
    limit: Matrix
    tiers: TierTable
    borrow: Matrix
    cash: Vector
    loan: float
    funding_before: Matrix
    funding_after: Matrix


class BarRecords(NamedTuple):
    """What a fold writes, a row a bar; rows after a ruin stay 0.

    Attributes:
        equity: At each close, shape (n,).
        equity_at_fill: At the prices of the fills, before the first, shape (n,).
        units: After each bar's fills, shape (n, k).
        borrow: Borrow cost that the bar paid, shape (n,).
        interest: Interest that the bar earned, shape (n,).
        funding: Funding that the bar paid, shape (n,); negative where it received some.
        loan_interest: Interest on borrowed cash that the bar paid, shape (n,).
        called: Whether the close fell below the maintenance margin, shape (n,).
        due: The orders that were due, without those that a margin call cancelled and with those
            that it placed, shape (n, k).
        unfilled: Units that the limits of each bar left over, shape (n, k).
        waited: Bars that the order that waits after the last bar has waited, shape (k,); 0 where
            none does.
    """

    equity: Vector
    equity_at_fill: Vector
    units: Matrix
    borrow: Vector
    interest: Vector
    funding: Vector
    loan_interest: Vector
    called: BoolVector
    due: Matrix
    unfilled: Matrix
    waited: IntVector


class OrderState(NamedTuple):
    """Orders of a fold, an entry a symbol: what waits, what was filled last, what closes by force.

    `waiting` is NaN where no order waits, `filled` where the last was filled in part; `waited` is
    the number of bars that the one that waits has waited.
    """

    waiting: Vector
    filled: Vector
    forced: BoolVector
    waited: IntVector
