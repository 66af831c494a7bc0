"""Positions of timing rules that look at nothing: what they earn is luck, or the market's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector

BARS_PER_MONTH = 21


class RandomRule(ABC):
    """A kind of rule whose positions are drawn, independent of all returns."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, bars: int, count: int) -> Matrix:
        """Positions of independent rules: 1 long, 0 flat, -1 short; shape (bars, count).

        Row t is held over the return of bar t.
        """

    @property
    @abstractmethod
    def overlap(self) -> float:
        """E[w v] / E[w^2] of two independent rules: their correlation in a driftless market."""


@dataclass(frozen=True)
class RandomTurns(RandomRule):
    """Turns with the same probability at every bar, each time to a position drawn anew.

    Attributes:
        states: Positions of a turn, equally likely: (0, 1) is half of the time in the market.
        turn: Probability of a turn at a bar.
    """

    states: tuple[float, ...] = (0.0, 1.0)
    turn: float = 0.1

    def draw(self, rng: np.random.Generator, bars: int, count: int) -> Matrix:
        """See `RandomRule.draw`."""
        return _hold_until_turn(rng, rng.choice(self.states, (bars, count)), self.turn)

    @property
    def overlap(self) -> float:
        """The squared mean of the states over their mean square."""
        states = np.array(self.states)
        return float(states.mean() ** 2 / (states**2).mean())


@dataclass(frozen=True)
class RareTrades(RandomRule):
    """One long trade in each of equally long parts of the history, at a random bar of it.

    Attributes:
        trades: Number of trades; None is one a month of 21 bars.
        hold: Bars of each.
    """

    trades: int | None = None
    hold: int = 1

    def draw(self, rng: np.random.Generator, bars: int, count: int) -> Matrix:
        """See `RandomRule.draw`."""
        trades = self.trades or bars // BARS_PER_MONTH
        length = bars // trades
        first = rng.integers(0, length - self.hold, (trades, count))
        first += length * np.arange(trades)[:, None]
        positions = np.zeros((bars, count))
        for bar in range(self.hold):
            np.put_along_axis(positions, first + bar, 1.0, axis=0)
        return positions

    @property
    def overlap(self) -> float:
        """Two rules are rarely in the market on the same bar."""
        return 0.0


def draw_families(
    rule: RandomRule,
    rng: np.random.Generator,
    bars: int,
    count: int,
    *,
    families: int = 5,
    correlation: float = 0.95,
) -> Matrix:
    """Positions of near-copies of few independent rules, shape (bars, count).

    A variant follows the rule of its family except in a share q of the bars, in spells of ten bars
    on average, where it follows a rule of its own. The returns of two variants then have the
    correlation (1 - q)^2 (1 - o) + o in a driftless market, o the overlap of independent rules.

    Args:
        rule: The kind of all rules.
        rng: Source of all randomness.
        bars: Number of rows.
        count: Number of columns; column i belongs to family i modulo `families`.
        families: Number of families.
        correlation: Of the returns of two variants of a family; the overlap at the least.
    """
    common = rule.draw(rng, bars, families)[:, np.arange(count) % families]
    own = rule.draw(rng, bars, count)
    followed = max(0.0, (correlation - rule.overlap) / (1 - rule.overlap)) ** 0.5
    follows = _hold_until_turn(rng, rng.random((bars, count)) < followed, turn=0.1)
    return np.where(follows, common, own)


def count_round_trips(positions: Vector) -> int:
    """Finished round trips: spells of one position other than 0 that end before the last bar."""
    return int(np.count_nonzero(positions[:-1][np.diff(positions) != 0]))


def _hold_until_turn(rng: np.random.Generator, drawn: Matrix, turn: float) -> Matrix:
    """Each column keeps what was drawn at its latest turn."""
    turns = rng.random(drawn.shape) < turn
    turns[0] = True
    latest = np.maximum.accumulate(np.where(turns, np.arange(len(drawn))[:, None], 0), axis=0)
    return np.take_along_axis(drawn, latest, axis=0)
