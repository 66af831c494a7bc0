"""The leakage test: bars after a cutoff are replaced, and what came before must not change.

Not every stage is rebuilt at every cutoff. Why that is enough:

- A window that ends before a cutoff is rebuilt at the first cutoff after it. The bars that a later
  cutoff replaces are also replaced by this one, so a dependence on them is seen here.
- Equal arrays are equal tasks: same key, same forecast. So only the window that straddles a cutoff
  is fitted again, because its test rows after the cutoff differ; the most sensitive cutoff is the
  one after the window's first test bar. This is done at two cutoffs, or at one where there are few
  windows, for the first of several seeds: they share one dataset and differ in random draws only.
- All books share one simulation: their own fills are compared at two cutoffs, and those of the
  alternating strategy at all of them. Few bars have an entry or a fill; it has both at each.
- Forecasts after a cutoff are replaced by values that the run never had: a threshold or a position
  that was computed from them changes.
- A position is one of few values, which slightly different bars seldom change. So the forecasts
  after a cutoff are all high or all low by turns, and the benchmark rules are evaluated once more
  before prices of a fifth or of five times what they were.
- Altered bars alone do not show a fill at the open of the bar whose close decided it. So every
  decision from the cutoff on is replaced as well, and no fill up to it may change; at every second
  cutoff all of its bar but the open is altered, and the fills of that bar may not change.
"""

from engine.leakage.certify import run_leakage_test

__all__ = ["run_leakage_test"]
