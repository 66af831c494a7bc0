"""Writes the bars of a dataset to files that any tool, and this engine, can read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from engine.core.errors import UsageError
from engine.core.storage import translate_disk_faults, write_file
from engine.core.writable import OutputPlace
from engine.data.bars import RANGE_COLUMNS, VALUE_COLUMNS, has_volume, is_close_only
from engine.data.store import combine_vintage_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.store import DatasetBars

EXPORT_PLACE = OutputPlace("the folder of the files", "name another folder with --out")


def export_dataset(
    dataset: Dataset, dataset_bars: DatasetBars, folder: Path, format_: Literal["csv", "parquet"]
) -> list[Path]:
    """Writes one file a symbol, and the manifest of a dataset whose source these files are.

    A file has the columns timestamp (UTC), open, high, low, close, volume. Numbers are written
    with enough digits to read back the same values. Columns that no bar has are left out, and the
    manifest declares `volume: none`, and `prices: close` where there are closes alone.

    Args:
        dataset: The dataset.
        dataset_bars: Its bars.
        folder: Folder; created if it does not exist.
        format_: Kind of the files.

    Returns:
        The files, the manifest last.

    Raises:
        UsageError: One of the files exists already; none is written then.
        StorageError: The folder cannot be written.
    """
    names = {symbol: quote(symbol, safe="^= ") for symbol in dataset_bars.frames}
    absent = _absent_columns(dataset_bars)
    columns = [column for column in VALUE_COLUMNS if column not in absent]
    files = {
        folder / f"{names[symbol]}.{format_}": _encode_table(bars, columns, format_)
        for symbol, bars in dataset_bars.frames.items()
    }
    manifest = _render_manifest(dataset, dataset_bars, names, format_)
    files[folder / f"{quote(dataset.name, safe=' ')}.yaml"] = manifest.encode()
    existing = [path for path in files if path.exists()]
    if existing:
        raise UsageError(
            "files of these names exist already",
            expected="a folder without them",
            found=", ".join(path.name for path in existing),
            where=str(folder),
            fix="name another folder with --out, or remove them",
        )
    problem = f"{EXPORT_PLACE.name} cannot be written"
    with translate_disk_faults(problem, folder, EXPORT_PLACE.otherwise):
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            write_file(path, content)
    return list(files)


def _absent_columns(dataset_bars: DatasetBars) -> set[str]:
    """The volume, where no symbol has one; open, high and low, where none has a price beside."""
    frames = dataset_bars.frames.values()
    absent = set(RANGE_COLUMNS) if all(map(is_close_only, frames)) else set()
    return absent if any(map(has_volume, frames)) else absent | {"volume"}


def _encode_table(
    bars: BarsFrame, columns: Sequence[str], format_: Literal["csv", "parquet"]
) -> bytes:
    table = bars[["timestamp", *columns]]
    if format_ == "parquet":
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        return buffer.getvalue()
    stamps = table["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return table.assign(timestamp=stamps).to_csv(index=False, lineterminator="\n").encode()


def _render_manifest(
    dataset: Dataset, dataset_bars: DatasetBars, names: Mapping[str, str], format_: str
) -> str:
    from ruamel.yaml import YAML

    origin = ", ".join(sorted(set(dataset_bars.origins.values())))
    vintage = (
        f", vintage {combine_vintage_ids(dataset_bars.vintages)}" if dataset_bars.vintages else ""
    )
    renamed = {symbol: name for symbol, name in names.items() if symbol != name}
    source = {"kind": "files", "path": ".", "pattern": f"{{symbol}}.{format_}"}
    absent = _absent_columns(dataset_bars)
    source |= {"prices": "close"} if absent.issuperset(RANGE_COLUMNS) else {}
    source |= {"volume": "none"} if "volume" in absent else {}
    tree = {
        "name": dataset.name,
        "interval": dataset.interval,
        "calendar": dataset.calendar,
        **({"periods_per_year": dataset.periods_per_year} if dataset.periods_per_year else {}),
        **({"day_begins": dataset.day_begins} if dataset.day_begins else {}),
        "symbols": list(dataset.symbols),
        "sources": [source | ({"symbols": renamed} if renamed else {})],
        "note": f"{dataset.note.strip()} Exported from {origin}{vintage}.".strip(),
    }
    text = io.StringIO()
    yaml = YAML()
    yaml.width = 99
    yaml.dump(tree, text)
    return text.getvalue()
