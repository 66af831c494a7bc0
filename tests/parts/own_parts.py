"""A user's parts, in a file of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from engine import BenchmarkRule, CostModel, Forecaster, Indicator, SizingSpec
from engine.models import FittedForecaster, Prediction
from engine.simulation.costs import CostRates

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.models import ModelInputs, TrainingSet, TrainingSpec
    from engine.signals.inputs import SignalInputs

SCALE = 0.5


def shrink(values: np.ndarray) -> np.ndarray:
    return SCALE * values


class OwnModel(Forecaster):
    """Half of the last return goes on."""

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["own_model"] = "own_model"
    breaks: str = ""

    def fit(
        self,
        training_set: TrainingSet,
        training: TrainingSpec,
        seed: int,
    ) -> FittedForecaster:
        weights = {
            "weights": np.array([None]),
            "seed": np.random.default_rng(seed).normal(size=1),
            "chance": np.random.default_rng().normal(size=1),
        }
        states = {"state": {"of": shrink}, "file": {"share": (SCALE,)}}
        if self.breaks == "training_set":
            training_set.target[0] = 9.0
        fitted = FittedForecaster(
            self, (weights.get(self.breaks, np.zeros(1)),), states.get(self.breaks, {})
        )
        return fitted.weights if self.breaks == "type" else fitted

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: np.ndarray
    ) -> Prediction:
        if self.breaks == "inputs":
            inputs.inputs[0] = 9.0
        returns = shrink(inputs.trailing[rows]) + fitted.weights[0]
        return Prediction(self._break_returns(returns, fitted, inputs.trailing, rows))

    def _break_returns(
        self,
        returns: np.ndarray,
        fitted: FittedForecaster,
        trailing: np.ndarray,
        rows: np.ndarray,
    ) -> np.ndarray:
        broken = {
            "shape": lambda: returns[:-1],
            "finite": lambda: np.where(np.arange(len(returns)) == 3, np.nan, returns),
            "future": lambda: trailing[np.minimum(rows + 1, len(trailing) - 1)],
            "past": lambda: trailing[np.maximum(rows - 1, 0)],
            "others": lambda: returns - returns.mean(),
            "order": lambda: np.sort(returns),
            "file": lambda: returns + isinstance(fitted.state["share"], tuple),
        }
        return broken.get(self.breaks, lambda: returns)()


class CostlyModel(OwnModel):
    """The same in a worker."""

    costly: ClassVar[bool] = True

    kind: Literal["costly_model"] = "costly_model"


class OwnFeature(Indicator):
    """The last return."""

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["own_feature"] = "own_feature"
    breaks: str = ""

    @property
    def warmup(self) -> int:
        return 1

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        close = bars["close"]
        if self.breaks == "future":
            return close.shift(-1).ffill() / close - 1
        if self.breaks == "warmup":
            return close / close.shift(2) - 1
        if self.breaks == "unit":
            return close.diff()
        if self.breaks == "column":
            return close / close.shift(1) - 1 + bars["volume"] / bars["volume"].shift(1)
        if self.breaks == "first":
            return close / close.iloc[0]
        if self.breaks == "bars":
            bars.loc[bars.index[0], "open"] = 1.0
        return close / close.shift(1) - 1

    def compute_for_symbol(self, market, symbol):
        values = super().compute_for_symbol(market, symbol)
        return values.iloc[1:] if self.breaks == "shape" else values


class OwnSizing(SizingSpec):
    """A tenth."""

    kind: Literal["own_sizing"] = "own_sizing"
    breaks: str = ""

    @property
    def closes_needed(self) -> int | None:
        return 1 if self.breaks == "closes" else None

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,
        periods_per_year: float,
    ) -> WideFrame:
        predicted = forecasts.predicted
        sizes = pd.DataFrame(0.1, index=predicted.index, columns=predicted.columns)
        if self.breaks == "shape":
            return sizes.iloc[1:]
        if self.breaks == "sign":
            return -sizes
        if self.breaks == "missing":
            sizes.iloc[2] = np.nan
        if self.breaks == "future":
            return sizes + predicted.abs().mean()
        if self.breaks == "closes":
            return sizes * close.iloc[0, 0]
        return sizes


class OwnBenchmark(BenchmarkRule):
    """Long above the first close of the last five."""

    kind: Literal["own_benchmark"] = "own_benchmark"
    breaks: str = ""

    def compute_positions(self, close: WideFrame) -> WideFrame:
        positions = (close > close.shift(4)).astype("float64")
        if self.breaks == "range":
            return 3 * positions
        if self.breaks == "nan":
            return positions.mask(close.shift(4).isna())
        if self.breaks == "shape":
            return positions.to_numpy()
        if self.breaks == "future":
            return (close > close.mean()).astype("float64")
        return positions


class OwnCosts(CostModel):
    """A fee, and slippage of a tenth of the bar before."""

    kind: Literal["own_costs"] = "own_costs"
    fee_bps: float = 5.0
    breaks: str = ""

    @property
    def one_way_cost_bps(self) -> float:
        return self.fee_bps + 10.0

    def compute_rates(self, market: Market) -> CostRates:
        close = market.wide("close")
        slippage = 0.1 * close.pct_change().abs().shift(1).fillna(0.01)
        if self.breaks == "sign":
            slippage = -slippage
        if self.breaks == "size":
            slippage = slippage + 1.0
        if self.breaks == "shape":
            slippage = slippage.iloc[1:]
        if self.breaks == "future":
            slippage = slippage * 0 + 0.1 * close.pct_change().std().mean()
        return CostRates(fee=self.fee_bps / 10_000, slippage=slippage, borrow_per_year=0.02)
