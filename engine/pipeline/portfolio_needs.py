"""Whether a market has the symbols and the closes that the portfolio of a strategy needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data import Market
    from engine.strategy import Strategy


def check_portfolio(spec: Strategy, market: Market, targets: Sequence[str], *, first: int) -> None:
    """Refuses a portfolio that could not be divided as it says; before any training.

    Args:
        spec: The strategy.
        market: Its bars.
        targets: Symbols that are traded.
        first: Row of the first out-of-sample bar.

    Raises:
        UsageError: There are too few symbols to choose from, or too few closes at that bar.
    """
    allocation, dataset = spec.portfolio.allocation, market.provenance.get("name")
    of = f" of {dataset}" if dataset else ""
    if len(targets) < allocation.symbols_needed:
        raise UsageError(
            "the allocation by rank has no symbols to choose from",
            expected=f"{allocation.symbols_needed} target symbols or more for {allocation.kind}",
            found=f"{len(targets)}{of}",
            where="portfolio.allocation",
            fix="trade more symbols (data.targets), hold fewer, or take another allocation",
        )
    needed = spec.decision_spec(market.periods_per_year).closes_needed or allocation.closes_needed
    if first + 1 < needed:
        section = "portfolio.allocation" if first + 1 < allocation.closes_needed else "sizing"
        part = allocation if section != "sizing" else spec.sizing
        where = f"{section}.window" if "window" in type(part).model_fields else section
        raise UsageError(
            f"there are too few closes for the {section.rpartition('.')[2]}",
            expected=f"{needed} closes up to the first out-of-sample bar",
            found=f"{first + 1}",
            where=where,
            fix=f"lower {where}, or raise windows.train",
        )
