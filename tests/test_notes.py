"""Notes: what is said of a patient, and in which order."""

from typing import Any

import pytest

from rlsiron.interpretation import interpret
from rlsiron.models import Interpretation, Note

ADULT: dict[str, Any] = {"age": 44, "sex": "female"}
CATEGORIES = ("quality", "safety", "decision", "status", "context", "follow-up")


def answer(patient: dict[str, Any] | None = None, **given: Any) -> Interpretation:  # noqa: ANN401 - as the fields are
    return interpret(patient={**ADULT, **(patient or {})}, **given)


def codes(found: Interpretation) -> list[str]:
    return [note.code for note in found.notes]


def the(found: Interpretation, code: str) -> Note:
    """Return the only note of a code."""
    (note,) = (note for note in found.notes if note.code == code)
    return note


def place(note: Note) -> int:
    """Return where a note belongs: the lead, what stops, then by its category."""
    if note.code.startswith("lead"):
        return -2
    return -1 if note.severity == "stop" else CATEGORIES.index(note.category)


BUSY: dict[str, Any] = {
    "ferritin": "62 ng/mL",
    "tsat": "50 %",
    "iron": "60 ug/dL",
    "tibc": "300 ug/dL",
    "crp": "x",
    "hemoglobin": "QNS",
    "errors": "note",
    "patient": {
        "sex": "banana",
        "conditions": ["hemochromatosis", "active-infection"],
        "last_fever": "2026-01-01",
        "pregnancy": "trimester-2",
    },
    "drawn": "2026-01-10",
}


def test_notes_come_in_the_order_of_need() -> None:
    """Design §4: what stops, what to doubt, what the guidelines say, what to do next."""
    found = answer(**BUSY)
    assert len({place(note) for note in found.notes}) >= 5
    assert [place(note) for note in found.notes] == sorted(place(note) for note in found.notes)
    assert found.notes[0].code.startswith("lead")
    assert found.notes[1].severity == "stop"


@pytest.mark.parametrize(
    "given",
    [{}, {"ferritin": "62 ng/mL"}, {"tsat": "50 %"}, {"errors": "note", "ferritin": "62"}],
    ids=["nothing", "ferritin", "a stop", "unread"],
)
def test_every_answer_leads_with_one_line(given: dict[str, Any]) -> None:
    """The first guideline's disposition, in words."""
    found = answer(**given)
    assert [note.code.startswith("lead") for note in found.notes].count(True) == 1
    assert found.notes[0].text.startswith("AASM 2025: ")


def test_a_block_never_hides_the_criterion() -> None:
    """Evidence §1, 6: show both."""
    lead = answer(ferritin="62 ng/mL", tsat="50 %").notes[0]
    assert lead.code == "lead-before-safety"
    assert "withhold iron" in lead.text
    assert "oral or IV iron" in lead.text


STOPS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "SL1": ({}, {"ferritin": "62 ng/mL", "tsat": "45 %"}, ["SL1"]),
    "SL1 with CKD": ({"kidney": "ckd"}, {"ferritin": "62 ng/mL", "tsat": "40 %"}, ["SL1"]),
    "SL2": ({}, {"ferritin": "300 ng/mL", "tsat": "30 %"}, ["SL2"]),
    "SL1 and SL2": ({}, {"ferritin": "300 ng/mL", "tsat": "45 %"}, ["SL1", "SL2"]),
    "SL3": ({"conditions": "hemochromatosis"}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, ["SL3"]),
    "SL4": ({"pregnancy": "trimester-1"}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, ["SL4"]),
    "none": ({}, {"ferritin": "62 ng/mL", "tsat": "30 %"}, []),
    "T missing: not known to stop": ({}, {"ferritin": "62 ng/mL"}, []),
    "a child whom Mayo does not cover": (
        {"age": 9},
        {"ferritin": "62 ng/mL", "tsat": "50 %"},
        ["SL1"],
    ),
    "RLS not confirmed": ({"rls": "absent"}, {"ferritin": "62 ng/mL", "tsat": "50 %"}, ["SL1"]),
}


@pytest.mark.parametrize(("told", "given", "stops"), STOPS.values(), ids=STOPS)
def test_what_stops_is_said_once(
    told: dict[str, Any], given: dict[str, Any], stops: list[str]
) -> None:
    """§7: `not-covered` stays so, the stop note is shown all the same; one for all guidelines."""
    found = answer(told, **given)
    assert [note.code for note in found.notes if note.severity == "stop"] == stops


def test_a_stop_shows_the_value_its_source_and_its_tier() -> None:
    """SL1 rests on quoted text (OV-4); SL3 on none that was read."""
    note = the(answer(ferritin="62 ng/mL", tsat="50 %"), "SL1")
    assert "50 %" in note.text
    assert (note.sources, note.verified) == (("irlssg-2018", "mayo-2021", "kdigo-2026"), "quoted")
    note = the(answer({"conditions": "hemochromatosis"}), "SL3")
    assert (note.sources, note.verified) == (("rlsiron",), "unverified")


def test_an_opened_answer_is_not_called_undecided_where_iron_is_stopped() -> None:
    """SL5 opens nothing where SL2 withholds: "undecided" beside "no iron by any route" is wrong."""
    found = answer(ferritin="400 ng/mL", tsat="15 %")
    assert found.decision.disposition == "withhold-iron"
    assert "SL2" in codes(found)
    assert "SL5" not in codes(found)


def test_an_opened_answer_is_explained() -> None:
    """G5: prompt for CRP, repeat, CKD, heart failure."""
    note = the(answer(ferritin="150 ng/mL", tsat="15 %"), "SL5")
    assert (note.category, note.severity, note.verified) == ("safety", "caution", "convention")
    for words in ("inflammation", "kidney disease", "heart failure", "repeat"):
        assert words in note.text


IV = "iv-assumes-not-pregnant"
PRESUMED: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "a woman": ({}, {}, {IV, "iv-assumes-no-infection"}),
    "sex unknown": ({"sex": None}, {}, {IV, "iv-assumes-no-infection"}),
    "a man": ({"sex": "male"}, {}, {"iv-assumes-no-infection"}),
    "known not pregnant": ({"pregnancy": "none"}, {}, {"iv-assumes-no-infection"}),
    "conditions told": ({"conditions": "diabetes"}, {}, {IV}),
    "no IV iron": ({}, {"guidelines": "aan-2016"}, set()),
    "IV stopped": ({"pregnancy": "trimester-1"}, {}, set()),
}


@pytest.mark.parametrize(("told", "given", "expected"), PRESUMED.values(), ids=PRESUMED)
def test_an_answer_that_gives_iv_says_on_what_it_rests(
    told: dict[str, Any], given: dict[str, Any], expected: set[str]
) -> None:
    """Design §4: not pregnant, for a patient not known to be male; no infection."""
    found = answer(told, ferritin="90 ng/mL", tsat="30 %", **given)
    assert {code for code in codes(found) if code.startswith("iv-assumes")} == expected


def test_what_a_guideline_says_has_its_source_and_tier() -> None:
    """One note for each, in the order in which they were asked for."""
    found = answer(
        ferritin="62 ng/mL", tsat="30 %", guidelines=("mayo-2021", "aasm-2025", "irlssg-2018")
    )
    said = [(n.sources, n.verified) for n in found.notes if n.code == "decision"]
    assert said == [
        (("mayo-2021",), "quoted"),
        (("aasm-2025",), "primary"),
        (("irlssg-2018",), "primary"),
    ]


def test_a_consensus_is_said_to_be_one() -> None:
    """AA-2 is a good practice statement by consensus: its cut-offs were not tested."""
    found = answer(ferritin="62 ng/mL", tsat="30 %", guidelines="aasm-2025")
    assert "(AA-2, good practice statement, consensus; verified: " in the(found, "decision").text


def test_a_note_on_unverified_text_says_so_first() -> None:
    """Design §4: where only unverified text gives iron, the note begins with "not verified:"."""
    found = answer(
        {"oral_iron": "failed"}, ferritin="62 ng/mL", tsat="30 %", guidelines="irlssg-2018"
    )
    assert the(found, "decision").text.startswith("not verified:")
    assert found.notes[0].text.startswith("not verified:")


def test_differing_guidelines_are_a_caution() -> None:
    """G29: a note of the conflict, and no majority vote."""
    found = answer(ferritin="62 ng/mL", tsat="30 %")
    assert found.agreement.verdict == "differ"
    note = the(found, "differ")
    assert note.severity == "caution"
    assert note.text == "The guidelines differ: AASM 2025 against IRLSSG 2018 and Mayo 2021."
    assert "differ" not in codes(answer(ferritin="62 ng/mL", guidelines="mayo-2021"))


def test_rls_that_is_not_confirmed_says_why() -> None:
    """G30: every RLS file answers `not-covered`, the note says why."""
    found = answer({"rls": "suspected"}, ferritin="62 ng/mL", tsat="30 %")
    assert {decision.disposition for decision in found.decisions.values()} == {"not-covered"}
    assert "suspected" in the(found, "rls-not-confirmed").text
    assert "rls-not-confirmed" not in codes(answer())


SILENT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "trimester 2": ({"pregnancy": "trimester-2"}, ["pregnancy"]),
    "pregnant": ({"pregnancy": "pregnant"}, ["pregnancy"]),
    "post-partum": ({"pregnancy": "postpartum"}, ["pregnancy"]),
    "not pregnant": ({"pregnancy": "none"}, []),
    "not told": ({}, []),
    "hemodialysis": ({"kidney": "hemodialysis"}, ["end-stage"]),
    "CKD": ({"kidney": "ckd"}, []),
    "both": ({"kidney": "ckd-5", "pregnancy": "trimester-3"}, ["pregnancy", "end-stage"]),
    "RLS not confirmed": ({"kidney": "ckd-5", "rls": "absent"}, []),
}


@pytest.mark.parametrize(("told", "silences"), SILENT.values(), ids=SILENT)
def test_a_source_that_is_silent_is_named(told: dict[str, Any], silences: list[str]) -> None:
    """§7: no pregnancy rule in any; of end-stage only AASM speaks."""
    found = answer(told, ferritin="62 ng/mL", tsat="30 %")
    silent = [note for note in found.notes if note.code.startswith("silent-on-")]
    assert [note.code for note in silent] == [f"silent-on-{name}" for name in silences]
    for note in silent:
        assert note.severity == "caution"
        assert "IRLSSG 2018 and Mayo 2021" in note.text
        assert ("AASM 2025" in note.text) == (note.code == "silent-on-pregnancy")


def test_strict_says_what_it_leaves_out() -> None:
    """§7: leaves out unverified rules that give iron and says so; IR-6 and IR-9 are all."""
    note = the(answer(ferritin="62 ng/mL", strict=True), "strict")
    assert note.text.count("IR-") == 2
    assert "IR-6" in note.text
    assert "IR-9" in note.text
    assert "strict" not in codes(answer(ferritin="62 ng/mL"))
    assert "strict" not in codes(answer(ferritin="62 ng/mL", strict=True, guidelines="mayo-2021"))


def test_assumptions_are_listed_unless_there_is_none() -> None:
    """Design §4: each is listed."""
    assert "no kidney disease" in the(answer(), "assumptions").text
    told = {
        "rls": "confirmed",
        "pregnancy": "none",
        "kidney": "none",
        "conditions": "diabetes",
        "oral_iron": "untried",
        "rapid_response_wanted": False,
        "inflammation": False,
        "last_oral_iron": "2020-01-01",
        "last_iv_iron": "2020-01-01",
        "last_transfusion": "2020-01-01",
        "last_fever": "2020-01-01",
    }
    found = answer(told, ferritin="62 ng/mL", tsat="30 %", drawn="2026-01-01")
    assert found.assumptions == ()
    assert "assumptions" not in codes(found)


def test_what_is_needed_is_said_once() -> None:
    """In the first line; in a note of its own where another guideline needs more."""
    lead = answer().notes[0]
    assert (lead.code, lead.text.count("ferritin"), lead.text.count("TSAT")) == ("lead-open", 1, 1)
    assert "needs" not in codes(answer())
    note = the(answer({"age": None}, ferritin="40 ng/mL"), "needs")
    assert note.category == "follow-up"
    assert note.text == "To settle what is undecided: TSAT and the age."
    assert "needs" not in codes(answer(ferritin="62 ng/mL", tsat="30 %"))


def test_no_inflammation_beside_a_high_crp_is_contradicted() -> None:
    """§7: `inflammation = False` beside a CRP over the limit is inflamed, with a note."""
    found = answer({"inflammation": False}, crp="20 mg/L")
    assert "20 mg/L" in the(found, "inflammation-contradicts-crp").text
    assert "inflammation-contradicts-crp" not in codes(
        answer({"inflammation": False}, crp="3 mg/L")
    )
    assert "inflammation-contradicts-crp" not in codes(answer(crp="20 mg/L"))


def test_malignancy_is_no_contradiction_by_the_crp() -> None:
    """Inflamed by a condition while the CRP is under its limit: the CRP is not to blame."""
    told = {"inflammation": False, "conditions": "malignancy"}
    assert "inflammation-contradicts-crp" not in codes(answer(told, crp="3 mg/L"))
    assert "inflammation-contradicts-crp" not in codes(answer(told))


def test_a_crp_bound_across_the_limit_is_not_said_to_be_over_it() -> None:
    """CRP <10 may be 3: design §4 leaves `inflamed` open."""
    found = answer({"inflammation": False}, crp="<10 mg/L")
    assert "inflammation-contradicts-crp" not in codes(found)


def test_readings_of_the_saturation_are_named_in_words() -> None:
    """Each reading with its value and where it comes from; no program's words."""
    note = the(answer(tsat="18 %", iron="60 ug/dL", tibc="200 ug/dL"), "tsat-readings-far-apart")
    assert "18" in note.text
    assert "30" in note.text
    assert "iron/tibc" in note.text or "TIBC" in note.text
    for word in ("False", "True", "None", "[", "(("):
        assert word not in note.text


@pytest.mark.parametrize("note", answer(**BUSY).notes, ids=lambda note: note.text)
def test_a_sentence_reads_as_one(note: Note) -> None:
    """A capital or "not verified:" first, a full stop last, nothing doubled, nothing of Python."""
    text = note.text
    assert text[0].isupper() or text[0].isdigit() or text.startswith("not verified:")
    assert text.endswith(".")
    for slip in ("..", "  ", " ,", "{", "}", "None", "False", "True", "frozenset", "()"):
        assert slip not in text


@pytest.mark.parametrize(
    ("told", "given"),
    [
        ({"rls": "suspected"}, {"ferritin": "62 ng/mL", "tsat": "30 %"}),
        ({"age": 9}, {"ferritin": "62 ng/mL", "tsat": "30 %", "guidelines": "mayo-2021"}),
        ({}, {"ferritin": "150 ng/mL", "tsat": "15 %"}),
        ({"conditions": "active-infection"}, {"ferritin": "90 ng/mL", "tsat": "30 %"}),
        ({}, {"ferritin": "62 ng/mL", "guidelines": "aasm-2025"}),
    ],
    ids=["suspected", "uncovered", "opened", "IV stopped", "needs TSAT"],
)
def test_no_note_says_the_same_thing_twice(told: dict[str, Any], given: dict[str, Any]) -> None:
    """No phrase of four words stands twice in one note, but for a disposition."""
    for note in answer(told, **given).notes:
        words = note.text.casefold().replace(".", "").replace(",", "").split()
        phrases = [" ".join(words[at : at + 4]) for at in range(len(words) - 3)]
        twice = {phrase for phrase in phrases if phrases.count(phrase) > 1}
        assert twice <= {"oral or iv iron"}
