"""The leakage test: bars after a cutoff are replaced, and what came before must not change.

Features are cheap, so they are probed at hundreds of bars; the arrays of every window are built
from a history without its test part; all stages run on two histories that end early. What costs
more is rebuilt at a few cutoffs, and not every stage at each of them. Why that is enough:

- A fit is handed no test row. Equal arrays are equal fits: same key, same model. So no fit of the
  engine's own models is made again; the stored models of every window, by their first seed,
  predict again from other features. What a user's `fit` reads beside its arrays only another fit
  can tell: two windows are fitted again before eight futures that replace all their test rows but
  one, a fit that is not stored at every cutoff besides. A choice of two by the test rows is alike
  half of the time.
- The thresholds of every window are computed again before other test forecasts.
- Positions of models and fills of books follow rules that can be applied bar by bar. A replay that
  is shown one bar after the other makes them again at every bar, and the equity is computed from
  the fills.
- A position of a benchmark rule is one of few values, which slightly different bars seldom change,
  and a rare bar follows hardly any cutoff. So rules are decided before a bar that falls to a fifth
  and before one that rises to five times its price, by its gap too, with another range and volume;
  later bars stay at that level.
- What a fill is made of (costs, halts, rates) is read from altered bars at the cutoffs, by a copy
  of the strategy that turns at every bar: every kind of turn is the last decision, and the last
  order due, at some cutoff. Where fills are at the open, all of the cutoff's bar but its open is
  altered.
"""

from engine.leakage.certify import run_leakage_test

__all__ = ["run_leakage_test"]
