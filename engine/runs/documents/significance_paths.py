"""Parts of `significance.json` about the path: its risk, its starts, its stability over time."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.base import DocumentPart


class Quantiles(DocumentPart):
    """Quantiles of one figure over resamples or paths.

    Attributes:
        p5: 5 % of them are at or below it.
        p25: 25 %.
        p50: The median.
        p75: 75 %.
        p95: 95 %.
    """

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class BookPathFigures(DocumentPart):
    """What may happen to one book over one horizon, by the joint bootstrap.

    Attributes:
        max_drawdown_pct: Max drawdown, 0 or less; p5 is the deepest.
        longest_drawdown_bars: Longest time under water.
        total_return_pct: Total return at the end of the horizon.
        loss_probability: Share of paths that end with less than they began.
        drawdown_probability: Depth in per cent -> share of paths whose max drawdown is deeper.
    """

    max_drawdown_pct: Quantiles
    longest_drawdown_bars: Quantiles
    total_return_pct: Quantiles
    loss_probability: float
    drawdown_probability: Mapping[str, float] = {}


class HorizonFigures(DocumentPart):
    """All books over one horizon, on the same resamples.

    Attributes:
        years: Length of the horizon.
        bars: The same in bars.
        books: Book -> its figures.
        behind_probability: Benchmark -> share of paths at whose end the strategy has made less.
    """

    years: float
    bars: int
    books: Mapping[str, BookPathFigures]
    behind_probability: Mapping[str, float] = {}


class RealisedDrawdownFigures(DocumentPart):
    """The max drawdown of the run among those that its own returns lead to in other orders.

    Attributes:
        max_drawdown_pct: Of the run itself, 0 or less.
        deeper_probability: Share of resamples of the run's length with one at least as deep.
        levels: Levels of `quantiles_pct`, ascending.
        quantiles_pct: Quantiles of the max drawdown over the run's own length, ascending.
    """

    max_drawdown_pct: float
    deeper_probability: float
    levels: tuple[float, ...] = ()
    quantiles_pct: tuple[float, ...] = ()


class PathRiskFigures(DocumentPart):
    """Joint bootstrap of the paths of all books.

    Attributes:
        resamples: Number of resamples.
        block_length_bars: Mean length of their blocks, common to all books.
        cell_bars: Bars that are drawn together; 1 up to 8,000 bars.
        bars: Bars of the run, which the blocks are drawn from.
        horizons: Horizons of at most twice the length of the run, ascending.
        left_out_years: Horizons that are longer.
        realised: Book -> its realised max drawdown, over the run's own length.
    """

    resamples: int
    block_length_bars: float
    cell_bars: float
    bars: int
    horizons: tuple[HorizonFigures, ...] = ()
    left_out_years: tuple[float, ...] = ()
    realised: Mapping[str, RealisedDrawdownFigures] = {}


class BreakFigures(DocumentPart):
    """Test of a single break at an unknown bar, H0: the mean is constant over time.

    Attributes:
        statistic: Sup-LM statistic of Andrews (1993).
        p_value: By a dependent wild bootstrap.
        p_value_holm: After Holm's adjustment over the tests of the section.
        bar: First bar after the most likely break, ISO 8601.
        before: Figure before that bar, annualised.
        after: Figure from that bar on.
    """

    statistic: float | None = None
    p_value: float | None = None
    p_value_holm: float | None = None
    bar: str | None = None
    before: float | None = None
    after: float | None = None


class DecayFigures(DocumentPart):
    """Whether a mean return falls over time, by HAC standard errors.

    Attributes:
        first_window_pct: Mean return in the first walk-forward window, a year.
        later_pct: Mean return after it, a year.
        difference_standard_error_pct: HAC standard error of the first less the later.
        p_value: One-sided, H0: the first is not higher; None with a single window.
        p_value_holm: After Holm's adjustment over the tests of the section.
        slope_pct: Change of the mean annual return from one year to the next.
        slope_standard_error_pct: Its HAC standard error.
        slope_p_value: One-sided, H0: the slope is not negative.
        slope_p_value_holm: After Holm's adjustment over the tests of the section.
    """

    first_window_pct: float | None = None
    later_pct: float | None = None
    difference_standard_error_pct: float | None = None
    p_value: float | None = None
    p_value_holm: float | None = None
    slope_pct: float | None = None
    slope_standard_error_pct: float | None = None
    slope_p_value: float | None = None
    slope_p_value_holm: float | None = None


class StabilityFigures(DocumentPart):
    """Stability of the strategy over time; `lead` is its return less that of holding.

    Attributes:
        bars: Bars tested.
        breaks: `sharpe` and `lead` -> test of a break; of the Sharpe ratio, and of its
            difference to that of holding.
        decay: `return` and `lead` -> decay of the mean.
    """

    bars: int
    breaks: Mapping[str, BreakFigures] = {}
    decay: Mapping[str, DecayFigures] = {}


class SpreadFigures(DocumentPart):
    """A figure of several paths through the same history: their Sharpe ratios, or another.

    Attributes:
        minimum: The lowest.
        p25: A quarter is at or below it.
        median: Half.
        p75: Three quarters.
        maximum: The highest.
        positive_share: Share of paths above 0.
        above_holding_share: Share of paths above holding on the same bars; None without it.
    """

    minimum: float | None = None
    p25: float | None = None
    median: float | None = None
    p75: float | None = None
    maximum: float | None = None
    positive_share: float | None = None
    above_holding_share: float | None = None


class WindowSubset(DocumentPart):
    """The run on a part of its windows.

    Attributes:
        window: The window that it starts with, or that is left out.
        first: First bar of that window, ISO 8601.
        bars: Bars that are counted.
        sharpe: Sharpe ratio a year of the strategy.
        holding_sharpe: Of holding on the same bars; None without it.
    """

    window: int
    first: str
    bars: int
    sharpe: float | None = None
    holding_sharpe: float | None = None


class WindowSubsetFigures(DocumentPart):
    """The run begun at each window, and without each window; nothing is trained for it.

    Attributes:
        starts: From each window on that leaves enough bars.
        without: All windows but one.
        starts_spread: Spread of `starts`.
        without_spread: Spread of `without`.
    """

    starts: tuple[WindowSubset, ...] = ()
    without: tuple[WindowSubset, ...] = ()
    starts_spread: SpreadFigures = SpreadFigures()
    without_spread: SpreadFigures = SpreadFigures()


class OffsetPath(DocumentPart):
    """One schedule of windows, trained and traded like the run itself.

    Attributes:
        offset: Its starts are later by `offset` of `offsets` parts of a test part; 0 is the run.
        shift_bars: The same in bars.
        windows: Number of windows.
        left_out_fits: Fits that failed and were left out.
        sharpe: Sharpe ratio a year on the common bars.
        total_return_pct: Total return there.
        max_drawdown_pct: Max drawdown there.
    """

    offset: int
    shift_bars: int
    windows: int
    left_out_fits: int = 0
    sharpe: float | None = None
    total_return_pct: float | None = None
    max_drawdown_pct: float | None = None


class OffsetFigures(DocumentPart):
    """The strategy under several schedules of windows, on the bars that all of them have.

    Attributes:
        offsets: Number of schedules, the run's own included.
        first: First common bar, ISO 8601.
        bars: Number of common bars.
        paths: The schedules; the run's own first.
        spread: Spread of their Sharpe ratios.
        rank: Rank of the run's own Sharpe ratio, 1 is the highest; None where it has none.
        holding_sharpe: Sharpe ratio of holding on the common bars.
    """

    offsets: int
    first: str
    bars: int
    paths: tuple[OffsetPath, ...]
    spread: SpreadFigures = SpreadFigures()
    rank: int | None = None
    holding_sharpe: float | None = None
