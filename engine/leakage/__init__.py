"""The leakage test: bars after a cutoff are replaced, and what came before must not change.

Not every stage is rebuilt at every cutoff. Why that is enough:

- A window that ends before a cutoff is rebuilt at the first cutoff after it. The bars that a later
  cutoff replaces are also replaced by this one, so a dependence on them is seen here.
- A fit is handed no test row. Equal arrays are equal fits: same key, same model. So no fit of the
  engine's own models is made again; the stored model, by its first seed, predicts again from the
  altered bars. What a user's `fit` reads beside its arrays only another fit can tell: the window
  that straddles a cutoff is fitted again at two cutoffs, or at one where there are few windows.
  The most sensitive cutoff is the one after the window's first test bar.
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
