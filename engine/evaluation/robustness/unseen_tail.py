"""The loss of a bar that a book has not had yet: how large it must be, how likely it is unseen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS, sharpe_influence
from engine.evaluation.metrics.return_metrics import sharpe

if TYPE_CHECKING:
    from engine.core.types import Vector

RARE_LOSS_BARS = 500
"""A loss that occurs once in so many bars is the example of `unseen_probability`."""

MIN_GAINING_SHARE = 0.60
"""Least share of gains among the bars with a return, of a book that is warned."""

MIN_PROFIT_IN_LOSSES = 15.0
"""Least profit of a book that is warned, in its largest losses of a bar."""

_SEEN_PROBABILITY = 0.95
_LOSS_TOLERANCE = 1e-6


@dataclass(frozen=True)
class UnseenTail:
    """What one bar could take from a book, and what its history says about such a bar.

    Attributes:
        bars: Number of bars.
        skewness: Third standardised moment of the returns.
        gaining_share: Share of the gains among the bars whose return is not 0.
        largest_loss: Largest loss of a bar, a fraction of the equity; 0 without any.
        erasing_loss: Loss of one bar that would erase the whole profit, likewise; None without
            profit.
        grade_ending_loss: Loss of one further bar at which the lower end of the interval of the
            Sharpe ratio is 0; None where it is not above 0, or no loss ends it.
        rarest_seen_bars: A loss that occurs once in so many bars, or more often, was seen with a
            probability of 95 %.
        unseen_probability: Probability that a loss which occurs once in `RARE_LOSS_BARS` bars
            was not seen.
        warning: A sentence with these figures; None where the profile of the book is another.
    """

    bars: int
    skewness: float
    gaining_share: float
    largest_loss: float
    erasing_loss: float | None
    grade_ending_loss: float | None
    rarest_seen_bars: float
    unseen_probability: float
    warning: str | None


def assess_unseen_tail(returns: Vector, confidence: float = 0.95) -> UnseenTail | None:
    """Measures the one-bar loss that a book's history cannot rule out, and warns of its profile.

    The warned profile is that of a writer of options: at least 60 % of the bars with a return
    gain, and the profit is at least 15 times the largest loss of a bar. A premium of 10 bps a bar
    with a standard deviation of 10 to 30 bps, or that of short puts, is warned in 93 to 100 % of
    the samples of 500 and 1,000 bars without their loss of 50 % once in 500 bars; noise, holding
    and rules on real daily bars, and normal, t, GARCH or jump returns of a true Sharpe ratio of up
    to 2 a year in at most 4 %. A ratio of 3 without any hidden loss is warned in up to a quarter,
    and a loss hidden behind a deviation of 1 % a bar (a ratio of 1.6) is not: nothing in such
    returns distinguishes it from the ratio.

    With p = 1 / m the chance of the loss at a bar, none is seen in n bars with a probability of
    (1 - p)^n; it is 5 % at p = 1 - 0.05^(1/n), about 3 / n.

    Args:
        returns: Net returns, shape (n,); no NaN.
        confidence: Of the interval of the Sharpe ratio, by its normal approximation.

    Returns:
        None below 30 bars, or for constant returns.

    Source: Hanley & Lippman-Hand (1983), If Nothing Goes Wrong, Is Everything All Right?, JAMA
    249(13), for the rule of three.
    """
    bars = len(returns)
    if bars < MIN_BARS or sharpe(returns, 1.0) is None:
        return None
    moved = returns[returns != 0]
    tail = UnseenTail(
        bars=bars,
        skewness=float(np.mean(((returns - returns.mean()) / returns.std()) ** 3)),
        gaining_share=float(np.mean(moved > 0)),
        largest_loss=max(0.0, -float(returns.min())),
        erasing_loss=find_erasing_loss(returns),
        grade_ending_loss=find_grade_ending_loss(returns, confidence),
        rarest_seen_bars=1 / (1 - (1 - _SEEN_PROBABILITY) ** (1 / bars)),
        unseen_probability=(1 - 1 / RARE_LOSS_BARS) ** bars,
        warning=None,
    )
    return _with_warning(tail, confidence) if _is_writer_of_options(tail) else tail


def find_erasing_loss(returns: Vector) -> float | None:
    """The loss of one further bar after which the equity is what it was at the start.

    1 - 1 / prod(1 + r), a fraction of the equity; None where that is not above 0.

    Args:
        returns: Net returns, shape (n,); no NaN.
    """
    final = float(np.prod(1 + returns))
    return 1 - 1 / final if final > 1 else None


def find_grade_ending_loss(returns: Vector, confidence: float) -> float | None:
    """The loss of one further bar at which the interval of the Sharpe ratio reaches down to 0.

    The interval is S -+ z sqrt(mean psi^2 / n) with the influence values psi of
    `hac.sharpe_influence`: without serial dependence, which one more bar hardly changes.

    Args:
        returns: Net returns, shape (n,), at least 2 and not constant; no NaN.
        confidence: Of the interval.

    Returns:
        A fraction of the equity; None where the interval is not above 0 before, or still is after
        the loss of everything.
    """
    from scipy.optimize import brentq

    quantile = NormalDist().inv_cdf((1 + confidence) / 2)

    def lower_end(loss: float) -> float:
        longer = np.append(returns, -loss)
        error = np.sqrt(np.mean(sharpe_influence(longer) ** 2) / len(longer))
        return float(np.mean(longer) / np.std(longer) - quantile * error)

    if lower_end(0.0) <= 0 or lower_end(1.0) > 0:
        return None
    return float(brentq(lower_end, 0.0, 1.0, xtol=_LOSS_TOLERANCE))


def _is_writer_of_options(tail: UnseenTail) -> bool:
    return (
        tail.erasing_loss is not None
        and tail.gaining_share >= MIN_GAINING_SHARE
        and tail.erasing_loss >= MIN_PROFIT_IN_LOSSES * tail.largest_loss
    )


def _with_warning(tail: UnseenTail, confidence: float) -> UnseenTail:
    erasing = tail.erasing_loss or 0.0
    seen = (
        f"the loss that would erase it is {erasing / tail.largest_loss:.0f} times the "
        f"largest one seen ({_percent(tail.largest_loss)})"
        if tail.largest_loss
        else "no bar has lost"
    )
    ends = (
        f", one of {_percent(tail.grade_ending_loss)} would take the {100 * confidence:g} % "
        f"interval of the Sharpe ratio down to 0"
        if tail.grade_ending_loss is not None
        else ""
    )
    return replace(
        tail,
        warning=(
            f"The profit is made of many small gains, and its largest loss may be yet to come: "
            f"{100 * tail.gaining_share:.0f} % of the bars with a return gain, and {seen}. A loss "
            f"of {_percent(erasing)} in one bar would erase the whole profit{ends}; a "
            f"loss that occurs once in {RARE_LOSS_BARS} bars is missing from {tail.bars:,} bars "
            f"with a probability of {100 * tail.unseen_probability:.0f} %."
        ),
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
