"""The records: frozen, closed, and the same however they were made."""

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from math import inf, nan, nextafter
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from rlsiron.errors import PatientError, RlsironError
from rlsiron.interpretation import interpret
from rlsiron.models import (
    Agreement,
    Decision,
    Draw,
    Interpretation,
    LabResult,
    Nearest,
    Note,
    Panel,
    Patient,
    Provenance,
    Record,
    Status,
)

FERRITIN: dict[str, Any] = {"analyte": "ferritin", "reported": "62 ng/mL", "unit": "ng/mL"}
POINT = {**FERRITIN, "low": 62.0, "high": 62.0}


def full() -> Interpretation:
    """Return an answer with something in every field that one patient can fill."""
    return interpret(
        ferritin="<70 ng/mL",
        tsat="18 %",
        iron="60 ug/dL",
        tibc="300 ug/dL",
        crp="3 mg/L",
        hemoglobin="QNS",
        drawn="2026-03-01T08:00",
        fasting=True,
        assay="Roche",
        patient={
            "birth_date": "1980-02-29",
            "sex": "female",
            "conditions": ["diabetes", "blood-donor"],
            "last_fever": "2026-02-20",
            "last_iv_iron": datetime(2025, 1, 1, 8),  # noqa: DTZ001 - without a zone on purpose
        },
        guidelines=("aasm-2025", "irlssg-2018", "mayo-2021", "aan-2016"),
    )


ANSWERS = {
    "full": full,
    "nothing given": interpret,
    "near a limit": lambda: interpret(ferritin="74 ng/mL", tsat="18 %", patient={"age": 44}),
    "a child": lambda: interpret(ferritin="30 ng/mL", patient={"age": 7}),
    "refused": lambda: interpret(ferritin="62", patient={"sex": "x"}, errors="note"),
}


@pytest.mark.parametrize("make", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_goes_to_json_and_back(make: Callable[[], Interpretation]) -> None:
    """Design §4: `model_dump_json` and `model_validate_json` round-trip."""
    answer = make()
    again = Interpretation.model_validate_json(answer.model_dump_json())
    assert again == answer
    assert again.model_dump() == answer.model_dump()
    assert str(again) == str(answer)


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("make", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_obeys_its_json_schema(
    make: Callable[[], Interpretation], mode: Literal["validation", "serialization"]
) -> None:
    """Design §4: the JSON Schema is published; a dump must obey it."""
    schema = Interpretation.model_json_schema(mode=mode)
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    validator(schema).validate(json.loads(make().model_dump_json()))


def test_the_json_schema_closes_every_record() -> None:
    """Unknown fields are refused, in the schema too."""
    schema = Interpretation.model_json_schema()
    for definition in [schema, *schema["$defs"].values()]:
        if definition["type"] == "object":
            assert definition["additionalProperties"] is False


def test_a_dump_does_not_depend_on_the_hash_seed() -> None:
    """The same answer is the same text in every process, `conditions` included."""
    code = (
        "from rlsiron import Patient\n"
        "words = ['diabetes', 'blood-donor', 'malignancy', 'heart-failure', 'gi-disease']\n"
        "print(Patient(conditions=words).model_dump_json())"
    )
    dumps = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(dumps) == 1


def parts(record: Record) -> list[Record]:
    """Return a record and every record within it."""
    found = [record]
    for value in record.__dict__.values():
        inner = list(value.values()) if isinstance(value, dict) else value
        many = inner if isinstance(inner, list | tuple) else [inner]
        found += [part for one in many if isinstance(one, Record) for part in parts(one)]
    return found


KINDS = {type(record).__name__: record for record in parts(full())}


def test_a_trusted_record_is_as_a_validated_one() -> None:
    """The same dump, equality, fields set, copy and pickle, for every record of an answer."""
    kinds = set()
    for record in parts(full()):
        kinds.add(type(record))
        again = type(record).model_validate(record.model_dump())
        assert again == record
        assert record == again
        assert again.model_dump() == record.model_dump()
        assert again.model_dump_json() == record.model_dump_json()
        assert repr(again) == repr(record)
        assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301 - our own
        assert copy.copy(record) == copy.deepcopy(record) == record
    assert {Interpretation, Panel, LabResult, Patient, Decision, Agreement, Note} <= kinds
    assert {Provenance} <= kinds


TRUSTED: dict[type[Record], dict[str, Any]] = {
    Status: {
        "source": "who-2020",
        "rule": "GN-1",
        "purpose": "status",
        "says": "x",
        "verified": "quoted",
    },
    Nearest: {
        "analyte": "tsat",
        "limit": 20.0,
        "unit": "%",
        "distance": 0.1,
        "possible": ("no-iron",),
    },
    Agreement: {"verdict": "open", "possible": {}},
}


@pytest.mark.parametrize("kind", TRUSTED, ids=lambda kind: kind.__name__)
def test_a_trusted_record_has_every_field_set(kind: type[Record]) -> None:
    """Of values that the library itself made."""
    trusted, validated = kind.trusted(**TRUSTED[kind]), kind(**TRUSTED[kind])
    assert trusted == validated
    assert trusted.model_fields_set == set(TRUSTED[kind]) == validated.model_fields_set
    assert trusted.model_dump_json() == validated.model_dump_json()


def test_a_copy_does_not_leak_into_other_records() -> None:
    """Trusted records share the names of their fields; a copy must have its own."""
    one = Nearest.trusted(**TRUSTED[Nearest])
    copied = one.model_copy(update={"limit": 45.0, "stray": 1})
    assert (copied.limit, one.limit) == (45.0, 20.0)
    assert "stray" not in one.model_fields_set
    assert "stray" not in Nearest.trusted(**TRUSTED[Nearest]).model_fields_set
    assert set(Nearest.model_fields) == one.model_fields_set


@pytest.mark.parametrize("record", KINDS.values(), ids=KINDS)
def test_a_record_is_frozen(record: Record) -> None:
    """Design §4: a frozen pydantic model."""
    name = next(iter(type(record).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, name, None)
    with pytest.raises(ValidationError, match="frozen"):
        delattr(record, name)
    with pytest.raises(ValidationError):
        record.stray = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("record", KINDS.values(), ids=KINDS)
def test_an_unknown_field_is_refused(record: Record) -> None:
    """By every record; by the patient and the draw as a PatientError."""
    with pytest.raises(ValueError, match="stray"):
        type(record).model_validate({**record.model_dump(), "stray": 1})


def test_the_records_work_before_any_was_validated() -> None:
    """Models are built when first needed; a trusted one may come first."""
    code = (
        "from rlsiron.models import Agreement\n"
        "one = Agreement.trusted(verdict='open', possible={})\n"
        "print(one, one.model_dump_json(), one == one.model_copy())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("verdict='open'")
    assert done.stdout.endswith('{"verdict":"open","possible":{}} True\n')


GOOD: dict[str, tuple[dict[str, Any], tuple[float, float], bool]] = {
    "a point": ({"low": 62, "high": 62}, (62.0, 62.0), True),
    "under 5": ({"low": 0, "high": 5, "high_open": True}, (0.0, nextafter(5.0, 0)), False),
    "over 1000": ({"low": 1000, "low_open": True}, (nextafter(1000.0, inf), inf), False),
    "at least 1000": ({"low": 1000}, (1000.0, inf), False),
    "missing": ({"missing": "QNS"}, (0.0, inf), False),
    "no saturation at all": (
        {"analyte": "tsat", "unit": "%", "low": 0, "high": 0},
        (0.0, 0.0),
        True,
    ),
    "settled": ({"low": 0.1 + 0.2, "high": 0.3}, (0.3, 0.3), True),
}


@pytest.mark.parametrize(("fields", "span", "is_point"), GOOD.values(), ids=GOOD)
def test_a_result_is_an_interval(
    fields: dict[str, Any], span: tuple[float, float], *, is_point: bool
) -> None:
    """Design §2: closed at both ends, an open one the next float inward; all where missing."""
    result = LabResult(**{**FERRITIN, **fields})
    assert (result.span, result.is_point) == (span, is_point)
    assert str(result) == f"{result.analyte} 62 ng/mL"


BAD: dict[str, dict[str, Any]] = {
    "upside down": {"low": 5, "high": 4},
    "neither a value nor a reason": {},
    "a value and a reason": {"low": 5, "missing": "QNS"},
    "a reason and a high end": {"missing": "QNS", "high": 5},
    "a high end alone": {"high": 5},
    "a saturation over 100": {"analyte": "tsat", "low": 101, "high": 101},
    "a saturation without end": {"analyte": "tsat", "low": 50},
    "zero of what is never zero": {"low": 0, "high": 0},
    "an open point": {"low": 5, "high": 5, "low_open": True},
    "a point open above": {"low": 5, "high": 5, "high_open": True},
    "no number": {"low": nan, "high": 5},
    "an infinite end": {"low": 5, "high": inf},
    "negative": {"low": -1, "high": 5},
    "more than any measurement": {"low": 9e6, "high": 9e6},
    "yes": {"low": True, "high": True},
    "an unknown bound": {"low": 5, "high": 5, "bound": "=="},
    "an unknown analyte": {"low": 5, "high": 5, "analyte": "feritin"},
    "an unknown unit": {"low": 5, "high": 5, "unit": "banana"},
    "a negative half step": {"low": 5, "high": 5, "half_step": -1},
    "a half step that is no number": {"low": 5, "high": 5, "half_step": nan},
    "a bound that is a point": {"low": 5, "high": 5, "bound": "<"},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
def test_a_result_that_is_no_interval_is_refused(fields: dict[str, Any]) -> None:
    """The invariants of its docstring, and of design §2 and §4."""
    with pytest.raises(ValueError, match=r"\w"):
        LabResult(**{**FERRITIN, **fields})


PATIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown word": ({"sex": "femal"}, "unknown sex 'femal'; did you mean 'female'?"),
    "capitals": ({"kidney": "CKD"}, "unknown kidney 'CKD'; did you mean 'ckd'?"),
    "an unknown field": ({"sexx": "female"}, "unknown field 'sexx'.*; did you mean 'sex'?"),
    "an unknown condition": (
        {"conditions": ["diabetis"]},
        "'diabetis'; did you mean 'diabetes'?",
    ),
    "one of a text of conditions": (
        {"conditions": "blood-donor diabetis"},
        "'diabetis'; did you mean 'diabetes'?",
    ),
    "conditions of another kind": ({"conditions": 5}, "conditions 5"),
    "a word of another kind": ({"rls": 5}, "unknown rls 5; known: confirmed, suspected, absent"),
    "a list for a word": ({"sex": []}, r"unknown sex \[\]"),
    "a negative age": ({"age": -3}, "age -3"),
    "an age of 400": ({"age": 400}, "age 400"),
    "an age just over": ({"age": 130.1}, "age 130.1"),
    "an age that is no number": ({"age": nan}, "age nan"),
    "yes for an age": ({"age": True}, "age True"),
    "words for an age": ({"age": "> 89"}, "age '> 89'"),
    "an empty age": ({"age": ""}, "age ''"),
    "digits of another script": ({"age": "٤٤"}, "age '٤٤'"),
    "a month 13": ({"birth_date": "2020-13-01"}, "birth_date '2020-13-01'.*2026-01-31"),
    "a date 300 years back": ({"birth_date": "1700-01-01"}, "birth_date '1700-01-01'"),
    "a number for a date": ({"last_fever": 20260131}, "last_fever 20260131"),
    "a date in words": ({"last_iv_iron": "last week"}, "last_iv_iron 'last week'"),
    "maybe": ({"inflammation": "maybe"}, "inflammation 'maybe'"),
    "age and birth date": ({"age": 44, "birth_date": "1980-01-01"}, "not both"),
    "a pregnant man": ({"sex": "male", "pregnancy": "pregnant"}, "contradicts sex 'male'"),
    "a man after birth": ({"sex": "male", "pregnancy": "postpartum"}, "contradicts sex 'male'"),
}


@pytest.mark.parametrize(("fields", "message"), PATIENTS.values(), ids=PATIENTS)
def test_an_impossible_patient_is_refused_with_the_way_out(
    fields: dict[str, Any], message: str
) -> None:
    """Design §4, errors: the value in its repr, then the way out."""
    with pytest.raises(PatientError, match=message):
        Patient(**fields)


def test_every_fault_of_a_patient_is_told_with_its_fields() -> None:
    """Not the first alone."""
    with pytest.raises(PatientError) as caught:
        Patient(age=400, sex="femal")  # type: ignore[arg-type]
    assert [fields for fields, _ in caught.value.faults] == [
        frozenset({"age"}),
        frozenset({"sex"}),
    ]
    with pytest.raises(PatientError) as caught:
        Patient(sex="male", pregnancy="pregnant")
    assert caught.value.faults[0][0] == {"sex", "pregnancy"}


READ: dict[str, tuple[dict[str, Any], str, object]] = {
    "an age as text": ({"age": " 44 "}, "age", 44.0),
    "a fraction of a year": ({"age": "17.9"}, "age", 17.9),
    "the youngest": ({"age": 0}, "age", 0.0),
    "the oldest": ({"age": 130}, "age", 130.0),
    "a date as text": ({"birth_date": "1980-02-29"}, "birth_date", date(1980, 2, 29)),
    "a time as text": (
        {"last_fever": "2026-01-31T08:30"},
        "last_fever",
        datetime(2026, 1, 31, 8, 30),  # noqa: DTZ001 - without a zone on purpose
    ),
    "a bare date stays one": ({"last_fever": "2026-01-31"}, "last_fever", date(2026, 1, 31)),
    "conditions as text": (
        {"conditions": " diabetes  malignancy "},
        "conditions",
        frozenset({"diabetes", "malignancy"}),
    ),
    "no condition": ({"conditions": []}, "conditions", frozenset()),
    "a man who is not pregnant": ({"sex": "male", "pregnancy": "none"}, "pregnancy", "none"),
}


@pytest.mark.parametrize(("fields", "name", "value"), READ.values(), ids=READ)
def test_a_patient_is_read(fields: dict[str, Any], name: str, value: object) -> None:
    """Design §4: ISO 8601 text, a text of codes, a number of years."""
    found = getattr(Patient(**fields), name)
    assert found == value
    assert type(found) is type(value)


def test_a_birth_date_with_a_time_is_a_date() -> None:
    """The day counts."""
    assert Patient.model_validate({"birth_date": "1980-02-29T00:00"}).birth_date == date(
        1980, 2, 29
    )


def test_an_unknown_field_of_a_draw_is_refused_as_one_of_the_draw() -> None:
    """Not as one of the patient, and with the fields of a draw."""
    with pytest.raises(PatientError, match="did you mean 'drawn'") as caught:
        Draw(drawnn="2026-01-31")  # type: ignore[call-arg]
    assert "of the patient" not in str(caught.value)


def test_a_note_says_how_grave_it_is() -> None:
    """Information is said plainly."""
    fields: dict[str, Any] = {
        "code": "x",
        "category": "safety",
        "text": "Stop.",
        "sources": (),
        "verified": None,
    }
    assert str(Note(**fields, severity="stop")) == "STOP: Stop."
    assert str(Note(**fields, severity="caution")) == "CAUTION: Stop."
    assert str(Note(**fields, severity="info")) == "Stop."


def test_an_answer_is_shown_as_a_list_that_no_report_can_break() -> None:
    """`_repr_html_`: what a laboratory wrote is text, never markup."""
    answer = interpret(ferritin="<script>x</script>", errors="note")
    assert "<script>" not in answer._repr_html_()
    assert "&lt;script&gt;" in answer._repr_html_()
    assert answer._repr_html_().startswith('<div style="max-width:52em"><strong>AASM 2025: ')


def test_the_decision_is_that_of_the_first_guideline() -> None:
    """It leads."""
    answer = interpret(guidelines=("mayo-2021", "aan-2016"))
    assert answer.decision is answer.decisions["mayo-2021"]
    assert str(answer.decision).startswith("mayo-2021: indeterminate. ")


def test_every_record_is_a_pydantic_model() -> None:
    """Strangers' data enter and leave by them."""
    assert all(isinstance(record, BaseModel) for record in parts(full()))


def test_a_text_that_no_json_holds_is_refused() -> None:
    half = "\ud800"
    with pytest.raises(RlsironError, match=r"assay .* it holds half of a character"):
        interpret(ferritin="62 ng/mL", assay=half)
    answer = interpret(ferritin="62 ng/mL", assay=half, errors="note")
    assert "assay" in next(note.text for note in answer.notes if note.code == "unread-field")
    assert "\\ud800" in answer.model_dump_json()
    with pytest.raises(RlsironError, match=r"reported .* it holds half of a character"):
        LabResult(analyte="ferritin", low=62, high=62, bound="", reported=half, unit="ng/mL")
