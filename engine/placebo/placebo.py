"""`run_placebo`: a strategy on its real market, and on surrogates of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import backtest
from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.home import backtest_home
from engine.core.progress import NullProgress
from engine.pipeline.executor import make_executor
from engine.pipeline.holdout import load_strategy_market
from engine.pipeline.prepare import prepare_data
from engine.pipeline.run_identity import identify_run
from engine.placebo.finished_markets import FinishedMarkets
from engine.placebo.surrogates import Surrogates
from engine.runs.documents.placebo import PlaceboDocument

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.pipeline.prepared_data import PreparedData
    from engine.placebo.surrogate_bars import SurrogateKind
    from engine.runs.run import Run
    from engine.strategy import Strategy

PLACEBO_FOLDER = "placebo"
MIN_MARKETS, MAX_MARKETS = 19, 10_000
"""With 19 surrogates a p-value of 5 % is the lowest."""


@dataclass(frozen=True, eq=False)
class PlaceboResult:
    """A strategy on its real market and on surrogates.

    Attributes:
        document: `placebo.json`.
        run: Its run on the real bars.
    """

    document: PlaceboDocument
    run: Run = field(repr=False)


def run_placebo(  # noqa: PLR0913 - an argument an option of the command line
    spec: Strategy,
    kind: SurrogateKind = "signs",
    markets: int = 50,
    *,
    data: str | None = None,
    offline: bool = False,
    vintage: str | None = None,
    out: Path | str = "reports",
    home: Path | str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> PlaceboResult:
    """Runs a strategy on its real bars, and its whole path on surrogates of them.

    The run on the real bars is one look, as `backtest run` makes it. Surrogates are no looks: they
    say nothing about the real market. Finished surrogates are kept in the home, and the fits of
    one that is not finished, so that an interrupted command goes on. More markets include fewer.

    Args:
        spec: The strategy.
        kind: What the surrogates keep.
        markets: Their number.
        data: As in `engine.run`.
        offline: As there.
        vintage: As there.
        out: As there, of the run on the real bars.
        home: As there.
        workers: As there.
        progress: Receives stages, progress and notices.
        command: The command line, for the manifest of the run.

    Raises:
        UsageError: The number is out of bounds, the kind is not offered for the dataset, or the
            bars changed between the two readings.
        BacktestError: As in `engine.run`.
    """
    _require_markets(markets)
    reporter, folder = progress or NullProgress(), backtest_home(home)
    options: dict[str, Any] = {"offline": offline, "vintage": vintage, "home": folder}
    prepared = _prepare(spec, {**options, "override": data}, reporter)
    surrogates = Surrogates(spec, prepared, kind, markets)
    surrogates.require_offered()
    run = backtest.run(
        spec,
        data=data,
        out=out,
        workers=workers,
        progress=reporter,
        command=command,
        **options,
    )
    if identify_run(spec, prepared) != run.run_id:
        raise UsageError(
            "the bars changed while the strategy ran",
            expected=f"the bars of run {run.run_id}",
            found="others",
            where=run.manifest.dataset.name,
            fix="start the command again, or name a vintage: --vintage",
        )
    place = FinishedMarkets(folder / PLACEBO_FOLDER / f"{run.run_id}-{kind}")
    reporter.stage("surrogate markets")
    with closing(make_executor(spec, workers, folder)) as executor:
        ratios = surrogates.measure_all(place, executor, reporter)
    return PlaceboResult(_summarise(run, spec.name, kind, ratios), run)


def _require_markets(markets: int) -> None:
    if not MIN_MARKETS <= markets <= MAX_MARKETS:
        raise UsageError(
            "the number of surrogate markets is out of bounds",
            expected=f"{MIN_MARKETS} to {MAX_MARKETS:,}; with fewer than {MIN_MARKETS} no p-value "
            "is 5 % or less",
            found=f"{markets:,}",
            where="--markets",
            fix="use 50, or 200 for a p-value that is exact to 1.5 points at 5 %",
        )


def _prepare(spec: Strategy, options: dict[str, Any], progress: Progress) -> PreparedData:
    """The real market, without the bars of a holdout, which no surrogate sees either."""
    return prepare_data(spec, load_strategy_market(spec, progress=progress, **options))


def _summarise(
    run: Run, name: str, kind: SurrogateKind, ratios: Sequence[float]
) -> PlaceboDocument:
    real = run.metrics.books[STRATEGY_BOOK].sharpe or 0.0
    at_least = sum(ratio >= real for ratio in ratios)
    span = run.metrics.span
    return PlaceboDocument(
        strategy=name,
        run_id=run.run_id,
        kind=kind,
        markets=len(ratios),
        first=span.first,
        last=span.last,
        bars=span.bars,
        sharpe=real,
        surrogate_sharpes=tuple(ratios),
        at_least=at_least,
        p_value=(1 + at_least) / (1 + len(ratios)),
        median=float(np.median(ratios)),
        upper=float(np.quantile(ratios, 0.95)),
    )
