"""Returns of several runs on the bars that all of them have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.data.rates import RatesByBar
from engine.evaluation.inference.hac import MIN_BARS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.comparison.compared_run import ComparedRun

MIN_RUNS = 2


def common_returns(runs: Sequence[ComparedRun]) -> pd.DataFrame:
    """The returns of every run on the common bars.

    Args:
        runs: Two or more, in the order of the columns.

    Returns:
        Index timestamp, a column a run, named by run id; no NaN, at least 30 rows.

    Raises:
        UsageError: Fewer than two runs, one of them twice, bars of different lengths or calendars,
            or too few bars in common.
    """
    _check_run_count(runs)
    _check_same_bar_length(runs)
    table = pd.concat({each.run_id: each.returns for each in runs}, axis=1, join="inner")
    if len(table) < MIN_BARS:
        raise _too_few_common_bars(runs, len(table))
    return table.sort_index().rename_axis("timestamp")


def rates_on_common_bars(run: ComparedRun, table: pd.DataFrame) -> RatesByBar:
    """The rates of a run on the common bars, each with the calendar time that it has in the run.

    Args:
        run: One of the runs.
        table: As `common_returns` gives it.
    """
    rates = run.rates or RatesByBar.constant(run.returns.index)
    return rates.rows(run.returns.index.isin(table.index))


def _check_run_count(runs: Sequence[ComparedRun]) -> None:
    ids = [each.run_id for each in runs]
    if len(ids) < MIN_RUNS:
        raise UsageError(
            "a comparison needs at least two runs",
            expected="two or more different runs",
            found="1 run" if ids else "no run",
        )
    duplicate = next((run for run in ids if ids.count(run) > 1), None)
    if duplicate is not None:
        raise UsageError(
            "one run is named twice",
            expected="different runs",
            found=f"{duplicate}, {ids.count(duplicate)} times",
            fix="name each run once: the same strategy, bars and versions give the same run id",
        )


def _check_same_bar_length(runs: Sequence[ComparedRun]) -> None:
    first = runs[0]
    other = next((each for each in runs if not _have_same_bar_length(first, each)), None)
    if other is not None:
        raise UsageError(
            "these runs are on bars of different lengths or calendars",
            expected="one interval, and one number of bars a year",
            found=" and ".join(
                f"{_name_and_id(each)}: {each.interval}, {each.periods_per_year:g} bars a year"
                for each in (first, other)
            ),
            fix="compare runs on the same kind of bars: run one of them on the other's dataset "
            "with --data",
        )


def _have_same_bar_length(one: ComparedRun, other: ComparedRun) -> bool:
    return one.interval == other.interval and bool(
        np.isclose(one.periods_per_year, other.periods_per_year)
    )


def _too_few_common_bars(runs: Sequence[ComparedRun], bars: int) -> UsageError:
    latest = max(runs, key=lambda each: each.returns.index[0])
    earliest = min(runs, key=lambda each: each.returns.index[-1])
    ends = {each.run_id: each for each in (latest, earliest)}
    spans = ", ".join(f"{_name_and_id(each)}: {each.span}" for each in ends.values())
    return UsageError(
        "these runs have too few out-of-sample bars in common",
        expected=f"{MIN_BARS} bars that all of them have",
        found=f"{bars} ({spans})",
        fix="leave one of them out, or run it again on a span that overlaps",
    )


def _name_and_id(run: ComparedRun) -> str:
    return f"{run.name} {run.run_id}"
