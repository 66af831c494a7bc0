"""A run: its identity, its folder, and the files in it as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.hashing import canonical_json
from engine.core.read_file import open_regular
from engine.runs.documents import Analysis, Certificate, Document, Manifest, Metrics, Significance
from engine.runs.documents.base import read_document_text
from engine.runs.folder import (
    ANALYSIS_TABLES,
    OPTIONAL_ANALYSIS_TABLES,
    OPTIONAL_TABLES,
    TABLES,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from engine.data.rates import RatesByBar
    from engine.runs.documents.strategy_settings import PartSettings

BENCHMARK_BOOK = "buy_and_hold"
"""The book that the strategy is compared with where there is one only."""

_File = TypeVar("_File")
_AnyDocument = TypeVar("_AnyDocument", bound=Document)


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
class RunAnalysis:
    """What is computed from a run's tables for its pages: `analysis.json` and its tables.

    Attributes:
        document: The figures.
        series: A row a bar and book: `timestamp`, `book`, `equity` (growth of 1), `drawdown_pct`,
            `rolling_sharpe`, `rolling_volatility_pct`; `rolling_beta` and
            `rolling_turnover_per_year` of the strategy alone. NaN where a bar has no such figure.
        round_trips: The strategy's round trips, as `evaluation.metrics.round_trips` has them;
            empty where fills lack the equity they were made at.
        forecasts: `timestamp`, `symbol`, `predicted`, `actual`: the traded forecasts with a known
            outcome, mean over the seeds.
        universe: Of a run of several symbols, a row a bar: `timestamp`; at its close `net_pct`,
            `gross_pct`, `largest_weight_pct`, `herfindahl` and `effective_positions` of the
            weights held; rolling `universe_beta`; `turnover_pct`, the value traded;
            `net_pct:NAME` of each group of `portfolio.groups`; with three symbols or more the
            `rank_ic` of its forecasts and `rank_ic_mean` of the last bars, and growth of 1 of the
            groups `group_1` (lowest forecasts) and so on, each relative to all symbols, and of the
            `spread` between the highest and the lowest. NaN where a bar has no such figure. None
            with one symbol, and for runs of earlier versions.
    """

    document: Analysis
    series: pd.DataFrame
    round_trips: pd.DataFrame
    forecasts: pd.DataFrame
    universe: pd.DataFrame | None = None


@dataclass(frozen=True)
class Run:
    """A finished run; every attribute is a file of its folder.

    Attributes:
        run_id: Same inputs, same id.
        run_dir: The folder.
        manifest: What went in: strategy, dataset, windows, versions, seeds, machine, timings.
        bars: Long bars that the run used.
        predictions: timestamp, symbol, window, seed, horizon, predicted, actual; simple returns
            over `horizon` bars; `actual` is NaN where it is not known yet. Rows of all horizons
            that were forecast, and a column such as `q10` a quantile.
        positions: timestamp, book, symbol, weight: decided at that bar's close. The rows of the
            last bar are the last decision, which no bar of the run fills, see `next_orders`.
        returns: Index timestamp, a column a book: net return of the bar, marked at the close.
        trades: timestamp, book, symbol, side, size, price, fee, slippage_cost, equity: every fill;
            money for an initial equity of 1, `equity` the book's at that bar before its fills;
            `margin_call`, whether one placed the order, which early runs do not have.
        metrics: Figures of each book and of the forecasts; units in the key names. Forecasts are
            scored over the traded horizon; of several, each is scored under `horizons`.
        significance: Every interval and test, and the verdict.
        rates: Index timestamp, columns `risk_free` and `cash`: annual rates as fractions, known
            at the open of the bar; None where both are 0.
        financing: Index timestamp, columns `funding` and `loan_interest`: what the strategy's book
            paid at each bar, for an initial equity of 1; None where the costs charge neither.
        funding: `timestamp`, `symbol`, `rate`: the payments of perpetuals, where the costs charge
            them; else None.
        source_bars: Long bars of each symbol by its own dates and in its own currency, exchange
            rates too; None where all have one calendar and currency.
        certificate: The leakage test: nothing up to a cutoff changed when other bars came after
            it; None for a run made before there were certificates.
        analysis_files: Figures and series that pages show; None where the folder has none, as of
            a run made before there were such files: `engine.open_run` computes them.
    """

    run_id: str
    run_dir: Path
    manifest: Manifest
    bars: pd.DataFrame
    predictions: pd.DataFrame
    positions: pd.DataFrame
    returns: pd.DataFrame
    trades: pd.DataFrame
    metrics: Metrics
    significance: Significance
    rates: pd.DataFrame | None = None
    financing: pd.DataFrame | None = None
    funding: pd.DataFrame | None = None
    source_bars: pd.DataFrame | None = None
    certificate: Certificate | None = None
    analysis_files: RunAnalysis | None = None

    @property
    def horizon(self) -> int:
        """Bars ahead of the forecasts that were traded on; there may be others."""
        return self.manifest.settings.horizon

    @property
    def benchmarks(self) -> dict[str, PartSettings]:
        """Book -> settings of each benchmark, in the order of the returns table.

        Empty where the manifest does not name as many benchmarks as there are books.
        """
        books = [str(book) for book in self.returns.columns[1:]]
        settings = self.manifest.settings.benchmarks
        return dict(zip(books, settings, strict=True)) if len(books) == len(settings) else {}

    @cached_property
    def rates_by_bar(self) -> RatesByBar:
        """`rates` with the calendar time of each bar; rates of 0 where there are none."""
        from engine.data.rates import RatesByBar  # few commands need it

        if self.rates is None:
            return RatesByBar.constant(self.returns.index)
        return RatesByBar.of_table(self.rates)

    @cached_property
    def excess_returns(self) -> pd.DataFrame:
        """`returns` above the risk-free rate: those of every Sharpe ratio, alpha and beta."""
        return self.rates_by_bar.excess(self.returns)

    @property
    def next_orders(self) -> pd.DataFrame:
        """The strategy's orders that are due after the last bar, computed from the tables.

        A row an order, the first due first: `decided_on` (bar whose close decided it), `symbol`,
        `target_weight`, `held_weight` (fraction of the equity held at the last close, signed),
        `due_in_bars` (1 is the bar after the last), `due` (timestamp of that bar by the dataset's
        calendar, NaT where it does not say), `waited_bars` (bars at which it was due and nothing
        traded; it is filled at the next bar with a trade), `predicted` (the traded forecast of the
        decision, mean over the seeds; NaN without one). With an `execution.delay` above 1 there
        may be several orders of a symbol. No rows where no target changed at the last `delay` bars
        and no order waits.
        """
        from engine.runs.next_orders import find_next_orders  # few commands need it

        return find_next_orders(
            self.manifest,
            bars=self.bars,
            predictions=self.predictions,
            positions=self.positions,
            returns=self.returns,
            trades=self.trades,
            metrics=self.metrics.books.get(STRATEGY_BOOK),
        )

    @property
    def analysis(self) -> Analysis:
        """`analysis.json`. UsageError where the folder has none, see `analysis_files`."""
        return self._require_analysis().document

    @property
    def series(self) -> pd.DataFrame:
        """`series.parquet`, see `RunAnalysis`. UsageError where the folder has none."""
        return self._require_analysis().series

    @property
    def round_trips(self) -> pd.DataFrame:
        """`round_trips.parquet`, see `RunAnalysis`. UsageError where the folder has none."""
        return self._require_analysis().round_trips

    @property
    def forecasts(self) -> pd.DataFrame:
        """`forecasts.parquet`, see `RunAnalysis`. UsageError where the folder has none."""
        return self._require_analysis().forecasts

    @property
    def universe(self) -> pd.DataFrame | None:
        """`universe.parquet`, see `RunAnalysis`. UsageError where the folder has no analysis."""
        return self._require_analysis().universe

    def _require_analysis(self) -> RunAnalysis:
        if self.analysis_files is None:
            raise UsageError(
                "this run folder has no analysis",
                expected="analysis.json and its tables",
                found="a folder that an earlier version of the engine wrote",
                where=str(self.run_dir),
                fix="open it with engine.open_run, which computes them",
            )
        return self.analysis_files

    @classmethod
    def open(cls, run_dir: Path | str) -> Run:
        """Reads a run folder back.

        Raises:
            UsageError: The folder is not one of a finished run, a file of it is damaged, or a
                newer version of the engine wrote it.
        """
        folder = Path(run_dir)
        if not (folder / "manifest.json").is_file():
            raise UsageError(
                "this is not a run folder",
                expected="a folder with manifest.json, as `backtest run` writes it",
                found=str(run_dir),
                fix="name a folder such as reports/<strategy>/<run_id>",
            )
        manifest = _read_document(folder, "manifest", Manifest)
        return cls(
            run_id=manifest.run_id,
            run_dir=folder,
            manifest=manifest,
            **{name: _read_table(folder, name) for name in TABLES},
            **{
                name: _read_table(folder, name)
                for name in OPTIONAL_TABLES
                if (folder / f"{name}.parquet").is_file()
            },
            metrics=_read_document(folder, "metrics", Metrics),
            significance=_read_document(folder, "significance", Significance),
            certificate=_read_document(folder, "certificate", Certificate)
            if (folder / "certificate.json").is_file()
            else None,
            analysis_files=_read_analysis(folder),
        )

    def write(self, folder: Path) -> None:
        """Writes the tables and the JSON files into `folder`, which exists."""
        tables = {name: getattr(self, name) for name in (*TABLES, *OPTIONAL_TABLES)}
        documents: dict[str, Document | None] = {
            "manifest": self.manifest,
            "metrics": self.metrics,
            "significance": self.significance,
            "certificate": self.certificate,
        }
        if self.analysis_files is not None:
            documents["analysis"] = self.analysis_files.document
            names = (*ANALYSIS_TABLES, *OPTIONAL_ANALYSIS_TABLES)
            tables |= {name: getattr(self.analysis_files, name) for name in names}
        for name, table in tables.items():
            if table is not None:
                table.to_parquet(folder / f"{name}.parquet")
        for name, document in documents.items():
            if document is not None:
                (folder / f"{name}.json").write_text(document.to_json(), encoding="utf-8")


def _read_analysis(folder: Path) -> RunAnalysis | None:
    if not (folder / "analysis.json").is_file():
        return None
    return RunAnalysis(
        _read_document(folder, "analysis", Analysis),
        **{name: _read_table(folder, name) for name in ANALYSIS_TABLES},
        **{
            name: _read_table(folder, name)
            for name in OPTIONAL_ANALYSIS_TABLES
            if (folder / f"{name}.parquet").is_file()
        },
    )


def _read_document(folder: Path, name: str, model: type[_AnyDocument]) -> _AnyDocument:
    path = folder / f"{name}.json"
    return _read_file(path, lambda: model.from_json(read_document_text(path), str(folder)))


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    import pandas as pd  # few commands need it

    path = folder / f"{name}.parquet"

    def read() -> pd.DataFrame:
        with open_regular(path, "a table of a run") as file:
            return pd.read_parquet(file)

    return _read_file(path, read)


def _read_file(path: Path, read: Callable[[], _File]) -> _File:
    try:
        return read()
    except (OSError, ValueError) as error:
        raise UsageError(
            "this run folder is damaged",
            expected="every file as `backtest run` wrote it",
            found=f"{path.name}: {str(error).splitlines()[0]}",
            where=str(path.parent),
            fix="run the strategy again; what is trained already is not trained again",
        ) from error
