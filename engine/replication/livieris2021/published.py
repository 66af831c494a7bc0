"""The printed figures of the paper, read from a file that the user provides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ConfigDict, ValidationError

from engine.core.errors import DataError
from engine.core.limits import MAX_DOCUMENT_BYTES
from engine.core.read_file import read_bytes
from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from engine.replication.livieris2021.protocol import PaperProtocol

FILE_NAME = "published_tables.json"
PARTS = ("training", "validation", "testing")


class PublishedFigures(Spec):
    """A base of tables in which all numbers are finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class PublishedDescriptive(PublishedFigures):
    """Statistics of the closes of one coin in one part."""

    symbol: str
    part: str
    min: float
    max: float
    mean: float
    std: float
    median: float
    skewness: float
    kurtosis: float


class PublishedMovements(PublishedFigures):
    """Days up and down of one coin in one part."""

    symbol: str
    part: str
    up: float
    up_pct: float
    down: float
    down_pct: float


class PublishedStationarity(PublishedFigures):
    """Coin -> statistic and p-value of the augmented Dickey-Fuller test."""

    levels: dict[str, tuple[float, float]]
    transformed: dict[str, tuple[float, float]]


class PublishedScores(PublishedFigures):
    """One row of the forecast tables: means over the authors' runs."""

    symbol: str
    model: str
    lag: int
    mae: float
    rmse: float
    r2: float
    accuracy_pct: float
    auc: float
    gm: float
    sensitivity: float
    specificity: float


class PublishedRank(PublishedFigures):
    """One row of a Friedman aligned ranks table; the control has no p-value."""

    model: str
    rank: float
    p_finner: float | None
    h0: str | None


class PublishedTables(Spec):
    """All tables."""

    source: str
    descriptive: tuple[PublishedDescriptive, ...]
    movements: tuple[PublishedMovements, ...]
    adf: PublishedStationarity
    forecast: tuple[PublishedScores, ...]
    friedman: tuple[tuple[PublishedRank, ...], ...]
    notes: tuple[str, ...] = ()

    def find_scores(self, symbol: str, model: str, lag: int) -> PublishedScores:
        """One row of the forecast tables."""
        labels = (symbol, model, lag)
        return next(row for row in self.forecast if (row.symbol, row.model, row.lag) == labels)


def read_published(folder: Path, protocol: PaperProtocol) -> PublishedTables:
    """Reads and checks `published_tables.json`.

    Raises:
        DataError: The file is missing, is damaged, or lacks a row of a table.
    """
    path = folder / FILE_NAME
    try:
        published = PublishedTables.model_validate_json(
            read_bytes(path, max_bytes=MAX_DOCUMENT_BYTES, what="the tables", error=DataError)
        )
    except FileNotFoundError:
        raise DataError(
            "the paper's printed figures are missing",
            expected=FILE_NAME,
            found="no such file",
            where=str(folder),
            fix="name the folder that has it with --data",
        ) from None
    except (OSError, ValidationError) as error:
        raise DataError(
            "the file of the paper's printed figures cannot be used",
            expected="the tables as JSON, every figure a number",
            found=_first_error(error),
            where=str(path),
            fix="copy the file again",
        ) from error
    _require_complete(published, protocol, path)
    return published


def _first_error(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    first, *more = error.errors(include_url=False, include_input=False)
    location = ".".join(map(str, first["loc"]))
    message = f"{location}: {first['msg']}" if location else str(first["msg"])
    return f"{message}, and {len(more)} more" if more else message


def _require_complete(published: PublishedTables, protocol: PaperProtocol, path: Path) -> None:
    coins, models = protocol.coins, [contender.name for contender in protocol.contenders]
    by_part = [(coin, part) for coin in coins for part in PARTS]
    tests = (*published.adf.levels, *published.adf.transformed)
    forecasts = [(coin, model, lag) for coin in coins for model in models for lag in protocol.lags]
    blocks = [(block, model) for block in range(6) for model in models]
    _require_rows(
        "descriptive", ((r.symbol, r.part) for r in published.descriptive), by_part, path
    )
    _require_rows("movements", ((r.symbol, r.part) for r in published.movements), by_part, path)
    _require_rows("adf", tests, [*coins, *coins], path)
    scores = ((r.symbol, r.model, r.lag) for r in published.forecast)
    _require_rows("forecast", scores, forecasts, path)
    ranks = ((number, row.model) for number, rows in enumerate(published.friedman) for row in rows)
    _require_rows("friedman", ranks, blocks, path)
    controls = [
        number
        for number, rows in enumerate(published.friedman)
        for row in rows
        if row.p_finner is None
    ]
    _require_rows("friedman: the one row without a p-value", controls, range(6), path)


def _require_rows(
    table: str, present: Iterable[object], expected: Iterable[object], path: Path
) -> None:
    rows, wanted = sorted(map(str, present)), sorted(map(str, expected))
    if rows == wanted:
        return
    absent = [row for row in wanted if row not in rows]
    raise DataError(
        f"the paper's table `{table}` is incomplete",
        expected=f"{len(wanted)} rows, each once",
        found=f"{len(rows)} rows" + (f"; {absent[0]} is missing" if absent else ""),
        where=str(path),
        fix="copy the file again",
    )
