"""The part of `significance.json` about the deployed model, beside the model it was made from."""

from __future__ import annotations

from engine.runs.documents.base import DocumentPart


class ServedModelFigures(DocumentPart):
    """A model of every window, traded on its out-of-sample forecasts; None where not defined.

    Attributes:
        rmse_bps: Root mean squared error over the traded horizon.
        mae_bps: Mean absolute error.
        directional_accuracy_pct: Share of the directions that were right.
        sharpe: Sharpe ratio of the book, a year.
        sharpe_low: Lower end of its bootstrap interval.
        sharpe_high: Upper end.
        parameters: Fitted values of the newest window's first model.
        nonzero_parameters: Those that are not 0.
        size_bytes: Bytes of its arrays.
    """

    rmse_bps: float | None = None
    mae_bps: float | None = None
    directional_accuracy_pct: float | None = None
    sharpe: float | None = None
    sharpe_low: float | None = None
    sharpe_high: float | None = None
    parameters: int
    nonzero_parameters: int
    size_bytes: int


class DeploymentFigures(DocumentPart):
    """What a deployment costs: the strategy with the model as fitted, and as deployed.

    Attributes:
        full: With the fitted models.
        deployed: With the deployed ones, which the run is about.
        sharpe_difference: Sharpe ratio of the deployed less that of the full.
        sharpe_difference_low: Lower end of its interval, both books resampled together.
        sharpe_difference_high: Upper end.
        signs_flipped_pct: Share of the out-of-sample forecasts with another sign.
        change: Root mean square change of the out-of-sample forecasts, as a share of the standard
            deviation of the full model's.
        largest_change: The largest such change on the validation rows of a fit.
        max_change: The largest that is accepted there.
        left_out: Fits whose deployment changed more, and which were left out.
    """

    full: ServedModelFigures
    deployed: ServedModelFigures
    sharpe_difference: float | None = None
    sharpe_difference_low: float | None = None
    sharpe_difference_high: float | None = None
    signs_flipped_pct: float | None = None
    change: float | None = None
    largest_change: float | None = None
    max_change: float
    left_out: int = 0
