"""What remains possible of a patient, the yes/no facts, and what is assumed."""

from math import inf
from typing import Any, Literal

import pytest

from rlsiron.facts import assumptions, situation
from rlsiron.models import Panel
from rlsiron.panel import assemble
from rlsiron.patient import Intake, read_patient
from rlsiron.reading import read_result

YES, NO, OPEN = frozenset({True}), frozenset({False}), frozenset({True, False})
FACTS = ("iv-reason", "inflamed", "earlier-iv", "iron-loading", "iv-stopped")
WORDS = {
    "sex": {"female", "male"},
    "rls": {"confirmed", "suspected", "absent"},
    "pregnancy": {"none", "trimester-1", "trimester-2", "trimester-3", "postpartum"},
    "kidney": {"none", "ckd", "ckd-5", "hemodialysis", "peritoneal-dialysis"},
}
ASSUMED = {
    "rls=confirmed",
    "pregnancy=none",
    "kidney=none",
    "conditions=none",
    "oral_iron=untried",
    "rapid_response_wanted=no",
    "inflammation=no",
    "last_oral_iron=never",
    "last_iv_iron=never",
    "last_transfusion=never",
    "last_fever=never",
}


def read(
    patient: dict[str, Any] | None = None,
    drawn: object = None,
    errors: Literal["raise", "note"] = "raise",
    **results: object,
) -> tuple[Intake, Panel]:
    told = read_patient(patient, drawn=drawn, errors=errors)
    return told, assemble({n: read_result(n, v) for n, v in results.items()}, told)[0]


def known_of(
    patient: dict[str, Any] | None = None,
    drawn: object = None,
    errors: Literal["raise", "note"] = "raise",
    **results: object,
) -> dict[str, Any]:
    return situation(*read(patient, drawn, errors, **results))


# What remains possible


def test_of_an_unknown_patient_exactly_the_assumed_is_known() -> None:
    """Design §4: an unknown age leaves child and adult open, an unknown sex both."""
    known = known_of()
    assert known["sex"] == WORDS["sex"]
    assert (known["rls"], known["pregnancy"], known["kidney"]) == (
        {"confirmed"},
        {"none"},
        {"none"},
    )
    low, high = known["age"]
    assert low <= 0
    assert high >= 130
    for analyte in ("ferritin", "tsat"):
        low, high = known[analyte]
        assert low <= 0
        assert high == inf
    assert {known[name] for name in FACTS} == {NO}


@pytest.mark.parametrize("name", WORDS)
def test_an_unread_field_leaves_every_word_open(name: str) -> None:
    assert known_of({name: "?"}, errors="note")[name] == WORDS[name]


@pytest.mark.parametrize(
    ("patient", "drawn", "age"),
    [
        ({"age": 44}, None, 44),
        ({"age": 17.9}, None, 17.9),
        ({"age": 0}, None, 0),
        ({"birth_date": "2008-03-02"}, "2026-03-01", 17),
        ({"birth_date": "2008-03-02"}, "2026-03-02", 18),
    ],
    ids=str,
)
def test_a_known_age_is_a_point(patient: dict[str, Any], drawn: str | None, age: float) -> None:
    assert known_of(patient, drawn)["age"] == (age, age)


@pytest.mark.parametrize(
    ("patient", "drawn"),
    [({"age": -3}, None), ({"birth_date": "2008-03-02"}, None), ({"birth_date": "x"}, "2026-03-01"),
     ({"birth_date": "2027-03-02"}, "2026-03-01"), ({"age": 4, "birth_date": "2008-03-02"}, None)],
    ids=str,
)  # fmt: skip
def test_an_unread_age_is_every_age(patient: dict[str, Any], drawn: str | None) -> None:
    low, high = known_of(patient, drawn, errors="note")["age"]
    assert low <= 0
    assert high >= 130


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("pregnant", {"trimester-1", "trimester-2", "trimester-3"}),
        ("trimester-2", {"trimester-2"}),
        ("postpartum", {"postpartum"}),
        ("none", {"none"}),
    ],
)
def test_pregnant_is_the_union_over_three_trimesters(word: str, words: set[str]) -> None:
    assert known_of({"pregnancy": word})["pregnancy"] == words


def test_results_are_intervals() -> None:
    known = known_of(ferritin="<5 ug/L", iron="60 ug/dL", tibc="300 ug/dL")
    low, high = known["ferritin"]
    assert low == 0
    assert 4.999 < high < 5
    assert known["tsat"] == (20, 20)


def test_a_result_in_a_window_is_every_value() -> None:
    known = known_of({"last_iv_iron": "2026-03-01"}, "2026-03-02", ferritin="9 ug/L", tsat="8 %")
    assert known["ferritin"] == known["tsat"] == (0, inf)


# Facts


@pytest.mark.parametrize(
    ("patient", "truth"),
    [
        ({}, NO),
        ({"oral_iron": "untried"}, NO),
        ({"oral_iron": "taking"}, NO),
        ({"oral_iron": "failed"}, YES),
        ({"oral_iron": "not-tolerated"}, YES),
        ({"oral_iron": "not-absorbed"}, YES),
        ({"oral_iron": "?"}, OPEN),
        ({"conditions": "gi-disease"}, YES),
        ({"conditions": "bariatric-surgery"}, YES),
        ({"conditions": "autoimmune-disease"}, NO),
        ({"conditions": "?"}, OPEN),
        ({"conditions": []}, NO),
        ({"rapid_response_wanted": True}, YES),
        ({"rapid_response_wanted": False}, NO),
        ({"rapid_response_wanted": "?"}, OPEN),
        ({"rapid_response_wanted": "?", "oral_iron": "failed"}, YES),
        ({"rapid_response_wanted": False, "oral_iron": "?", "conditions": "diabetes"}, OPEN),
        ({"inflammation": True}, NO),
        ({"severity": "moderate-severe"}, NO),
    ],
    ids=str,
)
def test_a_reason_for_iv_iron(patient: dict[str, Any], truth: frozenset[bool]) -> None:
    """Clinical §7; "chronic inflammation" counts only as oral iron not absorbed."""
    assert known_of(patient, errors="note")["iv-reason"] == truth


@pytest.mark.parametrize(
    ("patient", "crp", "truth"),
    [
        ({}, None, NO),
        ({}, "4.9 mg/L", NO),
        ({}, "5 mg/L", NO),
        ({}, "0.5 mg/dL", NO),
        ({}, "0 mg/L", NO),
        ({}, "5.000000001 mg/L", YES),
        ({}, "5.1 mg/L", YES),
        ({}, "0.51 mg/dL", YES),
        ({}, "<5 mg/L", NO),
        ({}, "<=5 mg/L", NO),
        ({}, "<5.1 mg/L", OPEN),
        ({}, "<10 mg/L", OPEN),
        ({}, ">5 mg/L", YES),
        ({}, ">=5 mg/L", OPEN),
        ({}, ">3 mg/L", OPEN),
        ({}, ">200 mg/L", YES),
        ({}, "hemolyzed", NO),
        ({"inflammation": True}, None, YES),
        ({"inflammation": True}, "1 mg/L", YES),
        ({"inflammation": True}, "<10 mg/L", YES),
        ({"inflammation": False}, None, NO),
        ({"inflammation": False}, "40 mg/L", YES),
        ({"inflammation": False}, "<10 mg/L", OPEN),
        ({"inflammation": False}, "5 mg/L", NO),
        ({"inflammation": "?"}, None, OPEN),
        ({"inflammation": "?"}, "1 mg/L", OPEN),
        ({"inflammation": "?"}, "40 mg/L", YES),
        ({"conditions": "malignancy"}, None, YES),
        ({"conditions": "active-infection"}, "1 mg/L", YES),
        ({"conditions": "malignancy", "inflammation": False}, "1 mg/L", YES),
        ({"conditions": "autoimmune-disease"}, None, NO),
        ({"conditions": "?"}, None, OPEN),
        ({"conditions": "?"}, "40 mg/L", YES),
    ],
    ids=str,
)
def test_inflamed(patient: dict[str, Any], crp: str | None, truth: frozenset[bool]) -> None:
    results = {} if crp is None else {"crp": crp}
    assert known_of(patient, errors="note", **results)["inflamed"] == truth


@pytest.mark.parametrize(
    ("patient", "drawn", "truth"),
    [
        ({}, "2026-03-01", NO),
        ({"last_iv_iron": "2020-01-01"}, "2026-03-01", YES),
        ({"last_iv_iron": "2026-03-01"}, "2026-03-01", YES),
        ({"last_iv_iron": "2026-03-01"}, None, YES),
        ({"last_iv_iron": "?"}, "2026-03-01", OPEN),
        ({"last_iv_iron": "2026-03-02"}, "2026-03-01", OPEN),
        ({"last_oral_iron": "2026-03-01"}, "2026-03-01", NO),
    ],
    ids=str,
)
def test_earlier_iv_iron(
    patient: dict[str, Any], drawn: str | None, truth: frozenset[bool]
) -> None:
    assert known_of(patient, drawn, errors="note")["earlier-iv"] == truth


@pytest.mark.parametrize(
    ("conditions", "truth"),
    [("hemochromatosis", YES), ("iron-loading-anemia", YES), ("repeated-transfusion", YES),
     ("malignancy diabetes", NO), ("", NO), ("?", OPEN)],
)  # fmt: skip
def test_iron_loading(conditions: str, truth: frozenset[bool]) -> None:
    """SL3."""
    assert known_of({"conditions": conditions}, errors="note")["iron-loading"] == truth


@pytest.mark.parametrize(
    ("patient", "drawn", "truth"),
    [
        ({"conditions": "active-infection"}, None, YES),
        ({"conditions": "iv-iron-anaphylaxis"}, None, YES),
        ({"conditions": "hemochromatosis"}, None, NO),
        ({"conditions": "?"}, None, OPEN),
        ({"last_iv_iron": "2026-03-01"}, "2026-03-01", YES),
        ({"last_iv_iron": "2026-03-01"}, "2026-05-23", YES),  # 83 days
        ({"last_iv_iron": "2026-03-01"}, "2026-05-24", NO),  # 84 days
        ({"last_iv_iron": "2026-03-01T08:00"}, "2026-05-24T07:59:59.999999", YES),
        ({"last_iv_iron": "2026-03-01T08:00"}, "2026-05-24T08:00", NO),
        ({"last_iv_iron": "2026-03-01T08:00"}, "2026-05-24", NO),
        ({"last_iv_iron": "2026-03-01"}, "2026-05-24T00:00", NO),
        ({"last_iv_iron": "2026-03-01"}, None, OPEN),
        ({"last_iv_iron": "?"}, "2026-05-24", OPEN),
        ({"last_iv_iron": "2026-03-01", "conditions": "active-infection"}, None, YES),
    ],
    ids=str,
)
def test_iv_iron_is_stopped(
    patient: dict[str, Any], drawn: str | None, truth: frozenset[bool]
) -> None:
    """SL4: less than 84 days after `last_iv_iron`; undated, that is open (G16)."""
    assert known_of(patient, drawn, errors="note")["iv-stopped"] == truth


# Assumptions


def test_exactly_these_are_assumed_of_nobody_in_particular() -> None:
    assumed = assumptions(*read())
    assert set(assumed) == ASSUMED
    assert len(assumed) == len(ASSUMED)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rls", "confirmed"), ("pregnancy", "none"), ("kidney", "ckd"), ("conditions", []),
     ("conditions", ["diabetes"]), ("oral_iron", "untried"), ("rapid_response_wanted", False),
     ("inflammation", False), ("last_oral_iron", "2026-01-01"), ("last_iv_iron", "2026-01-01"),
     ("last_transfusion", "2026-01-01"), ("last_fever", "2026-01-01")],
)  # fmt: skip
def test_what_is_told_is_not_assumed(name: str, value: object) -> None:
    assumed = assumptions(*read({name: value}))
    assert set(assumed) == {one for one in ASSUMED if not one.startswith(f"{name}=")}


@pytest.mark.parametrize("name", sorted(one.partition("=")[0] for one in ASSUMED))
def test_what_is_told_and_cannot_be_read_is_not_assumed(name: str) -> None:
    """Design §4: a field that was given but cannot be read is never assumed."""
    assumed = assumptions(*read({name: "?"}, errors="note"))
    assert set(assumed) == {one for one in ASSUMED if not one.startswith(f"{name}=")}


@pytest.mark.parametrize("name", sorted(one.partition("=")[0] for one in ASSUMED))
def test_none_is_not_told(name: str) -> None:
    assert set(assumptions(*read({name: None}))) == ASSUMED


@pytest.mark.parametrize("name", ["age", "sex", "severity", "birth_date"])
def test_nothing_is_assumed_of_other_fields(name: str) -> None:
    assert set(assumptions(*read({name: "?"}, errors="note"))) == ASSUMED
    assert set(assumptions(*read({}))) == ASSUMED


@pytest.mark.parametrize(
    ("crp", "assumed"),
    [("4.9 mg/L", True), ("5 mg/L", True), ("5.1 mg/L", False), (">100 mg/L", False),
     ("hemolyzed", True), ("<5 mg/L", True)],
)  # fmt: skip
def test_no_inflammation_is_assumed_unless_the_crp_is_over_the_limit(
    *,
    crp: str,
    assumed: bool,
) -> None:
    assert ("inflammation=no" in assumptions(*read(crp=crp))) is assumed
