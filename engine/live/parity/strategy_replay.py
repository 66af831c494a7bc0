"""Replays the bars of a strategy one by one through the live path, and compares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.home import backtest_home
from engine.core.part_origin import find_origins
from engine.core.progress import NullProgress, Progress
from engine.data.next_bar import NextBar
from engine.live.fitted_strategy import fit_windows
from engine.live.loop.bar_loop import BarLoop
from engine.live.loop.loop_state import LoopState
from engine.live.loop.recent_bars import RecentBars
from engine.live.loop.window_source import HistoryWindows, RunWindows
from engine.live.market import load_market
from engine.live.parity.comparison import OtherPath, compare_paths
from engine.live.parity.document import Replay
from engine.live.parity.values import backtest_values, live_values, stored_values
from engine.live.strategy_argument import resolve_strategy
from engine.pipeline.prepare import prepare_data
from engine.pipeline.result import BacktestResult
from engine.pipeline.run_identity import identify_run
from engine.pipeline.steps import (
    assemble_strategy_predictions,
    decide_model_positions,
    decide_state_at,
    predict_windows,
    simulate_books,
)
from engine.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.data import Market
    from engine.live.loop.loop_state import BarOutcome
    from engine.live.loop.window_source import WindowSource
    from engine.strategy import Strategy

_REHEARSED_BARS = 8
"""Every so many bars the loop rehearses the next one, as a paper account does at each."""


def replay(  # noqa: PLR0913 - an argument an option of the command line
    strategy: Strategy | Path | str,
    *,
    bars: int | None = None,
    dataset: str | None = None,
    offline: bool = False,
    reports: Path | str = "reports",
    home: Path | str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Replay:
    """Feeds bars one by one through the live path, and compares it with the backtest.

    The live path is that of a paper account: features are updated, the models of the bar's window
    forecast, `decide` and `step`. At the first bar of a window its models are fitted on the bars
    up to it, or read from the store. The backtest computes the same from all bars at once. All
    values are compared to the last bit; where `reports` has a run of the same strategy, bars and
    versions, its tables too.

    Args:
        strategy: The strategy, or the path of its file.
        bars: Replay the newest so many out-of-sample bars, by an account that begins there; by
            default all of them, by the account of the run.
        dataset: A dataset's name or path, instead of the strategy's own.
        offline: Use the strategy's offline dataset.
        reports: Folder of the runs.
        home: Folder of caches and fits; by default BACKTEST_HOME, or `.backtest` in the working
            directory.
        workers: Processes to train in, instead of `compute.workers`.
        progress: Receives progress and notices.

    Raises:
        UsageError: No window fits into the bars, or `bars` is below 1.
        DataError: Bars are missing or break a quality rule.
        TrainingError: A fit failed, and the strategy does not leave such a fit out.
    """
    spec, reporter, folder = (
        resolve_strategy(strategy),
        progress or NullProgress(),
        backtest_home(home),
    )
    if bars is not None and bars < 1:
        raise UsageError(
            "nothing would be replayed", expected="1 bar or more", found=str(bars), where="bars"
        )
    reporter.stage("data")
    market = load_market(spec, dataset=dataset, offline=offline, home=folder, progress=reporter)
    result = compute_backtest(spec, market, home=folder, workers=workers, progress=reporter)
    reporter.stage("replay")

    def fit_as_they_begin(recent: RecentBars) -> WindowSource:
        return HistoryWindows.of_bars(
            recent, market.until, home=folder, workers=workers, progress=NullProgress()
        )

    return replay_result(
        result,
        bars=bars,
        windows=fit_as_they_begin,
        stored=_find_stored_run(result, Path(reports)),
        progress=reporter,
    )


def compute_backtest(
    spec: Strategy,
    market: Market,
    *,
    home: Path,
    workers: int | None = None,
    progress: Progress,
) -> BacktestResult:
    """The strategy's forecasts, weights and book, by the functions of a run, without vectorbt."""
    progress.stage("features")
    prepared = prepare_data(spec, market)
    progress.stage("refits")
    fits = fit_windows(
        spec, prepared, prepared.windows, home=home, workers=workers, progress=progress
    )
    fits = replace(fits, forecasts=predict_windows(prepared, fits))
    predictions = assemble_strategy_predictions(prepared, fits)
    progress.stage("simulation")
    weights = {STRATEGY_BOOK: decide_model_positions(spec, prepared, predictions)}
    books = simulate_books(spec, prepared, weights, bar_by_bar=True)
    return BacktestResult(spec, prepared, fits, {STRATEGY_BOOK: predictions}, weights, books)


def replay_result(
    result: BacktestResult,
    *,
    bars: int | None = None,
    windows: Callable[[RecentBars], WindowSource] | None = None,
    stored: Run | None = None,
    bar_by_bar: bool = True,
    progress: Progress | None = None,
) -> Replay:
    """Replays the newest bars of a backtest, and compares with it.

    Args:
        result: The backtest; of its books the strategy's.
        bars: How many; by default all out-of-sample bars.
        windows: Where the models of a window that begins come from, by default the fits of the
            backtest.
        stored: A run folder to compare with as well.
        bar_by_bar: As in `simulate_all`, for the book of an account that begins later than the
            run.
        progress: Receives progress.
    """
    prepared = result.prepared
    span = prepared.span
    first = 0 if bars is None else max(len(span) - bars, 0)
    loop = _loop_before(result, first, windows)
    outcomes = list(_advance(loop, prepared.market, first, len(span), progress or NullProgress()))
    book = (
        result.books[STRATEGY_BOOK]
        if first == 0
        else simulate_books(
            result.spec,
            prepared,
            {STRATEGY_BOOK: result.weights[STRATEGY_BOOK]},
            bar_by_bar=bar_by_bar,
            first=first,
        )[STRATEGY_BOOK]
    )
    others = [OtherPath("backtest", backtest_values(result, book, first, prepared.targets))]
    if stored is not None:
        values = stored_values(stored, span[first], with_book=first == 0)
        others.append(OtherPath(f"run {stored.run_id}", values, ("return",)))
    comparison = compare_paths(live_values(outcomes, prepared.targets), others)
    begun = {outcome.window for outcome in outcomes}
    continued = first > 0 and outcomes[0].window == _window_at(result, first - 1)
    return Replay(
        strategy=result.spec.name,
        dataset=prepared.market.provenance["name"],
        offline=prepared.market.provenance["offline"],
        first=span[first].isoformat(),
        last=span[-1].isoformat(),
        bars=len(outcomes),
        out_of_sample_bars=len(span),
        windows=len(begun) - continued,
        run_id=None if stored is None else stored.run_id,
        compared=comparison.compared,
        differing=comparison.differing,
        first_difference=comparison.first,
        own_parts=tuple(filter(None, (part.kind for part in find_origins(result.spec)))),
    )


def _loop_before(
    result: BacktestResult,
    first: int,
    make_windows: Callable[[RecentBars], WindowSource] | None,
) -> BarLoop:
    """The loop before an out-of-sample bar: with the decisions of the backtest, a new account."""
    spec, prepared = result.spec, result.prepared
    stamps = prepared.feature_history.features.timestamps
    row = prepared.windows[0].test.start + first
    known = prepared.market.until(stamps[row - 1])
    recent = RecentBars.of_history(spec, known, prepared.span[0])
    of_run = RunWindows(spec, prepared, result.fits)
    state = LoopState()
    if first:
        predictions = result.predictions[STRATEGY_BOOK]
        state = LoopState(decision=decide_state_at(spec, prepared, predictions, first - 1))
    return BarLoop(
        spec,
        recent,
        make_windows(recent) if make_windows else of_run,
        prepared.market.until,
        present=of_run.at(_window_at(result, first - 1)) if first else None,
        state=state,
        rates=prepared.rates,
    )


def _window_at(result: BacktestResult, row: int) -> int:
    """Place of the window of an out-of-sample bar."""
    start = result.prepared.windows[0].test.start
    return next(
        place for place, window in enumerate(result.prepared.windows) if start + row in window.test
    )


def _advance(
    loop: BarLoop, market: Market, first: int, count: int, progress: Progress
) -> Iterator[BarOutcome]:
    """The outcomes of the out-of-sample bars from the place `first` on."""
    newest = market.bars.iloc[-(count - first) * len(market.symbols) :]
    for place, bar in enumerate(NextBar.of_market(newest, market.symbols), start=1):
        loop.prepare_next()  # as a paper account does while it waits
        if place % _REHEARSED_BARS == 0:
            loop.rehearse()
        yield loop.advance(bar)
        progress.advance(place, count - first, str(bar.timestamp))


def _find_stored_run(result: BacktestResult, reports: Path) -> Run | None:
    """The run of the same strategy, bars and versions, where there is one."""
    folder = reports / result.spec.name / identify_run(result.spec, result.prepared)
    return Run.open(folder) if (folder / "manifest.json").is_file() else None
