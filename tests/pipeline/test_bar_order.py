"""The bars that a run or a live fit is prepared from: complete and in the order of time."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError
from engine.models import Ridge
from engine.pipeline.prepare import prepare_data
from engine.strategy import Strategy
from engine.testing import make_market

MARKET = make_market(300)
SPEC = Strategy(
    name="small",
    data={"dataset": "made-up"},
    windows={"train": 150, "validation": 40, "test": 50},
    model=Ridge(),
)


@pytest.mark.parametrize(
    "bars",
    [
        pytest.param(MARKET.bars[::-1], id="descending"),
        pytest.param(MARKET.bars.sample(frac=1, random_state=1), id="shuffled"),
        pytest.param(MARKET.bars[:-1], id="a symbol without the newest bar"),
        pytest.param(pd.concat([MARKET.bars, MARKET.bars[-2:]]), id="a bar twice"),
    ],
)
def test_other_bars_are_refused(bars: pd.DataFrame) -> None:
    prepare_data(SPEC, MARKET)
    with pytest.raises(InvalidBarsError, match="not complete, or not in the order of time"):
        prepare_data(SPEC, replace(MARKET, bars=bars))
