"""What a check of a run folder found, step by step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class RunDifference:
    """The first place at which a run folder is not what its own files say.

    Attributes:
        file: Of the folder.
        problem: What is wrong, in words.
        column: Column of a table, or path of a figure in a document; empty of a whole file.
        bar: Timestamp of the row; empty where there is none.
        expected: What was computed, or noted.
        found: What the file has.
    """

    file: str
    problem: str
    column: str = ""
    bar: str = ""
    expected: str = ""
    found: str = ""

    @property
    def sentence(self) -> str:
        """`returns.parquet: strategy at 2020-01-07: expected 0.1, found 0.2`."""
        place = " at ".join(filter(None, (self.column, self.bar)))
        values = (("expected", self.expected), ("found", self.found))
        told = ", ".join(f"{word} {value}" for word, value in values if value)
        return ": ".join(filter(None, (self.file, place, self.problem, told)))


@dataclass(frozen=True)
class StepResult:
    """One step of a check.

    Attributes:
        name: `files`, `inputs`, `books`, `figures`, `significance`, `certificate`, `again` or
            `signature`.
        status: `ok`, `differs`, or `not checked` where the folder or this installation lacks what
            the step needs.
        compared: What was compared, or why nothing was.
        difference: The first one.
        other_version: Stages of the engine whose version, of the run and of this installation, is
            another: the step has a difference that may be due to it, and is `not checked`.
    """

    name: str
    status: Literal["ok", "differs", "not checked"]
    compared: str
    difference: RunDifference | None = None
    other_version: str = ""

    @classmethod
    def of(cls, name: str, compared: str, difference: RunDifference | None) -> StepResult:
        """The result of a comparison."""
        return cls(name, "ok" if difference is None else "differs", compared, difference)


@dataclass(frozen=True)
class Verification:
    """The check of a run folder.

    Attributes:
        run_id: Of the manifest; empty where it cannot be read.
        run_dir: The folder.
        steps: In the order in which they were made.
    """

    run_id: str
    run_dir: str
    steps: tuple[StepResult, ...]

    @property
    def is_intact(self) -> bool:
        """Whether no step found a difference."""
        return all(step.status != "differs" for step in self.steps)

    @property
    def first_difference(self) -> RunDifference | None:
        """That of the first step that found one."""
        return next((step.difference for step in self.steps if step.difference), None)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "run_id": self.run_id,
            "run_dir": self.run_dir,
            "intact": self.is_intact,
            "steps": [asdict(step) for step in self.steps],
        }
