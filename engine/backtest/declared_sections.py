"""The sections of `significance.json` about what was declared of an idea in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.backtest.holdout_section import (
    make_holdout_section,
    measure_holdout,
    select_holdout,
)
from engine.backtest.registration_section import make_registration_section

if TYPE_CHECKING:
    from engine.pipeline.result import BacktestResult
    from engine.runs.documents import Metrics, Significance
    from engine.trials import LedgerEntry
    from engine.trials.holdout_looks import HoldoutLooks
    from engine.trials.repeated_entry import RepeatedEntry


def with_declarations(
    significance: Significance,
    ledger_entry: LedgerEntry | RepeatedEntry,
    result: BacktestResult,
    metrics: Metrics,
) -> Significance:
    """The document with what the ledger has of the idea of the run, where it has something.

    Args:
        significance: Every interval and test.
        ledger_entry: Of the run; its bars are set.
        result: Its books.
        metrics: Its figures.
    """
    registered = make_registration_section(
        ledger_entry.find_declarations("registration"),
        result.spec.model_dump(mode="json"),
        result.prepared.market.provenance,
        metrics,
    )
    told = registered | _make_holdout(ledger_entry.find_holdout_looks(), result)
    return significance | told if told else significance


def _make_holdout(looks: HoldoutLooks | None, result: BacktestResult) -> dict[str, Any]:
    """The section `holdout`, with figures where the run has its bars."""
    spec, prepared = result.spec, result.prepared
    record = prepared.market.provenance.get("holdout")
    if record is None or looks is None:
        return make_holdout_section(looks, sealed=False, books={}, bars=0)
    books = measure_holdout(
        result.returns,
        prepared.rates_by_bar,
        record["sealed_from"],
        periods_per_year=prepared.market.periods_per_year,
        spec=spec.evaluation,
        seed=spec.seed,
    )
    bars = int(select_holdout(result.returns, record["sealed_from"]).sum())
    return make_holdout_section(looks, sealed=record["sealed"], books=books, bars=bars)
