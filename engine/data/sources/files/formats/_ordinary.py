"""The ordinary form of a file, which needs no `format`."""

from __future__ import annotations

from engine.data.sources.files.formats._model import (
    DAY,
    OFFSET,
    TIME,
    FileFormat,
    FileShape,
)

_USUAL_STAMPS = r"(?:timestamp|date|date[_ ]?time|time|open[_ ]?time|unix(?:[_ ]timestamp)?|index)"
_USUAL_HEADER = (
    rf"(?=(?:.*;)?{_USUAL_STAMPS}(?:;|$)|;)"
    r"(?=.*(?:^|;)open(?:;|$))(?=.*(?:^|;)high(?:;|$))(?=.*(?:^|;)low(?:;|$))"
    r"(?=.*(?:^|;)close(?:;|$))(?=.*(?:^|;)volume(?:;|$)).*"
)

ORDINARY = FileFormat(
    name="ordinary",
    writer="any program that writes an ordinary header",
    zone="UTC, or the offset in each cell",
    label="open",
    units="as they are",
    shapes=(
        FileShape(
            keys={},
            header=_USUAL_HEADER,
            row=rf"(?:.*;)?(?:{DAY}(?:[ T]{TIME} ?{OFFSET}?)?|\d{{8,19}}(?:\.0)?)(?:;.*)?",
        ),
        FileShape(keys={}, header=_USUAL_HEADER, row=".*", kind="table"),
    ),
)
"""The ordinary form, which needs no `format`: a usual header with ISO dates or numbers since 1970.

With `format: auto` such a file is read as it is, unless another form reads it differently.
"""
