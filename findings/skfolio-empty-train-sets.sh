#!/usr/bin/env bash
# skfolio 1.12.2: CombinatorialPurgedCV yields train sets without a row, and says nothing.
#
# Expected: a fold between two test folds loses purged_size rows at each end and embargo_size more at
#   its start. Where that is the whole fold, and no other fold trains, split() refuses the sizes, as
#   it does with "The sum of `purged_size` and `embargo_size` must be smaller than the size of a
#   train fold".
# Seen:     that check counts the purge once. With 3 folds of 20 rows, 2 test folds and a purge of 10
#   the middle fold has no row left: split() yields an empty train set. With a purge of 9 it
#   yields 2 rows. summary() says an average of 20 train rows for each, purged or not.
# To do:    check 2 * purged_size + embargo_size against n_samples // n_folds beforehand, and look at
#   the length of every train set instead of summary().
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  skfolio==1.12.2 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from skfolio.model_selection import CombinatorialPurgedCV

print(*(f"{name} {version(name)}" for name in ("skfolio", "numpy", "scikit-learn")), sep=", ")

rows = np.zeros((60, 1))


def train_rows(purge: int) -> list[int]:
    """Number of train rows of each of the three splits."""
    splitter = CombinatorialPurgedCV(n_folds=3, n_test_folds=2, purged_size=purge)
    lengths = [len(train) for train, _ in splitter.split(rows)]
    average = splitter.summary(rows)["Average Training Size"]
    print(f"purged_size={purge}: {lengths} train rows, an average of {average} by summary()")
    assert average == 20, "summary() knows of the purge now"
    return lengths


assert train_rows(0) == [20, 20, 20]
assert train_rows(9) == [11, 2, 11], "the middle fold is purged otherwise"
assert train_rows(10) == [10, 0, 10], "the empty train set is gone"
print("as described: a train set is empty, without an error")
PY
