"""Everything that significance.json may hold beyond Sharpe ratios and differences, made up."""

from __future__ import annotations

from typing import Any

from engine.evaluation.robustness.sensitivity_sentence import describe_sensitivity
from tests.reporting.truth_paths import path_truth


def outcome(statistic: float | None, p_value: float | None, **others: Any) -> dict[str, Any]:
    figures = {"statistic": statistic, "p_value": p_value, "degrees": None, "lags": 10}
    return figures | {"observations": 3779} | others


def ranked(
    rank: float, error: float, p_value: float | None, adjusted: float | None
) -> dict[str, float | None]:
    figures = {"average_rank": rank, "relative_rmse": error}
    return figures | {"p_value": p_value, "p_value_finner": adjusted}


def surface() -> dict[str, Any]:
    """Falls with cost and delay, highest at the chosen threshold; one cell never trades."""
    costs, delays, entries = (
        [0.0, 7.5, 15.0, 30.0, 60.0],
        [1, 2, 3, 5],
        [0.0, 2.5, 5.0, 10.0, 20.0],
    )
    bonus = (-0.2, 0.0, 0.35, 0.1, -0.35)
    sharpe: list[list[list[float | None]]] = [
        [[0.62 - 0.021 * cost - 0.11 * delay + more for more in bonus] for delay in delays]
        for cost in costs
    ]
    sharpe[4][3][4] = None
    figures = {
        "cost_bps": costs,
        "delay_bars": delays,
        "threshold": entries,
        "threshold_unit": "bps",
        "threshold_bps": entries,
        "sharpe": sharpe,
        "break_even_cost_bps": 41.0,
        "searched_to_bps": 2000.0,
        "chosen": {
            "cost_bps": 15.0,
            "delay_bars": 1,
            "threshold": 5.0,
            "threshold_bps": 5.0,
            "sharpe": sharpe[2][0][2],
        },
    }
    return figures | {"sentence": describe_sensitivity(figures)}


def selection(estimate: float, p_value: float) -> dict[str, Any]:
    """A test of the best of all trials."""
    return {
        "estimate": estimate,
        "statistic": 1.72,
        "p_value": p_value,
        "single_p_value": 0.0427,
        "effective_trials": 12.2,
        "expected_maximum": 0.384,
        "hurdle": 0.71,
        "detectable": 0.93,
        "effective_bars": 812.4,
    }


def truth(significance: dict[str, Any]) -> dict[str, Any]:
    """What a run of now adds to the significance.json of the runs of before."""
    with_hac = {
        book: figures
        | {"hac_low": figures["low"] and figures["low"] + 0.03,
           "hac_high": figures["high"] and figures["high"] - 0.02,
           "p_value_holm": figures["p_value"] and 0.324}
        for book, figures in significance["sharpe"].items()
    }  # fmt: skip
    return {
        "sharpe": with_hac,
        "superiority": {
            "benchmark": "buy_and_hold",
            "block_length_bars": 7.3,
            "spa": {"lower": 0.241, "consistent": 0.312, "upper": 0.35},
            "stepm": [],
            "p_values": {"strategy": 0.301, "ma_crossover": 0.92, "ridge": 0.61},
        },
        "trials": {
            "runs": 41,
            "failed": 3,
            "distinct": 38,
            "elsewhere": 5,
            "effective": 7.2,
            "tuning": 240,
            "idea": {
                "looks": 3,
                "start_dates": 3,
                "end_dates": 1,
                "targets": 1,
                "intervals": 1,
                "datasets": 1,
                "benchmarks": 1,
                "confidences": 1,
            },
            "since": "2026-11-01T08:30:00+00:00",
        },
        "selection": {
            "level": 0.05,
            "sharpe": selection(0.44, 0.2371),
            "lead": selection(0.21, 0.6122),
            "minimum_backtest_years": 11.4,
        },
        "track_record": {
            "probabilistic_sharpe": 0.9561,
            "deflated_sharpe": 0.7312,
            "expected_maximum_sharpe": 0.384,
            "minimum_bars": 3511.4,
            "bars": 3780,
            "skewness": -0.41,
            "kurtosis": 9.3,
        },
        "unseen_tail": {
            "bars": 3780,
            "skewness": -0.41,
            "gaining_share": 0.541,
            "largest_loss": 0.0723,
            "erasing_loss": 0.4871,
            "grade_ending_loss": None,
            "rarest_seen_bars": 1262.3,
            "unseen_probability": 0.0005,
            "warning": None,
        },
        "overfitting": {
            "probability": 0.312,
            "configurations": 38,
            "blocks": 16,
            "splits": 12870,
            "median_logit": 0.61,
            "loss_probability": 0.221,
        },
        "timing": {"sharpe": 0.031, "p_value": 0.0412, "shifts": 3402, "nearest_bars": 189},
        "forecasts": {
            "diebold_mariano": {
                "no_change": outcome(1.21, 0.227, p_value_holm=0.454),
                "ridge": outcome(-2.91, 0.0036, p_value_holm=0.0109),
                "persistence": outcome(1.21, 0.227, p_value_holm=0.454),
            },
            "clark_west": {"no_change": outcome(1.83, 0.0336), "drift": outcome(0.42, 0.337)},
            "pesaran_timmermann": outcome(0.71, 0.239),
        },
        "ranks": {
            "windows": 32,
            "statistic": 41.3,
            "degrees": 2,
            "p_value": 0.0000001,
            "best": "no_change",
            "models": {
                "no_change": ranked(20.1, 1.0, None, None),
                "strategy": ranked(40.2, 1.0031, 0.0041, 0.0041),
                "ridge": ranked(33.3, 1.0022, 0.058, 0.058),
            },
        },
        "residuals": {
            "ljung_box": outcome(31.2, 0.0005),
            "breusch_godfrey": outcome(29.9, 0.0009),
        },
        "inputs": {
            "adf": {
                "SP500:return_1": outcome(-31.2, 0.0, p_value_holm=0.0),
                "SP500:rsi_14": outcome(-12.1, 0.0, p_value_holm=0.0),
                "NASDAQ:obv": outcome(-1.9, 0.33, p_value_holm=0.33),
            }
        },
        "seeds": {
            "count": 3,
            "sharpe_by_seed": [0.21, 0.48, None],
            "sharpe_by_window": [[0.3, 0.5, None], [None, -0.4, None]],
            "seed_deviation": 0.19,
            "seed_deviation_low": 0.09,
            "seed_deviation_high": 6.1,
            "sampling_deviation": 0.26,
            "share": 0.348,
        },
        "level_trap": {
            "present": True,
            "r2_prices": 0.9981,
            "r2_prices_persistence": 0.9982,
            "r2_vs_persistence": -0.0102,
            "r2_vs_drift": -0.011,
            "direction_pct": 52.1,
            "up_pct": 54.3,
            "sentence": "The R² of 0.998 on prices is the level-forecast trap: repeating the last "
            "price has 0.998.",
        },
        "fragility": surface(),
        **path_truth(),
    }
