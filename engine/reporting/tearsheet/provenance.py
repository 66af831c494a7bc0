"""Where a run came from, and how to make it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.data_table import DataTable, DataTableCell, DataTableColumn, number_cell
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.run import Run

DEFAULT_STRATEGY_FILE = "strategy.yaml"
"""Where the resolved strategy is to be saved where there was no file of it."""

STAGE_ORDER = (
    *("data", "features", "refits", "simulation", "certificate", "evaluation", "report"),
    "total",
)
FIT_COLUMNS = (
    *(
        DataTableColumn("Window"),
        DataTableColumn("Test span", "text"),
        DataTableColumn("Symbol", "text"),
        DataTableColumn("Seed"),
    ),
    *(DataTableColumn("Horizons", "text"), DataTableColumn("Key", "text")),
)


def provenance_section(run: Run) -> TearsheetSection:
    """How to make it again, bars, versions, machine, times, keys of the fits, the strategy."""
    return TearsheetSection("provenance", "Provenance", _template_values(run))


def make_rerun_command(manifest: Mapping[str, Any]) -> str:
    """The command that makes the run again, whatever has been pulled since.

    The one that was given, with the vintage of the bars where the cache keeps one, and with
    `--offline` where the offline dataset stood in unasked.

    Args:
        manifest: Of the run.
    """
    dataset, given = manifest["dataset"], manifest.get("command") or ""
    command = given or f"backtest run {manifest.get('strategy_file') or DEFAULT_STRATEGY_FILE}"
    if dataset.get("offline") and "--offline" not in command:
        command += " --offline"
    if dataset.get("vintage") and "--vintage" not in command:
        command += f" --vintage {dataset['vintage']}"
    return command


def split_engine_version(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Version of the engine and digest of its source; empty where the manifest lacks them."""
    version, _, source = manifest.get("versions", {}).get("backtest-engine", "").partition("+")
    return version, source


def _template_values(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    dataset, timings = manifest["dataset"], manifest.get("timings_s", {})
    stages = sorted(timings, key=lambda name: (_stage_index(name), name))
    version, source = split_engine_version(manifest)
    return {
        "command": make_rerun_command(manifest),
        "engine": f"backtest-engine {version}" + (f" (source {source})" if source else ""),
        "default_file": DEFAULT_STRATEGY_FILE,
        "dataset": dataset,
        "symbols": [
            _symbol_row(name, facts) for name, facts in sorted(dataset["symbols"].items())
        ],
        "vintage": dataset.get("vintage"),
        "vintages": any("vintage" in facts for facts in dataset["symbols"].values()),
        "versions": sorted(manifest.get("versions", {}).items()),
        "seeds": manifest.get("seeds", {}),
        "machine": manifest.get("machine", {}),
        "timings": [(name, formatting.duration(timings[name])) for name in stages],
        "started_at": formatting.timestamp(manifest.get("started_at")),
        "inputs": manifest.get("inputs", []),
        "strategy": json.dumps(
            manifest.get("strategy", {}), indent=2, sort_keys=True, ensure_ascii=False
        ),
        "bars": formatting.COUNT(len(run.bars)),
        "trades": formatting.COUNT(len(run.trades)),
        "fits": DataTable(
            "Fits of the strategy", FIT_COLUMNS, tuple(_fit_rows(manifest)), "Filter fits"
        ),
    }


def _symbol_row(name: str, facts: Mapping[str, Any]) -> dict[str, str]:
    return {
        "symbol": name,
        "source": str(facts.get("source")),
        "span": formatting.date_range(facts.get("first"), facts.get("last")),
        "rows": formatting.COUNT(facts.get("rows")),
        "sha256": facts.get("sha256") or formatting.MISSING,
        "digest": formatting.short_hash(facts.get("sha256")),
        "vintage": facts.get("vintage") or formatting.MISSING,
        "fetched": formatting.timestamp(facts.get("pulled")),
    }


def _fit_rows(manifest: Mapping[str, Any]) -> list[tuple[DataTableCell, ...]]:
    """A row a fit of the strategy that the store keeps."""
    horizon = manifest.get("strategy", {}).get("target", {}).get("horizon", 1)
    return [
        (
            number_cell(formatting.COUNT, window["index"]),
            DataTableCell(formatting.date_range(*window["test"])),
            DataTableCell(str(fit.get("symbol", ""))),
            number_cell(formatting.COUNT, fit.get("seed")),
            DataTableCell(", ".join(map(str, fit.get("horizons") or (horizon,)))),
            DataTableCell(fit["key"][:12], is_code=True, tooltip=fit["key"]),
        )
        for window in manifest["windows"]
        for fit in window.get("fits") or ()
        if "key" in fit
    ]


def _stage_index(stage: str) -> int:
    return STAGE_ORDER.index(stage) if stage in STAGE_ORDER else STAGE_ORDER.index("report")
