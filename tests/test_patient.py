"""The patient and the draw: what is accepted, what is refused, and what counts as unread."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from rlsiron.errors import PatientError, RlsironError
from rlsiron.models import Draw, Patient
from rlsiron.patient import age_at, elapsed, read_patient

WORDS = {
    "sex": ("female", "male"),
    "rls": ("confirmed", "suspected", "absent"),
    "severity": ("mild", "moderate-severe"),
    "pregnancy": (
        "none", "trimester-1", "trimester-2", "trimester-3", "pregnant", "postpartum",
    ),
    "kidney": ("none", "ckd", "ckd-5", "hemodialysis", "peritoneal-dialysis"),
    "oral_iron": ("untried", "taking", "failed", "not-tolerated", "not-absorbed"),
}  # fmt: skip
CONDITIONS = (
    "hemochromatosis iron-loading-anemia repeated-transfusion active-infection iv-iron-anaphylaxis "
    "heart-failure diabetes peripheral-neuropathy autoimmune-disease malignancy gi-disease "
    "bariatric-surgery blood-donor family-history dopaminergic-treatment augmentation"
)
EVENTS = ("last_oral_iron", "last_iv_iron", "last_transfusion", "last_fever")
DAY = date(2026, 3, 1)
NAIVE = datetime(2026, 3, 1, 8, 30)  # noqa: DTZ001 - as a record without zones has it
AWARE = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


def refused(given: object, **draw: object) -> str:
    """Return why a patient is refused; noted, the same is said and nothing is raised."""
    with pytest.raises(PatientError) as caught:
        read_patient(given, **draw)  # type: ignore[arg-type]
    told = read_patient(given, errors="note", **draw)  # type: ignore[arg-type]
    assert "; ".join(told.problems) == str(caught.value)
    assert isinstance(caught.value, RlsironError)
    return str(caught.value)


# What is accepted


@pytest.mark.parametrize(
    ("name", "word"), [(name, word) for name, words in WORDS.items() for word in words]
)
def test_every_word_is_read(name: str, word: str) -> None:
    told = read_patient({name: word})
    assert getattr(told.patient, name) == word
    assert (told.unread, told.problems) == (frozenset(), ())


@pytest.mark.parametrize(
    "given",
    [set(CONDITIONS.split()), frozenset(CONDITIONS.split()), CONDITIONS.split(), CONDITIONS,
     tuple(CONDITIONS.split()), f"  {CONDITIONS}\n"],
    ids=["set", "frozenset", "list", "text", "tuple", "padded"],
)  # fmt: skip
def test_conditions_are_a_set_a_list_or_a_text(given: object) -> None:
    told = read_patient({"conditions": given})
    assert told.patient.conditions == frozenset(CONDITIONS.split())


def test_conditions_given_once_are_not_lost_beside_another_fault() -> None:
    """A condition that stops iron must not vanish: it is read, or it is unread."""
    conditions = (word for word in ["hemochromatosis"])
    told = read_patient({"sex": "F", "conditions": conditions}, errors="note")
    kept = told.patient.conditions or frozenset()
    assert "hemochromatosis" in kept or "conditions" in told.unread


@pytest.mark.parametrize(
    ("given", "age"),
    [(0, 0), (130, 130), (17.9, 17.9), ("44", 44), (" 44.5 ", 44.5), (0.0, 0), (Decimal(44), 44),
     (np.float64(44), 44), (np.int64(44), 44)],
    ids=repr,
)  # fmt: skip
def test_an_age_is_a_number_of_years_from_0_to_130(given: object, age: float) -> None:
    assert read_patient({"age": given}).patient.age == age


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-03-01", DAY),
        (" 2026-03-01 ", DAY),
        (DAY, DAY),
        ("2026-03-01T08:30", NAIVE),
        ("2026-03-01T08:30:00", NAIVE),
        (NAIVE, NAIVE),
        ("2026-03-01T08:30:00Z", AWARE),
        ("2026-03-01T08:30+00:00", AWARE),
        ("2026-03-01T10:30+02:00", AWARE),
        (AWARE, AWARE),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", [*EVENTS, "drawn"])
def test_a_moment_is_a_date_a_datetime_or_iso_text(
    name: str, given: object, expected: date
) -> None:
    told = read_patient({}, drawn=given) if name == "drawn" else read_patient({name: given})
    moment = told.draw.drawn if name == "drawn" else getattr(told.patient, name)
    assert moment == expected
    assert type(moment) is type(expected)


@pytest.mark.parametrize("given", [DAY, "2026-03-01"])
def test_a_birth_date_is_a_date_or_iso_text(given: object) -> None:
    assert read_patient({"birth_date": given}).patient.birth_date == DAY


@pytest.mark.parametrize("given", [None, {}, Patient()], ids=["none", "empty", "patient"])
def test_nothing_told_is_nothing_read(given: Patient | Mapping[str, Any] | None) -> None:
    told = read_patient(given)
    assert told.patient == Patient()
    assert told.draw == Draw()
    assert (told.unread, told.problems) == (frozenset(), ())


def test_none_is_not_told() -> None:
    given = dict.fromkeys(["age", "birth_date", "sex", "conditions", *EVENTS])
    told = read_patient(given, drawn=None, fasting=None, assay=None)
    assert told.patient == Patient()
    assert told.unread == frozenset()


def test_a_patient_and_its_dict_are_one() -> None:
    fields: dict[str, Any] = {"age": 44, "sex": "female", "conditions": ["blood-donor"]}
    assert read_patient(Patient(**fields)).patient == read_patient(fields).patient


def test_the_draw_is_read() -> None:
    told = read_patient({}, drawn="2026-03-01", fasting=True, assay="Roche")
    assert (told.draw.drawn, told.draw.fasting, told.draw.assay) == (DAY, True, "Roche")
    assert told.drawn_on(date(2026, 4, 1)).draw.drawn == date(2026, 4, 1)


# What is refused


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize(
    "word", ["", "F", "Female", "none ", "unknown", 5, True, ["none"], b"none"]
)
def test_an_unknown_word_is_refused(name: str, word: object) -> None:
    why = refused({name: word})
    assert name in why
    assert repr(word) in why
    assert read_patient({name: word}, errors="note").unread == {name}
    assert getattr(read_patient({name: word}, errors="note").patient, name) is None


def test_an_unknown_word_says_which_one_was_meant() -> None:
    assert refused({"sex": "femal"}) == "unknown sex 'femal'; did you mean 'female'?"
    assert "'hemodialysis'" in refused({"kidney": "haemodialysis"})
    assert "'trimester-2'" in refused({"pregnancy": "trimester 2"})
    assert "'malignancy'" in refused({"conditions": ["malignency"]})


def test_an_unknown_field_says_which_one_was_meant() -> None:
    why = refused({"agee": 44})
    assert "'agee'" in why
    assert "'age'" in why
    told = read_patient({"agee": 44, "sex": "female"}, errors="note")
    assert told.patient.sex == "female"


@pytest.mark.parametrize("name", ["drawn_", "method", "age", "conditions"])
def test_an_unknown_field_of_the_draw_is_refused(name: str) -> None:
    assert repr(name) in refused({}, **{name: 1})


@pytest.mark.parametrize(
    "name", ["self", "", " age", "model_config", "__class__", "age\0", "\ud800"], ids=ascii
)
def test_no_name_of_a_field_is_more_than_an_unknown_field(name: str) -> None:
    """Every unknown field is an RlsironError, whatever its name."""
    with pytest.raises(PatientError):
        read_patient({name: 1})
    assert read_patient({name: 1, "age": 44}, errors="note").patient.age == 44


@pytest.mark.parametrize("name", [5, None, (), b"age"])
def test_a_name_that_is_no_text_is_an_unknown_field(name: object) -> None:
    with pytest.raises(PatientError):
        read_patient({name: 1})  # type: ignore[dict-item]
    assert read_patient({name: 1}, errors="note").problems  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "age",
    [-3, 400, "abc", True, False, nan, inf, -inf, 130.1, -0.001, "-3", "400", "1e2", "44,5", "",
     "nan", "> 89", [44], {"years": 44}, 44j, "\u0664\u0664", np.bool_(True)],  # noqa: FBT003
    ids=ascii,
)  # fmt: skip
def test_an_impossible_age_is_refused(age: object) -> None:
    assert "age" in refused({"age": age})
    told = read_patient({"age": age}, errors="note")
    assert told.patient.age is None
    assert told.unread == {"age"}


@pytest.mark.parametrize(
    "moment",
    ["", "yesterday", "01.03.2026", "03/01/2026", "2026-13-01", "2026-02-30", "2026-03-01T25:00",
     "2026", "2026-03", 20260301, 1772323200, 1.5, True, "0001-01-01", "9999-12-31",
     date(1600, 1, 1), date(1849, 12, 31), date(2200, 1, 1), datetime.max,  # noqa: DTZ901
         date.min,
     timedelta(1), [DAY], b"2026-03-01", "\u0662026-03-01", nan],
    ids=ascii,
)  # fmt: skip
@pytest.mark.parametrize("name", [*EVENTS, "birth_date", "drawn"])
def test_what_is_no_date_of_our_times_is_refused(name: str, moment: object) -> None:
    patient = {} if name == "drawn" else {name: moment}
    draw = {name: moment} if name == "drawn" else {}
    assert name in refused(patient, **draw)
    assert read_patient(patient, errors="note", **draw).unread == {name}


@pytest.mark.parametrize("name", ["rapid_response_wanted", "inflammation"])
@pytest.mark.parametrize("given", ["maybe", "", 5, [], nan, DAY])
def test_what_is_neither_yes_nor_no_is_refused(name: str, given: object) -> None:
    assert name in refused({name: given})
    assert read_patient({name: given}, errors="note").unread == {name}


@pytest.mark.parametrize(
    "given",
    ["anemia", ["cancer"], 5, {"malignancy": True}, [None], [["malignancy"]], [5],
     "malignancy,diabetes", True],
    ids=repr,
)  # fmt: skip
def test_conditions_that_cannot_be_read_are_refused_as_a_whole(given: object) -> None:
    assert "conditions" in refused({"conditions": given})
    told = read_patient({"conditions": given}, errors="note")
    assert told.patient.conditions is None
    assert told.unread == {"conditions"}


@pytest.mark.parametrize(
    "given", ["malignancy cancer", ["malignancy", "cancer"], {"malignancy", 5}]
)
def test_a_condition_that_can_be_read_stays_true_beside_one_that_cannot(given: object) -> None:
    """A stop is never lost to a slip in the word beside it; the other conditions stay open."""
    told = read_patient({"conditions": given}, errors="note")
    assert sorted(told.patient.conditions or ()) == ["malignancy"]
    assert told.unread == {"conditions"}


@pytest.mark.parametrize(
    "draw", [{"fasting": "maybe"}, {"assay": 5}, {"assay": ["Roche"]}], ids=repr
)
def test_a_draw_that_cannot_be_read_is_refused(draw: dict[str, object]) -> None:
    assert next(iter(draw)) in refused({}, **draw)
    assert read_patient({}, errors="note", **draw).unread == draw.keys()


@pytest.mark.parametrize("given", ["female", 5, [("age", 44)], {"age"}, Draw()], ids=repr)
def test_what_is_no_patient_is_refused(given: Any) -> None:  # noqa: ANN401
    with pytest.raises(PatientError, match="not a Patient"):
        read_patient(given)


@pytest.mark.parametrize(
    "value", [10**5000, Unprintable(), object()], ids=["long", "unprintable", "object"]
)
@pytest.mark.parametrize("name", ["age", "sex", "conditions", "inflammation", "last_fever"])
def test_a_value_that_cannot_be_shown_is_refused_all_the_same(name: str, value: object) -> None:
    """What a stranger's `repr` does is never what the caller gets."""
    with pytest.raises(PatientError):
        read_patient({name: value})
    assert read_patient({name: value}, errors="note").unread == {name}


@pytest.mark.parametrize("value", [10**5000, Unprintable()], ids=["long", "unprintable"])
@pytest.mark.parametrize("name", ["drawn", "fasting", "assay"])
def test_a_draw_that_cannot_be_shown_is_refused_all_the_same(name: str, value: object) -> None:
    draw: dict[str, Any] = {name: value}
    with pytest.raises(PatientError):
        read_patient({}, **draw)
    assert read_patient({}, errors="note", **draw).unread == {name}


def test_every_fault_is_told() -> None:
    given = {"age": -3, "sex": "F", "kidneys": "ckd", "conditions": ["x"], "rls": "absent"}
    told = read_patient(given, errors="note", drawn="soon")
    assert told.unread >= {"age", "sex", "conditions", "drawn"}
    assert len(told.problems) == 5
    assert told.patient.rls == "absent"
    with pytest.raises(PatientError) as caught:
        read_patient(given, drawn="soon")
    for shown in ("-3", "'F'", "'kidneys'", "'x'", "'soon'"):
        assert shown in str(caught.value)


# Contradictions


@pytest.mark.parametrize("pregnancy", [word for word in WORDS["pregnancy"] if word != "none"])
def test_a_pregnancy_of_a_man_is_refused(pregnancy: str) -> None:
    given = {"sex": "male", "pregnancy": pregnancy, "age": 30}
    assert repr(pregnancy) in refused(given)
    told = read_patient(given, errors="note")
    assert told.unread == {"sex", "pregnancy"}
    assert (told.patient.sex, told.patient.pregnancy, told.patient.age) == (None, None, 30)


def test_a_man_who_is_not_pregnant_is_read() -> None:
    assert read_patient({"sex": "male", "pregnancy": "none"}).patient.sex == "male"


def test_an_age_beside_a_birth_date_is_refused() -> None:
    given = {"age": 44, "birth_date": "1982-01-01"}
    why = refused(given, drawn="2026-03-01")
    assert "age" in why
    assert "birth_date" in why
    told = read_patient(given, errors="note")
    assert told.unread == {"age", "birth_date"}
    assert (told.patient.age, told.patient.birth_date) == (None, None)


def test_a_patient_that_contradicts_itself_is_never_made() -> None:
    with pytest.raises(PatientError):
        Patient(age=44, birth_date=DAY)
    with pytest.raises(PatientError):
        Patient(sex="male", pregnancy="postpartum")


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize(
    ("event", "drawn"),
    [
        ("2026-03-02", "2026-03-01"),
        ("2026-03-02T00:00", "2026-03-01T23:59"),
        ("2026-03-01T08:31", "2026-03-01T08:30"),
        ("2026-03-02T00:00", "2026-03-01"),
        ("2026-03-02", "2026-03-01T23:59"),
        ("2026-03-01T08:30Z", "2026-03-01T09:00+01:00"),
    ],
)
def test_what_comes_after_the_draw_is_refused(name: str, event: str, drawn: str) -> None:
    """G16: a last_* after `drawn` is an error."""
    why = refused({name: event}, drawn=drawn)
    assert name in why
    assert "drawn" in why
    told = read_patient({name: event}, drawn=drawn, errors="note")
    assert told.unread == {name, "drawn"}
    assert getattr(told.patient, name) is None
    assert told.draw.drawn is None


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize(
    ("event", "drawn"),
    [
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01T23:59", "2026-03-01"),
        ("2026-03-01", "2026-03-01T00:00"),
        ("2026-03-01T08:30", "2026-03-01T08:30"),
        ("2026-03-01T08:30Z", "2026-03-01T09:30+01:00"),
        ("2026-03-01", "2026-03-01T08:30Z"),
    ],
)
def test_what_may_come_before_the_draw_is_read(name: str, event: str, drawn: str) -> None:
    assert read_patient({name: event}, drawn=drawn).unread == frozenset()


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize(("event", "drawn"), [(NAIVE, AWARE), (AWARE, NAIVE)])
def test_a_time_with_a_zone_beside_one_without_is_refused(
    name: str, event: datetime, drawn: datetime
) -> None:
    assert "time zone" in refused({name: event}, drawn=drawn)
    told = read_patient({name: event}, drawn=drawn, errors="note")
    assert told.unread == {name, "drawn"}


def test_the_second_event_after_a_contradiction_is_left_undated() -> None:
    given = {"last_fever": "2026-03-05", "last_iv_iron": "2026-03-06", "age": 44}
    told = read_patient(given, drawn="2026-03-01", errors="note")
    assert told.draw.drawn is None
    assert "drawn" in told.unread
    assert told.patient.age == 44


@pytest.mark.parametrize(
    ("born", "drawn"),
    [("2026-03-02", "2026-03-01"), ("1895-03-01", "2026-03-01"), ("1850-01-01", "2026-03-01")],
)
def test_an_impossible_age_at_the_draw_is_refused(born: str, drawn: str) -> None:
    assert "birth_date" in refused({"birth_date": born}, drawn=drawn)
    told = read_patient({"birth_date": born}, drawn=drawn, errors="note")
    assert told.unread == {"birth_date", "drawn"}


@pytest.mark.parametrize("born", ["2026-03-01", "1895-03-02"])
def test_a_birth_on_the_day_and_130_years_ago_is_read(born: str) -> None:
    assert not read_patient({"birth_date": born}, drawn="2026-03-01").problems


def test_a_birth_date_without_a_draw_is_read() -> None:
    assert not read_patient({"birth_date": "1895-03-01"}).problems


# Ages and times


@pytest.mark.parametrize(
    ("born", "drawn", "age"),
    [
        (date(2008, 3, 2), date(2026, 3, 1), 17),
        (date(2008, 3, 2), date(2026, 3, 2), 18),
        (date(2008, 3, 2), date(2026, 3, 3), 18),
        (date(2008, 12, 31), date(2026, 1, 1), 17),
        (date(2008, 1, 1), date(2026, 12, 31), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 3, 1), date(2026, 3, 1), 0),
        (date(2008, 3, 2), datetime(2026, 3, 1, 23, 59), 17),  # noqa: DTZ001
        (date(2008, 3, 2), datetime(2026, 3, 2, 0, 0), 18),  # noqa: DTZ001
        (None, date(2026, 3, 1), None),
        (date(2008, 3, 2), None, None),
    ],
    ids=repr,
)
def test_an_age_is_the_completed_calendar_years(
    born: date | None, drawn: date | None, age: int | None
) -> None:
    assert age_at(born, drawn) == age


@pytest.mark.parametrize(
    ("event", "drawn", "hours"),
    [
        (DAY, date(2026, 3, 2), 24),
        (DAY, datetime(2026, 3, 2, 23, 59), 24),  # noqa: DTZ001
        (datetime(2026, 3, 1, 23, 59), date(2026, 3, 2), 24),  # noqa: DTZ001
        (datetime(2026, 3, 1, 20), datetime(2026, 3, 2, 8), 12),  # noqa: DTZ001
        (AWARE, AWARE.astimezone(timezone(timedelta(hours=-9))), 0),
        (DAY, DAY, 0),
    ],
    ids=repr,
)
def test_time_is_by_the_clock_where_both_have_one(event: date, drawn: date, hours: float) -> None:
    """G16: by the clock where both have a time, else in calendar dates."""
    assert elapsed(event, drawn) == timedelta(hours=hours)
