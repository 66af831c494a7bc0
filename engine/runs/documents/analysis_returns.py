"""Parts of `analysis.json` that are computed from returns and fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from engine.runs.documents.base import DocumentPart


class BenchmarkRegressionFigures(DocumentPart):
    """Least squares of the strategy's return of a bar on the benchmark's, with HAC errors.

    Attributes:
        observations: Bars.
        beta: Slope.
        beta_low: Lower end of its interval; None where the line fits all bars.
        beta_high: Upper end.
        correlation: Of the two; None where the strategy does not vary.
        alpha_pct_per_year: Intercept times the bars of a year: simple returns, not compounded.
        alpha_low_pct_per_year: Lower end of its interval; None where the line fits all bars.
        alpha_high_pct_per_year: Upper end.
        alpha_t_statistic: Over its HAC standard error.
    """

    observations: int
    beta: float
    beta_low: float | None
    beta_high: float | None
    correlation: float | None
    alpha_pct_per_year: float
    alpha_low_pct_per_year: float | None
    alpha_high_pct_per_year: float | None
    alpha_t_statistic: float | None


class TailFigures(DocumentPart):
    """The worst bars of a book.

    Attributes:
        level: Share of the bars, such as 0.05, rounded up to whole bars.
        bars: How many bars these are.
        value_at_risk_pct: The mildest return among them.
        expected_shortfall_pct: Their mean.
    """

    level: float
    bars: int
    value_at_risk_pct: float
    expected_shortfall_pct: float


class DistributionFigures(DocumentPart):
    """Returns of single bars, after costs; losses below 0.

    Attributes:
        bars: How many.
        zero_return_bars: Bars that returned exactly 0.
        mean_pct: Arithmetic mean.
        standard_deviation_pct: ddof 1; 0 where returns do not vary.
        skewness: 0 for a symmetric distribution; None without variation.
        excess_kurtosis: 0 for a normal distribution; None without variation.
        worst_pct: Lowest return.
        worst_bar: Its bar, ISO 8601; the first of equals.
        best_pct: Highest return.
        best_bar: Its bar.
        tails: Value at risk and expected shortfall, by level.
        tail_ratio: 95 % quantile over the absolute 5 % quantile; None where the latter is 0.
        outlier_deviations: Standard deviations below the mean from which a bar is an outlier.
        lower_outliers: How many there are.
        expected_lower_outliers: How many a normal distribution would have.
        lower_outliers_p_value: Probability of at least so many in a normal distribution.
    """

    bars: int
    zero_return_bars: int
    mean_pct: float
    standard_deviation_pct: float
    skewness: float | None
    excess_kurtosis: float | None
    worst_pct: float
    worst_bar: str
    best_pct: float
    best_bar: str
    tails: tuple[TailFigures, ...]
    tail_ratio: float | None
    outlier_deviations: float
    lower_outliers: int
    expected_lower_outliers: float
    lower_outliers_p_value: float


class HistogramFigures(DocumentPart):
    """Returns of a bar in equal bins, one edge at 0; bars that returned exactly 0 are left out.

    Attributes:
        edges_pct: Edges of the bins, ascending; k + 1.
        shares_pct: Book -> share of all of its bars in each bin; k.
        normal_returns_pct: Returns at which the normal distribution is evaluated.
        normal_shares_pct: Share of the bars in a bin around each, of a normal distribution of the
            strategy's mean and standard deviation; both empty where returns do not vary.
    """

    edges_pct: tuple[float, ...]
    shares_pct: Mapping[str, tuple[float, ...]]
    normal_returns_pct: tuple[float, ...] = ()
    normal_shares_pct: tuple[float, ...] = ()


class TailCurves(DocumentPart):
    """Share of a book's bars that lost, or gained, at least so much.

    Each of the largest 60 losses is a point; of the others, those that a log axis can resolve.

    Attributes:
        bars: All bars of the book.
        loss_sizes_pct: Losses as numbers above 0, the largest first.
        loss_bars: How many bars lost at least as much.
        gain_sizes_pct: Gains, the largest first.
        gain_bars: How many bars gained at least as much.
        normal_sizes_pct: Losses at which the normal distribution is evaluated, ascending.
        normal_shares_pct: Share of the bars that it has below each; both empty where returns do
            not vary.
    """

    bars: int
    loss_sizes_pct: tuple[float, ...]
    loss_bars: tuple[int, ...]
    gain_sizes_pct: tuple[float, ...]
    gain_bars: tuple[int, ...]
    normal_sizes_pct: tuple[float, ...] = ()
    normal_shares_pct: tuple[float, ...] = ()


class PeriodReturns(DocumentPart):
    """Compound returns of calendar months and years (UTC), only those with bars.

    Attributes:
        months: `2003-06` -> per cent.
        years: `2003` -> per cent.
    """

    months: Mapping[str, float]
    years: Mapping[str, float]


class SeriesRange(DocumentPart):
    """A series in short.

    Attributes:
        lowest: Its lowest value.
        highest: Its highest value.
        last: Its last value.
        positive_share: Share of its values above 0.
    """

    lowest: float
    highest: float
    last: float
    positive_share: float


class RollingFigures(DocumentPart):
    """Figures of the last bars at each bar, of the strategy; None where no bar has one.

    Attributes:
        window_bars: Length of the rolling window.
        sharpe: Annualised Sharpe ratio.
        volatility_pct: Annualised volatility.
        benchmark_volatility_last_pct: The benchmark's at the last bar; None without a benchmark.
        beta: Slope of the strategy's returns on the benchmark's; None without a benchmark.
        beta_whole_span: The same over all bars.
        turnover_per_year: Value traded a year in multiples of the equity; None where fills lack
            the equity they were made at.
    """

    window_bars: int
    sharpe: SeriesRange | None
    volatility_pct: SeriesRange | None
    benchmark_volatility_last_pct: float | None
    beta: SeriesRange | None
    beta_whole_span: float | None
    turnover_per_year: SeriesRange | None


class ContributionFigures(DocumentPart):
    """Log return of some bars, in per cent: log returns add up over bars, sides and costs.

    Attributes:
        name: What the bars have in common; empty where that is not known yet.
        bar_share_pct: Share of all bars and symbols.
        gross_pct: Before costs.
        cost_pct: Fees, slippage and borrowing, at or below 0.
        interest_pct: What cash earned.
        net_pct: After costs, with interest.
        benchmark_pct: Log return of the benchmark on the same bars; None where it is not defined.
    """

    name: str
    bar_share_pct: float
    gross_pct: float
    cost_pct: float
    interest_pct: float = 0.0
    net_pct: float
    benchmark_pct: float | None


class ContributionGroup(DocumentPart):
    """The strategy's log return, split in one way.

    Attributes:
        key: `volatility` or `trend` (state at the close before), `years`, or `symbols`.
        parts: Together the whole.
        total: Their sum; its name is empty.
    """

    key: Literal["volatility", "trend", "years", "symbols"]
    parts: tuple[ContributionFigures, ...]
    total: ContributionFigures


class AttributionSplit(DocumentPart):
    """Sources of the strategy's log return, in per cent.

    Attributes:
        long_pct: What long positions earned before costs.
        short_pct: What short positions earned before costs.
        fee_pct: Fees, at or below 0.
        slippage_pct: Slippage, at or below 0.
        borrow_pct: Borrowing, at or below 0.
        gross_pct: `long_pct` and `short_pct`.
        cost_pct: Fees, slippage and borrowing.
        interest_pct: What cash earned.
        funding_pct: Funding of perpetuals, below 0 where it was paid.
        loan_interest_pct: Interest on borrowed cash, at or below 0.
        net_pct: `gross_pct`, `cost_pct`, `interest_pct`, `funding_pct` and `loan_interest_pct`.
        growth_factor: Growth that `net_pct` of log return is.
        residual_pct: What the fills do not account for.
        residual_is_rounding: Whether that is rounding alone.
        long_bars_pct: Share of the closes with a long position.
        short_bars_pct: Share of the closes with a short position.
        flat_bars_pct: Share of the closes without a position.
        mean_invested_pct: Of the equity, mean over the closes with a position; None without any.
        groups: By volatility, trend and year, and by symbol where there are several.
    """

    long_pct: float
    short_pct: float
    fee_pct: float
    slippage_pct: float
    borrow_pct: float
    gross_pct: float
    cost_pct: float
    interest_pct: float = 0.0
    # Left out of what is written where nothing is charged, as in earlier versions.
    funding_pct: float = Field(default=0.0, exclude_if=lambda share: share == 0.0)
    loan_interest_pct: float = Field(default=0.0, exclude_if=lambda share: share == 0.0)
    net_pct: float
    growth_factor: float
    residual_pct: float
    residual_is_rounding: bool
    long_bars_pct: float
    short_bars_pct: float
    flat_bars_pct: float
    mean_invested_pct: float | None
    groups: tuple[ContributionGroup, ...]


class AttributionFigures(DocumentPart):
    """Sources of the strategy's return, or why they are not known.

    Attributes:
        status: `split`; `ruined` where all of the equity was lost; `unreconciled` where the fills
            do not make the returns.
        split: Of the status `split` alone.
    """

    status: Literal["split", "ruined", "unreconciled"]
    split: AttributionSplit | None = None
