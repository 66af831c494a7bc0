"""A generated market through the engine's own stages: those of a run, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.pipeline.books import decide, measure, refit, trade
from engine.pipeline.certificate import certify
from engine.pipeline.ground import prepare
from engine.pipeline.judging import judge
from engine.pipeline.made import Made
from engine.progress import Silent
from engine.refit.local import Local
from engine.refit.store import Store
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.market import Market

RESAMPLES = 999
"""Of a market: with (1 + extreme) / (1 + resamples) a test at 5 % is as exact as with more."""

FREE: dict[str, float] = {"fee_bps": 0.0, "slippage_bps": 0.0}
CROSSOVER: dict[str, Any] = {"kind": "ma_crossover", "fast": 5, "slow": 40}

_NOTHING_STORED = Path("selftest-stores-nothing")
"""No folder is ever made: every model here is fitted at once, and none is worth storing."""


@dataclass(frozen=True)
class Passage:
    """What the stages made of a market, and what a run would tell of it.

    Attributes:
        made: Forecasts, decisions and books.
        metrics: As in `metrics.json`.
        significance: As in `significance.json`; nobody knows of other trials.
    """

    made: Made
    metrics: Mapping[str, Any]
    significance: Mapping[str, Any]

    def sharpe(self, book: str) -> Mapping[str, Any]:
        """Estimate, interval and p-value of a book's Sharpe ratio."""
        figures: Mapping[str, Any] = self.significance["sharpe"][book]
        return figures


def strategy(**parts: Any) -> Strategy:  # noqa: ANN401 - whatever a strategy file may hold
    """A ridge on the last two returns, always long or short, without costs, against two rules.

    Args:
        parts: Keys of a strategy file, in place of those here.
    """
    told = {
        "name": "selftest",
        "data": {"dataset": "generated"},
        "features": [{"kind": "log_return"}],
        "windows": {"train": 300, "validation": 60, "test": 260},
        "model": {"kind": "ridge", "lookback": 2, "alphas": [1.0]},
        "signal": {"kind": "threshold", "enter_bps": 0, "exit_bps": 0, "side": "long_short"},
        "costs": FREE,
        "opponents": [{"kind": "buy_and_hold"}, CROSSOVER],
        "evaluation": {"resamples": RESAMPLES},
    }
    return Strategy.model_validate(told | parts)


def through(spec: Strategy, market: Market) -> Passage:
    """From bars to judgement."""
    made = _made(spec, market)
    metrics = measure(made.ground, made.predictions, made.books)
    return Passage(made, metrics, judge(made, metrics))


def certified(spec: Strategy, market: Market) -> Mapping[str, Any]:
    """The leak certificate, made as a run makes it.

    Raises:
        CertificateError: The strategy knows the future.
    """
    return certify(_made(spec, market), *_worker(spec), Silent(), fresh=False)


def below(p_value: float | None, level: float) -> bool:
    """Whether something was found; where nothing can be said, nothing was."""
    return p_value is not None and p_value < level


def holds(figures: Mapping[str, Any], truth: float) -> bool:
    """Whether an interval holds a value; one that is not there does not."""
    low, high = figures["low"], figures["high"]
    return low is not None and high is not None and bool(low <= truth <= high)


def _made(spec: Strategy, market: Market) -> Made:
    """From bars to books."""
    ground = prepare(spec, market)
    predictions, fits = refit(spec, ground, *_worker(spec), Silent(), fresh=False)
    weights = decide(spec, ground, predictions)
    return Made(spec, ground, fits, predictions, weights, trade(spec, ground, weights))


def _worker(spec: Strategy) -> tuple[Local, Store]:
    return Local(1, spec.compute.backend), Store(_NOTHING_STORED)
