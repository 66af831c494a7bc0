"""Features known at the close of each bar, and (in one module) the forecast target."""
