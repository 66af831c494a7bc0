"""`backtest data funding`: the funding rates of a dataset's perpetual contracts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption, QuietOption  # noqa: TC001 - typer reads them
from engine.cli.progress import stderr_progress

if TYPE_CHECKING:
    import pandas as pd

FILE_SUFFIXES = (".csv", ".parquet")
HOURS_PER_YEAR = 365 * 24


def data_funding_command(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every rate there: a .csv or .parquet file."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Take what was pulled before.")
    ] = False,
    json_: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Pull and show the funding rates of perpetual contracts.

    For datasets with a ccxt source that says `funding: true`. No run charges them to a position.
    """
    with handle_errors(debug=debug):
        _require_suffix(out)
        from engine.data.fetch.funding import load_funding_rates

        home = Path(os.environ.get("BACKTEST_HOME") or ".backtest")
        with stderr_progress(quiet=quiet) as progress:
            progress.stage("data")
            rates = load_funding_rates(dataset, home=home, offline=offline, progress=progress)
        if out is not None:
            _write_rates(rates, out)
        told = {
            str(symbol): _summarise_symbol(own)
            for symbol, own in rates.groupby("symbol", sort=False)
        }
        if json_:
            typer.echo(json.dumps(told))
            return
        for symbol, own in told.items():
            typer.echo(
                f"{symbol}  {own['rates']} rates, {own['first']} to {own['last']}, "
                f"mean {own['mean_bps']:+.3f} bps, {own['per_year_pct']:+.1f} % a year"
            )
        if out is not None:
            typer.echo(f"{len(rates)} rows in {out}")


def _summarise_symbol(rates: pd.DataFrame) -> dict[str, Any]:
    """What longs paid: on average each time, and in a year at the pace of the whole span."""
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
    from engine.core.errors import UsageError

    try:
        if out.suffix == ".csv":
            rates.to_csv(out, index=False, lineterminator="\n")
        else:
            rates.to_parquet(out, index=False)
    except OSError as error:
        raise UsageError(
            "the file cannot be written",
            expected="a file in a folder that is there and can be written",
            found=str(error),
            where=str(out),
        ) from error
