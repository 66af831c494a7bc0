"""The trials on the bars of a run, as significance tests and verdicts count them."""

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
        runs: Runs of other configurations that ended, and this one.
        failed: Those among them that failed or were interrupted.
        distinct: Configurations that finished, this one among them.
        effective: Independent trials that they amount to; from 1 to `distinct`.
        tuning: Configurations that were tried within runs, on train rows; no trials in themselves.
        sharpe_deviation: Standard deviation (ddof 1) of the Sharpe ratio a bar over the
            independent trials; None where fewer than two have one.
        noise_deviation: What that deviation would be expected to be of trials without any skill
            that are as alike as these; None where fewer than two vary.
        since: When the first run of another configuration began; None where there is none.
        returns: Of every configuration on the bars of this run: this one in the first column
            (`this`), then the others by number of run; NaN where one has no bar.
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
        """Every figure, for `significance.json`."""
        names = ("runs", "failed", "distinct", "effective", "tuning", "sharpe_deviation", "since")
        return {name: getattr(self, name) for name in names}

    def gapless_returns(self, min_share: float = 0.5) -> Matrix:
        """Returns without a gap, for figures that need every trial on every bar.

        Args:
            min_share: Part of this run's bars that another trial needs to be among them.

        Returns:
            A row a bar that all of them have, a column a trial, this run's first.
        """
        enough = self.returns.columns[self.returns.notna().mean() >= min_share]
        return self.returns[enough].dropna().to_numpy(dtype=np.float64)
