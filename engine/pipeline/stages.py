"""`run`: a strategy in, a run out."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.artifacts import Run, machine, whole_or_absent
from engine.data.load import load_market
from engine.errors import UsageError
from engine.evaluation.ledger import Entry, Ledger
from engine.pipeline.books import decide, measure, refit, trade
from engine.pipeline.certificate import certify
from engine.pipeline.ground import prepare
from engine.pipeline.judging import judge
from engine.pipeline.made import Made
from engine.pipeline.record import Clock, manifest, outcome, positions, trades, tuned
from engine.progress import Progress, Silent
from engine.refit.cluster import Cluster
from engine.refit.local import Local
from engine.refit.plan import STRATEGY
from engine.refit.store import Store
from engine.reporting.pages import drawing
from engine.strategy import Strategy, load_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.refit.executor import Executor
    from engine.reporting.pages import Pages


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
    family: str | None = None,
) -> Run:
    """Runs a strategy from bars to report.

    Args:
        strategy: A strategy, or the path of its file.
        overrides: Dotted paths to values, laid over the file: `{"signal.enter_bps": 10}`.
        data: A dataset's name or path, instead of the strategy's own.
        offline: Use the strategy's offline dataset.
        vintage: Use the dataset's bars as they were once pulled, and no network: the id of a
            vintage, as `manifest["dataset"]["vintage"]` names it, or a date or instant (UTC).
        out: The run folder is `out`/`strategy.name`/`run_id`.
        home: Where caches, fits and the trial ledger live; BACKTEST_HOME, or `.backtest` here, if
            not given.
        workers: Processes to train in, instead of `compute.workers`.
        fresh: Train everything anew, whatever is stored.
        pages: Draw the pages, which takes seconds; `backtest report` can do so later.
        progress: Who is told what goes on.
        command: The command line, for the manifest.
        family: Of the runs that are begun together with this one, for ledger and manifest.

    Returns:
        What was found, also on disk in `run_dir`, which is complete or absent.

    Raises:
        BacktestError: Its class says which part of the input is wrong; see `engine.errors`.
    """
    told = progress or Silent()
    asked = _Asked(
        spec=_resolved(strategy, overrides),
        file=None if isinstance(strategy, Strategy) else str(strategy),
        data=data,
        offline=offline,
        vintage=vintage,
        out=Path(out),
        home=Path(home or os.environ.get("BACKTEST_HOME") or ".backtest"),
        workers=workers,
        fresh=fresh,
        pages=pages,
        command=command,
        family=family,
    )
    _require_installed(asked.spec)
    ledger = Ledger(asked.home / "ledger.sqlite")
    with ledger.record(asked.spec.model_dump(mode="json"), command, told, family) as entry:
        return _stages(asked, entry, Clock(told), told)


@dataclass(frozen=True)
class _Asked:
    """What `run` was asked for."""

    spec: Strategy
    file: str | None
    data: str | None
    offline: bool
    vintage: str | None
    out: Path
    home: Path
    workers: int | None
    fresh: bool
    pages: bool
    command: str
    family: str | None


def _stages(asked: _Asked, entry: Entry, clock: Clock, told: Progress) -> Run:
    """One stage after the other; the ledger's entry is told of the bars, and what came of them."""
    spec, home = asked.spec, asked.home
    with clock.stage("data"):
        market = load_market(
            spec.data,
            home=home,
            offline=asked.offline,
            override=asked.data,
            vintage=asked.vintage,
            progress=told,
        )
    with clock.stage("features"):
        ground = prepare(spec, market)
    entry.stands_on(ground.told())
    with drawing(wanted=asked.pages) as drawn:
        store = Store(home / "fits")
        with closing(_executor(spec, asked.workers, home / "programs")) as executor:
            with clock.stage("refits"):
                predictions, fits = refit(spec, ground, executor, store, told, fresh=asked.fresh)
            with clock.stage("simulation"):
                decided = decide(spec, ground, predictions)
                books = trade(spec, ground, decided)
                made = Made(spec, ground, fits, predictions, decided, books)
            drawn.begin(made.returns, ground.market.periods_per_year)
            with clock.stage("certificate"):
                certificate = certify(made, executor, store, told, fresh=asked.fresh)
        inputs = manifest(spec, ground, predictions)
        with clock.stage("evaluation"):
            figures = measure(ground, predictions, books)
            trials = entry.trials(made.returns[STRATEGY], tuned(inputs))
            judged = judge(made, figures, trials)
        inputs |= {
            "strategy_file": asked.file,
            "machine": machine(executor.workers),
            "fits": {"trained": fits.trained, "stored": fits.stored},
            "left_out": [f"{error.where}: {error.problem}" for error in fits.failures],
            "started_at": clock.started_at,
            "command": asked.command,
            **({"family": asked.family} if asked.family else {}),
        }
        found = Run(
            run_id=inputs["run_id"],
            run_dir=asked.out / spec.name / inputs["run_id"],
            manifest=inputs | {"timings_s": clock.timings()},
            bars=market.bars,
            predictions=predictions[STRATEGY].table,
            positions=positions(decided),
            returns=made.returns,
            trades=trades(books),
            metrics=figures,
            significance=judged,
            certificate=certificate,
        )
        found = _written(found, drawn, clock)
    entry.finish(outcome(found))
    return found


def _written(found: Run, drawn: Pages, clock: Clock) -> Run:
    """The run in its folder; its timings now count the drawing of the pages."""
    with whole_or_absent(found.run_dir) as draft:
        with clock.stage("report"):
            drawn.write(found, draft)
        found = replace(found, manifest=found.manifest | {"timings_s": clock.timings()})
        found.write(draft)
    return found


def _resolved(strategy: Strategy | Path | str, overrides: Mapping[str, object] | None) -> Strategy:
    if not isinstance(strategy, Strategy):
        return load_strategy(Path(strategy), overrides)
    if overrides:
        raise UsageError(
            "overrides need a strategy file",
            expected="a path, or a Strategy without overrides",
            found=f"a Strategy and {len(overrides)} overrides",
            fix="change the Strategy with model_copy(update=...)",
        )
    return strategy


def _require_installed(spec: Strategy) -> None:
    """The extras that the strategy needs, before anything is trained."""
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


def _executor(spec: Strategy, workers: int | None, programs: Path) -> Executor:
    compute = spec.compute
    chosen = workers or (None if compute.workers == "auto" else compute.workers)
    if compute.executor == "ray":
        return Cluster(compute.ray_address, compute.backend, chosen, compute.gpus_per_fit)
    return Local(chosen, compute.backend, programs)
