"""The `backtest` command: parses, prints, exits."""
