"""Lets the models of every window predict again from other features after each of its bars.

The prediction of a row depends on that row and on `FittedModel.context` rows before it alone, bit
for bit, whatever rows are predicted with it. So each row of a test part is predicted once more,
from a passage of its own: these rows, and a next row that is another one. The passages of a window
stand below each other, so that the rows after the next one are other ones too. A model that reads
any of them shows it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.core.part_origin import find_external_parts
from engine.core.randomness import derive_seed
from engine.leakage.comparison import BarRows, OutputPair
from engine.leakage.perturb import (
    perturb_feature_rows,
    perturb_features,
    perturb_forward_returns,
)
from engine.leakage.prediction_rows import (
    cut_passages,
    pair_rows,
    put_before,
    reads_any,
)
from engine.leakage.rounding import ROUNDING
from engine.training.datasets import select_feature_rows
from engine.training.forecast import predict_window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import IntVector, Matrix, Vector
    from engine.leakage.comparison import OutputComparison
    from engine.models.fitted_model import FeatureRows
    from engine.models.forecaster import Forecaster
    from engine.pipeline.result import BacktestResult
    from engine.training.feature_history import FeatureHistory
    from engine.training.forecast import Forecast
    from engine.training.panel_rows import PanelRows
    from engine.training.task import FitTask

    ServedModel = tuple[FitTask, Forecast]

LAST_ROWS = 8
"""Rows of a test part that a costly model predicts before other rows, by the stage of a run."""

COARSE_WINDOWS = 16
"""Windows at most in which coarser bars are replaced too, each from one close on."""

MAX_CELLS, MIN_TURNS = 2**22, 2
"""Values of the passages of all windows: of more, rows are asked as often as these have room for,
but at least so many of each `context` + 2."""

MIN_ASKED_ROWS, MAX_ROUNDS = 600, 8
"""Rows that the models of a symbol are asked for at least, and how often each at most: who reads a
later row at a hundredth of the places among its rows shows it with 99.7 % then."""

_MAX_SHIFT = 1_000
"""Rows before the first passage at most: a model may read later rows at some places alone."""

_REPLACED_ROWS = 2
"""Rows that are other ones themselves, among those that are predicted together."""


def probe_predictions(result: BacktestResult, comparison: OutputComparison) -> None:
    """Compares the predictions of every model of the first seed.

    Args:
        result: The run.
        comparison: Counts what is equal.

    Raises:
        LookaheadError: A prediction depends on a row after its own.
    """
    fits = zip(result.fits.tasks, result.fits.forecasts, strict=True)
    served = [
        (task, forecast)
        for task, forecast in fits
        if task.seed_index == 0 and not isinstance(forecast, TrainingError)
    ]
    history = result.prepared.feature_history
    tests = {window.index: window.test for window in result.prepared.windows}
    if history.panel is None:
        _probe(result, history, tests, served, comparison)
        return
    joint = [each for each in served if each[1].fitted.input_transform.symbols]
    _probe(result, history, tests, joint, comparison)
    for symbol in result.prepared.targets:
        own = [
            each
            for each in served
            if each[0].symbol == symbol and not each[1].fitted.input_transform.symbols
        ]
        _probe_own_rows(result, history.panel, symbol, own, comparison)


def _probe_own_rows(
    result: BacktestResult,
    panel: PanelRows,
    symbol: str,
    served: Sequence[ServedModel],
    comparison: OutputComparison,
) -> None:
    """The same of a symbol of a panel, on its own rows."""
    history = result.prepared.feature_history
    own, stamps = history.seen_by(symbol), history.features.timestamps
    tests = {w.index: panel.own_range(symbol, w.test) for w in result.prepared.windows}
    whole = {window.index: window.test for window in result.prepared.windows}
    models = []
    for task, forecast in served:
        test = whole[task.window]
        if not len(tests[task.window]):
            continue
        again = predict_window(forecast.fitted, own, symbol, tests[task.window])
        due = panel.forecast_rows(symbol, test)
        placed = panel.place(symbol, tests[task.window]) - test.start
        bars = BarRows(stamps, test.start + np.flatnonzero(due))
        found = again.test[due[placed]]
        pair = OutputPair("predictions", (f"{task}, rows",), bars, forecast.test[due], found)
        comparison.require_equal(pair, stamps[test.stop - 1])
        models.append((task, again))
    _probe(result, own, {n: rows for n, rows in tests.items() if len(rows)}, models, comparison)


def _probe(
    result: BacktestResult,
    history: FeatureHistory,
    tests: Mapping[int, range],
    served: Sequence[ServedModel],
    comparison: OutputComparison,
) -> None:
    if not served:
        return
    probe = _PredictionProbe(result.spec.seed, history, tests, comparison)
    probe.compare_last_rows(served)
    for context in sorted({forecast.fitted.context for _, forecast in served}):
        probe.compare_every_row(
            [each for each in served if each[1].fitted.context == context], context
        )
    probe.compare_before_coarse_bars(served)


class _PredictionProbe:
    def __init__(
        self,
        seed: int,
        history: FeatureHistory,
        tests: Mapping[int, range],
        comparison: OutputComparison,
    ) -> None:
        self._comparison = comparison
        self._tests, self._history = tests, history
        self._rounding_of: dict[int, float] = {}
        self._rng = np.random.default_rng(derive_seed(seed, "certificate", "predictions"))

    def compare_last_rows(self, served: Sequence[ServedModel]) -> None:
        """Replaces the rows after one of each test part, by the stage that a run predicts with.

        A costly model predicts the last rows up to that one, another one the whole test part.
        Returns to come are other ones at every row.
        """
        context = max(forecast.fitted.context for _, forecast in served)
        cuts = self._choose_cuts(context)
        count = len(self._history.features.timestamps)
        replaced = np.zeros(count, dtype=bool)
        following = [*(row - LAST_ROWS - context for row in list(cuts.values())[1:]), count]
        for last, stop in zip(cuts.values(), following, strict=True):
            replaced[last + 1 : stop] = True
        history = perturb_forward_returns(
            perturb_feature_rows(self._history, np.flatnonzero(replaced))
        )
        for task, forecast in served:
            row, rows = cuts.get(task.window), self._tests[task.window]
            if task.model.costly:
                if row is None:
                    continue
                rows = range(max(rows.start, row + 1 - LAST_ROWS), row + 1)
            known = ~reads_any(replaced, rows, forecast.fitted.context)
            self._require_equal_window(task, forecast, history, rows, np.flatnonzero(known))

    def _choose_cuts(self, context: int) -> dict[int, int]:
        """Window -> a row of its test part, each far enough after the one before."""
        cuts: dict[int, int] = {}
        free = 0
        for window, test in sorted(self._tests.items()):
            first = max(test.start, free)
            if first < test.stop:
                cuts[window] = int(self._rng.integers(first, test.stop))
                free = cuts[window] + 1 + LAST_ROWS + context + 1
        return cuts

    def compare_every_row(self, served: Sequence[ServedModel], context: int) -> None:
        """Predicts each row of all test parts once more, before a row that is another one.

        Of very many values only some rows are, the same ones of every `context` + 2.
        """
        period, cells = context + 2, max(1, self._history.features.values.size)
        count = min(period, max(MIN_TURNS, MAX_CELLS // cells))
        turns = np.sort(self._rng.permutation(period)[:count])
        real = perturb_forward_returns(self._history)
        other = perturb_feature_rows(real, slice(None))
        stop = len(self._history.features.timestamps)
        asked = {
            window: np.flatnonzero(np.isin((np.arange(test.start, test.stop) + 1) % period, turns))
            for window, test in self._tests.items()
        }
        rounds = _count_rounds(served, asked)
        shifts: dict[tuple[str, int, str], list[int]] = {}
        for task, forecast in served:
            test, known = self._tests[task.window], asked[task.window]
            known = self._with_sequences(task.symbol, test, known)
            if not len(known):
                continue
            rows = range(test.start, min(test.stop + 1, stop))
            (kept, at), (moved, _) = (
                select_feature_rows(history, forecast.fitted, task.symbol, rows)
                for history in (real, other)
            )
            passages = cut_passages(kept, moved, at[known], context)
            for shift in shifts.setdefault(_fit_place(task), self._draw_shifts(rounds)):
                placed = put_before(passages, shift)
                self._compare_passages(task, forecast, placed, known, period, shift)

    def _draw_shifts(self, count: int) -> list[int]:
        """Rows before the first passage, of each round."""
        drawn: list[int] = self._rng.integers(_MAX_SHIFT + 1, size=count).tolist()
        return drawn

    def _with_sequences(self, symbol: str, test: range, known: IntVector) -> IntVector:
        """Of a panel the rows at which the symbol is forecast, and so is it at the next one."""
        panel, stop = self._history.panel, len(self._history.features.timestamps)
        if panel is None:
            return known
        due = panel.forecast_rows(symbol, range(test.start, min(test.stop + 1, stop)))
        following = np.minimum(known + 1, len(due) - 1)
        return known[due[known] & due[following]]

    def _compare_passages(
        self,
        task: FitTask,
        original: Forecast,
        passages: FeatureRows,
        known: IntVector,
        period: int,
        shift: int,
    ) -> None:
        """Predicts the last row but one of each passage, all at once, in the order of their time.

        Some rows stand before the first passage, so that each has another place than in the run.
        Two of the last rows, which are other ones, are predicted with them: a prediction that
        depends on those beside it, or on a figure of all of them, shows it.

        Args:
            task: The fit.
            original: What it predicted in the run.
            passages: As `cut_passages` returns, below `shift` rows.
            known: Places in the test part of the rows that are compared, one a passage.
            period: Rows of a passage.
            shift: Rows before the first of them.
        """
        asked = np.arange(len(known)) * period + period - 2
        beside = np.arange(0, len(known), max(1, len(known) // _REPLACED_ROWS))[:_REPLACED_ROWS]
        together = np.insert(asked, beside + 1, asked[beside] + 1)
        compared = np.ones(len(together), dtype=bool)
        compared[beside + 1 + np.arange(len(beside))] = False
        again = original.fitted.predict(passages, together + shift)
        quantiles = None if again.quantiles is None else again.quantiles[compared]
        self._require_equal(task, original, known, again.returns[compared], quantiles)

    def compare_before_coarse_bars(self, served: Sequence[ServedModel]) -> None:
        """Replaces rows and coarser bars from a close on that completes one of these."""
        if not self._history.coarse:
            return
        latest = np.stack([coarse.latest for coarse in self._history.coarse])
        completes = np.append(False, (np.diff(latest, axis=1) != 0).any(axis=0))
        windows = self._rng.permutation(sorted({task.window for task, _ in served}))
        for window in windows[:COARSE_WINDOWS].tolist():
            test = self._tests[window]
            rows = np.flatnonzero(completes[test.start + 1 : test.stop])
            if not len(rows):
                continue
            known = np.arange(int(self._rng.choice(rows)) + 1)
            history = perturb_features(self._history, test.start + len(known) - 1)
            for task, forecast in served:
                if task.window == window:
                    self._require_equal_window(task, forecast, history, test, known)

    def _require_equal_window(
        self,
        task: FitTask,
        original: Forecast,
        history: FeatureHistory,
        rows: range,
        known: IntVector,
    ) -> None:
        """Predicts consecutive rows of the test part, and compares some by their place."""
        again = predict_window(original.fitted, history, task.symbol, rows)
        quantiles = None if again.quantiles is None else again.quantiles[known]
        first = rows.start - self._tests[task.window].start
        self._require_equal(task, original, first + known, again.test[known], quantiles)

    def _require_equal(
        self,
        task: FitTask,
        original: Forecast,
        known: IntVector,
        returns: Vector | Matrix,
        quantiles: Matrix | None,
    ) -> None:
        """Compares rows of the test part, given by their place in it."""
        test, stamps = self._tests[task.window], self._history.features.timestamps
        bars = BarRows(stamps, test.start + known)
        for pair in pair_rows(task, bars, known, original, returns, quantiles):
            self._comparison.require_equal(pair, stamps[test.stop - 1], self._rounding(task.model))

    def _rounding(self, model: Forecaster) -> float:
        """A user's model may round a row otherwise in the company of other rows."""
        if id(model) not in self._rounding_of:
            self._rounding_of[id(model)] = ROUNDING if any(find_external_parts(model)) else 0.0
        return self._rounding_of[id(model)]


def _fit_place(task: FitTask) -> tuple[str, int, str]:
    """Book, window and symbol; the symbols of a joint fit are forecast together, once."""
    return task.book, task.window, "" if task.training_set.symbols else task.symbol


def _count_rounds(served: Sequence[ServedModel], asked: Mapping[int, IntVector]) -> int:
    """How often each row is asked, so that the models of each symbol are asked often enough."""
    count: Counter[str] = Counter()
    for task, _ in served:
        count[f"{task.book} {task.symbol}"] += len(asked[task.window])
    fewest = max(1, min(count.values(), default=1))
    return min(MAX_ROUNDS, -(-MIN_ASKED_ROWS // fewest))
