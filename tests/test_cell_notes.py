"""Notes on what is said, what stands beside it, and what follows: the gaps of clinical §8."""

from textwrap import wrap
from typing import Any

import pytest

from rlsiron.catalog import document
from rlsiron.interpretation import interpret
from rlsiron.models import Interpretation, Note

ADULT: dict[str, Any] = {"age": 44, "sex": "female"}


def answer(patient: dict[str, Any] | None = None, **given: Any) -> Interpretation:  # noqa: ANN401 - as the fields are
    return interpret(patient={**ADULT, **(patient or {})}, **given)


def notes(code: str, patient: dict[str, Any] | None = None, **given: Any) -> list[Note]:  # noqa: ANN401
    return [note for note in answer(patient, **given).notes if note.code == code]


CRP = {"crp": "6 mg/L"}
THIRTY = {"tsat": "30 %"}

# Clinical §8: code, patient, results, whether the note must be there.
GAPS: dict[str, tuple[str, dict[str, Any], dict[str, Any], bool]] = {
    "G1 on 75": ("at-limit-included", {}, {"ferritin": "75 ng/mL"}, True),
    "G1 a step over": ("at-limit-included", {}, {"ferritin": "75.000000001 ng/mL"}, False),
    "G1 a step under": ("at-limit-included", {}, {"ferritin": "74.999999999 ng/mL"}, False),
    "G1 a child": ("at-limit-included", {"age": 9}, {"ferritin": "75 ng/mL"}, False),
    "G2 on 100": ("at-limit-differs", {}, {"ferritin": "10 ug/dL"}, True),
    "G2 a step over": ("at-limit-differs", {}, {"ferritin": "100.000000001 ng/mL"}, False),
    "G6 low": ("high-tsat-low-ferritin", {}, {"ferritin": "75 ng/mL", "tsat": "45 %"}, True),
    "G6 44 %": ("high-tsat-low-ferritin", {}, {"ferritin": "75 ug/L", "tsat": "44 %"}, False),
    "G6 not so low": ("high-tsat-low-ferritin", {}, {"ferritin": "76 ug/L", "tsat": "45 %"}, False),
    "G6 raised": ("high-tsat", {}, {"ferritin": "76 ng/mL", "tsat": "45 %"}, True),
    "G6 ferritin unknown": ("high-tsat", {}, {"tsat": "45 %"}, False),
    "G8 1000": ("ferritin-urgent", {}, {"ferritin": "1000 ng/mL"}, True),
    "G8 over a bound": ("ferritin-urgent", {}, {"ferritin": ">1500 ng/mL"}, True),
    "G8 under it": ("ferritin-urgent", {}, {"ferritin": "999.9 ng/mL"}, False),
    "G8 perhaps": ("ferritin-urgent", {}, {"ferritin": ">500 ng/mL"}, False),
    "G12 75": ("low-though-inflamed", {}, {"ferritin": "75 ng/mL", "crp": "5.1 mg/L"}, True),
    "G12 CRP 5": ("low-though-inflamed", {}, {"ferritin": "7 ug/L", "crp": "5 mg/L"}, False),
    "G12 a child of 50": ("low-though-inflamed", {"age": 9}, {"ferritin": "50 ug/L", **CRP}, False),
    "G12 a child of 49": ("low-though-inflamed", {"age": 9}, {"ferritin": "49 ug/L", **CRP}, True),
    "G13 76": ("inflamed", {}, {"ferritin": "76 ng/mL", "crp": "20 mg/L"}, True),
    "G13 75": ("inflamed", {}, {"ferritin": "75 ng/mL", "crp": "20 mg/L"}, False),
    "G13 malignancy": ("inflamed", {"conditions": "malignancy"}, {"ferritin": "76 ng/mL"}, True),
    "G13 a child of 50": ("inflamed", {"age": 9}, {"ferritin": "50 ug/L", "crp": "6 mg/L"}, True),
    "G18 50": ("assay-unknown", {}, {"ferritin": "50 ng/mL"}, True),
    "G18 160": ("assay-unknown", {}, {"ferritin": "160 ng/mL"}, True),
    "G18 49.9": ("assay-unknown", {}, {"ferritin": "49.9 ng/mL"}, False),
    "G18 160.1": ("assay-unknown", {}, {"ferritin": "160.1 ng/mL"}, False),
    "G18 given": ("assay-unknown", {}, {"ferritin": "80 ng/mL", "assay": "Roche"}, False),
    "G20 12": ("adolescent", {"age": 12}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, True),
    "G20 11.9": ("adolescent", {"age": 11.9}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, False),
    "G20 17.9": ("adolescent", {"age": 17.9}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, True),
    "G20 18": ("adolescent", {"age": 18}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, False),
    "G20 the same": (
        "adolescent",
        {"age": 14},
        {"ferritin": "20 ng/mL", "tsat": "30 %", "guidelines": "aasm-2025"},
        False,
    ),
    "G23": ("trimester-unknown", {"pregnancy": "pregnant"}, {"ferritin": "62 ng/mL"}, True),
    "G23 known": ("trimester-unknown", {"pregnancy": "trimester-2"}, {"ferritin": "6 ug/L"}, False),
    "G23 not told": ("trimester-unknown", {}, {"ferritin": "62 ng/mL"}, False),
    "MY-2-MY-6 75.5": ("remark", {}, {"ferritin": "75.5 ng/mL", "tsat": "30 %"}, True),
    "MY-2-MY-6 76": ("remark", {}, {"ferritin": "76 ng/mL", "tsat": "30 %"}, False),
    "MY-6 mild": (
        "severity-mild", {"severity": "mild"}, {"ferritin": "80 ng/mL", "tsat": "30 %"}, True,
    ),
    "MY-6 severe": (
        "severity-mild",
        {"severity": "moderate-severe"},
        {"ferritin": "80 ng/mL", "tsat": "30 %"},
        False,
    ),
    "MY-6 not told": ("severity-mild", {}, {"ferritin": "80 ng/mL", "tsat": "30 %"}, False),
    "MY-6 mild, not asked of Mayo": (
        "severity-mild",
        {"severity": "mild"},
        {"ferritin": "80 ng/mL", "tsat": "30 %", "guidelines": "irlssg-2018"},
        False,
    ),
    "PA-1 not fasting": ("not-fasting", {}, {"tsat": "30 %", "fasting": False}, True),
    "PA-1 fasting": ("not-fasting", {}, {"tsat": "30 %", "fasting": True}, False),
    "PA-1 no TSAT": ("not-fasting", {}, {"ferritin": "30 ug/L", "fasting": False}, False),
    "PA-4 15:00": ("drawn-late", {}, {"tsat": "30 %", "drawn": "2026-01-31T15:00"}, False),
    "PA-4 15:01": ("drawn-late", {}, {"tsat": "30 %", "drawn": "2026-01-31T15:01"}, True),
    "PA-4 08:00": ("drawn-late", {}, {"tsat": "30 %", "drawn": "2026-01-31T08:00"}, False),
    "PA-4 07:59": ("drawn-late", {}, {"tsat": "30 %", "drawn": "2026-01-31T07:59"}, True),
    "PA-4 a date": ("drawn-late", {}, {"tsat": "30 %", "drawn": "2026-01-31"}, False),
    "OV-7 IV": ("iv-products", {}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, True),
    "OV-7 no IV": (
        "iv-products", {}, {"ferritin": "62 ng/mL", **THIRTY, "guidelines": "aan-2016"}, False,
    ),
    "OV-7 IV stopped": (
        "iv-products", {"conditions": "active-infection"}, {"ferritin": "62 ug/L"}, False,
    ),
    "cause: BSG low": ("look-for-cause", {}, {"ferritin": "29.9 ng/mL"}, True),
    "cause: BSG not low": ("look-for-cause", {}, {"ferritin": "30 ng/mL"}, False),
    "cause: AGA": ("look-for-cause", {}, {"ferritin": "44 ng/mL", "hemoglobin": "11.9 g/dL"}, True),
    "follow: a child": ("follow-oral-child", {"age": 9}, {"ferritin": "20 ng/mL"}, True),
    "follow: an adult": ("follow-oral-child", {}, {"ferritin": "20 ng/mL"}, False),
    "follow: nothing given": ("follow-oral", {}, {"ferritin": "150 ug/L", "tsat": "30 %"}, False),
    "RLS absent": ("aggravating", {"rls": "absent"}, {"ferritin": "6 ug/L"}, False),
}  # fmt: skip


@pytest.mark.parametrize(("code", "told", "given", "there"), GAPS.values(), ids=GAPS)
def test_a_gap_is_noted(
    code: str, told: dict[str, Any], given: dict[str, Any], there: bool  # noqa: FBT001
) -> None:  # fmt: skip
    assert bool(notes(code, told, **given)) is there


# PA-6: a ferritin within 14.5 % of a limit, a TSAT within 28 %; by hand.
NEAR: dict[str, tuple[dict[str, Any], str | None]] = {
    "75 less 14.5 %": ({"ferritin": "64.125 ng/mL", "tsat": "30 %"}, "75 µg/L"),
    "a step further": ({"ferritin": "64.124999999 ng/mL", "tsat": "30 %"}, None),
    "100 and 14.5 %": ({"ferritin": "114.5 ng/mL", "tsat": "30 %"}, "100 µg/L"),
    "a step over that": ({"ferritin": "114.500000001 ng/mL", "tsat": "30 %"}, None),
    "45 less 28 %": ({"ferritin": "20 ng/mL", "tsat": "32.4 %"}, "45 %"),
    "the nearer of two": ({"ferritin": "74 ng/mL", "tsat": "40 %"}, "75 µg/L"),
    "the other of two": ({"ferritin": "66 ng/mL", "tsat": "44 %"}, "45 %"),
    "TSAT missing": ({"ferritin": "74 ng/mL"}, "75 µg/L"),
    "a bound": ({"ferritin": "<74 ng/mL", "tsat": "20 %"}, None),
}


@pytest.mark.parametrize(("given", "limit"), NEAR.values(), ids=NEAR)
def test_a_value_within_its_variation_of_a_limit_is_borderline(
    given: dict[str, Any], limit: str | None
) -> None:
    """G19: keep the class; one note for each answer, naming the nearest."""
    found = notes("borderline", guidelines="aasm-2025", **given)
    assert len(found) == (limit is not None)
    if limit:
        assert f"of {limit}, beyond which AASM 2025" in found[0].text
        assert (found[0].sources, found[0].severity) == (("pilon-1981",), "info")


def test_the_criterion_that_is_met_comes_first_where_a_result_is_missing() -> None:
    """G10: "criterion met; TSAT needed before a decision on iron"; G11 of ferritin."""
    found = answer(ferritin="62 ng/mL")
    assert found.notes[0].text == (
        "AASM 2025: its criterion is met (oral or IV iron), but TSAT is needed before a decision "
        "on iron."
    )
    assert "ferritin is needed" in answer(tsat="10 %").notes[0].text
    assert [note for note in found.notes if note.code == "needs"] == []
    (needs,) = (n for n in answer({"age": None}, ferritin="40 ng/mL").notes if n.code == "needs")
    assert needs.text == "To settle what is undecided: TSAT and the age."


OPTIONS = {
    "adult": ({}, ["carboxymaltose (strong, moderate)", "dextran (conditional, very low)",
                   "ferumoxytol (conditional, very low)", "sulfate (conditional, moderate)"]),
    "IV stopped": ({"conditions": "active-infection"}, ["sulfate (conditional, moderate)"]),
    "child": ({"age": 9}, ["sulfate (conditional, very low)"]),
}  # fmt: skip


@pytest.mark.parametrize(("told", "names"), OPTIONS.values(), ids=OPTIONS)
def test_the_formulations_are_options_with_their_grades(
    told: dict[str, Any], names: list[str]
) -> None:
    """AA-5 to AA-8, AA-11: strength and certainty, no doses; only by a route that is given."""
    (note,) = notes("options", told, ferritin="20 ng/mL", tsat="30 %")
    assert note.text.count("(") == len(names)
    for name in names:
        assert name in note.text
    assert "mg" not in note.text


def test_the_tables_for_adults_are_told_of_an_adolescent() -> None:
    """G20, by hand: at F 62 and T 30 a child gets none, an adult oral or IV, oral, oral."""
    (note,) = notes("adolescent", {"age": 14}, ferritin="62 ng/mL", tsat="30 %")
    assert note.severity == "caution"
    assert note.text.endswith(
        "would say: AASM 2025 oral or IV iron; IRLSSG 2018 oral iron; Mayo 2021 oral iron."
    )


def test_each_condition_of_the_evidence_has_its_note() -> None:
    """§5."""
    for name in (
        "family-history", "dopaminergic-treatment", "augmentation", "diabetes",
        "peripheral-neuropathy", "autoimmune-disease", "heart-failure", "gi-disease",
        "bariatric-surgery", "blood-donor",
    ):  # fmt: skip
        assert notes(f"condition-{name}", {"conditions": name})


def test_stopped_iv_iron_says_when_to_judge_again() -> None:
    """SL4, IR-9: 84 days from 2026-01-01 is 2026-03-26."""
    (note,) = notes(
        "SL4", {"last_iv_iron": "2026-01-01"}, ferritin="62 ng/mL", drawn="2026-02-10"
    )  # fmt: skip
    assert "2026-03-26" in note.text


ORDINARY = {
    "low": ({}, {"ferritin": "62 ng/mL", "tsat": "18 %"}),
    "no iron": ({}, {"ferritin": "150 ng/mL", "tsat": "30 %"}),
    "TSAT missing": ({}, {"ferritin": "62 ng/mL"}),
    "stopped": ({}, {"ferritin": "320 ng/mL", "tsat": "52 %"}),
    "child": ({"age": 9}, {"ferritin": "20 ng/mL", "tsat": "18 %"}),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize(("told", "given"), ORDINARY.values(), ids=ORDINARY)
def test_an_ordinary_answer_fits_a_screen_and_says_nothing_twice(
    told: dict[str, Any], given: dict[str, Any]
) -> None:
    """30 lines of 100 columns; no eight words in a row stand in two notes."""
    found = answer(told, **given)
    lines = [part for line in str(found).splitlines() for part in wrap(line, 100)]
    assert len(lines) <= 30
    notes = [note for note in found.notes if note.code != "decision"]  # rules are alike in words
    texts = [note.text.casefold().replace(".", "").replace(",", "").split() for note in notes]
    runs = [{" ".join(t[at : at + 8]) for at in range(len(t) - 7)} for t in texts]
    for at, one in enumerate(runs):
        for other in runs[at + 1 :]:
            assert not one & other


def test_the_values_of_a_remark_do_not_hide_what_the_library_fills() -> None:
    """A value named `ferritin` would be shown as the patient's."""
    rules = document("remarks.toml").data["population"][0]["rule"]
    names = {name for rule in rules for name in rule.get("values", ())}
    assert names.isdisjoint({"ferritin", "tsat", "title", "says", "sources", "verified", "code"})


def test_what_rests_on_unverified_text_says_so_in_print() -> None:
    """Issue: unverified rules are shown as unverified wherever they appear."""
    (note,) = notes("SL3", {"conditions": "hemochromatosis"})
    assert str(note).startswith("STOP: No iron by any route")
    assert str(note).endswith("[not verified]")


def test_oral_iron_that_is_taken_without_a_date_is_a_doubt_on_the_saturation() -> None:
    """G15: TSAT is unknown within 24 hours of oral iron, and a patient who takes it may be."""
    assert notes("oral-iron-undated", {"oral_iron": "taking"}, tsat="30 %")
    assert not notes("oral-iron-undated", {"oral_iron": "taking"}, ferritin="62 ng/mL")
    assert not notes("oral-iron-undated", {"oral_iron": "failed"}, tsat="30 %")
    dated = {"oral_iron": "taking", "last_oral_iron": "2026-01-01"}
    assert not notes("oral-iron-undated", dated, tsat="30 %", drawn="2026-01-31")


@pytest.mark.parametrize(
    ("given", "positions"),
    [
        ({"ferritin": "62 ng/mL", "tsat": "18 %"}, "AASM 2025 against IRLSSG 2018 and Mayo 2021."),
        (
            {"ferritin": "150 ng/mL", "tsat": "15 %", "patient": {"age": 50, "kidney": "ckd-5"}},
            "AASM 2025 against Mayo 2021.",
        ),
    ],
    ids=["all apart", "one shares with both"],
)
def test_only_guidelines_with_no_member_in_common_are_set_against_each_other(
    given: dict[str, Any], positions: str
) -> None:
    """Design §4: two differ that have no member in common. By hand: IV; IV or none; none."""
    found = interpret(**{"patient": ADULT, **given})
    (note,) = (note for note in found.notes if note.code == "differ")
    assert note.text == f"The guidelines differ: {positions}"


def test_where_all_that_remains_is_iron_the_first_line_says_so() -> None:
    """G4: iron indicated, route open."""
    lead = answer(ferritin="90 ng/mL", tsat="18 %", guidelines="aasm-2025").notes[0]
    assert lead.text == "AASM 2025: iron, by which route is open: IV iron; or oral or IV iron."


def test_what_a_silence_leaves_open_is_said() -> None:
    """PG-2: in the second trimester, AASM's IV alone becomes IV or none."""
    found = answer({"pregnancy": "trimester-2"}, ferritin="90 ng/mL", tsat="25 %")
    for note in found.notes:
        if note.code == "decision":
            assert "the source has no rule for pregnancy" in note.text
