"""The bars of a strategy without those of its holdout, which no stage may see."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.core.errors import UsageError
from engine.core.progress import NullProgress
from engine.data import load_market
from engine.splits.holdout import find_sealed_day, last_open_day

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.data import Market
    from engine.strategy import Strategy


def load_every_bar(
    spec: Strategy,
    *,
    home: Path,
    offline: bool,
    override: str | None,
    progress: Progress,
    vintage: str | None = None,
    last_day: date | None = None,
) -> Market:
    """The bars that a strategy needs, a holdout included, see `engine.data.load_market`."""
    return load_market(
        spec.data,
        home=home,
        offline=offline,
        override=override,
        vintage=vintage,
        progress=progress,
        panel=spec.is_panel,
        one_calendar=spec.scope == "joint",
        funding=spec.costs.charges_funding,
        last_day=last_day,
    )


def load_strategy_market(
    spec: Strategy,
    *,
    home: Path,
    offline: bool,
    override: str | None,
    progress: Progress,
    vintage: str | None = None,
    unsealed: bool = False,
) -> Market:
    """The bars that a run of the strategy may see, see `engine.data.load_market`.

    With `windows.holdout` the dataset ends on the day before it: later bars are neither checked
    nor counted, and nothing of them but the day on which they begin is in the provenance. To know
    that day the bars are loaded once before, of which only the timestamps are used.

    Args:
        spec: The strategy.
        home: As in `load_market`.
        offline: As in `load_market`.
        override: As in `load_market`.
        progress: As in `load_market`.
        vintage: As in `load_market`.
        unsealed: Include the holdout, for the run that looks at it.

    Raises:
        BacktestError: As `load_market`.
        UsageError: The holdout leaves no bar, or none of a symbol.
    """
    load = partial(
        load_every_bar, spec, home=home, offline=offline, override=override, vintage=vintage
    )
    if spec.windows.holdout is None:
        return load(progress=progress)
    whole = load(progress=progress if unsealed else NullProgress())
    day = find_sealed_day(pd.DatetimeIndex(whole.wide("close").index), spec.windows.holdout)
    _require_earlier_bars(whole, day)
    record = {"sealed_from": day.isoformat(), "sealed": not unsealed}
    if unsealed:
        return _with_record(whole, record, whole.provenance)
    return _with_record(
        load(progress=progress, last_day=last_open_day(day)), record, whole.provenance
    )


def _require_earlier_bars(whole: Market, day: date) -> None:
    """Refuses symbols that a sealed run could not know of."""
    first = pd.Timestamp(day, tz="UTC")
    late = [name for name, bars in whole.bars_by_symbol.items() if bars.index[0] >= first]
    if late:
        raise UsageError(
            "all bars of a symbol are in the holdout",
            expected=f"bars of every symbol before {day}",
            found=f"{', '.join(late)}: none",
            where="windows.holdout",
            fix="shorten the holdout, or leave the symbol out of the dataset",
        )


def _with_record(market: Market, record: dict[str, Any], asked: dict[str, Any]) -> Market:
    """The market with what its provenance says of a holdout, and the `end` that was asked for."""
    kept = {key: value for key, value in market.provenance.items() if key != "end"}
    end = {"end": asked["end"]} if "end" in asked else {}
    return replace(market, provenance=kept | end | {"holdout": record})
