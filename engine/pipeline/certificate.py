"""The leak certificate: the whole path again from other bars, and nothing before a cut changes.

Why less than all of it is made again at every cut, and why that is enough:

- A window that lies wholly before a cut is rebuilt at the first cut after it. What a later cut
  replaces, that one replaces too, so whatever depends on bars after the later one is seen there.
- Equal arrays are equal tasks: same key, same forecast. So only the window that holds a cut is
  fitted again, for its test rows after the cut are others; the sharpest cut for that is the one
  behind its first bar. It is done at two cuts, or at one where there are few windows, by the first
  of several seeds: they share one problem, and differ in random draws alone.
- The books share one simulation: their own fills are probed at two cuts, and those of a strategy
  that turns at every bar at all of them. Few bars have an entry or a fill; it has both at each.
- Forecasts after a cut are free, and are never the run's own: a threshold or a position that was
  taken from them changes.
- A position is one of few values, which slightly other bars seldom change. So the forecasts after
  a cut are all high or all low by turns, and the rules are asked once more before prices a fifth
  or fivefold of what they were.
- Other bars alone do not show a fill at the open of the bar whose close decided it. So every
  decision from the cut on is replaced as well, and nothing up to it may be filled otherwise; at
  every second cut all of the bar but its open is another one, and its fills there may not change.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.artifacts import seed_of
from engine.errors import CertificateError, RefitError
from engine.evaluation.certificate import REMEDIES, Comparison, Probe, bar_text, certificate
from engine.evaluation.cuts import Cut, choose_cuts
from engine.evaluation.other_bars import OtherBars
from engine.evaluation.schedule import Schedule
from engine.pipeline.again import Again, fitted, made_here, refit_again
from engine.pipeline.books import decide, planned, stitched, trade
from engine.pipeline.fill_prices import insist_own_prices
from engine.pipeline.ground import prepare
from engine.pipeline.otherwise import decisions_otherwise, forecast_otherwise
from engine.pipeline.restless import BOOK, Restless
from engine.pipeline.twice import (
    fill_parts,
    forecast_parts,
    ground_parts,
    position_parts,
    prediction_parts,
    task_parts,
    threshold_parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from engine.evaluation.certificate import Part
    from engine.models import Forecast
    from engine.pipeline.ground import Ground
    from engine.pipeline.made import Made
    from engine.progress import Progress
    from engine.refit.executor import Executor
    from engine.refit.stitch import Predictions
    from engine.refit.store import Store
    from engine.refit.task import Task

_CRASH = 0.2
"""Of the prices before: no moving average of a hundred bars looks past it."""


@dataclass(frozen=True, eq=False)
class _Rebuilt:
    """A ground of other bars, and the tasks of the windows that are compared on it."""

    ground: Ground
    pairs: list[tuple[Task, Task]]


def certify(
    made: Made, executor: Executor, store: Store, told: Progress, *, fresh: bool
) -> dict[str, Any]:
    """`certificate.json` of a run that knows nothing of what comes later.

    Args:
        made: The run.
        executor: Who trains the few fits that are made again, where they are not stored.
        store: Of fits.
        told: Which cut is done.
        fresh: As in `refit`.

    Raises:
        CertificateError: Something up to a cut is not what it was: the first stage, column and
            bar of which that is so.
    """
    insist_own_prices(made.spec, made.ground, made.books)
    certifier = _Certifier(made)
    refitted = certifier.refit(executor, store, told, fresh=fresh)
    cuts = certifier.schedule.cuts
    for place, cut in enumerate(cuts):
        certifier.compare(place, refitted.get(place, []), executor)
        told.advance(place + 1, len(cuts), f"{bar_text(certifier.bar(cut))}, {cut.kind}")
    return certifier.document()


class _Certifier:
    """One run's cuts, and the comparison that goes over them."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.windows = made.ground.windows
        self.bars = OtherBars(made.ground.market)
        cuts = choose_cuts(
            [window.test for window in self.windows],
            quiet=self.bars.quiet,
            known=[coarse.latest for coarse in made.ground.history.coarse],
        )
        self.schedule = Schedule(cuts, self.windows, made.spec.execution.price)
        self.comparison = Comparison()
        self.restless = Restless(made)
        self._rebuilt: dict[int, _Rebuilt] = {}
        self._refitted: Counter[int] = Counter()
        self._real = dict(zip(map(id, made.fits.tasks), made.fits.outcomes, strict=True))

    def bar(self, cut: Cut) -> pd.Timestamp:
        """The last bar that is kept."""
        return self.made.ground.history.features.timestamps[cut.row]

    def refit(
        self, executor: Executor, store: Store, told: Progress, *, fresh: bool
    ) -> dict[int, list[tuple[Again, Forecast | RefitError]]]:
        """Costly fits again: place of the cut -> fits."""
        asked: dict[int, list[Again]] = {}
        if any(task.model.costly for task in self.made.fits.tasks):
            for place in self.schedule.fitted:
                self._rebuilt[place] = self._rebuild(place)
                asked[place] = self._again(place, self._rebuilt[place], costly=True)
        flat = [again for of_cut in asked.values() for again in of_cut]
        outcomes = iter(refit_again(flat, self.made.fits, executor, store, told, fresh=fresh))
        return {
            place: [(again, next(outcomes)) for again in of_cut] for place, of_cut in asked.items()
        }

    def compare(
        self,
        place: int,
        refitted: Sequence[tuple[Again, Forecast | RefitError]],
        executor: Executor,
    ) -> None:
        """Everything up to one cut, in the order of the stages."""
        cut = self.schedule.cuts[place]
        rebuilt = self._rebuilt.pop(place, None) or self._rebuild(place)
        self._compare_fits(place, rebuilt, refitted, executor)
        predictions = self._compare_predictions(place, rebuilt.ground)
        weights = decide(self.made.spec, rebuilt.ground, predictions)
        tested = max(0, cut.row + 1 - self.windows[0].test.start)
        bars = self.made.ground.span[:tested]
        self._insist(position_parts(self.made.weights, weights, bars), cut)
        if tested:
            self._insist(self.restless.position_parts(rebuilt.ground, tested - 1), cut)
            self._compare_rules(place, rebuilt.ground, bars)
            self._compare_fills(place, rebuilt.ground, bars)

    def document(self) -> dict[str, Any]:
        """What was done, once nothing was found."""
        spec, fits = self.made.spec, self.made.fits
        probes = [
            Probe(
                cut=cut,
                bar=self.bar(cut),
                window=None if (window := self.schedule.tested(place)) is None else window.index,
                replaced=len(self.made.ground.history.features.timestamps) - 1 - cut.row,
                refitted=self._refitted[place],
                known=self.schedule.known(place),
            )
            for place, cut in enumerate(self.schedule.cuts)
        ]
        return certificate(
            probes,
            self.comparison.counts(),
            books=list(self.made.weights),
            seeds=spec.seeds if any(task.member for task in fits.tasks) else 1,
        )

    def _insist(self, parts: Iterable[Part], cut: Cut) -> None:
        for part in parts:
            self.comparison.insist_same(part, self.bar(cut))

    def _rng(self, cut: Cut, purpose: str) -> np.random.Generator:
        bar = self.bar(cut).isoformat()
        return np.random.default_rng(seed_of(self.made.spec.seed, "certificate", bar, purpose))

    def _rebuild(self, place: int) -> _Rebuilt:
        """From other bars to the tasks, everything compared on the way."""
        cut, spec, real = self.schedule.cuts[place], self.made.spec, self.made.ground
        ground = prepare(spec, self.bars.after(cut.row, self._rng(cut, "bars")))
        self._insist(ground_parts(real, ground, cut.row), cut)
        windows = {window.index: window for window in self.schedule.due(place)}
        own = [task for task in self.made.fits.tasks if task.window in windows]
        pairs = list(zip(own, planned(spec, ground, list(windows.values())), strict=True))
        seen = set()
        for task, other in pairs:
            if id(task.problem) not in seen:
                seen.add(id(task.problem))
                self._insist(task_parts(task, other, windows[task.window], cut.row, real), cut)
        return _Rebuilt(ground, pairs)

    def _again(self, place: int, rebuilt: _Rebuilt, *, costly: bool) -> list[Again]:
        """Fits of the window that holds a cut, by each book's first seed."""
        if place not in self.schedule.fitted:
            return []
        label = f"other bars after {bar_text(self.bar(self.schedule.cuts[place]))}"
        window = self.schedule.split(place)
        return [
            Again(real, other, label)
            for real, other in rebuilt.pairs
            if window is not None
            and real.window == window.index
            and real.member == 0
            and real.model.costly == costly
            and not isinstance(self._real[id(real)], RefitError)
        ]

    def _compare_fits(
        self,
        place: int,
        rebuilt: _Rebuilt,
        refitted: Sequence[tuple[Again, Forecast | RefitError]],
        executor: Executor,
    ) -> None:
        cut = self.schedule.cuts[place]
        for again in self._again(place, rebuilt, costly=False):
            self._compare_fit(again, self._real[id(again.real)], fitted(again.other), cut)
            self._refitted[place] += 1
        for again, outcome in refitted:
            self._refitted[place] += 1
            try:
                self._compare_fit(again, self._real[id(again.real)], outcome, cut)
            except CertificateError:
                here = made_here(again, self.made.fits, executor)
                self._compare_fit(again, *here, cut)

    def _compare_fit(
        self,
        again: Again,
        real: Forecast | RefitError,
        other: Forecast | RefitError,
        cut: Cut,
    ) -> None:
        window, ground = self.windows[again.real.window], self.made.ground
        if isinstance(real, RefitError) or isinstance(other, RefitError):
            raise CertificateError(
                f"Look-ahead: whether {again.real} can be fitted depends on its test rows",
                expected="the same fit, whatever comes after the cut",
                found=f"{other} with {again.label}",
                where=f"predictions: {again.real}",
                fix=REMEDIES["predictions"],
            )
        self._insist(forecast_parts(again.real, real, other, window, cut.row, ground), cut)

    def _compare_predictions(self, place: int, ground: Ground) -> dict[str, Predictions]:
        """Stitched again, with other forecasts after the cut."""
        made, cut = self.made, self.schedule.cuts[place]
        outcomes = [
            forecast_otherwise(outcome, self.windows[task.window], cut.row, up=place % 2 == 1)
            for task, outcome in zip(made.fits.tasks, made.fits.outcomes, strict=True)
        ]
        predictions = stitched(made.spec, ground, replace(made.fits, outcomes=outcomes))
        for book, real in made.predictions.items():
            other = predictions[book]
            self._insist(prediction_parts(book, real, other, made.ground, cut.row), cut)
            self._insist(threshold_parts(book, real, other, made.spec, made.ground, cut.row), cut)
        return predictions

    def _compare_rules(self, place: int, ground: Ground, bars: pd.DatetimeIndex) -> None:
        """The rules' positions once more, before a crash or a rally."""
        cut = self.schedule.cuts[place]
        level = _CRASH if place % 2 else 1 / _CRASH
        market = self.bars.after(cut.row, self._rng(cut, "level"), level=level)
        weights = decide(self.made.spec, replace(ground, market=market), {}, models=False)
        self._insist(position_parts(self.made.weights, weights, bars), cut)

    def _compare_fills(self, place: int, ground: Ground, bars: pd.DatetimeIndex) -> None:
        cut, known = self.schedule.cuts[place], self.schedule.known(place)
        if known == "open":
            market = self.bars.after(cut.row, self._rng(cut, "open"), keep_open=True)
            ground = replace(ground, market=market)
        decided, real = {BOOK: self.restless.weights}, {BOOK: self.restless.book}
        if place in self.schedule.full:
            decided, real = {**decided, **self.made.weights}, {**real, **self.made.books}
        weights = {book: decisions_otherwise(own, len(bars) - 1) for book, own in decided.items()}
        for book, result in trade(self.made.spec, ground, weights).items():
            self._insist(fill_parts(book, real[book], result, bars, known=known), cut)
