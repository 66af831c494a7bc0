"""`interpret`: a finished run in, the attributions of its forecasts out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.core.home import backtest_home
from engine.core.progress import NullProgress, Progress
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
from engine.interpretation.explain import explain_forecasts
from engine.interpretation.gradient_attribution import why_no_gradients
from engine.interpretation.sentence import describe_findings
from engine.interpretation.stored_fits import load_fits
from engine.interpretation.window_explanation import SHAPLEY_BACKGROUND
from engine.pipeline.stored_run import StoredRun
from engine.runs.documents.interpretation import Interpretation
from engine.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.interpretation.explain import ForecastExplanation, PartKey

MAX_SYMBOLS = 8
"""Symbols of a universe that are explained unless one is named, at equal distances."""


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
    explanation = explain_forecasts(
        stored.prepared, fits, chosen, seed=stored.spec.seed, progress=reporter
    )
    document = _make_document(stored, chosen, explanation)
    if at is not None:
        part, row = _find_bar(pd.Timestamp(at), symbol, explanation, stored.run)
        bar = explain_bar(explanation.fits[part], row, explanation.names, explanation.seed)
        document |= {"bar": bar}
    return InterpretedRun(document, tabulate_attributions(explanation.parts, explanation.names))


def _make_document(
    stored: StoredRun, chosen: Sequence[str], explanation: ForecastExplanation
) -> Interpretation:
    first, parts, names = explanation.first_fit, explanation.parts, explanation.names
    blocks = group_by_steps(first.names, first.model.lookback)
    confidence = stored.spec.evaluation.confidence
    stamps = [stamp for part in parts for stamp in (part.stamps[0], part.stamps[-1])]
    features = describe_features(parts, names, confidence)
    rules = describe_rules(parts)
    attention = describe_attention(parts, explanation.deviation)
    return Interpretation(
        run_id=stored.run.run_id,
        model=first.model.forecaster.model.kind,
        symbols=tuple(chosen),
        windows=len({part.window for part in parts}),
        seeds=max(map(len, explanation.fits.values())),
        bars=sum(len(part.stamps) for part in parts),
        shapley_bars=sum(len(part.chosen) for part in parts),
        background_rows=SHAPLEY_BACKGROUND,
        first=min(stamps).isoformat(),
        last=max(stamps).isoformat(),
        forecast_deviation_bps=1e4 * explanation.deviation,
        confidence=confidence,
        features=features,
        steps=describe_steps(parts, blocks),
        cells=describe_cells(parts, names, blocks),
        completeness=describe_completeness(parts, explanation.deviation, why_no_gradients(first)),
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


def _find_bar(
    at: pd.Timestamp,
    symbol: str | None,
    explanation: ForecastExplanation,
    run: Run,
) -> tuple[PartKey, int]:
    """The part and row of a bar.

    Raises:
        UsageError: No forecast was made at this bar, or of several symbols none was named.
    """
    stamp = at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
    symbols = list(dict.fromkeys(part[0] for part in explanation.fits))
    if symbol is None and len(symbols) > 1:
        raise UsageError(
            "a bar is explained of one symbol",
            expected="--symbol with one of " + ", ".join(symbols),
            found="none",
            fix=f"add --symbol {symbols[0]}",
        )
    for part, (first, *_) in explanation.fits.items():
        places = np.flatnonzero(first.stamps == stamp)
        if len(places):
            return part, int(places[0])
    stamps = [each for own in explanation.fits.values() for each in own[0].stamps]
    near = min(stamps, key=lambda each: abs(each - stamp))
    raise UsageError(
        "the run has no forecast at this bar",
        expected=f"a bar that a window tests, from {min(stamps).isoformat()} to "
        f"{max(stamps).isoformat()}",
        found=stamp.isoformat(),
        where=str(run.run_dir),
        fix=f"the nearest is {near.isoformat()}",
    )
