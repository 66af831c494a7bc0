"""From the authors' closes to the paper's tables beside ours."""

from __future__ import annotations

import os
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.artifacts import fit_versions
from engine.errors import RefitError, UsageError
from engine.progress import Progress, Silent
from engine.refit.fits import fit_all
from engine.refit.local import Local
from engine.refit.store import Store
from engine.replication.livieris2021 import findings, series
from engine.replication.livieris2021.closes import read_closes
from engine.replication.livieris2021.fits import plan
from engine.replication.livieris2021.forecasts import naive_of, rows_of
from engine.replication.livieris2021.outcome import Replication
from engine.replication.livieris2021.protocol import Protocol, Scaling
from engine.replication.livieris2021.published import read_published
from engine.replication.livieris2021.ranks import rank_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.models import Backend
    from engine.refit.fits import Fits
    from engine.replication.livieris2021.published import Published
    from engine.types import WideFrame

RUNS = 10


def replicate(  # noqa: PLR0913 - an argument an option of the command line
    data: Path | str,
    *,
    runs: int = RUNS,
    scaling: Scaling = "train",
    backend: Backend = "tensorflow",
    workers: int | None = None,
    fresh: bool = False,
    home: Path | str | None = None,
    progress: Progress | None = None,
    protocol: Protocol | None = None,
) -> Replication:
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
        RefitError: A fit failed twice.
    """
    told = progress or Silent()
    if find_spec(backend) is None:
        raise UsageError(
            f"{backend} is not installed",
            expected=f"the package that --backend names: {backend}",
            found="no such package",
            fix=f"pip install 'backtest-engine[{backend}]'",
        )
    given = (protocol or Protocol()).model_dump()
    spec = Protocol.model_validate(given | {"scaling": scaling})
    place = Path(home or os.environ.get("BACKTEST_HOME") or ".backtest")
    told.stage("data")
    closes = read_closes(Path(data), spec)
    published = read_published(Path(data), spec)
    told.stage("refits")
    with closing(Local(workers, backend, place / "programs")) as executor:
        fits = fit_all(
            plan(closes, spec, runs), executor, Store(place / "fits"), told, fresh=fresh
        )
    told.stage("evaluation")
    return compare(closes, published, spec, fits, fit_versions(backend))


def compare(
    closes: WideFrame,
    published: Published,
    protocol: Protocol,
    fits: Fits,
    versions: Mapping[str, str],
) -> Replication:
    """The paper's tables beside what came of the fits.

    Args:
        closes: Of all coins and days.
        published: What the paper prints.
        protocol: What was done.
        fits: All of them, the same number of each network, lag and coin.
        versions: Of the libraries that shape numbers.
    """
    made = [each for each in fits.outcomes if not isinstance(each, RefitError)]
    tests = series.stationarity(closes, protocol, published)
    rows = rows_of(closes, protocol, published, fits.tasks, made)
    naive = naive_of(closes, protocol)
    ranks = rank_tables(rows, published.friedman)
    return Replication(
        source=published.source,
        protocol=protocol,
        runs=1 + max(task.member for task in fits.tasks),
        descriptive=series.descriptive(closes, protocol, published),
        movements=series.movements(closes, protocol, published),
        stationarity=tests,
        forecasts=rows,
        naive=naive,
        ranks=ranks,
        trap=findings.level_trap(rows, naive),
        notes={
            "adf": findings.repeated(tests),
            "forecasts": findings.contradictions(closes, protocol, rows),
            "ranks": findings.mislabelled(ranks),
        },
        trained=fits.trained,
        stored=fits.stored,
        versions=versions,
    )
