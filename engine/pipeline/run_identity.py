"""The id of the run of a strategy on its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.hashing import canonical_json
from engine.core.part_origin import describe_parts
from engine.core.versions import collect_versions
from engine.runs.run import compute_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy


def identify_run(
    spec: Strategy, prepared: PreparedData, versions: Mapping[str, str] | None = None
) -> str:
    """The run id that a run of the strategy on these bars has.

    Args:
        spec: The strategy.
        prepared: Its bars and rates.
        versions: Of libraries and of parts that are not the engine's own; those of today unless
            given.
    """
    market = prepared.market
    data = [
        ("interval", market.interval),
        ("calendar", market.calendar),
        *((symbol, market.provenance["symbols"][symbol]["sha256"]) for symbol in market.symbols),
    ]
    if market.provenance.get("annualisation", {}).get("basis", "calendar") != "calendar":
        data.append(("periods_per_year", repr(market.periods_per_year)))
    if market.is_panel:
        data.append(("panel", canonical_json(market.panel_identity)))
    data.extend((key, file.sha256) for key, file in prepared.rates.files.items())
    if market.funding is not None and spec.costs.charges_funding:
        own = market.funding.as_json()
        data.extend((f"funding of {symbol}", own[symbol]["sha256"]) for symbol in own)
    if versions is None:
        versions = collect_versions(spec.compute.backend, spec.libraries) | describe_parts(spec)
    return compute_run_id(spec.identity(), data, versions)
