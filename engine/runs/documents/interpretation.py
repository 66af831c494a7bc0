"""`interpretation.json`: what the forecasts of a run depend on, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.base import Document, DocumentPart


class FeatureAttribution(DocumentPart):
    """What the forecasts owe to one input, over all explained bars.

    Attributes:
        name: Feature, with its symbol where the model reads several.
        shapley_bps: Mean absolute Shapley value of the forecast, basis points.
        shapley_error_bps: Mean standard error of sampling; 0 where all coalitions were evaluated.
        share_pct: Of the sum of `shapley_bps` over all inputs.
        gradient_bps: Mean absolute integrated gradient, summed over the steps; None without
            gradients.
        use_bps: Mean absolute change of the forecast when the input is permuted.
        use_low_bps: The smallest `use_bps` of a window.
        use_high_bps: The largest.
        seed_spread_pct: Standard deviation of `use_bps` over the seeds, of its mean; None with one
            seed.
        added_correlation: What the input adds to the correlation of forecast and outcome; 0 for
            noise; None where no outcome is known or nothing varies.
        low: Lower end of its interval.
        high: Upper end.
        p_value: One-sided, of no gain.
        p_adjusted: After Benjamini and Hochberg over the inputs.
        matters: Whether `p_adjusted` is at most the level.
    """

    name: str
    shapley_bps: float
    shapley_error_bps: float = 0.0
    share_pct: float
    gradient_bps: float | None = None
    use_bps: float
    use_low_bps: float
    use_high_bps: float
    seed_spread_pct: float | None = None
    added_correlation: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    matters: bool = False


class StepAttribution(DocumentPart):
    """What the forecasts owe to a block of bars of the lookback.

    Attributes:
        bars_before: Such as `0` for the newest bar and `5-19`.
        shapley_bps: Mean absolute Shapley value of the block.
        gradient_bps: Mean absolute integrated gradient of the block; None without gradients.
        attention_pct: Mean attention to its bars; None without attention over the bars.
    """

    bars_before: str
    shapley_bps: float
    gradient_bps: float | None = None
    attention_pct: float | None = None


class CellAttribution(DocumentPart):
    """Mean absolute integrated gradient of one input in one block of bars.

    Attributes:
        name: The input.
        bars_before: The block.
        gradient_bps: Mean over the explained bars, of the sum over the block.
    """

    name: str
    bars_before: str
    gradient_bps: float


class Completeness(DocumentPart):
    """Whether attributions add up to what they explain.

    Attributes:
        shapley_error: Largest |base + sum - forecast|, in standard deviations of the forecasts.
        gradient_error: Largest |sum - (forecast - forecast of the baseline)|, likewise; None
            without gradients.
        gradient_above_pct: Share of the rows at which it is above 0.001; None likewise.
        no_gradients: Why there are no gradients; None where there are.
    """

    shapley_error: float
    gradient_error: float | None = None
    gradient_above_pct: float | None = None
    no_gradients: str | None = None


class AttentionFigures(DocumentPart):
    """What the attention over the bars is worth as an explanation.

    Attributes:
        effective_bars: exp of the entropy of the mean profile: over how many bars it is spread.
        seed_spread_pct: Mean over the bars of the standard deviation over the seeds; None with
            one seed.
        gradient_rank_correlation: Mean Spearman correlation, over the explained bars, of the
            attention to each bar of the lookback with the size of its integrated gradient.
        permuted_change_pct: Mean absolute change of the forecast when the bars of its lookback
            are permuted, of the standard deviation of the forecasts.
        profile_pct: Mean attention to each bar, the newest first.
    """

    effective_bars: float
    seed_spread_pct: float | None = None
    gradient_rank_correlation: float | None = None
    permuted_change_pct: float | None = None
    profile_pct: tuple[float, ...]


class RuleFigures(DocumentPart):
    """How much of the forecasts one simple rule repeats.

    Attributes:
        rule: What the rule reads.
        form: `linear` or `tree`.
        r2: Share of the forecasts' variation on test rows; below 0 where the mean is closer.
    """

    rule: str
    form: str
    r2: float


class BarFeature(DocumentPart):
    """What one forecast owes to one input.

    Attributes:
        name: The input.
        value: Its unscaled value at the bar; None where the input is at a coarser interval.
        shapley_bps: Shapley value.
        gradient_bps: Integrated gradient, summed over the steps; None without gradients.
    """

    name: str
    value: float | None = None
    shapley_bps: float
    gradient_bps: float | None = None


class BarAttribution(DocumentPart):
    """One forecast explained.

    Attributes:
        timestamp: The bar.
        symbol: The symbol.
        window: The window whose model forecast it.
        forecast_bps: Mean over the seeds.
        base_bps: Mean forecast of the background rows.
        realised_bps: Realised return; None where not yet known.
        features: The inputs, the largest Shapley value first.
        attention_pct: Attention to each bar, the newest first; empty without attention.
    """

    timestamp: str
    symbol: str
    window: int
    forecast_bps: float
    base_bps: float
    realised_bps: float | None = None
    features: tuple[BarFeature, ...]
    attention_pct: tuple[float, ...] = ()


class Interpretation(Document):
    """`interpretation.json`.

    Attributes:
        run_id: The run.
        model: Kind of the model.
        symbols: Whose forecasts are explained.
        windows: Windows with a fit.
        seeds: Fits of each.
        bars: Out-of-sample forecasts that were permuted and, of networks, differentiated.
        shapley_bars: Of these, at equal distances, those with Shapley values.
        background_rows: Train rows of each window that stand for inputs that are not known.
        first: First bar.
        last: Last bar.
        forecast_deviation_bps: Standard deviation of the forecasts.
        confidence: Level of intervals and tests.
        features: The inputs, the largest share first.
        steps: Blocks of bars, the newest first.
        cells: Inputs by blocks; empty without gradients.
        completeness: Whether attributions add up.
        attention: None without attention over the bars.
        symbol_attention: Symbol -> mean attention to it, per cent; empty without.
        rules: Simple rules, the closest first.
        bar: The bar that was asked for; None where none was.
        sentence: What was found, and how sure it is.
    """

    run_id: str
    model: str
    symbols: tuple[str, ...]
    windows: int
    seeds: int
    bars: int
    shapley_bars: int
    background_rows: int
    first: str
    last: str
    forecast_deviation_bps: float
    confidence: float
    features: tuple[FeatureAttribution, ...]
    steps: tuple[StepAttribution, ...]
    cells: tuple[CellAttribution, ...] = ()
    completeness: Completeness
    attention: AttentionFigures | None = None
    symbol_attention: Mapping[str, float] = {}
    rules: tuple[RuleFigures, ...] = ()
    bar: BarAttribution | None = None
    sentence: str
