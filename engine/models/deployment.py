"""The smaller form in which a strategy's model is served: distilled, pruned, quantised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, field_validator

from engine.core.types import Spec
from engine.models.forecaster import Model
from engine.models.networks.base import Network

if TYPE_CHECKING:
    from engine.models.forecaster import Forecaster

DEFAULT_MAX_CHANGE = 0.5
"""A root mean square change of half a standard deviation of the forecasts: a quarter of their
variance."""


class DeploySpec(Spec):
    """What is done to the fitted model of each window before it forecasts a test row.

    In this order: another network is trained on the model's forecasts, small weights become 0,
    weights are rounded to 8 bits. All of it sees train and validation rows only.

    Attributes:
        precision: `int8` rounds every weight matrix to 8 bits, with a scale for each output
            channel; forecasts are computed in float32.
        prune: Share of each weight matrix that becomes 0, the weights of smallest magnitude.
        distil: A network that is trained on the model's forecasts on the train rows, and stopped
            by those on the validation rows; it has the model's lookback unless it has its own.
        max_change: Largest change of the forecasts on the validation rows, root mean square, as a
            share of the standard deviation of the model's forecasts; a larger one is an error.
    """

    model_config = ConfigDict(defer_build=True)

    precision: Literal["float32", "int8"] = "float32"
    prune: float = Field(default=0.0, ge=0, lt=1)
    distil: Model | None = None
    max_change: float = Field(default=DEFAULT_MAX_CHANGE, gt=0)

    @field_validator("distil")
    @classmethod
    def _check_network(cls, distil: Model | None) -> Model | None:
        if distil is not None and not isinstance(distil, Network):
            raise ValueError(f"a network, which learns from forecasts; {distil.kind} is none")
        return distil

    @property
    def compresses(self) -> bool:
        """Whether weights are changed."""
        return self.prune > 0 or self.precision != "float32"

    def student_of(self, teacher: Forecaster) -> Network | None:
        """The network to distil a model into; None without."""
        student = self.distil
        if not isinstance(student, Network):
            return None
        if "lookback" in student.model_fields_set:
            return student
        return student.model_copy(update={"lookback": teacher.lookback})
