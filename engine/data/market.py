"""What the data stage hands on: bars that were checked, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.core.types import BarsFrame, WideFrame


@dataclass(frozen=True)
class Market:
    """Validated bars of one or more symbols on the timestamps they have in common.

    Attributes:
        bars: Long bars, float64, no NaN, every symbol at every timestamp.
        symbols: In the dataset's order.
        interval: Length of a bar, such as `1d`.
        calendar: `24/7` or a code of exchange-calendars.
        periods_per_year: Bars a year on that calendar.
        provenance: For the manifest: `name`, `note`, `interval`, `calendar`, `offline` (bool: the
            offline dataset stood in), `notices` (list of sentences), `quality` (`rules` that were
            asked, `findings` that remain, `repairs` that were made, `notices`: those of all that
            tell of these and of bars left out), `vintage` (id; None where the source is not
            cached), `symbols`: symbol to `{source, first, last, rows, sha256, left_out}`, the last
            being its bars at times at which another symbol has none, and, where there is one, its
            own `vintage` and when that was `pulled`.
    """

    bars: BarsFrame
    symbols: tuple[str, ...]
    interval: str
    calendar: str
    periods_per_year: float
    provenance: dict[str, Any]

    def wide(self, column: str) -> WideFrame:
        """One column of the bars, a column a symbol in the order of `symbols`."""
        table = self.bars.pivot(index="timestamp", columns="symbol", values=column)
        table.columns.name = None
        return table[list(self.symbols)]
