"""From the authors' closes to the paper's tables beside ours."""

from __future__ import annotations

from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import TrainingError, UsageError
from engine.core.home import backtest_home
from engine.core.progress import NullProgress, Progress
from engine.core.versions import collect_fit_versions
from engine.replication.livieris2021 import consistency, price_statistics
from engine.replication.livieris2021.forecast_scores import score_naive_rules, score_networks
from engine.replication.livieris2021.prices import read_closes
from engine.replication.livieris2021.protocol import PaperProtocol, ScalingMode
from engine.replication.livieris2021.published import read_published
from engine.replication.livieris2021.ranks import build_rank_tables
from engine.replication.livieris2021.result import Livieris2021Result
from engine.replication.livieris2021.tasks import make_paper_tasks
from engine.training.executors.local import LocalExecutor
from engine.training.results import run_fits
from engine.training.store import FitStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import WideFrame
    from engine.models import Backend
    from engine.replication.livieris2021.published import PublishedTables
    from engine.training.results import FitResults

DEFAULT_RUNS = 10


def replicate(  # noqa: PLR0913 - an argument an option of the command line
    data: Path | str,
    *,
    runs: int = DEFAULT_RUNS,
    scaling: ScalingMode = "train",
    backend: Backend = "tensorflow",
    workers: int | None = None,
    fresh: bool = False,
    home: Path | str | None = None,
    progress: Progress | None = None,
    protocol: PaperProtocol | None = None,
) -> Livieris2021Result:
    """Repeats Livieris et al. (2021) under its own protocol.

    Every fit is stored as soon as it is made: a replication that was interrupted goes on where it
    was, and more `runs` train only those that are new.

    Args:
        data: Folder of the authors' closes and of the paper's printed figures.
        runs: Fits of each network, lag and coin.
        scaling: Of the inputs; all but `train` leaks. See `Protocol`.
        backend: What Keras computes with.
        workers: Processes to train in; None is one a core.
        fresh: Train everything anew, whatever is stored.
        home: Where fits live; BACKTEST_HOME, or `.backtest` here, if not given.
        progress: Who is told what goes on.
        protocol: Another than the paper's; `scaling` is laid over it.

    Raises:
        UsageError: The backend is not installed.
        DataError: A file is missing, damaged, or not the paper's.
        TrainingError: A fit failed twice.
    """
    told = progress or NullProgress()
    if find_spec(backend) is None:
        raise UsageError(
            f"{backend} is not installed",
            expected=f"the package that --backend names: {backend}",
            found="no such package",
            fix=f"pip install 'backtest-engine[{backend}]'",
        )
    given = (protocol or PaperProtocol()).model_dump()
    spec = PaperProtocol.model_validate(given | {"scaling": scaling})
    place = backtest_home(home)
    told.stage("data")
    closes = read_closes(Path(data), spec)
    published = read_published(Path(data), spec)
    told.stage("refits")
    with closing(LocalExecutor(workers, backend, place / "programs")) as executor:
        fits = run_fits(
            make_paper_tasks(closes, spec, runs),
            executor,
            FitStore(place / "fits"),
            told,
            ignore_stored=fresh,
        )
    told.stage("evaluation")
    return compare_with_paper(closes, published, spec, fits, collect_fit_versions(backend))


def compare_with_paper(
    closes: WideFrame,
    published: PublishedTables,
    protocol: PaperProtocol,
    fits: FitResults,
    versions: Mapping[str, str],
) -> Livieris2021Result:
    """The paper's tables beside what came of the fits.

    Args:
        closes: Of all coins and days.
        published: What the paper prints.
        protocol: What was done.
        fits: All of them, the same number of each network, lag and coin.
        versions: Of the libraries that shape numbers.
    """
    made = [each for each in fits.outcomes if not isinstance(each, TrainingError)]
    tests = price_statistics.compare_stationarity(closes, protocol, published)
    rows = score_networks(closes, protocol, published, fits.tasks, made)
    naive = score_naive_rules(closes, protocol)
    ranks = build_rank_tables(rows, published.friedman)
    return Livieris2021Result(
        source=published.source,
        protocol=protocol,
        runs=1 + max(task.seed_index for task in fits.tasks),
        descriptive=price_statistics.compare_descriptive(closes, protocol, published),
        movements=price_statistics.compare_movements(closes, protocol, published),
        stationarity=tests,
        forecasts=rows,
        naive_rules=naive,
        ranks=ranks,
        level_trap=consistency.count_level_trap(rows, naive),
        notes={
            "adf": consistency.find_repeated_statistics(tests),
            "forecasts": consistency.find_contradictions(closes, protocol, rows),
            "ranks": consistency.find_mislabelled_tables(ranks),
        },
        trained=fits.trained,
        stored=fits.stored,
        versions=versions,
    )
