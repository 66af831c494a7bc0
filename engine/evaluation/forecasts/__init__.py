"""Forecast scores, calibration and tests of forecasts against outcomes."""

from engine.evaluation.forecasts.accuracy_tests import (
    diebold_mariano,
    pesaran_timmermann,
)
from engine.evaluation.forecasts.calibration import (
    CalibrationBin,
    calibration_curve,
)
from engine.evaluation.forecasts.directional_accuracy import (
    DirectionalAccuracy,
    measure_directional_accuracy,
    wilson_interval,
)
from engine.evaluation.forecasts.model_diagnostics import (
    run_forecast_tests,
    run_input_tests,
    run_residual_tests,
)
from engine.evaluation.forecasts.price_level_r2 import (
    PriceLevelR2Check,
    check_price_level_r2,
)
from engine.evaluation.forecasts.scores import (
    auc,
    average_over_seeds,
    score_forecasts,
    score_quantiles,
)
from engine.evaluation.forecasts.time_series_rank_correlation import TimeSeriesRankCorrelation
from engine.evaluation.forecasts.window_ranking import rank_forecasts_by_window

__all__ = [
    "CalibrationBin",
    "DirectionalAccuracy",
    "PriceLevelR2Check",
    "TimeSeriesRankCorrelation",
    "auc",
    "average_over_seeds",
    "calibration_curve",
    "check_price_level_r2",
    "diebold_mariano",
    "measure_directional_accuracy",
    "pesaran_timmermann",
    "rank_forecasts_by_window",
    "run_forecast_tests",
    "run_input_tests",
    "run_residual_tests",
    "score_forecasts",
    "score_quantiles",
    "wilson_interval",
]
