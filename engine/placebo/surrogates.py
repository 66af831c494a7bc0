"""The surrogates of a market by their numbers, and the procedure on each of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.core.blas_threads import one_blas_thread
from engine.core.errors import UsageError
from engine.core.randomness import derive_seed
from engine.evaluation.inference.bootstrap import spawn_named_stream
from engine.pipeline.prepare import prepare_data
from engine.placebo.procedure import measure_procedure
from engine.placebo.shifted_features import count_shifts, shift_features
from engine.placebo.surrogate_bars import draw_market
from engine.training.results import report_refused_fits
from engine.training.store import FitStore

if TYPE_CHECKING:
    from engine.core.progress import Progress
    from engine.core.types import IntVector
    from engine.pipeline.prepared_data import PreparedData
    from engine.placebo.finished_markets import FinishedMarkets
    from engine.placebo.surrogate_bars import SurrogateKind
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor


@dataclass(frozen=True, eq=False)
class Surrogates:
    """Surrogates of a market, numbered from 1; one does not depend on how many there are.

    Attributes:
        spec: The strategy, whose seed draws them.
        real: The real market.
        kind: What they keep.
        count: Their number.
    """

    spec: Strategy
    real: PreparedData
    kind: SurrogateKind
    count: int

    def require_offered(self) -> None:
        """Refuses a dataset that has no such surrogates, before anything is trained.

        Raises:
            UsageError: As `draw_market` and `shift_features`, or there are too few shifts.
        """
        if self.kind != "shifts":
            draw_market(self.real.market, self.kind, np.random.default_rng(0))
            return
        shift_features(self.spec, self.real, 0)
        available = count_shifts(self.spec, self.real)
        if available < self.count:
            raise UsageError(
                "there are fewer shifts than markets",
                expected=f"at most {available:,}: one a bar, less a tenth of the bars",
                found=f"{self.count:,}",
                where="--markets",
                fix="use fewer markets, or --surrogates signs",
            )

    def measure_all(
        self, place: FinishedMarkets, executor: Executor, progress: Progress
    ) -> list[float]:
        """The Sharpe ratio on each; those that are finished are not measured again.

        Args:
            place: Where finished ones are kept, and the fits of one that is not.
            executor: Who trains.
            progress: Gets the costly fits of all markets that are done.

        Raises:
            TrainingError: A fit failed, unless the strategy leaves failures out.
        """
        finished = place.read()
        missing = [number for number in range(1, self.count + 1) if number not in finished]
        if found := self.count - len(missing):
            progress.notice(f"{found:,} of {self.count:,} surrogate markets are finished already")
        store = FitStore(place.folder / "fits")
        with one_blas_thread(), report_refused_fits(store, progress):
            for number in missing:
                finished[number] = measure_procedure(
                    self.spec,
                    self.prepare(number),
                    executor,
                    store,
                    progress,
                    number=number,
                    total=self.count,
                )
                place.add(number, finished[number])
                progress.line(
                    f"market {number:,} of {self.count:,}: Sharpe ratio {finished[number]:+.2f}"
                )
                # No other market has the same fits.
                shutil.rmtree(store.folder, ignore_errors=True)
        return [finished[number] for number in range(1, self.count + 1)]

    def prepare(self, number: int) -> PreparedData:
        """Bars, features and windows of a surrogate, from 1."""
        if self.kind == "shifts":
            return shift_features(self.spec, self.real, int(self._shifts[number - 1]))
        rng = spawn_named_stream(self._rng, f"{self.kind} {number}")
        market = draw_market(self.real.market, self.kind, rng)
        return prepare_data(self.spec, market, self.real.rates)

    @cached_property
    def _shifts(self) -> IntVector:
        """Different shifts in random order, so that more markets include fewer."""
        return self._rng.permutation(count_shifts(self.spec, self.real))

    @property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(derive_seed(self.spec.seed, "placebo"))
