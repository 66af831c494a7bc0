"""The walk-forward windows: their bars, results, fits, and the parameters that tuning chose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.windows import (
    draw_loss_curves,
    expand_ensemble_fits,
    make_window_panels,
    make_window_timeline,
)
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.reporting.charts.time_chart import Area
    from engine.reporting.charts.windows import WindowPanels, WindowTimeline
    from engine.runs.documents import Manifest
    from engine.runs.documents.analysis import WindowFigures, WindowSummary
    from engine.runs.documents.manifest_windows import FitRecord, WindowRecord
    from engine.runs.run import Run


@dataclass(frozen=True)
class WindowFitsRow:
    """A row of the table of fits; every attribute but `curves` is the text of a cell."""

    index: int
    test: str
    strategy: str
    benchmark: str
    threshold: str
    epochs: str
    best_epoch: str
    train_loss: str
    validation_loss: str
    curves: tuple[Area, ...]


@dataclass(frozen=True)
class TuningTable:
    """The parameters chosen.

    Attributes:
        trial_count: Configurations tried in total.
        procedure: Score, splits and sampler.
        parameters: Names of the tuned parameters, one column each.
        rows: Window, its test span, configurations tried, and the value of each parameter; where
            fits chose differently, all values.
    """

    trial_count: str
    procedure: str
    parameters: tuple[str, ...]
    rows: tuple[tuple[str, str, str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class WindowsContent:
    """The windows.

    Attributes:
        timeline: Their parts; None without windows.
        panels: A panel for each; None without windows.
        finding: In how many windows the strategy did well.
        has_seeds: Whether the panels have the ratios of the seeds.
        seeds_note: Why the ratios of the seeds are not shown; empty where they are.
        has_thresholds: Whether a threshold decides, and not the order of the forecasts.
        fits: A row for each window.
        tuning: Parameters chosen in each window; None without tuning.
    """

    timeline: WindowTimeline | None
    panels: WindowPanels | None
    finding: str
    has_seeds: bool
    seeds_note: str
    has_thresholds: bool
    fits: tuple[WindowFitsRow, ...]
    tuning: TuningTable | None


def windows_section(run: Run) -> TearsheetSection:
    """Bars, results and fits of each window, and the parameters that tuning chose."""
    windows = run.manifest.windows
    figures = {window.index: window for window in run.analysis.windows}
    timeline = make_window_timeline(windows) if windows else None
    has_seeds = any(window.seed_sharpes for window in figures.values())
    return TearsheetSection(
        "windows",
        "Windows",
        WindowsContent(
            timeline=timeline,
            panels=make_window_panels(windows, timeline, figures) if timeline else None,
            finding=_windows_finding(run.analysis.window_summary),
            has_seeds=has_seeds,
            seeds_note=_seeds_note(run) if not has_seeds else "",
            has_thresholds=_has_thresholds(run),
            fits=tuple(_fits_row(window, figures[window.index]) for window in windows),
            tuning=make_tuning_table(run.manifest),
        ),
    )


def _has_thresholds(run: Run) -> bool:
    """False where the allocation compares forecasts: then nothing is entered at a level."""
    surface = run.significance.sensitivity
    return surface is None or len(surface.threshold) > 1


def _windows_finding(summary: WindowSummary) -> str:
    """In how many windows the strategy was ahead, and the range of its seeds."""
    windows = formatting.count_of(summary.windows, "window")
    if not summary.with_sharpe:
        return f"The strategy has no Sharpe ratio in any of {windows}: its returns do not vary."
    sentence = (
        f"Of {windows} the strategy had a Sharpe ratio above zero in "
        f"{formatting.COUNT(summary.above_zero)}, and above that of buy and hold in "
        f"{formatting.COUNT(summary.above_benchmark)}."
    )
    if summary.median_seed_range is None:
        return sentence
    seed_range = formatting.RATIO(summary.median_seed_range)
    return f"{sentence} The median range of its seeds, each traded alone, was {seed_range}."


def _seeds_note(run: Run) -> str:
    """Why the ratios of several seeds are not shown."""
    if run.manifest.seeds.count == 1:
        return ""
    return "The version that made this run did not keep the Sharpe ratios of the seeds by window."


def _fits_row(window: WindowRecord, figures: WindowFigures) -> WindowFitsRow:
    """Test span, returns and fits of one window."""
    fits = [fit for fit in expand_ensemble_fits(window.fits) if fit.failed is None]
    return WindowFitsRow(
        index=window.index,
        test=formatting.date_range(*window.test),
        strategy=formatting.SIGNED_PERCENT(figures.strategy_return_pct),
        benchmark=formatting.SIGNED_PERCENT(figures.benchmark_return_pct),
        threshold=formatting.BPS(window.threshold_enter_bps),
        epochs=_range_text([fit.epochs for fit in fits], formatting.COUNT),
        best_epoch=_range_text([_best_epoch_number(fit) for fit in fits], formatting.COUNT),
        train_loss=_range_text(
            [_loss_at_best_epoch(fit, fit.train_loss) for fit in fits], formatting.loss_value
        ),
        validation_loss=_range_text(
            [_loss_at_best_epoch(fit, fit.validation_loss) for fit in fits], formatting.loss_value
        ),
        curves=draw_loss_curves(fits),
    )


def _loss_at_best_epoch(fit: FitRecord, losses: Sequence[float | None]) -> float | None:
    """The loss at the epoch whose weights were kept."""
    number = _best_epoch_number(fit)
    return losses[number - 1] if number is not None and number <= len(losses) else None


def _best_epoch_number(fit: FitRecord) -> int | None:
    """Number of the epoch whose weights were kept, from 1; the manifest counts from 0."""
    return fit.best_epoch + 1 if fit.epochs and fit.best_epoch is not None else None


def _range_text(values: Sequence[float | None], format_value: Callable[[float], str]) -> str:
    """One figure, or lowest to highest over the fits."""
    known = [value for value in values if value is not None]
    if not known:
        return formatting.MISSING
    low, high = format_value(min(known)), format_value(max(known))
    return low if low == high else f"{low} to {high}"


def make_tuning_table(manifest: Manifest) -> TuningTable | None:
    """The table of a tuned run; None for a run without tuning."""
    tried, tuning = manifest.tuning, manifest.settings.tuning
    if tried is None or tuning is None:
        return None
    splits = [f"{name} {value}" for name, value in tuning.splits.parameters.items()]
    return TuningTable(
        trial_count=formatting.count_of(tried.trials, "configuration"),
        procedure=f"{tuning.metric} over {tuning.splits.kind} ({', '.join(splits)}), drawn by "
        f"{tuning.sampler}",
        parameters=tuning.space,
        rows=tuple(_tuning_row(window, tuning.space) for window in manifest.windows),
    )


def _tuning_row(
    window: WindowRecord, parameters: Sequence[str]
) -> tuple[str, str, str, tuple[str, ...]]:
    fits = [fit for fit in window.fits if fit.chosen is not None]
    values = tuple(
        _distinct_values_text([fit.chosen.get(name) for fit in fits if fit.chosen is not None])
        for name in parameters
    )
    tried = formatting.COUNT(sum(fit.trials for fit in fits))
    return str(window.index), formatting.date_range(*window.test), tried, values


def _distinct_values_text(values: Sequence[object]) -> str:
    """Each distinct value once, in the order of the fits."""
    return "; ".join(dict.fromkeys(map(_value_text, values))) or formatting.MISSING


def _value_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
