"""Where the refits of a strategy run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.core.types import Spec
from engine.models import Backend


class Compute(Spec):
    """Where the refits run; nothing here changes a rule of the strategy.

    Attributes:
        backend: What Keras computes with; `jax` needs the extra of that name.
        workers: Processes to train in; `auto` is one a core.
        executor: `local` processes, or the workers of a `ray` cluster (extra of that name).
        ray_address: Of a running cluster; left out, Ray is started here for the run.
        gpus_per_fit: Share of a GPU that a fit on the cluster takes.
    """

    backend: Backend = "tensorflow"
    workers: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = "auto"
    executor: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    gpus_per_fit: float = Field(default=0.0, ge=0, le=8)

    @model_validator(mode="after")
    def _require_ray_for_gpus(self) -> Compute:
        if self.executor == "local" and (self.gpus_per_fit or self.ray_address):
            raise ValueError("ray_address and gpus_per_fit need `executor: ray`")
        return self
