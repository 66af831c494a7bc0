"""Performance metrics of a series of returns, of weights and of fills."""
