"""Range-based volatility against the papers' formulas and a market with known volatility."""

from __future__ import annotations

import statistics
from itertools import pairwise
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.features.config import GarmanKlass, Parkinson, RogersSatchell, Volatility, YangZhang

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = 20
KINDS = (Parkinson, GarmanKlass, RogersSatchell, YangZhang)


def rows(bars: pd.DataFrame) -> list[tuple[float, float, float, float]]:
    """Logs of open, high, low and close."""
    columns = (bars[name] for name in ("open", "high", "low", "close"))
    return [tuple(map(log, row)) for row in zip(*columns, strict=True)]


def parkinson(window: Sequence) -> float:
    return sqrt(statistics.fmean((h - lo) ** 2 / (4 * log(2)) for _, h, lo, _ in window[1:]))


def garman_klass(window: Sequence) -> float:
    terms = (0.5 * (h - lo) ** 2 - (2 * log(2) - 1) * (c - o) ** 2 for o, h, lo, c in window[1:])
    return sqrt(statistics.fmean(terms))


def rogers_satchell(window: Sequence) -> float:
    terms = ((h - c) * (h - o) + (lo - c) * (lo - o) for o, h, lo, c in window[1:])
    return sqrt(statistics.fmean(terms))


def yang_zhang(window: Sequence) -> float:
    jumps = [bar[0] - before[3] for before, bar in pairwise(window)]
    bodies = [c - o for o, _, _, c in window[1:]]
    k = 0.34 / (1.34 + (WINDOW + 1) / (WINDOW - 1))
    within = rogers_satchell(window) ** 2
    return sqrt(statistics.variance(jumps) + k * statistics.variance(bodies) + (1 - k) * within)


@pytest.fixture(scope="module")
def gapping() -> pd.DataFrame:
    """Bars with drift and overnight jumps."""
    rng = np.random.default_rng(1980)
    return walk(rng, days=400, steps=30, drift=0.001, jump=0.02)


def walk(
    rng: np.random.Generator, *, days: int, steps: int, drift: float = 0.0, jump: float = 0.0
) -> pd.DataFrame:
    """Days of many small moves with a deviation of 0.01 a day in all, and jumps between them."""
    moves = rng.normal(drift / steps, 0.01 / sqrt(steps), (days, steps))
    moves[:, 0] += rng.normal(0, jump, days) if jump else 0.0
    paths = np.exp(np.cumsum(moves.ravel())).reshape(days, steps)
    # A day begins where the last one ended, or after the jump.
    begin = paths[:, 0] if jump else np.concatenate([[1.0], paths[:-1, -1]])
    table = np.column_stack([begin, paths])
    values = {"open": begin, "high": table.max(1), "low": table.min(1), "close": paths[:, -1]}
    days_ = pd.date_range("2020-01-01", periods=days, tz="UTC", name="timestamp")
    return pd.DataFrame(values | {"volume": 1.0}, index=days_)


@pytest.mark.parametrize(
    ("kind", "formula"),
    list(zip(KINDS, (parkinson, garman_klass, rogers_satchell, yang_zhang), strict=True)),
)
def test_an_estimator_equals_its_formula(kind, formula, gapping: pd.DataFrame) -> None:
    table = rows(gapping)
    expected = [formula(table[t - WINDOW : t + 1]) for t in range(WINDOW, len(table))]
    np.testing.assert_allclose(
        kind(window=WINDOW).compute(gapping).iloc[WINDOW:], expected, rtol=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_range_estimators_are_unbiased_and_more_efficient_than_closes(kind) -> None:
    days = walk(np.random.default_rng(1991), days=6_000, steps=500)
    found, plain = (f.compute(days).dropna() for f in (kind(window=10), Volatility(window=10)))
    # A path of 500 steps misses a little of the range.
    assert np.sqrt((found**2).mean()) == pytest.approx(0.01, rel=0.05)
    assert found.std() < 0.7 * plain.std()


def test_drift_biases_parkinson_but_not_rogers_satchell_or_yang_zhang() -> None:
    days = walk(np.random.default_rng(2000), days=1_000, steps=2_000, drift=0.015)
    root = {
        kind: float(np.sqrt((kind().compute(days) ** 2).mean()))
        for kind in (Parkinson, RogersSatchell, YangZhang)
    }
    assert root[Parkinson] > 0.013
    assert root[RogersSatchell] == pytest.approx(0.01, rel=0.06)
    assert root[YangZhang] == pytest.approx(0.01, rel=0.06)


def test_only_yang_zhang_includes_jumps_between_bars() -> None:
    days = walk(np.random.default_rng(7), days=3_000, steps=300, jump=0.02)
    root = {kind: float(np.sqrt((kind().compute(days) ** 2).mean())) for kind in KINDS}
    assert root[YangZhang] == pytest.approx(sqrt(0.01**2 + 0.02**2), rel=0.06)
    for kind in (Parkinson, GarmanKlass, RogersSatchell):
        assert root[kind] < 0.0105
