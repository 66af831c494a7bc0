"""An event of a paper account as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.live.freshness import format_age
from engine.live.journal.rows import damaged_row_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def describe_event(kind: str, detail: Mapping[str, Any]) -> str:
    """One sentence, without the time and the bar of the event.

    Args:
        kind: One of `EVENT_KINDS`.
        detail: What the event says.

    Raises:
        DamagedRowError: It is no detail of an event of that kind.
    """
    try:
        return _TEXTS[kind](detail)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged_row_error(
            "the detail of an event as the engine writes it",
            f"{type(error).__name__}: {error}",
            f"table events, kind {kind}",
        ) from error


def _missed(detail: Mapping[str, Any]) -> str:
    missed, deferred = detail["missed"], detail["deferred"]
    parts = []
    if missed:
        parts.append(f"{_count(missed, 'order')} decided after the price at which due: not filled")
    parts += [
        f"{each['symbol']} to {100 * each['target_weight']:.1f} % is filled "
        f"{each['due_in_bars']} bars after its decision, at the first price after it"
        for each in deferred
    ]
    return "; ".join(parts)


def _late(detail: Mapping[str, Any]) -> str:
    return (
        f"{_count(detail['bars'], 'bar')} decided late, the newest "
        f"{detail['newest_delay_s']:,.0f} s after its end"
    )


def _absent(detail: Mapping[str, Any]) -> str:
    incomplete = detail["incomplete"]
    some = f", {len(incomplete)} of them of some symbols" if incomplete else ""
    return f"{_count(detail['bars'], 'bar')} before it did not come{some}: nothing was decided"


def _revision(detail: Mapping[str, Any]) -> str:
    change = f"revised after its decision, prices by up to {100 * detail['largest_change']:.3g} %"
    effect = (
        f"{detail['differing']} of {detail['compared']} decisions would have been others"
        if detail["would_differ"]
        else "no decision would have been another"
    )
    return f"{change}: {', '.join(detail['symbols'])}; {effect}"


def _difference(detail: Mapping[str, Any]) -> str:
    causes = ", ".join(f"{cause} ({each['bars']})" for cause, each in detail["causes"].items())
    bars = "that came" if detail["compared_on"] == "received" else "as they are now"
    return (
        f"on the bars {bars} the backtest has {detail['equity_differs']} other equities and "
        f"{detail['targets_differ']} other targets on {_count(detail['bars'], 'bar')}: {causes}"
    )


def _comparison(detail: Mapping[str, Any]) -> str:
    received = detail["received"]
    equal = not (received["targets_differ"] or received["equity_differs"])
    text = f"compared with the backtest on {_count(received['bars'], 'bar')} that came: "
    text += "equal" if equal else f"the equity differs at {received['equity_differs']}"
    if detail["problem"]:
        return f"{text}; not on the present bars: {detail['problem']}"
    present = detail["present"]
    differs = present["targets_differ"] or present["equity_differs"]
    return f"{text}; on the present bars: {'different' if differs else 'equal'}"


def _incomplete(detail: Mapping[str, Any]) -> str:
    parts = []
    if detail["symbols"]:
        parts.append(f"decided without the newest bar of {', '.join(detail['symbols'])}")
    if detail["rates"]:
        parts.append(f"converted with an older bar of {', '.join(detail['rates'])}")
    return f"{' and '.join(parts)}: it did not come in half of the grace time"


def _unused(detail: Mapping[str, Any]) -> str:
    bars = ", ".join(
        f"{symbol} ({_count(len(stamps), 'bar')})" for symbol, stamps in detail["symbols"].items()
    )
    return f"came after the decision that they belong to, and are not used: {bars}"


def _funding(detail: Mapping[str, Any]) -> str:
    parts = []
    if detail["lacking"]:
        parts.append(f"funding rates of {', '.join(detail['lacking'])} have not come")
    if (corrected := detail["corrected"]) is not None:
        rates = ", ".join(f"{name} ({count})" for name, count in corrected["rates"].items())
        parts.append(
            f"rates that came late are corrected: {rates}, {100 * corrected['paid']:.4g} % of the "
            "first equity is paid"
        )
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_TEXTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "started": lambda detail: f"started with a capital of {detail['capital']:,.2f}",
    "resumed": lambda _: "can be run again",
    "stopped": lambda _: "stopped",
    "missed": _missed,
    "late": _late,
    "absent": _absent,
    "revision": _revision,
    "difference": _difference,
    "comparison": _comparison,
    "trained": lambda detail: (
        f"window {detail['window']} began, {_count(detail['fits'], 'fit')} trained"
    ),
    "clock": lambda detail: f"the clock was set back by {detail['seconds']:,.0f} s",
    "silent": lambda detail: (
        f"nothing comes: this bar is overdue by "
        f"{format_age(pd.Timedelta(seconds=detail['overdue_s']))}"
    ),
    "incomplete": _incomplete,
    "unused": _unused,
    "funding": _funding,
    "optimum": lambda detail: (
        "this rebalancing had no optimum, so that the target weights before it stay until the "
        f"next one; so had {_count(detail['failed_optima'] - 1, 'rebalancing')} before it, those "
        "of the history among them"
    ),
    "error": lambda detail: f"{detail['problem']}",
}
