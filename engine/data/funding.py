"""Funding rates of a dataset's perpetual contracts, kept beside its bars."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

import pandas as pd

from engine.data.manifests import Manifest, read_manifest
from engine.data.network import first_hop, require_reachable
from engine.data.sources.clients import Clients
from engine.data.sources.exchange import ExchangeFeed
from engine.data.sources.exchange_funding import fetch_funding
from engine.data.sources.feed import Request
from engine.data.spec import CcxtSource
from engine.errors import BadBarsError, SourceError, UnreachableError
from engine.progress import Progress, Silent
from engine.types import TIMESTAMP_DTYPE

if TYPE_CHECKING:
    from pathlib import Path

_METADATA = b"backtest"


@dataclass(frozen=True)
class _Held:
    rates: pd.DataFrame
    since: pd.Timestamp | None

    def reaches_back(self, since: pd.Timestamp | None) -> bool:
        return self.since is None or (since is not None and self.since <= since)


@dataclass(frozen=True)
class _Access:
    home: Path
    network: bool
    now: pd.Timestamp
    progress: Progress


def funding_rates(
    dataset: str,
    *,
    home: Path,
    offline: bool = False,
    progress: Progress | None = None,
    clients: Clients | None = None,
    now: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """The funding rates of every symbol of a dataset, from its first source with `funding: true`.

    They are kept as Parquet in `funding` of the home, and only what is missing there is pulled.
    No run charges them to a position.

    Args:
        dataset: Name of the dataset, or the path of its manifest.
        home: Folder that keeps state between runs.
        offline: Takes what is kept, and leaves the network alone.
        progress: Told how far a pull is, and every notice.
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
        UnreachableError: The exchange does not answer, and nothing is kept.
        BadBarsError: The exchange gives two rates for one time.
    """
    manifest = read_manifest(dataset)
    source = _source(manifest)
    feed = ExchangeFeed(source, clients or Clients())
    access = _Access(home, not offline, now or pd.Timestamp.now("UTC"), progress or Silent())
    tables = [
        _rates(feed, symbol, manifest, access).assign(symbol=symbol)
        for symbol in manifest.dataset.symbols
    ]
    rates = pd.concat(tables, ignore_index=True)[["timestamp", "symbol", "rate"]]
    days = rates["timestamp"].dt.tz_localize(None)
    start, end = manifest.dataset.start, manifest.dataset.end
    if start:
        rates = rates[days >= pd.Timestamp(start)]
    if end:
        rates = rates[days < pd.Timestamp(end) + pd.Timedelta(days=1)]
    order = {symbol: place for place, symbol in enumerate(manifest.dataset.symbols)}
    ranked = rates.assign(place=rates["symbol"].map(order)).sort_values(["timestamp", "place"])
    return ranked.drop(columns="place").reset_index(drop=True)


def _source(manifest: Manifest) -> CcxtSource:
    for source in manifest.dataset.sources:
        if isinstance(source, CcxtSource) and source.funding:
            return source
    raise SourceError(
        f"no source of dataset {manifest.dataset.name} has funding rates",
        expected="a source of kind ccxt with `funding: true`",
        found=", ".join(source.kind for source in manifest.dataset.sources),
        where=f"sources in {manifest.path}",
        fix="add `funding: true` to an exchange whose perpetuals the dataset names",
    )


def _rates(feed: ExchangeFeed, symbol: str, manifest: Manifest, access: _Access) -> pd.DataFrame:
    """What is kept of one symbol and what came since; what is kept alone if nothing comes."""
    start = manifest.dataset.start
    since = pd.Timestamp(start, tz="UTC") if start else None
    path = access.home / "funding" / quote(feed.label, safe="")
    path /= f"{quote(feed.ticker(symbol), safe='')}.parquet"
    held = _read(path)
    if held and not held.reaches_back(since):
        held = None
    try:
        if not access.network:
            raise UnreachableError(
                "the network is not to be used",
                where=f"funding rates of {feed.place(symbol)}",
                fix="leave --offline out",
            )
        require_reachable(first_hop(feed.url()))
        fresh = _extended(feed, symbol, held, since, access)
    except UnreachableError as error:
        if held is None:
            raise
        access.progress.notice(f"{feed.label}: {error.problem}; kept funding rates are used")
        return held.rates
    _write(path, fresh)
    return fresh.rates


def _extended(
    feed: ExchangeFeed,
    symbol: str,
    held: _Held | None,
    since: pd.Timestamp | None,
    access: _Access,
) -> _Held:
    if held is not None and not held.rates.empty:
        last = held.rates.iloc[[-1]].reset_index(drop=True)
        tail = _pulled(feed, symbol, last["timestamp"].iloc[0], access)
        if tail.iloc[:1].equals(last):
            return _Held(pd.concat([held.rates, tail.iloc[1:]], ignore_index=True), held.since)
    return _Held(_pulled(feed, symbol, since, access), since)


def _pulled(
    feed: ExchangeFeed, symbol: str, since: pd.Timestamp | None, access: _Access
) -> pd.DataFrame:
    request = Request(symbol, "1h", since, access.now, access.progress)
    rates = fetch_funding(feed.client, feed.ticker(symbol), request)
    rates = rates.astype({"timestamp": TIMESTAMP_DTYPE})
    twice = rates["timestamp"].duplicated(keep=False)
    if twice.any():
        first = rates[twice].iloc[0]
        raise BadBarsError(
            f"funding rates of {symbol} cannot be trusted: {int(twice.sum())} of {len(rates)} "
            "contradict another of the same time",
            found=f"{first['timestamp']:%Y-%m-%d %H:%M} (rate {first['rate']:g} and another)",
            where=feed.place(symbol),
            fix="use another exchange",
        )
    return rates


def _read(path: Path) -> _Held | None:
    """What is kept there; None where nothing can be read whole."""
    import pyarrow
    import pyarrow.parquet

    try:
        with path.open("rb") as file:
            table = pyarrow.parquet.read_table(file)
        since = json.loads(table.schema.metadata[_METADATA])["since"]
        rates = table.select(["timestamp", "rate"]).to_pandas()
        rates = rates.astype({"timestamp": TIMESTAMP_DTYPE, "rate": "float64"})
    except (OSError, pyarrow.ArrowException, ValueError, LookupError, TypeError):
        # Another version of this file, or a damaged one: as good as none.
        return None
    return _Held(rates, None if since is None else pd.Timestamp(since))


def _write(path: Path, held: _Held) -> None:
    """Written beside and moved over, so that another process never reads half of it."""
    import pyarrow
    import pyarrow.parquet

    note = {"since": None if held.since is None else held.since.isoformat()}
    table = pyarrow.Table.from_pandas(held.rates, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _METADATA: json.dumps(note).encode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid4().hex}.tmp")
    try:
        pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), draft)
        os.replace(draft, path)  # noqa: PTH105  the one call that is named for replacing
    finally:
        draft.unlink(missing_ok=True)
