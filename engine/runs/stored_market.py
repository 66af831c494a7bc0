"""A market as the files of a run folder, and the market of these files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import UsageError
from engine.data.assembly import Assembly
from engine.data.bar_times import TradingTimes
from engine.data.funding_rates import FundingRates
from engine.data.market import Market
from engine.data.membership import Membership
from engine.data.panel import complete_rows
from engine.data.sessions import DayBegin
from engine.data.universe_config import DelistingSpec
from engine.runs.documents.market import ClockRecord, JoinRecord, MarketRecord

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.runs.run import Run


def describe_market(market: Market) -> MarketRecord:
    """What the manifest keeps of a market beside its bars."""
    begins, members = market.day_begins, market.membership
    return MarketRecord(
        symbols=market.symbols,
        **({} if begins is None else {"day_begins": str(begins)}),
        **({} if members is None else {"members": tuple(map(tuple, members.to_json()))}),
        **(
            {"delisting": market.delisting.model_dump(mode="json")}
            if market.delisting != DelistingSpec()
            else {}
        ),
        **({} if market.assembly is None else {"join": _describe_join(market.assembly)}),
    )


def tabulate_source_bars(market: Market) -> pd.DataFrame | None:
    """Long bars of each symbol as its source has them, exchange rates too; None where not joined.

    The rows of a symbol are together, in the order of the dataset.
    """
    if market.assembly is None:
        return None
    return pd.concat(market.assembly.frames.values(), ignore_index=True)


def tabulate_funding(market: Market) -> pd.DataFrame | None:
    """The funding rates of a market: timestamp, symbol, rate; None where it has none."""
    if market.funding is None:
        return None
    tables = [
        pd.DataFrame(
            {
                "timestamp": pd.DatetimeIndex(own.instants.astype("datetime64[us]"), tz="UTC"),
                "symbol": pd.Series([symbol] * len(own.rates), dtype="str"),
                "rate": own.rates,
            }
        )
        for symbol, own in market.funding.by_symbol.items()
    ]
    nothing = {
        "timestamp": pd.DatetimeIndex([], tz="UTC").as_unit("us"),
        "symbol": pd.Series([], dtype="str"),
        "rate": pd.Series([], dtype="float64"),
    }
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(nothing)


def restore_market(run: Run) -> Market:
    """The market that a run was made on, from the files of its folder.

    Raises:
        UsageError: An earlier version kept too little of it: of several calendars, funding rates,
            or symbols without a bar at some timestamps.
    """
    dataset = run.manifest.dataset
    record = run.manifest.market or _guess_record(run)
    annualisation = dataset.annualisation
    return Market(
        bars=complete_rows(run.bars, record.symbols),
        symbols=record.symbols,
        interval=str(dataset.interval),
        calendar=str(dataset.calendar),
        periods_per_year=run.metrics.span.periods_per_year
        if annualisation is None
        else annualisation.periods_per_year,
        provenance=dataset.as_dict(),
        membership=None if record.members is None else Membership.from_json(record.members),
        delisting=DelistingSpec.model_validate(record.delisting),
        day_begins=_parse_begin(record.day_begins),
        assembly=None if record.join is None else _restore_join(run, record.join),
        funding=None if run.funding is None else FundingRates.from_table(run.funding),
    )


def _describe_join(assembly: Assembly) -> JoinRecord:
    return JoinRecord(
        clocks={
            symbol: ClockRecord(
                interval=times.interval,
                calendar=times.calendar,
                day_begins=None if times.day_begins is None else str(times.day_begins),
            )
            for symbol, times in assembly.times.items()
        },
        decided_at=assembly.target,
        rates=dict(assembly.rates),
        panel=assembly.panel,
    )


def _restore_join(run: Run, join: JoinRecord) -> Assembly:
    if run.source_bars is None:
        raise _cannot_restore(run, "no source_bars.parquet, from which the bars were joined")
    return Assembly(
        frames=_split_by_symbol(run.source_bars),
        times={
            symbol: TradingTimes(clock.interval, clock.calendar, _parse_begin(clock.day_begins))
            for symbol, clock in join.clocks.items()
        },
        target=join.decided_at,
        rates=dict(join.rates),
        panel=join.panel,
    )


def _split_by_symbol(bars: BarsFrame) -> dict[str, BarsFrame]:
    return {
        str(symbol): own.reset_index(drop=True)
        for symbol, own in bars.groupby("symbol", sort=False)
    }


def _parse_begin(text: str | None) -> DayBegin | None:
    return None if text is None else DayBegin.parse(text)


def _guess_record(run: Run) -> MarketRecord:
    """Of a folder of an earlier version: the order of the symbols at the first bar."""
    dataset, bars = run.manifest.dataset, run.bars
    if dataset.exchanges is not None or dataset.funding:
        raise _cannot_restore(run, "bars of several calendars, or funding rates")
    first = bars[bars["timestamp"] == bars["timestamp"].iloc[0]]
    symbols = tuple(map(str, first["symbol"]))
    if len(bars) != len(symbols) * bars["timestamp"].nunique():
        raise _cannot_restore(run, "symbols without a bar at some timestamps")
    return MarketRecord(symbols=symbols)


def _cannot_restore(run: Run, found: str) -> UsageError:
    return UsageError(
        "the bars of this run cannot be made its market again",
        expected="a manifest with the section `market`, which newer versions write",
        found=found,
        where=str(run.run_dir),
        fix="run the strategy again with this version",
    )
