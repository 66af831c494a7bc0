"""Where the models of a window come from when it begins: fitted then, on the history up to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.live.fitted_strategy import fit_newest_window
from engine.live.loop.window_models import WindowModels
from engine.pipeline.prepare import prepare_data
from engine.portfolio import TradingCalendar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from engine.core.progress import Progress
    from engine.data import Market
    from engine.live.loop.recent_bars import RecentBars
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy
    from engine.training.results import FitResults


@dataclass(frozen=True, eq=False)
class PresentWindow:
    """The window of the newest bar.

    Attributes:
        models: Its models.
        index: Its number, as in a run.
        periods_per_year: Bars per year of the history that it was fitted on.
        calendar: Of its bars.
        trained: Costly fits that were trained for it, and not read from the store.
    """

    models: WindowModels
    index: int
    periods_per_year: float
    calendar: TradingCalendar
    trained: int

    @classmethod
    def of_fits(
        cls, spec: Strategy, prepared: PreparedData, fits: FitResults, index: int = -1
    ) -> PresentWindow:
        """One of the windows of bars that are prepared.

        Args:
            spec: The strategy.
            prepared: Its bars.
            fits: Fits, those of the strategy in the window among them.
            index: Place of the window in `prepared.windows`, by default the last.
        """
        window, periods = prepared.windows[index], prepared.market.periods_per_year
        calendar = TradingCalendar.of_market(prepared.market)
        models = WindowModels.of_window(
            prepared,
            window,
            *fits.for_window(STRATEGY_BOOK, window.index),
            spec.decision_spec(periods, calendar),
        )
        return cls(models, window.index, periods, calendar, fits.trained)


class WindowSource(Protocol):
    """Gives the models of a window."""

    def begin(self, timestamp: pd.Timestamp) -> PresentWindow:
        """The window whose first test bar this is."""


@dataclass(frozen=True, eq=False)
class RunWindows:
    """The windows of a run, whose fits are there.

    Attributes:
        spec: The strategy.
        prepared: Its bars.
        fits: The fits of every window.
    """

    spec: Strategy
    prepared: PreparedData
    fits: FitResults

    def begin(self, timestamp: pd.Timestamp) -> PresentWindow:
        """The window whose first test bar this is."""
        stamps = self.prepared.feature_history.features.timestamps
        starts = [stamps[window.test.start] for window in self.prepared.windows]
        return self.at(starts.index(timestamp))

    def at(self, index: int) -> PresentWindow:
        """A window by its place among those of the run."""
        return PresentWindow.of_fits(self.spec, self.prepared, self.fits, index)


@dataclass(frozen=True, eq=False)
class HistoryWindows:
    """Fits a window when it begins, by the rule, key and store of a run.

    Attributes:
        spec: The strategy.
        load_history: Returns the market up to a bar and with it.
        home: Folder of caches and fits.
        workers: Processes to train in, instead of `compute.workers`.
        progress: Receives progress and notices.
        first_bar: First bar of the history, on which exponential averages depend.
        feature_names: Names of the features, in the order of the columns.
    """

    spec: Strategy
    load_history: Callable[[pd.Timestamp], Market]
    home: Path
    workers: int | None
    progress: Progress
    first_bar: pd.Timestamp
    feature_names: tuple[str, ...]

    @classmethod
    def of_bars(
        cls,
        recent: RecentBars,
        load_history: Callable[[pd.Timestamp], Market],
        *,
        home: Path,
        workers: int | None,
        progress: Progress,
    ) -> HistoryWindows:
        """The windows that begin after the bars so far."""
        return cls(
            recent.strategy.spec,
            load_history,
            home,
            workers,
            progress,
            recent.first_bar,
            recent.feature_names,
        )

    def begin(self, timestamp: pd.Timestamp) -> PresentWindow:
        """The window whose first test bar this is, fitted on the bars before it.

        Raises:
            UsageError: `load_history` gives other bars.
            TrainingError: A fit failed, and the strategy does not leave such a fit out.
        """
        prepared = prepare_data(self.spec, self.load_history(timestamp))
        self._check(prepared, timestamp)
        fits = fit_newest_window(
            self.spec, prepared, home=self.home, workers=self.workers, progress=self.progress
        )
        return PresentWindow.of_fits(self.spec, prepared, fits)

    def _check(self, prepared: PreparedData, timestamp: pd.Timestamp) -> None:
        history = prepared.feature_history
        stamps = history.features.timestamps
        begins = stamps[prepared.windows[-1].test.start]
        if (
            history.feature_names != self.feature_names
            or stamps[0] != self.first_bar
            or not stamps[-1] == begins == timestamp
        ):
            raise UsageError(
                "the history of a new window is not that of the bars so far",
                expected=f"the features {', '.join(self.feature_names)} from {self.first_bar} to "
                f"{timestamp}, with which a window begins",
                found=f"{', '.join(history.feature_names)} from {stamps[0]} to {stamps[-1]}, "
                f"whose last window begins with {begins}",
                where="load_history",
                fix="return the whole history up to the bar that is asked for",
            )
