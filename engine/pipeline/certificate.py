"""The leak certificate: the whole path again from other bars, and nothing before a cut changes.

Why less than all of it is made again at every cut, and why that is enough:

- A window that lies wholly before a cut is rebuilt at the first cut after it. What a later cut
  replaces, that one replaces too, so whatever depends on bars after the later one is seen there.
- Equal arrays are equal tasks: same key, same forecast. So only the window that holds a cut is
  fitted again, for its test rows after the cut are others. That is done at every cut by models
  that are fitted in no time, and at `REFITS` of the cuts by those whose fits are stored, by the
  first of several seeds: seeds share one problem, and differ in random draws alone.
- Forecasts after a cut are free, and are never the run's own: a threshold or a position that was
  taken from them changes.
- Other bars alone do not show a fill at the open of the very bar whose close decided it: up to the
  cut all bars are the same. So every decision from the cut on is replaced by another one as well,
  and nothing up to it may be filled otherwise; at every second cut the bar's own high, low, close
  and volume are replaced too, and its fills at the open may not change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.artifacts import seed_of
from engine.errors import CertificateError, RefitError
from engine.evaluation.certificate import REMEDIES, Comparison, Probe, certificate
from engine.evaluation.cuts import Cut, choose_cuts
from engine.evaluation.other_bars import OtherBars
from engine.pipeline.again import Again, made_here, refit_again
from engine.pipeline.books import decide, planned, stitched, trade
from engine.pipeline.ground import prepare
from engine.pipeline.otherwise import decisions_otherwise, forecast_otherwise
from engine.pipeline.twice import (
    fill_parts,
    forecast_parts,
    ground_parts,
    position_parts,
    prediction_parts,
    task_parts,
    threshold_parts,
)
from engine.refit.worker import fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from engine.evaluation.certificate import Part
    from engine.models import Forecast
    from engine.pipeline.ground import Ground
    from engine.progress import Progress
    from engine.refit.executor import Executor
    from engine.refit.fits import Fits
    from engine.refit.stitch import Predictions
    from engine.refit.store import Store
    from engine.refit.task import Task
    from engine.simulation.result import Result
    from engine.strategy import Strategy
    from engine.types import WideFrame
    from engine.windows.walk_forward import Window

REFITS = 2
"""Cuts at which the window that holds them is fitted again by models whose fits are stored."""


@dataclass(frozen=True, eq=False)
class Made:
    """What a run made, to be made again.

    Attributes:
        spec: The strategy.
        ground: What its books stand on.
        fits: All fits.
        predictions: Book -> stitched forecasts.
        weights: Book -> decisions.
        books: Book -> what they came to.
    """

    spec: Strategy
    ground: Ground
    fits: Fits
    predictions: Mapping[str, Predictions]
    weights: Mapping[str, WideFrame]
    books: Mapping[str, Result]


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
    certifier = _Certifier(made)
    refitted = certifier.refit(executor, store, told, fresh=fresh)
    for place, cut in enumerate(certifier.cuts):
        certifier.compare(place, refitted.get(place, []), executor)
        told.advance(place + 1, len(certifier.cuts), f"{certifier.bar(cut):%Y-%m-%d}, {cut.kind}")
    return certifier.document({place: len(fits) for place, fits in refitted.items()})


class _Certifier:
    """One run's cuts, and the comparison that goes over them."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.windows = made.ground.windows
        self.bars = OtherBars(made.ground.market)
        self.cuts = choose_cuts(
            [window.test for window in self.windows],
            quiet=self.bars.quiet,
            known=[coarse.latest for coarse in made.ground.history.coarse],
        )
        self.comparison = Comparison()
        self._rebuilt: dict[int, _Rebuilt] = {}
        self._real = dict(zip(map(id, made.fits.tasks), made.fits.outcomes, strict=True))

    def bar(self, cut: Cut) -> pd.Timestamp:
        """The last bar that is kept."""
        return self.made.ground.history.features.timestamps[cut.row]

    def refit(
        self, executor: Executor, store: Store, told: Progress, *, fresh: bool
    ) -> dict[int, list[tuple[Again, Forecast | RefitError]]]:
        """Fits whose models are costly, again at `REFITS` cuts: place of the cut -> fits."""
        asked: dict[int, list[Again]] = {}
        if any(task.model.costly for task in self.made.fits.tasks):
            for place in self._refit_places():
                self._rebuilt[place] = self._rebuild(place)
                asked[place] = self._again(self.cuts[place], self._rebuilt[place], costly=True)
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
        cut = self.cuts[place]
        rebuilt = self._rebuilt.pop(place, None) or self._rebuild(place)
        self._compare_fits(cut, rebuilt, refitted, executor)
        predictions = self._compare_predictions(cut, rebuilt.ground)
        weights = decide(self.made.spec, rebuilt.ground, predictions)
        tested = max(0, cut.row + 1 - self.windows[0].test.start)
        bars = self.made.ground.span[:tested]
        self._insist(position_parts(self.made.weights, weights, bars), cut)
        if tested:
            self._compare_fills(place, rebuilt.ground, bars)

    def document(self, refitted: Mapping[int, int]) -> dict[str, Any]:
        """What was done, once nothing was found."""
        spec, fits = self.made.spec, self.made.fits
        probes = [
            Probe(
                cut=cut,
                bar=self.bar(cut),
                window=None if (window := self._window_of(cut)) is None else window.index,
                replaced=len(self.made.ground.history.features.timestamps) - 1 - cut.row,
                refitted=refitted.get(place, 0),
                kept=self._kept(place),
            )
            for place, cut in enumerate(self.cuts)
        ]
        return certificate(
            probes,
            self.comparison.counts(),
            books=list(self.made.weights),
            costly=any(task.model.costly for task in fits.tasks),
            seeds=spec.seeds if any(task.member for task in fits.tasks) else 1,
        )

    def _insist(self, parts: Iterable[Part], cut: Cut) -> None:
        for part in parts:
            self.comparison.insist_same(part, self.bar(cut))

    def _rng(self, cut: Cut, purpose: str) -> np.random.Generator:
        bar = self.bar(cut).isoformat()
        return np.random.default_rng(seed_of(self.made.spec.seed, "certificate", bar, purpose))

    def _window_of(self, cut: Cut) -> Window | None:
        return next((window for window in self.windows if cut.row in window.test), None)

    def _windows(self, place: int) -> list[Window]:
        """Those that end between the cut before and this one, and the one that holds it."""
        row = self.cuts[place].row
        before = self.cuts[place - 1].row if place else -1
        return [
            window
            for window in self.windows
            if before < window.test.stop - 1 <= row
            or window.test.start - 1 <= row < window.test.stop - 1
        ]

    def _rebuild(self, place: int) -> _Rebuilt:
        """From other bars to the tasks, everything compared on the way."""
        cut, spec, real = self.cuts[place], self.made.spec, self.made.ground
        ground = prepare(spec, self.bars.after(cut.row, self._rng(cut, "bars")))
        self._insist(ground_parts(real, ground, cut.row), cut)
        windows = {window.index: window for window in self._windows(place)}
        own = [task for task in self.made.fits.tasks if task.window in windows]
        pairs = list(zip(own, planned(spec, ground, list(windows.values())), strict=True))
        seen = set()
        for task, other in pairs:
            if id(task.problem) not in seen:
                seen.add(id(task.problem))
                self._insist(task_parts(task, other, windows[task.window], cut.row, real), cut)
        return _Rebuilt(ground, pairs)

    def _refit_places(self) -> list[int]:
        """One cut behind the first bar of a window, the others in the middle of all there are."""
        inside = [
            place
            for place, cut in enumerate(self.cuts)
            if (window := self._window_of(cut)) and cut.row < window.test.stop - 1
        ]
        starts = [place for place in inside if self.cuts[place].kind == "window start"][:1]
        others = [place for place in inside if place not in starts]
        middle = max(0, (len(others) - (REFITS - len(starts))) // 2)
        return sorted([*starts, *others[middle : middle + REFITS - len(starts)]])

    def _again(self, cut: Cut, rebuilt: _Rebuilt, *, costly: bool) -> list[Again]:
        """The fits of the window that holds a cut, by each book's first seed."""
        window = self._window_of(cut)
        if window is None or cut.row == window.test.stop - 1:
            return []
        return [
            Again(real, other, f"other bars after {self.bar(cut):%Y-%m-%d %H:%M}")
            for real, other in rebuilt.pairs
            if real.window == window.index
            and real.member == 0
            and real.model.costly == costly
            and not isinstance(self._real[id(real)], RefitError)
        ]

    def _compare_fits(
        self,
        cut: Cut,
        rebuilt: _Rebuilt,
        refitted: Sequence[tuple[Again, Forecast | RefitError]],
        executor: Executor,
    ) -> None:
        for again in self._again(cut, rebuilt, costly=False):
            self._compare_fit(again, self._real[id(again.real)], _fitted(again.other), cut)
        for again, outcome in refitted:
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

    def _compare_predictions(self, cut: Cut, ground: Ground) -> dict[str, Predictions]:
        """Stitched again, with other forecasts after the cut."""
        made = self.made
        outcomes = [
            forecast_otherwise(outcome, self.windows[task.window], cut.row)
            for task, outcome in zip(made.fits.tasks, made.fits.outcomes, strict=True)
        ]
        predictions = stitched(made.spec, ground, replace(made.fits, outcomes=outcomes))
        for book, real in made.predictions.items():
            other = predictions[book]
            self._insist(prediction_parts(book, real, other, made.ground, cut.row), cut)
            self._insist(threshold_parts(book, real, other, made.spec, made.ground, cut.row), cut)
        return predictions

    def _kept(self, place: int) -> Literal["open", "close"]:
        """How much of the cut's bar the fills are probed with."""
        return "open" if place % 2 and self.made.spec.execution.price == "open" else "close"

    def _compare_fills(self, place: int, ground: Ground, bars: pd.DatetimeIndex) -> None:
        cut, kept = self.cuts[place], self._kept(place)
        if kept == "open":
            market = self.bars.after(cut.row, self._rng(cut, "open"), keep_open=True)
            ground = replace(ground, market=market)
        weights = {
            book: decisions_otherwise(decided, len(bars) - 1)
            for book, decided in self.made.weights.items()
        }
        for book, result in trade(self.made.spec, ground, weights).items():
            self._insist(fill_parts(book, self.made.books[book], result, bars, kept=kept), cut)


def _fitted(task: Task) -> Forecast | RefitError:
    try:
        return fit(task)
    except RefitError as error:
        return error
