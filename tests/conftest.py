"""What tests of several stages share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of real bars; its files are never part of the project."""
    folder = os.environ.get("BACKTEST_MARKET_DATA")
    if not folder:
        pytest.skip("BACKTEST_MARKET_DATA does not name a folder of real bars")
    return Path(folder)
