"""Probes features at many bars at once, and looks closer where one changed.

This is for what cannot be asked at every bar on copies of the history: a feature that is not the
engine's own, one that reads the time of its bars, and one that remembers for long. The few bars
after each of many cuts are other ones, and the real bars go on after them. Cuts are further apart
than the features remember, so that one build probes all of them. A value before a cut that changed
by more than the segments before it leave is *confirmed*: the features are built once more from
bars that are altered after that cut alone, and only a value that differs there is look-ahead. A
change that has another cause is never reported as one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from engine.leakage.feature_cuts import choose_cuts
from engine.leakage.feature_memory import FeatureMemory, known_values, value_periods
from engine.leakage.output_pairs import pair_histories
from engine.leakage.rounding import ROUNDING
from engine.leakage.segments import SEGMENT_BARS, SegmentAlteration
from engine.pipeline.feature_history import build_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.data import Market
    from engine.features.config import Feature
    from engine.leakage.comparison import OutputComparison
    from engine.leakage.segments import AlteredMarket
    from engine.strategy import Strategy
    from engine.training.feature_history import FeatureHistory

MAX_COPIES = 32
"""Builds by which every bar is probed, where features forget soon enough for it."""

WANTED_CUTS = 384
"""Cuts that the builds aim at; where bars are few the limits on builds decide."""

MAX_BUILDS, MAX_DENSE_BUILDS = 6, 3
"""Builds with cuts far enough apart for every column, and for the half that forgets sooner."""

EXACT_CUTS, EXACT_CUTS_OF_MANY_BARS, MANY_BARS = 48, 16, 50_000
"""Cuts of a feature that remembers without bound, which is built once for each."""

_LONGEST_MEMORY = 1_000
_MEMORY_SHARE = 6
"""A memory is used up to this part of the bars."""

_MOST_MEASURED = 6
_FALSE_ALARMS_OF_COLUMN, _FALSE_ALARMS = 3, 12
"""Confirmations without look-ahead, of one column and in all, before columns are given up."""


class SegmentScreening:
    """The screening of some columns.

    Args:
        spec: The strategy.
        market: The real bars.
        history: Of these.
        rows: First row that a fit of the run uses, and the last that a bar follows.
        columns: Places of the columns of `known_values` that are screened.
        comparison: Counts what is compared bit for bit.
        rng: Decides every draw.
    """

    def __init__(
        self,
        spec: Strategy,
        market: Market,
        history: FeatureHistory,
        rows: tuple[int, int],
        columns: IntVector,
        comparison: OutputComparison,
        rng: np.random.Generator,
    ) -> None:
        self.spec, self.market, self.history = spec, market, history
        self.first, self.last = rows
        self.columns, self.comparison, self.rng = columns, comparison, rng
        self.alteration = SegmentAlteration(market)
        bars = self.last + 1 - self.first
        self.longest = min(max(bars // _MEMORY_SHARE, 2 * SEGMENT_BARS), _LONGEST_MEMORY)
        self.periods = value_periods(history)[columns]
        all_places = feature_places(history, len(spec.features))
        self.places = [all_places[column] for column in columns.tolist()]
        declared = np.array(
            [0 if place is None else spec.features[place].warmup for place in self.places]
        )
        self.memory = FeatureMemory(
            known_values(history)[:, columns],
            self.periods,
            declared * self.periods,
            self.longest,
        )
        self.false_alarms: Counter[int] = Counter()
        self.probed: list[tuple[IntVector, IntVector]] = []
        self.exact_cuts: set[int] = set()

    def run(self, special: IntVector) -> tuple[str, ...]:
        """Screens the columns; the names of features that remember without bound.

        Args:
            special: Ascending rows that come first.

        Raises:
            LookaheadError: A value changed with the bars after it.
        """
        self._probe(self._measuring_cuts(), measure=True)
        for cuts in self._cut_sets(special):
            self._probe(cuts)
        few = self.probed_rows().sum(axis=0) < self._count_exact_cuts()
        self.memory.give_up(np.flatnonzero(few))
        return self._probe_unbounded(special)

    def _cut_sets(self, special: IntVector) -> Iterator[IntVector]:
        """Cuts of each build: every row once, or as many as can be, with the special ones."""
        bounded = self.memory.bars[~self.memory.is_unbounded]
        spacing = int(bounded.max(initial=0)) + 2 * SEGMENT_BARS + 2
        if len(bounded) and spacing <= MAX_COPIES:
            for turn in self.rng.permutation(spacing).tolist():
                yield np.arange(self.first + turn, self.last + 1, spacing)
            return
        waiting = special
        for spacing in self._spacings():
            cuts = choose_cuts(self.first, self.last, spacing, waiting, self.rng)
            yield cuts
            waiting = np.setdiff1d(waiting, cuts)

    def _count_exact_cuts(self) -> int:
        """Cuts of a feature that is built once for each."""
        bars = len(self.history.features.timestamps)
        return EXACT_CUTS if bars <= MANY_BARS else EXACT_CUTS_OF_MANY_BARS

    def _measuring_cuts(self) -> IntVector:
        """A few, far apart, for the features' memory."""
        bars = self.last + 1 - self.first
        count = min(max(bars // (3 * self.longest), 2), _MOST_MEASURED)
        shares = (np.arange(count) + self.rng.uniform(0.45, 0.5, count)) / count
        return self.first + np.unique((shares * bars).astype(np.int64))

    def _spacings(self) -> Iterator[int]:
        """Bars from cut to cut of each build, by what is known then of the features' memory."""
        bars, done = self.last + 1 - self.first, 0
        for share, most in ((1.0, MAX_BUILDS), (0.5, MAX_DENSE_BUILDS)):
            for _ in range(most):
                bounded = self.memory.bars[~self.memory.is_unbounded]
                if done >= WANTED_CUTS or not len(bounded):
                    return
                spacing = int(np.quantile(bounded, share)) + 2 * SEGMENT_BARS + 2
                done += max(1, int(bars / (1.125 * spacing)))
                yield spacing

    def _probe(self, cuts: IntVector, *, measure: bool = False) -> None:
        """Builds the features of one altered market, and confirms what changed."""
        length = SEGMENT_BARS + int(self.periods.max()) - 1 if measure else SEGMENT_BARS
        made = self.alteration.alter(cuts, self.rng, length)
        values = known_values(build_history(self.spec, made.market))[:, self.columns]
        if measure:
            self.memory.measure(made, values)
        while (found := self.memory.find_changes(made, values)).any():
            self._confirm(made, found)
        places = made.rows.searchsorted(made.cuts)
        self.probed.append((made.cuts, made.distances()[places]))

    def _confirm(self, made: AlteredMarket, found: npt.NDArray[np.bool_]) -> None:
        """Builds the features of bars altered after one cut alone; widens what was no look-ahead.

        Raises:
            LookaheadError: A value before the cut differs.
        """
        place = int(found.any(axis=1).argmax())
        following = made.cuts[made.cuts.searchsorted(made.rows[place]) :]
        stop = len(found)
        if len(following):
            cut = int(following[0])
            self._compare_at(
                self.spec, self.history, self.alteration.restore_before(made, cut), cut
            )
            stop = int(made.rows.searchsorted(cut, side="right"))
        columns = np.flatnonzero(found[place:stop].any(axis=0))
        self.false_alarms.update(columns.tolist())
        if self.false_alarms.total() > _FALSE_ALARMS:
            self.memory.give_up(columns)
            return
        often = np.array([self.false_alarms[column] for column in columns.tolist()])
        self.memory.widen(columns[often <= _FALSE_ALARMS_OF_COLUMN])
        self.memory.give_up(columns[often > _FALSE_ALARMS_OF_COLUMN])

    def _compare_at(self, spec: Strategy, real: FeatureHistory, market: Market, cut: int) -> None:
        stamp = self.history.features.timestamps[cut]
        for pair in pair_histories(real, build_history(spec, market), cut):
            self.comparison.require_equal(pair, stamp, ROUNDING)

    def _probe_unbounded(self, special: IntVector) -> tuple[str, ...]:
        """Builds features that remember without bound once for each of some cuts."""
        chosen = self._unbounded_features()
        if not chosen:
            return ()
        spec = self.spec.model_copy(update={"features": tuple(chosen)})
        real = build_history(spec, self.market)
        stamps = self.history.features.timestamps
        count = self._count_exact_cuts()
        rows = self.rng.integers(self.first, self.last + 1, count)
        preferred = self.rng.permutation(special)
        rows[: min(count // 2, len(preferred))] = preferred[: count // 2]
        for turn, cut in enumerate(np.unique(rows).tolist()):
            market = self.market.until(stamps[cut])
            if turn % 2:
                made = self.alteration.alter([cut], self.rng)
                market = self.alteration.restore_before(made, cut)
            self._compare_at(spec, real, market, cut)
            self.exact_cuts.add(cut)
        return tuple(feature.name for feature in chosen)

    def _unbounded_features(self) -> list[Feature]:
        """The features with a column that remembers without bound."""
        unbounded = zip(self.places, self.memory.is_unbounded, strict=True)
        places = {place for place, is_long in unbounded if is_long and place is not None}
        return [self.spec.features[place] for place in sorted(places)]

    def probed_rows(self) -> npt.NDArray[np.bool_]:
        """(n, k) cuts at which look-ahead of each column would have been seen.

        Of a column that remembers without bound those at which its feature was built once more.
        """
        probed = np.zeros((len(self.history.features.timestamps), len(self.columns)), dtype=bool)
        for cuts, distances in self.probed:
            probed[cuts] |= self.memory.covered(distances)
        for cut in self.exact_cuts:
            probed[cut] |= self.memory.is_unbounded
        return probed


def feature_places(history: FeatureHistory, width: int) -> list[int | None]:
    """For each column of `known_values` the place of its feature; None of returns.

    Args:
        history: The features and returns.
        width: Number of features of a symbol.
    """
    places: list[int | None] = [column % width for column in range(len(history.features.names))]
    returns = (history.trailing_returns, history.forward_returns)
    places += [None] * sum(wide.shape[1] for each in returns for wide in each.values())
    for coarse in history.coarse:
        places += [*(column % width for column in range(len(coarse.features.names))), None]
    return places
