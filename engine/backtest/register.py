"""`register`: writes what is expected of a strategy into the ledger, before it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.backtest.registration_section import describe_span
from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.home import LEDGER_FILE, backtest_home, prepare_home
from engine.data import read_manifest
from engine.strategy import load_strategy
from engine.trials import Ledger
from engine.trials.expectations import parse_expectation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from engine.trials.declarations import Declaration


def register(
    strategy: Path,
    expectations: Sequence[str],
    *,
    overrides: Mapping[str, object] | None = None,
    data: str | None = None,
    home: Path | str | None = None,
    notify: Callable[[str], None] | None = None,
) -> Declaration:
    """Registers a strategy, its span, its benchmarks and what is expected of it.

    Args:
        strategy: The strategy's file.
        expectations: One rule or more, such as `sharpe > 0.5`.
        overrides: As in `run`.
        data: A dataset's name or path, instead of the strategy's own.
        home: Folder of the ledger; by default BACKTEST_HOME, or `.backtest`.
        notify: Receives sentences about a ledger that is locked, and about earlier names of keys.

    Raises:
        UsageError: There is no rule, or one is wrong.
        StrategyError: The strategy or the dataset is wrong.
        LedgerError: The ledger cannot be written.
    """
    if not expectations:
        raise UsageError(
            "nothing is expected",
            expected="at least one rule",
            found="none",
            where="--expect",
            fix='write one: --expect "sharpe > 0.5"',
        )
    spec = load_strategy(strategy, overrides, notify)
    benchmarks = [name for name in spec.books() if name != STRATEGY_BOOK]
    rules = [parse_expectation(text, benchmarks).rule for text in expectations]
    dataset = read_manifest(data or spec.data.dataset).dataset
    days = {key: day for key in ("start", "end") if (day := getattr(dataset, key)) is not None}
    span = describe_span({"name": dataset.name, **{key: f"{day}" for key, day in days.items()}})
    folder = backtest_home(home)
    prepare_home(folder)
    ledger = Ledger(folder / LEDGER_FILE, notify or (lambda _: None))
    return ledger.declare(
        "registration",
        spec.model_dump(mode="json"),
        {"expectations": list(dict.fromkeys(rules)), "span": span},
    )
