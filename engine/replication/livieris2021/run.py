"""Runs the replication: from the authors' closes to the tables of the paper next to ours."""

from __future__ import annotations

from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.core.home import backtest_home, prepare_home
from engine.core.progress import NullProgress, Progress
from engine.core.versions import collect_fit_versions
from engine.replication.livieris2021 import consistency, price_statistics
from engine.replication.livieris2021.forecast_scores import score_naive_rules, score_networks
from engine.replication.livieris2021.prices import read_closes
from engine.replication.livieris2021.protocol import PaperProtocol, ScalingMode
from engine.replication.livieris2021.published import read_published
from engine.replication.livieris2021.ranks import build_rank_tables
from engine.replication.livieris2021.result import Livieris2021Result
from engine.replication.livieris2021.tasks import make_paper_tasks, predict_testing_days
from engine.training.executors.local import LocalExecutor
from engine.training.results import report_refused_fits, run_fits
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
    """Replicates Livieris et al. (2021) under its own protocol.

    Every fit is stored when it is finished: an interrupted replication resumes where it stopped,
    and a larger number of `runs` trains only the additional ones.

    Args:
        data: Folder of the authors' closes and of the printed figures.
        runs: Number of fits of each network, lag and coin.
        scaling: Scaling of the inputs; `refit-on-test` leaks. See `PaperProtocol`.
        backend: Backend of Keras.
        workers: Number of training processes; None is one a core.
        fresh: Train every fit, also those that are stored.
        home: Folder of stored fits; None is BACKTEST_HOME, or else `.backtest`.
        progress: Receives the stages and the number of finished fits.
        protocol: Replaces the protocol of the paper; `scaling` overrides its scaling.

    Raises:
        UsageError: The backend is not installed; as a StorageError the home cannot be written.
        DataError: A file is missing, damaged, or not that of the paper.
        TrainingError: A fit failed twice.
    """
    progress = progress or NullProgress()
    if find_spec(backend) is None:
        raise UsageError(
            f"{backend} is not installed",
            expected=f"the package that --backend names: {backend}",
            found="no such package",
            fix=f"pip install 'backtest-engine[{backend}]'",
        )
    settings = (protocol or PaperProtocol()).model_dump()
    spec = PaperProtocol.model_validate(settings | {"scaling": scaling})
    home_folder = backtest_home(home)
    prepare_home(home_folder)
    store = FitStore(home_folder / "fits")
    progress.stage("data")
    closes = read_closes(Path(data), spec)
    published = read_published(Path(data), spec)
    progress.stage("refits")
    with (
        report_refused_fits(store, progress),
        closing(LocalExecutor(workers, backend, home_folder / "programs")) as executor,
    ):
        fits = run_fits(
            make_paper_tasks(closes, spec, runs),
            executor,
            store,
            progress,
            ignore_stored=fresh,
        )
    progress.stage("evaluation")
    return compare_with_paper(closes, published, spec, fits, collect_fit_versions(backend))


def compare_with_paper(
    closes: WideFrame,
    published: PublishedTables,
    protocol: PaperProtocol,
    fits: FitResults,
    versions: Mapping[str, str],
) -> Livieris2021Result:
    """The tables of the paper next to the results of the fits.

    Args:
        closes: Closes of all coins and days.
        published: The printed tables.
        protocol: The protocol that was followed.
        fits: All fits, the same number of each network, lag and coin.
        versions: Versions of the libraries that affect the numbers.
    """
    forecasts = predict_testing_days(closes, protocol, fits)
    stationarity = price_statistics.compare_stationarity(closes, protocol, published)
    rows = score_networks(closes, protocol, published, fits.tasks, forecasts)
    naive = score_naive_rules(closes, protocol)
    ranks = build_rank_tables(rows, published.friedman)
    return Livieris2021Result(
        source=published.source,
        protocol=protocol,
        runs=1 + max(task.seed_index for task in fits.tasks),
        descriptive=price_statistics.compare_descriptive(closes, protocol, published),
        movements=price_statistics.compare_movements(closes, protocol, published),
        stationarity=stationarity,
        forecasts=rows,
        naive_rules=naive,
        ranks=ranks,
        level_trap=consistency.count_level_trap(rows, naive),
        notes={
            "adf": consistency.find_repeated_statistics(stationarity),
            "forecasts": consistency.find_contradictions(closes, protocol, rows),
            "ranks": consistency.find_mislabelled_tables(ranks),
        },
        trained=fits.trained,
        stored=fits.stored,
        versions=versions,
    )
