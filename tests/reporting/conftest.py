"""A made-up run with everything a real one has: fifteen years, two symbols, six books."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.analysis import with_analysis
from engine.runs.run import Run
from tests.runs.documents import (
    make_manifest,
    make_metrics_document,
    make_significance_document,
)

BOOKS = ("strategy", "buy_and_hold", "ma_crossover", "mean_reversion", "ridge", "persistence")
SYMBOLS = ("SP500", "NASDAQ")
TRAIN, VALIDATION, TEST = 1008, 126, 252
WINDOWS = 15


def day(at: pd.Timestamp) -> str:
    return at.strftime("%Y-%m-%d")


def make_bars(index: pd.DatetimeIndex, rng: np.random.Generator) -> pd.DataFrame:
    market = rng.standard_t(4, len(index)) * 0.0075
    frames = []
    for symbol in SYMBOLS:
        close = 900 * np.exp(np.cumsum(market + rng.normal(1.5e-4, 0.004, len(index))))
        frames.append(
            pd.DataFrame(
                {
                    "timestamp": index,
                    "symbol": symbol,
                    "open": np.r_[close[0], close[:-1]],
                    "high": close * 1.01,
                    "low": close * 0.99,
                    "close": close,
                    "volume": 1e6,
                }
            )
        )
    return pd.concat(frames).sort_values(["timestamp", "symbol"], ignore_index=True)


def make_windows(index: pd.DatetimeIndex, rng: np.random.Generator) -> list[dict]:
    windows = []
    for number in range(WINDOWS):
        start = number * TEST
        edges = (start, start + TRAIN, start + TRAIN + VALIDATION, start + TRAIN + VALIDATION)
        parts = {
            "train": (edges[0], edges[1] - 2),
            "validation": (edges[1], edges[2] - 2),
            "test": (edges[3], min(edges[3] + TEST, len(index)) - 1),
        }
        fits = []
        for seed in range(2):
            epochs = int(rng.integers(8, 20))
            decay = np.exp(-np.arange(epochs) / 4)
            fits.append(
                {
                    "seed": seed,
                    "epochs": epochs,
                    "best_epoch": epochs - 5,
                    "train_loss": (1.0 + 0.5 * decay).round(5).tolist(),
                    "validation_loss": (1.1 + 0.3 * decay + rng.normal(0, 0.01, epochs))
                    .round(5)
                    .tolist(),
                }
            )
        windows.append(
            {
                "index": number,
                **{name: [day(index[a]), day(index[b])] for name, (a, b) in parts.items()},
                **{f"{name}_bars": b - a + 1 for name, (a, b) in parts.items()},
                "threshold_enter_bps": 5.0,
                "threshold_exit_bps": 0.0,
                "fits": fits,
            }
        )
    return windows


def sharpe(returns: pd.Series) -> float | None:
    deviation = returns.std()
    return float(returns.mean() / deviation * 252**0.5) if deviation > 0 else None


def make_metrics(returns: pd.DataFrame, weights: dict[str, np.ndarray]) -> dict:
    books = {}
    for book in returns:
        growth = (1 + returns[book]).cumprod()
        years = len(returns) / 252
        trades = int((np.diff(weights[book], prepend=0) != 0).sum())
        drawdown = growth / growth.cummax().clip(lower=1) - 1
        books[book] = {
            "total_return_pct": float(100 * (growth.iloc[-1] - 1)),
            "cagr_pct": float(100 * (growth.iloc[-1] ** (1 / years) - 1)),
            "volatility_pct": float(100 * returns[book].std() * 252**0.5),
            "sharpe": sharpe(returns[book]),
            "sortino": None if trades == 0 else 0.61,
            "calmar": None if trades == 0 else 0.12,
            "max_drawdown_pct": float(100 * drawdown.min()),
            "max_drawdown_bars": 811,
            "longest_drawdown_bars": 902,
            "turnover_per_year": trades / years,
            "exposure_pct": float(100 * (weights[book] != 0).mean()),
            "trades": trades,
            "hit_rate_pct": None if trades < 2 else 51.25,
            "cost_paid_pct": trades * 0.15,
            "break_even_cost_bps": None if trades < 2 else 11.5,
        }
    scores = {
        "bars": len(returns),
        "mae_bps": 81.2,
        "rmse_bps": 120.4,
        "r2": -0.0041,
        "directional_accuracy_pct": 52.1,
        "auc": 0.512,
        "persistence_mae_bps": 80.9,
        "persistence_rmse_bps": 119.8,
        "r2_vs_persistence": -0.0102,
        "up_share_pct": 54.3,
    }
    persistence = {**scores, "mae_bps": 80.9, "rmse_bps": 119.8, "auc": None, "r2": -0.0008}
    persistence |= {"directional_accuracy_pct": None, "r2_vs_persistence": 0.0}
    return {
        "span": {
            "first": day(returns.index[0]),
            "last": day(returns.index[-1]),
            "bars": len(returns),
            "periods_per_year": 252.0,
        },
        "books": books,
        "forecasts": {
            "strategy": scores,
            "ridge": {**scores, "mae_bps": 80.7, "auc": 0.521},
            "persistence": persistence,
        },
    }


def make_trades(weight: np.ndarray, price: pd.Series, returns: pd.Series) -> pd.DataFrame:
    """Fills of the bar after each change of the weight: what was bought is what is sold again."""
    equity, units, rows = (1 + returns).cumprod(), 0.0, []
    for bar in (np.flatnonzero(np.diff(weight, prepend=0.0)) + 1).tolist():
        if bar == len(weight):
            break
        target = weight[bar - 1] * equity.iloc[bar - 1] / price.iloc[bar]
        size, units = target - units, target
        value = abs(size) * price.iloc[bar]
        rows.append(
            {
                "timestamp": price.index[bar],
                "book": "strategy",
                "symbol": "SP500",
                "side": "buy" if size > 0 else "sell",
                "size": abs(size),
                "price": price.iloc[bar],
                "fee": 0.001 * value,
                "slippage_cost": 0.0005 * value,
                "equity": equity.iloc[bar - 1],
            }
        )
    return pd.DataFrame(rows)


def estimate(value: float | None, p: float) -> dict:
    if value is None:
        return dict.fromkeys(("estimate", "low", "high", "p_value", "block_length_bars"))
    return {
        "estimate": value,
        "low": value - 0.52,
        "high": value + 0.5,
        "p_value": p,
        "block_length_bars": 6.4,
    }


def make_significance(metrics: dict) -> dict:
    ratios = {name: figures["sharpe"] for name, figures in metrics["books"].items()}
    mine = ratios["strategy"]
    gaps = {name: None if ratio is None else mine - ratio for name, ratio in ratios.items()}
    return {
        "method": {
            "bootstrap": "stationary",
            "resamples": 10_000,
            "confidence": 0.95,
            "source": "Politis & Romano 1994; block length Politis & White 2004",
        },
        "sharpe": {name: estimate(ratio, 0.081) for name, ratio in ratios.items()},
        "differences": {
            name: estimate(gap, 0.22) | {"p_value_holm": None if gap is None else 0.66}
            for name, gap in gaps.items()
            if name != "strategy"
        },
        "verdict": {
            "grade": "none",
            "sentence": "No evidence that the strategy earned more for its risk than holding: "
            "the 95 % interval of the difference in Sharpe ratios includes zero.",
        },
    }


@pytest.fixture(scope="session")
def run() -> Run:
    """Six books over 3,780 business days; the same every time."""
    rng = np.random.default_rng(20_031_118)
    bars_in_all = TRAIN + VALIDATION + TEST * WINDOWS
    index = pd.bdate_range("1999-01-04", periods=bars_in_all, tz="UTC", name="timestamp")
    index = index.as_unit("us")
    bars = make_bars(index, rng)
    windows = make_windows(index, rng)
    days = index[TRAIN + VALIDATION :]
    close = bars[bars["symbol"] == "SP500"].set_index("timestamp")["close"]
    change = close.pct_change().reindex(days).to_numpy()
    weights, columns = {}, {}
    for book in BOOKS:
        flips = np.cumsum(rng.random(len(days)) < 0.02) % 2
        weight = np.ones(len(days)) if book == "buy_and_hold" else flips.astype(float)
        if book == "strategy":
            weight[2000:2300] *= -1
        if book == "persistence":
            weight = np.zeros(len(days))
        held = np.r_[0.0, weight[:-1]]
        cost = 0.0015 * np.abs(np.diff(held, prepend=0.0))
        drift = 2e-4 * held if book == "strategy" else 0.0
        weights[book], columns[book] = weight, held * change - cost + drift
    returns = pd.DataFrame(columns, index=days)
    positions = pd.concat(
        pd.DataFrame({"timestamp": days, "book": book, "symbol": "SP500", "weight": weight})
        for book, weight in weights.items()
    ).sort_values(["timestamp", "book"], ignore_index=True)
    trades = make_trades(weights["strategy"], close.reindex(days), returns["strategy"])
    actual = np.r_[change[1:], np.nan]
    predictions = pd.concat(
        pd.DataFrame(
            {
                "timestamp": days,
                "symbol": "SP500",
                "window": np.arange(len(days)) // TEST,
                "seed": seed,
                "horizon": 1,
                "predicted": rng.normal(0, 0.001, len(days)),
                "actual": actual,
            }
        )
        for seed in range(2)
    ).sort_values(["timestamp", "seed"], ignore_index=True)
    metrics = make_metrics(returns, weights)
    sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    manifest = {
        "run_id": "3fa94c0b7d12",
        "strategy_name": "micdl",
        "strategy_file": "strategies/micdl.yaml",
        "strategy": {
            "name": "micdl",
            "description": "Convolution and LSTM branches, one a series, after Livieris et al.",
            "costs": {"fee_bps": 10.0, "slippage_bps": 5.0, "borrow_bps_per_year": 0.0},
            "execution": {"delay": 1, "price": "open"},
            "opponents": [
                {"kind": "buy_and_hold"},
                {"kind": "ma_crossover", "fast": 20, "slow": 100, "side": "long_only"},
                {"kind": "mean_reversion", "window": 20, "enter_z": 1.5, "exit_z": 0.0},
                {"kind": "ridge"},
                {"kind": "persistence"},
            ],
        },
        "dataset": {
            "name": "us-indices",
            "note": "Ships with the arch package.",
            "interval": "1d",
            "calendar": "XNYS",
            "offline": True,
            "notices": [
                "No source of crypto-majors could be reached: this run used the offline dataset "
                "us-indices instead.",
            ],
            "symbols": {
                symbol: {
                    "source": "bundled",
                    "first": day(index[0]),
                    "last": day(index[-1]),
                    "rows": len(index),
                    "sha256": sha,
                }
                for symbol in SYMBOLS
            },
        },
        "target": ["SP500"],
        "inputs": ["SP500:return_1", "SP500:rsi_14", "NASDAQ:return_1"],
        "windows": windows,
        "versions": {"python": "3.11.4", "tensorflow": "2.21.0", "pandas": "3.1.1"},
        "seeds": {"seed": 7, "count": 2},
        "machine": {"platform": "Linux x86_64", "cpu_count": 2, "workers": 2},
        "timings_s": {"data": 0.31, "features": 0.12, "refits": 64.2, "total": 71.4},
        "started_at": "2026-11-20T10:00:00+00:00",
        "command": "backtest run strategies/micdl.yaml",
    }
    made_up = Run(
        run_id="3fa94c0b7d12",
        run_dir=Path("reports/micdl/3fa94c0b7d12"),
        manifest=make_manifest(**manifest),
        bars=bars,
        predictions=predictions,
        positions=positions,
        returns=returns,
        trades=trades,
        metrics=make_metrics_document(**metrics),
        significance=make_significance_document(**make_significance(metrics)),
    )
    return with_analysis(made_up)
