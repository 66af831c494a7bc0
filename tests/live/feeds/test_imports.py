"""What is imported where a feed needs no client of a market."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import pandas as pd
from engine.core.progress import NullProgress
from engine.data import read_manifest
from engine.live.clock import SystemClock
from engine.live.feeds import {kind}, open_feed

feed = open_feed({kind}(), read_manifest("x.yaml"), home=__import__("pathlib").Path("home"),
                 clock=SystemClock(), progress=NullProgress())
if {fetches}:
    assert len(feed.fetch(pd.Timestamp("2024-01-01", tz="UTC"))) == 1
clients = {{"ccxt", "yfinance", "curl_cffi", "requests", "aiohttp", "keras", "vectorbt"}}
print(sorted(clients & set(sys.modules)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "fetches"), [("FolderFeedSpec", True), ("StdinFeedSpec", False)])
def test_no_client_of_a_market_is_imported(tmp_path, kind, fetches):
    (tmp_path / "X.csv").write_text(
        "timestamp,open,high,low,close,volume\n2024-01-01,1,1,1,1,1\n2024-01-02,1,1,1,1,1\n"
    )
    (tmp_path / "x.yaml").write_text(
        "{name: x, interval: 1d, calendar: 24/7, symbols: [X], "
        "sources: [{kind: files, path: .}, {kind: yahoo}]}"
    )
    code = SCRIPT.format(kind=kind, fetches=fetches)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
