"""The functions of `rival_functions`, probed by this engine."""

from rival_functions import report

from engine.auditing import probe_function

if __name__ == "__main__":
    report(lambda function, bars: bool(probe_function(function, bars).findings))
