"""`rival_statistics.py TOOL SAMPLES.npz`: figures of another tool, as one JSON object.

Runs in the environment of the other tools. A tool is asked with the moments where it takes them,
with a series that has them where it takes returns alone. `None` where it has no such figure.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from rival_samples import DSR, DSR_TRIALS, DSR_VARIANCE, LEVEL, MINTRL, MINTRL_BENCHMARK, PSR

if TYPE_CHECKING:
    from collections.abc import Callable

DEVIATION = DSR_VARIANCE**0.5
Z_LEVEL = 1.6449
BLOCK = 20
"""Bars of a cluster of nullbar's t-statistic; its documentation has the day of hourly bars."""


def _moments(returns: np.ndarray) -> tuple[float, float, float]:
    scores = (returns - returns.mean()) / returns.std()
    sharpe = returns.mean() / returns.std(ddof=1)
    return float(sharpe), float(np.mean(scores**3)), float(np.mean(scores**4))


def monte_neo(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`monte_neo.verify.stats`, `confidence` and `pbo`."""
    from monte_neo.verify.confidence import min_track_record_bars
    from monte_neo.verify.pbo import pbo_cscv
    from monte_neo.verify.stats import deflated_sharpe, expected_max_sharpe, probabilistic_sharpe

    hurdle = expected_max_sharpe(DSR_TRIALS, DSR_VARIANCE)
    moments = (DSR.sharpe, DSR.bars, DSR.skewness, DSR.kurtosis)
    return {
        "psr": probabilistic_sharpe(PSR.sharpe, PSR.bars, PSR.skewness, PSR.kurtosis),
        "dsr": probabilistic_sharpe(*moments, hurdle),
        "mintrl": min_track_record_bars(MINTRL.sharpe, 0.0, 3.0, sr_benchmark=MINTRL_BENCHMARK),
        "pbo": [pbo_cscv(samples[name].T)["pbo"] for name in MATRICES],
        "tests": {"PSR": lambda returns: deflated_sharpe(returns)["psr"] > 1 - LEVEL},
    }


def tokio_ai(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`tokio_ai.sharpe`, `check_backtest` and `probability_of_overfitting`."""
    import tokio_ai as tool

    deflated = tool.deflated_sharpe_ratio(samples["dsr"], DSR_TRIALS, sharpe_variance=DSR_VARIANCE)
    probability = tool.probabilistic_sharpe_ratio
    return {
        "psr": probability(samples["psr"]).psr,
        "dsr": deflated.psr,
        "mintrl": tool.min_track_record_length(samples["mintrl"], MINTRL_BENCHMARK),
        "pbo": [tool.probability_of_overfitting(samples[name]).pbo for name in MATRICES],
        "tests": {
            "PSR": lambda returns: probability(returns).psr > 1 - LEVEL,
            "PSR, dependence": lambda returns: (
                probability(returns, dependence=True).psr > 1 - LEVEL
            ),
            "check_backtest": lambda returns: tool.check_backtest(returns).p_value <= LEVEL,
        },
    }


def nullbar(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`nullbar.psr`, `dsr` and `clustered_t`."""
    import nullbar as tool

    del samples

    def psr_of(returns: np.ndarray) -> float:
        sharpe, skewness, kurtosis = _moments(returns)
        return float(tool.psr(sharpe, len(returns), skew=skewness, kurtosis=kurtosis))

    return {
        "psr": tool.psr(PSR.sharpe, PSR.bars, skew=PSR.skewness, kurtosis=PSR.kurtosis),
        "dsr": tool.dsr(
            DSR.sharpe,
            DSR.bars,
            DSR_TRIALS,
            DSR_VARIANCE,
            skew=DSR.skewness,
            kurtosis=DSR.kurtosis,
        ),
        "tests": {
            "PSR": lambda returns: psr_of(returns) > 1 - LEVEL,
            f"clustered t, {BLOCK} bars": lambda returns: (
                tool.clustered_t(returns, np.arange(len(returns)) // BLOCK)[0] > Z_LEVEL
            ),
        },
    }


def nullius(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`deflated_sharpe_ratio` and `probability_of_backtest_overfitting`."""
    import nullius as tool

    ratio, overfit = tool.deflated_sharpe_ratio, tool.probability_of_backtest_overfitting
    return {
        "psr": ratio(samples["psr"], n_trials=1, var_across_trials=0.0)["dsr"],
        "dsr": ratio(samples["dsr"], n_trials=DSR_TRIALS, var_across_trials=DSR_VARIANCE)["dsr"],
        "pbo": [overfit(samples[name])["pbo"] for name in MATRICES],
        "tests": {
            "PSR": lambda returns: (
                ratio(returns, n_trials=1, var_across_trials=0.0)["dsr"] > 1 - LEVEL
            )
        },
    }


def quantproof(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`probabilistic_sharpe` and `deflated_sharpe`."""
    import quantproof as tool

    del samples
    hurdle = tool.expected_max_sr(DSR_TRIALS, DEVIATION)
    moments = (DSR.bars, DSR.skewness, DSR.kurtosis)
    return {
        "psr": tool.probabilistic_sharpe(PSR.sharpe, 0.0, PSR.bars, PSR.skewness, PSR.kurtosis),
        "dsr": tool.probabilistic_sharpe(DSR.sharpe, hurdle, *moments),
        "tests": {"PSR": lambda returns: tool.deflated_sharpe(returns, 1)["passes_95"]},
    }


def quant_harness(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`harness`: PSR, DSR, minimum track record and PBO."""
    import harness as tool
    from harness.pbo import pbo_cscv

    psr = tool.probabilistic_sharpe_ratio
    return {
        "psr": psr(samples["psr"]),
        "dsr": tool.deflated_sharpe_ratio(samples["dsr"], DSR_TRIALS, DSR_VARIANCE),
        "mintrl": tool.min_track_record_length(
            MINTRL.sharpe, MINTRL_BENCHMARK, 0.0, 3.0, 1 - LEVEL
        ),
        "pbo": [pbo_cscv(samples[name].T) for name in MATRICES],
        "tests": {"PSR": lambda returns: psr(returns) > 1 - LEVEL},
    }


def sharpebench(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """Its compiled functions of the same names, and the block bootstrap of the mean."""
    import sharpebench as tool

    psr, overfit = tool.probabilistic_sharpe_ratio, tool.probability_of_backtest_overfitting
    return {
        "psr": psr(samples["psr"]),
        "dsr": tool.deflated_sharpe_ratio(samples["dsr"], DSR_TRIALS, DEVIATION),
        "mintrl": tool.min_track_record_length(samples["mintrl"], MINTRL_BENCHMARK),
        "pbo": [overfit(samples[name]) for name in MATRICES],
        "tests": {
            "PSR": lambda returns: psr(returns) > 1 - LEVEL,
            "bootstrap of the mean": lambda returns: (
                tool.bootstrap_pvalue(returns, seed=1) <= LEVEL
            ),
        },
    }


def fullbacktester(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`probabilistic_sharpe_ratio`, `deflated_sharpe_ratio` and CSCV."""
    import fullbacktester as tool

    psr, overfit = tool.probabilistic_sharpe_ratio, tool.probability_of_backtest_overfitting

    def psr_of(returns: np.ndarray) -> float:
        sharpe, skewness, kurtosis = _moments(returns)
        return float(psr(sharpe, 0.0, len(returns), skewness, kurtosis - 3.0))

    dsr = tool.deflated_sharpe_ratio(
        DSR.sharpe, DSR.bars, DSR_TRIALS, DSR_VARIANCE, DSR.skewness, DSR.kurtosis - 3.0
    )
    return {
        "psr": psr(PSR.sharpe, 0.0, PSR.bars, PSR.skewness, PSR.kurtosis - 3.0),
        "dsr": dsr,
        "pbo": [overfit(samples[name]).pbo for name in MATRICES],
        "tests": {"PSR": lambda returns: psr_of(returns) > 1 - LEVEL},
    }


def holdout_backtest(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """`holdout`: PSR, DSR, minimum track record and PBO."""
    import holdout as tool

    psr, overfit = tool.probabilistic_sharpe_ratio, tool.probability_of_backtest_overfitting

    def psr_of(returns: np.ndarray) -> float:
        sharpe, skewness, kurtosis = _moments(returns)
        return float(psr(sharpe, len(returns), skewness=skewness, kurtosis=kurtosis))

    return {
        "psr": psr(PSR.sharpe, PSR.bars, skewness=PSR.skewness, kurtosis=PSR.kurtosis),
        "dsr": tool.deflated_sharpe_ratio(
            DSR.sharpe,
            DSR.bars,
            n_trials=DSR_TRIALS,
            trials_variance=DSR_VARIANCE,
            skewness=DSR.skewness,
            kurtosis=DSR.kurtosis,
        ),
        "mintrl": tool.minimum_track_record_length(MINTRL.sharpe, benchmark=MINTRL_BENCHMARK),
        "pbo": [overfit(samples[name]).pbo for name in MATRICES],
        "tests": {"PSR": lambda returns: psr_of(returns) > 1 - LEVEL},
    }


MATRICES = ("matrix", "matrix_with_edge")
STATISTICS: dict[str, Callable[[dict[str, np.ndarray]], dict[str, Any]]] = {
    "monte-neo": monte_neo,
    "tokio-ai": tokio_ai,
    "nullbar": nullbar,
    "nullius": nullius,
    "quantproof": quantproof,
    "quant-harness": quant_harness,
    "sharpebench": sharpebench,
    "fullbacktester": fullbacktester,
    "holdout-backtest": holdout_backtest,
}


def report(figures: dict[str, Any], samples: dict[str, np.ndarray]) -> None:
    """Writes the figures of a tool, and the share of noise that each of its tests finds.

    Args:
        figures: By name; `tests` has functions of returns to whether they are significant.
        samples: Of `rival_samples`.
    """
    tests = figures.pop("tests")
    shares = {
        name: {
            kind: float(np.mean([bool(test(returns)) for returns in samples[kind]]))
            for kind in ("independent", "autocorrelated")
        }
        for name, test in tests.items()
    }
    sys.stdout.write(json.dumps({**figures, "shares": shares}) + "\n")


if __name__ == "__main__":
    with np.load(sys.argv[2]) as stored:
        everything = dict(stored)
    report(STATISTICS[sys.argv[1]](everything), everything)
