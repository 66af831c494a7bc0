"""What a fill pays on its price: half the spread, and the impact of its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

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

    kind: Literal["constant"] = "constant"
    half_bps: float = Field(default=5.0, ge=0, lt=10_000)

    @property
    def typical_bps(self) -> float | None:
        """What a fill pays."""
        return self.half_bps

    def half_spread(self, market: Market, symbol: str) -> float:  # noqa: ARG002 - whatever the bars
        """A fraction of the price."""
        return self.half_bps / BPS


class CorwinSchultzSpread(Spec):
    """Half the spread of Corwin and Schultz (2012), of the highs and lows before a fill.

    Attributes:
        kind: `corwin_schultz`.
        window: Pairs of bars whose estimates are averaged; 21 are a month of days.
        least_half_bps: What half the spread is at least, basis points of the price: an estimate
            may be 0, and the first two bars of a history have none.
    """

    kind: Literal["corwin_schultz"] = "corwin_schultz"
    window: int = Field(default=21, ge=1, le=1_000)
    least_half_bps: float = Field(default=0.0, ge=0, lt=10_000)

    @property
    def typical_bps(self) -> float | None:
        """Unknown without bars."""
        return None

    def half_spread(self, market: Market, symbol: str) -> Vector:
        """A fraction of the price at each bar, of the bars before it."""
        high, low, close = select_columns(market, symbol, "high", "low", "close")
        spread = estimate_corwin_schultz_spread(high, low, close, self.window)[:, 0]
        return np.fmax(spread / 2.0, self.least_half_bps / BPS)


class AbdiRanaldoSpread(Spec):
    """Half the spread of Abdi and Ranaldo (2017), of the closes and mid-ranges before a fill.

    Attributes:
        kind: `abdi_ranaldo`.
        window: Pairs of bars whose estimates are averaged; 21 are a month of days.
        least_half_bps: What half the spread is at least, basis points of the price: an estimate
            may be 0, and the first two bars of a history have none.
    """

    kind: Literal["abdi_ranaldo"] = "abdi_ranaldo"
    window: int = Field(default=21, ge=1, le=1_000)
    least_half_bps: float = Field(default=0.0, ge=0, lt=10_000)

    @property
    def typical_bps(self) -> float | None:
        """Unknown without bars."""
        return None

    def half_spread(self, market: Market, symbol: str) -> Vector:
        """A fraction of the price at each bar, of the bars before it."""
        high, low, close = select_columns(market, symbol, "high", "low", "close")
        spread = estimate_abdi_ranaldo_spread(high, low, close, self.window)[:, 0]
        return np.fmax(spread / 2.0, self.least_half_bps / BPS)


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

        0 at the first two bars of a history, which have no volatility. Where nothing traded in the
        whole window, an order moves the price as far as is charged, by `MAX_FILL_RATE`. NaN of a
        symbol without volumes.
        """
        close, volume = select_columns(market, symbol, "close", "volume")
        sigma = estimate_volatility(close, self.window)[:, 0]
        traded = estimate_volume(volume, self.window)[:, 0]
        moved = np.full(len(sigma), _MOVES_EVERYTHING)
        np.divide(self.coefficient * sigma, np.sqrt(traded), out=moved, where=traded > 0)
        moved = np.where(np.isfinite(sigma), moved, 0.0)
        return np.where(np.isnan(volume[:, 0]), np.nan, moved)


_MOVES_EVERYTHING = 1e30
"""An impact that is cut to `MAX_FILL_RATE` for an order of any size that is filled."""


def select_columns(market: Market, symbol: str, *names: str) -> list[Matrix]:
    """Columns of the bars of a symbol, each (n, 1)."""
    return [market.wide(name, [symbol]).to_numpy() for name in names]
