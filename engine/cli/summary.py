"""A finished run on stdout: a table and the verdict for people, one JSON object for scripts."""

from __future__ import annotations

import json
import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.artifacts import PAGES
from engine.reporting import formatting
from engine.reporting.books import STRATEGY, books_of
from engine.reporting.heading import warm_starts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.artifacts import Run

GAP = "  "
# A figure on a terminal is copied into a sheet or read by awk: only pages get typographic signs.
PLAIN = str.maketrans({formatting.MINUS: "-", formatting.MISSING: "-", formatting.NO_BREAK: " "})


def as_json(run: Run) -> str:
    """One JSON object."""
    dataset = run.manifest["dataset"]
    told = {
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
    return json.dumps(told, indent=2, allow_nan=False)


def as_text(run: Run, width: int | None = None) -> str:
    """The books, the forecasts' skill, the verdict, and the paths of the pages or how to get them.

    Args:
        run: Finished.
        width: Columns to fit into; the terminal's where it is not given.
    """
    width = width or shutil.get_terminal_size().columns
    verdict = run.significance["verdict"]
    parts = [
        _heading(run),
        "\n".join(_table(run, width)),
        _forecasts(run.metrics["forecasts"].get(STRATEGY)),
        _filled(warm_starts(run.manifest["windows"]), width),
        _tuning(run.manifest.get("tuning")),
        _left_out(run.manifest["left_out"]),
        _filled(f"Verdict: {verdict['sentence']}", width),
        f"Evidence: {verdict['grade']}",
        _filled(_certificate(run.certificate), width),
        _pages(run),
    ]
    return "\n\n".join(part for part in parts if part).translate(PLAIN)


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


@dataclass(frozen=True)
class _Column:
    """A column of the table; those with the lowest rank stay where there is little room."""

    rank: int
    heading: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        return max(len(self.heading), *map(len, self.cells))


def _table(run: Run, width: int) -> list[str]:
    books = [(book.label, run.metrics["books"][book.key], book.key) for book in books_of(run)]
    figures = [figures for _, figures, _ in books]
    intervals = [run.significance["sharpe"].get(key, {}) for _, _, key in books]
    confidence = formatting.level(run.significance["method"]["confidence"])

    def column(rank: int, heading: str, unit: formatting.Unit, key: str) -> _Column:
        return _Column(rank, heading, [unit.bare(figure.get(key)) for figure in figures])

    names = _Column(0, "Book", [label for label, _, _ in books])
    low_to_high = [formatting.RATIO.interval(i.get("low"), i.get("high")) for i in intervals]
    columns = [
        names,
        column(1, "Return %", formatting.BARE_PERCENT, "total_return_pct"),
        column(6, "CAGR %", formatting.BARE_PERCENT, "cagr_pct"),
        column(8, "Vol. %", formatting.PERCENT, "volatility_pct"),
        column(2, "Sharpe", formatting.RATIO, "sharpe"),
        _Column(3, confidence, low_to_high),
        column(9, "Sortino", formatting.RATIO, "sortino"),
        column(4, "DD %", formatting.BARE_PERCENT, "max_drawdown_pct"),
        column(5, "Trades", formatting.COUNT, "trades"),
        column(7, "Cost %", formatting.PERCENT, "cost_paid_pct"),
        column(10, "In market %", formatting.PERCENT, "exposure_pct"),
        column(11, "Hits %", formatting.PERCENT, "hit_rate_pct"),
        column(12, "Break-even bps", formatting.BPS, "break_even_cost_bps"),
    ]
    shown = _that_fit(columns, width)
    rows = zip(*([c.heading, *c.cells] for c in shown), strict=True)
    return [_line(row, shown) for row in rows]


def _that_fit(columns: Sequence[_Column], width: int) -> list[_Column]:
    """The columns of the lowest ranks that fit side by side, in their order."""
    kept: list[_Column] = []
    room = width + len(GAP)
    for column in sorted(columns, key=lambda column: column.rank):
        room -= column.width + len(GAP)
        if room < 0 and kept:
            break
        kept.append(column)
    return [column for column in columns if column in kept]


def _line(cells: Sequence[str], columns: Sequence[_Column]) -> str:
    """The first cell to the left, the figures to the right."""
    first, *rest = zip(cells, columns, strict=True)
    padded = [first[0].ljust(first[1].width), *(c.rjust(column.width) for c, column in rest)]
    return GAP.join(padded).rstrip()


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
