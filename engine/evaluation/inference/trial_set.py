"""The looks that a run's result was selected from: an input of significance tests."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Matrix


@dataclass(frozen=True)
class Trial:
    """One look: the returns of one idea over one span of bars.

    Attributes:
        number: Run number in the ledger; 0 for the run itself.
        interval: Length of a bar: `1d`, `1h`.
        returns: Net return of the strategy on each of its own out-of-sample bars; index of UTC
            timestamps, ascending; no NaN.
        holding: Net returns of buy and hold on the same target and bars, at the same costs; None
            where they are not known.
    """

    number: int
    interval: str
    returns: pd.Series[float] = field(repr=False, compare=False)
    holding: pd.Series[float] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class IdeaLooks:
    """How often the idea of a run was looked at, this run included, and over what.

    An idea is a configuration: everything that determines its trades from given bars.

    Attributes:
        looks: Different looks: another span, target, interval, input or dataset, other benchmarks
            or another confidence.
        start_dates: Different first out-of-sample bars.
        end_dates: Different last out-of-sample bars.
        targets: Different targets.
        intervals: Different lengths of a bar.
        datasets: Datasets with different names.
        benchmarks: Different sets of benchmarks, besides buy and hold.
        confidences: Different confidence levels.
    """

    looks: int = 1
    start_dates: int = 1
    end_dates: int = 1
    targets: int = 1
    intervals: int = 1
    datasets: int = 1
    benchmarks: int = 1
    confidences: int = 1


@dataclass(frozen=True)
class TrialSet:
    """The trials that a run's result was selected from, itself among them.

    Attributes:
        own: The run itself.
        others: The other looks, by ascending run number.
        runs: Number of finished or failed runs that are no repetition of this look, plus this one.
        failed: Those that failed or were interrupted.
        tuning: Configurations tried within runs on train rows; they do not count as trials.
        elsewhere: Declared number of tries that the ledger does not hold.
        since: Start time of the first other run; None without one.
        idea: The looks at this run's idea.
    """

    own: Trial
    others: tuple[Trial, ...] = ()
    runs: int = 1
    failed: int = 0
    tuning: int = 0
    elsewhere: int = 0
    since: str | None = None
    idea: IdeaLooks = IdeaLooks()

    @property
    def distinct(self) -> int:
        """Number of different looks in the ledger, this one included."""
        return 1 + len(self.others)

    def as_dict(self) -> dict[str, Any]:
        """The figures that `significance.json` holds."""
        names = ("runs", "failed", "distinct", "tuning", "elsewhere", "since")
        return {name: getattr(self, name) for name in names} | {"idea": asdict(self.idea)}

    def gapless_returns(self, min_share: float = 0.5) -> Matrix:
        """Returns on common bars, for statistics that need every trial on every bar.

        Trials with bars of another length have no return on these bars and are left out.

        Args:
            min_share: Share of this run's bars that another trial needs to be included.

        Returns:
            A row a common bar, a column a trial, this run first.
        """
        index = self.own.returns.index
        columns = [self.own.returns.to_numpy(dtype=np.float64)]
        for trial in self.others:
            if trial.interval == self.own.interval:
                column = trial.returns.reindex(index).to_numpy(dtype=np.float64)
                if np.isfinite(column).mean() >= min_share:
                    columns.append(column)
        table = np.column_stack(columns)
        return np.asarray(table[np.isfinite(table).all(axis=1)])
