"""The journal of paper accounts: one SQLite file, append-only."""
