"""Parts of a user that are honest in an unusual way: the leakage test detects nothing in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import ContractError, LookaheadError
from engine.features.base import Indicator
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.harness import certify_strategy, make_strategy
from engine.selftest.leaks.fits import make_user_model
from engine.signals.sizing import SizingSpec
from engine.simulation.costs import CostModel, CostRates

if TYPE_CHECKING:
    from engine.core.types import Vector, WideFrame
    from engine.data import Market
    from engine.signals.inputs import SignalInputs

WINDOWS = {"train": 120, "validation": 20, "test": 40}


def bars(count: int = 300, seed: int = 4) -> Market:
    return generate_market(np.random.default_rng(seed), count, BarPattern(symbols=("S1",)))


class RangeCosts(CostModel):
    """A share of the range of the bar of the fill, or of a bar after it."""

    kind: Literal["range_costs"] = "range_costs"
    bars_ahead: int = 0

    @property
    def one_way_cost_bps(self) -> float:
        return 10.0

    def compute_rates(self, market: Market) -> CostRates:
        spread = market.wide("high") / market.wide("low") - 1.0
        share = 0.1 * spread.shift(-self.bars_ahead).fillna(0.0)
        return CostRates(fee=share, slippage=share, borrow_per_year=share)


@pytest.mark.slow
@pytest.mark.parametrize("price", ["open", "close"])
def test_a_cost_depends_on_the_whole_bar_of_its_fill(price) -> None:
    spec = make_strategy(costs=RangeCosts(), windows=WINDOWS, execution={"price": price})
    certify_strategy(spec, bars())


@pytest.mark.parametrize("price", ["open", "close"])
def test_a_cost_that_depends_on_the_bar_after_its_fill(price) -> None:
    costs = RangeCosts(bars_ahead=1)
    spec = make_strategy(costs=costs, windows=WINDOWS, execution={"price": price})
    with pytest.raises(LookaheadError) as caught:
        certify_strategy(spec, bars())
    assert caught.value.where.startswith("fills: strategy")


class FourierMean(Indicator):
    """Log close over its exponential mean, by a Fourier transform over all bars."""

    kind: Literal["fourier_mean"] = "fourier_mean"
    ahead: float = 0.0

    @property
    def warmup(self) -> int:
        return 60

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        level = np.log(bars["close"].to_numpy(dtype=np.float64))
        mean = filtered(level - level[0], 0.9 ** np.arange(60))
        later = pd.Series(level).diff().shift(-1).fillna(0.0).to_numpy()
        return pd.Series(level - level[0] - mean + self.ahead * later, index=bars.index)


class FourierSizing(SizingSpec):
    """The size by a mean of the moves before, by a Fourier transform over all bars."""

    kind: Literal["fourier_sizing"] = "fourier_sizing"

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,
        periods_per_year: float,
    ) -> WideFrame:
        moves = close.pct_change().abs().fillna(0.0)
        mean = moves.apply(lambda each: filtered(each.to_numpy(), np.ones(20)))
        sizes: WideFrame = 0.005 / mean.loc[forecasts.predicted.index].clip(lower=1e-4)
        return sizes.where(forecasts.predicted.notna())


def filtered(values: Vector, weights: Vector) -> Vector:
    """A causal filter; the last digits of each value depend on all of them."""
    length = len(values) + len(weights) - 1
    product = np.fft.rfft(values, length) * np.fft.rfft(weights / weights.sum(), length)
    return np.asarray(np.fft.irfft(product, length)[: len(values)], dtype=np.float64)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sections",
    [
        {"features": [FourierMean()]},
        {"features": [FourierMean()], "resolutions": ["1w"], "windows": WINDOWS | {"train": 60}},
        {"sizing": FourierSizing()},
    ],
    ids=["feature", "coarser feature", "sizing"],
)
def test_a_fourier_transform_over_all_bars_rounds_by_later_bars(sections) -> None:
    count = 900 if "resolutions" in sections else 400
    certify_strategy(make_strategy(**{"windows": WINDOWS} | sections), bars(count))


def test_a_millionth_of_a_percent_of_the_next_return_is_no_rounding() -> None:
    spec = make_strategy(features=[FourierMean(ahead=1e-8)], windows=WINDOWS)
    with pytest.raises(LookaheadError):
        certify_strategy(spec, bars(400))


class Fisher(Indicator):
    """The inverse hyperbolic tangent of a return: none above 100 %, which valid bars may have."""

    kind: Literal["fisher"] = "fisher"

    @property
    def warmup(self) -> int:
        return 5

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        with np.errstate(invalid="ignore"):
            return np.arctanh(bars["close"].pct_change(5).fillna(0.0))


def test_a_part_that_breaks_a_rule_on_other_bars_alone_says_so() -> None:
    spec = make_strategy(features=[Fisher()], windows=WINDOWS)
    spec = spec.model_copy(update={"model": make_user_model("UserRidge", spec.model)})
    with pytest.raises(ContractError) as caught:
        certify_strategy(spec, bars())
    assert caught.value.where.startswith("S1, on bars that the leakage test made up")
