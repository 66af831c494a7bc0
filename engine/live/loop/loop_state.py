"""What the bar loop keeps between two bars, and what it gives at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from engine.core.errors import UsageError
from engine.core.persistent_value import PersistentValue
from engine.signals.decision import DecisionState
from engine.simulation.account import Account

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.signals.orders import Order
    from engine.signals.prediction_row import PredictionRow
    from engine.simulation.account import Fill


class LoopState(PersistentValue):
    """What a strategy carries from one bar to the next; `LoopState()` is that of a new account.

    It survives its JSON (`model_dump_json`, `model_validate_json`) to the last bit. All else that
    a `BarLoop` holds follows from the bars.

    Attributes:
        decision: What is meant to be held.
        account: What is held, for an initial equity of 1, and the orders that are not filled.
    """

    decision: DecisionState = Field(default_factory=DecisionState)
    account: Account = Field(default_factory=Account)

    def check_before(self, newest: pd.Timestamp) -> None:
        """Refuses a state of a later bar.

        Args:
            newest: The last bar of a market.

        Raises:
            UsageError: The state has seen a later one.
        """
        last = self.account.timestamp or self.decision.decided_on
        if last is not None and last > newest:
            raise UsageError(
                "the state of the account is later than the bars",
                expected=f"bars up to {last} at least",
                found=f"bars up to {newest}",
                where="market",
                fix="load the bars that the account has seen",
            )


@dataclass(frozen=True, eq=False)
class BarOutcome:
    """What happened at one bar.

    Attributes:
        timestamp: Of the bar.
        row: What was known at its close: forecasts, and what the decision needs.
        targets: Target symbol -> target weight decided at the close; 1.0 is all of the equity.
        orders: Orders placed at the close, due `execution.delay` bars later; none where no target
            changed, or the account is ruined.
        fills: Of orders that were due at this bar; money for an initial equity of 1.
        account: After the bar, with the orders that wait, those placed now among them.
        trained: Number of costly fits that were trained, because a window began.
        window: Number of the bar's window, as in a run.
    """

    timestamp: pd.Timestamp
    row: PredictionRow
    targets: Mapping[str, float]
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    account: Account
    trained: int
    window: int
