"""The leak certificate in the head of the pages: a seal that opens to what it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class LeakageBadge:
    """What the head says of look-ahead.

    Attributes:
        label: A few words.
        description: What was done and what came of it.
        cutoffs: Each cut: its bar, and what is particular about it.
        limitations: What it does not show.
        has_certificate: Whether there is a certificate.
    """

    label: str
    description: str
    cutoffs: tuple[tuple[str, str], ...] = ()
    limitations: tuple[str, ...] = ()
    has_certificate: bool = True


def make_leakage_badge(certificate: Mapping[str, Any] | None) -> LeakageBadge:
    """The seal of a run; a grey one where it was made before there were certificates."""
    if certificate is None:
        return LeakageBadge(
            label="No leak certificate",
            description="This run was made by an earlier version of the engine, which made no "
            "certificates. Run the strategy again to have one.",
            has_certificate=False,
        )
    cuts = certificate["cuts"]
    made = [stage for stage in _STAGE_ORDER if stage in certificate["compared"]]
    return LeakageBadge(
        label=f"No look-ahead found at {formatting.count_of(len(cuts), 'cut')}",
        description="After each of these bars every later bar was replaced by a different one, "
        "and "
        "everything was made again from there: would the past have looked the same, had the "
        f"future been another one? It did, bit for bit: {', '.join(made[:-1])} and {made[-1]}.",
        cutoffs=tuple((formatting.timestamp(cut["bar"]), cut["kind"]) for cut in cuts),
        limitations=tuple(certificate["not_compared"]),
    )


_STAGE_ORDER = (
    *("windows", "features", "resolutions", "scaled inputs", "labels", "training arrays"),
    *("predictions", "thresholds", "positions", "fills"),
)
