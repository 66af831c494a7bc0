"""The JSON documents of a run folder as frozen models, a module a document."""

from engine.runs.documents.analysis import Analysis
from engine.runs.documents.base import SCHEMA_VERSION, Document, DocumentPart
from engine.runs.documents.certificate import Certificate
from engine.runs.documents.manifest import Manifest
from engine.runs.documents.metrics import Metrics
from engine.runs.documents.significance import Significance

__all__ = [
    "SCHEMA_VERSION",
    "Analysis",
    "Certificate",
    "Document",
    "DocumentPart",
    "Manifest",
    "Metrics",
    "Significance",
]
