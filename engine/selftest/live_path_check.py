"""The live path: bar by bar it gives what the backtest computes from all bars at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from engine.core.progress import NullProgress
from engine.live.loop.window_source import HistoryWindows
from engine.live.parity.strategy_replay import compute_backtest, replay_result
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.random_strategies import draw_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.live.loop.recent_bars import RecentBars
    from engine.live.loop.window_source import WindowSource


@dataclass(frozen=True)
class LivePathCheck(SelfTestCheck):
    """Replays a strategy drawn at random, on bars drawn with it, through the bar loop."""

    @property
    def key(self) -> str:
        """One check for all values."""
        return "live path"

    def observe(self, seed: int, market_number: int) -> Observation:
        """How many values were compared, and how many differ."""
        case = draw_case(seed + market_number)
        with TemporaryDirectory() as folder:

            def fit_as_they_begin(recent: RecentBars) -> WindowSource:
                return HistoryWindows.of_bars(
                    recent,
                    case.market.until,
                    home=Path(folder),
                    workers=1,
                    progress=NullProgress(),
                )

            result = compute_backtest(
                case.spec, case.market, home=Path(folder), workers=1, progress=NullProgress()
            )
            replay = replay_result(result, windows=fit_as_they_begin)
        return {
            "bars": replay.bars,
            "compared": replay.compared.total,
            "differing": replay.differing.total,
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """No value differs in any bit."""
        bars, compared, differing = (
            sum(one[name] for one in observations) for name in ("bars", "compared", "differing")
        )
        return [
            CheckResult(
                "live path equals backtest",
                f"{len(observations)} strategies drawn at random, each replayed bar by bar",
                "forecasts, weights, orders, fills and equity have the bits of the backtest",
                f"{differing:,} of {compared:,} values differ on {bars:,} bars",
                differing == 0 and compared > 0,
                {"bars": bars, "compared": compared, "differing": differing},
            )
        ]
