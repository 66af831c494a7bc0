"""The header that all pages of a run share: verdict, notices, leakage test, trading terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.name_lists import list_symbols
from engine.reporting import formatting
from engine.reporting.cost_words import describe_costs
from engine.reporting.live_path import describe_live_fault, describe_live_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.documents import Certificate, Metrics
    from engine.runs.documents.manifest_dataset import DatasetRecord
    from engine.runs.documents.manifest_windows import WindowRecord
    from engine.runs.documents.strategy_settings import StrategySettings
    from engine.runs.run import Run

GRADE_LABELS = {
    "none": "No evidence",
    "weak": "Weak evidence",
    "moderate": "Moderate evidence",
    "strong": "Strong evidence",
}

PAGES = (
    ("tearsheet", "Tearsheet"),
    ("significance", "Significance"),
    ("quantstats", "quantstats"),
)
INTERPRETATION_PAGE = ("interpretation", "Interpretation")

STAGE_ORDER = (
    *("resampled bars", "windows", "features", "resolutions", "scaled inputs", "labels", "rates"),
    *("training arrays", "predictions", "thresholds", "positions", "costs", "fills"),
)


@dataclass(frozen=True)
class LeakageBadge:
    """Result of the leakage test.

    Attributes:
        label: The result in a few words.
        description: The test and its result.
        cutoffs: Bar and kind of each cutoff.
        limitations: What the test does not show.
        has_certificate: Whether the run was tested.
    """

    label: str
    description: str
    cutoffs: tuple[tuple[str, str], ...] = ()
    limitations: tuple[str, ...] = ()
    has_certificate: bool = True


@dataclass(frozen=True)
class RunHeader:
    """Header of a page of a run.

    Attributes:
        name: Name of the strategy.
        description: Description in the strategy file; may be empty.
        run_id: Id of the run.
        symbols: Symbols traded.
        dataset: Dataset and interval.
        span: Out-of-sample bars: first, last and number.
        grade: Grade of the verdict: `none`, `weak`, `moderate`, `strong`.
        grade_label: The grade in words.
        sentence: First sentence of the verdict: the claim and its figures.
        remarks: Its other sentences, on trials and forecasts.
        offline: Whether the offline dataset was used instead of the dataset named.
        notices: Notices of the data stage on where the bars are from.
        data_quality_notice: Number of notices about the bars themselves, which the tearsheet lists
            in its data quality section; empty without one.
        excluded_fits: Fits that failed and were left out, each with its reason.
        leakage_badge: Result of the leakage test.
        engine_fault: Where the live path differs from the run; empty where it does not.
        terms: Execution, costs and comparison: (term, meaning).
        command: Command line of the run.
        strategy_file: Path of the strategy file.
        pages: Pages of the run, the name of each file and its label.
    """

    name: str
    description: str
    run_id: str
    symbols: str
    dataset: str
    span: str
    grade: str
    grade_label: str
    sentence: str
    remarks: str
    offline: bool
    notices: tuple[str, ...]
    data_quality_notice: str
    excluded_fits: tuple[str, ...]
    leakage_badge: LeakageBadge
    engine_fault: str
    terms: tuple[tuple[str, str], ...]
    command: str
    strategy_file: str
    pages: tuple[tuple[str, str], ...]


def make_run_header(run: Run) -> RunHeader:
    """The header of a run's pages."""
    manifest, span, verdict = run.manifest, run.metrics.span, run.significance.verdict
    dataset, settings = manifest.dataset, manifest.settings
    live_path = run.metrics.live_path
    warm_starts = describe_warm_starts(manifest.windows)
    bar_notices = dataset.quality.notices if dataset.quality else ()
    sentence, remarks = _split_first_sentence(verdict.sentence)
    return RunHeader(
        name=manifest.strategy_name,
        description=settings.description,
        run_id=run.run_id,
        symbols=list_symbols(manifest.target),
        dataset=f"{dataset.name}, {dataset.interval}",
        span=f"{formatting.date_range(span.first, span.last)}, {formatting.BARS(span.bars)}",
        grade=verdict.grade,
        grade_label=GRADE_LABELS[verdict.grade],
        sentence=sentence,
        remarks=remarks,
        offline=dataset.offline,
        notices=_order_notices(dataset, bar_notices),
        data_quality_notice=formatting.count_of(len(bar_notices), "notice") if bar_notices else "",
        excluded_fits=manifest.excluded_fits,
        leakage_badge=make_leakage_badge(run.certificate),
        engine_fault=describe_live_fault(live_path) if live_path else "",
        terms=(
            ("Out of sample", _describe_out_of_sample(len(manifest.windows))),
            *((("Training", warm_starts),) if warm_starts else ()),
            ("Execution", _describe_execution(settings)),
            ("Costs", describe_costs(settings)),
            ("Interest", _describe_rates(run.metrics)),
            ("Comparison", "Every book has the same bars, costs and execution rules."),
            *((("Live path", describe_live_path(live_path)),) if live_path else ()),
        ),
        command=manifest.command or formatting.MISSING,
        strategy_file=manifest.strategy_file or formatting.MISSING,
        pages=PAGES if run.interpretation is None else (*PAGES, INTERPRETATION_PAGE),
    )


def _order_notices(dataset: DatasetRecord, bar_notices: Sequence[str]) -> tuple[str, ...]:
    """Notices that are not of the bars; which dataset an offline run used comes first."""
    notices = [notice for notice in dataset.notices if notice not in bar_notices]
    if dataset.offline:
        notices.sort(key=lambda notice: not notice.startswith(f"{dataset.name} ("))
    return tuple(notices)


def make_leakage_badge(certificate: Certificate | None) -> LeakageBadge:
    """The badge of a run; a grey one for a run of a version without the leakage test."""
    if certificate is None:
        return LeakageBadge(
            label="Not tested for look-ahead",
            description="This run is from an earlier version of the engine, which did not test "
            "for look-ahead. Run the strategy again to test it.",
            has_certificate=False,
        )
    stages = [stage for stage in STAGE_ORDER if stage in certificate.compared]
    return LeakageBadge(
        label="No look-ahead detected at "
        f"{formatting.count_of(len(certificate.cutoffs), 'cutoff')}",
        description="For each of these cutoff bars, all later bars were replaced by synthetic "
        "ones and the run was computed again. Everything up to the cutoff stayed the same, bit "
        f"for bit: {', '.join(stages[:-1])} and {stages[-1]}.{_describe_probes(certificate)}",
        cutoffs=tuple(
            (formatting.timestamp(cutoff.bar), cutoff.kind) for cutoff in certificate.cutoffs
        ),
        limitations=certificate.limitations,
    )


def _describe_probes(certificate: Certificate) -> str:
    """How often features, windows and the end of the history were probed, where they were."""
    features = certificate.features
    if features is None:
        return ""
    missed = "; ".join(
        f"at {each.share_pct:g}{formatting.NO_BREAK_SPACE}% {formatting.p_value(each.probability)}"
        for each in features.missed
    )
    windows = formatting.count_of(certificate.windows or 0, "window")
    ended = formatting.count_of(len(certificate.ends), "history", "histories")
    return (
        f" Features were probed at {formatting.count_of(features.cuts, 'bar')}: look-ahead of a "
        f"feature at a random share of the bars is missed with probability (share and "
        f"probability) {missed}. The arrays of {windows} were built again without their test "
        f"part, and all stages ran on {ended} that ended early."
    )


def _split_first_sentence(verdict: str) -> tuple[str, str]:
    """The first sentence, and the others."""
    first, full_stop, others = formatting.typeset(verdict).partition(". ")
    return first + full_stop.strip(), others


def describe_warm_starts(windows: Sequence[WindowRecord]) -> str:
    """How many of the strategy's fits started warm; empty without warm starts."""
    fits = [fit.warm for window in windows for fit in window.fits if fit.warm is not None]
    if not fits:
        return ""
    return (
        f"{formatting.COUNT(sum(fits))} of {formatting.count_of(len(fits), 'fit')} started warm, "
        "from the weights of the window before; the others from random weights."
    )


def next_orders_title(settings: StrategySettings) -> str:
    """What `Run.next_orders` lists."""
    if settings.delay_bars > 1:
        return "Orders due after the last bar"
    return f"Orders due at the next {settings.fill_price}"


def describe_due_bar(due: pd.Timestamp | None, due_in_bars: int, waited_bars: int = 0) -> str:
    """When an order is filled: the bar's timestamp, or how far ahead it is where that is unknown.

    Where it was due before and nothing traded, also for how many bars it has waited.
    """
    if due is None or pd.isna(due):
        text = f"in {formatting.count_of(due_in_bars, 'bar')}"
    else:
        text = formatting.timestamp(due)
    return text + (f", waited {formatting.count_of(waited_bars, 'bar')}" if waited_bars else "")


def _describe_out_of_sample(windows: int) -> str:
    return (
        "Results cover only bars that were not used for training: the test parts of "
        f"{formatting.count_of(windows, 'walk-forward window')}."
    )


def _describe_execution(settings: StrategySettings) -> str:
    delay = settings.delay_bars
    when = "the next bar" if delay == 1 else f"the bar {formatting.COUNT(delay)} later"
    return f"Decided at the close of a bar, filled at the {settings.fill_price} of {when}."


def _describe_rates(metrics: Metrics) -> str:
    rate, cash = metrics.risk_free_rate, metrics.cash_yield
    above = "a risk-free rate of 0" if rate.is_zero else f"the risk-free rate, {rate.amount}"
    return (
        f"Sharpe and Sortino ratios are those of the returns above {above}. Cash earns "
        f"{'nothing' if cash.is_zero else cash.amount}."
    )
