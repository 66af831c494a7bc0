"""The leakage test of one run: rebuilds it from altered bars and compares what came before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import ContractError, InvalidBarsError
from engine.core.randomness import derive_seed
from engine.leakage.book_probe import BookProbe
from engine.leakage.comparison import (
    OutputComparison,
    ProbeSummary,
    build_certificate,
    format_bar,
)
from engine.leakage.cutoffs import Cutoff, choose_cutoffs
from engine.leakage.data_probe import count_resampled
from engine.leakage.fill_prices import check_fill_prices
from engine.leakage.fit_comparison import FitComparison, PerturbedData
from engine.leakage.join_probe import probe_join
from engine.leakage.marks import check_marks
from engine.leakage.mirrored_bars import mirror_after
from engine.leakage.output_pairs import (
    pair_cost_rates,
    pair_prepared_data,
    pair_rates,
    pair_task_arrays,
    require_same_fits,
)
from engine.leakage.plan import N_REFIT_DRAWS, N_REFIT_WINDOWS, ProbePlan, RefitDraw
from engine.leakage.prediction_probe import probe_predictions
from engine.leakage.preparation_probe import probe_preparation
from engine.leakage.replay import check_decisions, check_fills
from engine.leakage.rounding import TRANSFORM_ROUNDING, settle_features
from engine.leakage.scenarios import PRICE_FACTOR
from engine.leakage.synthetic_bars import SyntheticFuture
from engine.leakage.window_probe import probe_edges
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import make_window_tasks
from engine.simulation.costs import Costs

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from engine.core.progress import Progress
    from engine.data import Market
    from engine.data.rates import InterestRates
    from engine.leakage.comparison import OutputPair
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.runs.documents import Certificate
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore


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
        ContractError: A part breaks a rule of its base class on other bars, which are valid too.
    """
    try:
        return _run(result, executor, store, progress, fresh=fresh)
    except (ContractError, InvalidBarsError) as error:
        place = f"{error.where}, " if error.where else ""
        error.where = place + _ON_OTHER_BARS
        raise


COST_CUTS = 32
"""Bars before which other bars follow, where what fills pay is estimated from bars."""

RATE_CUTS = 128
"""Bars before which other interest rates follow, where they are read from files."""

MAX_REFIT_CELLS = 2**23
"""Bars of all symbols, over the windows and futures before which cheap models are fitted again:
of more, some windows are drawn."""

_ON_OTHER_BARS = (
    "on bars that the leakage test made up: valid ones, whose prices move further than real ones"
)


def _run(
    result: BacktestResult, executor: Executor, store: FitStore, progress: Progress, *, fresh: bool
) -> Certificate:
    certifier = _LeakageTest(result)
    probe_join(result.prepared.market, result.spec.seed, certifier.comparison)
    alternating = certifier.books.alternating
    for weights, books in (
        (result.weights, result.books),
        (alternating.simulated_weights, alternating.simulation_results),
    ):
        check_fill_prices(result.spec, result.prepared, books)
        check_fills(result.spec, result.prepared, weights, books)
        check_marks(result.spec, result.prepared, books)
    certifier.books.compare_own_thresholds()
    probe_edges(result, certifier.synthetic_future, certifier.comparison)
    preparation = probe_preparation(result, certifier.comparison)
    certifier.fits.compare_windows(certifier.refitted_windows)
    certifier.fits.compare_draws(executor, store, progress, fresh=fresh)
    probe_predictions(result, certifier.comparison)
    certifier.books.compare_thresholds()
    certifier.compare_rates()
    certifier.compare_costs()
    cuts = certifier.plan.cutoffs
    for index, cutoff in enumerate(cuts):
        certifier.compare_at(index)
        progress.advance(
            index + 1, len(cuts), f"{format_bar(certifier.cutoff_bar(cutoff))}, {cutoff.kind}"
        )
    certifier.books.compare_rare_positions()
    check_decisions(result.spec, result.prepared, result.predictions, result.weights)
    return certifier.build_document() | preparation.to_document()


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
        self.books = BookProbe(
            result, self.plan, self.synthetic_future, self._require_equal, self._rng
        )
        self.fits = FitComparison(
            result,
            self.plan,
            self._require_equal,
            self._build_perturbed_data,
            self._build_draw,
            self._prepare_future,
        )
        self.refitted_windows = self._choose_refitted() if self.fits.has_cheap_user_models else ()

    def cutoff_bar(self, cutoff: Cutoff) -> pd.Timestamp:
        """The last bar that is kept."""
        return self.result.prepared.feature_history.features.timestamps[cutoff.row]

    def compare_at(self, index: int) -> None:
        """Compares everything up to one cutoff, in the order of the stages."""
        rebuilt = self.fits.compare_at(index)
        self.books.compare_at(index, rebuilt.prepared)

    def compare_rates(self) -> None:
        """Compares the interest rates of files before other ones, at many bars: that is cheap."""
        real = self.result.prepared
        if not real.rates.files:
            return
        first, last = self.windows[0].test.start, self.windows[-1].test.stop - 1
        chooser = self._rng(self.plan.cutoffs[0], "rows of rates")
        for row in np.unique(chooser.integers(first, last, RATE_CUTS)).tolist():
            cutoff = Cutoff(row, "inside a window")
            rates = real.rates.replace_from(self.cutoff_bar(cutoff), self._rng(cutoff, "rates"))
            self._require_equal(pair_rates(real, replace(real, rates=rates), row), cutoff)

    def compare_costs(self) -> None:
        """Compares what fills pay before other bars, at further bars: that is cheap."""
        real, costs = self.result.prepared, self.result.spec.costs
        if not costs.known_before_fill or isinstance(costs, Costs):
            return
        spec = self.result.spec
        own = spec.cost_rates(real.market)
        first, last = self.windows[0].test.start, self.windows[-1].test.stop - 1
        chooser = self._rng(self.plan.cutoffs[0], "rows of costs")
        for row in np.unique(chooser.integers(first, last, COST_CUTS)).tolist():
            cutoff = Cutoff(row, "inside a window")
            altered = self.synthetic_future.replace_after(row, self._rng(cutoff, "costs"))
            pairs = pair_cost_rates(
                costs, own, spec.cost_rates(altered), row, panel=real.market.is_panel
            )
            self._require_equal(pairs, cutoff)

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
                price_known=self.plan.price_known,
            )
            for index, cutoff in enumerate(self.plan.cutoffs)
        ]
        return build_certificate(
            probes,
            count_resampled(self.result.prepared.market) | self.comparison.count_compared(),
            books=list(self.result.weights),
            refit_draws=min(self.fits.draw_counts.values(), default=0),
            refitted_windows=len(self.refitted_windows),
            seeds=spec.seeds if any(task.seed_index for task in fits.tasks) else 1,
        )

    def _require_equal(self, pairs: Iterable[OutputPair], cutoff: Cutoff) -> None:
        for part in pairs:
            self.comparison.require_equal(part, self.cutoff_bar(cutoff), TRANSFORM_ROUNDING)

    def _rng(self, cutoff: Cutoff, purpose: str) -> np.random.Generator:
        bar = self.cutoff_bar(cutoff).isoformat()
        return np.random.default_rng(
            derive_seed(self.result.spec.seed, "certificate", bar, purpose)
        )

    def _build_perturbed_data(self, index: int) -> PerturbedData:
        """Data that is altered after a cutoff, compared up to it, and tasks of its windows.

        At every second cutoff nothing is prepared anew, where no model of a user may read bars
        beside its features: features, arrays and predictions are probed at many more bars by
        themselves.
        """
        if index % 2 and not self.fits.has_user_models:
            return self._build_from_altered_rates(index)
        return self._build_from_altered_bars(index)

    def _build_from_altered_rates(self, index: int) -> PerturbedData:
        cutoff, real = self.plan.cutoffs[index], self.result.prepared
        rates = real.rates.replace_from(self.cutoff_bar(cutoff), self._rng(cutoff, "rates"))
        prepared = replace(real, rates=rates)
        self._require_equal(pair_rates(real, prepared, cutoff.row), cutoff)
        return PerturbedData(prepared, [])

    def _build_from_altered_bars(self, index: int) -> PerturbedData:
        cutoff, spec, real = self.plan.cutoffs[index], self.result.spec, self.result.prepared
        prepared = self._prepare(
            cutoff,
            self.synthetic_future.replace_after(cutoff.row, self._rng(cutoff, "bars")),
            real.rates.replace_from(self.cutoff_bar(cutoff), self._rng(cutoff, "rates")),
        )
        self._require_equal(pair_prepared_data(real, prepared, cutoff.row), cutoff)
        windows = {window.index: window for window in self.plan.windows_to_rebuild(index)}
        own = [task for task in self.result.fits.tasks if task.window in windows]
        others = make_window_tasks(spec, prepared, list(windows.values()))
        require_same_fits(own, others, ", ".join(map(str, windows)))
        pairs = list(zip(own, others, strict=True))
        seen = set()
        for task, other in pairs:
            if id(task.training_set) not in seen:
                seen.add(id(task.training_set))
                self._require_equal(
                    pair_task_arrays(task, other, windows[task.window], real), cutoff
                )
        return PerturbedData(prepared, pairs)

    def _prepare(self, cutoff: Cutoff, market: Market, rates: InterestRates) -> PreparedData:
        real = self.result.prepared
        prepared = prepare_data(self.result.spec, market, rates)
        settled = settle_features(real.feature_history, prepared.feature_history, cutoff.row)
        return replace(prepared, feature_history=settled)

    def _choose_refitted(self) -> tuple[WalkForwardWindow, ...]:
        """The windows in which cheap models are fitted again: all, or of many bars some."""
        market = self.result.prepared.market
        most = MAX_REFIT_CELLS // (N_REFIT_DRAWS * len(market.bars))
        if most >= len(self.windows):
            return self.windows
        rng = self._rng(self.plan.cutoffs[0], "refitted windows")
        places = rng.permutation(len(self.windows))[: max(N_REFIT_WINDOWS, most)]
        return tuple(self.windows[place] for place in sorted(places.tolist()))

    def _prepare_future(self, cutoff: Cutoff, number: int) -> PreparedData:
        """Data of bars after which a window is fitted again; those of the first are mirrored."""
        real, purpose = self.result.prepared, f"window refit {number}"
        market = (
            self.synthetic_future.replace_after(cutoff.row, self._rng(cutoff, purpose))
            if number
            else mirror_after(real.market, cutoff.row)
        )
        return prepare_data(self.result.spec, market, real.rates)

    def _build_draw(self, draw: RefitDraw) -> PerturbedData:
        """Data and tasks of the window that is fitted again, from one more future."""
        cutoff, spec = self.plan.cutoffs[draw.cutoff], self.result.spec
        window = self.plan.window_to_refit(draw.cutoff)
        purpose = f"refit {draw.number}"
        prepared = self._prepare(
            cutoff,
            self.synthetic_future.replace_after(
                cutoff.row,
                self._rng(cutoff, purpose),
                price_factor={"fall": 1 / PRICE_FACTOR, "rally": PRICE_FACTOR, "ordinary": 1.0}[
                    draw.scenario
                ],
            ),
            self.result.prepared.rates.replace_from(
                self.cutoff_bar(cutoff), self._rng(cutoff, f"{purpose}, rates")
            ),
        )
        windows = [] if window is None else [window]
        own = [task for task in self.result.fits.tasks if window and task.window == window.index]
        return PerturbedData(
            prepared, list(zip(own, make_window_tasks(spec, prepared, windows), strict=True))
        )
