"""The bars that were known when a paper account was started, kept as a file beside the journal.

Bars of a vendor are revised, and files are replaced: an account goes on from what it knew, so that
a restart makes the decisions that the process would have made. The journal has the hash of the
file, and all bars that came later.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.core.errors import JournalError
from engine.core.storage import create_private_folder, translate_disk_faults, write_file
from engine.data import Market
from engine.data.assembly import Assembly
from engine.data.bar_times import TradingTimes
from engine.data.funding_rates import FundingRates, SymbolFunding
from engine.data.membership import Membership
from engine.data.sessions import DayBegin
from engine.data.universe_config import DelistingSpec

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import BarsFrame

_METADATA_KEY = b"backtest.market"


def history_path(home: Path, account: str) -> Path:
    """The file of an account."""
    return home / "accounts" / f"{account}.history.parquet"


def write_history(path: Path, market: Market) -> str:
    """Writes the market of an account that starts; returns the file's SHA-256.

    Raises:
        StorageError: It cannot be written.
    """
    about = {
        "symbols": market.symbols,
        "interval": market.interval,
        "calendar": market.calendar,
        "periods_per_year": market.periods_per_year,
        "provenance": market.provenance,
        **_describe_universe(market),
    }
    if market.assembly is not None:
        about["assembly"] = _describe_assembly(market.assembly)
    table = pa.Table.from_pandas(_with_sources(market), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _METADATA_KEY: json.dumps(about).encode()}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
    content = buffer.getvalue()
    with translate_disk_faults("the history of a paper account cannot be written", path):
        create_private_folder(path.parent)
        write_file(path, content)
    return hashlib.sha256(content).hexdigest()


_OF_SOURCE = "of_source"
"""Column of a file with bars of several exchanges: whether a bar is one before it was joined."""


def _with_sources(market: Market) -> BarsFrame:
    """The joined bars, and after them those that they were joined of."""
    if market.assembly is None:
        return market.bars
    sources = pd.concat(market.assembly.frames.values(), ignore_index=True)
    parts = [market.bars.assign(**{_OF_SOURCE: False}), sources.assign(**{_OF_SOURCE: True})]
    return pd.concat(parts, ignore_index=True)


def _describe_assembly(assembly: Assembly) -> dict[str, Any]:
    """How bars are joined, without them."""
    return {
        "calendars": {symbol: times.calendar for symbol, times in assembly.times.items()},
        "target": assembly.target,
        "rates": dict(assembly.rates),
        "panel": assembly.panel,
    }


def _read_assembly(about: dict[str, Any], interval: str, sources: BarsFrame) -> Assembly:
    frames = dict(tuple(sources.groupby("symbol", sort=False)))
    return Assembly(
        {symbol: frames[symbol].reset_index(drop=True) for symbol in about["calendars"]},
        {symbol: TradingTimes(interval, each) for symbol, each in about["calendars"].items()},
        about["target"],
        about["rates"],
        about["panel"],
    )


def _describe_universe(market: Market) -> dict[str, Any]:
    """Members, delistings, days and funding, where they are not those of every dataset."""
    about: dict[str, Any] = {}
    if market.funding is not None:
        about["funding"] = {
            symbol: [own.instants.tolist(), own.rates.tolist()]
            for symbol, own in market.funding.by_symbol.items()
        }
    if market.day_begins is not None:
        about["day_begins"] = str(market.day_begins)
    if market.membership is not None:
        about["membership"] = market.membership.to_json()
    if market.delisting != DelistingSpec():
        about["delisting"] = market.delisting.model_dump(mode="json")
    return about


def read_history(path: Path, expected_hash: str) -> Market:
    """The market that `write_history` wrote, bit for bit.

    Raises:
        JournalError: The file is missing or another one.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    found = hashlib.sha256(content).hexdigest()
    if found != expected_hash:
        raise JournalError(
            "the history of a paper account is not the one that it was started with",
            expected=f"a file with the SHA-256 {expected_hash[:12]}",
            found=f"one with {found[:12]}" if content else "no file",
            where=str(path),
            fix="restore it from a backup, or start another account",
        )
    table = pq.read_table(io.BytesIO(content))
    about = json.loads((table.schema.metadata or {})[_METADATA_KEY])
    about["symbols"] = tuple(about["symbols"])
    if about.get("membership") is not None:
        about["membership"] = Membership.from_json(about["membership"])
    if "delisting" in about:
        about["delisting"] = DelistingSpec.model_validate(about["delisting"])
    if "funding" in about:
        about["funding"] = FundingRates(
            {
                symbol: SymbolFunding(np.array(instants, dtype=np.int64), np.array(rates))
                for symbol, (instants, rates) in about["funding"].items()
            }
        )
    if "day_begins" in about:
        about["day_begins"] = DayBegin.parse(about["day_begins"])
    bars = table.to_pandas()
    if "assembly" in about:
        of_source = bars.pop(_OF_SOURCE)
        sources, bars = bars[of_source], bars[~of_source].reset_index(drop=True)
        about["assembly"] = _read_assembly(about["assembly"], about["interval"], sources)
    return Market(bars=bars, **about)
