"""The documents that the journal keeps of an account, as values."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.live.dataset_schedule import schedule_of_dataset
from engine.live.feeds.delay import feed_delay
from engine.live.journal.rows import damaged_row_error
from engine.live.loop.loop_state import LoopState
from engine.live.paper.account import manifest_of
from engine.live.paper.settings import PaperSettings
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.live.journal.rows import AccountRow, DecisionRow
    from engine.live.row_schedule import Schedule


def strategy_of(account: AccountRow) -> Strategy:
    """The strategy that an account was started with.

    Raises:
        DamagedRowError: The row of the account is damaged.
    """
    with _stored("a strategy", f"account {account.name}, specification"):
        return Strategy.model_validate_json(account.specification)


def settings_of(account: AccountRow) -> PaperSettings:
    """The settings that an account was started with.

    Raises:
        DamagedRowError: The row of the account is damaged.
    """
    with _stored("settings of an account", f"account {account.name}, settings"):
        return PaperSettings.model_validate_json(account.settings)


def schedule_of(account: AccountRow) -> Schedule:
    """The bars of an account, by the calendar of its dataset, or by those of its symbols.

    Raises:
        DamagedRowError: The row of the account is damaged.
    """
    with _stored("a manifest of a dataset", f"account {account.name}, manifest"):
        dataset = manifest_of(account).dataset
    delay = feed_delay(settings_of(account).feed, dataset)
    return schedule_of_dataset(dataset, strategy_of(account), delay)


def state_of(decision: DecisionRow) -> LoopState:
    """The state that a decision left.

    Raises:
        DamagedRowError: The row of the decision is damaged.
    """
    with _stored("a state", f"account {decision.account}, bar {decision.bar}, state"):
        return LoopState.model_validate_json(decision.state)


@contextmanager
def _stored(expected: str, where: str) -> Iterator[None]:
    """Errors of a document that the engine did not write as errors of the journal."""
    try:
        yield
    except (ValueError, TypeError, KeyError, UsageError) as error:
        # Settings may have addresses: no value is quoted.
        found = f"another text ({type(error).__name__})"
        raise damaged_row_error(f"{expected} as the engine wrote it", found, where) from None
