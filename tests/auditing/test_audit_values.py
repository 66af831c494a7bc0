"""`engine.audit` of trades, positions and variants as pandas objects."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import engine
from engine.auditing import AuditOptions, AuditSettings, audit_file
from engine.core.errors import UsageError
from tests.auditing.tables import days, noise, write_csv
from tests.auditing.test_trades_and_positions import EXPORTS

if TYPE_CHECKING:
    from pathlib import Path

MARKET = (1.0 + noise(0.0002, seed=5)).cumprod().rename("close")
WEIGHTS = (MARKET.pct_change().shift(1) > 0).astype("float64").rename("weight")


@pytest.mark.parametrize("tool", EXPORTS)
def test_trades_of_every_tool_are_read_from_their_frame(tool: str) -> None:
    trades = pd.read_csv(
        io.StringIO(EXPORTS[tool]), index_col=0 if tool == "backtesting.py" else None
    )

    result = engine.audit(trades=trades, capital=1_000.0, tries=1)

    assert result.document.source == tool
    assert result.document.round_trips == 2
    assert result.returns["strategy"].tolist() == pytest.approx([0, 0, 0.1, -0.1])


def test_trades_are_marked_at_closes_and_compared_with_holding() -> None:
    trades = pd.DataFrame(
        {
            "EntryTime": [MARKET.index[3]],
            "ExitTime": [MARKET.index[300]],
            "Size": [100],
            "EntryPrice": [MARKET.iloc[3]],
            "ExitPrice": [MARKET.iloc[300]],
            "PnL": [100 * (MARKET.iloc[300] - MARKET.iloc[3])],
            "ReturnPct": [0.0],
            "EntryBar": [3],
            "ExitBar": [300],
        }
    )

    result = engine.audit(trades=trades, capital=100 * MARKET.iloc[3], bars=MARKET, tries=1)

    assert list(result.returns) == ["strategy", "buy_and_hold"]
    assert not any("open trades fall" in each.question for each in result.document.not_shown)


def test_positions_have_the_figures_of_their_file(tmp_path: Path) -> None:
    weights, bars = write_csv(WEIGHTS, tmp_path / "w.csv"), write_csv(MARKET, tmp_path / "b.csv")
    options = AuditOptions(bars=bars, cost_bps=5.0)

    by_file = audit_file("positions", weights, options, AuditSettings(tries=1))
    by_value = engine.audit(positions=WEIGHTS, bars=MARKET, cost_bps=5.0, tries=1)

    assert by_value.significance == by_file.significance
    assert by_value.document.scenarios == by_file.document.scenarios
    assert by_value.significance.timing is not None


def test_positions_in_several_symbols_need_closes_of_each() -> None:
    closes = pd.DataFrame({"A": MARKET, "B": 1.0 / MARKET})
    weights = pd.DataFrame({"A": 0.5, "B": 0.5}, index=closes.index)

    result = engine.audit(positions=weights, bars=closes, tries=1)

    assert result.document.span.bars == len(closes) - 1
    with pytest.raises(UsageError, match="no column B"):
        engine.audit(positions=weights, bars=closes[["A"]])


def test_of_variants_alone_the_best_is_audited_and_the_others_are_tries() -> None:
    variants = pd.DataFrame({"bad": noise(-0.001), "good": noise(0.002, seed=1)})

    result = engine.audit(variants=variants, bars=MARKET)

    assert result.document.tries.variants == 1
    assert result.returns["strategy"].to_numpy() == pytest.approx(
        variants["good"].reindex(result.returns.index).to_numpy()
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"bars": MARKET},
        {"returns": noise(), "positions": WEIGHTS, "bars": MARKET},
        {"positions": WEIGHTS},
        {"returns": noise(), "bars": pd.DataFrame({"open": MARKET})},
        {"returns": noise().set_axis(range(len(noise())))},
        {"variants": pd.DataFrame({"one": noise()}, days())},
    ],
)
def test_what_cannot_be_audited_is_told(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        engine.audit(**arguments)
