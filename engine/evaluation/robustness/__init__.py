"""How much a result depends on costs, delay, thresholds and seeds."""
