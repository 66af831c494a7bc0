"""The cone of equities of new accounts, by resampling the backtest's bars."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.robustness import equity_cone

DRAWS = np.random.default_rng(3)
NOISE = 0.01 * DRAWS.standard_normal(400)


def cone(returns: np.ndarray, bars: int, seed: int = 1):
    return equity_cone(returns, bars, np.random.default_rng(seed))


def test_it_begins_at_1_and_widens() -> None:
    made = cone(NOISE + 0.001, 250)

    assert made.low[0] == made.median[0] == made.high[0] == 1.0
    assert made.low.shape == made.high.shape == (251,)
    assert (made.low <= made.median).all()
    assert (made.median <= made.high).all()
    width = made.high - made.low
    assert width[1] < width[20] < width[250]


def test_one_bar_ahead_it_has_the_quantiles_of_the_returns() -> None:
    made = cone(NOISE, 1)

    expected = 1.0 + np.quantile(NOISE, (0.05, 0.5, 0.95))
    assert [made.low[1], made.median[1], made.high[1]] == pytest.approx(expected, abs=1.5e-3)


def test_independent_paths_of_the_same_process_lie_inside_at_90_per_cent_of_the_bars() -> None:
    long = 0.01 * DRAWS.standard_normal(4_000) + 0.0005
    made = cone(long, 60)
    paths = np.cumprod(1.0 + 0.01 * DRAWS.standard_normal((2_000, 60)) + 0.0005, axis=1)

    inside = (made.low[1:] <= paths) & (paths <= made.high[1:])

    assert inside.mean() == pytest.approx(0.9, abs=0.03)


def test_the_same_seed_gives_the_same_cone_and_a_longer_one_begins_the_same_way() -> None:
    short, again, long = cone(NOISE, 60), cone(NOISE, 60), cone(NOISE, 100)

    assert (short.low == again.low).all()
    assert (short.low == long.low[:61]).all()


def test_it_ends_at_twice_the_length_of_the_backtest() -> None:
    assert len(cone(NOISE[:100], 10_000).median) == 201


@pytest.mark.parametrize("returns", [NOISE[:59], np.full(400, 0.001)])
def test_too_few_or_constant_returns_give_none(returns: np.ndarray) -> None:
    assert cone(returns, 20) is None


def test_a_total_loss_stays_lost() -> None:
    ruined = np.where(np.arange(400) % 100 == 50, -1.0, 0.001)

    made = cone(ruined, 300)

    assert made.low[-1] == 0.0
    assert (made.low >= 0.0).all()
