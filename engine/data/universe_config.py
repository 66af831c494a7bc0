"""The keys of a dataset about its universe: members, groups, and what a delisting pays."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from engine.core.types import Spec
from engine.data.file_names import FileNameText

DELISTED_AFTER_DAYS = 14
"""Days without a bar after which a symbol counts as delisted, unless a dataset says otherwise."""

DelistingReturn: TypeAlias = Annotated[float, Field(ge=-1, le=10)]
"""From the last close to what is paid; -1 is a total loss."""


class MembersSpec(Spec):
    """The universe as it was known at each close.

    Attributes:
        file: CSV with the columns `symbol, from, to`; a path is relative to the manifest.
    """

    file: str = Field(min_length=1)


class GroupsSpec(Spec):
    """Groups of the symbols, such as sectors and countries, as they are known today.

    Attributes:
        file: CSV with the column `symbol` and one for each kind of group; a path is relative to
            the manifest.
    """

    file: str = Field(min_length=1)


class DelistingSpec(Spec):
    """When a symbol counts as delisted, and what its holder is paid.

    A holder cannot know at the first missing bar whether a symbol is halted or gone: it is gone
    when it has had no bar for longer than `after_days`. A position is settled at that very bar of
    the panel, at the last close x (1 + the return), without costs.

    Attributes:
        after_days: Calendar days without a bar.
        delisting_return: Return from the last close to what is paid; -1 is a total loss.
        by_symbol: Symbol -> its own return.
    """

    after_days: int = Field(default=DELISTED_AFTER_DAYS, ge=1, le=1_000)
    delisting_return: DelistingReturn = 0.0
    by_symbol: dict[FileNameText, DelistingReturn] = Field(default_factory=dict)

    def return_of(self, symbol: str) -> float:
        """The return of a symbol."""
        return self.by_symbol.get(symbol, self.delisting_return)
