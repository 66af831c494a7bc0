"""Charts as values: pure functions from frames to what is to be drawn; templates draw it."""
