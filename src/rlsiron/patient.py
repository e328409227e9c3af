"""Reads the patient and the draw, and says how long ago something was."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeVar

from rlsiron.errors import PatientError, shown
from rlsiron.models import CONDITIONS, Draw, Patient, unknown_field

EVENTS = ("last_oral_iron", "last_iv_iron", "last_transfusion", "last_fever")
DATED = frozenset({*EVENTS, "birth_date"})
OLDEST = 130  # years; the model of the patient holds the same limit


_TOLD = (Patient, dict, Mapping, type(None))  # the commonest first
_Told = TypeVar("_Told", Patient, Draw)
Fault = tuple[frozenset[str], str]
"""The fields at fault, and a sentence."""


class Intake(NamedTuple):
    """What was told of a patient and a draw.

    `unread` names the fields that were given but could not be read: nothing is assumed of them.
    `problems` says why.
    """

    patient: Patient
    draw: Draw
    unread: frozenset[str]
    problems: tuple[str, ...]

    def drawn_on(self, day: date) -> "Intake":
        """Return the same, drawn on a day."""
        return self._replace(draw=self.draw.model_copy(update={"drawn": day}))

    def with_field(self, name: str, value: object) -> "Intake":
        """Return the same, with a field of the patient as it may be."""
        patient = self.patient.model_copy(update={name: value})
        return self._replace(patient=patient, unread=self.unread - {name})


def read_patient(
    given: Patient | Mapping[str, Any] | None = None,
    *,
    errors: Literal["raise", "note"] = "raise",
    **draw: Any,  # noqa: ANN401 - validated here
) -> Intake:
    """Return the patient and the draw, checked against each other.

    Parameters
    ----------
    given
        A `Patient`, or its fields as a mapping.
    errors
        ``"note"`` keeps what can be read and tells the rest in `problems`.
    **draw
        ``drawn``, ``fasting`` and ``assay``.

    Raises
    ------
    PatientError
        If a field or word is unknown, a value impossible, or two fields contradict.

    Examples
    --------
    >>> read_patient({"age": 44, "sex": "F"}, errors="note").problems
    ("unknown sex 'F'; known: female, male",)
    """
    if not isinstance(given, _TOLD):
        message = f"patient {shown(given)} is not a Patient; give a Patient or a dict of its fields"
        raise PatientError((frozenset(), message))
    found: list[Fault] = []
    patient = given if isinstance(given, Patient) else _read(Patient, given or {}, found)
    told = _read(Draw, draw, found) if any(map(_is_told, draw.values())) else _UNTOLD
    clash = _clash(patient, told)
    if clash is not None:
        found.append(clash)
        patient = patient.model_copy(update=dict.fromkeys(clash[0] & Patient.model_fields.keys()))
        told = told.model_copy(update=dict.fromkeys(clash[0] & Draw.model_fields.keys()))
    if not found:
        return Intake(patient, told, frozenset(), ())
    if errors == "raise":
        raise PatientError(*found)
    return Intake(
        patient=patient,
        draw=told,
        unread=frozenset().union(*(names for names, _ in found)),
        problems=tuple(text for _, text in found),
    )


_UNTOLD = Draw()


def _is_told(value: object) -> bool:
    return value is not None


def _read(model: type[_Told], given: Mapping[str, Any], found: list[Fault]) -> _Told:
    """Return the model of the fields that can be read; tell the others' faults."""
    known = model.field_names
    fields = {name: value for name, value in given.items() if value is not None and name in known}
    if len(fields) < len(given):
        unknown = [str(name) for name in given if name not in known]
        found += [(frozenset({name}), unknown_field(model, name)) for name in unknown]
    while True:
        try:
            return model(**fields)
        except PatientError as error:
            found.extend(error.faults)
            for names, _ in error.faults:
                for name in names:
                    given = fields.pop(name, None)
                    if name == "conditions" and (readable := _readable(given)):
                        fields[name] = readable  # what can be read of them is true


def _readable(given: object) -> list[str]:
    words = given.split() if isinstance(given, str) else given
    if not isinstance(words, list | tuple | set | frozenset):
        return []
    return [word for word in words if isinstance(word, str) and word in CONDITIONS]


def _clash(patient: Patient, draw: Draw) -> Fault | None:
    """Return the first contradiction between the patient's dates and the draw."""
    drawn = draw.drawn
    if drawn is None:
        return None
    for name in EVENTS:
        event = getattr(patient, name)
        if event is None:
            continue
        if {_zoned(event), _zoned(drawn)} == {True, False}:
            text = f"{name} and drawn: one has a time zone and the other has none; give it to both"
            return frozenset({name, "drawn"}), text
        if elapsed(event, drawn) < timedelta(0):
            text = f"{name} {event.isoformat()!r} is after drawn {drawn.isoformat()!r}"
            return frozenset({name, "drawn"}), text
    age = age_at(patient.birth_date, drawn)
    if age is not None and not 0 <= age <= OLDEST:
        text = (
            f"birth_date {patient.birth_date!s} makes the patient {age} years old when drawn on "
            f"{drawn.isoformat()!r}; an age is from 0 to {OLDEST}"
        )
        return frozenset({"birth_date", "drawn"}), text
    return None


def _zoned(moment: date) -> bool | None:
    """Whether a time has a zone; None for a bare date."""
    return moment.tzinfo is not None if isinstance(moment, datetime) else None


def elapsed(event: date, drawn: date) -> timedelta:
    """Return the time from an event to the draw: by the clock where both have a time.

    Examples
    --------
    >>> elapsed(date(2026, 3, 1), datetime(2026, 3, 2, 8))
    datetime.timedelta(days=1)
    """
    if isinstance(event, datetime) and isinstance(drawn, datetime):
        return instant(drawn) - instant(event)
    return _day(drawn) - _day(event)


def instant(moment: datetime) -> datetime:
    """Return a time in UTC where it has a zone: clocks of one zone are not subtracted over DST."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def age_at(birth_date: date | None, drawn: date | None) -> int | None:
    """Return the completed calendar years at a draw: 18 on the 18th birthday; None if unknown.

    Examples
    --------
    >>> age_at(date(2008, 3, 2), date(2026, 3, 1)), age_at(date(2008, 3, 2), date(2026, 3, 2))
    (17, 18)
    """
    if birth_date is None or drawn is None:
        return None
    before = (drawn.month, drawn.day) < (birth_date.month, birth_date.day)
    return drawn.year - birth_date.year - before
