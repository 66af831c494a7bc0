"""A finished run on stdout: a table and the verdict for people, one JSON object for scripts."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

from engine.artifacts import PAGES
from engine.cli.columns import GRADES, Column, painted, plain, signed, table
from engine.reporting import formatting
from engine.reporting.books import STRATEGY, books_of
from engine.reporting.heading import warm_starts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.artifacts import Run

# A figure on a terminal is copied into a sheet or read by awk: only pages get typographic signs.
PLAIN = str.maketrans({formatting.MINUS: "-", formatting.MISSING: "-", formatting.NO_BREAK: " "})


def as_json(run: Run) -> str:
    """One JSON object."""
    return json.dumps(as_tree(run), indent=2, allow_nan=False)


def as_tree(run: Run) -> dict[str, Any]:
    """What `--json` tells of a run."""
    dataset = run.manifest["dataset"]
    return {
        "run_id": run.run_id,
        "run_dir": str(run.run_dir),
        "dataset": {"name": dataset["name"], "offline": dataset["offline"]},
        "span": run.metrics["span"],
        "metrics": run.metrics["books"],
        "forecasts": run.metrics["forecasts"],
        "significance": run.significance,
        "left_out": run.manifest["left_out"],
        "certificate": run.certificate,
        "verdict": run.significance["verdict"],
    }


def as_text(run: Run, width: int | None = None, *, coloured: bool = False) -> str:
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
        "\n".join(table(_columns(run), width)),
        _forecasts(run.metrics["forecasts"].get(STRATEGY)),
        _filled(warm_starts(run.manifest["windows"]), width),
        _tuning(run.manifest.get("tuning")),
        _left_out(run.manifest["left_out"]),
        _filled(f"Verdict: {verdict['sentence']}", width),
        f"Evidence: {painted(verdict['grade'], GRADES.get(verdict['grade']))}",
        _filled(_certificate(run.certificate), width),
        _pages(run),
    ]
    text = "\n\n".join(part for part in parts if part).translate(PLAIN)
    return text if coloured else plain(text)


def _filled(text: str, width: int) -> str:
    """Lines of whole words, a number and its unit on the same one."""
    joined = text.replace(" %", f"{formatting.NO_BREAK}%")
    return textwrap.fill(joined, width, break_long_words=False)


def _pages(run: Run) -> str:
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
        f"out of sample {formatting.span(span['first'], span['last'])}, "
        f"{formatting.COUNT(span['bars'])} bars"
    )


def _columns(run: Run) -> list[Column]:
    books = [(book.label, run.metrics["books"][book.key], book.key) for book in books_of(run)]
    figures = [figures for _, figures, _ in books]
    intervals = [run.significance["sharpe"].get(key, {}) for _, _, key in books]
    confidence = formatting.level(run.significance["method"]["confidence"])

    def column(
        rank: int, heading: str, unit: formatting.Unit, key: str, *, by_sign: bool = False
    ) -> Column:
        values = [figure.get(key) for figure in figures]
        colours = signed(values) if by_sign else ()
        return Column(rank, heading, [unit.bare(value) for value in values], colours=colours)

    low_to_high = [formatting.RATIO.interval(i.get("low"), i.get("high")) for i in intervals]
    return [
        Column(0, "Book", [label for label, _, _ in books], right=False),
        column(1, "Return %", formatting.BARE_PERCENT, "total_return_pct", by_sign=True),
        column(6, "CAGR %", formatting.BARE_PERCENT, "cagr_pct", by_sign=True),
        column(8, "Vol. %", formatting.PERCENT, "volatility_pct"),
        column(2, "Sharpe", formatting.RATIO, "sharpe", by_sign=True),
        Column(3, confidence, low_to_high),
        column(9, "Sortino", formatting.RATIO, "sortino", by_sign=True),
        column(4, "DD %", formatting.BARE_PERCENT, "max_drawdown_pct"),
        column(5, "Trades", formatting.COUNT, "trades"),
        column(7, "Cost %", formatting.PERCENT, "cost_paid_pct"),
        column(10, "In market %", formatting.PERCENT, "exposure_pct"),
        column(11, "Hits %", formatting.PERCENT, "hit_rate_pct"),
        column(12, "Break-even bps", formatting.BPS, "break_even_cost_bps"),
    ]


def _tuning(told: Mapping[str, int] | None) -> str:
    if not told:
        return ""
    return f"Tuning: {formatting.COUNT(told['trials'])} configurations tried, on train rows alone"


def _certificate(told: Mapping[str, Any] | None) -> str:
    return f"Certificate: {told['sentence']}" if told else ""


def _left_out(failures: Sequence[str]) -> str:
    return f"Fits left out, because they failed: {len(failures)}" if failures else ""


def _forecasts(scores: Mapping[str, Any] | None) -> str:
    """Their skill; of several horizons and of intervals a line each."""
    if scores is None:
        return ""
    lines = [_skill(scores), _by_horizon(scores.get("horizons", {})), _held(scores)]
    return "\n".join(line for line in lines if line)


def _by_horizon(horizons: Mapping[str, Mapping[str, Any]]) -> str:
    told = [
        f"{formatting.count_of(bars, 'bar')} "
        f"{formatting.FINE_RATIO(horizons[str(bars)].get('r2_vs_persistence'))}"
        for bars in sorted(map(int, horizons))
    ]
    return f"R\N{SUPERSCRIPT TWO} by horizon: {', '.join(told)}" if told else ""


def _held(scores: Mapping[str, Any]) -> str:
    told = [
        f"the {formatting.level(interval['nominal_pct'] / 100)} one held "
        f"{formatting.PERCENT(interval['coverage_pct'])}"
        for interval in scores.get("intervals", ())
    ]
    return f"Intervals: {', '.join(told)} of the outcomes" if told else ""


def _skill(scores: Mapping[str, Any]) -> str:
    r2 = formatting.FINE_RATIO(scores.get("r2_vs_persistence"))
    accuracy = formatting.PERCENT(scores.get("directional_accuracy_pct"))
    up = formatting.PERCENT(scores.get("up_share_pct"))
    return (
        f"Forecasts: direction right on {accuracy} of bars (always up: {up}),\n"
        f"R\N{SUPERSCRIPT TWO} against no change {r2}"
    )
