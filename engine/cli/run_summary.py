"""A finished run on stdout: a table and the verdict for people, one JSON object for scripts."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

from engine.cli.text_table import (
    GRADE_COLOURS,
    TextTableColumn,
    colourise,
    render_table,
    sign_colours,
    strip_colours,
)
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, get_book_styles
from engine.reporting.header import describe_warm_starts
from engine.runs.folder import PAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.runs.run import Run

# A figure on a terminal is copied into a sheet or read by awk: only pages get typographic signs.
ASCII_SIGNS = str.maketrans(
    {formatting.MINUS_SIGN: "-", formatting.MISSING: "-", formatting.NO_BREAK_SPACE: " "}
)


def render_run_json(run: Run) -> str:
    """One JSON object."""
    return json.dumps(run_document(run), indent=2, allow_nan=False)


def run_document(run: Run) -> dict[str, Any]:
    """What `--json` tells of a run."""
    dataset, metrics = run.manifest.dataset, run.metrics.as_dict()
    return {
        "run_id": run.run_id,
        "run_dir": str(run.run_dir),
        "dataset": {"name": dataset.name, "offline": dataset.offline},
        "span": metrics["span"],
        "metrics": metrics["books"],
        "forecasts": metrics["forecasts"],
        "significance": run.significance.as_dict(),
        "left_out": list(run.manifest.excluded_fits),
        "certificate": run.certificate and run.certificate.as_dict(),
        "verdict": run.significance.verdict.as_dict(),
    }


def render_run_text(run: Run, width: int | None = None, *, coloured: bool = False) -> str:
    """The books, the forecasts' skill, the verdict, and the paths of the pages or how to get them.

    Args:
        run: Finished.
        width: Columns to fit into; the terminal's where it is not given.
        coloured: With the codes that colour a terminal.
    """
    width = width or shutil.get_terminal_size().columns
    verdict = run.significance["verdict"]
    parts = [
        _heading(run),
        "\n".join(render_table(_table_columns(run), width)),
        _forecast_lines(run.metrics["forecasts"].get(STRATEGY)),
        _wrap_text(describe_warm_starts(run.manifest["windows"]), width),
        _tuning_line(run.manifest.get("tuning")),
        _left_out_line(run.manifest["left_out"]),
        _wrap_text(f"Verdict: {verdict['sentence']}", width),
        f"Evidence: {colourise(verdict['grade'], GRADE_COLOURS.get(verdict['grade']))}",
        _wrap_text(_certificate_line(run.certificate), width),
        _page_paths(run),
    ]
    text = "\n\n".join(part for part in parts if part).translate(ASCII_SIGNS)
    return text if coloured else strip_colours(text)


def _wrap_text(text: str, width: int) -> str:
    """Lines of whole words, a number and its unit on the same one."""
    joined = text.replace(" %", f"{formatting.NO_BREAK_SPACE}%")
    return textwrap.fill(joined, width, break_long_words=False)


def _page_paths(run: Run) -> str:
    files = {page: run.run_dir / f"{page}.html" for page in PAGES}
    if any(file.exists() for file in files.values()):
        return "\n".join(f"{page:<13}{file}" for page, file in files.items())
    return f"No pages yet: backtest report {run.run_dir} draws them."


def _heading(run: Run) -> str:
    span = run.metrics["span"]
    dataset = run.manifest["dataset"]
    stood_in = " (offline stand-in)" if dataset["offline"] else ""
    traded = ", ".join(run.manifest["target"])
    return (
        f"{run.manifest['strategy_name']} on {traded}, {dataset['name']}{stood_in}\n"
        f"out of sample {formatting.date_range(span['first'], span['last'])}, "
        f"{formatting.COUNT(span['bars'])} bars"
    )


def _table_columns(run: Run) -> list[TextTableColumn]:
    books = [
        (book.label, run.metrics["books"][book.key], book.key) for book in get_book_styles(run)
    ]
    figures = [figures for _, figures, _ in books]
    intervals = [run.significance["sharpe"].get(key, {}) for _, _, key in books]
    confidence = formatting.confidence_level(run.significance["method"]["confidence"])

    def column(
        rank: int, heading: str, unit: formatting.NumberFormat, key: str, *, by_sign: bool = False
    ) -> TextTableColumn:
        values = [figure.get(key) for figure in figures]
        colours = sign_colours(values) if by_sign else ()
        return TextTableColumn(
            rank, heading, [unit.without_suffix(value) for value in values], colours=colours
        )

    low_to_high = [formatting.RATIO.interval(i.get("low"), i.get("high")) for i in intervals]
    return [
        TextTableColumn(0, "Book", [label for label, _, _ in books], align_right=False),
        column(1, "Return %", formatting.BARE_PERCENT, "total_return_pct", by_sign=True),
        column(6, "CAGR %", formatting.BARE_PERCENT, "cagr_pct", by_sign=True),
        column(8, "Vol. %", formatting.PERCENT, "volatility_pct"),
        column(2, "Sharpe", formatting.RATIO, "sharpe", by_sign=True),
        TextTableColumn(3, confidence, low_to_high),
        column(9, "Sortino", formatting.RATIO, "sortino", by_sign=True),
        column(4, "DD %", formatting.BARE_PERCENT, "max_drawdown_pct"),
        column(5, "Trades", formatting.COUNT, "trades"),
        column(7, "Cost %", formatting.PERCENT, "cost_paid_pct"),
        column(10, "In market %", formatting.PERCENT, "exposure_pct"),
        column(11, "Hits %", formatting.PERCENT, "hit_rate_pct"),
        column(12, "Break-even bps", formatting.BPS, "break_even_cost_bps"),
    ]


def _tuning_line(tuning: Mapping[str, int] | None) -> str:
    if not tuning:
        return ""
    return (
        f"Tuning: {formatting.COUNT(tuning['trials'])} configurations tried, on train rows alone"
    )


def _certificate_line(certificate: Mapping[str, Any] | None) -> str:
    return f"Certificate: {certificate['sentence']}" if certificate else ""


def _left_out_line(failures: Sequence[str]) -> str:
    return f"Fits left out, because they failed: {len(failures)}" if failures else ""


def _forecast_lines(scores: Mapping[str, Any] | None) -> str:
    """Their skill; of several horizons and of intervals a line each."""
    if scores is None:
        return ""
    lines = [
        _skill_line(scores),
        _horizon_line(scores.get("horizons", {})),
        _interval_coverage_line(scores),
    ]
    return "\n".join(line for line in lines if line)


def _horizon_line(horizons: Mapping[str, Mapping[str, Any]]) -> str:
    told = [
        f"{formatting.count_of(bars, 'bar')} "
        f"{formatting.FINE_RATIO(horizons[str(bars)].get('r2_vs_persistence'))}"
        for bars in sorted(map(int, horizons))
    ]
    return f"R\N{SUPERSCRIPT TWO} by horizon: {', '.join(told)}" if told else ""


def _interval_coverage_line(scores: Mapping[str, Any]) -> str:
    told = [
        f"the {formatting.confidence_level(interval['nominal_pct'] / 100)} one held "
        f"{formatting.PERCENT(interval['coverage_pct'])}"
        for interval in scores.get("intervals", ())
    ]
    return f"Intervals: {', '.join(told)} of the outcomes" if told else ""


def _skill_line(scores: Mapping[str, Any]) -> str:
    r2 = formatting.FINE_RATIO(scores.get("r2_vs_persistence"))
    accuracy = formatting.PERCENT(scores.get("directional_accuracy_pct"))
    up = formatting.PERCENT(scores.get("up_share_pct"))
    return (
        f"Forecasts: direction right on {accuracy} of bars (always up: {up}),\n"
        f"R\N{SUPERSCRIPT TWO} against no change {r2}"
    )
