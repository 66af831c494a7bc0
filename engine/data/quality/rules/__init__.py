"""The quality rules: pure functions from the bars of one symbol to violations."""
