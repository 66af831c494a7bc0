from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.signals.inputs import SignalInputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def days(n: int, first: str = "2020-01-01") -> pd.DatetimeIndex:
    return pd.date_range(first, periods=n, tz="UTC", name="timestamp")


@pytest.fixture
def make_forecasts() -> Callable[..., SignalInputs]:
    """Forecasts from plain lists; window 0 and train predictions -1 %, 0, 1 % if not given."""

    def make(
        predicted: Mapping[str, Sequence[float]],
        window: Sequence[int] | None = None,
        train: Mapping[int, Sequence[float]] | None = None,
    ) -> SignalInputs:
        n = len(next(iter(predicted.values())))
        known = train or {0: [-0.01, 0.0, 0.01]}
        return SignalInputs(
            predicted=pd.DataFrame(dict(predicted), index=days(n), dtype="float64"),
            window=np.array(window or [0] * n, dtype=np.int64),
            train_predictions={
                index: {symbol: np.array(values) for symbol in predicted}
                for index, values in known.items()
            },
        )

    return make
