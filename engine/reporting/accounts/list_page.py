"""The page of all paper accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.accounts.account_texts import account_url, describe_account
from engine.reporting.site import render_site_page

if TYPE_CHECKING:
    from engine.reporting.accounts.figures import JournalFigures


def render_accounts(journal: JournalFigures) -> str:
    """The page: one card for each account, or why there is none."""
    return render_site_page(
        "accounts.html.j2",
        area="accounts",
        version=journal.version,
        place=journal.place,
        exists=journal.exists,
        problem=journal.problem,
        count=formatting.count_of(
            len(journal.accounts) + len(journal.unreadable), "paper account"
        ),
        unreadable=[(name, account_url(name), text) for name, text in journal.unreadable.items()],
        accounts=[describe_account(account) for account in journal.accounts],
    )
