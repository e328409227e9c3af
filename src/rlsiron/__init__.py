"""Iron results read against the thresholds of guidelines for restless legs syndrome."""

from rlsiron.errors import (
    GuidelineError,
    PatientError,
    ReadingError,
    RlsironError,
    UnitError,
)
from rlsiron.guideline import Guideline, guideline
from rlsiron.interpretation import interpret
from rlsiron.models import Decision, Interpretation, LabResult, Note, Panel, Patient
from rlsiron.reading import read_result

__all__ = [
    "Decision",
    "Guideline",
    "GuidelineError",
    "Interpretation",
    "LabResult",
    "Note",
    "Panel",
    "Patient",
    "PatientError",
    "ReadingError",
    "RlsironError",
    "UnitError",
    "guideline",
    "interpret",
    "read_result",
]
