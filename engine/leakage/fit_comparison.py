"""The fits of a run, compared with refits on altered bars and with predictions from these."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import LookaheadError, TrainingError
from engine.core.part_origin import find_external_parts
from engine.leakage.comparison import FIXES, format_bar
from engine.leakage.output_pairs import pair_fit_forecasts, pair_test_forecasts
from engine.leakage.retrain import RefitPair, fit_in_process, retrain, retrain_now, retrain_twice
from engine.pipeline.prepare import prepare_data
from engine.training.forecast import predict_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from engine.core.progress import Progress
    from engine.leakage.comparison import OutputPair
    from engine.leakage.cutoffs import Cutoff
    from engine.leakage.plan import ProbePlan
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.prepare import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore
    from engine.training.task import FitTask


@dataclass(frozen=True, eq=False)
class PerturbedData:
    """Data prepared from altered bars, and the tasks of the windows compared on it."""

    prepared: PreparedData
    task_pairs: list[tuple[FitTask, FitTask]]


def _is_retrained(task: FitTask) -> bool:
    """Whether a class that is not the engine's takes part in the fit."""
    return any(find_external_parts(task.model))


class FitComparison:
    """Compares the fits of a run with fits on altered bars, and with predictions from them.

    Args:
        result: The run.
        plan: Cutoffs, and which windows are fitted again.
        require_equal: Raises where a pair of outputs differs.
        rebuild: Index of a cutoff -> data and tasks from bars altered after it.

    Attributes:
        refit_counts: Index of a cutoff -> number of fits that were made again.
    """

    def __init__(
        self,
        result: BacktestResult,
        plan: ProbePlan,
        require_equal: Callable[[Iterable[OutputPair], Cutoff], None],
        rebuild: Callable[[int], PerturbedData],
    ) -> None:
        self.result = result
        self.plan = plan
        self.refit_counts: Counter[int] = Counter()
        self._require_equal = require_equal
        self._rebuild = rebuild
        self._windows = result.prepared.windows
        self._perturbed_data: dict[int, PerturbedData] = {}
        self._refitted: dict[int, list[tuple[RefitPair, FittedModel | TrainingError]]] = {}
        tasks = list(map(id, result.fits.tasks))
        self._original_models = dict(zip(tasks, result.fits.outcomes, strict=True))
        self._original_forecasts = dict(zip(tasks, result.fits.forecasts, strict=True))

    def retrain_costly(
        self, executor: Executor, store: FitStore, progress: Progress, *, fresh: bool
    ) -> None:
        """Retrains costly fits of a user's models, for `compare_at`."""
        fits = self.result.fits
        if any(_is_retrained(task) and task.model.costly for task in fits.tasks):
            for index in self.plan.refits:
                self._perturbed_data[index] = self._rebuild(index)
                pairs = self._refit_pairs(index, self._perturbed_data[index], costly=True)
                # Before any other bars are prepared: a fit may read what that leaves behind.
                outcomes = retrain(pairs, fits, executor, store, progress, fresh=fresh)
                self._refitted[index] = list(zip(pairs, outcomes, strict=True))

    def _refit_pairs(
        self, index: int, perturbed: PerturbedData, *, costly: bool
    ) -> list[RefitPair]:
        """Fits of the window that straddles a cutoff, by each book's first seed.

        A fit of the engine's own models is not made again: it was handed no test row, and the
        arrays that it was handed have been compared. What a user's `fit` reads beside them, only
        another fit can tell.
        """
        if index not in self.plan.refits:
            return []
        label = f"other bars after {format_bar(self._cutoff_bar(index))}"
        window = self.plan.straddling_window(index)
        return [
            RefitPair(real, other, label)
            for real, other in perturbed.task_pairs
            if window is not None
            and real.window == window.index
            and real.seed_index == 0
            and real.model.costly == costly
            and _is_retrained(real)
            and not isinstance(self._original_models[id(real)], TrainingError)
        ]

    def compare_at(self, index: int, executor: Executor) -> PerturbedData:
        """Compares the fits at one cutoff; returns what was rebuilt from the altered bars."""
        perturbed = self._perturbed_data.pop(index, None) or self._rebuild(index)
        self._compare_refits(index, perturbed, executor)
        self._compare_served_models(index, perturbed)
        return perturbed

    def _compare_refits(self, index: int, perturbed: PerturbedData, executor: Executor) -> None:
        cutoff = self.plan.cutoffs[index]
        for pair in self._refit_pairs(index, perturbed, costly=False):
            original = self._original_models[id(pair.original)]
            self._compare_fit(pair, original, fit_in_process(pair.perturbed), cutoff, perturbed)
            self.refit_counts[index] += 1
        for pair, outcome in self._refitted.pop(index, []):
            self.refit_counts[index] += 1
            original = self._original_models[id(pair.original)]
            try:
                self._compare_fit(pair, original, outcome, cutoff, perturbed)
            except LookaheadError:
                here = self._retrain_both(index, pair, executor)
                self._compare_fit(pair, *here, cutoff, perturbed)

    def _retrain_both(
        self, index: int, pair: RefitPair, executor: Executor
    ) -> tuple[FittedModel | TrainingError, FittedModel | TrainingError]:
        """Trains a fit and its refit here and now.

        Each time its own bars are prepared before: a fit may read what that leaves behind.
        """
        fits = self.result.fits
        prepare_data(self.result.spec, self.result.prepared.market)
        original = retrain_twice(pair.original, fits, executor)
        self._rebuild(index)
        (other,) = retrain_now({"other": pair.perturbed}, pair.original, fits, executor)
        return original, other

    def _compare_fit(
        self,
        pair: RefitPair,
        original: FittedModel | TrainingError,
        refitted: FittedModel | TrainingError,
        cutoff: Cutoff,
        perturbed: PerturbedData,
    ) -> None:
        window, prepared = self._windows[pair.original.window], self.result.prepared
        if isinstance(original, TrainingError) or isinstance(refitted, TrainingError):
            raise LookaheadError(
                f"Look-ahead: whether {pair.original} can be fitted depends on its test rows",
                expected="the same fit, whatever comes after the cut",
                found=f"{refitted} with {pair.label}",
                where=f"predictions: {pair.original}",
                fix=FIXES["predictions"],
            )
        symbol, test = pair.original.symbol, window.test
        one, two = (
            predict_window(fitted, data.feature_history, symbol, test)
            for fitted, data in ((original, prepared), (refitted, perturbed.prepared))
        )
        self._require_equal(
            pair_fit_forecasts(pair.original, one, two, window, cutoff.row, prepared), cutoff
        )

    def _compare_served_models(self, index: int, perturbed: PerturbedData) -> None:
        """Lets the run's own models, by their first seed, predict from the altered bars."""
        cutoff, history = self.plan.cutoffs[index], perturbed.prepared.feature_history
        for task, _ in perturbed.task_pairs:
            window, original = self._windows[task.window], self._original_forecasts[id(task)]
            if (
                task.seed_index
                or isinstance(original, TrainingError)
                or cutoff.row < window.test.start
            ):
                continue
            again = predict_window(original.fitted, history, task.symbol, window.test)
            self._require_equal(
                pair_test_forecasts(
                    task, original, again, window, cutoff.row, self.result.prepared
                ),
                cutoff,
            )

    def _cutoff_bar(self, index: int) -> pd.Timestamp:
        stamps = self.result.prepared.feature_history.features.timestamps
        return stamps[self.plan.cutoffs[index].row]
