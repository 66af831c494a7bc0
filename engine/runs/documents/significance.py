"""`significance.json`: every interval and test, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from engine.runs.documents.base import Document, DocumentPart
from engine.runs.documents.significance_models import (
    ForecastTestFigures,
    InputTestFigures,
    PriceLevelFigures,
    RankFigures,
    ResidualTestFigures,
    SeedFigures,
    SensitivityFigures,
    TimingFigures,
)


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


class VerdictFigures(DocumentPart):
    """The verdict of a run.

    Attributes:
        grade: How much evidence there is.
        sentence: The verdict in words.
    """

    grade: Literal["none", "weak", "moderate", "strong"]
    sentence: str


class Significance(Document):
    """`significance.json`; a section is None where its test cannot be made.

    A section that the file does not have was not known to the version that ran: the attribute is
    None as well; `key in significance` distinguishes the two.

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
        verdict: Grade and sentence.
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
