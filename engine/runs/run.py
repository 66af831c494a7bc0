"""A run: its identity, its folder, and what it hands back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.errors import UsageError
from engine.core.hashing import canonical_json
from engine.runs.folder import DOCUMENTS, OPTIONAL_DOCUMENTS, TABLES, file_readers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


def compute_run_id(
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
        for name, read in file_readers().items():
            path = folder / name
            if path.stem in OPTIONAL_DOCUMENTS and not path.is_file():
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
