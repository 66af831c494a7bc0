"""Lists of names in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def join_names(names: Sequence[str], max_names: int | None = None) -> str:
    """`A`, `A and B`, `A, B and C`.

    Args:
        names: One or more.
        max_names: Of more than these the first ones are named, and the others counted: `A, B and
            3 others` for 3. None names all.
    """
    if max_names is not None and len(names) > max_names:
        names = [*names[: max_names - 1], f"{len(names) - max_names + 1} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


MOST_SYMBOLS_NAMED = 12


def list_symbols(symbols: Sequence[str]) -> str:
    """`A, B, C`; of more than twelve their number, and the first six."""
    if len(symbols) <= MOST_SYMBOLS_NAMED:
        return ", ".join(symbols)
    named = symbols[: MOST_SYMBOLS_NAMED // 2]
    others = len(symbols) - len(named)
    return f"{len(symbols):,} symbols: {', '.join(named)} and {others:,} more"
