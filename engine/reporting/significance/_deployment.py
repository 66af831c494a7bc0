"""What a deployment costs and gains: the model as fitted and as deployed, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import QuestionSection, SignificanceSections
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.documents.significance_deployment import (
        DeploymentFigures,
        ServedModelFigures,
    )
    from engine.runs.run import Run

SOURCE = (
    "distillation Hinton et al. 2015; pruning by magnitude Han et al. 2015; 8-bit weights by "
    "channel Krishnamoorthi 2018"
)
MILLISECONDS = formatting.NumberFormat(3, f"{formatting.NO_BREAK_SPACE}ms")
SHARE = formatting.NumberFormat(3)


def deployment_sections(run: Run) -> SignificanceSections:
    """The section of a run whose strategy has a deployment; none else."""
    deployment = run.significance.deployment
    if deployment is None:
        return []
    return [
        QuestionSection(
            key="deployment",
            label="Deployment",
            question="What does the deployed model cost?",
            answer=_answer(deployment),
            description=(
                "The run is about the deployed model. Beside it stands the model that it was made "
                "from, in the same windows, on the same bars and by the same rules. The interval "
                "of the difference is by a joint bootstrap of both books. The change of a "
                "forecast is a root mean square, as a share of the standard deviation of the full "
                "model's forecasts."
            ),
            source=SOURCE,
            tables=(_side_by_side(deployment, run.manifest.forecast_ms), _changes(deployment)),
        )
    ]


def _answer(deployment: DeploymentFigures) -> str:
    difference = formatting.SIGNED_RATIO(deployment.sharpe_difference)
    low, high = deployment.sharpe_difference_low, deployment.sharpe_difference_high
    interval = (
        f" ({formatting.SIGNED_RATIO.interval(low, high)})"
        if formatting.is_finite(low) and formatting.is_finite(high)
        else ""
    )
    return (
        f"Its Sharpe ratio differs by {difference}{interval} from that of the full model, and "
        f"{formatting.PERCENT(deployment.signs_flipped_pct)} of its forecasts have another sign."
    )


def _side_by_side(deployment: DeploymentFigures, milliseconds: Mapping[str, float]) -> PlainTable:
    models = (deployment.full, deployment.deployed)

    def row(label: str, *cells: str) -> tuple[str, ...]:
        return (label, *cells)

    return PlainTable(
        ("", "Full", "Deployed"),
        (
            row("RMSE of the forecasts", *(formatting.FINE_BPS(each.rmse_bps) for each in models)),
            row("MAE", *(formatting.FINE_BPS(each.mae_bps) for each in models)),
            row(
                "Directions right",
                *(formatting.PERCENT(each.directional_accuracy_pct) for each in models),
            ),
            row("Sharpe ratio", *(_format_sharpe(each) for each in models)),
            row("Parameters", *(formatting.COUNT(each.parameters) for each in models)),
            row("Parameters that are not 0", *(_nonzero(each) for each in models)),
            row("Bytes of the arrays", *(formatting.COUNT(each.size_bytes) for each in models)),
            row(
                "Time of a forecast",
                *(MILLISECONDS(milliseconds.get(name)) for name in ("full", "deployed")),
            ),
        ),
        note="Parameters, bytes and time are those of the first model of the newest window; the "
        "time is the median of one forecast on the machine of the run, features aside.",
        title="Side by side",
    )


def _nonzero(model: ServedModelFigures) -> str:
    return formatting.COUNT(model.nonzero_parameters)


def _format_sharpe(model: ServedModelFigures) -> str:
    ratio, low, high = formatting.RATIO(model.sharpe), model.sharpe_low, model.sharpe_high
    if formatting.is_finite(low) and formatting.is_finite(high):
        return f"{ratio} ({formatting.RATIO.interval(low, high)})"
    return ratio


def _changes(deployment: DeploymentFigures) -> PlainTable:
    return PlainTable(
        ("Change of the forecasts", "Value"),
        (
            ("Out of sample", SHARE(deployment.change)),
            ("Largest of a fit on its validation rows", SHARE(deployment.largest_change)),
            ("Largest that is accepted there", SHARE(deployment.max_change)),
            ("Fits left out because of it", formatting.COUNT(deployment.left_out)),
            ("Signs flipped", formatting.PERCENT(deployment.signs_flipped_pct)),
        ),
        title="Change",
    )
