"""The splits of `paths.groups` on the bars of a run, before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.pipeline.schedules import first_usable_row
from engine.splits.combinatorial import make_group_splits
from engine.splits.walk_forward import count_bars

if TYPE_CHECKING:
    from engine.features import CoarseFeatures
    from engine.pipeline.prepared_data import PreparedData
    from engine.splits.combinatorial import GroupSplit
    from engine.strategy import Strategy
    from engine.training.feature_history import FeatureHistory


@dataclass(frozen=True, eq=False)
class CombinatorialData:
    """The bars of a run and the splits of its groups.

    Attributes:
        prepared: Bars and features, traded on all bars with inputs and a label.
        splits: One for each choice of test groups.
        purge: Bars left out on each side of a test group.
        embargo: Bars left out after that.
        reach: Most bars before a row that its inputs may hold.
        fits: Fits over all splits, of every target symbol; a pooled model has one for all.
    """

    prepared: PreparedData
    splits: tuple[GroupSplit, ...]
    purge: int
    embargo: int
    reach: int
    fits: int

    def describe_cost(self) -> str:
        """What `paths.groups` adds to a run, in one sentence."""
        groups = 1 + max(split.test_groups[-1] for split in self.splits)
        paths = len(self.splits) * len(self.splits[0].test_groups) // groups
        return (
            f"paths.groups adds {self.fits} fits of the model, on {len(self.splits)} choices of "
            f"test groups among {groups}, for {paths} path{'' if paths == 1 else 's'}"
        )


def prepare_combinatorial_data(spec: Strategy, prepared: PreparedData) -> CombinatorialData | None:
    """The splits of `spec.paths.groups`.

    The first of the bars is the first that a walk-forward window could train on, or the first with
    as many closes as sizing and portfolio need; the last is the last whose label is known.

    Args:
        spec: The strategy.
        prepared: Of the run itself.

    Returns:
        None without `paths.groups`.

    Raises:
        UsageError: The market is a panel, the groups are too short, the embargo lets a sequence of
            a train row hold a test bar, or a rate is not known at the first bar.
    """
    if spec.paths.groups is None:
        return None
    history, horizon = prepared.feature_history, spec.target.max_horizon
    if history.panel is not None:
        raise UsageError(
            "paths.groups is not offered where symbols lack bars",
            expected="bars of every target symbol at each timestamp",
            found="a panel: over a halt, a sequence of a symbol reaches further back than the "
            "embargo",
            where="paths.groups",
            fix="leave paths.groups out, or trade symbols with the same bars",
        )
    model = spec.forecasters()[STRATEGY_BOOK]
    needed = spec.decision_spec(prepared.market.periods_per_year).closes_needed
    first = max(first_usable_row(spec, history), (needed or 1) - 1)
    rows = range(first, max(first, len(history.features.timestamps) - horizon))
    reach = measure_input_reach(history, rows, model.lookback)
    embargo = _embargo(spec, reach, _sequence_reach(history, rows, model.lookback))
    scheme = spec.paths.purged_groups(embargo)
    train, validation = (
        count_bars(history.features.timestamps, length)
        for length in (spec.windows.train, spec.windows.validation)
    )
    splits = make_group_splits(
        rows, scheme, horizon=horizon, validation_share=validation / (train + validation)
    )
    if spec.tune is not None:
        for split in splits:  # a split without rows is an error before any training
            spec.tune.split_rows(len(split.train), horizon)
    traded = prepared.on_rows(rows)
    _require_known_rates(traded)
    fits_a_split = (
        (spec.seeds if model.stochastic else 1)
        * (len(spec.target.forecast_horizons) if spec.target.strategy == "direct" else 1)
        * (len(prepared.targets) if spec.scope == "per_symbol" else 1)
    )
    return CombinatorialData(
        prepared=traded,
        splits=splits,
        purge=horizon,
        embargo=embargo,
        reach=reach,
        fits=len(splits) * fits_a_split,
    )


def _require_known_rates(traded: PreparedData) -> None:
    """Checks that the rates are known at the first bar, which is before that of the run."""
    try:
        traded.rates.require_known(traded.span[0])
    except UsageError as error:
        raise UsageError(
            "the rate is not known yet at the first bar of paths.groups",
            expected=error.expected,
            found=error.found,
            where=error.where,
            fix="take a longer series, or a later `start` of the dataset, or leave paths.groups "
            "out",
        ) from error


def measure_input_reach(history: FeatureHistory, rows: range, lookback: int) -> int:
    """The most bars before one of the rows that its inputs may hold.

    The lookback less 1, and before that the warm-up of the features and of the scaling; at each
    coarser interval as many of its bars. A feature whose weights fade, such as an exponential
    average, has no end: its warm-up is taken.

    Args:
        history: Features of all bars, and the scaling.
        rows: Rows with inputs.
        lookback: Bars in a sequence.
    """
    scaling = history.scaling.warmup
    own = history.features.warmup + scaling + lookback - 1
    return max(
        own,
        *history.trailing_returns,
        *(
            _coarse_reach(each, history, rows, each.features.warmup + scaling + lookback - 1)
            for each in history.coarse
        ),
    )


def _sequence_reach(history: FeatureHistory, rows: range, lookback: int) -> int:
    """The most bars before one of the rows that are in its sequence, of any interval."""
    coarse = (_coarse_reach(each, history, rows, lookback - 1) for each in history.coarse)
    return max(lookback - 1, *coarse, 0)


def _coarse_reach(coarse: CoarseFeatures, history: FeatureHistory, rows: range, bars: int) -> int:
    """The most bars from the open of the coarse bar `bars` before the newest one to the row."""
    if not rows:
        return 0
    oldest = np.maximum(coarse.latest[rows.start : rows.stop] - bars, 0)
    opens = history.features.timestamps.searchsorted(coarse.features.timestamps[oldest])
    return int((np.arange(rows.start, rows.stop) - opens).max())


def _embargo(spec: Strategy, reach: int, in_sequence: int) -> int:
    """`paths.embargo` in bars.

    Args:
        spec: The strategy.
        reach: Most bars before a row that its inputs may hold.
        in_sequence: Most bars before a row that are in its sequence.

    Raises:
        UsageError: A sequence of a train row after a test group would hold a bar of the group.
    """
    if spec.paths.embargo == "auto":
        return reach
    least = max(0, in_sequence - spec.target.max_horizon)
    if spec.paths.embargo < least:
        raise UsageError(
            "the embargo lets sequences of train rows hold bars of the test group before them",
            expected=f"at least {least} bars: sequences reach {in_sequence} bars back, of which "
            f"{spec.target.max_horizon} are purged",
            found=f"{spec.paths.embargo}",
            where="paths.embargo",
            fix=f"set paths.embargo to {least} or more; auto is {reach}, as far as the inputs "
            "reach back",
        )
    return spec.paths.embargo
