"""The head that all pages of a run share: question, verdict, notices, terms of the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.seal import Seal, seal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.artifacts import Run

GRADES = {
    "none": "No evidence",
    "weak": "Weak evidence",
    "moderate": "Moderate evidence",
    "strong": "Strong evidence",
}


@dataclass(frozen=True)
class Heading:
    """What stands above everything else.

    Attributes:
        name: The strategy's.
        description: Its own words, maybe empty.
        run_id: Of the run.
        symbols: What was traded.
        dataset: Which bars.
        span: Over which out-of-sample bars.
        grade: Of the verdict: `none`, `weak`, `moderate`, `strong`.
        badge: The grade in words.
        sentence: The verdict: its claim and the figures for it.
        remarks: What else it says, of the tries and the forecasts.
        offline: Whether the offline dataset stood in.
        notices: What the data stage had to say about how the bars were come by.
        of_bars: How much it had to say about the bars themselves, which has a section of the
            tearsheet to itself; empty where there was nothing.
        left_out: Fits that failed and were left out, each with why.
        seal: Whether look-ahead was looked for, and what was found.
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
    badge: str
    sentence: str
    remarks: str
    offline: bool
    notices: tuple[str, ...]
    of_bars: str
    left_out: tuple[str, ...]
    seal: Seal
    terms: tuple[tuple[str, str], ...]
    command: str
    strategy_file: str


def heading(run: Run) -> Heading:
    """The head of a run's pages."""
    manifest, span = run.manifest, run.metrics["span"]
    verdict, dataset = run.significance["verdict"], manifest["dataset"]
    strategy = manifest.get("strategy", {})
    started = warm_starts(manifest["windows"])
    grade = str(verdict["grade"])
    of_bars = (dataset.get("quality") or {}).get("notices") or ()
    sentence, remarks = _parted(verdict["sentence"])
    return Heading(
        name=manifest["strategy_name"],
        description=strategy.get("description") or "",
        run_id=run.run_id,
        symbols=", ".join(manifest["target"]),
        dataset=f"{dataset.get('name')}, {dataset.get('interval')}",
        span=f"{formatting.span(span['first'], span['last'])}, {formatting.BARS(span['bars'])}",
        grade=grade if grade in GRADES else "none",
        badge=GRADES.get(grade, grade),
        sentence=sentence,
        remarks=remarks,
        offline=bool(dataset.get("offline")),
        notices=tuple(told for told in dataset.get("notices") or () if told not in of_bars),
        of_bars=formatting.count_of(len(of_bars), "notice") if of_bars else "",
        left_out=tuple(manifest.get("left_out") or ()),
        seal=seal(run.certificate),
        terms=(
            ("Out of sample", _out_of_sample(len(manifest["windows"]))),
            *((("Training", started),) if started else ()),
            ("Timing", _timing(strategy.get("execution", {}))),
            ("Costs", _costs(strategy.get("costs", {}))),
            ("Fair", "Every book has the same bars, the same costs and the same fills."),
        ),
        command=manifest.get("command") or formatting.MISSING,
        strategy_file=manifest.get("strategy_file") or formatting.MISSING,
    )


def _parted(verdict: str) -> tuple[str, str]:
    """Its first sentence and the others."""
    first, full_stop, others = formatting.prose(verdict).partition(". ")
    return first + full_stop.strip(), others


def warm_starts(windows: Sequence[Mapping[str, Any]]) -> str:
    """How many of the strategy's fits started warm; empty where none was to."""
    fits = [fit["warm"] for window in windows for fit in window.get("fits") or () if "warm" in fit]
    if not fits:
        return ""
    return (
        f"{formatting.COUNT(sum(fits))} of {formatting.count_of(len(fits), 'fit')} started warm, "
        "from the weights of the window before; the others from random ones."
    )


def _out_of_sample(windows: int) -> str:
    return (
        "Results cover only bars that the fit behind them had not seen: the test parts of "
        f"{formatting.count_of(windows, 'walk-forward window')}."
    )


def _timing(execution: Mapping[str, Any]) -> str:
    delay, price = execution.get("delay", 1), execution.get("price", "open")
    when = "the next bar" if delay == 1 else f"the bar {formatting.COUNT(delay)} later"
    return f"Decided at the close of a bar, filled at the {price} of {when}."


def _costs(costs: Mapping[str, Any]) -> str:
    text = (
        f"{formatting.BPS(costs.get('fee_bps'))} fee and "
        f"{formatting.BPS(costs.get('slippage_bps'))} slippage on every fill"
    )
    borrow = costs.get("borrow_bps_per_year")
    return text + (f", {formatting.BPS(borrow)} a year on shorts." if borrow else ".")
