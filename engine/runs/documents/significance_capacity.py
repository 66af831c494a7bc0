"""The section `capacity` of `significance.json`."""

from __future__ import annotations

from typing import Literal

from engine.runs.documents.base import DocumentPart


class CapacityPoint(DocumentPart):
    """The decided weights, traded with other money.

    Attributes:
        capital: Money at the beginning.
        sharpe: Annualised Sharpe ratio; None where the returns do not vary, or all was lost.
        net_return_pct: Mean excess return a year, after costs.
    """

    capital: float
    sharpe: float | None = None
    net_return_pct: float


class CapacityFigures(DocumentPart):
    """How much money the strategy can trade, see `engine.evaluation.robustness.capacity`.

    Attributes:
        capital: Of the run.
        points: At other capital, ascending; the run's own is among them.
        gross_return_pct: Mean excess return a year of the same weights where fills pay nothing and
            bars fill every order.
        edge_kept_pct: Share of it that is left at the capacity.
        capacity: The first capital, upwards from the least with as much, from which on less is
            left; None but where `status` is `found`.
        status: `found`; `above` the largest capital tried; `below`: at no capital as much is left;
            `no edge`: the gross return is not above 0.
    """

    capital: float
    points: tuple[CapacityPoint, ...]
    gross_return_pct: float
    edge_kept_pct: float
    capacity: float | None = None
    status: Literal["found", "above", "below", "no edge"]
