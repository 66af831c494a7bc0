"""What a fill pays on its price: half the spread, and the impact of its order."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.core.types import Spec
from engine.simulation.bar_estimates import (
    estimate_abdi_ranaldo_spread,
    estimate_corwin_schultz_spread,
    estimate_volatility,
    estimate_volume,
)
from engine.simulation.costs import BPS

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector
    from engine.data.market import Market


class ConstantSpread(Spec):
    """Half a spread that never changes.

    Attributes:
        kind: `constant`.
        half_bps: Half the spread, basis points of the price; every fill pays it.
    """

    required_columns: ClassVar[tuple[str, ...]] = ()

    kind: Literal["constant"] = "constant"
    half_bps: float = Field(default=5.0, ge=0, lt=10_000)

    @property
    def typical_bps(self) -> float | None:
        """What a fill pays."""
        return self.half_bps

    def half_spread(self, market: Market, symbol: str) -> float:  # noqa: ARG002 - whatever the bars
        """A fraction of the price."""
        return self.half_bps / BPS


class EstimatedSpread(Spec):
    """Half a spread that is estimated from the bars before a fill.

    Attributes:
        kind: Of the estimate.
        window: Pairs of bars whose estimates are averaged; 21 are a month of days.
        least_half_bps: What half the spread is at least, basis points of the price: an estimate
            may be 0, and the first two bars of a history have none.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("high", "low", "close")

    kind: str
    window: int = Field(default=21, ge=1, le=1_000)
    least_half_bps: float = Field(default=0.0, ge=0, lt=10_000)

    @property
    def typical_bps(self) -> float | None:
        """Unknown without bars."""
        return None

    def half_spread(self, market: Market, symbol: str) -> Vector:
        """A fraction of the price at each bar, of the bars before it."""
        high, low, close = select_columns(market, symbol, *self.required_columns)
        return np.fmax(self._estimate(high, low, close)[:, 0] / 2.0, self.least_half_bps / BPS)

    @abstractmethod
    def _estimate(self, high: Matrix, low: Matrix, close: Matrix) -> Matrix:
        """The spread, (n, 1) of columns (n, 1)."""


class CorwinSchultzSpread(EstimatedSpread):
    """Half the spread of Corwin and Schultz (2012), of the highs and lows before a fill.

    Attributes:
        kind: `corwin_schultz`.
        window: Pairs of bars whose estimates are averaged; 21 are a month of days.
        least_half_bps: What half the spread is at least, basis points of the price: an estimate
            may be 0, and the first two bars of a history have none.
    """

    kind: Literal["corwin_schultz"] = "corwin_schultz"

    def _estimate(self, high: Matrix, low: Matrix, close: Matrix) -> Matrix:
        return estimate_corwin_schultz_spread(high, low, close, self.window)


class AbdiRanaldoSpread(EstimatedSpread):
    """Half the spread of Abdi and Ranaldo (2017), of the closes and mid-ranges before a fill.

    Attributes:
        kind: `abdi_ranaldo`.
        window: Pairs of bars whose estimates are averaged; 21 are a month of days.
        least_half_bps: What half the spread is at least, basis points of the price: an estimate
            may be 0, and the first two bars of a history have none.
    """

    kind: Literal["abdi_ranaldo"] = "abdi_ranaldo"

    def _estimate(self, high: Matrix, low: Matrix, close: Matrix) -> Matrix:
        return estimate_abdi_ranaldo_spread(high, low, close, self.window)


Spread = Annotated[
    ConstantSpread | CorwinSchultzSpread | AbdiRanaldoSpread, Field(discriminator="kind")
]


class SquareRootImpact(Spec):
    """Market impact: an order of q units moves its price by c sigma sqrt(q / V), against itself.

    sigma is the volatility of a bar and V its mean volume, both of the bars before the fill. With
    both of one bar the law is the same at every interval: sigma grows with the root of the time,
    and V with the time.

    Attributes:
        kind: `square_root`.
        coefficient: c; studies of orders on stocks find about 1. 0 is no impact.
        window: Bars of sigma and V.

    Source: Almgren, Thum, Hauptmann & Li (2005), Direct estimation of equity market impact; Toth
        et al. (2011), Anomalous price impact and the critical nature of liquidity, Phys. Rev. X 1.
    """

    kind: Literal["square_root"] = "square_root"
    coefficient: float = Field(default=1.0, ge=0, le=1_000)
    window: int = Field(default=21, ge=1, le=1_000)

    def of_one_unit(self, market: Market, symbol: str) -> Vector:
        """What an order of one unit moves the price, a fraction; one of q units sqrt(q) of that.

        0 at the first two bars of a history, which have no volatility. Bars of an unknown volume,
        see `known_volume`, are left out of V; where no unit is known to have traded in the whole
        window, V is the last one above 0. NaN before the first volume, and at the bars for which
        the source has none.
        """
        close, volume = select_columns(market, symbol, "close", "volume")
        sigma = estimate_volatility(close, self.window)[:, 0]
        traded = estimate_volume(known_volume(market, symbol)[:, None], self.window)[:, 0]
        traded = _last_above_zero(traded)
        moved = np.full(len(sigma), np.nan)
        np.divide(self.coefficient * sigma, np.sqrt(traded), out=moved, where=traded > 0)
        moved = np.where(np.isfinite(sigma), moved, 0.0)
        return np.where(np.isnan(volume[:, 0]), np.nan, moved)


def known_volume(market: Market, symbol: str) -> Vector:
    """Units traded at each bar, of itself and of bars before it.

    Returns:
        Shape (n,); NaN where the source has none, and where it writes 0 for a volume that it does
        not know: where a bar of volume 0 counts as traded, see `find_traded_bars`.
    """
    (volume,) = select_columns(market, symbol, "volume")
    silent = (volume[:, 0] == 0.0) & market.traded[symbol].to_numpy()
    return np.where(silent, np.nan, volume[:, 0])


def _last_above_zero(values: Vector) -> Vector:
    """At each row the last value above 0 up to it; NaN before the first."""
    rows = np.maximum.accumulate(np.where(values > 0, np.arange(len(values)), -1))
    return np.where(rows >= 0, values[rows], np.nan)


def select_columns(market: Market, symbol: str, *names: str) -> list[Matrix]:
    """Columns of the bars of a symbol, each (n, 1); NaN before its first bar."""
    begun = market.begun[[symbol]].to_numpy()
    return [np.where(begun, market.wide(name, [symbol]).to_numpy(), np.nan) for name in names]
