"""The leak certificate in the head of the pages: a seal that opens to what it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Seal:
    """What the head says of look-ahead.

    Attributes:
        label: A few words.
        says: What was done and what came of it.
        cuts: Each cut: its bar, and what is particular about it.
        limits: What it does not show.
        passed: Whether there is a certificate.
    """

    label: str
    says: str
    cuts: tuple[tuple[str, str], ...] = ()
    limits: tuple[str, ...] = ()
    passed: bool = True


def seal(certificate: Mapping[str, Any] | None) -> Seal:
    """The seal of a run; a grey one where it was made before there were certificates."""
    if certificate is None:
        return Seal(
            label="No leak certificate",
            says="This run was made by an earlier version of the engine, which made no "
            "certificates. Run the strategy again to have one.",
            passed=False,
        )
    cuts = certificate["cuts"]
    made = [stage for stage in _IN_ORDER if stage in certificate["compared"]]
    return Seal(
        label=f"No look-ahead found at {formatting.count_of(len(cuts), 'cut')}",
        says="After each of these bars every later bar was replaced by a different one, and "
        "everything was made again from there: would the past have looked the same, had the "
        f"future been another one? It did, bit for bit: {', '.join(made[:-1])} and {made[-1]}.",
        cuts=tuple((formatting.moment(cut["bar"]), cut["kind"]) for cut in cuts),
        limits=tuple(certificate["not_compared"]),
    )


_IN_ORDER = (
    *("windows", "features", "resolutions", "scaled inputs", "labels", "training arrays"),
    *("predictions", "thresholds", "positions", "fills"),
)
