"""The head that all pages of a run share: question, verdict, notices, terms of the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.leakage_badge import LeakageBadge, make_leakage_badge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.runs.run import Run

GRADE_LABELS = {
    "none": "No evidence",
    "weak": "Weak evidence",
    "moderate": "Moderate evidence",
    "strong": "Strong evidence",
}


@dataclass(frozen=True)
class RunHeader:
    """What stands above everything else.

    Attributes:
        name: The strategy's.
        description: Its own words, maybe empty.
        run_id: Of the run.
        symbols: What was traded.
        dataset: Which bars.
        span: Over which out-of-sample bars.
        grade: Of the verdict: `none`, `weak`, `moderate`, `strong`.
        grade_label: The grade in words.
        sentence: The verdict: its claim and the figures for it.
        remarks: What else it says, of the tries and the forecasts.
        offline: Whether the offline dataset stood in.
        notices: What the data stage had to say about how the bars were come by.
        data_quality_notice: How much it had to say about the bars themselves, which has a section
            of the tearsheet to itself; empty where there was nothing.
        excluded_fits: Fits that failed and were left out, each with why.
        leakage_badge: Whether look-ahead was looked for, and what was found.
        terms: When decisions are filled, what trading costs, who is compared: (term, meaning).
        command: What made the run.
        strategy_file: Where the strategy stands.
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
    terms: tuple[tuple[str, str], ...]
    command: str
    strategy_file: str


def make_run_header(run: Run) -> RunHeader:
    """The head of a run's pages."""
    manifest, span = run.manifest, run.metrics["span"]
    verdict, dataset = run.significance["verdict"], manifest["dataset"]
    strategy = manifest.get("strategy", {})
    started = describe_warm_starts(manifest["windows"])
    grade = str(verdict["grade"])
    of_bars = (dataset.get("quality") or {}).get("notices") or ()
    sentence, remarks = _split_first_sentence(verdict["sentence"])
    return RunHeader(
        name=manifest["strategy_name"],
        description=strategy.get("description") or "",
        run_id=run.run_id,
        symbols=", ".join(manifest["target"]),
        dataset=f"{dataset.get('name')}, {dataset.get('interval')}",
        span=f"{formatting.date_range(span['first'], span['last'])}, "
        f"{formatting.BARS(span['bars'])}",
        grade=grade if grade in GRADE_LABELS else "none",
        grade_label=GRADE_LABELS.get(grade, grade),
        sentence=sentence,
        remarks=remarks,
        offline=bool(dataset.get("offline")),
        notices=tuple(told for told in dataset.get("notices") or () if told not in of_bars),
        data_quality_notice=formatting.count_of(len(of_bars), "notice") if of_bars else "",
        excluded_fits=tuple(manifest.get("left_out") or ()),
        leakage_badge=make_leakage_badge(run.certificate),
        terms=(
            ("Out of sample", _describe_out_of_sample(len(manifest["windows"]))),
            *((("Training", started),) if started else ()),
            ("Timing", _describe_execution(strategy.get("execution", {}))),
            ("Costs", _describe_costs(strategy.get("costs", {}))),
            ("Fair", "Every book has the same bars, the same costs and the same fills."),
        ),
        command=manifest.get("command") or formatting.MISSING,
        strategy_file=manifest.get("strategy_file") or formatting.MISSING,
    )


def _split_first_sentence(verdict: str) -> tuple[str, str]:
    """Its first sentence and the others."""
    first, full_stop, others = formatting.typeset(verdict).partition(". ")
    return first + full_stop.strip(), others


def describe_warm_starts(windows: Sequence[Mapping[str, Any]]) -> str:
    """How many of the strategy's fits started warm; empty where none was to."""
    fits = [fit["warm"] for window in windows for fit in window.get("fits") or () if "warm" in fit]
    if not fits:
        return ""
    return (
        f"{formatting.COUNT(sum(fits))} of {formatting.count_of(len(fits), 'fit')} started warm, "
        "from the weights of the window before; the others from random ones."
    )


def _describe_out_of_sample(windows: int) -> str:
    return (
        "Results cover only bars that the fit behind them had not seen: the test parts of "
        f"{formatting.count_of(windows, 'walk-forward window')}."
    )


def _describe_execution(execution: Mapping[str, Any]) -> str:
    delay, price = execution.get("delay", 1), execution.get("price", "open")
    when = "the next bar" if delay == 1 else f"the bar {formatting.COUNT(delay)} later"
    return f"Decided at the close of a bar, filled at the {price} of {when}."


def _describe_costs(costs: Mapping[str, Any]) -> str:
    text = (
        f"{formatting.BPS(costs.get('fee_bps'))} fee and "
        f"{formatting.BPS(costs.get('slippage_bps'))} slippage on every fill"
    )
    borrow = costs.get("borrow_bps_per_year")
    return text + (f", {formatting.BPS(borrow)} a year on shorts." if borrow else ".")
