"""Where a run came from, and how to make it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from engine.artifacts import Run

STAGES = (
    *("data", "features", "refits", "simulation", "certificate", "evaluation", "report"),
    "total",
)


def provenance(run: Run) -> Section:
    """Command, bars, versions, machine, times, and the strategy with all its values."""
    return Section("provenance", "Provenance", _figures(run))


def _figures(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    dataset, timings = manifest["dataset"], manifest.get("timings_s", {})
    stages = sorted(timings, key=lambda name: (_place(name), name))
    return {
        "dataset": dataset,
        "symbols": [
            {
                "symbol": symbol,
                "source": facts.get("source"),
                "span": formatting.span(facts.get("first"), facts.get("last")),
                "rows": formatting.COUNT(facts.get("rows")),
                "sha256": facts.get("sha256") or formatting.MISSING,
                "digest": formatting.digest(facts.get("sha256")),
            }
            for symbol, facts in sorted(dataset.get("symbols", {}).items())
        ],
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
    }


def _place(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else STAGES.index("report")
