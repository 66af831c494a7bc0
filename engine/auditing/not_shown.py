"""What an audited file cannot show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.runs.documents.audit import NotShown

if TYPE_CHECKING:
    from engine.auditing.backtest import AuditedBacktest
    from engine.runs.documents.audit import AuditedTries


def list_not_shown(
    backtest: AuditedBacktest, tries: AuditedTries, *, has_benchmark: bool
) -> tuple[NotShown, ...]:
    """The questions that stay open, each with what would answer it.

    Args:
        backtest: What the file holds.
        tries: What is known of other tries.
        has_benchmark: Whether there is a benchmark.
    """
    open_questions = [
        NotShown(
            question="Did a decision use a later bar?",
            reason="returns look the same with look-ahead and without; a run of the strategy in "
            "this engine tests every stage, and `backtest audit code` a function of bars",
        ),
        NotShown(
            question="Are costs charged, and are they enough?",
            reason="the file does not say which fees, slippage and borrow its returns paid; a "
            "result with other costs needs positions and bars"
            if backtest.held is None
            else f"{backtest.held.cost_bps:g} bps are charged on each change of a position, as "
            "--cost-bps says; whether the market charges more is not known",
        ),
        NotShown(
            question="Could the orders have been filled at these prices?",
            reason="the prices of the fills are not compared with any bars",
        ),
    ]
    if not tries.known:
        open_questions.append(
            NotShown(
                question="How many strategies were tried before this one?",
                reason="no number was given: --tries N counts them, and a matrix of variants by "
                "what they have in common",
            )
        )
    if not has_benchmark:
        open_questions.append(
            NotShown(
                question="Does it earn more than holding?",
                reason="no benchmark was given, and without one there is no grade: --bars FILE "
                "or --benchmark FILE",
            )
        )
    if backtest.round_trips is None:
        open_questions.append(
            NotShown(
                question="How many trades carry the result?",
                reason="the file has no trades; the bars that carry the result are counted "
                "instead",
            )
        )
    if backtest.by_exits:
        open_questions.append(
            NotShown(
                question="How deep did open trades fall?",
                reason="the equity moves at the exits of trades alone; volatility and drawdowns "
                "between entry and exit are not in any figure, and the Sharpe ratio may be too "
                "high",
            )
        )
    return tuple(open_questions)
