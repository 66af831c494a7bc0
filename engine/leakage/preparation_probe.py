"""The probes that need no fit: features, the arrays of every window, and a history that ends."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, lgamma
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.core.randomness import derive_seed
from engine.leakage.feature_probe import FeatureProbe, probe_features
from engine.leakage.panel_features import probe_own_features
from engine.leakage.truncated_run import TruncatedRun, choose_ends
from engine.leakage.window_probe import probe_windows
from engine.runs.documents.certificate import FeatureCuts, MissedShare

if TYPE_CHECKING:
    from engine.leakage.comparison import OutputComparison
    from engine.pipeline.result import BacktestResult

SHARES = (0.01, 0.02, 0.05, 0.1)
"""Shares of all bars, for which the certificate states how likely a leak on them is missed."""


@dataclass(frozen=True)
class PreparationProbe:
    """What was done.

    Attributes:
        features: Cuts of the feature stage.
        windows: Windows whose arrays were built again.
        ends: The last bar of each history that ended early.
    """

    features: FeatureProbe
    windows: int
    ends: tuple[pd.Timestamp, ...]

    def to_document(self) -> dict[str, Any]:
        """Its keys of `certificate.json`."""
        probe = self.features
        cuts = FeatureCuts(
            cuts=probe.cuts,
            bars=probe.bars,
            special_cuts=dict(probe.special_cuts),
            unbounded=probe.unbounded,
            missed=tuple(
                MissedShare(
                    share_pct=100.0 * share,
                    probability=miss_probability(share, probe.cuts, probe.bars),
                )
                for share in SHARES
            ),
        )
        return {
            "features": cuts.as_dict(),
            "windows_rebuilt": self.windows,
            "ends": [bar.isoformat() for bar in self.ends],
        }


def probe_preparation(result: BacktestResult, comparison: OutputComparison) -> PreparationProbe:
    """Probes the stages before the fits, and all stages on a history that ends early.

    Args:
        result: The run.
        comparison: Counts what is equal.

    Raises:
        LookaheadError: A value changed with the bars after it.
    """
    prepared, spec = result.prepared, result.spec
    history, windows = prepared.feature_history, prepared.windows
    trades = [book.trades["timestamp"] for book in result.books.values()]
    fills = pd.DatetimeIndex(pd.concat(trades)).unique() if trades else pd.DatetimeIndex([])
    first = min(window.train.start for window in windows)
    features = (
        probe_features(spec, prepared.market, history, first, fills, comparison)
        if history.panel is None
        else probe_own_features(spec, prepared, first, fills, comparison)
    )
    probe_windows(result, comparison)
    stamps = history.features.timestamps
    tested = range(windows[0].test.start, windows[-1].test.stop)
    rng = np.random.default_rng(derive_seed(spec.seed, "certificate", "ends"))
    ends = choose_ends(stamps, tested, rng)
    truncated = TruncatedRun(result)
    for row in ends:
        truncated.compare(row, comparison)
    return PreparationProbe(features, len(windows), tuple(stamps[ends]))


def miss_probability(share: float, cuts: int, bars: int) -> float:
    """Probability that look-ahead at a random share of the bars is at none of the cuts.

    Hypergeometric: C(bars - cuts, k) / C(bars, k) for k = share x bars, at least one.

    Args:
        share: Of the bars, above 0 and at most 1.
        cuts: Different bars that were probed.
        bars: All that could have been.
    """
    leaking = max(1, ceil(share * bars - 1e-9))
    free = bars - cuts
    if leaking > free:
        return 0.0
    return exp(
        lgamma(free + 1)
        - lgamma(free - leaking + 1)
        - lgamma(bars + 1)
        + lgamma(bars - leaking + 1)
    )
