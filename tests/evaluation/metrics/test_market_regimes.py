from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.market_regimes import label_regimes


def bars(count: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.date_range("2020-01-01", periods=count, tz="UTC", name="timestamp")
    width = np.where(np.arange(count) // 100 % 2, 0.03, 0.01)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1, count) * width))
    table = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index=index)
    return table.assign(volume=1.0)


def test_labels_equal_those_computed_bar_by_bar_from_earlier_bars() -> None:
    table = bars(500)
    labelled = label_regimes(table, table.index[400])
    logs = np.log(table["close"].to_numpy())
    for row in (310, 377, 499):
        spread = [np.std(np.diff(logs[at - 20 : at + 1])) for at in range(row - 251, row + 1)]
        below = sum(value < spread[-1] for value in spread) / 252
        expected = "calm" if below < 1 / 3 else "usual" if below < 2 / 3 else "turbulent"
        assert labelled["volatility"].iloc[row] == expected
        assert labelled["trend"].iloc[row] == (
            "rising" if logs[row] > logs[row - 60] else "falling"
        )


def test_no_label_depends_on_later_bars() -> None:
    table, first = bars(500), pd.Timestamp("2021-01-01", tz="UTC")
    other = table.copy()
    other.iloc[400:, :4] *= np.linspace(1, 3, 100)[:, None]
    for kind in ("volatility", "trend"):
        before = label_regimes(table, first)[kind].iloc[:400]
        pd.testing.assert_series_equal(before, label_regimes(other, first)[kind].iloc[:400])
        pd.testing.assert_series_equal(before, label_regimes(table.iloc[:400], first)[kind])


def test_a_short_history_is_ranked_among_the_available_bars() -> None:
    table = bars(300)
    early = label_regimes(table, table.index[120])["volatility"]
    assert early.iloc[120:].notna().all()
    assert early.iloc[:120].isna().all()


def test_too_few_bars_have_no_regime() -> None:
    labelled = label_regimes(bars(40), pd.Timestamp("2020-01-10", tz="UTC"))
    assert labelled.isna().all(axis=None)


@pytest.mark.parametrize("kind", ["volatility", "trend"])
def test_a_constant_price_has_no_trend_and_usual_volatility(kind: str) -> None:
    table = bars(400)
    table.iloc[:, :4] = 100.0
    labelled = label_regimes(table, table.index[300])[kind].iloc[350:]
    assert set(labelled.dropna()) <= {"usual"}
