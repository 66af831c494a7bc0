"""The cone of a run beside the equity of an account, computed beside the pages and kept."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import BacktestError
from engine.core.randomness import derive_seed
from engine.data.bar_grid import next_bar_labels
from engine.evaluation.robustness import equity_cone
from engine.reporting.accounts import ConeFigures
from engine.runs.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from engine.evaluation.robustness import EquityCone
    from engine.live.journal.rows import AccountRow

MIN_CONE_BARS = 32
"""A cone is computed for this many bars at least, then for twice as many each time."""

MIN_BARS_AHEAD = 10
BARS_AHEAD_RATIO = 0.25
"""How far the cone goes beyond the newest bar, in bars since the start."""

MAX_CACHED_CONES = 64

CONE_WAIT_S = 0.3
"""How long a page waits for a cone; one that takes longer is on the next page."""


@dataclass(frozen=True)
class GrowthTable:
    """The equity of an account, and the cone on the same bars and some later ones.

    Attributes:
        growth: Index timestamp; `account`, and `low`, `median`, `high` where there is a cone.
        cone: About the cone; None where there is none.
        missing: Why there is none.
    """

    growth: pd.DataFrame
    cone: ConeFigures | None
    missing: str = ""


class ConeCache:
    """Computes cones in threads, each once; thread-safe.

    Args:
        wait_s: How long `tabulate` waits for a cone.
    """

    def __init__(self, wait_s: float = CONE_WAIT_S) -> None:
        self._wait_s = wait_s
        self._cones: dict[tuple[Path, int, str, int], Future[EquityCone | str]] = {}
        self._lock = threading.Lock()
        self._finished = 0

    @property
    def finished(self) -> int:
        """How many cones were computed: a page that waits for one is another one then."""
        return self._finished

    def tabulate(
        self, account: AccountRow, growth: pd.Series[float], run_folder: Path | None
    ) -> GrowthTable:
        """The table of the chart.

        Args:
            account: The account.
            growth: Its equity at each close, 1 at the start.
            run_folder: Folder of the run that tested its strategy; None where there is none.
        """
        alone = growth.to_frame("account")
        if run_folder is None:
            return GrowthTable(
                alone,
                None,
                f"There is no cone: the run {account.certified_by}, whose returns it is made of, "
                "is not in the folder of runs.",
            )
        if growth.empty:
            return GrowthTable(alone, None)
        ahead = max(MIN_BARS_AHEAD, round(BARS_AHEAD_RATIO * len(growth)))
        cone = self._cone(account, run_folder, len(growth) - 1 + ahead)
        if isinstance(cone, str):
            return GrowthTable(alone, None, f"There is no cone: {cone}.")
        return GrowthTable(_join(account, growth, cone, ahead), _describe(growth, cone))

    def _cone(self, account: AccountRow, folder: Path, bars: int) -> EquityCone | str:
        """The cone over at least so many bars, or why there is none."""
        length = MIN_CONE_BARS
        while length < bars:
            length *= 2
        try:
            written = (folder / "manifest.json").stat().st_mtime_ns
        except OSError as error:
            return f"the run cannot be read: {error.strerror}"
        key = (folder, written, account.interval, length)
        with self._lock:
            if key not in self._cones:
                if len(self._cones) >= MAX_CACHED_CONES:
                    self._cones.pop(next(iter(self._cones)))
                self._cones[key] = self._begin(account, folder, length)
            cone = self._cones[key]
        try:
            return cone.result(self._wait_s)
        except TimeoutError:
            return "it is being computed, and appears by itself"

    def _begin(self, account: AccountRow, folder: Path, bars: int) -> Future[EquityCone | str]:
        cone: Future[EquityCone | str] = Future()

        def compute() -> None:
            try:
                cone.set_result(_compute(account, folder, bars))
            except Exception as error:  # noqa: BLE001 - a damaged run may raise any error
                cone.set_result(f"the run cannot be read ({type(error).__name__}: {error})")
            self._finished += 1

        # The interpreter does not wait for it at the end.
        threading.Thread(target=compute, daemon=True).start()
        return cone


def _compute(account: AccountRow, folder: Path, bars: int) -> EquityCone | str:
    try:
        run = Run.open(folder)
    except BacktestError as error:
        return f"{error.problem} ({error.found})"
    interval = run.manifest.dataset.interval
    if interval != account.interval:
        return (
            f"the run {run.run_id} is one of bars of {interval}, the account of {account.interval}"
        )
    returns = run.returns[STRATEGY_BOOK].to_numpy(dtype=np.float64)
    rng = np.random.default_rng(derive_seed(0, "cone", run.run_id))
    cone = equity_cone(returns, bars, rng)
    return "the run has too few bars, or held nothing" if cone is None else cone


def _join(
    account: AccountRow, growth: pd.Series[float], cone: EquityCone, ahead: int
) -> pd.DataFrame:
    """The account and the cone, from the first decision to some bars after the newest one."""
    later = next_bar_labels(growth.index[-1], account.interval, account.calendar, ahead)
    index = growth.index.append(pd.DatetimeIndex(later)).rename("timestamp")
    table = pd.DataFrame({"account": growth}).reindex(index)
    for name in ("low", "median", "high"):
        line: np.ndarray[tuple[int], np.dtype[np.float64]] = getattr(cone, name)[: len(index)]
        table[name] = np.concatenate((line, np.full(len(index) - len(line), np.nan)))
    return table


def _describe(growth: pd.Series[float], cone: EquityCone) -> ConeFigures:
    bar, now = len(growth) - 1, float(growth.iloc[-1])
    position = (
        "after"
        if bar >= len(cone.low)
        else "below"
        if now < cone.low[bar]
        else "above"
        if now > cone.high[bar]
        else "inside"
    )
    return ConeFigures(cone.resamples, cone.block_length_bars, cone.run_bars, position)
