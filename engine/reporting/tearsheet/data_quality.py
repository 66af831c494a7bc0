"""Findings and repairs of the data quality checks, and the bars of each symbol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.tables import DataTable, DataTableCell, DataTableColumn, number_cell
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.runs.documents.analysis import SymbolBars
    from engine.runs.documents.manifest_dataset import QualityRecord, QualityReport, SymbolRecord
    from engine.runs.run import Run

FINDING_COLUMNS = (
    DataTableColumn("Rule", "text"),
    DataTableColumn("Symbol", "text"),
    DataTableColumn("Severity", "text"),
    DataTableColumn("Bars"),
    DataTableColumn("Span", "text"),
    DataTableColumn("Finding", "text"),
    DataTableColumn("Repair", "text"),
)
SYMBOL_COLUMNS = (
    DataTableColumn("Symbol", "text"),
    DataTableColumn("Bars used"),
    DataTableColumn("Left out"),
    DataTableColumn("Missing"),
    DataTableColumn("Longest gap"),
    DataTableColumn("Span", "text"),
    DataTableColumn("Source", "text"),
)


@dataclass(frozen=True)
class DataQualityContent:
    """Data quality of the run.

    Attributes:
        summary: How many rules were checked, and what they found; empty where not known.
        findings: Repairs and findings.
        bars: A row for each symbol.
        dataset: Name and interval.
        notices: Notices of the data stage.
    """

    summary: str
    findings: DataTable
    bars: DataTable
    dataset: str
    notices: tuple[str, ...]


def data_quality_section(run: Run) -> TearsheetSection:
    """Findings and repairs of the quality checks, bars by symbol, and other notices."""
    dataset, bars = run.manifest.dataset, run.analysis.bars
    report = dataset.quality
    return TearsheetSection(
        "quality",
        "Data quality",
        DataQualityContent(
            summary="" if report is None else _quality_summary(report, len(dataset.symbols)),
            findings=DataTable(
                "Findings about the bars",
                FINDING_COLUMNS,
                () if report is None else _finding_rows(report),
            ),
            bars=DataTable(
                "Bars of each symbol",
                SYMBOL_COLUMNS,
                tuple(
                    _symbol_row(symbol, record, bars[symbol])
                    for symbol, record in sorted(dataset.symbols.items())
                ),
            ),
            dataset=f"{dataset.name}, {dataset.interval}",
            notices=dataset.notices,
        ),
    )


def _quality_summary(report: QualityReport, symbol_count: int) -> str:
    """How many rules were checked, and what they found."""
    rules = formatting.count_of(len(report.rules), "rule") if report.rules else "The quality rules"
    checked = f"{rules} checked on {formatting.count_of(symbol_count, 'symbol')}"
    findings, repairs = len(report.findings), len(report.repairs)
    if not findings and not repairs:
        return f"{checked}: no findings."
    return (
        f"{checked}: {formatting.count_of(findings, 'finding')}, "
        f"{formatting.count_of(repairs, 'repair')}."
    )


def _finding_rows(report: QualityReport) -> tuple[tuple[DataTableCell, ...], ...]:
    """Repairs, then findings."""
    repairs = (_finding_row(record, "repaired", record.repair or "") for record in report.repairs)
    findings = (
        _finding_row(record, record.severity or "", _available_repair(record))
        for record in report.findings
    )
    return (*repairs, *findings)


def _finding_row(record: QualityRecord, severity: str, repair: str) -> tuple[DataTableCell, ...]:
    return (
        DataTableCell(record.rule, is_code=True),
        DataTableCell(record.symbol),
        DataTableCell(severity),
        number_cell(formatting.COUNT, record.count),
        DataTableCell(formatting.date_range(record.first, record.last)),
        DataTableCell(record.sentence),
        DataTableCell(repair),
    )


def _available_repair(record: QualityRecord) -> str:
    return f"{record.repair} is available" if record.repair else "none available"


def _symbol_row(symbol: str, record: SymbolRecord, bars: SymbolBars) -> tuple[DataTableCell, ...]:
    return (
        DataTableCell(symbol),
        number_cell(formatting.COUNT, record.rows),
        number_cell(formatting.COUNT, record.left_out),
        number_cell(formatting.COUNT, bars.missing_bars),
        number_cell(formatting.DAYS, bars.longest_gap_days),
        DataTableCell(formatting.date_range(record.first, record.last)),
        DataTableCell(str(record.source)),
    )
