"""The walk-forward windows: what each learned from, and how its fits went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.evaluation.metrics.return_metrics import sharpe_by_window
from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY
from engine.reporting.charts.loss_curves import draw_loss_curves, expand_ensemble_fits
from engine.reporting.charts.window_panels import WindowSharpeRatios, make_window_panels
from engine.reporting.charts.window_timeline import make_window_timeline
from engine.reporting.tearsheet.section import TearsheetSection
from engine.reporting.tuning_table import make_tuning_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.runs.run import Run


def windows_section(run: Run) -> TearsheetSection:
    """Spans, fits and, where there was tuning, what each window chose."""
    told = run.manifest["windows"]
    spans = make_window_timeline(told) if told else None
    ratios = _sharpe_by_window(run)
    return TearsheetSection(
        "windows",
        "Windows",
        {
            "map": spans,
            "panels": make_window_panels(told, spans, ratios) if spans else None,
            "finding": _windows_finding(ratios),
            "has_seeds": any(each.seeds for each in ratios.values()),
            "seeds_note": _seeds_note(run, ratios),
            "fits": [_fit_row(run, window) for window in told],
            "tuning": make_tuning_table(run),
        },
    )


def _sharpe_by_window(run: Run) -> dict[int, WindowSharpeRatios]:
    """By window: over the bars of its test part, the seeds' as the run kept them."""
    told = run.manifest["windows"]
    indices = [int(window["index"]) for window in told]
    starts = pd.DatetimeIndex(pd.to_datetime([w["test"][0] for w in told], utc=True))
    places = starts.searchsorted(pd.DatetimeIndex(run.returns.index), side="right") - 1
    books = [book for book in (STRATEGY, BUY_AND_HOLD) if book in run.returns]
    found = sharpe_by_window(
        run.returns[books].to_numpy(dtype=np.float64),
        places,
        run.metrics["span"]["periods_per_year"],
    )
    kept = (run.significance.get("seeds") or {}).get("sharpe_by_window") or ()
    seeds = dict(zip(indices, map(tuple, kept), strict=False))
    ratios = {}
    for place, index in enumerate(indices):
        by_book = dict(zip(books, found.get(place, ()), strict=False))
        ratios[index] = WindowSharpeRatios(
            by_book.get(STRATEGY), by_book.get(BUY_AND_HOLD), seeds.get(index, ())
        )
    return ratios


def _windows_finding(ratios: Mapping[int, WindowSharpeRatios]) -> str:
    """In how many windows the strategy was ahead, and how far the seeds lay apart."""
    own = [each.strategy for each in ratios.values() if each.strategy is not None]
    both = [
        (each.strategy, each.benchmark)
        for each in ratios.values()
        if each.strategy is not None and each.benchmark is not None
    ]
    windows = formatting.count_of(len(ratios), "window")
    if not own:
        return f"In none of {windows} the strategy's returns varied."
    ahead = formatting.COUNT(sum(mine > theirs for mine, theirs in both))
    above = formatting.COUNT(sum(ratio > 0 for ratio in own))
    sentence = (
        f"Of {windows} the strategy had a Sharpe ratio above zero in {above}, and above that of "
        f"holding in {ahead}."
    )
    spreads = [
        max(known) - min(known) for known in map(_known_seed_ratios, ratios.values()) if known
    ]
    if spreads:
        apart = formatting.RATIO(float(np.median(spreads)))
        sentence += f" In half of them its seeds, traded alone, lay {apart} or more apart."
    return sentence


def _known_seed_ratios(ratios: WindowSharpeRatios) -> list[float]:
    """Those that exist, where there are two at least."""
    known = [ratio for ratio in ratios.seeds if ratio is not None]
    return known if len(known) > 1 else []


def _seeds_note(run: Run, ratios: Mapping[int, WindowSharpeRatios]) -> str:
    """Why seeds that there were are not drawn."""
    several = run.manifest.get("seeds", {}).get("count", 1) > 1
    if not several or any(each.seeds for each in ratios.values()):
        return ""
    return "The version that made this run did not keep the seeds' Sharpe ratios by window."


def _fit_row(run: Run, window: Mapping[str, Any]) -> dict[str, Any]:
    """One window: its test span, what the books made of it, and how its fits went."""
    fits = expand_ensemble_fits(window.get("fits") or [])
    return {
        "index": window["index"],
        "test": formatting.date_range(*window["test"]),
        "strategy": formatting.SIGNED_PERCENT(_window_return(run, window["index"], STRATEGY)),
        "benchmark": formatting.SIGNED_PERCENT(_window_return(run, window["index"], BUY_AND_HOLD)),
        "enter": formatting.BPS(window.get("threshold_enter_bps")),
        "epochs": _range_text([fit.get("epochs") for fit in fits], formatting.COUNT),
        "best_epoch": _range_text([_best_epoch_number(fit) for fit in fits], formatting.COUNT),
        "train_loss": _range_text(
            [_loss_at_best_epoch(fit, "train_loss") for fit in fits], formatting.loss_value
        ),
        "validation_loss": _range_text(
            [_loss_at_best_epoch(fit, "validation_loss") for fit in fits], formatting.loss_value
        ),
        "curves": draw_loss_curves(fits),
    }


def _window_return(run: Run, index: int, book: str) -> float | None:
    """Per cent made from the first to the last bar that the window forecast, both included."""
    made = run.predictions
    bars = made.loc[(made["window"] == index) & (made["horizon"] == run.horizon), "timestamp"]
    if bars.empty or book not in run.returns:
        return None
    returns = run.returns.loc[bars.min() : bars.max(), book]
    return 100.0 * (float((1.0 + returns).prod()) - 1.0)


def _loss_at_best_epoch(fit: Mapping[str, Any], curve: str) -> float | None:
    """The curve's value at the epoch whose weights were kept."""
    values, kept = fit.get(curve) or [], _best_epoch_number(fit)
    return values[kept - 1] if kept is not None and kept <= len(values) else None


def _best_epoch_number(fit: Mapping[str, Any]) -> int | None:
    """Number of the epoch whose weights were kept, from 1 as people count; the run's is from 0."""
    best, epochs = fit.get("best_epoch"), fit.get("epochs")
    return best + 1 if epochs and best is not None else None


def _range_text(values: list[float | None], format_value: Callable[[float], str]) -> str:
    """One figure, or lowest to highest over the seeds."""
    known = [value for value in values if value is not None]
    if not known:
        return formatting.MISSING
    low, high = format_value(min(known)), format_value(max(known))
    return low if low == high else f"{low} to {high}"
