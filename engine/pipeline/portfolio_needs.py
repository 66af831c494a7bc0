"""Whether a market has the symbols and the closes that the portfolio of a strategy needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.portfolio import TradingCalendar
from engine.portfolio.config import CALENDAR_ENDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        UsageError: There are too few symbols to choose from, or too few closes at that bar; a
            group names a symbol that is not traded; or the calendar does not know the bars by
            whose sessions the book is rebalanced.
    """
    _check_symbols(spec, market, targets)
    _check_shares(spec, targets)
    _check_groups("portfolio.groups", spec.portfolio.groups, targets)
    _check_groups("model.groups", getattr(spec.model, "groups", {}), targets)
    _check_closes(spec, market, first)
    if CALENDAR_ENDS.intersection(spec.rebalancings):
        _check_calendar(market, first)


def _check_symbols(spec: Strategy, market: Market, targets: Sequence[str]) -> None:
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
    for benchmark in spec.benchmarks:
        needed = getattr(benchmark, "symbols_needed", 1)
        if len(targets) < needed:
            raise UsageError(
                "a benchmark of several symbols has none to choose from",
                expected=f"{needed} target symbols or more for {benchmark.kind}",
                found=f"{len(targets)}{of}",
                where="benchmarks",
                fix=f"trade more symbols (data.targets), or leave {benchmark.kind} out",
            )


def _check_shares(spec: Strategy, targets: Sequence[str]) -> None:
    """Shares of which the sum is 1 need enough symbols; `mean_variance` may leave cash."""
    allocation = spec.portfolio.allocation
    largest = getattr(allocation, "max_share", 1.0)
    if allocation.kind == "mean_variance" or round(len(targets) * largest, 9) >= 1:
        return
    raise UsageError(
        "the largest shares of all symbols together are less than the whole, so that no "
        "rebalancing has an optimum",
        expected=f"{1 / len(targets):.4g} or more with {len(targets)} target symbols",
        found=f"{largest:g}",
        where="portfolio.allocation.max_share",
        fix="raise it, or limit weights by portfolio.max_symbol_weight, which leaves cash",
    )


def _check_groups(
    where: str, groups: Mapping[str, Sequence[str]] | str, targets: Sequence[str]
) -> None:
    if isinstance(groups, str):
        raise UsageError(
            "groups are a column of the dataset, which has not been read",
            expected="a strategy of `engine.load_strategy`, or the groups with their symbols",
            found=groups,
            where=where,
            fix="load the strategy from its file, or write `{tech: [AAPL]}`",
        )
    named = {symbol for members in groups.values() for symbol in members}
    unknown = sorted(named.difference(targets))
    if unknown:
        raise UsageError(
            "a group names a symbol that is not traded",
            expected=f"symbols of {', '.join(targets)}",
            found=", ".join(unknown),
            where=where,
            fix=f"leave {', '.join(unknown)} out, or trade it (data.targets)",
        )


def _check_closes(spec: Strategy, market: Market, first: int) -> None:
    portfolio = spec.portfolio
    needed = spec.decision_spec(market.periods_per_year).closes_needed or portfolio.closes_needed
    if first + 1 >= needed:
        return
    section = "sizing"
    if first + 1 < portfolio.closes_needed:
        section = "portfolio.volatility_target"
    if first + 1 < portfolio.allocation.closes_needed:
        section = "portfolio.allocation"
    parts = {
        "sizing": spec.sizing,
        "portfolio.allocation": portfolio.allocation,
        "portfolio.volatility_target": portfolio.volatility_target,
    }
    where = f"{section}.window" if hasattr(parts[section], "window") else section
    raise UsageError(
        f"there are too few closes for the {section.rpartition('.')[2].replace('_', ' ')}",
        expected=f"{needed} closes up to the first out-of-sample bar",
        found=f"{first + 1}",
        where=where,
        fix=f"lower {where}, or raise windows.train",
    )


def _check_calendar(market: Market, first: int) -> None:
    stamps = market.wide("close").index
    if not TradingCalendar.of_market(market).knows(stamps[first], stamps[-1]):
        raise UsageError(
            "the calendar does not know when the last sessions of weeks and months are",
            expected=f"sessions of {market.calendar} from {stamps[first]} to {stamps[-1]}",
            found="a calendar that begins later or ends earlier",
            where="portfolio.rebalance",
            fix="rebalance weekly or monthly, which is at the first close of a period, or install "
            "a newer exchange-calendars",
        )
