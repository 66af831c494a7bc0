"""The summary of a run on stdout: a table and the verdict, or one JSON object."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.cli.terminal import strip_styles, styled
from engine.cli.text_table import (
    ASCII_SIGNS,
    GRADE_COLOURS,
    TextTableColumn,
    render_table,
    sign_colours,
    wrap_text,
)
from engine.core.control_characters import escape_line
from engine.core.name_lists import list_symbols
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, get_book_styles
from engine.reporting.header import (
    describe_due_bar,
    describe_warm_starts,
    next_orders_title,
)
from engine.reporting.holdout import describe_holdout
from engine.reporting.registration import describe_registration
from engine.runs.documents.significance import SharpeFigures
from engine.runs.folder import PAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.runs.documents import Certificate
    from engine.runs.documents.manifest import TuningRecord
    from engine.runs.documents.metrics import ForecastScores, HorizonScores
    from engine.runs.run import Run


def run_document(run: Run) -> dict[str, Any]:
    """The JSON object of `--json`, as plain values."""
    dataset, metrics = run.manifest.dataset, run.metrics.as_dict()
    return {
        "run_id": run.run_id,
        "run_dir": str(run.run_dir),
        "dataset": {"name": dataset.name, "offline": dataset.offline},
        "span": metrics["span"],
        "risk_free_rate": run.metrics.risk_free_rate.model_dump(),
        "cash_yield": run.metrics.cash_yield.model_dump(),
        "metrics": metrics["books"],
        "forecasts": metrics["forecasts"],
        "significance": run.significance.as_dict(),
        "left_out": list(run.manifest.excluded_fits),
        "certificate": run.certificate and run.certificate.as_dict(),
        "verdict": run.significance.verdict.as_dict(),
        "next_orders": _next_order_documents(run),
    }


def _next_order_documents(run: Run) -> list[dict[str, Any]]:
    """`Run.next_orders` as plain values, None for what is not known."""
    return [
        {
            "decided_on": order["decided_on"].isoformat(),
            "symbol": order["symbol"],
            "target_weight": order["target_weight"],
            "held_weight": order["held_weight"],
            "due_in_bars": order["due_in_bars"],
            "due": None if pd.isna(order["due"]) else order["due"].isoformat(),
            "waited_bars": order["waited_bars"],
            "predicted": order["predicted"] if formatting.is_finite(order["predicted"]) else None,
        }
        for order in run.next_orders.to_dict("records")
    ]


def render_run_text(run: Run, width: int | None = None, *, coloured: bool = False) -> str:
    """Metrics of the books, forecast accuracy, the verdict, and the paths of the pages.

    Args:
        run: A finished run.
        width: Width of the text; that of the terminal where it is None.
        coloured: Whether to add marks for colours.
    """
    width = width or shutil.get_terminal_size().columns
    verdict = run.significance.verdict
    parts = [
        _heading(run),
        "\n".join(render_table(_table_columns(run), width)),
        _forecast_lines(run.metrics.forecasts.get(STRATEGY)),
        wrap_text(describe_warm_starts(run.manifest.windows), width),
        _tuning_line(run.manifest.tuning),
        _left_out_line(run.manifest.excluded_fits),
        wrap_text(f"Verdict: {verdict.sentence}", width),
        f"Evidence: {styled(verdict.grade, GRADE_COLOURS.get(verdict.grade))}",
        wrap_text(" ".join(map(describe_registration, run.significance.registrations)), width),
        wrap_text(_holdout_line(run), width),
        wrap_text(_leakage_test_line(run.certificate), width),
        _next_order_lines(run, width),
        _page_paths(run),
    ]
    text = "\n\n".join(part for part in parts if part).translate(ASCII_SIGNS)
    return text if coloured else strip_styles(text)


def _holdout_line(run: Run) -> str:
    """What was held out, and the strategy over it where this run looked."""
    holdout = run.significance.holdout
    if holdout is None:
        return ""
    own = holdout.books.get(STRATEGY)
    if own is None:
        return f"Holdout: {describe_holdout(holdout)}"
    figures = (
        f"The strategy has a Sharpe ratio of {formatting.RATIO(own.sharpe)} and a total return "
        f"of {formatting.PERCENT(own.total_return_pct)} over them"
    )
    return f"Holdout: {describe_holdout(holdout)} {figures}."


def _page_paths(run: Run) -> str:
    files = {page: run.run_dir / f"{page}.html" for page in PAGES}
    if any(file.exists() for file in files.values()):
        return "\n".join(f"{page:<13}{escape_line(str(file))}" for page, file in files.items())
    return f"No pages yet: backtest report {escape_line(str(run.run_dir))} writes them."


def _heading(run: Run) -> str:
    span, dataset = run.metrics.span, run.manifest.dataset
    offline_note = " (offline dataset)" if dataset.offline else ""
    symbols = list_symbols(run.manifest.target)
    return (
        f"{escape_line(f'{run.manifest.strategy_name} on {symbols}, {dataset.name}')}"
        f"{offline_note}\n"
        f"out of sample {formatting.date_range(span.first, span.last)}, "
        f"{formatting.COUNT(span.bars)} bars\n{_rates_line(run)}"
    )


def _rates_line(run: Run) -> str:
    rate, cash = run.metrics.risk_free_rate, run.metrics.cash_yield
    yields = "" if cash.is_zero else f"; cash earns {cash.amount}"
    return f"Sharpe ratio: {rate.as_risk_free}{yields}"


def _table_columns(run: Run) -> list[TextTableColumn]:
    styles = get_book_styles(run)
    metrics = [run.metrics.books[style.key] for style in styles]
    intervals = [run.significance.sharpe.get(style.key) or SharpeFigures() for style in styles]
    confidence = formatting.confidence_level(run.significance.method.confidence)

    def column(
        drop_priority: int,
        heading: str,
        unit: formatting.NumberFormat,
        key: str,
        *,
        by_sign: bool = False,
    ) -> TextTableColumn:
        values = [getattr(book, key) for book in metrics]
        colours = sign_colours(values) if by_sign else ()
        return TextTableColumn(
            drop_priority,
            heading,
            [unit.without_suffix(value) for value in values],
            colours=colours,
        )

    interval_texts = [formatting.RATIO.interval(each.low, each.high) for each in intervals]
    return [
        TextTableColumn(0, "Book", [style.label for style in styles], align_right=False),
        column(1, "Return %", formatting.BARE_PERCENT, "total_return_pct", by_sign=True),
        column(6, "CAGR %", formatting.BARE_PERCENT, "cagr_pct", by_sign=True),
        column(8, "Vol. %", formatting.PERCENT, "volatility_pct"),
        column(2, "Sharpe", formatting.RATIO, "sharpe", by_sign=True),
        TextTableColumn(3, confidence, interval_texts),
        column(9, "Sortino", formatting.RATIO, "sortino", by_sign=True),
        column(4, "MDD %", formatting.BARE_PERCENT, "max_drawdown_pct"),
        column(5, "Trades", formatting.COUNT, "trades"),
        column(7, "Cost %", formatting.PERCENT, "cost_paid_pct"),
        column(10, "Exposure %", formatting.PERCENT, "exposure_pct"),
        column(11, "Hit rate %", formatting.PERCENT, "hit_rate_pct"),
        column(12, "Break-even bps", formatting.BPS, "break_even_cost_bps"),
    ]


def _tuning_line(tuning: TuningRecord | None) -> str:
    if not tuning:
        return ""
    return f"Tuning: {formatting.COUNT(tuning.trials)} configurations tried, on train rows only"


def _leakage_test_line(certificate: Certificate | None) -> str:
    if certificate is None:
        return ""
    cutoffs = formatting.count_of(len(certificate.cutoffs), "cutoff")
    probed = ""
    if certificate.features is not None:
        bars = formatting.count_of(certificate.features.cuts, "bar")
        probed = f"; features probed at {bars}"
    return f"No look-ahead detected at {cutoffs} ({', '.join(certificate.compared)}){probed}"


def _next_order_lines(run: Run, width: int) -> str:
    title, orders = next_orders_title(run.manifest.settings), run.next_orders
    if orders.empty:
        return f"{title}: none"
    bars = (orders[name] for name in ("due", "due_in_bars", "waited_bars"))
    due = [describe_due_bar(*order) for order in zip(*bars, strict=True)]

    def figures(number_format: formatting.NumberFormat, values: pd.Series[float]) -> list[str]:
        return [number_format.without_suffix(value) for value in values]

    columns = [
        TextTableColumn(0, "Symbol", orders["symbol"].tolist(), align_right=False),
        TextTableColumn(3, "Decided on", orders["decided_on"].map(formatting.timestamp).tolist()),
        TextTableColumn(1, "Due", due),
        TextTableColumn(
            2, "Held %", figures(formatting.BARE_PERCENT, 100 * orders["held_weight"])
        ),
        TextTableColumn(
            0, "Target %", figures(formatting.BARE_PERCENT, 100 * orders["target_weight"])
        ),
        TextTableColumn(
            4, "Forecast bps", figures(formatting.SIGNED_BPS, 10_000 * orders["predicted"])
        ),
    ]
    return "\n".join([title, *render_table(columns, width)])


def _left_out_line(failures: Sequence[str]) -> str:
    return f"Failed fits, left out: {len(failures)}" if failures else ""


def _forecast_lines(scores: ForecastScores | None) -> str:
    """Forecast accuracy, with a line each for several horizons and for intervals."""
    if scores is None:
        return ""
    lines = [
        _skill_line(scores),
        _horizon_line(scores.horizons),
        _interval_coverage_line(scores),
    ]
    return "\n".join(line for line in lines if line)


def _horizon_line(horizons: Mapping[str, HorizonScores]) -> str:
    texts = [
        f"{formatting.count_of(bars, 'bar')} "
        f"{formatting.FINE_RATIO(horizons[str(bars)].r2_vs_persistence)}"
        for bars in sorted(map(int, horizons))
    ]
    return f"R\N{SUPERSCRIPT TWO} by horizon: {', '.join(texts)}" if texts else ""


def _interval_coverage_line(scores: ForecastScores) -> str:
    texts = [
        f"{formatting.PERCENT(interval.coverage_pct)} of the "
        f"{formatting.confidence_level(interval.nominal_pct / 100)} interval"
        for interval in scores.intervals
    ]
    return f"Coverage: {', '.join(texts)}" if texts else ""


def _skill_line(scores: ForecastScores) -> str:
    r2 = formatting.FINE_RATIO(scores.r2_vs_persistence)
    accuracy = formatting.PERCENT(scores.directional_accuracy_pct)
    up = formatting.PERCENT(scores.up_share_pct)
    return (
        f"Forecasts: directional accuracy {accuracy} (always up: {up}),\n"
        f"R\N{SUPERSCRIPT TWO} against no change {r2}"
    )
