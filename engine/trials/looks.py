"""What distinguishes two looks, and which of the ledger's runs repeat an earlier look."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.types import Matrix
    from engine.evaluation.inference.trial_set import IdeaLooks

SAME_LENGTH = 0.05
"""Two spans with the same first bar are one look where their numbers of bars differ by less than
this share of the larger one: a strategy that is run again every day is no new look every day."""


OPENING_BARS = 50
"""Bars that `hash_opening` reads: later bars are appended every day and change nothing."""


def hash_opening(closes: Matrix, rates: Matrix) -> str:
    """Hash of the first out-of-sample bars, the same for copies and longer histories of them.

    Args:
        closes: Of the targets, shape (n, k); hashed relative to the first, so that a history that
            is adjusted for later dividends is the same.
        rates: Annual interest rates known at each bar, shape (n, 2).

    Returns:
        The first 16 hex digits of a SHA-256.
    """
    import numpy as np

    relative = closes[:OPENING_BARS] / closes[0]
    rounded = np.hstack([relative, rates[:OPENING_BARS]]).round(9) + 0.0
    return hashlib.sha256(np.ascontiguousarray(rounded).tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class LookKey:
    """What two runs have in common that are one look, their lengths aside.

    Attributes:
        configuration: Hash of the configuration: the idea.
        interval: Length of a bar.
        targets: Symbols traded, as JSON.
        inputs: Symbols that the features use, as JSON.
        dataset: Name of the dataset.
        first: First out-of-sample bar, ISO 8601.
        opening: Hash of the prices and rates of the first out-of-sample bars, see `hash_opening`:
            other bars under the same name are another look. None for runs of earlier versions.
    """

    configuration: str
    interval: str
    targets: str
    inputs: str
    dataset: str
    first: str
    opening: str | None = None


@dataclass(frozen=True)
class Look:
    """A span that an idea was looked at on.

    Attributes:
        key: What it shares with its repetitions.
        bars: Number of out-of-sample bars.
        last: Last out-of-sample bar, ISO 8601.
    """

    key: LookKey
    bars: int
    last: str

    def repeats(self, kept: Look) -> bool:
        """Whether this is the same look as one that was kept."""
        difference = abs(self.bars - kept.bars)
        return self.key == kept.key and difference < SAME_LENGTH * max(self.bars, kept.bars)


class LooksInOrder:
    """Keeps the first run of every look; the runs have to come in the order in which they ended.

    A run never changes which earlier ones are kept, so that the number of looks only grows.
    """

    def __init__(self) -> None:
        self._kept: defaultdict[LookKey, list[Look]] = defaultdict(list)

    def add(self, look: Look) -> Look:
        """The kept look that this one repeats; itself where it is a new one, which is kept."""
        of_key = self._kept[look.key]
        for kept in of_key:
            if look.repeats(kept):
                return kept
        of_key.append(look)
        return look


@dataclass(frozen=True)
class ViewedLook:
    """A look at an idea, with the settings of the evaluation that it was judged by.

    Attributes:
        look: The kept look.
        benchmarks: Set of benchmarks besides buy and hold, as canonical JSON.
        confidence: Confidence level; None where it was not recorded.
    """

    look: Look
    benchmarks: str
    confidence: float | None


def count_idea_looks(views: Iterable[ViewedLook]) -> IdeaLooks:
    """Counts the looks at one idea; equal ones count once."""
    from engine.evaluation.inference.trial_set import IdeaLooks

    viewed = set(views)
    keys = [each.look.key for each in viewed]
    return IdeaLooks(
        looks=len(viewed),
        start_dates=len({key.first for key in keys}),
        end_dates=len({each.look.last for each in viewed}),
        targets=len({key.targets for key in keys}),
        intervals=len({key.interval for key in keys}),
        datasets=len({key.dataset for key in keys}),
        benchmarks=len({each.benchmarks for each in viewed}),
        confidences=len({each.confidence for each in viewed}),
    )
