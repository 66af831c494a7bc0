"""`rival_probes.py TOOL`: the functions of `rival_functions`, probed by another tool.

Runs in the environment of the other tools. Each is used as its documentation shows; a tool that
takes positions gets a feature x as x / (1 + |x|), which is between -1 and 1.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rival_functions import report

if TYPE_CHECKING:
    from collections.abc import Callable

    Feature = Callable[[pd.DataFrame], pd.Series]

CUTS = 128
"""Cuts of nullcheck, as many as this engine has; the other tools keep their own numbers."""


def bound(values: object) -> np.ndarray:
    """Values between -1 and 1; 0 where there is none."""
    array = np.nan_to_num(np.asarray(values, dtype=float))
    return array / (1.0 + np.abs(array))


def nullcheck(function: Feature, bars: pd.DataFrame) -> bool:
    """`nullcheck.check`, 128 cuts."""
    import nullcheck as tool

    settings = tool.Settings(n_cutoffs=CUTS)
    return bool(tool.check(function, bars, settings=settings).status == tool.DIVERGENCE)


def monte_neo(function: Feature, bars: pd.DataFrame) -> bool:
    """`verify_strategy`: a look-ahead check fails. It also simulates the positions."""
    from monte_neo.verify import verify_strategy

    table = bars.rename_axis("timestamp").reset_index()
    verdict = verify_strategy(
        table,
        signal_fn=lambda part: bound(function(part.set_index("timestamp"))),
        positions="weight",
    )
    return any(
        each["status"] == "fail" and each["category"] == "lookahead" for each in verdict["checks"]
    )


def nullius(function: Feature, bars: pd.DataFrame) -> bool:
    """`check_prefix_invariance` at its five cuts."""
    from nullius import check_prefix_invariance

    def pipeline(table: pd.DataFrame) -> pd.DataFrame:
        values = np.asarray(function(table.set_index("time")), dtype=float)
        return pd.DataFrame({"time": table["time"].to_numpy(), "value": values})

    table = bars.rename_axis("time").reset_index()
    return not check_prefix_invariance(pipeline, table).passed


def nullbar(function: Feature, bars: pd.DataFrame) -> bool:
    """`prefix_replay_check` at its six cuts."""
    from nullbar import prefix_replay_check

    return bool(prefix_replay_check(function, bars)["leak"])


def tokio_ai(function: Feature, bars: pd.DataFrame) -> bool:
    """`Lab.run`, which refuses a signal that changes at one of its seven cuts."""
    from tokio_ai import Lab, LookaheadError

    try:
        Lab(bars, holdout=0.0).run(lambda part: pd.Series(bound(function(part)), part.index))
    except LookaheadError:
        return True
    return False


def fullbacktester(function: Feature, bars: pd.DataFrame) -> bool:
    """`FutureLeakTester`, the part that truncates, at its six bars: a flag of high severity.

    The other part simulates orders, and asks a function of all bars at every bar of each of seven
    simulations.
    """
    import fullbacktester as tool
    from fullbacktester.validation.perturbation import FutureLeakTester

    class Weights(tool.BatchWeightStrategy):
        warmup = 0

        def target_weights_batch(self, view: object) -> pd.DataFrame:
            fields = ("open", "high", "low", "close", "volume")
            part = pd.DataFrame({name: getattr(view, name)["A"] for name in fields})
            weights = bound(function(part.tz_localize(None)))
            return pd.DataFrame({"A": weights}, index=view.timestamps)

    stamps = bars.index.tz_localize("UTC")
    wide = {name: bars[[name]].set_axis(["A"], axis=1).set_axis(stamps) for name in bars}
    panel, tester = tool.Panel.from_wide(**wide), FutureLeakTester()
    flags = tester.truncation_test(Weights(), panel, tester.sample_ends(panel, warmup=0))
    return any(flag.severity is tool.Severity.HIGH for flag in flags)


PROBES = {
    "nullcheck": nullcheck,
    "monte-neo": monte_neo,
    "nullius": nullius,
    "nullbar": nullbar,
    "tokio-ai": tokio_ai,
    "fullbacktester": fullbacktester,
}

if __name__ == "__main__":
    report(PROBES[sys.argv[1]])
