"""The trials on the bars of a run: an input of significance tests and of the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Matrix


@dataclass(frozen=True)
class TrialSet:
    """The trials on the bars of a run, itself among them.

    Attributes:
        runs: Number of finished or failed runs of other configurations, plus this one.
        failed: Those that failed or were interrupted.
        distinct: Number of finished configurations, this one included.
        effective: Effective number of independent trials, from 1 to `distinct`.
        tuning: Configurations tried within runs on train rows; they do not count as trials.
        sharpe_deviation: Standard deviation (ddof 1) of the Sharpe ratio per bar over the
            independent trials; None where fewer than two have one.
        noise_deviation: Its expected value for trials without skill and with the same
            correlations; None where fewer than two trials vary.
        since: Start time of the first run of another configuration; None without one.
        returns: Returns of every configuration on the bars of this run: this one in the first
            column (`this`), then the others by run number; NaN where one has no bar.
    """

    runs: int
    failed: int
    distinct: int
    effective: int
    tuning: int
    sharpe_deviation: float | None
    noise_deviation: float | None
    since: str | None
    returns: pd.DataFrame = field(repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The figures that `significance.json` holds."""
        names = ("runs", "failed", "distinct", "effective", "tuning", "sharpe_deviation", "since")
        return {name: getattr(self, name) for name in names}

    def gapless_returns(self, min_share: float = 0.5) -> Matrix:
        """Returns on common bars, for statistics that need every trial on every bar.

        Args:
            min_share: Share of this run's bars that another trial needs to be included.

        Returns:
            A row a common bar, a column a trial, this run first.
        """
        included = self.returns.columns[self.returns.notna().mean() >= min_share]
        return self.returns[included].dropna().to_numpy(dtype=np.float64)
