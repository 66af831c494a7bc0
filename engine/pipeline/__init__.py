"""The order of the stages, and nothing else that a stage could know."""

from engine.pipeline.family import run_family
from engine.pipeline.stages import run

__all__ = ["run", "run_family"]
