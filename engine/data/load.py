"""The data stage: from what a strategy says about its data to bars that can be trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import SourceError, UnreachableError
from engine.data.alignment import align_symbols, symbol_provenance
from engine.data.bars import format_timestamp
from engine.data.calendar import periods_per_year
from engine.data.fetch.dataset import DataContext, DatasetBars, fetch_dataset
from engine.data.manifests import DatasetManifest, read_manifest
from engine.data.market import Market
from engine.data.sources.client_settings import ClientSettings
from engine.data.store.as_of import load_as_of
from engine.data.store.vintages import combine_vintage_ids

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.data.config import DataSpec
    from engine.data.store.vintages import Vintage

# A first bar this much later than asked for is more than a run of holidays.
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
) -> Market:
    """Bars of the dataset that a strategy names, or of its offline dataset.

    The offline dataset serves if no source of the dataset can be reached and nothing of it is
    cached, or if `offline` chooses it. Whichever way, that is told and stands in the identity.

    Args:
        spec: Dataset and offline dataset, each a name or the path of a manifest.
        home: Folder that keeps state between runs: pulled bars lie in its `bars`.
        offline: Leaves the network alone: the offline dataset, or, where the strategy names none,
            the dataset's own files, bundled bars or cached ones.
        override: Name or path of a dataset to use in place of the strategy's; it has no offline
            dataset behind it.
        progress: Told every notice.
        vintage: The dataset's bars as they were once pulled, from the cache alone: the id of a
            vintage, or a date or instant in ISO 8601, UTC. No dataset stands in then.
        clients: How the network clients behave.
        now: The present instant, in UTC; a bar that ends after it is unfinished.

    Raises:
        DatasetNotFoundError: No dataset of that name or path.
        StrategyError: A manifest is wrong.
        UsageError: `vintage` is neither an id nor a date, or the dataset's bars are not cached.
        DataError: There is no such vintage.
        UnreachableError: No source can be reached, nothing is cached, and no dataset stands in.
        SourceError: No source delivers, and at least one was reached.
        InvalidBarsError: Bars came, and cannot be trusted.
    """
    access = DataContext(
        home=home,
        network=not offline,
        now=now or pd.Timestamp.now("UTC"),
        progress=progress,
        clients=clients or ClientSettings(),
    )
    if vintage is not None:
        manifest = read_manifest(override or spec.dataset)
        return _build_market(
            manifest, load_as_of(manifest, access, vintage), access, offline=False
        )
    stand_in = None if override or spec.offline == spec.dataset else spec.offline
    if offline and stand_in:
        return _load_offline_dataset(stand_in, spec.dataset, "--offline was given", access)
    manifest = read_manifest(override or spec.dataset)
    try:
        collected = fetch_dataset(manifest, access)
    except UnreachableError as error:
        if not stand_in:
            raise
        return _load_offline_dataset(
            stand_in, spec.dataset, error.problem.partition(": ")[2], access
        )
    return _build_market(manifest, collected, access, offline=False)


def _load_offline_dataset(name: str, replaced: str, reason: str, context: DataContext) -> Market:
    manifest = read_manifest(name)
    symbols = ", ".join(manifest.dataset.symbols)
    context.notify(f"{name} ({symbols}) stands in for {replaced}, because {reason}")
    local = replace(context, network=False)
    return _build_market(manifest, fetch_dataset(manifest, local), local, offline=True)


def _build_market(
    manifest: DatasetManifest, dataset_bars: DatasetBars, context: DataContext, *, offline: bool
) -> Market:
    dataset = manifest.dataset
    for symbol, frame in dataset_bars.frames.items():
        first = frame["timestamp"].iloc[0]
        if dataset.start and first.date() > dataset.start + _MAX_START_DELAY:
            text = format_timestamp(first, dataset.interval)
            context.notify(f"{symbol}: bars begin on {text}, the dataset asks for {dataset.start}")
    bars, told = align_symbols(dataset_bars.frames)
    of_bars = [*context.quality_log.notices(dataset.name), *told]
    for sentence in of_bars:
        context.notify(sentence)
    if bars.empty:
        raise SourceError(
            f"dataset {dataset.name}: the symbols have no timestamp in common",
            expected="bars of every symbol at the same times",
            found="; ".join(
                f"{name}: {len(frame)} bars" for name, frame in dataset_bars.frames.items()
            ),
            where=str(manifest.path),
            fix="take symbols of one exchange and interval into one dataset",
        )
    own = dict(tuple(bars.groupby("symbol", sort=False)))
    symbols = {
        name: symbol_provenance(own[name], dataset_bars.origins[name], dataset.interval)
        | {"left_out": len(dataset_bars.frames[name]) - len(own[name])}
        | _vintage_provenance(dataset_bars.vintages.get(name))
        for name in dataset.symbols
    }
    return Market(
        bars=bars,
        symbols=dataset.symbols,
        interval=dataset.interval,
        calendar=dataset.calendar,
        periods_per_year=periods_per_year(dataset.calendar, dataset.interval),
        provenance={
            "name": dataset.name,
            "note": dataset.note,
            "interval": dataset.interval,
            "calendar": dataset.calendar,
            "offline": offline,
            "notices": list(context.notices),
            "quality": context.quality_log.as_json() | {"notices": of_bars},
            "vintage": combine_vintage_ids(dataset_bars.vintages)
            if dataset_bars.vintages
            else None,
            "symbols": symbols,
        },
    )


def _vintage_provenance(vintage: Vintage | None) -> dict[str, str]:
    if vintage is None:
        return {}
    return {"vintage": vintage.id, "pulled": vintage.fetched_at.isoformat()}
