"""The bars that a run or a live fit is prepared from: complete, in order, with usable prices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, UsageError
from engine.models import Ridge
from engine.pipeline.prepare import prepare_data
from engine.strategy import Strategy
from engine.testing import make_market
from engine.testing.markets import scale_prices

if TYPE_CHECKING:
    from engine.data import Market

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


@pytest.mark.parametrize(
    ("bars", "found"),
    [
        pytest.param(scale_prices(MARKET.bars, 1e-15), "600 bars", id="tiny"),
        pytest.param(scale_prices(MARKET.bars, 1e15), "600 bars", id="huge"),
        pytest.param(
            MARKET.bars.assign(close=MARKET.bars["close"].where(MARKET.bars.index != 7)),
            "1 bars",
            id="missing",
        ),
        pytest.param(MARKET.bars.assign(low=0.0), "600 bars", id="zero"),
    ],
)
def test_prices_that_cannot_be_simulated_are_refused_before_training(bars, found) -> None:
    with pytest.raises(InvalidBarsError, match=f"{found} have a price") as caught:
        prepare_data(SPEC, replace(MARKET, bars=bars))
    assert "price_scale: repair" in caught.value.fix


def named(*symbols: str) -> Market:
    names = dict(zip(MARKET.symbols, symbols, strict=True))
    bars = MARKET.bars.assign(symbol=MARKET.bars["symbol"].map(names))
    return replace(MARKET, bars=bars, symbols=symbols, provenance={"offline": False})


def test_a_symbol_that_yaml_reads_as_nothing_is_not_passed_over_silently() -> None:
    with pytest.raises(UsageError, match="reads as nothing") as caught:
        prepare_data(SPEC, named("AAA", "NULL"))
    assert 'target: "NULL"' in caught.value.fix
    chosen = SPEC.model_copy(update={"data": SPEC.data.model_copy(update={"target": "NULL"})})
    assert prepare_data(chosen, named("AAA", "NULL")).targets == ("NULL",)
    assert prepare_data(SPEC, named("NULL", "AAA")).targets == ("NULL",)
