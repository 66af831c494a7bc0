"""Suggests names for the columns of a file without a header, from the values of its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.sources.files._cells import looks_like_date, looks_like_number, looks_like_time

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAMPLE_ROWS = 100


def suggest_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """A name for each column of these rows: those of bars where the values show them.

    The highest of four neighbouring numbers is the high, and the lowest the low; the two others
    are the open and the close in this order, and the next number is the volume.
    """
    width = len(rows[0])
    columns = [
        [row[position] for row in rows[:_SAMPLE_ROWS] if len(row) == width]
        for position in range(width)
    ]
    names = [f"column_{position + 1}" for position in range(width)]
    stamp = next((n for n, cells in enumerate(columns) if all(map(looks_like_date, cells))), None)
    if stamp is not None:
        names[stamp] = "timestamp"
        if stamp + 1 < width and all(map(looks_like_time, columns[stamp + 1])):
            names[stamp : stamp + 2] = ["date", "time"]
    for start in range(1 if stamp is None else stamp + 1, width - 3):
        order = price_order(columns[start : start + 4])
        if order is not None:
            names[start : start + 4] = order
            if start + 4 < width and all(map(looks_like_number, columns[start + 4])):
                names[start + 4] = "volume"
            break
    return names


def price_order(columns: Sequence[Sequence[str]]) -> list[str] | None:
    """Names of four columns by which of them is always highest and lowest; None without them."""
    values = [[_to_number(cell) for cell in cells] for cells in columns]
    bars = [bar for bar in zip(*values, strict=True) if None not in bar]
    if len(bars) < len(values[0]) or not bars:
        return None
    prices = [[value for value in bar if value is not None] for bar in bars]
    high = next((n for n in (1, 0, 2, 3) if all(bar[n] == max(bar) for bar in prices)), None)
    low = next((n for n in (2, 3, 1, 0) if all(bar[n] == min(bar) for bar in prices)), None)
    if high is None or low is None or high == low or all(min(bar) == max(bar) for bar in prices):
        return None
    others = iter(("open", "close"))
    return ["high" if n == high else "low" if n == low else next(others) for n in range(4)]


def _to_number(cell: str) -> float | None:
    plain = cell.strip().replace(" ", "")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".", 1)
    try:
        return float(plain.replace(",", ""))
    except ValueError:
        return None
