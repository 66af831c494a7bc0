"""scripts/bench universe on a small universe: its output, not its speed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"
SMALL = ["--symbols", "10", "--bars", "1250", "--part", "simulation"]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch):
    """What the table of some results says."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import universe

    def show(results) -> str:
        text = io.StringIO()
        universe.show(results, Console(file=text, width=110))
        return text.getvalue()

    return show


@pytest.mark.slow
def test_a_run_and_its_simulation_beside_vectorbt_are_measured(shown) -> None:
    completed = subprocess.run(
        [sys.executable, str(BENCHMARKS), "universe", "--json", *SMALL],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    assert set(results["ratios"]) == {"peak_gb", "vectorbt_ratio"}
    run = results["run_many"]
    assert sum(run["stages"].values()) == pytest.approx(run["seconds"], rel=0.2)
    simulated = results["simulation"]
    assert simulated["engine"]["return_pct"] == pytest.approx(
        simulated["vectorbt"]["return_pct"], rel=1e-9
    )
    text = shown(results)
    assert "run of 10 symbols x 1250 bars" in text
    assert "at most 1.3" in text


def test_without_pytorch_the_table_says_so(shown) -> None:
    work = {"cores": 2, "bars": 10, "symbols": 2, "few": 1, "load": 0.5}
    text = shown({"work": work, "lstm": {"engine": 9_000.0, "torch": None}, "ratios": {}})
    assert "9,000 samples/s" in text
    assert "PyTorch is not installed" in text
