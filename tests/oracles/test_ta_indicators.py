"""The table of the indicators of ta, in the docs, is what is measured of the pinned version."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import pytest

from engine.core.errors import ContractError
from engine.features.base import Indicator
from engine.testing import check_feature
from tests.oracles.ta_indicators import BEGIN, END, PAGE, render_table

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(scope="module")
def table() -> str:
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


@pytest.mark.slow
def test_the_table_is_what_is_measured(table: str) -> None:
    assert render_table() == table, "python -m tests.oracles.ta_indicators writes it again"


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("trend.KSTIndicator", ("**yes**: rows 14 to 51", "**no**")),
        ("trend.IchimokuIndicator` with `visual=True", ("**yes**: rows 0 to 25", "**no**")),
        ("trend.PSARIndicator", ("rows more than bars", "**no**")),
        ("trend.VortexIndicator", ("| no | **yes**: rows 1 to 13", "| yes")),
        ("trend.DPOIndicator", ("| no | **yes**: rows 0 to 10", "| yes")),
        ("trend.TRIXIndicator", ("| no | **yes**: row 0", "| yes")),
        ("momentum.KAMAIndicator", ("| no | **yes**: any row", "| yes")),
        ("volume.OnBalanceVolumeIndicator", ("**always**", "yes: its change, not its level")),
        ("volatility.AverageTrueRange", ("13 zeros at its start",)),
    ],
)
def test_the_table_names_the_known_traps(table: str, name: str, cells: tuple[str, ...]) -> None:
    (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}` |")]
    assert all(cell in row for cell in cells)


class OfTa(Indicator):
    """A user's feature, which is one of ta."""

    required_columns: ClassVar[tuple[str, ...]] = ("high", "low", "close")

    kind: Literal["of_ta"] = "of_ta"
    which: str

    @property
    def warmup(self) -> int:
        return {"kst": 20, "vortex_filled": 5, "vortex": 14, "psar": 20}[self.which]

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        from ta.trend import KSTIndicator, PSARIndicator, VortexIndicator

        prices = [bars[name] for name in ("high", "low", "close")]
        if self.which == "kst":
            return KSTIndicator(bars["close"]).kst()
        if self.which == "psar":
            return PSARIndicator(*prices).psar() / bars["close"]
        fill = self.which == "vortex_filled"
        return VortexIndicator(*prices, fillna=fill).vortex_indicator_diff()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("which", ["kst", "vortex_filled", "psar"])
def test_the_contract_refuses_what_the_table_refuses(which: str) -> None:
    with pytest.raises((ContractError, ValueError)):
        check_feature(OfTa(which=which))
