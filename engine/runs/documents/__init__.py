"""The JSON documents of a run folder as frozen models, a module a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.runs.documents.analysis import Analysis
    from engine.runs.documents.base import SCHEMA_VERSION, Document, DocumentPart
    from engine.runs.documents.certificate import Certificate
    from engine.runs.documents.interpretation import Interpretation
    from engine.runs.documents.manifest import Manifest
    from engine.runs.documents.metrics import Metrics
    from engine.runs.documents.significance import Significance

__all__ = [
    "SCHEMA_VERSION",
    "Analysis",
    "Certificate",
    "Document",
    "DocumentPart",
    "Interpretation",
    "Manifest",
    "Metrics",
    "Significance",
]

# Building the models takes as long as reading the bars.
_EXPORTS = {
    "SCHEMA_VERSION": "base",
    "Analysis": "analysis",
    "Certificate": "certificate",
    "Document": "base",
    "DocumentPart": "base",
    "Interpretation": "interpretation",
    "Manifest": "manifest",
    "Metrics": "metrics",
    "Significance": "significance",
}
__getattr__ = lazy_exports(__name__, _EXPORTS)
