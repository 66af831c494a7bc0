"""`run`: a strategy in, a run out."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.backtest.declared_sections import with_declarations
from engine.backtest.declared_tries import declare_tries
from engine.backtest.deployment_section import time_forecasts
from engine.backtest.evaluate import evaluate_backtest
from engine.backtest.further_paths import prepare_further_paths, run_further_paths
from engine.backtest.manifest import (
    StageTimer,
    build_manifest,
    concat_positions,
    concat_trades,
    count_tuning_trials,
    describe_machine,
    summarize_for_ledger,
)
from engine.core.blas_threads import one_blas_thread
from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.home import LEDGER_FILE, backtest_home, prepare_home
from engine.core.open_kinds import list_ignored_kinds
from engine.core.progress import NullProgress, Progress
from engine.data.quality.late_repairs import describe_late_repairs
from engine.evaluation.analysis import with_analysis
from engine.evaluation.verdict import BUY_AND_HOLD
from engine.leakage.certify import run_leakage_test
from engine.live.parity.run_check import check_live_path
from engine.pipeline.executor import make_executor
from engine.pipeline.holdout import load_strategy_market
from engine.pipeline.metrics import compute_run_metrics
from engine.pipeline.prepare import prepare_data
from engine.pipeline.result import BacktestResult
from engine.pipeline.steps import (
    decide_positions,
    fit_and_predict,
    simulate_books,
)
from engine.reporting import open_page_writer
from engine.reporting.formatting import NO_BREAK_SPACE
from engine.reporting.live_path import describe_live_fault
from engine.reporting.order_waits import describe_waits
from engine.runs.documents.rates import AnnualRate
from engine.runs.folder import (
    LONGEST_RUN_FILE,
    RUNS_PLACE,
    atomic_directory,
    estimate_folder_bytes,
)
from engine.runs.run import Run
from engine.runs.stored_market import tabulate_funding, tabulate_source_bars
from engine.runs.sums import write_sums
from engine.strategy import Strategy, include_holding, load_strategy
from engine.training.results import report_refused_fits
from engine.training.store import FitStore
from engine.trials import Ledger, LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.backtest.further_paths import FurtherPathData, FurtherPaths
    from engine.data import Market
    from engine.pipeline.prepared_data import PreparedData
    from engine.reporting import PageWriter
    from engine.simulation.portfolio import SimulationResult
    from engine.training.executors.base import Executor
    from engine.trials.repeated_entry import RepeatedEntry


def run(  # noqa: PLR0913 - an argument an option of the command line
    strategy: Strategy | Path | str,
    *,
    overrides: Mapping[str, object] | None = None,
    data: str | None = None,
    offline: bool = False,
    vintage: str | None = None,
    out: Path | str = "reports",
    home: Path | str | None = None,
    workers: int | None = None,
    fresh: bool = False,
    pages: bool = True,
    progress: Progress | None = None,
    command: str = "",
    sweep_id: str | None = None,
    tries_elsewhere: int | None = None,
    unseal: bool = False,
) -> Run:
    """Runs a strategy from bars to report.

    Args:
        strategy: A strategy, or the path of its file.
        overrides: Dotted path -> value, instead of that of the file: `{"signal.enter_bps": 10}`.
        data: A dataset's name or path, instead of the strategy's own.
        offline: Use the strategy's offline dataset.
        vintage: Use the dataset's bars as they were pulled at that time, without network: the id
            of a vintage, as in `manifest.dataset.vintage`, or a date or instant (UTC).
        out: The run folder is `out`/`strategy.name`/`run_id`.
        home: Folder of caches, fits and the trial ledger; by default BACKTEST_HOME, or `.backtest`
            in the working directory.
        workers: Processes to train in, instead of `compute.workers`.
        fresh: Train every fit, also those that are stored.
        pages: Draw the pages, which takes seconds; `backtest report` can draw them later.
        progress: Receives stages, progress and notices.
        command: The command line, for the manifest.
        sweep_id: Id of the sweep that the run belongs to, for ledger and manifest.
        tries_elsewhere: Tries that the trial ledger cannot know, instead of `trials.elsewhere`.
        unseal: Look at the bars of `windows.holdout`, too; the ledger has it before a model does.

    Returns:
        The run; its files are in `run_dir`, which is complete or absent.

    Raises:
        BacktestError: Its class names the kind of the fault, see `engine.core.errors`.
    """
    reporter = progress or NullProgress()
    options = _RunOptions(
        spec=_with_tries_elsewhere(
            _resolve_strategy(strategy, overrides, reporter), tries_elsewhere
        ),
        strategy_file=None if isinstance(strategy, Strategy) else str(strategy),
        data=data,
        offline=offline,
        vintage=vintage,
        out=Path(out),
        home=backtest_home(home),
        workers=workers,
        fresh=fresh,
        pages=pages,
        command=command,
        sweep_id=sweep_id,
        unseal=unseal,
    )
    _require_holdout(options)
    _require_installed(options.spec)
    for error in list_ignored_kinds(options.spec):
        reporter.notice(f"{error.problem}: {error.where}")
    RUNS_PLACE.require_folder(options.out / options.spec.name, LONGEST_RUN_FILE)
    prepare_home(options.home)
    ledger = Ledger(options.home / LEDGER_FILE)
    resolved = options.spec.model_dump(mode="json")
    with ledger.record(resolved, command, reporter, sweep_id) as entry:
        return _run_stages(options, entry, StageTimer(reporter), reporter)


def repeat_run(
    strategy: Strategy,
    market: Market,
    record: RepeatedEntry,
    *,
    out: Path,
    home: Path,
    progress: Progress,
) -> Run:
    """Makes a run again, from bars that are at hand; nothing is recorded, and no page drawn.

    Args:
        strategy: As its manifest has it.
        market: As `restore_market` makes it.
        record: Has the trials that the run counted.
        out: The run folder is `out`/`strategy.name`/`run_id`.
        home: Folder of the fits; in an empty one all are trained.
        progress: Receives stages, progress and notices.

    Raises:
        BacktestError: As `run`.
    """
    options = _RunOptions(
        spec=strategy,
        strategy_file=None,
        data=None,
        offline=False,
        vintage=None,
        out=out,
        home=home,
        workers=None,
        fresh=False,
        pages=False,
        command="",
        sweep_id=None,
        market=market,
    )
    _require_installed(strategy)
    prepare_home(home)
    return _run_stages(options, record, StageTimer(progress), progress)


@dataclass(frozen=True)
class _RunOptions:
    """The arguments of `run`, and a market that is at hand instead of being loaded."""

    spec: Strategy
    strategy_file: str | None
    data: str | None
    offline: bool
    vintage: str | None
    out: Path
    home: Path
    workers: int | None
    fresh: bool
    pages: bool
    command: str
    sweep_id: str | None
    market: Market | None = None
    unseal: bool = False


def _run_stages(
    options: _RunOptions,
    ledger_entry: LedgerEntry | RepeatedEntry,
    timer: StageTimer,
    progress: Progress,
) -> Run:
    """All stages in their order; the ledger's entry receives the bars and the outcome."""
    spec, home = options.spec, options.home
    prepared, further_data = _prepare(options, timer, progress)
    _begin_look(options, prepared, ledger_entry)
    _warn_if_disk_is_small(options, prepared, progress)
    store = FitStore(home / "fits")
    with (
        report_refused_fits(store, progress),
        open_page_writer(enabled=options.pages) as pages,
    ):
        with closing(make_executor(spec, options.workers, home)) as executor:
            with timer.stage("refits"):
                predictions, fits = fit_and_predict(
                    spec, prepared, executor, store, progress, fresh=options.fresh
                )
            with timer.stage("simulation"):
                weights = decide_positions(spec, prepared, predictions)
                books = simulate_books(spec, prepared, weights)
                result = BacktestResult(spec, prepared, fits, predictions, weights, books)
                live_path = check_live_path(result)
                if sentence := describe_live_fault(live_path):
                    progress.notice(sentence)
            pages.start_quantstats(
                result.returns,
                prepared.market.periods_per_year,
                AnnualRate.summarise(prepared.rates_by_bar.risk_free).mean_pct / 100,
            )
            with timer.stage("certificate"):
                certificate = run_leakage_test(
                    result, executor, store, progress, fresh=options.fresh
                )
            further = _run_further(options, further_data, executor, store, timer, progress)
        manifest = build_manifest(spec, prepared, predictions)
        manifest |= {
            "strategy_file": options.strategy_file,
            "machine": describe_machine(executor.workers),
            "fits": {"trained": fits.trained, "stored": fits.stored},
            "left_out": [f"{error.where}: {error.problem}" for error in fits.failures],
            "started_at": timer.started_at,
            "command": options.command,
            **({"forecast_ms": timed} if (timed := time_forecasts(result)) else {}),
            **({"family": options.sweep_id} if options.sweep_id else {}),
            **({"ledger": place} if (place := ledger_entry.place_in_ledger) else {}),
        }
        with timer.stage("evaluation"), one_blas_thread():
            metrics = compute_run_metrics(result) | {"live_path": live_path}
            for sentence in describe_waits(metrics):
                progress.notice(sentence.replace(NO_BREAK_SPACE, " "))
            trials = ledger_entry.collect_trials(
                result.returns[STRATEGY_BOOK],
                result.returns.get(BUY_AND_HOLD),
                count_tuning_trials(manifest),
            )
            finished_run = with_analysis(
                Run(
                    run_id=manifest.run_id,
                    run_dir=options.out / spec.name / manifest.run_id,
                    manifest=manifest,
                    bars=prepared.market.present_bars,
                    predictions=predictions[STRATEGY_BOOK].table,
                    positions=concat_positions(weights),
                    returns=result.returns,
                    trades=concat_trades(books),
                    metrics=metrics,
                    significance=with_declarations(
                        evaluate_backtest(result, trials, further), ledger_entry, result, metrics
                    ),
                    rates=_rates_to_store(prepared),
                    financing=_financing_to_store(spec, books[STRATEGY_BOOK]),
                    funding=tabulate_funding(prepared.market),
                    source_bars=tabulate_source_bars(prepared.market),
                    certificate=certificate,
                )
            )
        finished_run = _write_run(finished_run, pages, timer)
    ledger_entry.finish(summarize_for_ledger(finished_run))
    return finished_run


def _prepare(
    options: _RunOptions, timer: StageTimer, progress: Progress
) -> tuple[PreparedData, FurtherPathData]:
    """Bars and features under the run's own windows, and for the paths of `paths`."""
    with timer.stage("data"):
        market = options.market or load_strategy_market(
            options.spec,
            home=options.home,
            offline=options.offline,
            override=options.data,
            vintage=options.vintage,
            progress=progress,
            unsealed=options.unseal,
        )
    with timer.stage("features"):
        prepared = _tell_about_bars(prepare_data(options.spec, market), options.spec, progress)
        further = prepare_further_paths(options.spec, prepared, progress)
        for sentence in prepared.rates.describe_gaps(prepared.span):
            progress.notice(sentence)
    return prepared, further


def _warn_if_disk_is_small(
    options: _RunOptions, prepared: PreparedData, progress: Progress
) -> None:
    books = 1 + len(options.spec.benchmarks)
    needed = estimate_folder_bytes(len(prepared.market.bars), books, pages=options.pages)
    if warning := RUNS_PLACE.warn_if_small(options.out, needed):
        progress.notice(warning)


def _tell_about_bars(prepared: PreparedData, spec: Strategy, progress: Progress) -> PreparedData:
    """Notices, kept with the market, of late repairs and of costs of symbols that it lacks."""
    market = prepared.market
    quality = market.provenance.get("quality", {})
    told = list(describe_late_repairs(quality.get("repairs", ()), prepared.span[0]))
    if unknown := spec.costs.unknown_symbols(market):
        told.append(
            f"costs.by_symbol: the offline dataset does not have {', '.join(unknown)}; what is "
            "written for it is not charged."
        )
    for sentence in told:
        progress.notice(sentence)
    # Stored bars have their notices already.
    told = [sentence for sentence in told if sentence not in market.provenance["notices"]]
    return replace(prepared, market=market.with_bar_notices(told)) if told else prepared


def _begin_look(
    options: _RunOptions, prepared: PreparedData, ledger_entry: LedgerEntry | RepeatedEntry
) -> None:
    """Records the bars that the run looks at, and before them that they were sealed."""
    if options.unseal:
        ledger_entry.declare_unsealing(prepared.market.provenance["holdout"]["sealed_from"])
    ledger_entry.set_data_scope(prepared.to_data_scope())


def _require_holdout(options: _RunOptions) -> None:
    if options.unseal and options.spec.windows.holdout is None:
        raise UsageError(
            "the strategy holds no bars out",
            expected="`windows: {holdout: 1y}` or another length",
            found="no holdout",
            where="windows.holdout",
            fix="write it before the first run; bars that a run had are not unseen any more",
        )


def _rates_to_store(prepared: PreparedData) -> pd.DataFrame | None:
    """The interest rates by bar; None where they are 0."""
    rates = prepared.rates_by_bar
    return None if rates.is_zero else rates.to_frame()


def _financing_to_store(spec: Strategy, book: SimulationResult) -> pd.DataFrame | None:
    """Funding and loan interest by bar; None where the costs charge neither."""
    if not spec.costs.charges_funding and spec.costs.loan_per_year is None:
        return None
    charged: pd.DataFrame = book.financing[["funding", "loan_interest"]]
    return charged


def _run_further(
    options: _RunOptions,
    data: FurtherPathData,
    executor: Executor,
    store: FitStore,
    timer: StageTimer,
    progress: Progress,
) -> FurtherPaths | None:
    """The paths that `paths` asks for, as a stage of their own; None where it asks for none."""
    if not data:
        return None
    with timer.stage("paths"):
        return run_further_paths(
            options.spec, data, executor, store, progress, fresh=options.fresh
        )


def _write_run(finished_run: Run, pages: PageWriter, timer: StageTimer) -> Run:
    """Writes the run folder; the timings in it include the drawing of the pages."""
    with atomic_directory(finished_run.run_dir) as draft:
        finished_run = _with_timings(finished_run, timer)
        with timer.stage("report"):
            pages.write(finished_run, draft)
        finished_run = _with_timings(finished_run, timer)
        finished_run.write(draft)
        write_sums(draft)
    return finished_run


def _with_timings(run: Run, timer: StageTimer) -> Run:
    return replace(run, manifest=run.manifest | {"timings_s": timer.timings()})


def _resolve_strategy(
    strategy: Strategy | Path | str, overrides: Mapping[str, object] | None, progress: Progress
) -> Strategy:
    if not isinstance(strategy, Strategy):
        return load_strategy(Path(strategy), overrides, progress.notice)
    if overrides:
        raise UsageError(
            "overrides need a strategy file",
            expected="a path, or a Strategy without overrides",
            found=f"a Strategy and {len(overrides)} overrides",
            fix="change the Strategy with model_copy(update=...)",
        )
    # `model_copy` validates nothing, so that it can leave holding out.
    return strategy.model_copy(update={"benchmarks": include_holding(strategy.benchmarks)})


def _with_tries_elsewhere(spec: Strategy, tries: int | None) -> Strategy:
    if tries is None:
        return spec
    declared = declare_tries(tries, "tries_elsewhere", "tries_elsewhere=40")
    return spec.model_copy(update={"trials": declared})


def _require_installed(spec: Strategy) -> None:
    """Checks that the extras which the strategy needs are installed, before any training."""
    backend: str = spec.compute.backend
    needed = [(backend, f"the backend that compute.backend names: {backend}", backend)]
    if spec.tune is not None:
        needed.append(("optuna", "the package that `tune` draws its trials with: optuna", "tune"))
    for package, expected, extra in needed:
        if find_spec(package) is None:
            raise UsageError(
                f"{package} is not installed",
                expected=expected,
                found="no such package",
                fix=f"pip install 'backtest-engine[{extra}]'",
            )
