#!/usr/bin/env bash
# NumPy 2.4.6 with its OpenBLAS: equal rows of a matrix have unequal rows in its product.
#
# Expected: row i of X @ W depends on row i of X and on W; forty equal rows give forty equal rows.
# Seen:     on x86-64 with AVX2 they differ in their last bits, by their place in X: OpenBLAS takes
#   groups of rows and adds up the products in another order in each group's kernel. A network that
#   predicts a row alone therefore does not repeat what it predicted in a batch. Chunks of a fixed
#   number of rows do not help, since the place within the chunk counts.
# To do:    multiply each row by a call of its own, X[:, None, :] @ W, and keep one call so small
#   that it takes one thread.
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 "$work/venv/bin/python" - <<'PY'
import numpy as np

print("numpy", np.__version__)
rng = np.random.default_rng(0)
row, kernel = rng.normal(size=(1, 50)), rng.normal(size=(50, 64))
equal, kernel = np.repeat(row, 40, axis=0).astype(np.float32), kernel.astype(np.float32)

together = equal @ kernel
print("distinct rows of the product:", len(np.unique(together, axis=0)))
print("largest difference:", np.abs(together - together[0]).max())
assert len(np.unique(together, axis=0)) > 1, "equal rows have equal products now"

alone = (equal[:, None, :] @ kernel)[:, 0]
assert len(np.unique(alone, axis=0)) == 1, "a call for each row gives unequal rows too"
print("as described: the place of a row decides its last bits")
PY
