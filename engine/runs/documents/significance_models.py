"""Parts of `significance.json` that are about the model: its forecasts, inputs, seeds, trading."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.base import DocumentPart
from engine.runs.documents.significance_capacity import CapacityFigures
from engine.runs.documents.significance_combinatorial import CombinatorialFigures
from engine.runs.documents.significance_cross_section import CrossSectionFigures
from engine.runs.documents.significance_deployment import DeploymentFigures
from engine.runs.documents.significance_paths import (
    OffsetFigures,
    PathRiskFigures,
    StabilityFigures,
    WindowSubsetFigures,
)


class TimingFigures(DocumentPart):
    """The permutation test of the timing of the strategy's positions.

    Attributes:
        sharpe: Sharpe ratio a year of the positions before costs.
        p_value: One-sided.
        shifts: Shifts of the positions that it was compared with.
        nearest_bars: The smallest of them.
    """

    sharpe: float | None
    p_value: float | None
    shifts: int | None = None
    nearest_bars: int | None = None


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
        clark_west: `no_change` and `drift` -> whether the model adds anything to them, one-sided.
        pesaran_timmermann: Whether the direction is more than chance; of several symbols the
            direction test of a panel.
        symbols: Symbols that are tested together; no key with one.
    """

    diebold_mariano: Mapping[str, StatisticalTestFigures] = {}
    clark_west: Mapping[str, StatisticalTestFigures] = {}
    pesaran_timmermann: StatisticalTestFigures = StatisticalTestFigures()
    symbols: int = 1


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
        adf: Input -> augmented Dickey-Fuller test; a small p-value is evidence of stationarity.
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
        present: Whether the R squared of prices overstates the skill of the forecasts.
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
        break_even_cost_bps: Cost at which the total return is 0; 0 where it is not positive at no
            cost either, None where it is positive up to the end of the search. In documents of
            earlier versions the cost at which the mean return is 0, None in both cases.
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


class ModelSections(DocumentPart):
    """The sections of `significance.json` that are made from the model and its trading.

    Attributes:
        timing: Permutation test of the timing of the positions.
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
    """

    timing: TimingFigures | None = None
    forecasts: ForecastTestFigures | None = None
    ranks: RankFigures | None = None
    cross_section: CrossSectionFigures | None = None
    residuals: ResidualTestFigures | None = None
    inputs: InputTestFigures | None = None
    seeds: SeedFigures | None = None
    price_level: PriceLevelFigures | None = None
    sensitivity: SensitivityFigures | None = None
    path_risk: PathRiskFigures | None = None
    stability: StabilityFigures | None = None
    window_subsets: WindowSubsetFigures | None = None
    offset_paths: OffsetFigures | None = None
    combinatorial_paths: CombinatorialFigures | None = None
    deployment: DeploymentFigures | None = None
    capacity: CapacityFigures | None = None
