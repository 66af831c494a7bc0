"""What the data stage compared, for the certificate: bars resampled from shorter ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.bars import VALUE_COLUMNS
from engine.runs.documents.certificate import ComparedCounts

if TYPE_CHECKING:
    from engine.data import Market

RESAMPLED = "resampled bars"


def count_resampled(market: Market) -> dict[str, ComparedCounts]:
    """The stage `resampled bars`, where a run's bars were made of shorter ones; else nothing.

    The comparison itself is made where both are at hand, by `engine.data.resampling_probe`; a
    difference stops the run there.

    Args:
        market: Of the run.
    """
    probes = market.provenance.get("quality", {}).get("resampling", ())
    if not probes:
        return {}
    return {
        RESAMPLED: ComparedCounts(
            columns=len(VALUE_COLUMNS) * sum(probe["cuts"] for probe in probes),
            value_count=sum(probe["values"] for probe in probes),
        )
    }
