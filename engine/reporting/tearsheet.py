"""The tearsheet: what a trader reads first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting, metrics_table
from engine.reporting.books import BUY_AND_HOLD, STRATEGY, books_of
from engine.reporting.charts.drawdown import drawdown_chart
from engine.reporting.charts.drawing import page_data
from engine.reporting.charts.equity import equity_chart
from engine.reporting.charts.losses import loss_curves, trained
from engine.reporting.charts.monthly import MONTHS, monthly_returns
from engine.reporting.charts.positions import positions_chart
from engine.reporting.charts.rolling_sharpe import rolling_sharpe_chart
from engine.reporting.charts.windows import window_map
from engine.reporting.heading import heading
from engine.reporting.rendering import render
from engine.reporting.significance.robustness import fragility_line
from engine.reporting.tuning import tuning_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.artifacts import Run
    from engine.reporting.charts.drawing import Chart

STAGES = (
    *("data", "features", "refits", "simulation", "certificate", "evaluation", "report"),
    "total",
)


def tearsheet(run: Run) -> str:
    """The page, self-contained, from the run alone."""
    books = books_of(run)
    forecasters, scores = metrics_table.forecast_table(run.metrics)
    horizons, scores_by_horizon = metrics_table.horizons_table(run.metrics, run.horizon)
    benchmark = run.returns.get(BUY_AND_HOLD)
    periods = run.metrics["span"]["periods_per_year"]
    return render(
        "tearsheet.html.j2",
        page="tearsheet",
        heading=heading(run),
        break_even=fragility_line(run.significance),
        books=books,
        headlines=metrics_table.headlines(run.metrics, run.significance),
        metrics=metrics_table.books_table(run.metrics, run.significance, books),
        confidence=formatting.level(run.significance.get("method", {}).get("confidence")),
        charts=[
            equity_chart(run.returns, books),
            drawdown_chart(run.returns, books),
            rolling_sharpe_chart(run.returns, books, periods_per_year=periods),
        ],
        months=monthly_returns(run.returns[STRATEGY], benchmark),
        positions=_positions(run),
        windows=window_map(run.manifest["windows"]) if run.manifest["windows"] else None,
        fits=[_fit_row(run, window) for window in run.manifest["windows"]],
        tuning=tuning_table(run),
        forecasters=forecasters,
        scores=scores,
        horizons=horizons,
        scores_by_horizon=scores_by_horizon,
        intervals=metrics_table.intervals(run.metrics),
        provenance=_provenance(run),
        month_names=MONTHS,
        missing=formatting.MISSING,
        chart_data=page_data,
    )


def _positions(run: Run) -> list[Chart]:
    """A chart a target symbol, over the out-of-sample bars."""
    mine = run.positions[run.positions["book"] == STRATEGY]
    charts = []
    for number, symbol in enumerate(run.manifest["target"]):
        bars = run.bars[run.bars["symbol"] == symbol].set_index("timestamp")
        weights = mine[mine["symbol"] == symbol].set_index("timestamp")["weight"]
        close = bars["close"].reindex(run.returns.index)
        charts.append(
            positions_chart(f"positions-{number}", symbol, close, weights.reindex(close.index))
        )
    return charts


def _fit_row(run: Run, window: Mapping[str, Any]) -> dict[str, Any]:
    """One window: its test span, what the books made of it, and how its fits went."""
    fits = trained(window.get("fits") or [])
    return {
        "index": window["index"],
        "test": formatting.span(*window["test"]),
        "strategy": formatting.SIGNED_PERCENT(_window_return(run, window["index"], STRATEGY)),
        "benchmark": formatting.SIGNED_PERCENT(_window_return(run, window["index"], BUY_AND_HOLD)),
        "enter": formatting.BPS(window.get("threshold_enter_bps")),
        "epochs": _spread([fit.get("epochs") for fit in fits], formatting.COUNT),
        "best_epoch": _spread([_kept(fit) for fit in fits], formatting.COUNT),
        "train_loss": _spread([_at_best(fit, "train_loss") for fit in fits], formatting.loss),
        "validation_loss": _spread(
            [_at_best(fit, "validation_loss") for fit in fits], formatting.loss
        ),
        "curves": loss_curves(fits),
    }


def _window_return(run: Run, index: int, book: str) -> float | None:
    """Per cent made from the first to the last bar that the window forecast, both included."""
    made = run.predictions
    bars = made.loc[(made["window"] == index) & (made["horizon"] == run.horizon), "timestamp"]
    if bars.empty or book not in run.returns:
        return None
    returns = run.returns.loc[bars.min() : bars.max(), book]
    return 100.0 * (float((1.0 + returns).prod()) - 1.0)


def _at_best(fit: Mapping[str, Any], curve: str) -> float | None:
    """The curve's value at the epoch whose weights were kept."""
    values, kept = fit.get(curve) or [], _kept(fit)
    return values[kept - 1] if kept is not None and kept <= len(values) else None


def _kept(fit: Mapping[str, Any]) -> int | None:
    """Number of the epoch whose weights were kept, from 1 as people count; the run's is from 0."""
    best, epochs = fit.get("best_epoch"), fit.get("epochs")
    return best + 1 if epochs and best is not None else None


def _spread(values: list[float | None], write: Callable[[float], str]) -> str:
    """One figure, or lowest to highest over the seeds."""
    known = [value for value in values if value is not None]
    if not known:
        return formatting.MISSING
    low, high = write(min(known)), write(max(known))
    return low if low == high else f"{low} to {high}"


def _provenance(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    dataset, timings = manifest["dataset"], manifest.get("timings_s", {})
    stages = sorted(timings, key=lambda name: (_place(name), name))
    return {
        "dataset": dataset,
        "symbols": [
            {
                "symbol": symbol,
                "source": facts.get("source"),
                "span": formatting.span(facts.get("first"), facts.get("last")),
                "rows": formatting.COUNT(facts.get("rows")),
                "sha256": facts.get("sha256") or formatting.MISSING,
                "digest": formatting.digest(facts.get("sha256")),
            }
            for symbol, facts in sorted(dataset.get("symbols", {}).items())
        ],
        "versions": sorted(manifest.get("versions", {}).items()),
        "seeds": manifest.get("seeds", {}),
        "machine": manifest.get("machine", {}),
        "timings": [(name, formatting.duration(timings[name])) for name in stages],
        "started_at": formatting.moment(manifest.get("started_at")),
        "inputs": manifest.get("inputs", []),
        "strategy": json.dumps(
            manifest.get("strategy", {}), indent=2, sort_keys=True, ensure_ascii=False
        ),
        "bars": formatting.COUNT(len(run.bars)),
        "trades": formatting.COUNT(len(run.trades)),
    }


def _place(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else STAGES.index("report")
