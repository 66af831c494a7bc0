"""What follows a cutoff where books are decided and filled again: a fall, and a rally."""

from __future__ import annotations

from dataclasses import dataclass

PRICE_FACTOR = 5.0
"""Of prices in a rally; large enough to move an average of a hundred bars."""

_VOLUME_FACTOR = 100.0
"""Of volumes, up or down."""


@dataclass(frozen=True)
class Scenario:
    """What follows a cutoff.

    Attributes:
        name: For the draws.
        price_factor: As in `SyntheticFuture.replace_after`.
        open_factor: As there.
        volume_factor: As there.
        forecasts_up: Whether forecasts of the alternating book are high after it, or low.
    """

    name: str
    price_factor: float
    open_factor: float
    volume_factor: float
    forecasts_up: bool


def choose_scenarios(index: int) -> tuple[Scenario, Scenario]:
    """A fall and a rally after the cutoff of this index.

    By turns the one or the other comes first. At every second pair of cutoffs the gap goes against
    its bar, the volume is high in a fall, and forecasts are high before it: no two of them always
    go together. The pairs are those of successive cutoffs, because the turns of `AlternatingProbe`
    repeat after an even number.
    """
    together = index // 2 % 2 == 0
    rally = Scenario(
        "rally",
        price_factor=PRICE_FACTOR,
        open_factor=PRICE_FACTOR ** (0.5 if together else -0.5),
        volume_factor=_VOLUME_FACTOR ** (1 if together else -1),
        forecasts_up=together,
    )
    fall = Scenario(
        "fall",
        price_factor=1 / rally.price_factor,
        open_factor=1 / rally.open_factor,
        volume_factor=1 / rally.volume_factor,
        forecasts_up=not rally.forecasts_up,
    )
    return (fall, rally) if index % 2 else (rally, fall)
