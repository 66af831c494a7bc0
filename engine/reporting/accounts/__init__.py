"""Pages of paper accounts: all of them, and one."""

from engine.reporting.accounts.figures import (
    AccountDetail,
    AccountFigures,
    ConeFigures,
    DecisionFigures,
    EventFigures,
    FillFigures,
    JournalFigures,
    OrderFigures,
    SinkFigures,
    SymbolFigures,
)
from engine.reporting.accounts.list_page import render_accounts
from engine.reporting.accounts.page import render_account

__all__ = [
    "AccountDetail",
    "AccountFigures",
    "ConeFigures",
    "DecisionFigures",
    "EventFigures",
    "FillFigures",
    "JournalFigures",
    "OrderFigures",
    "SinkFigures",
    "SymbolFigures",
    "render_account",
    "render_accounts",
]
