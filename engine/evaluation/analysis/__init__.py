"""Every figure and series that pages show, computed from the tables of a run."""

from engine.evaluation.analysis.build import analyse_run, open_run, with_analysis

__all__ = ["analyse_run", "open_run", "with_analysis"]
