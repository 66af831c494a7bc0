"""The data stage: from a strategy's data specification to a market of validated bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import UnreachableError
from engine.data.assembly import Assembly
from engine.data.bars import format_timestamp
from engine.data.context import DataContext
from engine.data.fetch import fetch_dataset, load_funding_rates
from engine.data.funding_rates import FundingRates
from engine.data.joins import align_symbols
from engine.data.joint_checks import check_together, describe_together
from engine.data.known_days import find_unknown_days
from engine.data.manifests import DatasetManifest, read_manifest
from engine.data.market import Market, symbol_provenance
from engine.data.panel import unite_symbols
from engine.data.provenance import annualise_dataset, exchanges_provenance, vintage_provenance
from engine.data.sources.client_settings import ClientSettings
from engine.data.store import combine_vintage_ids, load_as_of
from engine.data.universe import describe_panel, describe_universe, read_members

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.data.config import Dataset, DataSpec
    from engine.data.store import DatasetBars

# A first bar later than requested by more than this is not explained by holidays.
_MAX_START_DELAY = timedelta(days=7)


def load_market(  # noqa: PLR0913 - an argument an option of the command line
    spec: DataSpec,
    *,
    home: Path,
    offline: bool,
    override: str | None,
    progress: Progress,
    vintage: str | None = None,
    clients: ClientSettings | None = None,
    now: pd.Timestamp | None = None,
    panel: bool = False,
    funding: bool = False,
    one_calendar: bool = False,
    last_day: date | None = None,
) -> Market:
    """Bars of the dataset that a strategy names, or of its offline dataset.

    The offline dataset is used if no source of the dataset can be reached and nothing of it is
    cached, or if `offline` selects it. A notice says so, and the market's provenance records it.

    Args:
        spec: Dataset and offline dataset, each a name or the path of a manifest.
        home: Folder that keeps state between runs: pulled bars are in its `bars`.
        offline: Does not use the network: takes the offline dataset, or, where the strategy names
            none, the dataset's own files, bundled bars or cached ones.
        override: Name or path of a dataset to use in place of the strategy's; no offline dataset
            replaces it.
        progress: Gets every notice.
        vintage: The dataset's bars of an earlier vintage, from the cache alone: the id of a
            vintage, or a date or instant in ISO 8601, UTC. No offline dataset replaces it.
        clients: How the network clients behave.
        now: The present instant, in UTC; a bar that ends after it is unfinished.
        panel: Keep every timestamp that a symbol has, see `Market`; otherwise those that all of
            them have, where `members` of the dataset are not read.
        one_calendar: Keep a panel only where all symbols have one calendar and currency: on
            several, hardly a row has bars of all symbols.
        funding: Read the funding rates of the dataset too, from its source with `funding: true`;
            the offline dataset may have none.
        last_day: No later bar is used, checked or told of: as an earlier `end` of the dataset.

    Raises:
        DatasetNotFoundError: No dataset of that name or path.
        StrategyError: A manifest is wrong.
        UsageError: `vintage` is neither an id nor a date, or the dataset's bars are not cached.
        DataError: There is no such vintage.
        UnreachableError: No source can be reached, nothing is cached, and there is no offline
            dataset.
        SourceError: No source delivers, and at least one was reached; or there are no funding
            rates.
        InvalidBarsError: Bars were received and cannot be trusted, or not joined, or a year has
            more or fewer of them than the dataset's calendar says.
    """
    use = _MarketUse(spec.is_book, panel, spec.single_target, funding, one_calendar, last_day)
    context = DataContext(
        home=home,
        network=not offline,
        now=now or pd.Timestamp.now("UTC"),
        progress=progress,
        clients=clients or ClientSettings(),
    )
    if vintage is not None:
        manifest = use.cut(read_manifest(override or spec.dataset))
        return _build_market(
            manifest,
            load_as_of(manifest, context, vintage),
            replace(context, network=False),
            use,
            offline=False,
        )
    fallback = None if override or spec.offline == spec.dataset else spec.offline
    if offline and fallback:
        return _load_offline_dataset(fallback, spec.dataset, "--offline was given", context, use)
    manifest = use.cut(read_manifest(override or spec.dataset))
    try:
        dataset_bars = fetch_dataset(manifest, context)
    except UnreachableError as error:
        if not fallback:
            raise
        return _load_offline_dataset(
            fallback, spec.dataset, error.problem.partition(": ")[2], context, use
        )
    return _build_market(manifest, dataset_bars, context, use, offline=False)


def _add_funding(
    market: Market,
    manifest: DatasetManifest,
    context: DataContext,
    use: _MarketUse,
    *,
    offline: bool,
) -> Market:
    """The market with its funding rates and what identifies them, where positions pay funding.

    An offline one has none; one that was cut has those up to its last bar.
    """
    if not use.funding:
        return market
    if offline:
        sentence = f"{market.provenance['name']} has no funding rates"
        context.notify(sentence)
        rates = FundingRates({})
        noted = {"notices": [*market.provenance["notices"], sentence]}
    else:
        table = load_funding_rates(
            str(manifest.path),
            home=context.home,
            offline=not context.network,
            progress=context.progress,
            clients=context.clients,
            now=context.now,
        )
        rates, noted = FundingRates.from_table(table), {}
        if use.last_day is not None:
            rates = rates.until(market.end_of(market.bars["timestamp"].iloc[-1]))
    provenance = market.provenance | noted | {"funding": rates.as_json()}
    return replace(market, funding=rates, provenance=provenance)


@dataclass(frozen=True)
class _MarketUse:
    """What a market is for.

    Attributes:
        is_book: Whether several symbols are traded.
        panel: Whether all timestamps of them are kept.
        target: The symbol that is traded alone, where it is named.
        funding: Whether positions pay funding.
        one_calendar: Whether there is no panel of several calendars.
        last_day: The last day that is used; None for all.
    """

    is_book: bool
    panel: bool
    target: str | None
    funding: bool = False
    one_calendar: bool = False
    last_day: date | None = None

    def of(self, dataset: Dataset) -> _MarketUse:
        """The use of the bars of a dataset."""
        joins = self.one_calendar and dataset.has_own_clocks
        return replace(self, panel=False) if joins else self

    def cut(self, manifest: DatasetManifest) -> DatasetManifest:
        """The dataset as if it ended with the last day that is used."""
        dataset, last = manifest.dataset, self.last_day
        if last is None or (dataset.end is not None and dataset.end <= last):
            return manifest
        return replace(manifest, dataset=dataset.model_copy(update={"end": last}))


def _load_offline_dataset(
    name: str, replaced: str, reason: str, context: DataContext, use: _MarketUse
) -> Market:
    manifest = use.cut(read_manifest(name))
    symbols = ", ".join(manifest.dataset.symbols)
    context.notify(f"{name} ({symbols}) is used instead of {replaced}, because {reason}")
    local = replace(context, network=False)
    return _build_market(manifest, fetch_dataset(manifest, local), local, use, offline=True)


def _build_market(
    manifest: DatasetManifest,
    dataset_bars: DatasetBars,
    context: DataContext,
    use: _MarketUse,
    *,
    offline: bool,
) -> Market:
    dataset, use = manifest.dataset, use.of(manifest.dataset)
    membership = read_members(manifest) if use.panel else None
    for symbol, frame in dataset_bars.frames.items():
        first = frame["timestamp"].iloc[0]
        if dataset.start and first.date() > dataset.start + _MAX_START_DELAY:
            text = format_timestamp(first, dataset.interval)
            context.notify(f"{symbol}: bars begin on {text}, the dataset asks for {dataset.start}")
    together = check_together(manifest, dataset_bars, panel=use.panel)
    assembly = _assemble(dataset, dataset_bars, use) if dataset.has_own_clocks else None
    if assembly is not None:
        bars, notices = assembly.join()
        stamps = pd.DatetimeIndex(bars["timestamp"])
        ended = assembly.ended_rows(stamps, context.now, dataset.publication_delay)
        bars = bars if ended.all() else bars[ended].reset_index(drop=True)
    elif use.panel:
        bars, notices = (
            unite_symbols(dataset_bars.frames),
            describe_panel(dataset_bars.frames, dataset),
        )
    else:
        bars, notices = align_symbols(dataset_bars.frames)
    for sentence in (
        describe_universe(manifest, membership, dataset_bars.frames) if use.is_book else ()
    ):
        context.notify(sentence)
    unknown = [
        f"{symbol}: {each.sentence}, and are not checked for gaps; {each.fix} leaves them out"
        for symbol, frame in dataset_bars.frames.items()
        for each in find_unknown_days(frame["timestamp"], dataset.calendar_of(symbol))
    ]
    bar_notices = [
        *context.quality_log.notices(dataset.name),
        *describe_together(together),
        *notices,
        *unknown,
    ]
    for sentence in bar_notices:
        context.notify(sentence)
    names = dataset.symbols if assembly is None else assembly.symbols
    annualisation = annualise_dataset(manifest, bars, names, assembly, context)
    by_symbol = (
        dataset_bars.frames if use.panel else dict(tuple(bars.groupby("symbol", sort=False)))
    )
    symbols = {
        name: symbol_provenance(by_symbol[name], dataset_bars.origins[name], dataset.interval)
        | {"left_out": len(dataset_bars.frames[name]) - len(by_symbol[name])}
        | vintage_provenance(dataset_bars.vintages.get(name))
        for name in names
    }
    calendar = dataset.calendar
    if assembly is not None and assembly.target is not None:
        calendar = dataset.calendar_of(assembly.target)
    market = Market(
        bars=bars,
        symbols=names,
        interval=dataset.interval,
        calendar=calendar,
        assembly=assembly,
        periods_per_year=annualisation.periods_per_year,
        day_begins=dataset.day_begin,
        publication_delay=dataset.publication_delay,
        provenance={
            "name": dataset.name,
            "note": dataset.note,
            "interval": dataset.interval,
            "calendar": calendar,
            "annualisation": annualisation.as_json(),
            "offline": offline,
            "notices": list(context.notices),
            "quality": context.quality_log.as_json(together) | {"notices": bar_notices},
            "vintage": combine_vintage_ids(dataset_bars.vintages)
            if dataset_bars.vintages
            else None,
            "symbols": symbols,
        }
        | exchanges_provenance(dataset, dataset_bars, assembly)
        | {name: f"{day}" for name in ("start", "end") if (day := getattr(dataset, name))},
        membership=membership,
        delisting=dataset.delisting,
    )
    return _add_funding(market, manifest, context, use, offline=offline)


def _assemble(dataset: Dataset, dataset_bars: DatasetBars, use: _MarketUse) -> Assembly:
    """How bars of several calendars and currencies are joined for what is traded."""
    return Assembly(
        frames=dataset_bars.frames,
        times={symbol: dataset.of_symbol(symbol).bar_times for symbol in dataset.symbols},
        target=None if use.is_book else dataset.choose_target(use.target),
        rates=dataset.rate_symbols,
        panel=use.panel,
    )
