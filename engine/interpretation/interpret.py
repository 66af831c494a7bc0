"""`interpret`: a finished run in, the attributions of its forecasts out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.core.home import backtest_home
from engine.core.progress import NullProgress, Progress
from engine.core.randomness import derive_seed
from engine.evaluation.analysis import open_run
from engine.interpretation.bar_explanation import explain_bar
from engine.interpretation.build_document import (
    describe_attention,
    describe_cells,
    describe_completeness,
    describe_features,
    describe_rules,
    describe_steps,
    describe_symbol_attention,
    tabulate_attributions,
)
from engine.interpretation.cell_groups import group_by_steps
from engine.interpretation.fitted_rows import explained_fits
from engine.interpretation.gradient_attribution import why_no_gradients
from engine.interpretation.sentence import describe_findings
from engine.interpretation.stored_fits import load_fits
from engine.interpretation.window_explanation import SHAPLEY_BACKGROUND, explain_window
from engine.pipeline.stored_run import StoredRun
from engine.runs.documents.interpretation import Interpretation
from engine.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector, Vector
    from engine.interpretation.fitted_rows import ExplainedFit
    from engine.interpretation.window_explanation import WindowExplanation

MAX_SYMBOLS = 8
"""Symbols of a universe that are explained unless one is named, at equal distances."""

SHAPLEY_BARS = 48
"""Forecasts with Shapley values, at equal distances, of all symbols together."""


@dataclass(frozen=True, eq=False)
class InterpretedRun:
    """What `interpret` found.

    Attributes:
        document: `interpretation.json`.
        table: `attributions.parquet`, see `tabulate_attributions`.
    """

    document: Interpretation
    table: pd.DataFrame


def interpret(
    run: Run | Path | str,
    *,
    at: str | pd.Timestamp | None = None,
    symbol: str | None = None,
    home: Path | str | None = None,
    progress: Progress | None = None,
) -> InterpretedRun:
    """What the forecasts of a run depend on; from its stored fits, nothing is trained.

    Args:
        run: A run, or its folder.
        at: A bar whose forecast is explained, too; UTC where no zone is given.
        symbol: Whose forecasts; default: all targets, or `MAX_SYMBOLS` of them.
        home: Folder of the stored fits; by default BACKTEST_HOME, or `.backtest` in the working
            directory.
        progress: Receives progress.

    Raises:
        UsageError: A fit is not in the store, the run cannot be made its market again, no window
            has a fit, its forecasts do not vary, or the symbol or the bar is none of the run.
    """
    reporter = progress or NullProgress()
    stored = StoredRun(run if isinstance(run, Run) else open_run(Path(run)))
    chosen = _choose_symbols(stored, symbol)
    fits = load_fits(stored, backtest_home(home), reporter)
    by_part: dict[tuple[str, int], list[ExplainedFit]] = defaultdict(list)
    for fit in explained_fits(stored.prepared, fits, chosen):
        by_part[fit.symbol, fit.window].append(fit)
    forecasts = {part: _mean_forecast(own) for part, own in by_part.items()}
    deviation = _require_variation(forecasts, stored.run)
    asked = None if at is None else _find_bar(pd.Timestamp(at), symbol, by_part, stored.run)
    rows = _spread_rows(forecasts)
    closes = stored.prepared.target_close
    rng = np.random.default_rng(derive_seed(stored.spec.seed, "interpretation"))
    parts = []
    for number, (part, own) in enumerate(by_part.items(), start=1):
        parts.append(explain_window(own, closes[part[0]].dropna(), rows[part], deviation, rng))
        reporter.advance(number, len(by_part), f"{number} of {len(by_part)} windows")
    document = _make_document(stored, chosen, by_part, parts, deviation)
    if asked is not None:
        bar = explain_bar(by_part[asked[0]], asked[1], rng)
        document = document | {"bar": bar}
    names = _input_names(next(iter(by_part.values()))[0], pooled=_is_pooled(stored, chosen))
    return InterpretedRun(document, tabulate_attributions(parts, names))


def _make_document(
    stored: StoredRun,
    chosen: Sequence[str],
    by_part: dict[tuple[str, int], list[ExplainedFit]],
    parts: Sequence[WindowExplanation],
    deviation: float,
) -> Interpretation:
    first = next(iter(by_part.values()))[0]
    names = _input_names(first, pooled=_is_pooled(stored, chosen))
    blocks = group_by_steps(first.names, first.model.lookback)
    confidence = stored.spec.evaluation.confidence
    stamps = pd.DatetimeIndex(np.unique(np.concatenate([part.stamps for part in parts])))
    features = describe_features(parts, names, confidence)
    rules = describe_rules(parts)
    attention = describe_attention(parts, deviation)
    return Interpretation(
        run_id=stored.run.run_id,
        model=first.model.forecaster.model.kind,
        symbols=tuple(chosen),
        windows=len({part.window for part in parts}),
        seeds=max(len(own) for own in by_part.values()),
        bars=sum(len(part.stamps) for part in parts),
        shapley_bars=sum(len(part.chosen) for part in parts),
        background_rows=SHAPLEY_BACKGROUND,
        first=stamps[0].isoformat(),
        last=stamps[-1].isoformat(),
        forecast_deviation_bps=1e4 * deviation,
        confidence=confidence,
        features=features,
        steps=describe_steps(parts, blocks),
        cells=describe_cells(parts, names, blocks),
        completeness=describe_completeness(parts, deviation, why_no_gradients(first)),
        **({} if attention is None else {"attention": attention}),
        symbol_attention=describe_symbol_attention(parts, first),
        rules=rules,
        sentence=describe_findings(features, rules, confidence),
    )


def _choose_symbols(stored: StoredRun, symbol: str | None) -> tuple[str, ...]:
    targets = stored.run.manifest.target
    if symbol is None:
        places = np.linspace(0, len(targets) - 1, min(MAX_SYMBOLS, len(targets)))
        return tuple(targets[int(place)] for place in np.unique(places.astype(np.int64)))
    if symbol not in targets:
        raise UsageError(
            "the run does not forecast this symbol",
            expected=f"one of {', '.join(targets[:20])}{', ...' if len(targets) > 20 else ''}",
            found=symbol,
            where=str(stored.run.run_dir),
        )
    return (symbol,)


def _is_pooled(stored: StoredRun, chosen: Sequence[str]) -> bool:
    """Whether the inputs of the symbols are the same features, each of its own symbol."""
    return len(chosen) > 1 and stored.prepared.feature_history.own_inputs


def _input_names(fit: ExplainedFit, *, pooled: bool) -> list[str]:
    """The inputs of a fit; those of a coarser interval say so where the names recur."""
    names = [name for own in fit.names for name in own]
    return [name.split(":", 1)[1] for name in names] if pooled else names


def _mean_forecast(fits: Sequence[ExplainedFit]) -> Vector:
    mean: Vector = np.mean([fit.forecast(fit.test) for fit in fits], axis=0)
    return mean


def _require_variation(forecasts: dict[tuple[str, int], Vector], run: Run) -> float:
    """Standard deviation of all forecasts.

    Raises:
        UsageError: There are none, or they do not vary.
    """
    values = np.concatenate(list(forecasts.values())) if forecasts else np.empty(0)
    deviation = float(values.std()) if len(values) else 0.0
    if deviation > 0:
        return deviation
    raise UsageError(
        "the forecasts of this run do not vary, so there is nothing to explain",
        expected="a model whose forecasts depend on its inputs",
        found=f"{len(values)} forecasts of {run.manifest.strategy_name}",
        where=str(run.run_dir),
    )


def _spread_rows(forecasts: dict[tuple[str, int], Vector]) -> dict[tuple[str, int], IntVector]:
    """The rows of each part that get Shapley values, at equal distances over all parts."""
    total = sum(map(len, forecasts.values()))
    count = min(SHAPLEY_BARS, total)
    places = np.unique(np.linspace(0, total - 1, count).astype(np.int64))
    rows, start = {}, 0
    for part, values in forecasts.items():
        stop = start + len(values)
        rows[part] = places[(places >= start) & (places < stop)] - start
        start = stop
    return rows


def _find_bar(
    at: pd.Timestamp,
    symbol: str | None,
    by_part: dict[tuple[str, int], list[ExplainedFit]],
    run: Run,
) -> tuple[tuple[str, int], int]:
    """The part and row of a bar.

    Raises:
        UsageError: No forecast was made at this bar, or of several symbols none was named.
    """
    stamp = at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
    symbols = list(dict.fromkeys(part[0] for part in by_part))
    if symbol is None and len(symbols) > 1:
        raise UsageError(
            "a bar is explained of one symbol",
            expected="--symbol with one of " + ", ".join(symbols),
            found="none",
            fix=f"add --symbol {symbols[0]}",
        )
    for part, (first, *_) in by_part.items():
        places = np.flatnonzero(first.stamps == stamp)
        if len(places):
            return part, int(places[0])
    stamps = [each for own in by_part.values() for each in own[0].stamps]
    near = min(stamps, key=lambda each: abs(each - stamp))
    raise UsageError(
        "the run has no forecast at this bar",
        expected=f"a bar that a window tests, from {min(stamps).isoformat()} to "
        f"{max(stamps).isoformat()}",
        found=stamp.isoformat(),
        where=str(run.run_dir),
        fix=f"the nearest is {near.isoformat()}",
    )
