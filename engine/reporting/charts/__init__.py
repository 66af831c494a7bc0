"""Charts as values: pure functions from tables to what the templates draw."""
