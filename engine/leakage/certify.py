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
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import LookaheadError, TrainingError
from engine.core.randomness import derive_seed
from engine.leakage.alternating import ALTERNATING_BOOK, AlternatingProbe
from engine.leakage.comparison import (
    FIXES,
    OutputComparison,
    ProbeSummary,
    build_certificate,
    format_bar,
)
from engine.leakage.cutoffs import Cutoff, choose_cutoffs
from engine.leakage.fill_prices import check_fill_prices
from engine.leakage.output_pairs import (
    pair_fills,
    pair_fit_forecasts,
    pair_positions,
    pair_predictions,
    pair_prepared_data,
    pair_task_arrays,
    pair_thresholds,
)
from engine.leakage.perturb import perturb_forecast, perturb_weights
from engine.leakage.plan import ProbePlan
from engine.leakage.retrain import RefitPair, fit_in_process, retrain, retrain_both
from engine.leakage.synthetic_bars import SyntheticFuture
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import (
    assemble_predictions,
    decide_positions,
    make_window_tasks,
    simulate_books,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from engine.core.progress import Progress
    from engine.leakage.comparison import OutputPair
    from engine.models import Forecast
    from engine.pipeline.prepare import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.runs.documents import Certificate
    from engine.training.executors.base import Executor
    from engine.training.out_of_sample import Predictions
    from engine.training.store import FitStore
    from engine.training.task import FitTask

_CRASH_FACTOR = 0.2
"""Of the prices before: no moving average of a hundred bars looks past it."""


@dataclass(frozen=True, eq=False)
class _PerturbedData:
    """A ground of other bars, and the tasks of the windows that are compared on it."""

    prepared: PreparedData
    task_pairs: list[tuple[FitTask, FitTask]]


def run_leakage_test(
    result: BacktestResult, executor: Executor, store: FitStore, progress: Progress, *, fresh: bool
) -> Certificate:
    """`certificate.json` of a run that knows nothing of what comes later.

    Args:
        result: The run.
        executor: Who trains the few fits that are made again, where they are not stored.
        store: Of fits.
        progress: Which cut is done.
        fresh: As in `refit`.

    Raises:
        LookaheadError: Something up to a cut is not what it was: the first stage, column and
            bar of which that is so.
    """
    check_fill_prices(result.spec, result.prepared, result.books)
    certifier = _LeakageTest(result)
    refitted = certifier.retrain_costly(executor, store, progress, fresh=fresh)
    cuts = certifier.plan.cutoffs
    for place, cut in enumerate(cuts):
        certifier.compare_at(place, refitted.get(place, []), executor)
        progress.advance(
            place + 1, len(cuts), f"{format_bar(certifier.cutoff_bar(cut))}, {cut.kind}"
        )
    return certifier.build_document()


class _LeakageTest:
    """One run's cuts, and the comparison that goes over them."""

    def __init__(self, result: BacktestResult) -> None:
        self.result = result
        self.windows = result.prepared.windows
        self.synthetic_future = SyntheticFuture(result.prepared.market)
        cuts = choose_cutoffs(
            [window.test for window in self.windows],
            inactive_bars=self.synthetic_future.inactive_bars,
            latest_coarse_bars=[
                coarse.latest for coarse in result.prepared.feature_history.coarse
            ],
        )
        self.plan = ProbePlan(cuts, self.windows, result.spec.execution.price)
        self.comparison = OutputComparison()
        self.alternating = AlternatingProbe(result)
        self._perturbed_data: dict[int, _PerturbedData] = {}
        self._refit_counts: Counter[int] = Counter()
        self._original_outcomes = dict(
            zip(map(id, result.fits.tasks), result.fits.outcomes, strict=True)
        )

    def cutoff_bar(self, cutoff: Cutoff) -> pd.Timestamp:
        """The last bar that is kept."""
        return self.result.prepared.feature_history.features.timestamps[cutoff.row]

    def retrain_costly(
        self, executor: Executor, store: FitStore, progress: Progress, *, fresh: bool
    ) -> dict[int, list[tuple[RefitPair, Forecast | TrainingError]]]:
        """Costly fits again: place of the cut -> fits."""
        asked: dict[int, list[RefitPair]] = {}
        if any(task.model.costly for task in self.result.fits.tasks):
            for place in self.plan.refits:
                self._perturbed_data[place] = self._build_perturbed_data(place)
                asked[place] = self._refit_pairs(place, self._perturbed_data[place], costly=True)
        flat = [again for of_cut in asked.values() for again in of_cut]
        outcomes = iter(retrain(flat, self.result.fits, executor, store, progress, fresh=fresh))
        return {
            place: [(again, next(outcomes)) for again in of_cut] for place, of_cut in asked.items()
        }

    def compare_at(
        self,
        index: int,
        retrained: Sequence[tuple[RefitPair, Forecast | TrainingError]],
        executor: Executor,
    ) -> None:
        """Everything up to one cut, in the order of the stages."""
        cut = self.plan.cutoffs[index]
        rebuilt = self._perturbed_data.pop(index, None) or self._build_perturbed_data(index)
        self._compare_fits(index, rebuilt, retrained, executor)
        predictions = self._compare_predictions(index, rebuilt.prepared)
        weights = decide_positions(self.result.spec, rebuilt.prepared, predictions)
        tested = max(0, cut.row + 1 - self.windows[0].test.start)
        bars = self.result.prepared.span[:tested]
        self._require_equal(pair_positions(self.result.weights, weights, bars), cut)
        if tested:
            self._require_equal(self.alternating.pair_positions(rebuilt.prepared, tested - 1), cut)
            self._compare_rules(index, rebuilt.prepared, bars)
            self._compare_fills(index, rebuilt.prepared, bars)

    def build_document(self) -> Certificate:
        """What was done, once nothing was found."""
        spec, fits = self.result.spec, self.result.fits
        probes = [
            ProbeSummary(
                cutoff=cut,
                bar=self.cutoff_bar(cut),
                window=None if (window := self.plan.window_of(place)) is None else window.index,
                n_replaced_bars=len(self.result.prepared.feature_history.features.timestamps)
                - 1
                - cut.row,
                n_refits=self._refit_counts[place],
                price_known=self.plan.price_known(place),
            )
            for place, cut in enumerate(self.plan.cutoffs)
        ]
        return build_certificate(
            probes,
            self.comparison.count_compared(),
            books=list(self.result.weights),
            seeds=spec.seeds if any(task.seed_index for task in fits.tasks) else 1,
        )

    def _require_equal(self, pairs: Iterable[OutputPair], cutoff: Cutoff) -> None:
        for part in pairs:
            self.comparison.require_equal(part, self.cutoff_bar(cutoff))

    def _rng(self, cutoff: Cutoff, purpose: str) -> np.random.Generator:
        bar = self.cutoff_bar(cutoff).isoformat()
        return np.random.default_rng(
            derive_seed(self.result.spec.seed, "certificate", bar, purpose)
        )

    def _build_perturbed_data(self, index: int) -> _PerturbedData:
        """From other bars to the tasks, everything compared on the way."""
        cut, spec, real = self.plan.cutoffs[index], self.result.spec, self.result.prepared
        ground = prepare_data(
            spec, self.synthetic_future.replace_after(cut.row, self._rng(cut, "bars"))
        )
        self._require_equal(pair_prepared_data(real, ground, cut.row), cut)
        windows = {window.index: window for window in self.plan.windows_to_rebuild(index)}
        own = [task for task in self.result.fits.tasks if task.window in windows]
        pairs = list(
            zip(own, make_window_tasks(spec, ground, list(windows.values())), strict=True)
        )
        seen = set()
        for task, other in pairs:
            if id(task.dataset) not in seen:
                seen.add(id(task.dataset))
                self._require_equal(
                    pair_task_arrays(task, other, windows[task.window], cut.row, real), cut
                )
        return _PerturbedData(ground, pairs)

    def _refit_pairs(
        self, index: int, perturbed: _PerturbedData, *, costly: bool
    ) -> list[RefitPair]:
        """Fits of the window that holds a cut, by each book's first seed."""
        if index not in self.plan.refits:
            return []
        label = f"other bars after {format_bar(self.cutoff_bar(self.plan.cutoffs[index]))}"
        window = self.plan.straddling_window(index)
        return [
            RefitPair(real, other, label)
            for real, other in perturbed.task_pairs
            if window is not None
            and real.window == window.index
            and real.seed_index == 0
            and real.model.costly == costly
            and not isinstance(self._original_outcomes[id(real)], TrainingError)
        ]

    def _compare_fits(
        self,
        index: int,
        perturbed: _PerturbedData,
        retrained: Sequence[tuple[RefitPair, Forecast | TrainingError]],
        executor: Executor,
    ) -> None:
        cut = self.plan.cutoffs[index]
        for again in self._refit_pairs(index, perturbed, costly=False):
            self._compare_fit(
                again,
                self._original_outcomes[id(again.original)],
                fit_in_process(again.perturbed),
                cut,
            )
            self._refit_counts[index] += 1
        for again, outcome in retrained:
            self._refit_counts[index] += 1
            try:
                self._compare_fit(again, self._original_outcomes[id(again.original)], outcome, cut)
            except LookaheadError:
                here = retrain_both(again, self.result.fits, executor)
                self._compare_fit(again, *here, cut)

    def _compare_fit(
        self,
        pair: RefitPair,
        original: Forecast | TrainingError,
        perturbed: Forecast | TrainingError,
        cutoff: Cutoff,
    ) -> None:
        window, ground = self.windows[pair.original.window], self.result.prepared
        if isinstance(original, TrainingError) or isinstance(perturbed, TrainingError):
            raise LookaheadError(
                f"Look-ahead: whether {pair.original} can be fitted depends on its test rows",
                expected="the same fit, whatever comes after the cut",
                found=f"{perturbed} with {pair.label}",
                where=f"predictions: {pair.original}",
                fix=FIXES["predictions"],
            )
        self._require_equal(
            pair_fit_forecasts(pair.original, original, perturbed, window, cutoff.row, ground),
            cutoff,
        )

    def _compare_predictions(self, index: int, prepared: PreparedData) -> dict[str, Predictions]:
        """Stitched again, with other forecasts after the cut."""
        made, cut = self.result, self.plan.cutoffs[index]
        outcomes = [
            perturb_forecast(outcome, self.windows[task.window], cut.row, up=index % 2 == 1)
            for task, outcome in zip(made.fits.tasks, made.fits.outcomes, strict=True)
        ]
        predictions = assemble_predictions(
            made.spec, prepared, replace(made.fits, outcomes=outcomes)
        )
        for book, real in made.predictions.items():
            other = predictions[book]
            self._require_equal(pair_predictions(book, real, other, made.prepared, cut.row), cut)
            self._require_equal(
                pair_thresholds(book, real, other, made.spec, made.prepared, cut.row), cut
            )
        return predictions

    def _compare_rules(self, index: int, prepared: PreparedData, bars: pd.DatetimeIndex) -> None:
        """The rules' positions once more, before a crash or a rally."""
        cut = self.plan.cutoffs[index]
        level = _CRASH_FACTOR if index % 2 else 1 / _CRASH_FACTOR
        market = self.synthetic_future.replace_after(
            cut.row, self._rng(cut, "level"), price_factor=level
        )
        weights = decide_positions(
            self.result.spec, replace(prepared, market=market), {}, include_models=False
        )
        self._require_equal(pair_positions(self.result.weights, weights, bars), cut)

    def _compare_fills(self, index: int, prepared: PreparedData, bars: pd.DatetimeIndex) -> None:
        cut, known = self.plan.cutoffs[index], self.plan.price_known(index)
        if known == "open":
            market = self.synthetic_future.replace_after(
                cut.row, self._rng(cut, "open"), keep_open=True
            )
            prepared = replace(prepared, market=market)
        decided, real = (
            {ALTERNATING_BOOK: self.alternating.weights},
            {ALTERNATING_BOOK: self.alternating.simulation_result},
        )
        if index in self.plan.full_simulations:
            decided, real = {**decided, **self.result.weights}, {**real, **self.result.books}
        weights = {book: perturb_weights(own, len(bars) - 1) for book, own in decided.items()}
        for book, result in simulate_books(self.result.spec, prepared, weights).items():
            self._require_equal(pair_fills(book, real[book], result, bars, price_known=known), cut)
