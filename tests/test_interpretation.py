"""The sentence: from what was reported to what guidelines say of it."""

import copy
import csv
import json
import pickle
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pint
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rlsiron
from rlsiron import (
    GuidelineError,
    Interpretation,
    LabResult,
    Patient,
    ReadingError,
    RlsironError,
    UnitError,
    interpret,
)
from rlsiron.guideline import Guideline, load_guideline

ORAL, IV, EITHER = "oral-iron", "iv-iron", "oral-or-iv-iron"
NONE, WITHHOLD, UNCOVERED, OPEN = "no-iron", "withhold-iron", "not-covered", "indeterminate"
AASM, IRLSSG, MAYO, AAN = "aasm-2025", "irlssg-2018", "mayo-2021", "aan-2016"
ALL = (AASM, IRLSSG, MAYO, AAN)
INPUTS = ("ferritin", "tsat", "iron", "tibc", "uibc", "transferrin", "crp", "hemoglobin")
ADULT: dict[str, Any] = {"age": 44}
DOCS = Path(__file__).parents[1] / "docs"


def ask(
    ferritin: float | str | None = None,
    tsat: float | str | None = None,
    /,
    **given: Any,  # noqa: ANN401 - as interpret has it
) -> Interpretation:
    """Interpret ferritin in µg/L and TSAT in % of an adult, unless told otherwise."""
    return interpret(
        ferritin=None if ferritin is None else f"{ferritin} ug/L",
        tsat=None if tsat is None else f"{tsat} %",
        **{"patient": ADULT, **given},
    )


def possible(answer: Interpretation) -> dict[str, tuple[str, ...]]:
    return {name: decision.possible for name, decision in answer.decisions.items()}


def codes(answer: Interpretation) -> list[str]:
    return [note.code for note in answer.notes]


def round_trip(answer: Interpretation) -> Interpretation:
    return Interpretation.model_validate_json(answer.model_dump_json())


# The example of the design, and the default


def test_the_example_of_the_design() -> None:
    answer = interpret(ferritin="62 ng/mL", tsat="18 %", patient=Patient(age=44, sex="female"))
    assert answer.decision.disposition == EITHER
    assert answer.decisions[IRLSSG].disposition == ORAL
    assert answer.decision is answer.decisions[AASM]
    assert tuple(answer.decisions) == (AASM, IRLSSG, MAYO)
    assert answer.status == ()


def ordered(value: object) -> str:
    """Name a parameter alike in every process, which a set is not."""
    return str(sorted(value) if isinstance(value, set) else value)


@pytest.mark.parametrize(
    ("ferritin", "tsat", "said"),
    [
        (75, 18, {AASM: [EITHER], IRLSSG: [ORAL], MAYO: [ORAL], AAN: [ORAL]}),
        (75, 44.9, {AASM: [EITHER], IRLSSG: [ORAL], MAYO: [ORAL], AAN: [ORAL]}),
        (75, 45, {name: [WITHHOLD] for name in ALL}),
        (75.1, 19.9, {AASM: [IV, EITHER], IRLSSG: [IV], MAYO: [IV], AAN: [NONE]}),
        (75.1, 20, {AASM: [IV], IRLSSG: [IV], MAYO: [IV], AAN: [NONE]}),
        (100, 20, {AASM: [IV], IRLSSG: [IV], MAYO: [IV, NONE], AAN: [NONE]}),
        (100.1, 20, {AASM: [NONE], IRLSSG: [NONE], MAYO: [NONE], AAN: [NONE]}),
        (100.1, 19.9, {AASM: [EITHER, NONE], IRLSSG: [IV, NONE], MAYO: [NONE], AAN: [NONE]}),
        (299.9, 30, {name: [NONE] for name in ALL}),
        (300, 30, {name: [WITHHOLD] for name in ALL}),
    ],
)
def test_the_matrices_of_the_adult(
    ferritin: float, tsat: float, said: dict[str, list[str]]
) -> None:
    """Clinical §7, with SL1, SL2 and SL5 over them."""
    assert possible(ask(ferritin, tsat, guidelines=ALL)) == {
        name: tuple(words) for name, words in said.items()
    }


@pytest.mark.parametrize(("criterion", "disposition"), [((EITHER,), WITHHOLD)])
def test_a_block_never_hides_the_criterion(criterion: tuple[str, ...], disposition: str) -> None:
    """Clinical §1.6: show both."""
    decision = ask(62, 50).decision
    assert decision.criterion_possible == criterion
    assert (decision.criterion, decision.disposition) == (criterion[0], disposition)
    assert (decision.criterion_iron, decision.iron) == ("give", "do-not-give")


def test_no_result_at_all_is_an_answer() -> None:
    """Design §4: indeterminate, `needs` names ferritin and tsat."""
    decision = interpret(patient=ADULT).decision
    assert decision.disposition == OPEN
    assert decision.needs[:2] == ("ferritin", "tsat")
    assert interpret().decision.needs[:3] == ("ferritin", "tsat", "age")


@pytest.mark.parametrize(
    ("birth_date", "said"), [("2008-03-02", NONE), ("2008-03-01", EITHER)], ids=["17", "18"]
)
def test_18_on_the_birthday(birth_date: str, said: str) -> None:
    answer = ask(62, 30, patient={"birth_date": birth_date}, drawn="2026-03-01")
    assert answer.decision.disposition == said


def test_born_on_a_leap_day_is_18_on_the_first_of_march() -> None:
    born = {"birth_date": "2008-02-29"}
    assert ask(62, 30, patient=born, drawn="2026-02-28").decision.disposition == NONE
    assert ask(62, 30, patient=born, drawn="2026-03-01").decision.disposition == EITHER


# Needs


@pytest.mark.parametrize(
    ("ferritin", "tsat", "given", "needs"),
    [
        (62, 30, {}, ()),
        (None, 30, {}, ("ferritin",)),
        (62, None, {}, ("tsat",)),
        (None, 50, {}, ()),
        (400, None, {}, ()),
        ("<5", 30, {}, ()),
        (">50", 30, {}, ("ferritin",)),
        (62, "<50", {}, ("tsat",)),
        (62, 30, {"patient": {}}, ("age",)),
        (20, 30, {"patient": {}}, ()),
        (62, 30, {"patient": {"birth_date": "1982-01-01"}}, ("age", "drawn")),
        (20, 30, {"patient": {"birth_date": "1982-01-01"}}, ()),
        (85, 30, {"patient": {"age": 30, "pregnancy": "pregnant"}}, ("pregnancy",)),
        (60, 30, {"patient": {"age": 30, "pregnancy": "pregnant"}}, ("pregnancy",)),
        (120, 30, {"patient": {"age": 30, "pregnancy": "pregnant"}}, ()),
        (62, 42, {"patient": {"age": 44, "kidney": "?"}, "errors": "note"}, ("kidney",)),
        (62, 42, {"patient": {"age": 44, "sex": "?"}, "errors": "note"}, ()),
        (85, 15, {}, ()),  # only the source's silence leaves it open
        (120, 15, {}, ()),
    ],
)
def test_needs(
    ferritin: float | str | None,
    tsat: float | str | None,
    given: dict[str, Any],
    needs: tuple[str, ...],
) -> None:
    """Design §4: every input of which two values give different answers, all else held."""
    decision = ask(ferritin, tsat, **given).decision
    assert decision.needs == needs
    assert decision.because


@pytest.mark.parametrize(
    ("crp", "said", "needs"),
    [
        (None, (NONE,), ()),
        ("5 mg/L", (NONE,), ()),
        ("5.1 mg/L", (IV, NONE), ()),
        ("<10 mg/L", (IV, NONE), ("crp",)),
        (">3 mg/L", (IV, NONE), ("crp",)),
        ("<5 mg/L", (NONE,), ()),
        (">5 mg/L", (IV, NONE), ()),
        ("hemolyzed", (NONE,), ()),
    ],
)
def test_a_crp_across_the_limit_is_needed(
    crp: str | None, said: tuple[str, ...], needs: tuple[str, ...]
) -> None:
    """MY-3: over 100 µg/L and under 20 %, an inflamed patient is open."""
    decision = ask(150, 15, crp=crp, guidelines=MAYO).decision
    assert decision.possible == said
    assert decision.needs == needs


def test_an_unread_crp_leaves_no_inflammation_standing() -> None:
    answer = ask(150, 15, crp="5 cows", guidelines=MAYO, errors="note")
    assert answer.decision.possible == (NONE,)
    assert "unread-result" in codes(answer)


def test_no_inflammation_beside_a_high_crp_is_inflamed() -> None:
    patient = {"age": 44, "inflammation": False}
    answer = ask(150, 15, crp="40 mg/L", patient=patient, guidelines=MAYO)
    assert answer.decision.possible == (IV, NONE)
    assert "inflammation-contradicts-crp" in codes(answer)
    assert "inflammation-contradicts-crp" not in codes(ask(150, 15, crp="5 mg/L", patient=patient))


def test_no_inflammation_beside_malignancy_needs_no_crp_to_be_inflamed() -> None:
    patient = {"age": 44, "inflammation": False, "conditions": "malignancy"}
    answer = ask(150, 15, patient=patient, guidelines=MAYO)
    assert answer.decision.possible == (IV, NONE)
    assert "inflammation-contradicts-crp" not in codes(answer)


def test_undated_iv_iron_needs_ferritin_tsat_and_the_draw() -> None:
    """G16: `needs` names drawn, beside ferritin and tsat."""
    decision = ask(62, 18, patient={"age": 44, "last_iv_iron": "2026-03-01"}).decision
    assert decision.needs == ("ferritin", "tsat", "drawn")


def test_undated_oral_iron_needs_tsat_and_the_draw() -> None:
    decision = ask(62, 50, patient={"age": 44, "last_oral_iron": "2026-03-01"}).decision
    assert decision.possible == (EITHER, WITHHOLD)
    assert decision.needs == ("tsat", "drawn")


def test_the_draw_is_not_needed_where_no_answer_depends_on_it() -> None:
    patient = {"age": 44, "last_oral_iron": "2026-03-01"}
    assert ask(400, 18, patient=patient).decision.needs == ()
    assert ask(62, 50, patient={"age": 44, "last_fever": "2026-03-01"}).decision.needs == ()
    assert ask(62, 18, patient=patient).decision.needs == ("tsat", "drawn")


def test_the_draw_decides_the_84_days_too() -> None:
    """Without results, IV or not within 84 days of IV iron is a matter of the date."""
    patient = {"age": 44, "last_iv_iron": "2026-03-01"}
    decision = ask(85, 30, patient=patient, guidelines=IRLSSG).decision
    assert "drawn" in decision.needs
    assert ask(85, 30, patient=patient, drawn="2026-04-01").decision.possible == (WITHHOLD,)
    assert ask(85, 30, patient=patient, drawn="2026-05-24").decision.possible == (IV,)


def test_an_event_on_a_leap_day_and_a_birth_without_a_draw() -> None:
    patient = {"birth_date": "2008-02-29", "last_iv_iron": "2024-02-29"}
    decision = ask(62, 30, patient=patient).decision
    assert decision.needs == ("ferritin", "tsat", "age", "drawn")


# Nearest


@pytest.mark.parametrize(
    ("ferritin", "tsat", "patient", "expected"),
    [
        (62, 18, ADULT, ("ferritin", 75, Fraction(13, 75), (IV, EITHER))),
        (75, 30, ADULT, ("ferritin", 75, Fraction(0), (IV,))),
        (70, 44, ADULT, ("tsat", 45, Fraction(1, 45), (WITHHOLD,))),
        (70, 45, ADULT, ("tsat", 45, Fraction(0), (EITHER,))),
        (80, 21, ADULT, ("tsat", 20, Fraction(1, 20), (IV, EITHER))),
        (80, 25, ADULT, ("ferritin", 75, Fraction(5, 75), (EITHER,))),
        (299, 30, ADULT, ("ferritin", 300, Fraction(1, 300), (WITHHOLD,))),
        (310, 30, ADULT, ("ferritin", 300, Fraction(10, 300), (NONE,))),
        (49, 30, {"age": 10}, ("ferritin", 50, Fraction(1, 50), (NONE,))),
        (62, 38, {"age": 44, "kidney": "ckd"}, ("tsat", 40, Fraction(2, 40), (WITHHOLD,))),
        (400, 50, ADULT, None),
        ("<5", 30, ADULT, None),
        (62, "<10", ADULT, None),
        (62, None, ADULT, None),
        (62, 30, {}, None),
        (62, 30, {"age": 30, "pregnancy": "pregnant"}, None),
        ("<5", 50, ADULT, None),
        (">1000", 30, ADULT, None),
        (400, ">50", ADULT, None),
    ],
)
def test_the_nearest_limit(
    ferritin: float | str,
    tsat: float | str | None,
    patient: dict[str, Any],
    expected: tuple[str, float, Fraction, tuple[str, ...]] | None,
) -> None:
    """Design §4: analyte, limit, distance, what is said beyond; None for no point."""
    nearest = ask(ferritin, tsat, patient=patient).decision.nearest
    if expected is None:
        assert nearest is None
        return
    assert nearest is not None
    analyte, limit, distance, beyond = expected
    assert (nearest.analyte, nearest.limit) == (analyte, limit)
    assert nearest.unit == ("%" if analyte == "tsat" else "ug/L")
    assert nearest.distance == pytest.approx(float(distance), rel=1e-12, abs=0)
    assert nearest.possible == beyond


# Agreement, tiers, assumptions, cautions


@pytest.mark.parametrize(
    ("ferritin", "tsat", "patient", "verdict"),
    [
        (150, 30, ADULT, "agree"),
        (85, 30, ADULT, "agree"),
        (62, 50, ADULT, "agree"),
        (62, 30, ADULT, "differ"),
        (85, 15, ADULT, "open"),
        (100, 30, ADULT, "open"),
        (None, None, ADULT, "open"),
        (60, 30, {"age": 10}, "agree"),  # Mayo does not cover a child
        (40, 30, {"age": 10}, "differ"),
        (62, 30, {"age": 44, "rls": "suspected"}, "open"),
    ],
)
def test_agreement(
    ferritin: float | None, tsat: float | None, patient: dict[str, Any], verdict: str
) -> None:
    """Design §4: agree, equal `possible`; differ, two have none in common; else open."""
    answer = ask(ferritin, tsat, patient=patient)
    assert answer.agreement.verdict == verdict
    assert answer.agreement.possible == {
        name: said for name, said in possible(answer).items() if said != (UNCOVERED,)
    }
    assert ("differ" in codes(answer)) is (verdict == "differ")


@pytest.mark.parametrize(
    ("name", "ferritin", "tsat", "patient", "verified"),
    [
        (AASM, 62, 30, ADULT, "primary"),
        (AASM, 85, 30, ADULT, "secondary"),
        (AASM, None, 30, ADULT, "secondary"),
        (AASM, 250, 30, {"age": 44, "kidney": "ckd-5"}, "convention"),
        (IRLSSG, 62, 30, ADULT, "primary"),
        (IRLSSG, 85, 30, ADULT, "quoted"),
        (IRLSSG, 62, 30, {"age": 44, "oral_iron": "failed"}, "unverified"),
        (IRLSSG, 40, 30, {"age": 10}, "secondary"),
        (MAYO, 62, 30, ADULT, "quoted"),
        (MAYO, 40, 30, {"age": 10}, None),
    ],
)
def test_verified_is_the_weakest_tier_of_the_rules(
    name: str,
    ferritin: float | None,
    tsat: float,
    patient: dict[str, Any],
    verified: str | None,
) -> None:
    decision = ask(ferritin, tsat, patient=patient, guidelines=name).decision
    assert decision.verified == verified
    assert bool(decision.rules) is (verified is not None)


def test_only_unverified_text_that_gives_iron_is_said_first() -> None:
    """Design §4: where only unverified text gives iron, the note begins with "not verified:"."""
    answer = ask(62, 30, patient={"age": 44, "oral_iron": "failed"}, guidelines=IRLSSG)
    assert answer.decision.possible == (IV,)
    (note,) = (note for note in answer.notes if note.code == "decision")
    assert note.text.casefold().startswith("not verified:")


def test_the_first_line_says_that_only_unverified_text_gives_iron() -> None:
    """Clinical intro: where only unverified text gives iron, the answer says so first."""
    answer = ask(62, 30, patient={"age": 44, "oral_iron": "failed"}, guidelines=IRLSSG)
    assert "not verified:" in str(answer).splitlines()[0].casefold()


def test_strict_leaves_out_unverified_rules_that_give_iron() -> None:
    """Clinical §7: strict answers ORAL there; a rule that withholds is never left out."""
    patient = {"age": 44, "oral_iron": "failed"}
    answer = ask(62, 30, patient=patient, guidelines=IRLSSG, strict=True)
    assert answer.decision.possible == (ORAL,)
    assert "strict" in codes(answer)
    assert ask(350, 30, guidelines=IRLSSG, strict=True).decision.criterion == WITHHOLD


ASSUMED = {
    "rls=confirmed", "pregnancy=none", "kidney=none", "conditions=none", "oral_iron=untried",
    "rapid_response_wanted=no", "inflammation=no", "last_oral_iron=never", "last_iv_iron=never",
    "last_transfusion=never", "last_fever=never",
}  # fmt: skip


def test_what_was_assumed_is_listed() -> None:
    assert set(ask(62, 30).assumptions) == ASSUMED
    assert "assumptions" in codes(ask(62, 30))


def test_where_everything_is_told_nothing_is_assumed() -> None:
    told: dict[str, Any] = {
        "age": 44, "sex": "female", "rls": "confirmed", "pregnancy": "none", "kidney": "none",
        "conditions": [], "oral_iron": "untried", "rapid_response_wanted": False,
        "inflammation": False, "last_oral_iron": "2020-01-01", "last_iv_iron": "2020-01-01",
        "last_transfusion": "2020-01-01", "last_fever": "2020-01-01",
    }  # fmt: skip
    answer = ask(85, 30, patient=told, drawn="2026-03-01")
    assert answer.assumptions == ()
    assert not {"assumptions", "iv-assumes-not-pregnant", "iv-assumes-no-infection"} & set(
        codes(answer)
    )


@pytest.mark.parametrize(
    ("patient", "ferritin", "cautions"),
    [
        ({}, 85, {"pregnant", "infection"}),
        ({"sex": "female"}, 85, {"pregnant", "infection"}),
        ({"sex": "male"}, 85, {"infection"}),
        ({"sex": "?"}, 85, {"pregnant", "infection"}),
        ({"pregnancy": "none"}, 85, {"infection"}),
        ({"conditions": ["diabetes"]}, 85, {"pregnant"}),
        ({"conditions": []}, 85, {"pregnant"}),
        ({}, 62, {"pregnant", "infection"}),  # AASM: oral or IV
        ({}, 150, set()),
        ({"conditions": "hemochromatosis"}, 85, set()),
    ],
    ids=ordered,
)
def test_an_assumption_that_iv_iron_rests_on_is_a_caution(
    patient: dict[str, Any], ferritin: float, cautions: set[str]
) -> None:
    """Design §4: not pregnant, for a patient not known to be male; no infection."""
    answer = ask(ferritin, 30, patient={"age": 44, **patient}, errors="note")
    notes = {note.code: note for note in answer.notes}
    expected = {"pregnant": "iv-assumes-not-pregnant", "infection": "iv-assumes-no-infection"}
    assert {name for name, code in expected.items() if code in notes} == cautions
    assert all(notes[expected[name]].severity == "caution" for name in cautions)


def test_an_oral_answer_rests_on_neither() -> None:
    answer = ask(62, 30, guidelines=(IRLSSG, MAYO))
    assert not [code for code in codes(answer) if code.startswith("iv-assumes")]


@pytest.mark.parametrize("rls", ["suspected", "absent"])
def test_rls_that_is_not_confirmed_is_not_covered(rls: str) -> None:
    """G30."""
    answer = ask(9, 8, patient={"age": 44, "rls": rls}, guidelines=ALL)
    assert set(possible(answer).values()) == {(UNCOVERED,)}
    assert {decision.iron for decision in answer.decisions.values()} == {"not-covered"}
    assert {decision.needs for decision in answer.decisions.values()} == {()}
    assert "rls-not-confirmed" in codes(answer)


def test_unread_rls_stays_open() -> None:
    answer = ask(62, 30, patient={"age": 44, "rls": "?"}, errors="note")
    assert answer.decision.possible == (EITHER, UNCOVERED)
    assert answer.decision.iron == "open"


@pytest.mark.parametrize(
    ("patient", "said"),
    [
        ({"conditions": "?"}, {EITHER, ORAL, WITHHOLD}),
        ({"pregnancy": "?"}, {EITHER, ORAL}),
        ({"kidney": "?"}, {EITHER, IV, NONE}),
        ({"oral_iron": "?"}, {EITHER}),
        ({"age": "?"}, {EITHER, NONE}),
        ({"last_iv_iron": "?"}, {EITHER, IV, ORAL, NONE, WITHHOLD}),
    ],
    ids=ordered,
)
def test_an_unread_field_leaves_every_value_open(patient: dict[str, Any], said: set[str]) -> None:
    answer = ask(62, 30, patient={"age": 44, **patient}, errors="note", drawn="2026-03-01")
    assert set(answer.decision.possible) == said
    assert "unread-field" in codes(answer)


def test_an_unread_reason_for_iv_leaves_both_routes() -> None:
    answer = ask(62, 30, patient={"age": 44, "oral_iron": "?"}, errors="note", guidelines=IRLSSG)
    assert answer.decision.possible == (ORAL, IV)
    assert answer.decision.iron == "give"


# Results in every form


@pytest.mark.parametrize(
    "ferritin",
    ["75 ng/mL", "75 µg/L", "75 μg/L", "7.5 ug/dL", "75 NG/ML", "75 mcg/L", (75, "ng/mL"),
     ("75.0", "ug/L"), [75, "ug/L"], (Decimal(75), "ug/L"), pint.Quantity(75, "ng/mL"),
     pint.Quantity(7.5, "ug/dL"),
     LabResult(analyte="ferritin", reported="75", unit="ug/L", low=75, high=75)],
    ids=repr,
)  # fmt: skip
def test_one_ferritin_is_one_answer(ferritin: object) -> None:
    """Issue 2, 'It must show'."""
    answer = interpret(ferritin=ferritin, tsat="30 %", patient=ADULT)
    assert possible(answer) == {AASM: (EITHER,), IRLSSG: (ORAL,), MAYO: (ORAL,)}
    assert answer.panel.ferritin is not None
    assert answer.panel.ferritin.span == (75, 75)
    assert round_trip(answer) == answer


@pytest.mark.parametrize(
    ("ferritin", "said"),
    [("74.9", ORAL), ("74.999999999", ORAL), ("75", ORAL), ("75.000000001", IV), ("75.1", IV)],
)
def test_to_either_side_of_75(ferritin: str, said: str) -> None:
    assert ask(ferritin, 30, guidelines=IRLSSG).decision.disposition == said


@pytest.mark.parametrize("bare", [62, 62.0, "62", ("62", None), ("62", ""), (62, None)], ids=repr)
def test_no_unit_is_ever_assumed(bare: object) -> None:
    with pytest.raises(UnitError, match="62"):
        interpret(ferritin=bare)
    answer = interpret(ferritin=bare, errors="note")
    assert answer.panel.ferritin is None
    assert "unread-result" in codes(answer)


def test_a_result_of_another_analyte_is_refused() -> None:
    iron = LabResult(analyte="iron", reported="62", unit="ug/dL", low=62, high=62)
    with pytest.raises(ReadingError, match="iron"):
        interpret(ferritin=iron)
    answer = interpret(ferritin=iron, errors="note")
    assert answer.panel.reported == {}
    assert "unread-result" in codes(answer)


@pytest.mark.parametrize(
    ("name", "low"), [("tsat", 128), ("ferritin", 5_000_001)], ids=["tsat", "ferritin"]
)
def test_a_hand_made_result_that_cannot_be_is_refused(name: str, low: float) -> None:
    """G24: a reported TSAT over 100 is refused; design §4: over 5·10⁶ is no measurement."""
    with pytest.raises(RlsironError):
        interpret(**{name: LabResult(analyte=name, reported="x", low=low, high=low)})  # type: ignore[arg-type]


@pytest.mark.parametrize("ferritin", [50, 75, 83, 100, 121, 158], ids=str)
def test_an_assay_converts_nothing(ferritin: float) -> None:
    """Clinical §1, 8: Beckman 75 is about Roche 121, 100 about 158; never converted silently."""
    beckman, roche = (ask(ferritin, 30, assay=assay) for assay in ("Beckman", "Roche"))
    assert beckman.panel.ferritin == roche.panel.ferritin == ask(ferritin, 30).panel.ferritin
    assert beckman.decisions == roche.decisions == ask(ferritin, 30).decisions


def test_in_a_pair_the_text_s_own_unit_wins() -> None:
    answer = interpret(ferritin=("62 ng/mL", "ug/dL"), tsat="30 %", patient=ADULT)
    assert answer.panel.ferritin is not None
    assert answer.panel.ferritin.span == (62, 62)
    assert "own-unit-wins" in codes(answer)


def test_a_decimal_comma() -> None:
    answer = interpret(ferritin="75,1 ug/L", tsat="19,9 %", patient=ADULT, decimal=",")
    assert answer.decision.possible == (IV, EITHER)
    with pytest.raises(ReadingError):
        interpret(ferritin="75,1 ug/L")


@pytest.mark.parametrize("word", ["QNS", "hemolyzed", ""])
def test_a_missing_word_keeps_its_reason(word: str) -> None:
    answer = interpret(ferritin=word, tsat="30 %", patient=ADULT)
    assert answer.decision.needs == ("ferritin",)
    assert "missing-result" in codes(answer)
    assert round_trip(answer) == answer


def test_a_smart_patient() -> None:
    """data/README.md: 2015-10-31, values typed in by hand, every source of TSAT beside another."""
    answer = interpret(
        ferritin="9 ug/L",
        tsat="8 %",
        iron="33 ug/dL",
        tibc="415 ug/dL",
        uibc="379 ug/dL",
        hemoglobin="11.4 g/dL",
        drawn="2015-10-31",
        patient=ADULT,
        guidelines=ALL,
    )
    assert possible(answer) == {AASM: (EITHER,), IRLSSG: (ORAL,), MAYO: (ORAL,), AAN: (ORAL,)}
    assert answer.panel.tsat is not None
    low, high = answer.panel.tsat.span
    assert low == pytest.approx(100 * 33 / 415, abs=1e-9)
    assert high == pytest.approx(100 * 33 / 412, abs=1e-9)
    assert answer.panel.reported["hemoglobin"].low == 114
    assert not {"tsat-readings-far-apart", "tsat-unit-suspected"} & set(codes(answer))


def test_a_smart_patient_s_wrong_unit_is_suspected() -> None:
    """units.md §6: iron labelled ug/L that is ug/dL: TSAT 0.8 % beside a reported 8."""
    answer = interpret(
        ferritin="9 ug/L", tsat="8 %", iron="33 ug/L", tibc="415 ug/dL", uibc="379 ug/dL",
        patient=ADULT,
    )  # fmt: skip
    assert "tsat-unit-suspected" in codes(answer)
    assert "tsat-readings-far-apart" in codes(answer)


# Errors


@pytest.mark.parametrize("errors", ["ignore", "", "Raise", None, 5, [], {}], ids=repr)
def test_another_choice_of_errors_is_refused(errors: Any) -> None:  # noqa: ANN401
    with pytest.raises(RlsironError, match="errors"):
        interpret(errors=errors)


@pytest.mark.parametrize("decimal", [";", "", None, 5], ids=repr)
@pytest.mark.parametrize("ferritin", [None, "62 ng/mL"])
def test_another_decimal_sign_is_refused(decimal: Any, ferritin: str | None) -> None:  # noqa: ANN401
    with pytest.raises(RlsironError, match="decimal"):
        interpret(ferritin=ferritin, decimal=decimal)


@pytest.mark.parametrize(
    "guidelines",
    ["", (), [], None, 5, {}, {AASM}, (5,), (None,), ([AASM],), ({},), ("aasm",), "aasm-2024",
     (AASM, "nobody-1999"), (AASM, AASM), [AASM, AASM], (Path("nowhere.toml"),), "nowhere.toml",
     ("a\0.toml",), ("a\0",), (Path(),), ("../guidelines/aasm-2025",), (b"aasm-2025",),
     ("\ud800.toml",), ("a" * 5000 + ".toml",), (AASM, [AASM]), ((AASM,),)],
    ids=lambda value: ascii(value)[:40],
)  # fmt: skip
@pytest.mark.parametrize("errors", ["raise", "note"])
def test_guidelines_that_are_none_are_refused(guidelines: Any, errors: Any) -> None:  # noqa: ANN401
    """A fault in the call is no fault in the data: it is raised in either case."""
    with pytest.raises(GuidelineError):
        interpret(guidelines=guidelines, errors=errors)


def test_an_unknown_guideline_says_which_one_was_meant() -> None:
    with pytest.raises(GuidelineError, match="'aasm-2024'; did you mean 'aasm-2025'"):
        interpret(guidelines=("aasm-2024",))


def test_a_guideline_is_an_id_a_path_or_an_object(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    text = load_guideline(MAYO).document.text.replace('id = "mayo-2021"', 'id = "own"')
    path.write_text(text.replace("Mayo 2021", "Own"), encoding="utf-8")
    own: Guideline = load_guideline(path)
    answers = [
        ask(62, 30, guidelines=given) for given in (path, str(path), own, (own,), [own], [path])
    ]
    assert [answer.decision.possible for answer in answers] == [(ORAL,)] * 6
    assert tuple(answers[0].decisions) == ("own",)
    assert tuple(ask(62, 30, guidelines=(own, AASM)).decisions) == ("own", AASM)
    with pytest.raises(GuidelineError, match="twice"):
        interpret(guidelines=(own, path))


def test_the_first_guideline_leads() -> None:
    assert ask(62, 30, guidelines=(MAYO, AASM)).decision.guideline == MAYO
    assert ask(62, 30, guidelines=[AAN]).decision.guideline == AAN


class _Odd:
    def __repr__(self) -> str:
        raise RuntimeError


_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.binary(max_size=4), st.dates(), st.datetimes(), st.decimals(),
    st.fractions(), st.complex_numbers(),
    st.sampled_from(
        ["62 ng/mL", "18 %", "<5 ug/L", "QNS", "2026-03-01", "2026-03-01T08:30Z", "female", "male",
         "trimester-2", "ckd", "malignancy", "failed", 44, 10**5000, pint.Quantity(62, "ng/mL"),
         pint.Quantity(1, "m"), "\ud800", _Odd(), object(), b"", "<" * 300, float("nan"),
         LabResult(analyte="iron", reported="60", unit="ug/dL", low=60, high=60)]
    ),
)  # fmt: skip
_junk = st.one_of(
    _scalars,
    st.lists(_scalars, max_size=3),
    st.tuples(_scalars, _scalars),
    st.dictionaries(st.text(max_size=3), _scalars, max_size=2),
)
_fields = st.sampled_from([*Patient.model_fields, "agee", "", "self"])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    results=st.dictionaries(st.sampled_from(INPUTS), _junk, max_size=4),
    patient=st.dictionaries(_fields, _junk, max_size=4),
    draw=st.dictionaries(st.sampled_from(["drawn", "fasting", "assay"]), _junk, max_size=2),
)
def test_noted_errors_never_raise(
    results: dict[str, Any], patient: dict[str, Any], draw: dict[str, Any]
) -> None:
    """Design §4: with errors="note" an input that cannot be read counts as missing."""
    answer = interpret(**results, patient=patient, errors="note", **draw)
    assert round_trip(answer) == answer
    assert str(answer)
    assert answer._repr_html_()
    for decision in answer.decisions.values():
        assert decision.possible
    try:
        raised = interpret(**results, patient=patient, **draw)
    except RlsironError:
        assert {"unread-field", "unread-result"} & set(codes(answer))
    else:
        assert raised == answer


@pytest.mark.parametrize(
    "given",
    [
        {"patient": {"self": 1}},
        {"patient": {"\ud800": 1}},
        {"patient": {"age": 10**5000}},
        {"patient": {"sex": _Odd()}},
        {"drawn": _Odd()},
        {"iron": "<0.000000001 ug/dL", "tibc": "300 ug/dL"},
        {"ferritin": _Odd()},
        {"ferritin": (10**5000, "ng/mL")},
    ],
    ids=["self", "surrogate", "long", "odd", "odd-draw", "below-the-grid", "odd-result", "large"],
)
def test_a_hostile_input_is_noted(given: dict[str, Any]) -> None:
    answer = interpret(**given, errors="note")
    assert round_trip(answer) == answer


def test_noted_errors_say_why() -> None:
    answer = interpret(
        ferritin="62", tsat="128 %", patient={"age": -3, "sex": "F"}, drawn="soon", errors="note"
    )
    text = str(answer)
    for shown in ("'62'", "'128 %'", "-3", "'F'", "'soon'"):
        assert shown in text
    assert answer.panel.reported == {}


# The record


ORDINARY: dict[str, dict[str, Any]] = {
    "ordinary": {"ferritin": "62 ng/mL", "tsat": "18 %", "patient": ADULT},
    "bounded": {"ferritin": "<5 ug/L", "iron": "<30 ug/dL", "tibc": ">300 ug/dL"},
    "unbounded": {"ferritin": ">1000 ug/L", "tsat": ">45 %", "crp": ">200 mg/L"},
    "missing": {"ferritin": "QNS", "tsat": "", "iron": "hemolyzed"},
    "nothing": {},
    "hidden": {
        "ferritin": "62 ng/mL", "tsat": "18 %", "drawn": "2026-03-01",
        "patient": {"last_iv_iron": "2026-02-28T10:00", "last_fever": date(2026, 2, 27)},
    },
    "undated": {
        "ferritin": "62 ng/mL", "iron": "60 ug/dL", "uibc": "240 ug/dL",
        "patient": {"last_transfusion": "2026-02-28T10:00+01:00", "birth_date": "1982-01-01"},
    },
    "unread": {
        "ferritin": "62", "patient": {"sex": "F", "age": 400, "conditions": "x"}, "errors": "note",
    },
    "contradicting": {
        "drawn": "2026-03-01T08:30Z", "errors": "note",
        "patient": {"last_iv_iron": "2026-03-02", "age": 3, "birth_date": "2000-01-01"},
    },
    "everything": {
        "ferritin": "150 ng/mL", "tsat": "15 %", "iron": "60 ug/dL", "tibc": "300 ug/dL",
        "uibc": "250 ug/dL", "transferrin": "2.4 g/L", "crp": "<10 mg/L",
        "hemoglobin": "11.4 g/dL", "drawn": "2026-03-01T08:30:00.25+05:30", "fasting": True,
        "assay": "Roche", "guidelines": ALL, "strict": True,
        "patient": {
            "age": 44.5, "sex": "female", "rls": "confirmed", "severity": "mild",
            "pregnancy": "pregnant", "kidney": "ckd", "oral_iron": "failed",
            "rapid_response_wanted": True, "inflammation": False,
            "conditions": ["augmentation", "malignancy"], "last_oral_iron": "2026-02-01",
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY)
def test_json_there_and_back(name: str) -> None:
    answer = interpret(**ORDINARY[name])
    again = round_trip(answer)
    assert again == answer
    assert again.model_dump() == answer.model_dump()
    assert json.loads(again.model_dump_json()) == json.loads(answer.model_dump_json())
    assert str(again) == str(answer)
    json.loads(answer.model_dump_json(), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", ORDINARY)
def test_an_answer_is_frozen(name: str) -> None:
    answer = interpret(**ORDINARY[name])
    for record in (answer, answer.panel, answer.patient, answer.decision, answer.notes[0]):
        with pytest.raises(ValueError, match="frozen"):
            record.patient = None  # type: ignore[union-attr, misc]


@pytest.mark.parametrize("name", ORDINARY)
def test_an_answer_can_be_copied_and_pickled(name: str) -> None:
    answer = interpret(**ORDINARY[name])
    assert pickle.loads(pickle.dumps(answer)) == answer  # noqa: S301 - our own
    assert copy.deepcopy(answer) == answer
    assert answer.model_copy() == answer


@pytest.mark.parametrize("part", ["agreement.possible", "provenance.guidelines"])
def test_what_is_done_to_one_answer_changes_no_other(part: str) -> None:
    """An answer is frozen: whoever holds one cannot reach into the next patient's."""
    first = ask(62, 30)
    record, _, field = part.partition(".")
    untouched = dict(getattr(getattr(first, record), field))
    with suppress(TypeError, AttributeError):
        getattr(getattr(first, record), field).clear()
    second = getattr(getattr(ask(63, 31), record), field)
    told = dict(second)
    second.update(untouched)  # no other test shall see it
    assert told == untouched


@pytest.mark.parametrize(
    "fields",
    [
        {"reported": "x"},
        {"reported": "x", "missing": "QNS", "low": 5},
        {"reported": "x", "missing": "QNS", "high": 5},
        {"reported": "x", "low": 5, "high": 4},
        {"reported": "x", "low": 5, "high": 5, "low_open": True},
        {"reported": "x", "low": -1, "high": 4},
        {"reported": "x", "low": float("nan"), "high": 4},
        {"reported": "x", "low": 1, "high": float("inf")},
    ],
    ids=repr,
)
def test_a_result_that_is_no_interval_is_never_made(fields: dict[str, Any]) -> None:
    with pytest.raises(ReadingError):
        LabResult(analyte="ferritin", **fields)


def test_a_stop_is_kept_beside_a_condition_that_cannot_be_read() -> None:
    """SL3 holds, whatever the other word was."""
    patient = {"age": 60, "conditions": ["hemochromatosis", "xx"]}
    answer = ask(60, 25, patient=patient, errors="note")
    assert answer.decision.disposition == WITHHOLD
    assert "SL3" in {note.code for note in answer.notes}


def test_a_pair_without_a_value_is_not_given() -> None:
    """As a server passes a column that holds nothing."""
    assert interpret(ferritin=(None, "ng/mL"), tsat="25 %") == interpret(tsat="25 %")


def test_strict_is_yes_or_no() -> None:
    with pytest.raises(RlsironError, match="strict='no' is not a choice"):
        ask(60, 25, strict="no")


def test_the_json_schema_is_published() -> None:
    schema = Interpretation.model_json_schema()
    assert set(schema["properties"]) == {
        "panel", "patient", "decisions", "agreement", "status", "notes", "assumptions",
        "provenance",
    }  # fmt: skip
    written = (DOCS / "interpretation.schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == Interpretation.model_json_schema(mode="serialization")


def test_a_text_is_readable() -> None:
    answer = ask(62, 50)
    lines = str(answer).splitlines()
    assert len(lines) >= len(answer.notes)
    assert "AASM 2025" in lines[0]
    assert any("STOP" in line for line in lines)
    assert "{" not in str(answer)
    assert str(answer.decision)
    assert str(answer.panel.ferritin)


def test_html_is_escaped() -> None:
    answer = ask(
        62, 30, patient={"sex": "<script>alert('x')</script>", "age": "<b>&"}, errors="note"
    )
    html = answer._repr_html_()
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
    assert "AASM 2025" in html


@pytest.mark.parametrize("name", ORDINARY)
def test_notes_come_in_the_order_of_a_clinician(name: str) -> None:
    """Design §4: what stops, what to doubt, what the guidelines say, what to do next."""
    notes = interpret(**ORDINARY[name]).notes
    stops = [place for place, note in enumerate(notes) if note.severity == "stop"]
    assert all(notes[place].code.startswith("lead") or place in stops
               for place in range(max(stops, default=-1)))  # fmt: skip
    follow_up = [note.category == "follow-up" for note in notes]
    assert follow_up == sorted(follow_up)


def test_the_window_s_date_is_in_the_note() -> None:
    """G15, G16: with the date from which it can be read."""
    answer = ask(62, 30, patient={"last_iv_iron": "2026-03-01"}, drawn="2026-03-10")
    notes = {note.code: note.text for note in answer.notes}
    assert "2026-03-29" in notes["after-iv-iron"]
    assert answer.decision.needs[:2] == ("ferritin", "tsat")


# Provenance


def test_what_an_answer_rests_on() -> None:
    provenance = ask(62, 30, guidelines=(AASM, MAYO)).provenance
    assert provenance.library_version == "0.1.0"
    assert set(provenance.guidelines) == {AASM, MAYO}
    assert len(bytes.fromhex(provenance.sha256)) == 32
    assert "not placed on the market" in provenance.intended_use.casefold()
    assert provenance.knowledge_version


def test_the_fingerprint_is_that_of_the_knowledge_used(tmp_path: Path) -> None:
    def fingerprint(*guidelines: str | Path) -> str:
        return ask(62, 30, guidelines=guidelines).provenance.sha256

    assert fingerprint(AASM) == ask(85, 20, guidelines=(AASM,)).provenance.sha256
    assert len({fingerprint(AASM), fingerprint(MAYO), fingerprint(AASM, MAYO)}) == 3
    own = tmp_path / "own.toml"
    text = load_guideline(MAYO).document.text.replace('id = "mayo-2021"', 'id = "own"')
    text = text.replace("Mayo 2021", "Own")
    own.write_text(text, encoding="utf-8")
    first = fingerprint(own)
    own.write_text(text.replace("75 ug/L", "74 ug/L"), encoding="utf-8")
    assert fingerprint(own) != first


# Many at once, and the first


@pytest.mark.slow
def test_eight_threads_give_the_answers_of_one() -> None:
    cases = [
        {
            "ferritin": f"{ferritin} ng/mL",
            "tsat": f"{tsat} %",
            "patient": {"age": age},
            "crp": "<10 mg/L" if tsat % 2 else None,
            "strict": bool(ferritin % 2),
        }
        for ferritin in (5, 62, 75, 76, 100, 101, 299, 300)
        for tsat in (5, 19, 20, 44, 45)
        for age in (10, 44)
    ] * 5

    def answer(case: dict[str, Any]) -> str:
        return interpret(**case).model_dump_json()

    alone = [answer(case) for case in cases]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(answer, cases)) == alone


@pytest.mark.slow
def test_eight_threads_make_the_first_answer_of_a_process() -> None:
    code = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import rlsiron
sys.setswitchinterval(1e-6)
start = Barrier(8)
def answer(_):
    start.wait()
    return rlsiron.interpret(ferritin="7.5 ug/dL", iron="16 umol/L", transferrin="28 umol/L",
                             patient={"age": 44}).model_dump_json()
with ThreadPoolExecutor(8) as pool:
    answers = set(pool.map(answer, range(8)))
assert len(answers) == 1, answers
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_rlsiron_loads_neither_pandas_numpy_nor_pint() -> None:
    code = (
        "import rlsiron, sys; print([m for m in ('pandas', 'numpy', 'pint') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_function_is_the_public_one() -> None:
    assert rlsiron.interpret is interpret


# Real input: NHANES, women of 18 to 45 who were not pregnant


def at_most(ferritin: Fraction, low: Fraction, high: Fraction, said: Any) -> frozenset[str]:  # noqa: ANN401
    """Return what plain comparisons say over an interval of TSAT, cut at 20 and 45 %."""
    points = {low, high} | {Fraction(cut) for cut in (20, 45) if low <= cut <= high}
    return frozenset().union(*(said(ferritin, tsat) for tsat in points))


def plain(name: str, ferritin: Fraction, tsat: Fraction) -> set[str]:
    """Clinical §7 as plain comparisons, with SL1, SL2 and SL5, for an adult of no other note."""
    said = {NONE}
    if tsat >= 45 or ferritin >= 300:
        said = {WITHHOLD}
    elif ferritin <= 75:
        said = {EITHER} if name == AASM else {ORAL}
    elif name == AASM and tsat < 20:
        said = {EITHER, IV} if ferritin <= 100 else {EITHER, NONE}
    elif name in {AASM, IRLSSG} and ferritin <= 100:
        said = {IV}
    elif name == IRLSSG and tsat < 20:
        said = {IV, NONE}
    elif name == MAYO and ferritin <= 100:
        said = {IV} if ferritin < 100 else {IV, NONE}
    return said


def women(shared_data: Path) -> list[SimpleNamespace]:
    with (shared_data / "nhanes-tsat" / "women-18-45.csv").open(encoding="utf-8") as file:
        return [SimpleNamespace(**row) for row in csv.DictReader(file)]


def half_of_the_last_digit(number: str) -> Fraction:
    """A float counts as its shortest text: 22.0 is "22"."""
    return Fraction(1, 20) if float(number) % 1 else Fraction(1, 2)


def saturations(row: SimpleNamespace) -> tuple[Fraction, Fraction, bool]:
    """Return the least and greatest TSAT of a row by hand, and whether its two readings differ."""
    reported = Fraction(row.LBDPCT)
    if not (row.LBXIRN and row.LBXTIB):
        return reported, reported, False
    computed = 100 * Fraction(row.LBXIRN) / Fraction(row.LBXTIB)
    if abs(reported - computed) <= half_of_the_last_digit(row.LBDPCT):
        return computed, computed, False
    return min(reported, computed), max(reported, computed), True


def test_nhanes_women_one_by_one(shared_data: Path) -> None:
    """Issue 2: dispositions for each guideline beside a count from the raw columns."""
    counted: dict[str, Counter[frozenset[str]]] = {name: Counter() for name in ALL}
    answered: dict[str, Counter[frozenset[str]]] = {name: Counter() for name in ALL}
    differing, noted = [], []
    rows = women(shared_data)
    for row in rows:
        given: dict[str, Any] = {}
        if row.LBXIRN and row.LBXTIB:
            given = {
                "iron": (float(row.LBXIRN), "ug/dL"),
                "tibc": (float(row.LBXTIB), "ug/dL"),
            }
        answer = interpret(
            ferritin=(float(row.LBXFER), "ng/mL"),
            tsat=(float(row.LBDPCT), "%"),
            patient={"age": float(row.RIDAGEYR), "sex": "female", "pregnancy": "none"},
            guidelines=ALL,
            **given,
        )
        low, high, differ = saturations(row)
        if differ:
            differing.append(row.SEQN)
        if {"tsat-readings-differ", "tsat-readings-far-apart"} & set(codes(answer)):
            noted.append(row.SEQN)
        assert answer.panel.tsat is not None
        assert answer.panel.tsat.span == pytest.approx((float(low), float(high)), abs=1e-9)
        for name in ALL:
            said = at_most(
                Fraction(row.LBXFER), low, high, lambda f, t, name=name: plain(name, f, t)
            )
            counted[name][said] += 1
            answered[name][frozenset(answer.decisions[name].possible)] += 1
            assert frozenset(answer.decisions[name].possible) == said, row
    assert len(rows) == 1101
    assert answered == counted
    assert noted == differing
    for name in ALL:
        assert counted[name].total() == len(rows)
        assert len(counted[name]) >= 3


def test_nhanes_texts_are_read_as_numbers_are(shared_data: Path) -> None:
    for row in women(shared_data)[:200]:
        patient = {"age": float(row.RIDAGEYR), "sex": "female"}
        texts = ask(row.LBXFER, row.LBDPCT, patient=patient)
        numbers = interpret(
            ferritin=(float(row.LBXFER), "ug/L"),
            tsat=(float(row.LBDPCT), "%"),
            patient=patient,
        )
        assert texts.decisions == numbers.decisions


# What is open holds every value that it may have


@pytest.mark.parametrize(
    "patient",
    [
        {"last_iv_iron": "2026-03-01"},
        {"last_oral_iron": "2026-03-01"},
        {"last_transfusion": "2026-03-01T20:00"},
        {"last_fever": "2026-03-01"},
        {"last_iv_iron": "2026-03-01", "last_transfusion": "2026-04-15"},
        {"last_oral_iron": "2026-03-20", "last_iv_iron": "2026-03-01"},
        {"birth_date": "2008-03-20", "last_oral_iron": "2026-03-01"},
        {"birth_date": "2008-05-01", "last_iv_iron": "2026-03-01"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("ferritin", "tsat"), [(62, 18), (62, 50), (85, 30), (85, 15), (150, 15), (400, 18), (40, 30)]
)
@pytest.mark.slow
def test_an_undated_draw_holds_every_date(
    patient: dict[str, Any], ferritin: float, tsat: float
) -> None:
    """What any date says remains possible without one; `needs` names drawn where one differs."""
    told = patient if "birth_date" in patient else {"age": 44, **patient}
    undated = ask(ferritin, tsat, patient=told)
    latest = max(date.fromisoformat(str(value)[:10]) for value in patient.values())
    dated = [
        ask(ferritin, tsat, patient=told, drawn=date.fromordinal(latest.toordinal() + days))
        for days in range(130)
    ]
    for name, decision in undated.decisions.items():
        said = {answer.decisions[name].possible for answer in dated}
        assert set().union(*said) <= set(decision.possible)
        assert ("drawn" in decision.needs) is (said != {decision.possible}), said


VALUES: dict[str, list[Any]] = {
    "age": [0, 17, 18, 44, 130],
    "sex": ["female", "male"],
    "rls": ["confirmed", "suspected", "absent"],
    "severity": ["mild", "moderate-severe"],
    "pregnancy": ["none", "trimester-1", "trimester-2", "pregnant", "postpartum"],
    "kidney": ["none", "ckd", "ckd-5", "hemodialysis", "peritoneal-dialysis"],
    "oral_iron": ["untried", "taking", "failed"],
    "rapid_response_wanted": [True, False],
    "inflammation": [True, False],
    "conditions": ["", "malignancy", "hemochromatosis", "active-infection", "gi-disease"],
    "last_oral_iron": ["2026-03-01", "2026-01-01"],
    "last_iv_iron": ["2026-03-01", "2026-01-01", "2025-01-01"],
    "last_transfusion": ["2026-03-01", "2026-01-01"],
    "last_fever": ["2026-03-01", "2026-01-01"],
}


@pytest.mark.parametrize("field", VALUES)
def test_an_unread_field_holds_every_value(field: str) -> None:
    """Design §4: every value of a field that was given and cannot be read stays open."""
    for ferritin, tsat in [(20, 15), (62, 42), (85, 30), (100, 15), (150, 15), (290, 30), (400, 9)]:
        given: dict[str, Any] = {"drawn": "2026-03-01", "guidelines": ALL, "errors": "note"}
        unread = ask(ferritin, tsat, patient={"age": 44} | {field: "?"}, **given)
        for value in VALUES[field]:
            answer = ask(ferritin, tsat, patient={"age": 44} | {field: value}, **given)
            for name, said in possible(answer).items():
                assert set(said) <= set(possible(unread)[name]), (value, ferritin, tsat, name)
