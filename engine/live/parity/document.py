"""The result of a replay as a document: what `backtest paper replay --json` prints."""

from __future__ import annotations

from engine.runs.documents.base import Document
from engine.runs.documents.live_path import FirstDifference, ValueCounts


class Replay(Document):
    """The bars of a strategy, replayed one by one through the live path and compared.

    Attributes:
        strategy: Name of the strategy.
        dataset: Name of the dataset.
        offline: Whether it is the strategy's offline dataset.
        first: First replayed bar, ISO 8601.
        last: Last one.
        bars: How many.
        out_of_sample_bars: Out-of-sample bars of the strategy, of which they are the newest.
        windows: Windows that began in the replay, whose models were fitted then.
        run_id: Stored run of the same strategy, bars and versions that was compared too; None
            where there is none.
        compared: Values that were compared, the stored run's among them.
        differing: Those of them whose bits differ.
        first_difference: None where all are equal.
        own_parts: Kinds of the strategy's parts that are not the engine's own.
    """

    strategy: str
    dataset: str
    offline: bool
    first: str
    last: str
    bars: int
    out_of_sample_bars: int
    windows: int
    run_id: str | None
    compared: ValueCounts
    differing: ValueCounts
    first_difference: FirstDifference | None
    own_parts: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether no value differs."""
        return self.first_difference is None
