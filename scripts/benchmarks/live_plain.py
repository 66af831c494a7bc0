"""The plain way to a forecast: indicators of `ta` on a window, then `model.predict` of Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from live_workload import LOOKBACK
from ta.momentum import RSIIndicator
from ta.trend import MACD
from ta.volatility import BollingerBands

from engine.models.networks.base import Network
from engine.models.quantisation import decode_weights

if TYPE_CHECKING:
    import pandas as pd

    from engine.models.fitted_model import FittedModel


def indicators(bars: pd.DataFrame) -> np.ndarray:
    """(n, 7) the features of the workload, NaN in their warm-up, of any number of bars."""
    close = bars["close"]
    returns = np.log(close / close.shift())
    bands = BollingerBands(close, 20, 2)
    columns = [
        returns,
        RSIIndicator(close, 14).rsi() / 100,
        MACD(close, 26, 12, 9).macd_diff() / close,
        returns.rolling(20).std(),
        bands.bollinger_pband(),
        bands.bollinger_wband() / 100,
        (bars["high"] - bars["low"]) / close,
    ]
    return np.column_stack([column.to_numpy() for column in columns])


class PlainForecaster:
    """The network of a fitted model in Keras, with the same weights."""

    def __init__(self, fitted: FittedModel) -> None:
        forecaster = fitted.forecaster
        network, transform = forecaster.model, fitted.input_transform
        assert isinstance(network, Network)
        self.scaler = transform.columns.scaler
        self.model: Any = network.build_model((transform.columns.groups,))
        for variable, value in zip(self.model.variables, decode_weights(forecaster), strict=True):
            variable.assign(value)
        self.mean = float(forecaster.state["target_mean"][0])
        self.deviation = float(forecaster.state["target_std"][0])
        self.real = np.ones(1, dtype=bool)

    def forecast(self, bars: pd.DataFrame) -> float:
        """The forecast at the close of the last of these bars."""
        inputs = self.scaler.transform(indicators(bars))[-LOOKBACK:].astype(np.float32)
        output = self.model.predict([inputs[None], self.real], verbose=0)
        return self.mean + self.deviation * float(output[0, 0])
