"""Iron results read against the thresholds of guidelines for restless legs syndrome.

>>> import rlsiron
>>> answer = rlsiron.interpret(ferritin="62 ng/mL", tsat="18 %", patient={"age": 44})
>>> answer.decision.disposition
'oral-or-iv-iron'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rlsiron.errors import (
    GuidelineError,
    PatientError,
    ReadingError,
    RlsironError,
    UnitError,
)
from rlsiron.models import Decision, Interpretation, LabResult, Note, Panel, Patient

if TYPE_CHECKING:
    from rlsiron.guideline import Guideline, load_guideline
    from rlsiron.interpretation import interpret
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
    "interpret",
    "load_guideline",
    "read_result",
]

_ENGINE = {
    "Guideline": "guideline",
    "load_guideline": "guideline",
    "interpret": "interpretation",
    "read_result": "reading",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as the name is
    """Load the engine when it is first asked for, so that importing the records is quick."""
    if name not in _ENGINE:
        message = f"module 'rlsiron' has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(import_module(f"rlsiron.{_ENGINE[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
