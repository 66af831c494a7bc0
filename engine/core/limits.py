"""Bounds on what the engine reads from files and arguments, each with its reason.

Each bound is far above what an honest input needs and far below what makes the engine hang or run
out of memory. An input above a bound is an error in four parts, found before the input is read or
expanded.
"""

from __future__ import annotations

MAX_YAML_BYTES = 1 << 20
"""Bytes of a strategy or a manifest: the parser takes about 10 s for them. The largest strategy
that is shipped has 2 KB; a manifest of 5,000 symbols with a ticker for each source has 300 KB."""

MAX_YAML_NODES = 50_000
"""Keys, values and lists of a strategy or a manifest, those that aliases repeat counted each
time: 8,000 symbols with a ticker for each of two sources. Ten lists of ten aliases each, one in
the other, are 10,000,000,000 values in 700 bytes."""

MAX_YAML_DEPTH = 40
"""Levels of nesting of a strategy or a manifest; the deepest schema has 8."""

MAX_SUMS_BYTES = 1 << 20
"""Bytes of the hashes of a run folder, or of a signature: 20 files have 2,000."""

MAX_DOCUMENT_BYTES = 256 << 20
"""Bytes of a JSON document of a run folder: `significance.json` of a run with 5,000 windows and
20 benchmarks has 30 MB."""

MAX_DOCUMENT_DEPTH = 64
"""Levels of nesting of a JSON document; those that the engine writes have 12."""

MAX_NUMBER_CHARACTERS = 400
"""Characters of a number in text: the longest decimal form of a float64 without an exponent has
about 330 significant places."""

MAX_WHOLE_NUMBER = (1 << 64) - 1
"""Whole numbers of strategies, manifests and documents, without their sign: NumPy has no more."""

MAX_RATE_FILE_BYTES = 64 << 20
"""Bytes of a file of annual rates: a rate for each minute of 4 years has 50 MB."""

MAX_MEMBERS_FILE_BYTES = 64 << 20
"""Bytes of the list of a universe's members, `members.file`."""

MAX_MODEL_FILE_BYTES = 4 << 30
"""Bytes of a file of a fitted model, which is read at once."""

MAX_BAR_FILE_BYTES = 8 << 30
"""Bytes of a file of bars after decompression: 190 years of minute bars around the clock, at 80
bytes a bar. It is no tighter because real files of seconds have gigabytes; what the bound ends is
a compressed file of some kilobytes that expands without end."""

MAX_BAR_FILE_ROWS = 200_000_000
"""Rows of a table in Parquet or Feather, which may be compressed to nothing: as many minute bars
as `MAX_BAR_FILE_BYTES` has."""

MAX_BAR_FILE_COLUMNS = 10_000
"""Columns of a file of bars: one a symbol and value, for 1,600 symbols. In text the header is
bounded too, by the part of a file that is searched for it."""

MAX_FEED_LINE_BYTES = 1 << 16
"""Bytes of a line of standard input that holds one bar: one with the longest name of a symbol has
700 bytes."""

MAX_WAITING_BARS = 5_000
"""Bars of standard input that can be decided and wait for it; also lines that are read at once."""

MAX_INCOMPLETE_BARS = 200_000
"""Bars that a feed keeps, of all symbols, at times at which another symbol has none: 80 MB."""

MAX_FILE_NAME_BYTES = 220
"""Bytes of a name that becomes the name of a file: of a dataset, a symbol, a ticker of a source.
Characters that a file name cannot hold everywhere count as they are escaped in it: three bytes
for each byte of UTF-8. File systems allow 255; suffixes such as `.1mo.parquet` take the rest."""

MAX_SWEEP_RUNS = 1_000
"""Runs of a sweep above which `backtest run` asks first: at 10 s a run they take three hours."""

MAX_CROSS_VALIDATION_SPLITS = 500
"""Choices of test groups of combinatorial purged splits, C(groups, test_groups), each of which is
a fit: of a network of 10 s they take an hour and a half. 6 groups with 2 test groups are 15, 10
with 2 are 45, 12 with 4 are 495."""
