"""Funding rates of a dataset's perpetual contracts, cached next to its bars."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from engine.core.errors import InvalidBarsError, SourceError, UnreachableError
from engine.core.home import CHOOSE_HOME
from engine.core.progress import NullProgress, Progress
from engine.core.storage import (
    create_private_folder,
    replace_atomically,
    translate_disk_faults,
)
from engine.core.types import TIMESTAMP_DTYPE
from engine.data.config import CcxtSourceSpec
from engine.data.fetch.reachability import first_hop, require_reachable
from engine.data.manifests import DatasetManifest, read_manifest
from engine.data.sources.base import BarRequest
from engine.data.sources.client_settings import ClientSettings
from engine.data.sources.exchange import ExchangeBarSource, fetch_funding_rates
from engine.data.store.cache import DamagedCacheFile, keep_damaged_file

_FUNDING_METADATA_KEY = b"backtest"


@dataclass(frozen=True)
class _CachedRates:
    rates: pd.DataFrame
    requested_since: pd.Timestamp | None

    def covers_since(self, since: pd.Timestamp | None) -> bool:
        return self.requested_since is None or (
            since is not None and self.requested_since <= since
        )


@dataclass(frozen=True)
class _FundingContext:
    home: Path
    network: bool
    now: pd.Timestamp
    progress: Progress


def load_funding_rates(
    dataset: str,
    *,
    home: Path,
    offline: bool = False,
    progress: Progress | None = None,
    clients: ClientSettings | None = None,
    now: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """The funding rates of every symbol of a dataset, from its first source with `funding: true`.

    They are cached as Parquet in `funding` of the home, and only what is missing there is pulled.
    `ItemisedCosts.funding` charges them to positions.

    Args:
        dataset: Name of the dataset, or the path of its manifest.
        home: Folder that keeps state between runs.
        offline: Uses the cached rates alone, no network.
        progress: Gets the progress of a pull, and every notice.
        clients: How the network clients behave.
        now: The present instant, in UTC.

    Returns:
        Columns timestamp (UTC, when the payment was due), symbol, and rate (fraction of a
        position's value that longs pay to shorts; below 0 shorts pay), sorted by time and symbol,
        within the dataset's start and end.

    Raises:
        DatasetNotFoundError: There is no such dataset.
        StrategyError: Its manifest is wrong.
        SourceError: No source has `funding: true`, or the source has no such rates.
        UnreachableError: The exchange does not answer, and nothing is cached.
        InvalidBarsError: The exchange gives two rates for one time.
        StorageError: The rates cannot be stored.
    """
    manifest = read_manifest(dataset)
    source = _find_funding_source(manifest)
    exchange = ExchangeBarSource(source, clients or ClientSettings())
    context = _FundingContext(
        home, not offline, now or pd.Timestamp.now("UTC"), progress or NullProgress()
    )
    tables = [
        _load_symbol_rates(exchange, symbol, manifest, context).assign(symbol=symbol)
        for symbol in manifest.dataset.symbols
    ]
    rates = pd.concat(tables, ignore_index=True)[["timestamp", "symbol", "rate"]]
    days = rates["timestamp"].dt.tz_localize(None)
    start, end = manifest.dataset.start, manifest.dataset.end
    if start:
        rates = rates[days >= pd.Timestamp(start)]
    if end:
        rates = rates[days < pd.Timestamp(end) + pd.Timedelta(days=1)]
    order = {symbol: rank for rank, symbol in enumerate(manifest.dataset.symbols)}
    ranked = rates.assign(rank=rates["symbol"].map(order)).sort_values(["timestamp", "rank"])
    return ranked.drop(columns="rank").reset_index(drop=True)


def open_rate_source(manifest: DatasetManifest, clients: ClientSettings) -> ExchangeBarSource:
    """The exchange that the funding rates of a dataset come from; no request is sent.

    Raises:
        SourceError: No source has `funding: true`.
    """
    return ExchangeBarSource(_find_funding_source(manifest), clients)


def fetch_newest_rates(
    source: ExchangeBarSource,
    symbol: str,
    since: pd.Timestamp,
    now: pd.Timestamp,
    progress: Progress,
) -> pd.DataFrame:
    """The funding rates of a symbol from an instant on, which are not cached.

    Args:
        source: As by `open_rate_source`.
        symbol: The dataset's name of the symbol.
        since: First payment wanted.
        now: The present instant.
        progress: Receives notices.

    Returns:
        Columns timestamp, when the payment was due, and rate, in order of time.

    Raises:
        UnreachableError: The exchange does not answer.
        SourceError: It has no such rates.
        InvalidBarsError: It gives two rates for one time.
    """
    context = _FundingContext(Path(), network=True, now=now, progress=progress)
    return _fetch_rates(source, symbol, since, context)


def _find_funding_source(manifest: DatasetManifest) -> CcxtSourceSpec:
    for source in manifest.dataset.sources:
        if isinstance(source, CcxtSourceSpec) and source.funding:
            return source
    raise SourceError(
        f"no source of dataset {manifest.dataset.name} has funding rates",
        expected="a source of kind ccxt with `funding: true`",
        found=", ".join(source.kind for source in manifest.dataset.sources),
        where=f"sources in {manifest.path}",
        fix="add `funding: true` to an exchange whose perpetuals the dataset names",
    )


def _load_symbol_rates(
    source: ExchangeBarSource, symbol: str, manifest: DatasetManifest, context: _FundingContext
) -> pd.DataFrame:
    """The cached rates of one symbol and newer ones, if the exchange delivers any."""
    start = manifest.dataset.start
    since = pd.Timestamp(start, tz="UTC") if start else None
    path = context.home / "funding" / quote(source.label, safe="")
    path /= f"{quote(source.ticker(symbol), safe='')}.parquet"
    found = _read_rates(path)
    damaged = found if isinstance(found, DamagedCacheFile) else None
    cached = found if isinstance(found, _CachedRates) and found.covers_since(since) else None
    try:
        if not context.network:
            raise UnreachableError(
                f"the cached funding rates of {symbol} are damaged, and no network may be used"
                if damaged
                else "the network may not be used",
                found=f"{damaged.path}: {damaged.reason}" if damaged else "",
                where=f"funding rates of {source.location(symbol)}",
                fix="leave --offline out",
            )
        require_reachable(first_hop(source.url()))
        updated = _update_rates(source, symbol, cached, since, context)
    except UnreachableError as error:
        if cached is None:
            raise
        context.progress.notice(f"{source.label}: {error.problem}; cached funding rates are used")
        return cached.rates
    if damaged:
        kept = keep_damaged_file(damaged, context.now)
        context.progress.notice(
            f"the cached funding rates of {symbol} were damaged ({damaged.reason}); they were "
            f"pulled again, and the file is kept as {kept}"
        )
    _write_rates(path, updated)
    return updated.rates


def _update_rates(
    source: ExchangeBarSource,
    symbol: str,
    cached: _CachedRates | None,
    since: pd.Timestamp | None,
    context: _FundingContext,
) -> _CachedRates:
    if cached is not None and not cached.rates.empty:
        last = cached.rates.iloc[[-1]].reset_index(drop=True)
        tail = _fetch_rates(source, symbol, last["timestamp"].iloc[0], context)
        if tail.iloc[:1].equals(last):
            return _CachedRates(
                pd.concat([cached.rates, tail.iloc[1:]], ignore_index=True), cached.requested_since
            )
    return _CachedRates(_fetch_rates(source, symbol, since, context), since)


def _fetch_rates(
    source: ExchangeBarSource, symbol: str, since: pd.Timestamp | None, context: _FundingContext
) -> pd.DataFrame:
    request = BarRequest(symbol, "1h", since, context.now, context.progress)
    rates = fetch_funding_rates(source.client, source.ticker(symbol), request)
    rates = rates.astype({"timestamp": TIMESTAMP_DTYPE})
    duplicated = rates["timestamp"].duplicated(keep=False)
    if duplicated.any():
        first = rates[duplicated].iloc[0]
        raise InvalidBarsError(
            f"funding rates of {symbol} cannot be trusted: {int(duplicated.sum())} of "
            f"{len(rates)} contradict another of the same time",
            found=f"{first['timestamp']:%Y-%m-%d %H:%M} (rate {first['rate']:g} and another)",
            where=source.location(symbol),
            fix="use another exchange",
        )
    return rates


def _read_rates(path: Path) -> _CachedRates | DamagedCacheFile | None:
    """The cached rates; None where there is no file."""
    import pyarrow
    import pyarrow.parquet

    try:
        with path.open("rb") as file:
            table = pyarrow.parquet.read_table(file)
        since = json.loads(table.schema.metadata[_FUNDING_METADATA_KEY])["since"]
        rates = table.select(["timestamp", "rate"]).to_pandas()
        rates = rates.astype({"timestamp": TIMESTAMP_DTYPE, "rate": "float64"})
    except FileNotFoundError:
        return None
    except (OSError, pyarrow.ArrowException, ValueError, LookupError, TypeError) as error:
        return DamagedCacheFile.from_error(path, error)
    return _CachedRates(rates, None if since is None else pd.Timestamp(since))


def _write_rates(path: Path, cached: _CachedRates) -> None:
    """Writes under another name and renames, so that no process reads an unfinished file."""
    import pyarrow
    import pyarrow.parquet

    note = {
        "since": None if cached.requested_since is None else cached.requested_since.isoformat()
    }
    table = pyarrow.Table.from_pandas(cached.rates, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _FUNDING_METADATA_KEY: json.dumps(note).encode()}
    with translate_disk_faults("pulled funding rates cannot be stored", path, CHOOSE_HOME):
        create_private_folder(path.parent)
        with replace_atomically(path) as draft:
            pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), draft)
