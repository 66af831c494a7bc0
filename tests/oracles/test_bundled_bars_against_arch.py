from __future__ import annotations

import pandas as pd
import pytest
from arch.data import nasdaq, sp500

from engine.data.sources.bundled import BundledFeed
from engine.data.sources.feed import Request
from engine.data.spec import BundledSource
from engine.progress import Silent


@pytest.mark.parametrize(("ticker", "module"), [("sp500", sp500), ("nasdaq", nasdaq)])
def test_bundled_bars_are_those_that_arch_loads(ticker, module) -> None:
    request = Request("INDEX", "1d", None, pd.Timestamp("2026-01-02", tz="UTC"), Silent())
    found = BundledFeed(BundledSource(symbols={"INDEX": ticker})).fetch(request)
    loaded = module.load().rename_axis("timestamp").reset_index().rename(columns=str.lower)
    pd.testing.assert_frame_equal(found, loaded, check_exact=True)
