"""`significance.json`: every interval and test, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from engine.runs.documents.base import Document, DocumentPart


class InferenceMethod(DocumentPart):
    """How intervals and p-values were made.

    Attributes:
        bootstrap: Kind of bootstrap.
        resamples: Resamples of each.
        confidence: Level of every interval.
        source: Papers.
        adjustment: How p-values are adjusted.
    """

    bootstrap: str = "stationary"
    resamples: int | None = None
    confidence: float = 0.95
    source: str = ""
    adjustment: str = ""


class SharpeFigures(DocumentPart):
    """A Sharpe ratio, or a difference of two, a year; None where not defined.

    Attributes:
        estimate: The ratio or the difference.
        low: Lower end of its bootstrap interval.
        high: Upper end.
        p_value: One-sided (H0: 0 or less) of a ratio, two-sided (H0: none) of a difference.
        p_value_holm: After Holm's adjustment over the rows of the table.
        block_length_bars: Mean block length of the bootstrap.
        hac_low: Lower end of the interval by HAC errors; of ratios alone.
        hac_high: Upper end.
    """

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_value_holm: float | None = None
    block_length_bars: float | None = None
    hac_low: float | None = None
    hac_high: float | None = None


class SpaPValues(DocumentPart):
    """The three p-values of Hansen's test for superior predictive ability.

    Attributes:
        lower: Poor books do not count.
        consistent: Poor books count less; the one to read.
        upper: Every book counts in full.
    """

    lower: float | None = None
    consistent: float | None = None
    upper: float | None = None


class SuperiorityFigures(DocumentPart):
    """Whether any book is better than the benchmark, all of them counted.

    Attributes:
        benchmark: The book that all others are compared with.
        block_length_bars: Mean block length of the bootstrap.
        spa: Whether there is a better one.
        stepm: The books that Romano and Wolf's stepwise test names.
        p_values: Book -> stepwise p-value.
    """

    benchmark: str
    block_length_bars: float | None = None
    spa: SpaPValues
    stepm: tuple[str, ...] = ()
    p_values: Mapping[str, float | None] = {}


class TrialFigures(DocumentPart):
    """What was tried on these bars, by the ledger.

    Attributes:
        runs: Runs of other configurations that ended, and this one.
        failed: Those among them that failed or were interrupted.
        distinct: Configurations that finished, this one among them.
        effective: Independent trials that they amount to.
        tuning: Configurations tried within runs, on train rows.
        sharpe_deviation: Standard deviation of the Sharpe ratio a bar over independent trials.
        since: When the first run of another configuration began, ISO 8601.
    """

    runs: int | None = None
    failed: int | None = None
    distinct: int
    effective: float | int | None = None
    tuning: int | None = None
    sharpe_deviation: float | None = None
    since: str | None = None


class TrackRecordFigures(DocumentPart):
    """What the length and the shape of the returns say about the Sharpe ratio.

    Attributes:
        probabilistic_sharpe: Probability that the true ratio is above 0.
        deflated_sharpe: Probability that it is above what the best of the trials has by luck.
        expected_maximum_sharpe: That ratio, a year.
        minimum_bars: Bars needed for the confidence in a ratio above 0.
        bars: Bars there are.
        skewness: Of the returns.
        kurtosis: Of the returns; 3 is normal.
    """

    probabilistic_sharpe: float | None = None
    deflated_sharpe: float | None = None
    expected_maximum_sharpe: float | None = None
    minimum_bars: float | None = None
    bars: int | None = None
    skewness: float | None = None
    kurtosis: float | None = None


class OverfittingFigures(DocumentPart):
    """Probability of backtest overfitting over the configurations of the ledger.

    Attributes:
        probability: That the best of one half of the bars is below the median in the other.
        configurations: How many were compared.
        blocks: Blocks that the bars are cut into.
        splits: Choices of half of the blocks.
        median_logit: Of the rank out of sample; above 0 is better.
        loss_probability: That the best of one half loses in the other.
    """

    probability: float
    configurations: int
    blocks: int
    splits: int
    median_logit: float | None = None
    loss_probability: float


class TimingFigures(DocumentPart):
    """The permutation test of the timing of the strategy's positions.

    Attributes:
        sharpe: Sharpe ratio a year of the positions before costs.
        p_value: One-sided.
        shifts: Shifts of the positions that it was compared with.
        nearest_bars: The smallest of them.
    """

    sharpe: float
    p_value: float
    shifts: int
    nearest_bars: int


class StatisticalTestFigures(DocumentPart):
    """A statistical test; None where it is not defined.

    Attributes:
        statistic: Its statistic.
        p_value: Its p-value.
        p_value_holm: After Holm's adjustment, where several are tested together.
        degrees: Degrees of freedom.
        lags: Lags tested or chosen.
        observations: Rows.
    """

    statistic: float | None = None
    p_value: float | None = None
    p_value_holm: float | None = None
    degrees: int | None = None
    lags: int | None = None
    observations: int | None = None


class ForecastTestFigures(DocumentPart):
    """Tests of the strategy's forecasts.

    Attributes:
        diebold_mariano: Other forecast -> equal accuracy; negative favours the strategy's.
        pesaran_timmermann: Whether the direction is more than chance.
    """

    diebold_mariano: Mapping[str, StatisticalTestFigures] = {}
    pesaran_timmermann: StatisticalTestFigures = StatisticalTestFigures()


class RankedModelFigures(DocumentPart):
    """A forecast among those that are ranked over the windows.

    Attributes:
        average_rank: Mean aligned rank; low is good.
        relative_rmse: Mean RMSE over that of no change.
        p_value: Against the best; None of the best.
        p_value_finner: After Finner's adjustment.
    """

    average_rank: float
    relative_rmse: float
    p_value: float | None = None
    p_value_finner: float | None = None


class RankFigures(DocumentPart):
    """Friedman's aligned ranks test over the windows.

    Attributes:
        windows: Windows ranked.
        statistic: Of the joint test.
        degrees: Degrees of freedom.
        p_value: Of H0, all are alike.
        best: The forecast of the lowest rank.
        models: Forecast -> its rank.
    """

    windows: int
    statistic: float | None = None
    degrees: int | None = None
    p_value: float | None = None
    best: str
    models: Mapping[str, RankedModelFigures]


class ResidualTestFigures(DocumentPart):
    """Whether the errors of the forecasts are autocorrelated.

    Attributes:
        ljung_box: Ljung-Box test.
        breusch_godfrey: Breusch-Godfrey test.
    """

    ljung_box: StatisticalTestFigures = StatisticalTestFigures()
    breusch_godfrey: StatisticalTestFigures = StatisticalTestFigures()


class InputTestFigures(DocumentPart):
    """Whether the inputs are stationary before the first out-of-sample bar.

    Attributes:
        adf: Input -> augmented Dickey-Fuller test; a small p-value speaks for stationarity.
    """

    adf: Mapping[str, StatisticalTestFigures] = {}


class SeedFigures(DocumentPart):
    """How much of the Sharpe ratio's variance is the seeds', all figures a year.

    Attributes:
        count: Seeds that have a Sharpe ratio.
        sharpe_by_seed: Each seed traded alone.
        sharpe_by_window: Window -> each seed's ratio over its test bars, in their order.
        seed_deviation: Standard deviation between seeds on the same bars.
        seed_deviation_low: Lower end of its interval.
        seed_deviation_high: Upper end.
        sampling_deviation: Standard error from one sample of bars to another.
        share: Share of the seeds in the variance of one seed's ratio.
    """

    count: int
    sharpe_by_seed: tuple[float | None, ...] = ()
    sharpe_by_window: tuple[tuple[float | None, ...], ...] = ()
    seed_deviation: float
    seed_deviation_low: float | None = None
    seed_deviation_high: float | None = None
    sampling_deviation: float | None = None
    share: float | None = None


class PriceLevelFigures(DocumentPart):
    """R squared of prices instead of returns, which is high for a forecast without skill.

    Attributes:
        present: Whether the R squared of prices says more than the forecasts are worth.
        r2_prices: R squared of the forecast prices.
        r2_prices_persistence: The same of repeating the last price.
        r2_vs_persistence: Against repeating the last price.
        r2_vs_drift: Against the last price with the mean return of the train rows.
        direction_pct: Directions that were right.
        up_pct: Outcomes that were up.
        sentence: All of it in words.
    """

    present: bool
    r2_prices: float | None = None
    r2_prices_persistence: float | None = None
    r2_vs_persistence: float | None = None
    r2_vs_drift: float | None = None
    direction_pct: float | None = None
    up_pct: float | None = None
    sentence: str | None = None


class SensitivityCell(DocumentPart):
    """The strategy's own cell of the sensitivity surface.

    Attributes:
        cost_bps: Fee and slippage of a fill.
        delay_bars: From decision to fill.
        threshold: Where a long begins, in the unit of the surface.
        threshold_bps: The same as a predicted return.
        sharpe: Sharpe ratio a year there.
    """

    cost_bps: float
    delay_bars: int
    threshold: float
    threshold_bps: float | None = None
    sharpe: float | None = None


class SensitivityFigures(DocumentPart):
    """The Sharpe ratio with other costs, delays and thresholds, from the same forecasts.

    Attributes:
        cost_bps: Fee and slippage of a fill, ascending.
        delay_bars: From decision to fill, ascending.
        threshold: Where a long begins, ascending.
        threshold_unit: `bps`, `round trips` or `quantile`.
        threshold_bps: The same as predicted returns.
        sharpe: By cost, then delay, then threshold; None where the returns do not vary.
        break_even_cost_bps: Cost at which the mean return is 0; None where there is none.
        searched_to_bps: Up to which cost it was searched.
        chosen: The strategy's own cell.
        sentence: All of it in words.
    """

    cost_bps: tuple[float, ...]
    delay_bars: tuple[int, ...]
    threshold: tuple[float, ...]
    threshold_unit: str
    threshold_bps: tuple[float | None, ...] = ()
    sharpe: tuple[tuple[tuple[float | None, ...], ...], ...]
    break_even_cost_bps: float | None = None
    searched_to_bps: float | None = None
    chosen: SensitivityCell
    sentence: str | None = None


class VerdictFigures(DocumentPart):
    """The answer.

    Attributes:
        grade: How much evidence there is.
        sentence: The verdict in words.
    """

    grade: Literal["none", "weak", "moderate", "strong"]
    sentence: str


class Significance(Document):
    """`significance.json`; a section is None where its test cannot be made.

    A section that the file does not have was not known to the version that ran: the attribute is
    None as well, and `key in significance` tells the two apart.

    Attributes:
        method: How intervals were made.
        sharpe: Book -> Sharpe ratio with its interval.
        differences: Benchmark -> Sharpe ratio of the strategy less that of the benchmark.
        superiority: All books at once.
        trials: What was tried on these bars.
        track_record: Probabilistic and deflated Sharpe ratio.
        overfitting: Probability of backtest overfitting.
        timing: Permutation test of the timing.
        forecasts: Tests of the forecasts.
        ranks: Forecasts ranked over the windows.
        residuals: Tests of the forecast errors.
        inputs: Tests of the inputs.
        seeds: Variance of the seeds.
        price_level: R squared of prices.
        sensitivity: Other costs, delays and thresholds.
        verdict: The answer.
    """

    method: InferenceMethod = InferenceMethod()
    sharpe: Mapping[str, SharpeFigures] = {}
    differences: Mapping[str, SharpeFigures] = {}
    superiority: SuperiorityFigures | None = None
    trials: TrialFigures | None = None
    track_record: TrackRecordFigures | None = None
    overfitting: OverfittingFigures | None = None
    timing: TimingFigures | None = None
    forecasts: ForecastTestFigures | None = None
    ranks: RankFigures | None = None
    residuals: ResidualTestFigures | None = None
    inputs: InputTestFigures | None = None
    seeds: SeedFigures | None = None
    price_level: PriceLevelFigures | None = Field(default=None, alias="level_trap")
    sensitivity: SensitivityFigures | None = Field(default=None, alias="fragility")
    verdict: VerdictFigures
