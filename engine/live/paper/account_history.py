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

import pyarrow as pa
import pyarrow.parquet as pq

from engine.core.errors import JournalError
from engine.core.storage import create_private_folder, translate_disk_faults, write_file
from engine.data import Market
from engine.data.membership import Membership
from engine.data.universe_config import DelistingSpec

if TYPE_CHECKING:
    from pathlib import Path

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
    table = pa.Table.from_pandas(market.bars, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _METADATA_KEY: json.dumps(about).encode()}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
    content = buffer.getvalue()
    with translate_disk_faults("the history of a paper account cannot be written", path):
        create_private_folder(path.parent)
        write_file(path, content)
    return hashlib.sha256(content).hexdigest()


def _describe_universe(market: Market) -> dict[str, Any]:
    """Members and delistings, where they are not those of every dataset."""
    about: dict[str, Any] = {}
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
    return Market(bars=table.to_pandas(), **about)
