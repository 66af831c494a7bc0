"""`metrics.json`: the figures of every book, and the scores of every model's forecasts."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.base import Document, DocumentPart
from engine.runs.documents.live_path import LivePath
from engine.runs.documents.rates import AnnualRate


class SpanFigures(DocumentPart):
    """The out-of-sample bars.

    Attributes:
        first: First bar, ISO 8601.
        last: Last bar.
        bars: How many.
        periods_per_year: Bars a year on the dataset's calendar.
    """

    first: str
    last: str
    bars: int
    periods_per_year: float


class BookMetrics(DocumentPart):
    """The figures of one book; None where one is not defined.

    A book that lost all of its equity has no volatility, no ratio of return to risk and no
    break-even cost.

    Attributes:
        total_return_pct: Over the whole span, after costs.
        cagr_pct: Compound annual growth rate.
        volatility_pct: Annualised standard deviation of the returns.
        sharpe: Sharpe ratio of the returns above `risk_free_rate`, annualised.
        sortino: Sortino ratio of the same returns, annualised.
        calmar: CAGR over the absolute max drawdown.
        max_drawdown_pct: At or below 0.
        max_drawdown_bars: Duration of the max drawdown, from its peak to recovery or to the end.
        longest_drawdown_bars: Longest time under water: bars from a peak to its recovery or to
            the end, of whatever depth; None of a run whose version did not measure it.
        turnover_per_year: Value traded a year, in multiples of the equity.
        exposure_pct: Share of the closes at which a position was held.
        trades: Fills.
        hit_rate_pct: Share of the finished round trips that made money.
        cost_paid_pct: Fees and slippage, each over the equity at its fill, summed.
        break_even_cost_bps: One-way cost at which the total return is 0.
        orders_waited: Orders that were due at a bar at which nothing traded; None of a run whose
            version filled them there.
        bars_waited: Bars at which they waited, summed over the orders.
        longest_wait_bars: The most bars that one of them waited; 0 without any.
        margin_calls: Closes below the maintenance margin; None of a run whose version had none.
        fills_limited: Bars at which an order was cut to the share of the volume that it may be,
            summed over the orders; None where none was.
        unfilled_pct: Of all value that orders asked for at a bar, what was left for the next one.
        unfilled_orders: Symbol -> bars that its order has waited after the last bar, where a bar
            of the run left a part of an order unfilled.
        rebalancings: Closes at which the book was rebalanced; None where its weights are no
            optimum.
        failed_optima: Those of them that had no optimum, and kept the weights.
        short_histories: Symbol -> those of them at which it had too few closes to take part.
        funding_pct: Funding that the book paid, each over the equity before its bar, summed; below
            0 where it received more. None where the costs do not charge it.
        loan_interest_pct: Interest on borrowed cash, likewise; None where nobody lends.
    """

    total_return_pct: float | None = None
    cagr_pct: float | None = None
    volatility_pct: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    max_drawdown_pct: float | None = None
    max_drawdown_bars: int | None = None
    longest_drawdown_bars: int | None = None
    turnover_per_year: float | None = None
    exposure_pct: float | None = None
    trades: int | None = None
    hit_rate_pct: float | None = None
    cost_paid_pct: float | None = None
    break_even_cost_bps: float | None = None
    orders_waited: int | None = None
    bars_waited: int | None = None
    longest_wait_bars: int | None = None
    margin_calls: int | None = None
    fills_limited: int | None = None
    unfilled_pct: float | None = None
    unfilled_orders: Mapping[str, int] = {}
    rebalancings: int | None = None
    failed_optima: int | None = None
    short_histories: Mapping[str, int] = {}
    funding_pct: float | None = None
    loan_interest_pct: float | None = None


class QuantileInterval(DocumentPart):
    """A forecast interval between two quantiles, and how often the outcome lay inside.

    Attributes:
        low: Level of its lower quantile.
        high: Level of its upper quantile.
        nominal_pct: Share that should lie inside.
        coverage_pct: Share that did, ends included; None without a known outcome.
        mean_width_bps: Mean width; None without a known outcome.
    """

    low: float
    high: float
    nominal_pct: float
    coverage_pct: float | None = None
    mean_width_bps: float | None = None


class HorizonScores(DocumentPart):
    """Scores of one model's forecasts over one horizon; None where not defined.

    Attributes:
        bars: Forecasts with a known outcome.
        mae_bps: Mean absolute error.
        rmse_bps: Root mean squared error.
        r2: Against the mean of the outcomes.
        directional_accuracy_pct: Share of the directions that were right; 0 is down.
        auc: Area under the ROC curve of the forecast as the score of "up".
        persistence_mae_bps: MAE of "the price stays".
        persistence_rmse_bps: RMSE of "the price stays".
        r2_vs_persistence: 1 less the squared errors over those of "the price stays".
        up_share_pct: Share of the outcomes that were up.
        pinball_bps: Pinball loss of the quantiles, where quantiles are forecast.
        unconditional_pinball_bps: The same of the train rows' own quantiles.
        intervals: Each pair of symmetric quantiles, the widest first.
    """

    bars: int | None = None
    mae_bps: float | None = None
    rmse_bps: float | None = None
    r2: float | None = None
    directional_accuracy_pct: float | None = None
    auc: float | None = None
    persistence_mae_bps: float | None = None
    persistence_rmse_bps: float | None = None
    r2_vs_persistence: float | None = None
    up_share_pct: float | None = None
    pinball_bps: float | None = None
    unconditional_pinball_bps: float | None = None
    intervals: tuple[QuantileInterval, ...] = ()


class ForecastScores(HorizonScores):
    """Scores of one model's forecasts over the horizon that is traded.

    Attributes:
        horizons: The same scores of each horizon (key: bars), where there are several.
    """

    horizons: Mapping[str, HorizonScores] = {}


class VolumeFigures(DocumentPart):
    """The out-of-sample bars of one symbol that have a volume of 0.

    Attributes:
        untraded_bars: Those at which nothing traded, so that no order was filled.
        ignored_bars: Those at which orders were filled all the same, because the symbol's volumes
            say nothing: the source wrote 0 before, too, for bars whose price moved.
    """

    untraded_bars: int
    ignored_bars: int


class Metrics(Document):
    """`metrics.json`; the key of every figure names its unit.

    Attributes:
        span: The out-of-sample bars.
        risk_free_rate: Of the Sharpe and Sortino ratios; 0 in a file that does not have it.
        cash_yield: What the cash of a book earns; likewise.
        books: Book -> its figures.
        forecasts: Book that a model decides -> scores of its forecasts.
        zero_volume: Traded symbol -> its bars with a volume of 0; symbols without any are absent.
        unfunded_bars: Traded symbol -> out-of-sample bars with a payment whose funding rate is not
            known, which was charged as 0; symbols without any are absent.
        live_path: The newest bars replayed as a paper account trades them; None of a run whose
            version did not replay them.
    """

    span: SpanFigures
    risk_free_rate: AnnualRate = AnnualRate()
    cash_yield: AnnualRate = AnnualRate()
    books: Mapping[str, BookMetrics]
    forecasts: Mapping[str, ForecastScores] = {}
    zero_volume: Mapping[str, VolumeFigures] = {}
    unfunded_bars: Mapping[str, int] = {}
    live_path: LivePath | None = None
