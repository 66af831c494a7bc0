"""A run folder as the inputs of its stages: strategy, market, prepared bars."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import ValidationError

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.stage_versions import STAGE_VERSIONS
from engine.data.rates import InterestRates, RateHistory, RateSeriesSpec, load_rates
from engine.pipeline.prepare import prepare_data
from engine.runs.stored_market import restore_market
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.pipeline.prepared_data import PreparedData
    from engine.runs.run import Run

_JUST_BEFORE = pd.Timedelta(microseconds=1)


@dataclass(frozen=True)
class StoredRun:
    """A run, and what its stages began with.

    Attributes:
        run: As its folder has it.
    """

    run: Run

    @cached_property
    def spec(self) -> Strategy:
        """The strategy of the manifest.

        Raises:
            UsageError: This installation lacks a part of it.
        """
        try:
            return Strategy.model_validate(self.run.manifest.strategy)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            raise UsageError(
                "the strategy of the manifest cannot be read",
                expected="a strategy of this version, whose own parts are installed",
                found=f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}",
                where=str(self.run.run_dir / "manifest.json"),
                fix="install the distributions under `parts` of the manifest, or the version of "
                "the engine that it names",
            ) from error

    @cached_property
    def market(self) -> Market:
        """See `restore_market`."""
        return restore_market(self.run)

    @cached_property
    def prepared(self) -> PreparedData:
        """Features, windows and rates, from the stored bars; rates of files from their table."""
        return prepare_data(self.spec, self.market, self._rates())

    def other_versions(self, stages: Sequence[str]) -> str:
        """Of these stages those of which the run has another version, as `simulation 3, here 4`.

        Such a stage gives other numbers from the same inputs.
        """
        words = (part.split() for part in self.run.manifest.versions.get("stages", "").split(","))
        own = {part[0]: part[1] for part in words if len(part) == 2}
        return "; ".join(
            f"{stage} {own.get(stage, 'of no version')}, here {STAGE_VERSIONS[stage]}"
            for stage in stages
            if own.get(stage) != str(STAGE_VERSIONS[stage])
        )

    @property
    def is_current(self) -> bool:
        """Whether a version wrote it that kept all of its market."""
        return self.run.manifest.market is not None

    def weights(self, book: str) -> WideFrame:
        """Target weights of a book, a column a target; NaN where the table has no row."""
        rows = self.run.positions[self.run.positions["book"] == book]
        wide = rows.pivot(index="timestamp", columns="symbol", values="weight")
        span, targets = self.run.returns.index, list(self.run.manifest.target)
        decided: WideFrame = wide.reindex(index=span, columns=targets)
        return decided

    def trades(self, book: str) -> pd.DataFrame:
        """The fills of a book, without its name."""
        own = self.run.trades[self.run.trades["book"] == book]
        return own.drop(columns="book").reset_index(drop=True)

    @property
    def books(self) -> list[str]:
        """The strategy, then its benchmarks."""
        names = [str(name) for name in self.run.returns.columns]
        return sorted(names, key=lambda name: name != STRATEGY_BOOK)

    def _rates(self) -> InterestRates:
        configured = self.spec.rates
        if not any(isinstance(r, RateSeriesSpec) for r in (configured.risk_free, configured.cash)):
            return load_rates(configured)
        table = self.run.rates_by_bar.to_frame()
        stamps = pd.DatetimeIndex(table.index).tz_localize(None) - _JUST_BEFORE
        known_from = stamps.to_numpy(dtype="datetime64[us]")
        risk_free, cash = (
            RateHistory(f"rates.{name}", known_from, table[name].to_numpy(dtype=np.float64))
            for name in ("risk_free", "cash")
        )
        return InterestRates(risk_free, cash)
