"""The walk-forward windows: what each learned from, and how its fits went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, STRATEGY
from engine.reporting.charts.losses import loss_curves, trained
from engine.reporting.charts.windows import window_map
from engine.reporting.tearsheet.section import Section
from engine.reporting.tuning import tuning_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.artifacts import Run


def windows(run: Run) -> Section:
    """Spans, fits and, where there was tuning, what each window chose."""
    told = run.manifest["windows"]
    return Section(
        "windows",
        "Windows",
        {
            "map": window_map(told) if told else None,
            "fits": [_fit_row(run, window) for window in told],
            "tuning": tuning_table(run),
        },
    )


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
