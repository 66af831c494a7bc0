from __future__ import annotations

import pandas as pd
import pytest
from arch.data import nasdaq, sp500

from engine.core.progress import NullProgress
from engine.data.bundled_config import BundledSourceSpec
from engine.data.sources.base import BarRequest
from engine.data.sources.bundled import BundledBarSource


@pytest.mark.parametrize(("ticker", "module"), [("sp500", sp500), ("nasdaq", nasdaq)])
def test_bundled_bars_are_those_that_arch_loads(ticker, module) -> None:
    request = BarRequest("INDEX", "1d", None, pd.Timestamp("2026-01-02", tz="UTC"), NullProgress())
    bundled = BundledBarSource(BundledSourceSpec(symbols={"INDEX": ticker})).fetch(request)
    loaded = module.load().rename_axis("timestamp").reset_index().rename(columns=str.lower)
    pd.testing.assert_frame_equal(bundled, loaded, check_exact=True)
