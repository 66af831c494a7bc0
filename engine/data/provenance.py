"""What the manifest of a run says of its bars: calendars, currencies, bars a year, vintage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.annualisation import (
    Annualisation,
    annualise,
    annualise_union,
    require_fitting_calendar,
)
from engine.data.market import symbol_provenance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BarsFrame
    from engine.data.assembly import Assembly
    from engine.data.config import Dataset
    from engine.data.context import DataContext
    from engine.data.manifests import DatasetManifest
    from engine.data.store import DatasetBars, Vintage

# A first bar later than requested by more than this is not explained by holidays.


def exchanges_provenance(
    dataset: Dataset, dataset_bars: DatasetBars, assembly: Assembly | None
) -> dict[str, Any]:
    """Calendars, currencies and the bars of their rates; nothing with one of each."""
    if assembly is None:
        return {}
    about = {
        "calendars": {symbol: dataset.calendar_of(symbol) for symbol in dataset.symbols},
        "decided_at": assembly.target,
        "currency": dataset.currency,
        "currencies": dict(dataset.currencies),
        "rates": {
            currency: {
                "symbol": symbol,
                "bars": symbol_provenance(
                    dataset_bars.frames[symbol], dataset_bars.origins[symbol], dataset.interval
                ),
            }
            for currency, symbol in dataset.fx.items()
        },
    }
    return {"exchanges": about}


def annualise_dataset(
    manifest: DatasetManifest,
    bars: BarsFrame,
    names: Sequence[str],
    assembly: Assembly | None,
    context: DataContext,
) -> Annualisation:
    """Bars a year of a dataset, from the timestamps of its market."""
    dataset = manifest.dataset
    stamps = bars["timestamp"].iloc[:: len(names)]
    if assembly is not None and assembly.target is None:
        calendars = [dataset.calendar_of(name) for name in names]
        return annualise_union(
            stamps, calendars, dataset.periods_per_year, shared=not assembly.panel
        )
    if assembly is not None:
        calendar = dataset.calendar_of(str(assembly.target))
        return annualise(stamps, calendar, dataset.interval, dataset.periods_per_year)
    annualisation = annualise(stamps, dataset.calendar, dataset.interval, dataset.periods_per_year)
    require_fitting_calendar(
        annualisation, stamps, dataset.calendar, dataset.interval, f"{manifest.path}"
    )
    if annualisation.basis != "calendar":
        context.notify(
            f"annual figures use {annualisation.periods_per_year:.1f} bars a year, "
            f"{annualisation.basis} as the dataset says; the calendar {dataset.calendar} has "
            f"{annualisation.by_calendar:.1f}"
        )
    return annualisation


def vintage_provenance(vintage: Vintage | None) -> dict[str, str]:
    """The id of a vintage and when it was pulled; empty without one."""
    if vintage is None:
        return {}
    return {"vintage": vintage.id, "pulled": vintage.fetched_at.isoformat()}
