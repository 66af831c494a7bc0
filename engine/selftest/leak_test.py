"""Plants every leak of the catalogue in several strategies, and certifies honest ones."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from pydantic import ValidationError

from engine.core.errors import LookaheadError, UsageError
from engine.core.progress import NullProgress, Progress
from engine.core.randomness import derive_seed
from engine.leakage.certify import run_leakage_test
from engine.pipeline.prepare import prepare_data
from engine.selftest.generated_bars import draw_funding
from engine.selftest.generated_panel import generate_panel, panel_strategy
from engine.selftest.harness import run_backtest
from engine.selftest.in_process import InProcessExecutor
from engine.selftest.leak_cases import CaseSource, draw_source
from engine.selftest.leaks import CATALOGUE, Leak, Plant
from engine.selftest.leaks.fits import load_user_models, make_user_model
from engine.selftest.leaks.joins import spread_over_exchanges
from engine.selftest.pool import map_unordered
from engine.selftest.random_strategies import Case, draw_rates
from engine.training.store import FitStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.data import Market
    from engine.pipeline.result import BacktestResult
    from engine.strategy import Strategy

Outcome: TypeAlias = Literal["caught", "missed", "no effect", "error"]
"""What became of a run: `no effect` is one in which the leak changed no value, or that the
strategy has no place for."""


@dataclass(frozen=True)
class LeakRun:
    """One run of a strategy, with a leak or honest.

    Attributes:
        leak: Kind that was planted; empty in an honest run.
        strategy: Name of the strategy.
        outcome: What became of it.
        stage: That the leakage test named; empty where it detected nothing.
        message: Of the error; empty where there was none.
    """

    leak: str
    strategy: str
    outcome: Outcome
    stage: str = ""
    message: str = ""


@dataclass(frozen=True)
class LeakRow:
    """The runs of one kind of leak.

    Attributes:
        name: The kind.
        summary: What it does.
        stage: Where it belongs.
        planted: Runs in which it changed a value.
        caught: Those in which the leakage test detected look-ahead.
        stage_right: Those in which it named the stage.
        missed: Names of the strategies of the others.
        misnamed: Strategy and the stage that was named instead.
        errors: Strategy and message of the runs that ended with another error.
    """

    name: str
    summary: str
    stage: str
    planted: int
    caught: int
    stage_right: int
    missed: tuple[str, ...]
    misnamed: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether each run was caught at its stage, and none ended with another error."""
        return self.caught == self.stage_right == self.planted and not self.errors


@dataclass(frozen=True)
class LeakTestResult:
    """All rows, and what became of the honest runs.

    Attributes:
        rows: A row a kind.
        honest: Number of honest runs.
        false_alarms: Strategy and message of those in which look-ahead was detected, or that
            ended with another error.
        seed: Seed of the bars, the draws and the random strategies.
        seconds: Run time.
    """

    rows: tuple[LeakRow, ...]
    honest: int
    false_alarms: tuple[str, ...]
    seed: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every leak was caught at its stage, and no honest run gave an alarm."""
        return all(row.passed for row in self.rows) and not self.false_alarms

    def as_json(self) -> dict[str, Any]:
        """As JSON; equal for equal seeds, except for `seconds`."""
        return {
            "passed": self.passed,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "kinds": [asdict(row) | {"passed": row.passed} for row in self.rows],
            "honest": self.honest,
            "false_alarms": list(self.false_alarms),
        }


def run_leak_test(
    sources: Sequence[CaseSource],
    *,
    leaks: Sequence[Leak] = CATALOGUE,
    honest: int = 0,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> LeakTestResult:
    """Runs each strategy with each leak, and honest ones without.

    Args:
        sources: Strategies to plant the leaks in; each runs once without a leak as well.
        leaks: Kinds to plant.
        honest: Further random strategies that run without a leak.
        seed: Of draws and random strategies.
        workers: Number of processes; None is one a core. With 1 all runs in this process.
        progress: Receives the number of finished runs.
    """
    progress = progress or NullProgress()
    progress.stage("leaktest")
    started = time.perf_counter()
    drawn = [draw_source(seed, "honest", number) for number in range(honest)]
    tasks: list[tuple[str, CaseSource, int]] = [
        *(("", source, seed) for source in (*sources, *drawn)),
        *((leak.name, source, seed) for leak in leaks for source in sources),
    ]
    runs: list[LeakRun | None] = [None] * len(tasks)
    finished = map_unordered(run_planted, tasks, workers)
    for done, (index, run) in enumerate(finished, start=1):
        runs[index] = run
        progress.advance(done, len(tasks), tasks[index][0] or "honest")
    ended = [run for run in runs if run is not None]
    return LeakTestResult(
        tuple(_conclude(leak, [run for run in ended if run.leak == leak.name]) for leak in leaks),
        len(sources) + honest,
        tuple(
            f"{run.strategy}: {run.message}"
            for run in ended
            if not run.leak and run.outcome != "missed"
        ),
        seed,
        time.perf_counter() - started,
    )


def run_planted(leak_name: str, source: CaseSource, seed: int) -> LeakRun:
    """Runs one strategy with a leak, or honest where the name is empty.

    A leak that changes no value of the run is no leak there: this is looked at where the leakage
    test detects nothing.
    """
    case = source.build()
    if not leak_name:
        return _outcome("", case, lambda: certify_case(case))
    leak = next(each for each in CATALOGUE if each.name == leak_name)
    try:
        adapted = adapt_case(case, leak)
        prepare_data(adapted.spec, adapted.market, adapted.rates)
    except (UsageError, ValidationError):  # such as too few bars for its coarser ones
        return LeakRun(leak_name, case.name, "no effect")
    seed = derive_seed(seed, "leaktest", leak_name, source.name)
    run = _outcome(leak_name, adapted, lambda: certify_planted(adapted, leak, seed))
    if run.outcome == "missed" and not changes_a_value(adapted, leak, seed):
        return LeakRun(run.leak, run.strategy, "no effect")
    return run


def adapt_case(case: Case, leak: Leak) -> Case:
    """The case with what a leak needs: sections, rates, a model, a panel, exchanges."""
    if leak.needs_panel and not case.market.is_panel:
        market = generate_panel(np.random.default_rng([case.spec.seed, 17]))
        return Case(case.name, panel_strategy(), market)
    market = _spread(case) if leak.over_exchanges else case.market
    spec, rates = leak.adapt(case.spec, case.market.interval), case.rates
    if leak.model is not None:
        # model_copy skips the validation, which knows installed kinds only.
        spec = spec.model_copy(update={"model": make_user_model(leak.model, spec.model)})
    if leak.stage == "rates" and rates is None:
        rates = draw_rates(np.random.default_rng(0), case.market)
    if spec.costs.charges_funding and market.funding is None:
        market = replace(market, funding=draw_funding(np.random.default_rng(0), market))
    return Case(case.name, spec, market, rates)


def _spread(case: Case) -> Market:
    """The bars of a case on several exchanges.

    Raises:
        UsageError: They are not daily ones of several symbols of which one is traded.
    """
    market, data = case.market, case.spec.data
    if market.interval != "1d" or len(market.symbols) < 2 or data.is_book or market.is_panel:
        raise UsageError("only daily bars of a single target are spread over exchanges")
    return spread_over_exchanges(market, data.single_target or market.symbols[0])


def certify_case(case: Case) -> None:
    """Backtests a case and runs the leakage test.

    Raises:
        LookaheadError: It detects look-ahead.
    """
    with _store(case.spec) as store:
        executor = InProcessExecutor()
        result = run_backtest(case.spec, case.market, executor, store, case.rates)
        run_leakage_test(result, executor, store, NullProgress(), fresh=False)


def certify_planted(case: Case, leak: Leak, seed: int) -> None:
    """As `certify_case`, with a leak in the engine.

    Raises:
        LookaheadError: The leakage test detects look-ahead.
    """
    load_user_models()
    plant = Plant(prepare_data(case.spec, case.market, case.rates), seed)
    with leak.planted(plant):
        certify_case(case)


@contextmanager
def _store(spec: Strategy) -> Iterator[FitStore]:
    """A store of fits for one run; without a costly model nothing is stored."""
    if not any(model.costly for model in spec.forecasters().values()):
        yield FitStore(Path("leaktest-stores-nothing"))
        return
    with TemporaryDirectory() as folder:
        yield FitStore(Path(folder))


def _outcome(leak: str, case: Case, certify: Callable[[], None]) -> LeakRun:
    try:
        certify()
    except LookaheadError as error:
        return LeakRun(leak, case.name, "caught", error.where.partition(":")[0], str(error))
    except Exception as error:  # noqa: BLE001 - a leak may break any part; its row says so
        return LeakRun(leak, case.name, "error", message=f"{type(error).__name__}: {error}")
    return LeakRun(leak, case.name, "missed")


def _conclude(leak: Leak, runs: Sequence[LeakRun]) -> LeakRow:
    caught = [run for run in runs if run.outcome == "caught"]
    missed = [run.strategy for run in runs if run.outcome == "missed"]
    wrong = [run for run in caught if run.stage != leak.stage]
    return LeakRow(
        name=leak.name,
        summary=leak.summary,
        stage=leak.stage,
        planted=len(caught) + len(missed),
        caught=len(caught),
        stage_right=len(caught) - len(wrong),
        missed=tuple(missed),
        misnamed=tuple(f"{run.strategy}: {run.stage}" for run in wrong),
        errors=tuple(f"{run.strategy}: {run.message}" for run in runs if run.outcome == "error"),
    )


def changes_a_value(case: Case, leak: Leak, seed: int) -> bool:
    """Whether a run with a leak differs anywhere from the same run without it."""
    plant = Plant(prepare_data(case.spec, case.market, case.rates), seed)
    with _store(case.spec) as store:
        executor = InProcessExecutor()
        honest = run_backtest(case.spec, case.market, executor, store, case.rates)
    with leak.planted(plant), _store(case.spec) as store:
        leaking = run_backtest(case.spec, case.market, executor, store, case.rates)
    pairs = zip(_all_values(honest), _all_values(leaking), strict=False)
    return any(not _equal(one, two) for one, two in pairs)


def _all_values(result: BacktestResult) -> Iterator[np.ndarray]:
    """Every array of a run, in one order."""
    history = result.prepared.feature_history
    parts = [part for w in result.prepared.windows for part in (w.train, w.validation, w.test)]
    yield np.array([[part.start, part.stop] for part in parts])
    yield history.features.values
    for coarse in history.coarse:
        yield from (coarse.latest, coarse.features.values)
    for returns in history.forward_returns.values():
        yield returns.to_numpy()
    yield result.prepared.rates_by_bar.to_frame().to_numpy()
    for task in result.fits.tasks:
        arrays = task.training_set
        yield from (arrays.inputs, arrays.target, arrays.trailing, arrays.train, arrays.validation)
        yield from (coarse.inputs for coarse in arrays.coarse)
    for predictions in result.predictions.values():
        yield from (each.predicted.to_numpy() for each in predictions.by_horizon.values())
        for by_symbol in predictions.train_predictions.values():
            yield from by_symbol.values()
    for weights in result.weights.values():
        yield weights.to_numpy()
    for book in result.books.values():
        yield from (book.returns.to_numpy(), book.held_weights.to_numpy())
        yield book.trades[["size", "price"]].to_numpy()


def _equal(one: np.ndarray, two: np.ndarray) -> bool:
    return one.shape == two.shape and bool(np.array_equal(one, two, equal_nan=True))
