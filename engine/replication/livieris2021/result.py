"""The result of the replication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.replication.livieris2021.comparison_row import ComparisonRow
    from engine.replication.livieris2021.forecast_scores import NaiveScores, NetworkScores
    from engine.replication.livieris2021.protocol import PaperProtocol
    from engine.replication.livieris2021.ranks import RankTable


@dataclass(frozen=True)
class Livieris2021Result:
    """The tables of the paper next to ours.

    Attributes:
        source: Source of the printed figures.
        protocol: The protocol that was followed.
        runs: Number of fits of each network, lag and coin.
        descriptive: Statistics of the closes.
        movements: Days up and down.
        stationarity: Unit root tests.
        forecasts: Forecast scores of the networks.
        naive_rules: Forecast scores of the naive rules.
        ranks: Tables of aligned ranks.
        level_trap: Counts of the rows that beat the naive rules.
        notes: Table -> contradictions within the paper, or between it and the data.
        trained: Number of trained fits.
        stored: Number of fits read from the store.
        versions: Versions of the libraries that affect the numbers.
    """

    source: str
    protocol: PaperProtocol
    runs: int
    descriptive: Sequence[ComparisonRow]
    movements: Sequence[ComparisonRow]
    stationarity: Sequence[ComparisonRow]
    forecasts: Sequence[NetworkScores]
    naive_rules: Sequence[NaiveScores]
    ranks: Sequence[RankTable]
    level_trap: Mapping[str, Any]
    notes: Mapping[str, Sequence[str]]
    trained: int
    stored: int
    versions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Every figure of the tables at full precision; None for undefined ones."""
        return {
            "replication": "livieris2021",
            "source": self.source,
            "protocol": self.protocol.model_dump(mode="json"),
            "runs": self.runs,
            "leaks": self.protocol.scaling != "train",
            "descriptive": [row.as_json() for row in self.descriptive],
            "movements": [row.as_json() for row in self.movements],
            "adf": [row.as_json() for row in self.stationarity],
            "forecasts": [row.as_json() for row in self.forecasts],
            "naive": [row.as_json() for row in self.naive_rules],
            "ranks": [table.as_json() for table in self.ranks],
            "level_trap": dict(self.level_trap),
            "notes": {table: list(notes) for table, notes in self.notes.items()},
            "fits": {"trained": self.trained, "stored": self.stored},
            "versions": dict(self.versions),
        }
