"""`backtest data funding`: the funding rates of a dataset's perpetual contracts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption, QuietOption
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_lines
from engine.core.home import backtest_home, prepare_home

if TYPE_CHECKING:
    import pandas as pd

FILE_SUFFIXES = (".csv", ".parquet")
CHOOSE_FILE = "name another file with --out"
HOURS_PER_YEAR = 365 * 24


def data_funding_command(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every rate to this .csv or .parquet file."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use the cached rates; no network.")
    ] = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Pull and show the funding rates of perpetual contracts.

    For datasets with a ccxt source that has `funding: true`. `costs.funding`
    charges them to positions.
    """
    with handle_errors(debug=debug):
        _require_suffix(out)
        from engine.core.writable import OutputPlace
        from engine.data.fetch import load_funding_rates

        if out is not None:
            OutputPlace("the file", CHOOSE_FILE).require_file(out)
        if not offline:
            prepare_home(backtest_home())
        with stderr_progress(quiet=quiet) as progress:
            progress.stage("data")
            rates = load_funding_rates(
                dataset, home=backtest_home(), offline=offline, progress=progress
            )
        if out is not None:
            _write_rates(rates, out)
        summaries = {
            str(symbol): _summarise_symbol(group)
            for symbol, group in rates.groupby("symbol", sort=False)
        }
        if json_:
            print_json(summaries, indent=None)
            return
        lines = [
            f"{symbol}  {summary['rates']} rates, {summary['first']} to {summary['last']}, "
            f"mean {summary['mean_bps']:+.3f} bps, {summary['per_year_pct']:+.1f} % a year"
            for symbol, summary in summaries.items()
        ]
        print_lines(lines if out is None else [*lines, f"{len(rates)} rows in {out}"])


def _summarise_symbol(rates: pd.DataFrame) -> dict[str, Any]:
    """What longs paid: the mean of a payment, and the sum annualised over the whole span."""
    first, last = rates["timestamp"].iloc[0], rates["timestamp"].iloc[-1]
    hours = (last - first).total_seconds() / 3600
    # The first payment is for the time before the span.
    paid = float(rates["rate"].iloc[1:].sum())
    return {
        "rates": len(rates),
        "first": f"{first:%Y-%m-%d %H:%M}",
        "last": f"{last:%Y-%m-%d %H:%M}",
        "mean_bps": float(rates["rate"].mean()) * 1e4,
        "per_year_pct": 100 * paid * HOURS_PER_YEAR / hours if hours else 0.0,
    }


def _require_suffix(out: Path | None) -> None:
    if out is None or out.suffix in FILE_SUFFIXES:
        return
    from engine.core.errors import UsageError

    raise UsageError(
        "the ending of the file says its format",
        expected=" or ".join(FILE_SUFFIXES),
        found=out.name,
        where="--out",
    )


def _write_rates(rates: pd.DataFrame, out: Path) -> None:
    from engine.core.storage import replace_atomically, translate_disk_faults

    with (
        translate_disk_faults("the file cannot be written", out, CHOOSE_FILE),
        replace_atomically(out) as draft,
    ):
        if out.suffix == ".csv":
            rates.to_csv(draft, index=False, lineterminator="\n")
        else:
            rates.to_parquet(draft, index=False)
