"""The leakage test: bars after a cutoff are replaced, and what came before must not change."""
