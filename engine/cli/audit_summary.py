"""The summary of an audit on stdout: verdict, what is not shown, figures; or one JSON object."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.cli.terminal import styled
from engine.cli.text_table import ASCII_SIGNS, GRADE_COLOURS, wrap_text
from engine.core.control_characters import escape_line
from engine.reporting import formatting

if TYPE_CHECKING:
    from pathlib import Path

    from engine.auditing import AuditResult, CodeProbe


def audit_summary_document(result: AuditResult, page: Path) -> dict[str, Any]:
    """The JSON object of `--json`: both documents, and the path of the page."""
    return {
        "audit": result.document.as_dict(),
        "significance": result.significance.as_dict(),
        "page": str(page),
    }


def render_audit_text(result: AuditResult, page: Path, width: int) -> str:
    """Title, verdict, notes, open questions, and the path of the page.

    Args:
        result: The audit.
        page: Path of its page.
        width: Width of the text.
    """
    document = result.document
    span = document.span
    periods = f"{span.periods_per_year:,.1f}".removesuffix(".0")
    head = (
        f"{escape_line(document.name)}: "
        f"{formatting.date_range(span.first, span.last)}, {formatting.BARS(span.bars)}\n"
        f"{periods} bars a year: {document.periods_basis}"
    )
    parts = [
        head,
        wrap_text(escape_line(result.sentence), width),
        f"Evidence: {styled(result.grade, GRADE_COLOURS[result.grade])}",
        *(
            ["\n".join(wrap_text(f"Note: {escape_line(each)}.", width) for each in document.notes)]
            if document.notes
            else []
        ),
        "Not shown:\n"
        + "\n".join(wrap_text(f"- {each.question}", width) for each in document.not_shown),
        f"audit   {escape_line(str(page))}",
    ]
    return "\n\n".join(parts).translate(ASCII_SIGNS)


def code_document(probe: CodeProbe) -> dict[str, Any]:
    """The JSON object of `audit code`: values that are missing are null, times are ISO 8601."""
    document = asdict(probe)
    document["findings"] = [
        {key: _to_json(value) for key, value in each.items()} for each in document["findings"]
    ]
    return document


def _to_json(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str) else str(value)


def render_code_text(probe: CodeProbe) -> str:
    """What was probed, and each finding with the bars that show it."""
    head = (
        f"{formatting.count_of(len(probe.columns), 'column')} probed at "
        f"{formatting.COUNT(probe.probed)} of {formatting.BARS(probe.bars)} in "
        f"{formatting.count_of(probe.calls, 'call')}{_describe_memory(probe)}"
    )
    if probe.failed:
        head += f"\n{formatting.count_of(probe.failed, 'call')} with other bars failed"
    if not probe.findings:
        return f"{head}\n\nNo look-ahead found.".translate(ASCII_SIGNS)
    found = "\n".join(each.describe() for each in probe.findings)
    count = formatting.count_of(len(probe.findings), "column")
    return f"{head}\n\nLook-ahead in {count}:\n{found}".translate(ASCII_SIGNS)


def _describe_memory(probe: CodeProbe) -> str:
    """How far values reach back; nothing where they look ahead, and reach is not told from it."""
    if probe.findings:
        return ""
    if probe.memory is None:
        return "; values remember without bound"
    return f"; values remember {formatting.count_of(probe.memory, 'bar')}"
