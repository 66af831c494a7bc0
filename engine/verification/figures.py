"""The step `figures`: `metrics.json`, `analysis.json` and its tables from the other tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.analysis import analyse_run
from engine.evaluation.forecasts.scores import score_forecasts
from engine.pipeline.metrics import count_special_bars, measure_book
from engine.runs.documents.metrics import SpanFigures
from engine.runs.documents.rates import AnnualRate
from engine.runs.folder import ANALYSIS_TABLES, OPTIONAL_ANALYSIS_TABLES
from engine.verification.books import simulate_stored
from engine.verification.compare import compare_documents, compare_tables, first, first_of
from engine.verification.result import RunDifference, StepResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.verification.books import FoldedAccount
    from engine.verification.stored_run import StoredRun

NOT_FROM_TABLES = ("rebalancings", "failed_optima", "short_histories")
"""Figures of a book that only its decisions tell; `again` compares them."""

_METRICS, _ANALYSIS = "metrics.json", "analysis.json"


def check_figures(stored: StoredRun, accounts: Mapping[str, FoldedAccount]) -> StepResult:
    """Whether every figure is that of the returns, fills, forecasts and bars of the folder.

    Args:
        stored: The run.
        accounts: Of every book, from the step before.
    """
    difference = first_of(
        lambda: _check_metrics(stored, accounts),
        lambda: _check_outcomes(stored),
        lambda: _check_scores(stored),
        lambda: _check_analysis(stored),
    )
    told = f"{_METRICS}, the outcomes of the forecasts, {_ANALYSIS} and its tables"
    return StepResult.of("figures", told, difference)


def _check_metrics(
    stored: StoredRun, accounts: Mapping[str, FoldedAccount]
) -> RunDifference | None:
    prepared, costs = stored.prepared, stored.spec.costs
    periods, rates = prepared.market.periods_per_year, prepared.rates_by_bar
    books = {
        name: replace(book, held_weights=accounts[name].held_weights)
        for name, book in simulate_stored(stored).items()
    }
    expected: dict[str, Any] = {
        "span": SpanFigures(
            first=prepared.span[0].isoformat(),
            last=prepared.span[-1].isoformat(),
            bars=len(prepared.span),
            periods_per_year=periods,
        ).as_dict(),
        "risk_free_rate": AnnualRate.summarise(rates.risk_free).as_dict(),
        "cash_yield": AnnualRate.summarise(rates.cash).as_dict(),
        "books": {
            name: measure_book(book, costs, periods_per_year=periods, rates=rates)
            for name, book in books.items()
        },
        **{
            key: {name: _plain(value) for name, value in section.items()}
            for key, section in count_special_bars(prepared, costs).items()
        },
    }
    found = _drop(stored.run.metrics.as_dict(), ("schema_version", "forecasts", "live_path"))
    found["books"] = {
        name: _drop(figures, NOT_FROM_TABLES) for name, figures in found["books"].items()
    }
    return _compare(stored, _METRICS, expected, found)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a figure, or a part of a document
    return value.as_dict() if hasattr(value, "as_dict") else value


def _check_outcomes(stored: StoredRun) -> RunDifference | None:
    """The outcome of each forecast, from the closes."""
    table = stored.run.predictions
    by_horizon = stored.prepared.feature_history.forward_returns
    expected = table.copy()
    for horizon in table["horizon"].unique():
        wide, rows = by_horizon[int(horizon)], (table["horizon"] == horizon).to_numpy()
        places = wide.index.get_indexer(table.loc[rows, "timestamp"])
        columns = wide.columns.get_indexer(table.loc[rows, "symbol"])
        if (places < 0).any() or (columns < 0).any():
            return RunDifference("predictions.parquet", "a forecast of no bar or target")
        expected.loc[rows, "actual"] = wide.to_numpy()[places, columns]
    return compare_tables("predictions.parquet", expected, table)


def _check_scores(stored: StoredRun) -> RunDifference | None:
    """The scores of the strategy's forecasts, as far as they are of forecasts and outcomes."""
    found = stored.run.metrics.as_dict()["forecasts"].get(STRATEGY_BOOK)
    if found is None:
        return RunDifference(_METRICS, "no scores of the strategy", f"forecasts.{STRATEGY_BOOK}")
    table = stored.run.predictions
    for horizon in sorted(table["horizon"].unique().tolist()):
        scores = _score(table[table["horizon"] == horizon])
        path, own = f"forecasts.{STRATEGY_BOOK}", found
        if horizon != stored.run.horizon:
            path, own = (
                f"{path}.horizons.{horizon}",
                found.get("horizons", {}).get(str(horizon), {}),
            )
        told = {key: own[key] for key in scores if key in own}
        if difference := _compare(stored, _METRICS, scores, told, path):
            return difference
    return None


def _score(table: pd.DataFrame) -> dict[str, Any]:
    by_bar = table.groupby(["timestamp", "symbol"])
    predicted = by_bar["predicted"].mean().to_numpy(dtype=np.float64)
    actual = by_bar["actual"].first().to_numpy(dtype=np.float64)
    known = np.isfinite(predicted)
    return score_forecasts(predicted[known], actual[known], np.zeros(int(known.sum())))


def _check_analysis(stored: StoredRun) -> RunDifference | None:
    own = stored.run.analysis_files
    if own is None:
        return RunDifference(_ANALYSIS, "the file was removed") if stored.is_current else None
    made = analyse_run(replace(stored.run, analysis_files=None))
    expected, found = made.document.as_dict(), own.document.as_dict()
    if difference := _compare(stored, _ANALYSIS, expected, found):
        return difference
    return first(
        _compare_optional(f"{name}.parquet", getattr(made, name), getattr(own, name))
        for name in (*ANALYSIS_TABLES, *OPTIONAL_ANALYSIS_TABLES)
    )


def _compare_optional(
    file: str, expected: pd.DataFrame | None, found: pd.DataFrame | None
) -> RunDifference | None:
    if expected is None or found is None:
        if expected is found:
            return None
        return RunDifference(
            file, "the file was removed" if found is None else "a table that the run has not"
        )
    bar = "timestamp" if "timestamp" in expected else str(expected.columns[0])
    return compare_tables(file, expected, found, bar=bar)


def _compare(
    stored: StoredRun, file: str, expected: dict[str, Any], found: dict[str, Any], path: str = ""
) -> RunDifference | None:
    """Of a folder of an earlier version, which had fewer figures, those that both have."""
    if not stored.is_current:
        expected, found = _in_common(expected, found), _in_common(found, expected)
    return compare_documents(file, expected, found, path)


def _in_common(tree: Any, other: Any) -> Any:  # noqa: ANN401 - JSON values
    if not isinstance(tree, dict) or not isinstance(other, dict):
        return tree
    return {key: _in_common(tree[key], other[key]) for key in tree if key in other}


def _drop(document: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}
