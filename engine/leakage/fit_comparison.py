"""The fits of a run, compared with refits on altered bars and with predictions from these."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import LookaheadError, TrainingError
from engine.core.hashing import canonical_json
from engine.core.part_origin import DIGEST_LENGTH, describe_parts, find_external_parts
from engine.leakage.comparison import FIXES, format_bar
from engine.leakage.cutoffs import Cutoff
from engine.leakage.output_pairs import pair_fit_forecasts, pair_test_forecasts
from engine.leakage.plan import N_REFIT_DRAWS
from engine.leakage.retrain import RefitPair, fit_in_process, retrain, retrain_now, retrain_twice
from engine.pipeline.prepare import prepare_data
from engine.training.forecast import predict_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from engine.core.progress import Progress
    from engine.leakage.comparison import OutputPair
    from engine.leakage.plan import ProbePlan, RefitDraw
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore
    from engine.training.task import FitTask


@dataclass(frozen=True, eq=False)
class PerturbedData:
    """Data prepared from altered bars, and the tasks of the windows compared on it."""

    prepared: PreparedData
    task_pairs: list[tuple[FitTask, FitTask]]


def _digest_parts(spec: Strategy) -> str:
    """Of the sources of a user's parts: another feature may leave other bars for a fit to read."""
    parts = describe_parts(spec)
    if not parts:
        return ""
    digest = hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:DIGEST_LENGTH]
    return f", parts {digest}"


def _is_retrained(task: FitTask) -> bool:
    """Whether a class that is not the engine's takes part in the fit."""
    return any(find_external_parts(task.model))


def _is_refitted_everywhere(task: FitTask) -> bool:
    return task.seed_index == 0 and not task.model.costly and _is_retrained(task)


class FitComparison:
    """Compares the fits of a run with fits on altered bars, and with predictions from them.

    Args:
        result: The run.
        plan: Cutoffs, and which windows are fitted again.
        require_equal: Raises where a pair of outputs differs.
        rebuild: Index of a cutoff -> data and tasks from bars altered after it.
        rebuild_draw: The same of one future that a user's models are fitted again before.
        prepare_future: Cutoff and number -> prepares data from bars that are altered after it.

    Attributes:
        refit_counts: Index of a cutoff -> number of fits that were made again.
        draw_counts: Book and symbol -> number of futures before which it was fitted again.
    """

    def __init__(
        self,
        result: BacktestResult,
        plan: ProbePlan,
        require_equal: Callable[[Iterable[OutputPair], Cutoff], None],
        rebuild: Callable[[int], PerturbedData],
        rebuild_draw: Callable[[RefitDraw], PerturbedData],
        prepare_future: Callable[[Cutoff, int], PreparedData],
    ) -> None:
        self.result = result
        self.plan = plan
        self.refit_counts: Counter[int] = Counter()
        self.draw_counts: Counter[tuple[str, str]] = Counter()
        self._require_equal = require_equal
        self._rebuild = rebuild
        self._rebuild_draw = rebuild_draw
        self._prepare_future = prepare_future
        self._windows = result.prepared.windows
        self._retrained_here: dict[int, FittedModel | TrainingError] = {}
        tasks = list(map(id, result.fits.tasks))
        self._original_models = dict(zip(tasks, result.fits.outcomes, strict=True))
        self._original_forecasts = dict(zip(tasks, result.fits.forecasts, strict=True))

    @property
    def has_cheap_user_models(self) -> bool:
        """The same of a fit that is cheap."""
        return any(map(_is_refitted_everywhere, self.result.fits.tasks))

    @property
    def has_user_models(self) -> bool:
        """Whether a class that is not the engine's takes part in a fit."""
        return any(map(_is_retrained, self.result.fits.tasks))

    def compare_draws(
        self, executor: Executor, store: FitStore, progress: Progress, *, fresh: bool
    ) -> None:
        """Fits a user's models again before several other futures, and compares each fit.

        A fit that chooses by its test rows, such as a sign or a penalty, makes the same choice
        before some other rows. Each future is drawn anew whatever the arrays of the fit are: what
        it reads beside them is what is looked for.
        """
        fits = self.result.fits
        if not self.has_user_models:
            return
        for draw in self.plan.refit_draws:
            label = f"other bars after {format_bar(self._cutoff_bar(draw.cutoff))}, draw "
            label += f"{draw.number}{_digest_parts(self.result.spec)}"
            task_pairs = self._rebuild_draw(draw).task_pairs
            cheap, costly = (
                self._refit_pairs(draw.cutoff, task_pairs, label, costly=costly)
                for costly in (False, True)
            )
            # Before any other bars are prepared: a fit may read what that leaves behind.
            outcomes = [fit_in_process(pair.perturbed) for pair in cheap]
            outcomes += retrain(costly, fits, executor, store, progress, fresh=fresh)
            for pair, outcome in zip([*cheap, *costly], outcomes, strict=True):
                self._compare_drawn_fit(draw, pair, outcome, executor)

    def compare_windows(self, chosen: Sequence[WalkForwardWindow]) -> None:
        """Fits a user's cheap models again in some windows, before several futures of each.

        They are handed the arrays of the run, which are compared by themselves. One of the futures
        has the other direction over any span.
        """
        for window in chosen:
            cutoff = Cutoff(window.test.start - 1, "window end")
            tasks = [
                task
                for task in self.result.fits.tasks
                if task.window == window.index
                and _is_refitted_everywhere(task)
                and not isinstance(self._original_models[id(task)], TrainingError)
            ]
            for number in range(N_REFIT_DRAWS if tasks else 0):
                self._prepare_future(cutoff, number)
                for task in tasks:
                    pair = RefitPair(task, task, f"other bars after its row {cutoff.row}")
                    original = self._original_models[id(task)]
                    self._compare_fit(pair, original, fit_in_process(task), cutoff)

    def _compare_drawn_fit(
        self,
        draw: RefitDraw,
        pair: RefitPair,
        outcome: FittedModel | TrainingError,
        executor: Executor,
    ) -> None:
        cutoff, task = self.plan.cutoffs[draw.cutoff], pair.original
        self._count_refit(draw.cutoff, task)
        original = self._retrained_here.get(id(task), self._original_models[id(task)])
        try:
            self._compare_fit(pair, original, outcome, cutoff)
        except LookaheadError:
            if not task.model.costly:
                raise
            here = self._retrain_original(task, executor)
            fits = self.result.fits
            self._rebuild_draw(draw)
            (again,) = retrain_now({"other": pair.perturbed}, task, fits, executor)
            self._compare_fit(pair, here, again, cutoff)

    def _retrain_original(self, task: FitTask, executor: Executor) -> FittedModel | TrainingError:
        """A fit of the run, trained here and now, after its own bars were prepared."""
        if id(task) not in self._retrained_here:
            prepare_data(self.result.spec, self.result.prepared.market)
            self._retrained_here[id(task)] = retrain_twice(task, self.result.fits, executor)
        return self._retrained_here[id(task)]

    def _refit_pairs(
        self,
        index: int,
        task_pairs: list[tuple[FitTask, FitTask]],
        label: str,
        *,
        costly: bool,
    ) -> list[RefitPair]:
        """Fits of the window whose test rows a cutoff replaces, by each book's first seed.

        A fit of the engine's own models is not made again: it was handed no test row, and the
        arrays that it was handed have been compared. What a user's `fit` reads beside them, only
        another fit can tell.
        """
        window = self.plan.window_to_refit(index)
        return [
            RefitPair(real, other, label)
            for real, other in task_pairs
            if window is not None
            and real.window == window.index
            and real.seed_index == 0
            and real.model.costly == costly
            and _is_retrained(real)
            and not isinstance(self._original_models[id(real)], TrainingError)
        ]

    def _count_refit(self, index: int, task: FitTask) -> None:
        self.refit_counts[index] += 1
        self.draw_counts[task.book, task.symbol] += 1

    def compare_at(self, index: int) -> PerturbedData:
        """Compares the fits at one cutoff; returns what was rebuilt from the altered bars."""
        perturbed, cutoff = self._rebuild(index), self.plan.cutoffs[index]
        label = f"other bars after {format_bar(self._cutoff_bar(index))}"
        for pair in self._refit_pairs(index, perturbed.task_pairs, label, costly=False):
            original = self._original_models[id(pair.original)]
            self._compare_fit(pair, original, fit_in_process(pair.perturbed), cutoff)
            self._count_refit(index, pair.original)
        self._compare_served_models(index, perturbed)
        return perturbed

    def _compare_fit(
        self,
        pair: RefitPair,
        original: FittedModel | TrainingError,
        refitted: FittedModel | TrainingError,
        cutoff: Cutoff,
    ) -> None:
        """Compares what both predict from the real bars, on all rows of the window."""
        window, prepared = self._windows[pair.original.window], self.result.prepared
        if isinstance(original, TrainingError) or isinstance(refitted, TrainingError):
            raise LookaheadError(
                f"Look-ahead: whether {pair.original} can be fitted depends on its test rows",
                expected="the same fit, whatever comes after the cut",
                found=f"{refitted} with {pair.label}",
                where=f"predictions: {pair.original}",
                fix=FIXES["predictions"],
            )
        symbol, history = pair.original.symbol, prepared.feature_history
        one, two = (
            predict_window(fitted, history, symbol, window.test) for fitted in (original, refitted)
        )
        last = window.test.stop - 1
        self._require_equal(
            pair_fit_forecasts(pair.original, one, two, window, last, prepared), cutoff
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
