"""What is decided and not yet filled when the bars end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.header import describe_due_bar, next_orders_title
from engine.reporting.tables import DataTable, DataTableCell, DataTableColumn, number_cell
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.runs.run import Run

ORDER_COLUMNS = (
    DataTableColumn("Symbol", "text"),
    DataTableColumn("Decided on", "text"),
    DataTableColumn("Due", "text"),
    DataTableColumn("Held"),
    DataTableColumn("Target"),
    DataTableColumn("Forecast"),
)


@dataclass(frozen=True)
class NextOrdersContent:
    """The orders.

    Attributes:
        title: When they are due.
        last_bar: The last bar of the run.
        listing: A row an order.
    """

    title: str
    last_bar: str
    listing: DataTable


def next_orders_section(run: Run) -> TearsheetSection:
    """The strategy's orders that are due after the last bar."""
    title = next_orders_title(run.manifest.settings)
    rows = tuple(
        (
            DataTableCell(order["symbol"]),
            DataTableCell(formatting.timestamp(order["decided_on"])),
            DataTableCell(
                describe_due_bar(order["due"], order["due_in_bars"], order["waited_bars"])
            ),
            number_cell(formatting.SIGNED_PERCENT, 100.0 * order["held_weight"]),
            number_cell(formatting.SIGNED_PERCENT, 100.0 * order["target_weight"]),
            number_cell(formatting.SIGNED_BPS, 10_000.0 * order["predicted"]),
        )
        for order in run.next_orders.to_dict("records")
    )
    return TearsheetSection(
        "orders",
        "Next orders",
        NextOrdersContent(
            title=title,
            last_bar=formatting.timestamp(run.returns.index[-1]),
            listing=DataTable(title, ORDER_COLUMNS, rows),
        ),
    )
