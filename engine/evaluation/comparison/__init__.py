"""Several runs judged against each other, and the best of them for having been chosen."""

from engine.evaluation.comparison.answer import listed
from engine.evaluation.comparison.candidate import Candidate, candidate
from engine.evaluation.comparison.compare import Comparison, compare
from engine.evaluation.comparison.family import Family
from engine.evaluation.comparison.settings import Setting

__all__ = ["Candidate", "Comparison", "Family", "Setting", "candidate", "compare", "listed"]
