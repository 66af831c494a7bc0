"""Documents of a made-up run: valid ones, in which a test changes what it is about."""

from __future__ import annotations

from typing import Any

from engine.runs.documents import Certificate, Manifest, Metrics, Significance

MANIFEST = {
    "run_id": "0123456789ab",
    "strategy_name": "small",
    "strategy": {},
    "dataset": {"name": "made-up", "interval": "1d", "offline": False, "symbols": {}},
    "target": ["ABC"],
    "windows": [],
}
METRICS = {
    "span": {"first": "2016-01-04", "last": "2016-12-30", "bars": 260, "periods_per_year": 252.0},
    "books": {},
    "forecasts": {},
}
SIGNIFICANCE = {
    "method": {"bootstrap": "stationary", "resamples": 1_000, "confidence": 0.95},
    "sharpe": {},
    "differences": {},
    "verdict": {"grade": "none", "sentence": "No evidence that the strategy has skill."},
}
CERTIFICATE = {
    "result": "passed",
    "sentence": "No look-ahead detected.",
    "compared": {"windows": {"columns": 1, "values": 10}},
    "cuts": [{"bar": "2016-06-01", "kind": "even"}],
    "not_compared": [],
    "fits_refitted": 0,
    "books": ["strategy"],
}


def make_manifest(**keys: Any) -> Manifest:
    """A manifest with these keys of its JSON."""
    return Manifest.model_validate(MANIFEST | keys)


def make_metrics_document(**keys: Any) -> Metrics:
    """A metrics document with these keys of its JSON."""
    return Metrics.model_validate(METRICS | keys)


def make_significance_document(**keys: Any) -> Significance:
    """A significance document with these keys of its JSON."""
    return Significance.model_validate(SIGNIFICANCE | keys)


def make_certificate(**keys: Any) -> Certificate:
    """A certificate with these keys of its JSON."""
    return Certificate.model_validate(CERTIFICATE | keys)
