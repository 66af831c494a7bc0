"""The texts of `backtest paper history`: a row a bar."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.cli.text_table import ASCII_SIGNS, TextTableColumn, output_width, render_table
from engine.core.storage import translate_disk_faults, write_file
from engine.live.journal.rows import finite_or_none
from engine.reporting import formatting

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.paper.history import PaperHistory

NOTHING = "Nothing was decided yet."


def history_table(history: PaperHistory) -> pd.DataFrame:
    """A row a bar and traded symbol, with all that was decided and filled at it."""
    capital = history.account.capital
    orders = {(row.bar, row.symbol): row for row in history.orders}
    fills = defaultdict(list)
    for fill in history.fills:
        fills[fill.bar, fill.symbol].append(fill)
    rows: list[dict[str, Any]] = []
    for decision, equity in zip(history.decisions, history.equity, strict=True):
        for symbol, target in decision.targets.items():
            order = orders.get((decision.bar, symbol))
            filled = fills[decision.bar, symbol]
            held = equity.holdings.get(symbol, {})
            rows.append(
                {
                    "bar": decision.bar,
                    "symbol": symbol,
                    "decided_at": decision.decided_at,
                    "late": decision.late,
                    "predicted": decision.row["predicted"].get(symbol),
                    "target_weight": target,
                    "order": None if order is None else order.status,
                    "due_in_bars": None if order is None else order.due_in_bars,
                    "filled_units": capital
                    * sum(each.size if each.side == "buy" else -each.size for each in filled),
                    "fill_price": filled[-1].price if filled else None,
                    "fee": capital * sum(each.fee for each in filled),
                    "held_weight": held.get("weight", 0.0),
                    "close": held.get("close"),
                    "equity": capital * equity.equity,
                }
            )
    return pd.DataFrame(rows)


def render_history(history: PaperHistory) -> str:
    """The table for a terminal."""
    table = history_table(history)
    if table.empty:
        return NOTHING
    rows = table.to_dict("records")
    columns = [
        TextTableColumn(0, "Bar", [formatting.timestamp(row["bar"]) for row in rows]),
        TextTableColumn(1, "Symbol", [row["symbol"] for row in rows], align_right=False),
        TextTableColumn(4, "Forecast bps", [_bps(row["predicted"]) for row in rows]),
        TextTableColumn(2, "Target %", [_percent(row["target_weight"]) for row in rows]),
        TextTableColumn(
            1,
            "Order",
            ["-" if not isinstance(row["order"], str) else row["order"] for row in rows],
            align_right=False,
        ),
        TextTableColumn(3, "Fill", [_fill(row) for row in rows]),
        TextTableColumn(5, "Fee", [f"{row['fee']:,.2f}" if row["fee"] else "-" for row in rows]),
        TextTableColumn(2, "Held %", [_percent(row["held_weight"]) for row in rows]),
        TextTableColumn(0, "Equity", [formatting.PRICE(row["equity"]) for row in rows]),
        TextTableColumn(6, "Late", ["late" if row["late"] else "-" for row in rows]),
    ]
    return "\n".join(render_table(columns, output_width())).translate(ASCII_SIGNS)


def write_history_csv(path: Path, history: PaperHistory) -> None:
    """Writes the table to a file, figures in full.

    Raises:
        StorageError: The file cannot be written.
    """
    with translate_disk_faults("the history cannot be written", path):
        write_file(path, history_table(history).to_csv(index=False, lineterminator="\n"))


def _fill(row: dict[Any, Any]) -> str:
    if not row["filled_units"]:
        return "-"
    side = "buy" if row["filled_units"] > 0 else "sell"
    return f"{side} {abs(row['filled_units']):,.6g} at {formatting.price(row['fill_price'])}"


def _bps(value: float | None) -> str:
    known = None if value is None else finite_or_none(value)
    return formatting.SIGNED_BPS.without_suffix(None if known is None else 10_000 * known)


def _percent(fraction: float) -> str:
    return formatting.BARE_PERCENT.without_suffix(100 * fraction)
