"""Parts of `analysis.json` that are computed from forecasts and outcomes."""

from __future__ import annotations

from engine.runs.documents.base import DocumentPart


class ForecastRegressionFigures(DocumentPart):
    """Least squares of outcome on forecast, with HAC errors.

    Attributes:
        intercept_bps: Outcome where the forecast is 0.
        slope: Outcome for each unit of forecast; 1 of a perfect forecast.
        slope_t_statistic: Over its HAC standard error; None where the line fits all rows.
        correlation: Of forecast and outcome; None where outcomes do not vary.
    """

    intercept_bps: float
    slope: float
    slope_t_statistic: float | None
    correlation: float | None


class CalibrationFigures(DocumentPart):
    """Forecasts of about one size.

    Attributes:
        number: From 1, the lowest forecasts, on.
        rows: Forecasts in it.
        low_bps: Its lowest forecast.
        high_bps: Its highest forecast.
        predicted_bps: Mean forecast.
        actual_bps: Mean outcome.
        actual_low_bps: Lower end of the mean outcome's interval; None where there is none.
        actual_high_bps: Upper end.
    """

    number: int
    rows: int
    low_bps: float
    high_bps: float
    predicted_bps: float
    actual_bps: float
    actual_low_bps: float | None
    actual_high_bps: float | None


class RankPeriodFigures(DocumentPart):
    """One period's part in the rank correlation.

    Attributes:
        label: Such as `2020-03`.
        value: Mean product of standardised ranks.
        rows: Forecasts in it.
    """

    label: str
    value: float
    rows: int


class RankCorrelationFigures(DocumentPart):
    """Spearman's rank correlation of forecasts and outcomes over time, by period.

    Attributes:
        period: `month`, `quarter` or `year`.
        periods: Ascending; weighted by rows their values add up to `overall`.
        overall: Over the whole span; None without any.
        t_statistic: Over the periods; None below two.
        positive_share: Share of the periods above 0; None without any.
    """

    period: str
    periods: tuple[RankPeriodFigures, ...]
    overall: float | None
    t_statistic: float | None
    positive_share: float | None


class DirectionFigures(DocumentPart):
    """Directions in one state of the market.

    Attributes:
        state: Of the market at the decision; `all` of the last one.
        rows: Forecasts in it.
        hit_pct: Share whose direction was right; 0 is down.
        low_pct: Lower end of its interval (Wilson).
        high_pct: Upper end.
        up_pct: Share that went up: what always saying up would have scored.
        down_forecasts: Forecasts that said down.
        down_hit_pct: Share of these that were right; None without any.
        beats_always_up: Whether these were right more than half the time, at a level corrected
            for the number of states.
    """

    state: str
    rows: int
    hit_pct: float
    low_pct: float
    high_pct: float
    up_pct: float
    down_forecasts: int
    down_hit_pct: float | None
    beats_always_up: bool


class ForecastAnalysis(DocumentPart):
    """The forecasts that were traded, mean over the seeds, with a known outcome.

    Each of them is a row of `forecasts.parquet`.

    Attributes:
        horizon: Bars ahead.
        rows: How many.
        first: First bar, ISO 8601.
        last: Last bar.
        constant: Whether all forecasts are the same.
        regression: Outcome on forecast; None below 30 rows or where forecasts are the same.
        calibration: By size, ascending; at least one.
        rank_correlation: By month, quarter or year; None where ranks do not vary.
        direction: By state of the market, and `all` last.
    """

    horizon: int
    rows: int
    first: str
    last: str
    constant: bool
    regression: ForecastRegressionFigures | None
    calibration: tuple[CalibrationFigures, ...]
    rank_correlation: RankCorrelationFigures | None
    direction: tuple[DirectionFigures, ...]
