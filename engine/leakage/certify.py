"""The leakage test of one run: rebuilds it from altered bars and compares what came before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.randomness import derive_seed
from engine.leakage.alternating import ALTERNATING_BOOK, AlternatingProbe
from engine.leakage.comparison import (
    OutputComparison,
    ProbeSummary,
    build_certificate,
    format_bar,
)
from engine.leakage.cutoffs import Cutoff, choose_cutoffs
from engine.leakage.fill_prices import check_fill_prices
from engine.leakage.fit_comparison import FitComparison, PerturbedData
from engine.leakage.output_pairs import (
    pair_fills,
    pair_positions,
    pair_predictions,
    pair_prepared_data,
    pair_task_arrays,
    pair_thresholds,
)
from engine.leakage.perturb import perturb_forecast, perturb_weights
from engine.leakage.plan import ProbePlan
from engine.leakage.synthetic_bars import SyntheticFuture
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import (
    assemble_predictions,
    decide_positions,
    make_window_tasks,
    simulate_books,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from engine.core.progress import Progress
    from engine.leakage.comparison import OutputPair
    from engine.pipeline.prepare import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.runs.documents import Certificate
    from engine.training.executors.base import Executor
    from engine.training.out_of_sample import Predictions
    from engine.training.store import FitStore

_CRASH_FACTOR = 0.2
"""Factor on prices; large enough to move an average of a hundred bars."""


def run_leakage_test(
    result: BacktestResult, executor: Executor, store: FitStore, progress: Progress, *, fresh: bool
) -> Certificate:
    """Runs the leakage test and returns `certificate.json` where no look-ahead is detected.

    Args:
        result: The run.
        executor: Trains the few refits that are not stored.
        store: Of fits.
        progress: Is advanced after each cutoff.
        fresh: As in `fit_and_predict`.

    Raises:
        LookaheadError: A value at or before a cutoff changed; names the first stage, column and
            bar.
    """
    check_fill_prices(result.spec, result.prepared, result.books)
    certifier = _LeakageTest(result)
    certifier.fits.retrain_costly(executor, store, progress, fresh=fresh)
    cuts = certifier.plan.cutoffs
    for index, cutoff in enumerate(cuts):
        certifier.compare_at(index, executor)
        progress.advance(
            index + 1, len(cuts), f"{format_bar(certifier.cutoff_bar(cutoff))}, {cutoff.kind}"
        )
    return certifier.build_document()


class _LeakageTest:
    """The cutoffs of one run, and the comparison over them."""

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
        self.fits = FitComparison(
            result, self.plan, self._require_equal, self._build_perturbed_data
        )

    def cutoff_bar(self, cutoff: Cutoff) -> pd.Timestamp:
        """The last bar that is kept."""
        return self.result.prepared.feature_history.features.timestamps[cutoff.row]

    def compare_at(self, index: int, executor: Executor) -> None:
        """Compares everything up to one cutoff, in the order of the stages."""
        cutoff = self.plan.cutoffs[index]
        rebuilt = self.fits.compare_at(index, executor)
        predictions = self._compare_predictions(index, rebuilt.prepared)
        weights = decide_positions(self.result.spec, rebuilt.prepared, predictions)
        tested = max(0, cutoff.row + 1 - self.windows[0].test.start)
        bars = self.result.prepared.span[:tested]
        self._require_equal(pair_positions(self.result.weights, weights, bars), cutoff)
        if tested:
            self._require_equal(
                self.alternating.pair_positions(rebuilt.prepared, tested - 1), cutoff
            )
            self._compare_rules(index, rebuilt.prepared, bars)
            self._compare_fills(index, rebuilt.prepared, bars)

    def build_document(self) -> Certificate:
        """`certificate.json`, once every comparison has passed."""
        spec, fits = self.result.spec, self.result.fits
        probes = [
            ProbeSummary(
                cutoff=cutoff,
                bar=self.cutoff_bar(cutoff),
                window=None if (window := self.plan.window_of(index)) is None else window.index,
                n_replaced_bars=len(self.result.prepared.feature_history.features.timestamps)
                - 1
                - cutoff.row,
                n_refits=self.fits.refit_counts[index],
                price_known=self.plan.price_known(index),
            )
            for index, cutoff in enumerate(self.plan.cutoffs)
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

    def _build_perturbed_data(self, index: int) -> PerturbedData:
        """Prepares data and tasks from altered bars, and compares each of them."""
        cutoff, spec, real = self.plan.cutoffs[index], self.result.spec, self.result.prepared
        prepared = prepare_data(
            spec,
            self.synthetic_future.replace_after(cutoff.row, self._rng(cutoff, "bars")),
            real.rates.replace_from(self.cutoff_bar(cutoff), self._rng(cutoff, "rates")),
        )
        self._require_equal(pair_prepared_data(real, prepared, cutoff.row), cutoff)
        windows = {window.index: window for window in self.plan.windows_to_rebuild(index)}
        own = [task for task in self.result.fits.tasks if task.window in windows]
        pairs = list(
            zip(own, make_window_tasks(spec, prepared, list(windows.values())), strict=True)
        )
        seen = set()
        for task, other in pairs:
            if id(task.training_set) not in seen:
                seen.add(id(task.training_set))
                self._require_equal(
                    pair_task_arrays(task, other, windows[task.window], real), cutoff
                )
        return PerturbedData(prepared, pairs)

    def _compare_predictions(self, index: int, prepared: PreparedData) -> dict[str, Predictions]:
        """Assembles predictions again, with other forecasts after the cutoff."""
        result, cutoff = self.result, self.plan.cutoffs[index]
        forecasts = [
            perturb_forecast(outcome, self.windows[task.window], cutoff.row, up=index % 2 == 1)
            for task, outcome in zip(result.fits.tasks, result.fits.forecasts, strict=True)
        ]
        predictions = assemble_predictions(
            result.spec, prepared, replace(result.fits, forecasts=forecasts)
        )
        for book, real in result.predictions.items():
            other = predictions[book]
            self._require_equal(
                pair_predictions(book, real, other, result.prepared, cutoff.row), cutoff
            )
            self._require_equal(
                pair_thresholds(book, real, other, result.spec, result.prepared, cutoff.row),
                cutoff,
            )
        return predictions

    def _compare_rules(self, index: int, prepared: PreparedData, bars: pd.DatetimeIndex) -> None:
        """Compares the benchmark rules' positions before a crash or a rally."""
        cutoff = self.plan.cutoffs[index]
        level = _CRASH_FACTOR if index % 2 else 1 / _CRASH_FACTOR
        market = self.synthetic_future.replace_after(
            cutoff.row, self._rng(cutoff, "level"), price_factor=level
        )
        weights = decide_positions(
            self.result.spec, replace(prepared, market=market), {}, include_models=False
        )
        self._require_equal(pair_positions(self.result.weights, weights, bars), cutoff)

    def _compare_fills(self, index: int, prepared: PreparedData, bars: pd.DatetimeIndex) -> None:
        cutoff, known = self.plan.cutoffs[index], self.plan.price_known(index)
        if known == "open":
            market = self.synthetic_future.replace_after(
                cutoff.row, self._rng(cutoff, "open"), keep_open=True
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
            self._require_equal(
                pair_fills(book, real[book], result, bars, price_known=known), cutoff
            )
