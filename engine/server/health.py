"""Whether the journal can be read and every running account has its newest bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.reporting.accounts import AccountFigures, JournalFigures


def describe_health(journal: JournalFigures) -> dict[str, Any]:
    """The document of `/healthz`: `healthy` is false where something needs a person.

    An account is healthy while its next bar, with the grace time, is not due yet; one that was
    stopped is healthy.
    """
    accounts = {account.name: _describe_account(account) for account in journal.accounts}
    accounts |= {
        name: {"healthy": False, "problem": problem.partition("\n")[0]}
        for name, problem in journal.unreadable.items()
    }
    return {
        "healthy": not journal.problem and all(each["healthy"] for each in accounts.values()),
        "journal": {
            "readable": not journal.problem,
            "exists": journal.exists,
            "problem": journal.problem.partition("\n")[0],
        },
        "accounts": accounts,
    }


def _describe_account(account: AccountFigures) -> dict[str, Any]:
    return {
        "healthy": account.overdue_s is None,
        "stopped": account.stopped,
        "process": account.process or None,
        "newest_bar": account.newest_bar.isoformat(),
        "age_s": round(account.age_s, 3),
        "due_at": None if account.due_at is None else account.due_at.isoformat(),
        "overdue_s": None if account.overdue_s is None else round(account.overdue_s, 3),
    }
