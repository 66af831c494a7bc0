"""What the indicators of the library ta do with later bars, with the first bar and with units.

`python -m tests.oracles.ta_indicators` writes the table of docs/features.md again, from what it
measures on made-up bars. The test beside it holds the table equal to the measurement.
"""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.testing.markets import make_bars, scale_prices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
BEGIN, END = "<!-- ta indicators: begin -->\n", "<!-- ta indicators: end -->\n"

BARS, CUTS, OTHER_START, FADED_AFTER = 700, (60, 350, 699), 100, (100, 500)
TOLERANCE = 1e-9
"""Relative to the largest absolute value; larger changes are no rounding."""

MODULES = ("momentum", "trend", "volatility", "volume", "others")
REQUIRED: Mapping[str, dict[str, Any]] = {"SMAIndicator": {"window": 14}}
VARIATIONS: Mapping[str, dict[str, Any]] = {
    "IchimokuIndicator": {"visual": True},
    "KeltnerChannel": {"original_version": False},
}


@dataclass(frozen=True)
class Indicator:
    """An indicator of ta with its parameters.

    Attributes:
        part: The class.
        parameters: Those that are not defaults.
        variation: Shown behind the name.
    """

    part: type
    parameters: Mapping[str, Any]
    variation: str = ""

    @property
    def name(self) -> str:
        """As it is imported from `ta`, with its variation."""
        place = f"{self.part.__module__.removeprefix('ta.')}.{self.part.__name__}"
        return f"`{place}`" + (f" with `{self.variation}`" if self.variation else "")

    def compute(self, bars: pd.DataFrame, *, fillna: bool) -> dict[str, pd.Series[float]]:
        """Every column that the indicator offers, on copies of the bars."""
        wanted = inspect.signature(self.part).parameters
        columns = {name: bars[name].copy() for name in bars if name in wanted}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, about assignments in ta
            made = self.part(**columns, **self.parameters, fillna=fillna)
            methods = inspect.getmembers(self.part, inspect.isfunction)
            return {name: getattr(made, name)() for name, _ in methods if not name.startswith("_")}


def list_indicators() -> Iterator[Indicator]:
    """Every class of ta that has columns, with the defaults, and the variations."""
    mixin = import_module("ta.utils").IndicatorMixin
    for module in MODULES:
        loaded = import_module(f"ta.{module}")
        for name, part in inspect.getmembers(loaded, inspect.isclass):
            if part.__module__ == loaded.__name__ and issubclass(part, mixin):
                required = REQUIRED.get(name, {})
                yield Indicator(part, required)
                if name in VARIATIONS:
                    varied = VARIATIONS[name]
                    text = ", ".join(f"{key}={value}" for key, value in varied.items())
                    yield Indicator(part, {**required, **varied}, text)


def measure_later_bars(indicator: Indicator, bars: pd.DataFrame, *, fillna: bool) -> str:
    """Whether later bars change earlier values, and of which rows; and whether rows are added."""
    whole = indicator.compute(bars, fillna=fillna)
    grown = max(len(column) for column in whole.values()) - len(bars)
    if grown:  # an assignment by position to an index of dates
        numbered = measure_later_bars(indicator, bars.reset_index(drop=True), fillna=fillna)
        return f"**{grown} rows more than bars**; numbered from 0: {numbered}"
    changed: set[int] = set()
    for cut in CUTS:
        other = scale_prices(bars.iloc[cut:], 1.5)
        other["volume"] *= np.linspace(2.0, 3.0, len(other))
        for later in (pd.concat([bars.iloc[:cut], other]), bars.iloc[:cut]):
            moved = indicator.compute(later, fillna=fillna)
            for name, column in whole.items():
                early = column.reindex(bars.index[:cut])
                changed |= set(
                    np.flatnonzero(_differs(early, moved[name].reindex(bars.index[:cut])))
                )
    if not changed:
        return "no"
    rows = sorted(int(row) for row in changed)
    if len(rows) < rows[-1] - rows[0] + 1 or rows[-1] >= min(CUTS) - 1:
        return "**yes**: any row"
    span = f"rows {rows[0]} to {rows[-1]}" if len(rows) > 1 else f"row {rows[0]}"
    return f"**yes**: {span}"


def measure_first_bar(indicator: Indicator, bars: pd.DataFrame) -> str:
    """How long the first bars matter, after other ones: `window`, `fades`, `always`."""
    first = scale_prices(bars.iloc[:OTHER_START], 3.0)
    first["volume"] *= np.linspace(2.0, 3.0, len(first))
    whole = indicator.compute(bars, fillna=False)
    part = indicator.compute(pd.concat([first, bars.iloc[OTHER_START:]]), fillna=False)
    early, late = (
        max(
            _largest_change(
                whole[name].reindex(bars.index[OTHER_START + after :]),
                part[name].reindex(bars.index[OTHER_START + after :]),
            )
            for name in whole
        )
        for after in FADED_AFTER
    )
    if early <= TOLERANCE:
        return "window"
    return "fades" if late <= 1e-3 * early else "**always**"


def measure_unit(indicator: Indicator, bars: pd.DataFrame) -> str:
    """Which units change the values: of prices, of volumes."""
    whole = indicator.compute(bars, fillna=False)
    units = {
        "prices": scale_prices(bars, 1e-3),
        "volumes": bars.assign(volume=1e4 * bars["volume"]),
    }
    changed = [
        name
        for name, scaled in units.items()
        if any(
            _largest_change(whole[column].reindex(bars.index), values.reindex(bars.index)) > 1e-6
            for column, values in indicator.compute(scaled, fillna=False).items()
        )
    ]
    return ", ".join(changed) or "none"


def measure_warmup(indicator: Indicator, bars: pd.DataFrame) -> str:
    """What stands in the rows before the first complete window, without `fillna`."""
    columns = indicator.compute(bars, fillna=False).values()
    numbers = [column for column in columns if not column.dropna().isin((0.0, 1.0)).all()]
    zeros = max(int((column.ne(0.0)).to_numpy().argmax()) for column in numbers)
    return f"0 in {zeros} rows" if zeros > 2 else "NaN or values"


def judge(later: str, first: str, unit: str, warmup: str) -> str:
    """Whether a user may add it as a feature, and how."""
    if later != "no":
        return "**no**"
    how = []
    if first == "**always**":
        how.append("its change, not its level")
    elif first == "fades":
        how.append("with a long `warmup`")
    if "prices" in unit:
        how.append("relative to the close")
    if "volumes" in unit:
        how.append("relative to usual volumes")
    if warmup.startswith("0"):
        how.append(f"without the {warmup.split()[2]} zeros at its start")
    return "yes" + (f": {', '.join(how)}" if how else "")


def render_table() -> str:
    """The table in Markdown."""
    from importlib.metadata import version

    bars = make_bars(BARS, seed=3)
    measured = f"Measured with ta {version('ta')} and pandas {version('pandas')}"
    lines = [
        f"{measured} on {BARS:,} bars with dates.",
        "",
        "| indicator | later bars change it | with `fillna=True` | first bars | unit | may be "
        "added |",
        "|---|---|---|---|---|---|",
    ]
    for indicator in list_indicators():
        later = measure_later_bars(indicator, bars, fillna=False)
        filled = measure_later_bars(indicator, bars, fillna=True)
        first, unit = measure_first_bar(indicator, bars), measure_unit(indicator, bars)
        verdict = judge(later, first, unit, measure_warmup(indicator, bars))
        lines.append(f"| {indicator.name} | {later} | {filled} | {first} | {unit} | {verdict} |")
    return "\n".join(lines) + "\n"


def _differs(before: pd.Series[float], after: pd.Series[float]) -> np.ndarray:
    one, two = (column.to_numpy(dtype="float64") for column in (before, after))
    scale = np.nanmax(np.abs(one[np.isfinite(one)]), initial=1e-300)
    close = np.abs(one - two) <= TOLERANCE * scale
    return ~(close | (one == two) | (np.isnan(one) & np.isnan(two)))


def _largest_change(before: pd.Series[float], after: pd.Series[float]) -> float:
    """Relative to the largest value; infinite where one has a value and the other none."""
    one, two = (column.to_numpy(dtype="float64") for column in (before, after))
    if (np.isfinite(one) != np.isfinite(two)).any():
        return float("inf")
    usable = np.isfinite(one)
    if not usable.any():
        return 0.0
    scale = max(np.abs(one[usable]).max(), 1e-300)
    return float(np.abs(one[usable] - two[usable]).max() / scale)


def main() -> None:
    """Writes the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{render_table()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
