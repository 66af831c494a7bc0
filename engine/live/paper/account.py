"""Starting, stopping and resuming paper accounts."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import UnreachableError, UsageError
from engine.core.home import backtest_home, prepare_home
from engine.core.numbers import parse_number
from engine.core.progress import NullProgress
from engine.data import Dataset, DatasetManifest, read_manifest
from engine.data.store.file_lock import exclusive_lock
from engine.live.certification import require_certification
from engine.live.dataset_schedule import schedule_of_dataset
from engine.live.feeds.delay import feed_delay
from engine.live.freshness import newest_bar
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal, NewEvent
from engine.live.journal.rows import AccountRow
from engine.live.market import load_market
from engine.live.paper.account_history import history_path, write_history
from engine.live.paper.late_orders import LatePolicy
from engine.live.paper.settings import require_grace
from engine.live.sinks.opening import describe_sink
from engine.pipeline.traded_symbols import resolve_targets
from engine.signals.orders import Order

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from engine.core.progress import Progress
    from engine.data import Market
    from engine.live.clock import Clock
    from engine.live.paper.settings import PaperSettings
    from engine.live.row_schedule import Schedule
    from engine.strategy import Strategy

_BARS_OF_A_WEEK = 5
_START_WAIT_S = 30.0
"""Wait for another process that starts an account of the same name."""

MAX_NAME_LENGTH = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII)


def account_lock(home: Path, name: str) -> Path:
    """The lock of an account: one process at a time runs it."""
    return home / "accounts" / f"{name}.lock"


def require_account_name(name: str) -> None:
    """Refuses a name that is no name of a file on every system.

    Raises:
        UsageError: It is none.
    """
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH or name.endswith("."):
        raise UsageError(
            "this is no name of an account",
            expected=f"up to {MAX_NAME_LENGTH} of the characters a-z 0-9 . _ -, the first a "
            "letter or digit",
            found=name or "nothing",
            where="--account",
            fix="give such a name: --account ridge",
        )


def require_capital(capital: float) -> None:
    """Refuses a capital that is not positive and finite.

    Raises:
        UsageError: It is not.
    """
    if not (math.isfinite(capital) and capital > 0):
        raise _capital_error(f"{capital:g}")


def parse_capital(text: str) -> float:
    """The capital as it is written on the command line.

    Raises:
        UsageError: It is no number in the digits 0 to 9, or not positive and finite.
    """
    try:
        capital = parse_number(text)
    except ValueError:
        raise _capital_error(text or "nothing") from None
    require_capital(capital)
    return capital


def _capital_error(found: str) -> UsageError:
    return UsageError(
        "an account needs a capital",
        expected="a positive number, in the currency of the bars",
        found=found,
        where="--capital",
        fix="give such a number: --capital 100000",
    )


def start_account(  # noqa: PLR0913 - an argument an option of the command line
    spec: Strategy,
    *,
    name: str,
    capital: float,
    settings: PaperSettings,
    clock: Clock,
    dataset: str | None = None,
    offline: bool = False,
    home: Path | None = None,
    progress: Progress | None = None,
) -> AccountRow:
    """Starts an account: writes all that it is made of, so that later changes of files are not.

    It holds nothing, and decides for the first time at the first bar that comes.

    Args:
        spec: The strategy.
        name: Of the account.
        capital: Equity at the start, in the currency of the bars.
        settings: What becomes of late bars, where bars come from, who is told.
        clock: The bars complete by now are the history.
        dataset: A dataset's name or path, instead of the strategy's own.
        offline: Use the strategy's offline dataset.
        home: Folder of the journal, the trial ledger and fits; by default that of the environment.
        progress: Receives notices.

    Raises:
        UsageError: The name or the capital is none, there is an account of that name, or the
            dataset has no source for the feed, or the grace time is too long for its bars; or
            the costs depend on the capital, and the strategy has another, or refuse late rates.
        UncertifiedError: No run of this configuration passed the leakage test.
        UnreachableError: No source of the dataset answers, and nothing of it is cached.
        DataError: Bars are missing or break a quality rule.
        JournalError: The journal cannot be used.
    """
    require_account_name(name)
    require_capital(capital)
    _require_late_rates(spec)
    folder = backtest_home(home)
    certification = require_certification(spec, folder)
    from engine.live.feeds.factory import open_feed  # the clients of markets are slow to import

    prepare_home(folder)
    path = journal_path(folder)
    with Journal(path) as journal:
        journal.require_new_name(name)
        name_or_path = dataset or (spec.data.offline if offline else None) or spec.data.dataset
        manifest = read_manifest(name_or_path)
        require_grace(settings, manifest.dataset.interval)
        # A dataset that is named is replaced by no other: the account waits for bars of this one.
        named = dataset if offline else name_or_path
        market = _load_named(spec, named, offline, folder, progress)
        _require_same_capital(spec, market, capital)
        open_feed(
            settings.feed, manifest, home=folder, clock=clock, progress=progress or NullProgress()
        ).close()
        _tell_late_prices(spec, market, manifest, settings, progress or NullProgress())
        now = clock.now()
        with _hold_name(folder, name):
            # The history of an account that another process started meanwhile is not touched.
            journal.require_new_name(name)
            account = AccountRow(
                name=name,
                created_at=now,
                strategy=spec.name,
                specification=_with_absolute_paths(spec).model_dump_json(),
                dataset=manifest.dataset.name,
                manifest=manifest_to_json(manifest),
                offline=offline,
                interval=market.interval,
                calendar=market.calendar,
                capital=capital,
                settings=settings.model_dump_json(),
                certified_by=certification.run_id,
                history_hash=write_history(history_path(folder, name), market),
                history_last=newest_bar(market),
            )
            shown = json.loads(account.settings) | {
                "sinks": list(map(describe_sink, settings.sinks))
            }
            detail = {"capital": capital, "settings": shown}
            journal.create_account(account, NewEvent(now, "started", detail=detail))
    return account


def _require_late_rates(spec: Strategy) -> None:
    """Refuses costs by which a funding rate that comes late ends a run.

    Raises:
        UsageError: They do.
    """
    funding = getattr(spec.costs, "funding", None)
    if funding is not None and funding.missing == "refuse":
        raise UsageError(
            "a funding rate may come after its bar was decided, which these costs refuse",
            expected="`costs.funding: {missing: zero}`: a rate that comes later is charged then",
            found="missing: refuse",
            where=f"strategy {spec.name}, costs.funding",
            fix="run the strategy with missing: zero first",
        )


def _require_same_capital(spec: Strategy, market: Market, capital: float) -> None:
    """Refuses money of another size than the strategy's costs were charged on.

    Raises:
        UsageError: The costs depend on the capital, which is another one.
    """
    bound = spec.bind_costs(market)
    if capital != spec.capital and bound.rates.needs_capital:
        raise UsageError(
            "the costs of the strategy depend on the money of the book, and the account has other",
            expected=f"--capital {spec.capital:.15g}, the `capital` of the run that passed the "
            "leakage test",
            found=f"{capital:.15g}",
            where="--capital",
            fix="start the account with that capital, or write another one into the strategy and "
            "run it first",
        )


def _load_named(
    spec: Strategy, dataset: str | None, offline: bool, home: Path, progress: Progress | None
) -> Market:
    """The bars of a dataset, or of the strategy's offline dataset where none is named."""
    try:
        return load_market(
            spec, dataset=dataset, offline=offline, home=home, progress=progress, sealed=False
        )
    except UnreachableError as error:
        raise UnreachableError(
            error.problem,
            expected="bars of the dataset that the account will trade: no other replaces it",
            found=error.found,
            where=error.where,
            fix="try again when its sources answer, or take a dataset of files: --data FILE",
        ) from error


def _hold_name(home: Path, name: str) -> AbstractContextManager[None]:
    """One process at a time writes the history of a new account of that name."""
    return exclusive_lock(
        account_lock(home, name),
        lambda _: None,
        _START_WAIT_S,
        busy_error=_busy_error,
        cannot_write="the lock of a paper account cannot be written",
    )


def _busy_error(holder: str, path: Path, _: float) -> UsageError:
    return UsageError(
        f"{holder} starts or runs an account of that name",
        expected="a new name: what an account decided is never replaced",
        found=path.stem,
        where="--account",
        fix="give another name",
    )


def _with_absolute_paths(spec: Strategy) -> Strategy:
    """The strategy as a process in another folder reads it."""
    return spec.model_copy(update={"rates": spec.rates.beside(Path.cwd())})


def _tell_late_prices(
    spec: Strategy,
    market: Market,
    manifest: DatasetManifest,
    settings: PaperSettings,
    progress: Progress,
) -> None:
    """A notice where a bar is complete only after the price at which its order is due."""
    dataset = manifest.dataset
    times = schedule_of_dataset(dataset, spec, feed_delay(settings.feed, dataset))
    policy = LatePolicy(
        times, spec.execution, settings.missed, pd.Timedelta(seconds=settings.grace_s)
    )
    coming = [span.bar for span in times.following(newest_bar(market), _BARS_OF_A_WEEK)]
    clocks = {times.clock_of(symbol): symbol for symbol in resolve_targets(spec, market)}
    late = [
        bar
        for bar in coming
        if not all(
            policy.is_in_time(_order_of(spec, symbol, bar, times), bar, times.is_complete_at(bar))
            for symbol in clocks.values()
        )
    ]
    if late:
        effect = (
            "is not placed"
            if settings.missed == "skip"
            else "is filled at the next price after it"
        )
        progress.notice(
            f"{len(late)} of the next {len(coming)} bars of {_name_calendars(dataset)} are "
            f"complete after the price at which their orders are due: such an order {effect}; "
            "raise execution.delay, or take --missed fill_at_next_open"
        )


def _order_of(spec: Strategy, symbol: str, bar: pd.Timestamp, times: Schedule) -> Order:
    """An order as it would be decided at the close of a bar."""
    return Order(
        symbol=symbol,
        target_weight=0.0,
        decided_on=bar,
        due_in_bars=spec.execution.delay,
        not_before=times.decision_instant(bar),
    )


def _name_calendars(dataset: Dataset) -> str:
    names = dict.fromkeys([dataset.calendar, *dataset.calendars.values()])
    return f"the calendar{'s' if len(names) > 1 else ''} {', '.join(names)}"


def manifest_to_json(manifest: DatasetManifest) -> str:
    """A manifest for the journal, with its absolute path, beside which its files are."""
    dataset = manifest.dataset.model_dump(mode="json")
    return json.dumps({"path": str(manifest.path.absolute()), "dataset": dataset})


def manifest_of(account: AccountRow) -> DatasetManifest:
    """The manifest that an account was started with, whatever its file says now."""
    stored = json.loads(account.manifest)
    dataset = Dataset.model_validate_json(json.dumps(stored["dataset"]))
    return DatasetManifest(dataset, Path(stored["path"]))


def stop_account(name: str, clock: Clock, home: Path | None = None) -> bool:
    """Stops an account: a process that runs it leaves it, and no process begins to run it.

    Returns:
        Whether it was running or waiting to run; False where it was stopped before.

    Raises:
        UsageError: There is none of that name.
    """
    return _record_change(name, "stopped", clock, home)


def resume_account(name: str, clock: Clock, home: Path | None = None) -> bool:
    """Lets a stopped account be run again; the bars since then are treated as missed ones.

    Returns:
        Whether it was stopped.

    Raises:
        UsageError: There is none of that name.
    """
    return _record_change(name, "resumed", clock, home)


def _record_change(name: str, kind: str, clock: Clock, home: Path | None) -> bool:
    with Journal.existing(backtest_home(home)) as journal:
        journal.account(name)
        if journal.is_stopped(name) == (kind == "stopped"):
            return False
        journal.record_events(name, [NewEvent(clock.now(), kind)])
        return True
