"""Where a run came from, and how to make it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.listing import Cell, Column, Listing, figure
from engine.reporting.reproduction import SAVED, command_again, engine_version
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.artifacts import Run

STAGES = (
    *("data", "features", "refits", "simulation", "certificate", "evaluation", "report"),
    "total",
)
KEYS = (
    *(Column("Window"), Column("Test span", "text"), Column("Symbol", "text"), Column("Seed")),
    *(Column("Horizons", "text"), Column("Key", "text")),
)


def provenance(run: Run) -> Section:
    """How to make it again, bars, versions, machine, times, keys of the fits, the strategy."""
    return Section("provenance", "Provenance", _figures(run))


def _figures(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    dataset, timings = manifest["dataset"], manifest.get("timings_s", {})
    stages = sorted(timings, key=lambda name: (_place(name), name))
    version, source = engine_version(manifest)
    return {
        "again": command_again(manifest),
        "engine": f"backtest-engine {version}" + (f" (source {source})" if source else ""),
        "saved": SAVED,
        "dataset": dataset,
        "symbols": [_symbol(name, facts) for name, facts in sorted(dataset["symbols"].items())],
        "vintage": dataset.get("vintage"),
        "vintages": any("vintage" in facts for facts in dataset["symbols"].values()),
        "versions": sorted(manifest.get("versions", {}).items()),
        "seeds": manifest.get("seeds", {}),
        "machine": manifest.get("machine", {}),
        "timings": [(name, formatting.duration(timings[name])) for name in stages],
        "started_at": formatting.moment(manifest.get("started_at")),
        "inputs": manifest.get("inputs", []),
        "strategy": json.dumps(
            manifest.get("strategy", {}), indent=2, sort_keys=True, ensure_ascii=False
        ),
        "bars": formatting.COUNT(len(run.bars)),
        "trades": formatting.COUNT(len(run.trades)),
        "fits": Listing("Fits of the strategy", KEYS, tuple(_keys(manifest)), "Filter fits"),
    }


def _symbol(name: str, facts: Mapping[str, Any]) -> dict[str, str]:
    return {
        "symbol": name,
        "source": str(facts.get("source")),
        "span": formatting.span(facts.get("first"), facts.get("last")),
        "rows": formatting.COUNT(facts.get("rows")),
        "sha256": facts.get("sha256") or formatting.MISSING,
        "digest": formatting.digest(facts.get("sha256")),
        "vintage": facts.get("vintage") or formatting.MISSING,
        "pulled": formatting.moment(facts.get("pulled")),
    }


def _keys(manifest: Mapping[str, Any]) -> list[tuple[Cell, ...]]:
    """A row a fit of the strategy that the store keeps."""
    horizon = manifest.get("strategy", {}).get("target", {}).get("horizon", 1)
    return [
        (
            figure(formatting.COUNT, window["index"]),
            Cell(formatting.span(*window["test"])),
            Cell(str(fit.get("symbol", ""))),
            figure(formatting.COUNT, fit.get("seed")),
            Cell(", ".join(map(str, fit.get("horizons") or (horizon,)))),
            Cell(fit["key"][:12], code=True, title=fit["key"]),
        )
        for window in manifest["windows"]
        for fit in window.get("fits") or ()
        if "key" in fit
    ]


def _place(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else STAGES.index("report")
