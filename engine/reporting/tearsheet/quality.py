"""What was found and done about the bars, and which of them the run used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.listing import Cell, Column, Listing, figure
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.artifacts import Run

FINDINGS = (
    *(Column("Rule", "text"), Column("Symbol", "text"), Column("Severity", "text")),
    *(Column("Bars"), Column("Span", "text"), Column("Finding", "text"), Column("Repair", "text")),
)
BARS = (
    *(Column("Symbol", "text"), Column("Bars used"), Column("Left out"), Column("Missing")),
    *(Column("Longest pause"), Column("Span", "text"), Column("Source", "text")),
)


def quality(run: Run) -> Section:
    """Findings and repairs of the quality gate, bars by symbol, and what else was noticed."""
    dataset = run.manifest["dataset"]
    found = dataset.get("quality") or {}
    rows = [
        *(_row(repair, "repaired", repair["repair"]) for repair in found.get("repairs", ())),
        *(_row(each, each["severity"], _offered(each)) for each in found.get("findings", ())),
    ]
    facts = dataset.get("symbols", {})
    return Section(
        "quality",
        "Data quality",
        {
            "finding": _finding(found, len(facts)) if found else "",
            "findings": Listing("Findings about the bars", FINDINGS, tuple(rows)),
            "bars": Listing(
                "Bars of each symbol",
                BARS,
                tuple(_of_symbol(run, name, told) for name, told in sorted(facts.items())),
            ),
            "dataset": f"{dataset.get('name')}, {dataset.get('interval')}",
            "notices": dataset.get("notices") or (),
        },
    )


def _finding(found: Mapping[str, Any], symbols: int) -> str:
    """How many rules looked, and what they found."""
    rules = found.get("rules")
    looked = (
        f"{formatting.count_of(len(rules), 'rule')} looked at the bars of "
        f"{formatting.count_of(symbols, 'symbol')}"
        if rules
        else f"The quality rules looked at the bars of {formatting.count_of(symbols, 'symbol')}"
    )
    warned, repaired = len(found.get("findings", ())), len(found.get("repairs", ()))
    if not warned and not repaired:
        return f"{looked}; none found anything."
    told = [
        f"{formatting.count_of(warned, 'finding')} to know of" if warned else "nothing left",
        f"{formatting.count_of(repaired, 'repair')} made" if repaired else "nothing repaired",
    ]
    return f"{looked}: {', '.join(told)}."


def _row(told: Mapping[str, Any], severity: str, repair: str) -> tuple[Cell, ...]:
    return (
        Cell(str(told["rule"]), code=True),
        Cell(str(told["symbol"])),
        Cell(severity),
        figure(formatting.COUNT, told["count"]),
        Cell(formatting.span(told["first"], told["last"])),
        Cell(str(told["sentence"])),
        Cell(repair),
    )


def _offered(finding: Mapping[str, Any]) -> str:
    return f"{finding['repair']} is offered" if finding.get("repair") else "none offered"


def _of_symbol(run: Run, symbol: str, facts: Mapping[str, Any]) -> tuple[Cell, ...]:
    stamps = run.bars.loc[run.bars["symbol"] == symbol, "timestamp"]
    found = (run.manifest["dataset"].get("quality") or {}).get("findings")
    gaps = None if found is None else sum(
        each["count"] for each in found if (each["rule"], each["symbol"]) == ("gaps", symbol)
    )  # fmt: skip
    pause = _longest_pause(stamps)
    return (
        Cell(symbol),
        figure(formatting.COUNT, facts.get("rows")),
        figure(formatting.COUNT, facts.get("left_out")),
        figure(formatting.COUNT, gaps),
        figure(formatting.DAYS, pause),
        Cell(formatting.span(facts.get("first"), facts.get("last"))),
        Cell(str(facts.get("source"))),
    )


def _longest_pause(stamps: pd.Series[pd.Timestamp]) -> float | None:
    """Days between the two neighbouring bars that lie furthest apart; None below two bars."""
    longest = stamps.sort_values().diff().max()
    return None if longest is None or longest != longest else longest.total_seconds() / 86_400
