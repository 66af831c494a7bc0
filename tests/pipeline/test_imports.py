"""What a run loads: each of these would cost it half a second or more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pipeline.markets import market, write_strategy

NEEDLESS = ("arch", "ccxt", "keras", "matplotlib", "quantstats", "seaborn")


@pytest.mark.slow
def test_a_run_that_trains_no_network_loads_no_library_it_has_no_use_for(tmp_path) -> None:
    strategy = write_strategy(tmp_path, market(tmp_path / "market"))
    script = (
        "import sys, engine\n"
        f"run = engine.run({str(strategy)!r}, out={str(tmp_path)!r}, home={str(tmp_path)!r})\n"
        "assert (run.run_dir / 'quantstats.html').stat().st_size > 100_000\n"
        f"print(sorted(set({NEEDLESS}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
