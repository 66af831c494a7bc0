"""Statistical inference: bootstrap, HAC, SPA, deflated Sharpe ratio, overfitting, tests."""

from engine.evaluation.inference.aligned_ranks import (
    AlignedRanksTest,
    ControlComparison,
    compare_with_control,
    friedman_aligned_ranks,
)
from engine.evaluation.inference.bootstrap import (
    SharpeInference,
    infer_sharpe_ratios,
)
from engine.evaluation.inference.diagnostics import (
    augmented_dickey_fuller,
    breusch_godfrey,
    ljung_box,
)
from engine.evaluation.inference.hac import (
    MIN_BARS,
    HacInterval,
    hac_interval,
    long_run_variance,
    sharpe_influence,
)
from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult
from engine.evaluation.inference.multiple_testing import (
    finner,
    holm,
    holm_by_name,
)
from engine.evaluation.inference.pbo import (
    BacktestOverfitting,
    probability_of_backtest_overfitting,
)
from engine.evaluation.inference.permutation import (
    TimingTest,
    fill_to_fill_returns,
    timing_permutation_test,
)
from engine.evaluation.inference.regression import (
    HacRegression,
    fit_hac_regression,
)
from engine.evaluation.inference.sharpe_significance import (
    TrackRecord,
    deflated_sharpe,
    expected_maximum_sharpe,
    measure_track_record,
    minimum_track_record_length,
    probabilistic_sharpe,
)
from engine.evaluation.inference.spa import (
    run_superiority_tests,
    spa_p_values,
    stepm_p_values,
)
from engine.evaluation.inference.stationary_bootstrap import optimal_block_length
from engine.evaluation.inference.trial_set import TrialSet

__all__ = [
    "MIN_BARS",
    "AlignedRanksTest",
    "BacktestOverfitting",
    "ControlComparison",
    "HacInterval",
    "HacRegression",
    "HypothesisTestResult",
    "SharpeInference",
    "TimingTest",
    "TrackRecord",
    "TrialSet",
    "augmented_dickey_fuller",
    "breusch_godfrey",
    "compare_with_control",
    "deflated_sharpe",
    "expected_maximum_sharpe",
    "fill_to_fill_returns",
    "finner",
    "fit_hac_regression",
    "friedman_aligned_ranks",
    "hac_interval",
    "holm",
    "holm_by_name",
    "infer_sharpe_ratios",
    "ljung_box",
    "long_run_variance",
    "measure_track_record",
    "minimum_track_record_length",
    "optimal_block_length",
    "probabilistic_sharpe",
    "probability_of_backtest_overfitting",
    "run_superiority_tests",
    "sharpe_influence",
    "spa_p_values",
    "stepm_p_values",
    "timing_permutation_test",
]
