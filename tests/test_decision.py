"""The decision: what is agreed on, what would settle it, which limit is near, and why."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from rlsiron.board import Board
from rlsiron.compiler import compile_table
from rlsiron.decision import Verdict, agreement, iron
from rlsiron.guideline import shipped
from rlsiron.interpretation import interpret
from rlsiron.models import Decision
from rlsiron.table import Cell
from test_board import KNOWN

WORDS = ("oral-iron", "iv-iron", "oral-or-iv-iron", "no-iron", "withhold-iron", "not-covered")
SUBSETS = [
    tuple(word for place, word in enumerate(WORDS) if bits >> place & 1) for bits in range(1, 64)
]


@pytest.mark.parametrize("possible", SUBSETS, ids=" ".join)
def test_iron_is_what_all_of_them_agree_on(possible: tuple[str, ...]) -> None:
    """Design §4: give, only the first three; do-not-give, only no and withhold; else open."""
    says = dict.fromkeys(WORDS[:3], "give") | dict.fromkeys(WORDS[3:5], "do-not-give")
    said = {says.get(word, "not-covered") for word in possible}
    assert iron(possible) == (said.pop() if len(said) == 1 else "open")


def verdict(id_: str, possible: tuple[str, ...]) -> Verdict:
    """Return the verdict of a guideline that says this, whatever it would say."""
    (made,) = Board([compile_table(shipped(id_))]).verdicts(KNOWN)
    return replace(made, cell=Cell(possible, possible, (), frozenset(), frozenset()))


def test_two_guidelines_agree_differ_or_are_open() -> None:
    """Design §4: equal among those that cover; differ where none is shared; else open. By force."""
    aasm = {words: verdict("aasm-2025", words) for words in SUBSETS}
    mayo = {words: verdict("mayo-2021", words) for words in SUBSETS}
    for first, second in product(SUBSETS, repeat=2):
        found = agreement((aasm[first], mayo[second]))
        said = {"aasm-2025": first, "mayo-2021": second}
        covering = {name: words for name, words in said.items() if words != ("not-covered",)}
        assert found.possible == covering
        if len(covering) == 2 and first == second:
            assert found.verdict == "agree"
        elif len(covering) == 2 and not set(first) & set(second):
            assert found.verdict == "differ"
        elif len(covering) == 2:
            assert found.verdict == "open"


AGREEMENTS = {
    "none covers": ([("not-covered",)] * 3, "open"),
    "one covers": ([("not-covered",), ("iv-iron",), ("not-covered",)], "agree"),
    "all the same": ([("iv-iron",)] * 3, "agree"),
    "the same two": ([("iv-iron", "no-iron")] * 3, "agree"),
    "two of three share nothing": (
        [("iv-iron", "no-iron"), ("iv-iron",), ("no-iron",)],
        "differ",
    ),
    "each two share something": (
        [("iv-iron", "no-iron"), ("iv-iron",), ("oral-iron", "iv-iron")],
        "open",
    ),
    "no and withhold": ([("no-iron",), ("withhold-iron",), ("not-covered",)], "differ"),
}


@pytest.mark.parametrize(("said", "expected"), AGREEMENTS.values(), ids=AGREEMENTS)
def test_three_guidelines_agree_differ_or_are_open(
    said: list[tuple[str, ...]], expected: str
) -> None:
    """Design §4: two of them are enough to differ."""
    ids = ("aasm-2025", "irlssg-2018", "mayo-2021")
    verdicts = tuple(verdict(id_, words) for id_, words in zip(ids, said, strict=True))
    assert agreement(verdicts).verdict == expected


ADULT: dict[str, Any] = {"age": 44, "sex": "female", "pregnancy": "none"}


def decided(id_: str = "aasm-2025", **given: Any) -> Decision:  # noqa: ANN401 - as the fields are
    patient = {**ADULT, **given.pop("patient", {})}
    return interpret(patient=patient, guidelines=id_, **given).decision


# Expectations: design §4 (`needs`), §7 and §8 of the evidence, by hand.
NEEDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "all known": ({"ferritin": "62 ug/L", "tsat": "30 %"}, ()),
    "nothing known": ({}, ("ferritin", "tsat")),
    "no TSAT": ({"ferritin": "62 ug/L"}, ("tsat",)),
    "no ferritin, T 18": ({"tsat": "18 %"}, ("ferritin",)),
    "no ferritin, T 50: stopped": ({"tsat": "50 %"}, ()),
    "no age": ({"ferritin": "60 ug/L", "tsat": "30 %", "patient": {"age": None}}, ("age",)),
    "no age, F 40": ({"ferritin": "40 ug/L", "tsat": "30 %", "patient": {"age": None}}, ()),
    "a bound within a cell": ({"ferritin": "<5 ug/L", "tsat": "30 %"}, ()),
    "a bound over a cut": ({"ferritin": "<90 ug/L", "tsat": "30 %"}, ("ferritin",)),
    "pregnant, trimester unknown, IV": (
        {"ferritin": "90 ug/L", "tsat": "30 %", "patient": {"pregnancy": "pregnant"}},
        ("pregnancy",),
    ),
    "source silent": (
        {"ferritin": "250 ug/L", "tsat": "30 %", "patient": {"kidney": "hemodialysis"}},
        (),
    ),
}


@pytest.mark.parametrize(("given", "needs"), NEEDS.values(), ids=NEEDS)
def test_needs_are_the_inputs_that_would_settle_it(
    given: dict[str, Any], needs: tuple[str, ...]
) -> None:
    """Design §4: not a point, and two values exist that give different sets after safety."""
    assert decided(**given).needs == needs


def test_needs_name_a_crp_that_is_a_bound_across_the_limit() -> None:
    """Design §4: Mayo at F 150, T 15: no iron, or {IV, NONE} if inflamed; CRP <10 leaves it."""
    given = {"ferritin": "150 ug/L", "tsat": "15 %"}
    assert decided("mayo-2021", **given, crp="<10 mg/L").needs == ("crp",)
    assert decided("mayo-2021", **given, crp="<4 mg/L").needs == ()
    assert decided("mayo-2021", **given, crp="QNS").needs == ()
    assert decided("aasm-2025", **given, crp="<10 mg/L").needs == ()


def test_needs_name_a_draw_without_a_date() -> None:
    """G16: `needs` names drawn, beside ferritin and tsat; a birth date names age and drawn."""
    told = {"last_iv_iron": "2026-01-01"}
    decision = decided(ferritin="62 ug/L", tsat="30 %", patient=told)
    assert decision.needs == ("ferritin", "tsat", "drawn")
    told = {"age": None, "birth_date": "2008-01-01"}  # type: ignore[dict-item]
    decision = decided(ferritin="60 ug/L", tsat="30 %", patient=told)
    assert decision.needs == ("age", "drawn")


NEAREST: dict[str, tuple[dict[str, Any], tuple[str, float, float, tuple[str, ...]] | None]] = {
    "ferritin above": (
        {"ferritin": "60 ug/L", "tsat": "30 %"},
        ("ferritin", 75.0, 0.2, ("iv-iron",)),
    ),
    "TSAT above": (
        {"ferritin": "60 ug/L", "tsat": "44 %"},
        ("tsat", 45.0, 1 / 45, ("withhold-iron",)),
    ),
    "on the limit": (
        {"ferritin": "75 ug/L", "tsat": "30 %"},
        ("ferritin", 75.0, 0.0, ("iv-iron",)),
    ),
    "below a ceiling": (
        {"ferritin": "290 ug/L", "tsat": "30 %"},
        ("ferritin", 300.0, 1 / 30, ("withhold-iron",)),
    ),
    "a limit that tells nothing apart": (
        {"ferritin": "51 ug/L", "tsat": "30 %"},
        ("ferritin", 75.0, 0.32, ("iv-iron",)),
    ),
    "TSAT missing": ({"ferritin": "75 ug/L"}, None),
    "a bound": ({"ferritin": "<5 ug/L", "tsat": "30 %"}, None),
    "not covered": ({"ferritin": "75 ug/L", "tsat": "30 %", "patient": {"rls": "absent"}}, None),
    "everything stopped": (
        {"ferritin": "75 ug/L", "tsat": "30 %", "patient": {"conditions": "hemochromatosis"}},
        None,
    ),
}


@pytest.mark.parametrize(("given", "nearest"), NEAREST.values(), ids=NEAREST)
def test_the_nearest_limit_is_the_one_at_the_smallest_relative_distance(
    given: dict[str, Any], nearest: tuple[str, float, float, tuple[str, ...]] | None
) -> None:
    """Design §4: analyte, limit, distance, what would be said there; None where not a point."""
    found = decided(**given).nearest
    if nearest is None:
        assert found is None
    else:
        assert found
        assert (found.analyte, found.limit, found.possible) == (*nearest[:2], nearest[3])
        assert found.distance == pytest.approx(nearest[2])


def test_a_limit_at_zero_has_no_relative_distance(tmp_path: Path) -> None:
    """A user's rule for any CRP over 0 mg/L must not divide by it."""
    path = tmp_path / "ours.toml"
    path.write_text(
        'id = "ours"\npurpose = "rls"\nsource = "rlsiron"\nversion = "1"\nreviewed_by = []\n'
        '[[population]]\nname = "all"\napplies = {}\n'
        '[[population.rule]]\nid = "A"\nwhen = { crp = "> 0 mg/L" }\ndisposition = "no-iron"\n'
        'verified = "primary"\nsays = "a"\n'
        '[[population.rule]]\nid = "B"\ndisposition = "oral-iron"\nverified = "primary"\n'
        'says = "b"\n',
        encoding="utf-8",
    )
    answer = interpret(
        ferritin="62 ug/L", tsat="30 %", crp="3 mg/L", patient=ADULT, guidelines=path
    )
    assert answer.decision.disposition == "no-iron"


# What settles an answer that reaches the table through facts: `needs`, and what `because` adds.
WOMAN_ON_DIALYSIS = {"age": 44, "sex": "female", "kidney": "hemodialysis"}
SETTLING: dict[str, tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...], str]] = {
    "hemoglobin": ("kdigo-2026", WOMAN_ON_DIALYSIS, {}, (), "hemoglobin"),
    "hemoglobin that was lost": (
        "kdigo-2026",
        WOMAN_ON_DIALYSIS,
        {"hemoglobin": "hemolyzed"},
        (),
        "hemoglobin",
    ),
    "hemoglobin by a bound": (
        "kdigo-2026",
        WOMAN_ON_DIALYSIS,
        {"hemoglobin": "<125 g/L"},
        (),
        "hemoglobin",
    ),
    # GN-6: 125 g/L is anemia in a man and not in a woman, 117 g/L at 12 years and not at 11
    "the sex": (
        "kdigo-2026",
        {"age": 44, "kidney": "hemodialysis"},
        {"hemoglobin": "125 g/L"},
        ("sex",),
        "the sex",
    ),
    "the age": (
        "kdigo-2026",
        {"sex": "female", "kidney": "hemodialysis"},
        {"hemoglobin": "117 g/L"},
        ("age",),
        "the age",
    ),
    "age and hemoglobin": (
        "kdigo-2026",
        {"sex": "female", "kidney": "hemodialysis"},
        {},
        ("age",),
        "the age and hemoglobin",
    ),
    "the day of a birth date": (
        "kdigo-2026",
        {"birth_date": "2014-05-01", "sex": "female", "kidney": "hemodialysis"},
        {"hemoglobin": "117 g/L"},
        ("age", "drawn"),
        "the age and the date of the draw",
    ),
    # PG-5: 107 g/L is anemia in the first and third trimester, not in the second
    "the trimester": (
        "kdigo-2026",
        {**WOMAN_ON_DIALYSIS, "pregnancy": "pregnant"},
        {"hemoglobin": "107 g/L"},
        ("pregnancy",),
        "the pregnancy or trimester",
    ),
    "how severe": ("dgn-2022", {"age": 44}, {}, (), "how severe RLS is"),
    "how severe, and the result": (
        "dgn-2022",
        {"age": 44},
        {"ferritin": None},
        ("ferritin",),
        "ferritin and how severe RLS is",
    ),
}


@pytest.mark.parametrize(
    ("id_", "patient", "given", "needs", "said"), SETTLING.values(), ids=SETTLING
)
def test_because_names_what_settles_it_beside_what_needs_can_name(
    id_: str, patient: dict[str, Any], given: dict[str, Any], needs: tuple[str, ...], said: str
) -> None:
    """Design §4: `needs` names eight inputs; of others, such as hemoglobin, `because` says so."""
    told: dict[str, Any] = {"ferritin": "60 ug/L", "tsat": "22 %", **given}
    decision = interpret(**told, patient=patient, guidelines=id_).decision
    assert decision.disposition == "indeterminate"
    assert decision.needs == needs
    assert decision.because.endswith(f"To settle it: {said}")


SETTLED: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "told to be mild": ("dgn-2022", {"age": 44, "severity": "mild"}, {}, "oral-iron"),
    "a reason for IV, how severe or not": (
        "dgn-2022",
        {"age": 44, "oral_iron": "failed"},
        {},
        "iv-iron",
    ),
    "a hemoglobin that is anemia at every age and sex": (
        "kdigo-2026",
        {"age": 44, "kidney": "hemodialysis"},
        {"hemoglobin": "<8 g/dL"},
        "iv-iron",
    ),
    "a block with anemia and without": (
        "kdigo-2026",
        {"kidney": "hemodialysis"},
        {"tsat": "40 %"},
        "withhold-iron",
    ),
}


@pytest.mark.parametrize(("id_", "patient", "given", "said"), SETTLED.values(), ids=SETTLED)
def test_what_does_not_matter_is_not_asked_for(
    id_: str, patient: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    told: dict[str, Any] = {"ferritin": "60 ug/L", "tsat": "22 %", **given}
    decision = interpret(**told, patient=patient, guidelines=id_).decision
    assert (decision.disposition, decision.needs) == (said, ())


def test_a_severity_that_cannot_be_read_stays_open() -> None:
    """Design §4: a field that was given but cannot be read is never assumed."""
    patient = {"age": 44, "severity": "grave"}
    answer = interpret(
        ferritin="60 ug/L", tsat="22 %", patient=patient, guidelines="dgn-2022", errors="note"
    )
    assert answer.decision.possible == ("oral-iron", "iv-iron")


def test_a_guideline_on_anemia_is_no_part_of_an_agreement_on_rls() -> None:
    """Clinical §3: KDIGO is about anemia, not RLS. It says IV, AASM IV or nothing."""
    answer = interpret(
        ferritin="450 ug/L",
        tsat="15 %",
        hemoglobin="9 g/dL",
        patient=WOMAN_ON_DIALYSIS,
        guidelines=("aan-2016", "kdigo-2026"),
    )
    assert answer.decisions["kdigo-2026"].disposition == "iv-iron"
    assert answer.agreement.verdict == "agree"
    assert list(answer.agreement.possible) == ["aan-2016"]
    assert "differ" not in {note.code for note in answer.notes}


@pytest.mark.parametrize("rls", ["confirmed", "suspected", "absent"])
def test_a_guideline_on_anemia_asks_for_no_rls(rls: str) -> None:
    """Clinical §7: the safety layer and G30 are about files whose purpose is RLS."""
    answer = interpret(
        ferritin="450 ug/L",
        tsat="15 %",
        hemoglobin="9 g/dL",
        patient={**WOMAN_ON_DIALYSIS, "rls": rls},
        guidelines="kdigo-2026",
    )
    assert (answer.decision.disposition, answer.decision.criterion) == ("iv-iron", "iv-iron")
    codes = {note.code for note in answer.notes}
    assert not codes & {"rls-not-confirmed", "SL1", "SL2"}
    assert (answer.agreement.verdict, answer.agreement.possible) == ("open", {})
    assert answer.notes[0].text == "KDIGO 2026 on anemia, not RLS: IV iron."


# What `because` must say, and must not, in each of its cases.
BECAUSE: dict[str, tuple[str, dict[str, Any], tuple[str, ...], tuple[str, ...]]] = {
    "decided": (
        "aan-2016",
        {"ferritin": "62 ug/L", "tsat": "30 %"},
        ("at most 75 µg/L",),
        ("but", "would settle", "not verified"),
    ),
    "decided by the source's own ceiling": (
        "mayo-2021",
        {"ferritin": "62 ug/L", "tsat": "50 %"},
        ("45 %",),
        ("criterion",),
    ),
    "stopped": (
        "aan-2016",
        {"ferritin": "62 ug/L", "tsat": "50 %"},
        ("ceiling", "oral iron"),
        ("would settle",),
    ),
    "route stopped": (
        "aasm-2025",
        {"ferritin": "62 ug/L", "tsat": "30 %", "patient": {"pregnancy": "trimester-1"}},
        ("at most 75 µg/L", "but", "IV iron is stopped"),
        ("would settle",),
    ),
    "needs": ("aasm-2025", {"ferritin": "62 ug/L"}, ("TSAT",), ("could not be read",)),
    "silent by its own rule": (
        "mayo-2021",
        {"ferritin": "100 ug/L", "tsat": "30 %"},
        ("exactly 100 µg/L",),
        ("would settle",),
    ),
    "silent on pregnancy": (
        "mayo-2021",
        {"ferritin": "90 ug/L", "tsat": "30 %", "patient": {"pregnancy": "trimester-3"}},
        ("pregnancy",),
        ("would settle",),
    ),
    "opened": (
        "aasm-2025",
        {"ferritin": "150 ug/L", "tsat": "15 %"},
        ("TSAT is under 20 %", "inflammation"),
        ("would settle",),
    ),
    "unread": (
        "mayo-2021",
        {
            "ferritin": "62 ug/L",
            "tsat": "30 %",
            "patient": {"oral_iron": "banana"},
            "errors": "note",
        },
        ("could not be read",),
        (),
    ),
    "uncovered": (
        "mayo-2021",
        {"ferritin": "62 ug/L", "tsat": "30 %", "patient": {"age": 10}},
        ("does not speak",),
        (),
    ),
    "not confirmed": (
        "mayo-2021",
        {"ferritin": "62 ug/L", "tsat": "30 %", "patient": {"rls": "suspected"}},
        ("confirmed",),
        (),
    ),
    "confirmed or not, unread": (
        "mayo-2021",
        {"ferritin": "62 ug/L", "tsat": "30 %", "patient": {"rls": "banana"}, "errors": "note"},
        ("confirmed",),
        (),
    ),
    "a set, and IV stopped": (
        "irlssg-2018",
        {"ferritin": "150 ug/L", "tsat": "15 %", "patient": {"conditions": "active-infection"}},
        ("IV iron is stopped",),
        (),
    ),
    "no iron, and a ceiling": (
        "mayo-2021",
        {"ferritin": "400 ug/L", "tsat": "30 %"},
        ("ceiling",),
        (),
    ),
}


@pytest.mark.parametrize(("id_", "given", "says", "not_says"), BECAUSE.values(), ids=BECAUSE)
def test_because_says_why(
    id_: str, given: dict[str, Any], says: tuple[str, ...], not_says: tuple[str, ...]
) -> None:
    """Design §4: one plain sentence; empty needs where only the source's silence leaves it open."""
    text = decided(id_, **given).because
    for part in says:
        assert part in text
    for part in not_says:
        assert part not in text
    assert text[:1].isupper()
    assert "{" not in text
    assert not text.endswith(".")  # the note ends it


def test_because_joins_what_two_rules_say() -> None:
    """IRLSSG at F 400 and no TSAT: it withholds by TSAT or by ferritin."""
    decision = decided("irlssg-2018", ferritin="400 ug/L")
    assert len(decision.rules) == 2
    joined = "; or ".join(rule.says for rule in decision.rules)
    assert decision.because[1:] == joined[1:]


def test_because_joins_what_two_safety_rules_say() -> None:
    """SL1 and SL2, in the order of the file."""
    text = decided("aan-2016", ferritin="400 ug/L", tsat="50 %").because
    assert "never above 40 %); ferritin is at or over the ceiling" in text


def test_because_names_only_the_ceiling_that_stops_for_certain() -> None:
    """T 50 and no ferritin: SL1 stops; SL2 may, and is no reason."""
    text = decided("aan-2016", tsat="50 %").because
    assert "TSAT is at or over the ceiling" in text
    assert "ferritin is at or over" not in text


def test_because_of_both_routes_stopped_is_the_stop_and_the_criterion() -> None:
    text = decided("aan-2016", ferritin="62 ug/L", tsat="50 %").because
    assert text.startswith("TSAT is at or over the ceiling")
    assert text.endswith("the source's own criterion: oral iron")


def test_because_of_a_silence_that_nothing_stops_speaks_of_no_stop() -> None:
    """MY-5 and MY-6 at F 100: what remains follows at once upon why it is open."""
    assert ". . " not in decided("mayo-2021", ferritin="100 ug/L", tsat="30 %").because
    assert ". What remains: " in decided("mayo-2021", ferritin="100 ug/L", tsat="30 %").because


def test_a_guideline_on_anemia_that_does_not_speak_of_a_patient_says_so() -> None:
    """KDIGO is about kidney disease, and asks for no RLS."""
    text = decided("kdigo-2026", ferritin="62 ug/L", tsat="30 %", hemoglobin="9 g/dL").because
    assert text.startswith("The source does not speak of this patient")


STRICT_STOPPED: dict[str, dict[str, Any]] = {
    "both routes, by SL3": {"ferritin": "60 ug/L", "patient": {"conditions": "hemochromatosis"}},
    "IV, the only one, by SL4": {
        "ferritin": "90 ug/L",
        "patient": {"conditions": "active-infection"},
    },
}


@pytest.mark.parametrize("given", STRICT_STOPPED.values(), ids=STRICT_STOPPED)
def test_strict_speaks_of_rules_left_out_only_where_they_are_the_reason(
    given: dict[str, Any],
) -> None:
    """IR-1 and IR-3 are verified; here the layer alone withholds what they give."""
    decision = decided("irlssg-2018", tsat="30 %", strict=True, **given)
    assert decision.disposition == "withhold-iron"
    assert "verified rules alone" not in decision.because


def test_a_silence_stands_among_the_rules_with_its_source_and_tier() -> None:
    """§0: pregnancy's {IV, NONE} is a convention, from AA-13 and PG-2; MY-6 is quoted."""
    decision = decided(
        "mayo-2021", ferritin="90 ug/L", tsat="30 %", patient={"pregnancy": "trimester-3"}
    )
    silence = decision.rules[-1]
    assert (silence.id, silence.source) == ("PG-2", "aasm-2025")
    assert silence.says.startswith("the source has no rule for pregnancy")
    assert silence.disposition == ("iv-iron", "no-iron")
    assert (silence.strength, silence.certainty) == ("", "")
    assert silence.verified == "convention"
    assert {rule.verified for rule in decision.rules} == {"quoted", "convention"}
    assert decision.verified == "convention"


def test_a_crp_that_is_missing_settles_nothing() -> None:
    """Design §4: a missing CRP leaves "no inflammation" standing, so nothing waits for one."""
    decision = decided(
        "mayo-2021",
        ferritin="150 ug/L",
        tsat="15 %",
        patient={"inflammation": "banana"},
        errors="note",
    )
    assert decision.possible == ("iv-iron", "no-iron")
    assert decision.needs == ()


VERIFIED = {
    "IR-6 alone gives": ("irlssg-2018", {"ferritin": "62 ug/L"}, {"oral_iron": "failed"}, True),
    "IR-9 alone may give": (
        "irlssg-2018",
        {"ferritin": "150 ug/L"},
        {"last_iv_iron": "2024-01-01"},
        True,
    ),
    "IR-1 gives": ("irlssg-2018", {"ferritin": "62 ug/L"}, {}, False),
    "MY-4 gives": ("mayo-2021", {"ferritin": "62 ug/L"}, {"oral_iron": "failed"}, False),
    "IR-5 withholds": ("irlssg-2018", {"ferritin": "400 ug/L"}, {}, False),
    "IR-6 would give, but SL3 stops": (
        "irlssg-2018",
        {"ferritin": "62 ug/L"},
        {"oral_iron": "failed", "conditions": "hemochromatosis"},
        False,
    ),
    "IR-6 or IR-3 gives": (
        "irlssg-2018",
        {"ferritin": "<90 ug/L"},
        {"oral_iron": "failed"},
        False,
    ),
}


@pytest.mark.parametrize(("id_", "given", "told", "prefixed"), VERIFIED.values(), ids=VERIFIED)
def test_it_says_first_where_only_unverified_text_gives_iron(
    id_: str, given: dict[str, Any], told: dict[str, Any], *, prefixed: bool
) -> None:
    """Design §4: where only unverified text gives iron, the note begins with "not verified:"."""
    answer = interpret(
        **given, tsat="30 %", drawn="2026-01-01", patient={**ADULT, **told}, guidelines=id_
    )
    (said,) = (note for note in answer.notes if note.code == "decision")
    assert said.text.startswith("not verified:") is prefixed
    assert answer.notes[0].text.startswith("not verified:") is prefixed


def test_the_tier_of_a_decision_is_the_weakest_of_its_rules() -> None:
    """Design §4: AASM over F < 90 rests on AA-2 (primary) and AA-3 (secondary)."""
    decision = decided(ferritin="<90 ug/L", tsat="30 %")
    assert [rule.id for rule in decision.rules] == ["AA-2", "AA-3"]
    assert [rule.verified for rule in decision.rules] == ["primary", "secondary"]
    assert decision.verified == "secondary"


def test_a_rule_is_applied_as_it_stands_in_the_file() -> None:
    """Source, strength, certainty, tier and text."""
    (rule,) = decided(ferritin="62 ug/L", tsat="30 %").rules
    assert (rule.id, rule.source, rule.disposition) == ("AA-2", "aasm-2025", ("oral-or-iv-iron",))
    assert (rule.strength, rule.certainty) == ("good practice statement", "consensus")


def test_verdicts_are_told_apart_by_themselves() -> None:
    """They are keys of a cache of agreements: equal only where the same."""
    one = verdict("aan-2016", ("iv-iron",))
    assert replace(one) != one
