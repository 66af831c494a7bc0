"""The functions of `rival_functions`, probed by nullcheck at as many cuts as it has."""

import nullcheck
from rival_functions import report

SETTINGS = nullcheck.Settings(n_cutoffs=128)

if __name__ == "__main__":
    report(
        lambda function, bars: (
            nullcheck.check(function, bars, settings=SETTINGS).status == nullcheck.DIVERGENCE
        )
    )
