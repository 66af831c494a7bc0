"""What was found and done about the bars, and which of them the run used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.data_table import DataTable, DataTableCell, DataTableColumn, number_cell
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.runs.run import Run

FINDING_COLUMNS = (
    *(
        DataTableColumn("Rule", "text"),
        DataTableColumn("Symbol", "text"),
        DataTableColumn("Severity", "text"),
    ),
    *(
        DataTableColumn("Bars"),
        DataTableColumn("Span", "text"),
        DataTableColumn("Finding", "text"),
        DataTableColumn("Repair", "text"),
    ),
)
SYMBOL_COLUMNS = (
    *(
        DataTableColumn("Symbol", "text"),
        DataTableColumn("Bars used"),
        DataTableColumn("Left out"),
        DataTableColumn("Missing"),
    ),
    *(
        DataTableColumn("Longest pause"),
        DataTableColumn("Span", "text"),
        DataTableColumn("Source", "text"),
    ),
)


def data_quality_section(run: Run) -> TearsheetSection:
    """Findings and repairs of the quality gate, bars by symbol, and what else was noticed."""
    dataset = run.manifest["dataset"]
    found = dataset.get("quality") or {}
    rows = [
        *(
            _finding_row(repair, "repaired", repair["repair"])
            for repair in found.get("repairs", ())
        ),
        *(
            _finding_row(each, each["severity"], _offered_repair(each))
            for each in found.get("findings", ())
        ),
    ]
    facts = dataset.get("symbols", {})
    return TearsheetSection(
        "quality",
        "Data quality",
        {
            "finding": _quality_summary(found, len(facts)) if found else "",
            "findings": DataTable("Findings about the bars", FINDING_COLUMNS, tuple(rows)),
            "bars": DataTable(
                "Bars of each symbol",
                SYMBOL_COLUMNS,
                tuple(_symbol_row(run, name, told) for name, told in sorted(facts.items())),
            ),
            "dataset": f"{dataset.get('name')}, {dataset.get('interval')}",
            "notices": dataset.get("notices") or (),
        },
    )


def _quality_summary(quality_log: Mapping[str, Any], symbol_count: int) -> str:
    """How many rules looked, and what they found."""
    rules = quality_log.get("rules")
    looked = (
        f"{formatting.count_of(len(rules), 'rule')} looked at the bars of "
        f"{formatting.count_of(symbol_count, 'symbol')}"
        if rules
        else "The quality rules looked at the bars of "
        f"{formatting.count_of(symbol_count, 'symbol')}"
    )
    warned, repaired = len(quality_log.get("findings", ())), len(quality_log.get("repairs", ()))
    if not warned and not repaired:
        return f"{looked}; none found anything."
    told = [
        f"{formatting.count_of(warned, 'finding')} to know of" if warned else "nothing left",
        f"{formatting.count_of(repaired, 'repair')} made" if repaired else "nothing repaired",
    ]
    return f"{looked}: {', '.join(told)}."


def _finding_row(
    finding: Mapping[str, Any], severity: str, repair: str
) -> tuple[DataTableCell, ...]:
    return (
        DataTableCell(str(finding["rule"]), is_code=True),
        DataTableCell(str(finding["symbol"])),
        DataTableCell(severity),
        number_cell(formatting.COUNT, finding["count"]),
        DataTableCell(formatting.date_range(finding["first"], finding["last"])),
        DataTableCell(str(finding["sentence"])),
        DataTableCell(repair),
    )


def _offered_repair(finding: Mapping[str, Any]) -> str:
    return f"{finding['repair']} is offered" if finding.get("repair") else "none offered"


def _symbol_row(run: Run, symbol: str, facts: Mapping[str, Any]) -> tuple[DataTableCell, ...]:
    stamps = run.bars.loc[run.bars["symbol"] == symbol, "timestamp"]
    found = (run.manifest["dataset"].get("quality") or {}).get("findings")
    gaps = None if found is None else sum(
        each["count"] for each in found if (each["rule"], each["symbol"]) == ("gaps", symbol)
    )  # fmt: skip
    pause = _longest_gap_days(stamps)
    return (
        DataTableCell(symbol),
        number_cell(formatting.COUNT, facts.get("rows")),
        number_cell(formatting.COUNT, facts.get("left_out")),
        number_cell(formatting.COUNT, gaps),
        number_cell(formatting.DAYS, pause),
        DataTableCell(formatting.date_range(facts.get("first"), facts.get("last"))),
        DataTableCell(str(facts.get("source"))),
    )


def _longest_gap_days(stamps: pd.Series[pd.Timestamp]) -> float | None:
    """Days between the two neighbouring bars that lie furthest apart; None below two bars."""
    longest = stamps.sort_values().diff().max()
    return None if longest is None or longest != longest else longest.total_seconds() / 86_400
