"""A run: its identity, its folder, and what it hands back."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

TABLES = ("bars", "predictions", "positions", "returns", "trades")
DOCUMENTS = ("metrics", "significance", "certificate")
LATER = ("certificate",)
"""Documents that folders of earlier versions lack."""
PAGES = ("tearsheet", "significance", "quantstats")
LIBRARIES = (
    "arch",
    "keras",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "ta",
    "vectorbt",
    "vectorbt-rust",
)
FIT_LIBRARIES = ("keras", "numpy", "scikit-learn")
FIT_STAGES = ("models", "refit")
STAGES = ("data", "features", "windows", "models", "refit", "signals", "simulation", "evaluation")


def canonical_json(value: object) -> str:
    """The one text of a JSON value: sorted keys, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def seed_of(root: int, *names: object) -> int:
    """A 63-bit seed from the strategy's one seed, by name.

    A name gets the same stream whatever other windows, seeds or workers there are.
    """
    text = canonical_json([root, *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def run_id(
    strategy: Mapping[str, Any], data: Sequence[tuple[str, str]], versions: Mapping[str, str]
) -> str:
    """First 12 hex digits of the SHA-256 over (strategy, data bytes, versions).

    Args:
        strategy: The resolved strategy, less what cannot change a result (workers, paths).
        data: Interval, calendar, then each symbol and the SHA-256 of its bars, in order.
        versions: Of every library that shapes numbers.
    """
    identity = canonical_json({"strategy": strategy, "data": data, "versions": versions})
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def versions(backend: str, further: Sequence[str] = ()) -> dict[str, str]:
    """Versions of Python, of the libraries that shape numbers, and of the engine's own source.

    Args:
        backend: `tensorflow` or `jax`: the distribution that computes for Keras.
        further: Distributions that shape the numbers of this run and not of every one.
    """
    libraries = versions_of((*LIBRARIES, backend, *further))
    own = f"{metadata.version('backtest-engine')}+{_source_digest(STAGES)}"
    return {"python": platform.python_version(), "backtest-engine": own, **libraries}


def fit_versions(backend: str) -> dict[str, str]:
    """The part of `versions` that one fit depends on, with the source of its own stages."""
    told = versions_of((*FIT_LIBRARIES, backend))
    return {"backtest-engine": _source_digest(FIT_STAGES), **told}


def versions_of(names: Sequence[str]) -> dict[str, str]:
    """Distribution -> version, `none` where it is not installed."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _source_digest(stages: Sequence[str]) -> str:
    """First 12 hex digits of the SHA-256 over the source of some stages."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for stage in stages:
        for file in sorted((root / stage).rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def machine(workers: int) -> dict[str, Any]:
    """What the run ran on.

    Args:
        workers: Processes that trained.
    """
    return {"platform": platform.platform(), "cpu_count": os.cpu_count(), "workers": workers}


@dataclass(frozen=True)
class Run:
    """What a run hands back; every attribute is a file of its folder.

    Attributes:
        run_id: Same inputs, same id.
        run_dir: The folder.
        manifest: What went in: strategy, dataset, windows, versions, seeds, machine, timings.
        bars: Long bars that the run used.
        predictions: timestamp, symbol, window, seed, horizon, predicted, actual; simple returns
            over `horizon` bars; `actual` is NaN where it is not known yet. Rows of all horizons
            that were forecast, and a column such as `q10` a quantile.
        positions: timestamp, book, symbol, weight: decided at that bar's close.
        returns: Index timestamp, a column a book: net return of the bar, marked at the close.
        trades: timestamp, book, symbol, side, size, price, fee, slippage_cost, equity: every fill;
            money for an initial equity of 1, `equity` the book's at that bar before its fills.
        metrics: `span`, `books`, `forecasts`; units in the key names. Forecasts are scored over
            the traded horizon; of several, each is scored under `horizons`.
        significance: `method`, `sharpe`, `differences`, `verdict`.
        certificate: `result`, `cuts`, `compared`, `not_compared`: nothing up to a cut changed when
            other bars came after it; None for a run made before there were certificates.
    """

    run_id: str
    run_dir: Path
    manifest: dict[str, Any]
    bars: pd.DataFrame
    predictions: pd.DataFrame
    positions: pd.DataFrame
    returns: pd.DataFrame
    trades: pd.DataFrame
    metrics: dict[str, Any]
    significance: dict[str, Any]
    certificate: dict[str, Any] | None = None

    @property
    def horizon(self) -> int:
        """Bars ahead of the forecasts that were traded on; others may stand beside them."""
        return int(self.manifest["strategy"].get("target", {}).get("horizon", 1))

    @classmethod
    def open(cls, run_dir: Path | str) -> Run:
        """Reads a run folder back.

        Raises:
            UsageError: The folder is not one of a finished run, or a file of it is damaged.
        """
        folder = Path(run_dir)
        if not (folder / "manifest.json").is_file():
            raise UsageError(
                "this is not a run folder",
                expected="a folder with manifest.json, as `backtest run` writes it",
                found=str(run_dir),
                fix="name a folder such as reports/<strategy>/<run_id>",
            )
        found: dict[str, Any] = {}
        for name, read in _readers().items():
            path = folder / name
            if path.stem in LATER and not path.is_file():
                continue
            try:
                found[path.stem] = read(path)
            except (OSError, ValueError) as error:
                raise UsageError(
                    "this run folder is damaged",
                    expected="every file as `backtest run` wrote it",
                    found=f"{name}: {str(error).splitlines()[0]}",
                    where=str(run_dir),
                    fix="run the strategy again; what is trained already is not trained again",
                ) from error
        return cls(found["manifest"]["run_id"], folder, **found)

    def write(self, folder: Path) -> None:
        """Writes the tables and the JSON files into `folder`, which exists."""
        for name in TABLES:
            getattr(self, name).to_parquet(folder / f"{name}.parquet")
        for name in ("manifest", *DOCUMENTS):
            if (told := getattr(self, name)) is None:
                continue
            text = json.dumps(told, indent=2, sort_keys=True, allow_nan=False)
            (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _readers() -> dict[str, Callable[[Path], Any]]:
    """What reads each file of a run folder; pandas is loaded here, as few commands need it."""
    import pandas as pd

    def document(path: Path) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(path.read_text(encoding="utf-8"))

    tables: dict[str, Callable[[Path], Any]] = {
        f"{name}.parquet": pd.read_parquet for name in TABLES
    }
    return {f"{name}.json": document for name in ("manifest", *DOCUMENTS)} | tables


@contextmanager
def whole_or_absent(run_dir: Path) -> Iterator[Path]:
    """A folder to fill that becomes `run_dir` on success and vanishes on any failure.

    An earlier folder of the same id is replaced: the same id means the same results.
    """
    run_dir.parent.mkdir(parents=True, exist_ok=True)
    draft = run_dir.with_name(f".{run_dir.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        shutil.rmtree(run_dir, ignore_errors=True)
        draft.rename(run_dir)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
