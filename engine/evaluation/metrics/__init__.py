"""Performance metrics of a series of returns, of weights and of fills."""

from engine.evaluation.metrics.attribution import (
    GroupContribution,
    ReturnContributions,
    attribute_returns,
    sum_by_group,
)
from engine.evaluation.metrics.distribution import (
    DistributionStatistics,
    TailLoss,
    distribution_statistics,
    tail_loss,
)
from engine.evaluation.metrics.fill_matching import (
    RoundTrip,
    match_fills,
)
from engine.evaluation.metrics.market_regimes import (
    REGIME_NAMES,
    label_regimes,
)
from engine.evaluation.metrics.performance import performance_metrics
from engine.evaluation.metrics.return_metrics import (
    annualised_volatility,
    cagr,
    calmar,
    drawdowns,
    longest_drawdown_bars,
    max_drawdown,
    max_drawdown_bars,
    sharpe,
    sharpe_by_window,
    sortino,
    total_return,
)
from engine.evaluation.metrics.rolling import (
    rolling_beta,
    rolling_sharpe,
    rolling_turnover,
    rolling_volatility,
    rolling_window_length,
)
from engine.evaluation.metrics.round_trips import (
    RoundTripSummary,
    round_trip_table,
    summarise_round_trips,
)
from engine.evaluation.metrics.trade_metrics import (
    break_even_cost,
    cost_paid,
    exposure,
    hit_rate,
    round_trip_profits,
    turnover_per_year,
    wait_metrics,
)

__all__ = [
    "REGIME_NAMES",
    "DistributionStatistics",
    "GroupContribution",
    "ReturnContributions",
    "RoundTrip",
    "RoundTripSummary",
    "TailLoss",
    "annualised_volatility",
    "attribute_returns",
    "break_even_cost",
    "cagr",
    "calmar",
    "cost_paid",
    "distribution_statistics",
    "drawdowns",
    "exposure",
    "hit_rate",
    "label_regimes",
    "longest_drawdown_bars",
    "match_fills",
    "max_drawdown",
    "max_drawdown_bars",
    "performance_metrics",
    "rolling_beta",
    "rolling_sharpe",
    "rolling_turnover",
    "rolling_volatility",
    "rolling_window_length",
    "round_trip_profits",
    "round_trip_table",
    "sharpe",
    "sharpe_by_window",
    "sortino",
    "sum_by_group",
    "summarise_round_trips",
    "tail_loss",
    "total_return",
    "turnover_per_year",
    "wait_metrics",
]
