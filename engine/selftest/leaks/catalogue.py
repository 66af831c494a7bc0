"""All kinds of leaks, in the order of the stages of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.selftest.leaks.bars import RATES, RESOLUTIONS
from engine.selftest.leaks.costs import COSTS
from engine.selftest.leaks.features import LEAKS as FEATURES
from engine.selftest.leaks.fills import FILLS, MARKS
from engine.selftest.leaks.fits import FITS
from engine.selftest.leaks.joins import JOINS
from engine.selftest.leaks.labels import LABELS
from engine.selftest.leaks.portfolio import PORTFOLIO
from engine.selftest.leaks.positions import POSITIONS
from engine.selftest.leaks.predictions import PREDICTIONS, THRESHOLDS
from engine.selftest.leaks.scaling import SCALED_INPUTS
from engine.selftest.leaks.universes import UNIVERSES
from engine.selftest.leaks.windows import TRAINING_ARRAYS, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.selftest.leaks.planting import Leak

CATALOGUE: tuple[Leak, ...] = (
    *JOINS,
    *WINDOWS,
    *FEATURES,
    *RESOLUTIONS,
    *SCALED_INPUTS,
    *LABELS,
    *RATES,
    *TRAINING_ARRAYS,
    *PREDICTIONS,
    *FITS,
    *THRESHOLDS,
    *POSITIONS,
    *PORTFOLIO,
    *UNIVERSES,
    *COSTS,
    *FILLS,
    *MARKS,
)
"""Each kind once."""


def select_leaks(names: Iterable[str]) -> tuple[Leak, ...]:
    """The leaks of some kinds or stages; all of them where none is named.

    Args:
        names: A kind, the first words of several, or a stage.

    Raises:
        UsageError: There is no such kind and no such stage.
    """
    wanted = tuple(names)
    if not wanted:
        return CATALOGUE
    for name in wanted:
        if not any(_is_named(leak, name) for leak in CATALOGUE):
            raise UsageError(
                "there is no such kind of leak and no such stage",
                expected="a kind, the first words of several, or one of the stages "
                + ", ".join(dict.fromkeys(leak.stage for leak in CATALOGUE)),
                found=name,
                where="--only",
                fix="backtest leaktest --list shows the kinds",
            )
    return tuple(leak for leak in CATALOGUE if any(_is_named(leak, name) for name in wanted))


def _is_named(leak: Leak, name: str) -> bool:
    return leak.stage == name or leak.name.startswith(name)
