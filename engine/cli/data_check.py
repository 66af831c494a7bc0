"""`backtest data check`: the findings of the quality rules."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption, QuietOption
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_lines, styled
from engine.cli.text_table import SEVERITY_COLOURS, prose_width
from engine.core.home import backtest_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.check import DatasetCheck
    from engine.data.quality.findings import AppliedRepair, Finding

_INDENT = " " * 7


def data_check_command(
    dataset: DatasetArgument,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use files and cached bars; no network.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Check the bars of a dataset with every quality rule.

    A run does the same before it begins: errors stop it, warnings are shown. docs/data-quality.md
    lists the rules, their thresholds and the repairs that a dataset can request.

    Exit codes: 0 no finding is an error, 2 the manifest is wrong, 3 a finding is an error or the
    bars are not available.
    """
    with handle_errors(debug=debug):
        from engine.data import check_dataset

        home = backtest_home()
        with stderr_progress(quiet=quiet) as progress:
            check = check_dataset(dataset, home=home, offline=offline, progress=progress)
        if json:
            print_json(_to_document(check))
        else:
            print_lines(_render_text(check, prose_width()))
        if not check.is_usable:
            raise typer.Exit(3)


def _to_document(report: DatasetCheck) -> dict[str, Any]:
    return {
        "dataset": report.manifest.dataset.name,
        "bars": report.bar_counts,
        "findings": [finding.as_json() for finding in report.findings],
        "repairs": [repair.as_json() for repair in report.applied_repairs],
        **_panel_document(report),
    }


def _panel_document(report: DatasetCheck) -> dict[str, Any]:
    """`panel`, where symbols lack bars at timestamps that others have."""
    if not report.spans:
        return {}
    spans = {symbol: asdict(span) for symbol, span in report.spans.items()}
    return {"panel": {"timestamps": report.timestamps, "symbols": spans}}


def _render_text(report: DatasetCheck, width: int) -> Iterator[str]:
    for symbol, bars in report.bar_counts.items():
        repairs = [repair for repair in report.applied_repairs if repair.symbol == symbol]
        findings = [finding for finding in report.findings if finding.symbol == symbol]
        state = "unfit for a run" if bars is None else f"{bars} bars"
        clean = "" if findings or repairs else ", no findings"
        yield f"{symbol}: {state}{clean}"
        for repair in repairs:
            yield _format_finding("repair", repair, width)
            yield from _wrap_indented(f"{repair.repair}: {repair.sentence}", width)
        for finding in findings:
            yield _format_finding(finding.severity, finding, width)
            available = f"; repair: {finding.repair}" if finding.repair else ""
            yield from _wrap_indented(finding.sentence + available, width)
            if finding.advice:
                yield from _wrap_indented(finding.advice, width)
    if report.spans:
        yield f"the symbols together have {report.timestamps:,} timestamps:"
        for symbol, span in report.spans.items():
            yield f"  {symbol} {span}"
    yield _format_summary(report)


def _format_finding(kind: str, finding: Finding | AppliedRepair, width: int) -> str:
    """Kind, rule, number of bars, and first and last bar where the line has room."""
    first, last = finding.first or "", finding.last or ""
    line = f"{kind:<6} {finding.rule:<22} {finding.count:>8}"
    for stamp in (f"  {first:<16}", f"  {last}"):
        line += stamp if len(line) + len(stamp.rstrip()) < width else ""
    return styled(kind, SEVERITY_COLOURS.get(kind)) + line.rstrip()[len(kind) :]


def _wrap_indented(sentence: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(
        sentence,
        width - 1,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _format_summary(report: DatasetCheck) -> str:
    errors = sum(finding.severity == "error" for finding in report.findings)
    warnings = len(report.findings) - errors
    repairs = f", {len(report.applied_repairs)} repaired" if report.applied_repairs else ""
    counts = f"{_pluralise(errors, 'error')}, {_pluralise(warnings, 'warning')}"
    return f"{report.manifest.dataset.name}: {counts}{repairs}"


def _pluralise(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
