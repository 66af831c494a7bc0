"""The sections of significance.json about the path, made up."""

from __future__ import annotations

from typing import Any


def quantiles(*values: float) -> dict[str, float]:
    return dict(zip(("p5", "p25", "p50", "p75", "p95"), values, strict=True))


def path_book(loss: float, worst: float) -> dict[str, Any]:
    return {
        "max_drawdown_pct": quantiles(worst, -24.0, -17.5, -12.0, -8.0),
        "longest_drawdown_bars": quantiles(40, 80, 130, 190, 251),
        "total_return_pct": quantiles(-21.0, -4.0, 6.5, 17.0, 35.0),
        "loss_probability": loss,
        "drawdown_probability": {"20": 0.413, "30": 0.121, "50": 0.004},
    }


def path_risk() -> dict[str, Any]:
    horizons = [
        {
            "years": years,
            "bars": round(252 * years),
            "books": {
                "strategy": path_book(0.334, -34.5),
                "buy_and_hold": path_book(0.271, -41.0),
                "ridge": path_book(0.5, -50.0),
            },
            "behind_probability": {"buy_and_hold": 0.618, "ridge": 0.4},
        }
        for years in (1.0, 3.0)
    ]
    realised = {
        book: {
            "max_drawdown_pct": depth,
            "deeper_probability": share,
            "levels": [0.01, 0.5, 0.99],
            "quantiles_pct": [-70.0, -35.0, -15.0],
        }
        for book, depth, share in (("strategy", -41.2, 0.287), ("buy_and_hold", -55.0, 0.1))
    }
    return {
        "resamples": 2000,
        "block_length_bars": 31.5,
        "cell_bars": 1.0,
        "bars": 3780,
        "horizons": horizons,
        "left_out_years": [5.0],
        "realised": realised,
    }


def stability() -> dict[str, Any]:
    decay = {
        "first_window_pct": 12.5,
        "later_pct": 2.5,
        "difference_standard_error_pct": 8.0,
        "p_value": 0.106,
        "p_value_holm": 0.424,
        "slope_pct": -1.25,
        "slope_standard_error_pct": 0.9,
        "slope_p_value": 0.082,
        "slope_p_value_holm": 0.41,
    }
    broken = {
        "statistic": 14.2,
        "p_value": 0.0041,
        "p_value_holm": 0.0246,
        "bar": "2009-03-09T00:00:00+00:00",
        "before": 1.31,
        "after": -0.42,
    }
    whole = broken | {"statistic": 3.1, "p_value": 0.6, "p_value_holm": 1.0}
    return {
        "bars": 3780,
        "breaks": {"lead": whole, "sharpe": broken},
        "decay": {"lead": decay, "return": decay},
    }


def spread(low: float, high: float) -> dict[str, float]:
    middle = (low + high) / 2
    figures = {"minimum": low, "p25": low, "median": middle, "p75": high, "maximum": high}
    return figures | {"positive_share": 0.75, "above_holding_share": 0.25}


def window_subsets() -> dict[str, Any]:
    subset = {"window": 0, "first": "1999-01-04T00:00:00+00:00", "bars": 3780}
    starts = [subset | {"sharpe": 0.31, "holding_sharpe": 0.44}, subset | {"window": 1}]
    return {
        "starts": starts,
        "without": starts,
        "starts_spread": spread(-0.12, 0.57),
        "without_spread": spread(0.18, 0.39),
    }


def offset_paths() -> dict[str, Any]:
    paths = [
        {
            "offset": offset,
            "shift_bars": 63 * offset,
            "windows": 15,
            "left_out_fits": 0,
            "sharpe": ratio,
            "total_return_pct": 31.0,
            "max_drawdown_pct": -28.0,
        }
        for offset, ratio in enumerate((0.31, 0.12, None, -0.05))
    ]
    return {
        "offsets": 4,
        "first": "1999-10-01T00:00:00+00:00",
        "bars": 3591,
        "paths": paths,
        "spread": spread(-0.05, 0.31),
        "rank": 1,
        "holding_sharpe": 0.44,
    }


def combinatorial_paths() -> dict[str, Any]:
    def book(ratio: float) -> dict[str, float]:
        return {"sharpe": ratio, "total_return_pct": 47.0, "max_drawdown_pct": -33.0}

    ratios = ((-0.21, -0.05), (0.08, 0.22), (0.33, 0.41))
    return {
        "groups": 4,
        "test_groups": 2,
        "splits": 6,
        "fits": 6,
        "left_out_fits": 1,
        "group_bars": 1210,
        "purge_bars": 1,
        "embargo_bars": 20,
        "reach_bars": 45,
        "train_rows": [2105, 2188],
        "first": "1999-02-03T00:00:00+00:00",
        "last": "2018-12-28T00:00:00+00:00",
        "bars": 4841,
        "paths": [
            book(ratio) | {"path": number, "splits": [1, 1, 2, 3], "common_sharpe": common}
            for number, (ratio, common) in enumerate(ratios, start=1)
        ],
        "sharpe": spread(-0.21, 0.33),
        "total_return_pct": spread(-30.5, 61.0),
        "max_drawdown_pct": spread(-55.0, -31.0),
        "negative_share": 0.333,
        "loss_share": 0.333,
        "below_holding_share": 0.667,
        "holding": book(0.3),
        "common": {
            "bars": 3650,
            "sharpe": spread(-0.05, 0.41),
            "run": book(0.57),
            "holding": book(0.44),
            "rank": 1,
        },
    }


def path_truth() -> dict[str, Any]:
    """All sections by their keys."""
    return {
        "path_risk": path_risk(),
        "stability": stability(),
        "window_subsets": window_subsets(),
        "offset_paths": offset_paths(),
        "combinatorial_paths": combinatorial_paths(),
    }
