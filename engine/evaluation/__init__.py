"""Performance metrics of books, forecast scores, significance tests and the verdict."""

from engine.evaluation.config import EvaluationSpec

__all__ = ["EvaluationSpec"]
