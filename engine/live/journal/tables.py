"""The tables of the journal of paper accounts: append-only, one SQLite file for all accounts.

The file has a write-ahead log and is written with synchronous=FULL: what a transaction wrote is on
the disk when it ends, and a log that a power failure cut short ends with the last whole
transaction.
"""

from __future__ import annotations

APPLICATION_ID = 0x4254504A
"""`BTPJ` in the header: databases of other programs are refused."""

_FIRST_KINDS = (
    *("started", "resumed", "stopped", "missed", "late", "absent", "revision", "difference"),
    *("comparison", "trained", "clock", "error", "silent"),
)

EVENT_KINDS = (*_FIRST_KINDS, "incomplete", "unused", "optimum", "funding")


def _events_table(name: str, kinds: tuple[str, ...]) -> str:
    return f"""
    CREATE TABLE {name} (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL REFERENCES accounts (name),
        at TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ({", ".join(f"'{kind}'" for kind in kinds)})),
        bar TEXT,
        detail TEXT NOT NULL
    )
    """


_EVENTS_OF_ACCOUNT = "CREATE INDEX events_of_account ON events (account, number)"

_CREATE_TABLES = (
    """
    CREATE TABLE accounts (
        name TEXT PRIMARY KEY NOT NULL,
        created_at TEXT NOT NULL,
        strategy TEXT NOT NULL,
        specification TEXT NOT NULL,
        dataset TEXT NOT NULL,
        manifest TEXT NOT NULL,
        offline INTEGER NOT NULL,
        interval TEXT NOT NULL,
        calendar TEXT NOT NULL,
        capital REAL NOT NULL CHECK (capital > 0),
        settings TEXT NOT NULL,
        certified_by TEXT NOT NULL,
        history_hash TEXT NOT NULL,
        history_last TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE bars (
        account TEXT NOT NULL REFERENCES accounts (name),
        bar TEXT NOT NULL,
        symbol TEXT NOT NULL,
        open REAL NOT NULL,
        high REAL NOT NULL,
        low REAL NOT NULL,
        close REAL NOT NULL,
        volume REAL,
        received_at TEXT NOT NULL,
        PRIMARY KEY (account, bar, symbol)
    )
    """,
    """
    CREATE TABLE decisions (
        account TEXT NOT NULL REFERENCES accounts (name),
        bar TEXT NOT NULL,
        decided_at TEXT NOT NULL,
        late INTEGER NOT NULL,
        "row" TEXT NOT NULL,
        targets TEXT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (account, bar)
    )
    """,
    """
    CREATE TABLE orders (
        account TEXT NOT NULL,
        bar TEXT NOT NULL,
        symbol TEXT NOT NULL,
        target_weight REAL NOT NULL,
        due_in_bars INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('placed', 'deferred', 'missed')),
        PRIMARY KEY (account, bar, symbol),
        FOREIGN KEY (account, bar) REFERENCES decisions (account, bar)
    )
    """,
    """
    CREATE TABLE fills (
        account TEXT NOT NULL,
        bar TEXT NOT NULL,
        number INTEGER NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
        size REAL NOT NULL,
        price REAL NOT NULL,
        fee REAL NOT NULL,
        slippage_cost REAL NOT NULL,
        equity REAL NOT NULL,
        margin_call INTEGER NOT NULL,
        decided_on TEXT,
        PRIMARY KEY (account, bar, number),
        FOREIGN KEY (account, bar) REFERENCES decisions (account, bar),
        FOREIGN KEY (account, decided_on, symbol) REFERENCES orders (account, bar, symbol)
    )
    """,
    """
    CREATE TABLE equity (
        account TEXT NOT NULL,
        bar TEXT NOT NULL,
        equity REAL NOT NULL,
        cash REAL NOT NULL,
        holdings TEXT NOT NULL,
        PRIMARY KEY (account, bar),
        FOREIGN KEY (account, bar) REFERENCES decisions (account, bar)
    )
    """,
    _events_table("events", _FIRST_KINDS),
    _EVENTS_OF_ACCOUNT,
    # Counted often, by pages and by Prometheus; the rows of decisions are long.
    "CREATE INDEX late_decisions ON decisions (account) WHERE late",
)

_KEYS = {
    "accounts": ("name",),
    "bars": ("account", "bar", "symbol"),
    "decisions": ("account", "bar"),
    "orders": ("account", "bar", "symbol"),
    "fills": ("account", "bar", "number"),
    "equity": ("account", "bar"),
    "events": ("number",),
}

TABLES = tuple(_KEYS)
"""The tables that every engine writes; sinks have one more."""


def _append_only_triggers(table: str, key: tuple[str, ...]) -> tuple[str, ...]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    return (
        f"CREATE TRIGGER {table}_keep BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_stay BEFORE DELETE ON {table} {refuse}",
        # INSERT OR REPLACE deletes without firing the trigger above.
        f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {refuse}",
    )


# Bars are decided in order: a bar is later than every bar of its account that was decided before.
_IN_ORDER = (
    "CREATE TRIGGER decisions_in_order BEFORE INSERT ON decisions "
    "WHEN EXISTS (SELECT 1 FROM decisions WHERE account = NEW.account AND bar >= NEW.bar) "
    "BEGIN SELECT RAISE(ABORT, 'a bar is decided once, after those before it'); END"
)

_VERSION_1 = (
    *_CREATE_TABLES,
    *(trigger for table, key in _KEYS.items() for trigger in _append_only_triggers(table, key)),
    _IN_ORDER,
)

_VERSION_2 = (
    """
    CREATE TABLE deliveries (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL REFERENCES accounts (name),
        sink TEXT NOT NULL,
        source TEXT NOT NULL CHECK (source IN ('decisions', 'events')),
        position NOT NULL,
        key TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        at TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('begun', 'delivered', 'failed', 'dead')),
        reason TEXT NOT NULL,
        retry_at TEXT
    )
    """,
    "CREATE INDEX deliveries_in_order ON deliveries (account, sink, source, position)",
    "CREATE INDEX deliveries_of_key ON deliveries (account, sink, key)",
    "CREATE INDEX deliveries_of_sink ON deliveries (account, sink, number)",
    "CREATE INDEX dead_deliveries ON deliveries (account, sink, number) WHERE outcome = 'dead'",
    *_append_only_triggers("deliveries", ("number",)),
)
"""What was sent to sinks; see `engine.live.sinks.outbox`."""


def _refuse(trigger: str, table: str, condition: str, reason: str) -> str:
    return (
        f"CREATE TRIGGER {trigger} BEFORE INSERT ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{reason}'); END"
    )


_OF_BAR = "WHERE account = NEW.account AND bar = NEW.bar"
_UNDECIDED = f"NOT EXISTS (SELECT 1 FROM decisions {_OF_BAR})"

_BARS_AND_DECISIONS = (
    _refuse(
        "bars_in_order",
        "bars",
        "EXISTS (SELECT 1 FROM decisions WHERE account = NEW.account AND bar >= NEW.bar) OR "
        "EXISTS (SELECT 1 FROM accounts WHERE name = NEW.account AND history_last >= NEW.bar)",
        "a bar comes after those that were decided and those of the history",
    ),
    _refuse(
        "decisions_of_bars",
        "decisions",
        f"NOT EXISTS (SELECT 1 FROM bars {_OF_BAR})",
        "a decision is about a bar that came",
    ),
)

_STARTS_AND_STOPS = (
    "CREATE INDEX starts_and_stops ON events (account, number) "
    "WHERE kind IN ('started', 'resumed', 'stopped')"
)

_VERSION_3 = (
    *_BARS_AND_DECISIONS,
    # The equity is the last row of a bar.
    *(
        _refuse(
            f"{table}_of_the_bar",
            table,
            f"{_UNDECIDED} OR EXISTS (SELECT 1 FROM equity {_OF_BAR})",
            "rows are written with the decision of their bar",
        )
        for table in ("orders", "fills", "equity")
    ),
    _STARTS_AND_STOPS,
)
"""A decided bar gets no more rows, whatever a connection says about foreign keys."""

_VERSION_4 = (
    "DROP TRIGGER decisions_of_bars",
    """
    CREATE TABLE bars_of_version_4 (
        account TEXT NOT NULL REFERENCES accounts (name),
        bar TEXT NOT NULL,
        symbol TEXT NOT NULL,
        open REAL,
        high REAL,
        low REAL,
        close REAL NOT NULL,
        volume REAL,
        received_at TEXT NOT NULL,
        PRIMARY KEY (account, bar, symbol)
    )
    """,
    "INSERT INTO bars_of_version_4 SELECT * FROM bars",
    "DROP TABLE bars",
    "ALTER TABLE bars_of_version_4 RENAME TO bars",
    *_append_only_triggers("bars", _KEYS["bars"]),
    *_BARS_AND_DECISIONS,
)
"""Bars may have closes alone; SQLite takes `NOT NULL` from no column, so the table is another."""

_VERSION_5 = (
    """
    CREATE TABLE arrivals (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL REFERENCES accounts (name),
        symbol TEXT NOT NULL,
        bar TEXT NOT NULL,
        open REAL,
        high REAL,
        low REAL,
        close REAL NOT NULL,
        volume REAL,
        received_at TEXT NOT NULL,
        after_bar TEXT NOT NULL,
        UNIQUE (account, symbol, bar)
    )
    """,
    *_append_only_triggers("arrivals", ("account", "symbol", "bar")),
    """
    CREATE TABLE funding (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL REFERENCES accounts (name),
        symbol TEXT NOT NULL,
        due_at TEXT NOT NULL,
        rate REAL NOT NULL,
        received_at TEXT NOT NULL,
        after_bar TEXT NOT NULL,
        UNIQUE (account, symbol, due_at)
    )
    """,
    *_append_only_triggers("funding", ("account", "symbol", "due_at")),
    "ALTER TABLE orders ADD COLUMN not_before TEXT",
    _events_table("events_of_version_5", EVENT_KINDS),
    "INSERT INTO events_of_version_5 SELECT * FROM events",
    "DROP TABLE events",
    "ALTER TABLE events_of_version_5 RENAME TO events",
    _EVENTS_OF_ACCOUNT,
    _STARTS_AND_STOPS,
    *_append_only_triggers("events", _KEYS["events"]),
)
"""Bars of symbols on several exchanges and funding rates as they came; more kinds of events."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    *(_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5),
)
"""The statements from each version of the file to the next, from an empty file on."""
