"""`significance.json`: every interval and test, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from engine.runs.documents.base import Document, DocumentPart
from engine.runs.documents.rates import AnnualRate
from engine.runs.documents.significance_capacity import CapacityFigures
from engine.runs.documents.significance_combinatorial import CombinatorialFigures
from engine.runs.documents.significance_cross_section import CrossSectionFigures
from engine.runs.documents.significance_deployment import DeploymentFigures
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
from engine.runs.documents.significance_paths import (
    OffsetFigures,
    PathRiskFigures,
    StabilityFigures,
    WindowSubsetFigures,
)
from engine.runs.documents.significance_registration import HoldoutFigures, RegistrationFigures


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


class IdeaFigures(DocumentPart):
    """How often the idea of a run has been looked at: the same settings, whatever the data.

    Attributes:
        looks: Looks at the idea, this one among them.
        start_dates: Different first bars.
        end_dates: Different last bars.
        targets: Different symbols traded.
        intervals: Different intervals.
        datasets: Different datasets.
        benchmarks: Different sets of benchmarks.
        confidences: Different levels of confidence.
    """

    looks: int
    start_dates: int
    end_dates: int
    targets: int
    intervals: int
    datasets: int
    benchmarks: int
    confidences: int


class TrialFigures(DocumentPart):
    """What was tried, by the ledger.

    Attributes:
        runs: Runs of other looks that ended, and this one.
        failed: Those among them that failed or were interrupted.
        distinct: Different looks that finished, this one among them.
        elsewhere: Tries that the strategy declares and the ledger cannot know.
        effective: Independent trials that the looks and declared tries amount to.
        tuning: Configurations tried within runs, on train rows.
        idea: Looks at the idea of this run.
        sharpe_deviation: Standard deviation of the Sharpe ratio a bar over independent trials; in
            documents of earlier versions.
        since: When the first run of another look began, ISO 8601.
    """

    runs: int | None = None
    failed: int | None = None
    distinct: int
    elsewhere: int = 0
    effective: float | int | None = None
    tuning: int | None = None
    idea: IdeaFigures | None = None
    sharpe_deviation: float | None = None
    since: str | None = None


class SelectionFigures(DocumentPart):
    """The run's Sharpe ratio, or its lead over holding, against the best of all trials.

    Attributes:
        estimate: Of the run, a year.
        statistic: Of the run; standard normal without skill.
        p_value: Probability that the best of all trials reaches it without skill.
        single_p_value: The same as if the run were the only trial.
        effective_trials: Independent trials that the trials amount to.
        expected_maximum: Expected best of all trials without skill, a year.
        hurdle: What the best of them exceeds without skill with the probability of the level, a
            year.
        detectable: True ratio or lead a year that the test finds in 80 % of samples.
        effective_bars: Bars that carry the estimate.
    """

    estimate: float
    statistic: float
    p_value: float
    single_p_value: float
    effective_trials: float
    expected_maximum: float
    hurdle: float
    detectable: float
    effective_bars: float


class TrialSelection(DocumentPart):
    """The run against the best of all trials without skill; None where a test is not defined.

    Attributes:
        level: Level of `hurdle` and of the tests of the grade.
        sharpe: Of the Sharpe ratio, H0: no trial has one above 0.
        lead: Of the lead over holding, H0: no trial has a higher Sharpe ratio than holding.
        minimum_backtest_years: Years of bars at which the expected best of so many trials without
            skill has the Sharpe ratio of the run; None where that is not above 0.
    """

    level: float
    sharpe: SelectionFigures | None = None
    lead: SelectionFigures | None = None
    minimum_backtest_years: float | None = None


class TrackRecordFigures(DocumentPart):
    """What the length and the shape of the returns say about the Sharpe ratio.

    Attributes:
        probabilistic_sharpe: Probability that the true ratio is above 0.
        deflated_sharpe: The same of the ratio expected of the best of all trials without skill
            (the deflated Sharpe ratio of 2014), for comparison.
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


class UnseenTailFigures(DocumentPart):
    """The loss of one bar that the strategy has not had yet.

    Attributes:
        bars: Bars there are.
        skewness: Of the returns.
        gaining_share: Share of gains among the bars with a return.
        largest_loss: Largest loss of a bar, a fraction of the equity.
        erasing_loss: Loss of one bar that would erase the whole profit; None without profit.
        grade_ending_loss: Loss of one bar that would take the interval of the Sharpe ratio down to
            0; None where it is not above 0.
        rarest_seen_bars: A loss that occurs once in so many bars was seen with 95 %.
        unseen_probability: Probability that a loss of once in 500 bars was not seen.
        warning: A sentence, where the profit is made of many small gains; None otherwise.
    """

    bars: int
    skewness: float
    gaining_share: float
    largest_loss: float
    erasing_loss: float | None = None
    grade_ending_loss: float | None = None
    rarest_seen_bars: float
    unseen_probability: float
    warning: str | None = None


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
        risk_free_rate: Of every Sharpe ratio in the file; 0 in a file that does not have it.
        sharpe: Book -> Sharpe ratio with its interval.
        differences: Benchmark -> Sharpe ratio of the strategy less that of the benchmark.
        superiority: All books at once.
        trials: What was tried, by the ledger.
        selection: The run against the best of all trials without skill.
        track_record: Probabilistic and deflated Sharpe ratio.
        unseen_tail: The loss of one bar that the strategy has not had yet.
        overfitting: Probability of backtest overfitting.
        timing: Permutation test of the timing.
        forecasts: Tests of the forecasts.
        ranks: Forecasts ranked over the windows.
        cross_section: How well the forecasts order the symbols of a bar; no key with fewer than
            three.
        residuals: Tests of the forecast errors.
        inputs: Tests of the inputs.
        seeds: Variance of the seeds.
        price_level: R squared of prices.
        sensitivity: Other costs, delays and thresholds.
        path_risk: What may happen on the way, by a joint bootstrap.
        stability: Break and decay over time.
        window_subsets: Other start dates, and without single windows.
        offset_paths: Other schedules of windows.
        combinatorial_paths: Paths of combinatorial purged cross-validation; no key without them.
        deployment: The deployed model beside the full one; no key without a deployment.
        capacity: Sharpe ratio against capital; no key where costs do not depend on it.
        registrations: What was registered about the idea in the ledger; no key without any.
        holdout: The bars that were held out; no key without any.
        verdict: Grade and sentence.
    """

    method: InferenceMethod = InferenceMethod()
    risk_free_rate: AnnualRate = AnnualRate()
    sharpe: Mapping[str, SharpeFigures] = {}
    differences: Mapping[str, SharpeFigures] = {}
    superiority: SuperiorityFigures | None = None
    trials: TrialFigures | None = None
    selection: TrialSelection | None = None
    track_record: TrackRecordFigures | None = None
    unseen_tail: UnseenTailFigures | None = None
    overfitting: OverfittingFigures | None = None
    timing: TimingFigures | None = None
    forecasts: ForecastTestFigures | None = None
    ranks: RankFigures | None = None
    cross_section: CrossSectionFigures | None = None
    residuals: ResidualTestFigures | None = None
    inputs: InputTestFigures | None = None
    seeds: SeedFigures | None = None
    price_level: PriceLevelFigures | None = Field(default=None, alias="level_trap")
    sensitivity: SensitivityFigures | None = Field(default=None, alias="fragility")
    path_risk: PathRiskFigures | None = None
    stability: StabilityFigures | None = None
    window_subsets: WindowSubsetFigures | None = None
    offset_paths: OffsetFigures | None = None
    combinatorial_paths: CombinatorialFigures | None = None
    deployment: DeploymentFigures | None = None
    capacity: CapacityFigures | None = None
    registrations: tuple[RegistrationFigures, ...] = ()
    holdout: HoldoutFigures | None = None
    verdict: VerdictFigures
