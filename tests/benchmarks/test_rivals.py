"""The functions that `scripts/bench rivals` gives to several tools, and its table."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console

from engine.auditing import probe_function
from engine.evaluation.inference import TrackRecord, expected_maximum_sharpe

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("rival_functions")


def test_there_are_ten_of_each_kind_and_bars_that_never_change(functions: ModuleType) -> None:
    assert (len(functions.LEAKY), len(functions.HONEST)) == (10, 10)
    assert functions.make_bars().equals(functions.make_bars())


def test_rare_look_ahead_is_found_on_its_bars(functions: ModuleType) -> None:
    probe = probe_function(functions.leak_at(0.01, 0), functions.make_bars())

    assert len(probe.findings) == 1


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("rival_samples")


@pytest.mark.parametrize("name", ["PSR", "MINTRL", "DSR"])
def test_a_series_has_the_moments_of_a_printed_example(samples: ModuleType, name: str) -> None:
    example = getattr(samples, name)
    returns = samples.make_series(example)
    scores = (returns - returns.mean()) / returns.std()

    assert returns.mean() / returns.std(ddof=1) == pytest.approx(example.sharpe)
    # The moments of 2014 are at the bound of two values, of which there are whole numbers of bars.
    assert np.mean(scores**3) == pytest.approx(example.skewness, rel=1e-3, abs=1e-9)
    assert np.mean(scores**4) == pytest.approx(example.kurtosis, rel=1e-3)


def test_the_engine_prints_the_figures_of_the_papers(samples: ModuleType) -> None:
    def record(example: Any) -> TrackRecord:
        return TrackRecord(example.sharpe, example.bars, example.skewness, example.kurtosis)

    hurdle = expected_maximum_sharpe(samples.DSR_TRIALS, samples.DSR_VARIANCE**0.5)
    bars = record(samples.MINTRL).minimum_bars(samples.MINTRL_BENCHMARK, 0.95)

    assert record(samples.PSR).probability_above(0.0) == pytest.approx(0.913, abs=5e-4)
    assert record(samples.DSR).probability_above(hurdle) == pytest.approx(0.9004, abs=5e-5)
    assert bars / 252 == pytest.approx(samples.MINTRL.figure, abs=5e-3)


def test_the_table_counts_what_each_tool_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"a": {"found": True, "seconds": 1.0}, "b": {"found": False, "seconds": 2.0}}
    tool = {"honest": rows, "leaky": rows, "shares": {"0.01": 7}}

    text = show(monkeypatch, functions={"mine": tool, "nullbar": tool})

    assert text.count("1/2") == 4
    assert text.count("7/20") == 2
    assert "nullbar 1.2.3" in text


def test_the_table_has_a_row_for_each_test_of_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = {"one": {"iid": 0.05, "ar": 0.16}, "other": {"iid": 0.04, "ar": 0.058}}
    tool = {"psr": 0.91336, "dsr": None, "mintrl": 688.2, "pbo": [0.4, None], "shares": shares}

    text = show(monkeypatch, statistics={"mine": tool})

    assert all(figure in text for figure in ("0.913", "2.73", "0.40", "16.0 %", "5.8 %"))


def test_the_table_of_times_has_the_ratio_to_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    speed = {
        "mine": {"seconds": 9.0, "processor": 7.5},
        "nullbar": {"seconds": 5.0, "processor": 3.0},
    }

    assert "2.5" in show(monkeypatch, speed=speed)


def show(monkeypatch: pytest.MonkeyPatch, **parts: Any) -> str:
    """What the benchmark prints of these parts."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    text = io.StringIO()
    results = {"versions": {"nullbar": "1.2.3"}, **parts}
    import_module("rivals").show(results, Console(file=text, width=120))
    return text.getvalue()
