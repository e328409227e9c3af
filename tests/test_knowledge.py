"""The knowledge files against the evidence, typed in here by hand."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from rlsiron import units
from rlsiron.catalog import document, guideline_ids, text_of
from rlsiron.compiler import compile_table
from rlsiron.grammar import DISPOSITIONS, TIERS, vocabulary
from rlsiron.guideline import remarks, remarks_of, safety, shipped, statuses, windows
from rlsiron.interpretation import interpret
from rlsiron.models import CONDITIONS, Input, Interpretation, LabResult, Patient
from rlsiron.wording import templates

GRADE = ("good practice statement", "consensus")
EXPERT = ("expert opinion", "")
NO_GRADE = ("", "")
CK_5: list[dict[str, Any]] = [{"ferritin": "> 700 ug/L"}, {"tsat": ">= 40 %"}]

# evidence/clinical.md §3 and §7: every rule id that decides, with its strength, certainty, tier and
# limits. A rule's tier is that of the best-verified text that states its limit (§7): IR-4 rests on
# OV-4, quoted. AA-1, AA-5 to AA-8, AA-11 to AA-13, IR-4b, IR-8, IR-11, IR-13, MY-1, MY-7 decide
# nothing: what to test, which preparation, when to follow up.
RULES: dict[tuple[str, str], tuple[tuple[str, str], str, list[dict[str, Any]]]] = {
    ("aasm-2025", "AA-2"): (
        GRADE,
        "primary",
        [{"ferritin": "<= 75 ug/L"}, {"tsat": "< 20 %"}],
    ),
    ("aasm-2025", "AA-3"): (GRADE, "secondary", [{"ferritin": ["> 75 ug/L", "<= 100 ug/L"]}]),
    ("aasm-2025", "AA-4"): (GRADE, "secondary", [{"ferritin": "< 50 ug/L"}]),
    ("aasm-2025", "AA-9"): (
        ("conditional", "moderate"),
        "secondary",
        [{"ferritin": "< 200 ug/L", "tsat": "< 20 %"}],
    ),
    ("irlssg-2018", "IR-1"): (
        ("", "possibly effective"),
        "primary",
        [{"ferritin": "<= 75 ug/L"}],
    ),
    ("irlssg-2018", "IR-2"): (("", "effective"), "quoted", [{"tsat": "< 20 %"}]),
    ("irlssg-2018", "IR-3"): (("consensus", ""), "quoted", [{"ferritin": "<= 100 ug/L"}]),
    ("irlssg-2018", "IR-4"): (NO_GRADE, "quoted", [{"tsat": ">= 45 %"}]),
    ("irlssg-2018", "IR-5"): (NO_GRADE, "unverified", [{"ferritin": ">= 300 ug/L"}]),
    ("irlssg-2018", "IR-6"): (
        NO_GRADE,
        "unverified",
        [{"ferritin": "<= 75 ug/L", "iv-reason": True}],
    ),
    ("irlssg-2018", "IR-9"): (NO_GRADE, "unverified", [{"earlier-iv": True}]),
    ("irlssg-2018", "IR-12"): (
        ("consensus", "insufficient evidence"),  # IR-11
        "secondary",
        [{"ferritin": "< 50 ug/L"}],
    ),
    ("mayo-2021", "OV-4"): (EXPERT, "quoted", [{"tsat": ">= 45 %"}]),
    ("mayo-2021", "MY-2"): (EXPERT, "quoted", [{"ferritin": "<= 75 ug/L"}]),
    ("mayo-2021", "MY-3"): (EXPERT, "quoted", [{"tsat": "< 20 %", "inflamed": True}]),
    ("mayo-2021", "MY-4"): (EXPERT, "quoted", [{"ferritin": "<= 75 ug/L", "iv-reason": True}]),
    ("mayo-2021", "MY-5"): (EXPERT, "quoted", [{}]),
    ("mayo-2021", "MY-6"): (EXPERT, "quoted", [{"ferritin": "< 100 ug/L"}]),
    ("aan-2016", "AN-1"): (("Level B", ""), "primary", [{"ferritin": "<= 75 ug/L"}]),
    ("dgn-2022", "DG-2"): (NO_GRADE, "secondary", [{"ferritin": "<= 75 ug/L"}]),
    ("dgn-2022", "DG-2-IV"): (
        NO_GRADE,
        "secondary",
        [
            {"ferritin": "<= 75 ug/L", "iv-reason": True},
            {"ferritin": "<= 75 ug/L", "moderate-severe": True},
        ],
    ),
    ("nice-cks", "NI-1"): (NO_GRADE, "quoted", [{"ferritin": "< 50 ug/L"}]),
    ("nice-cks", "NI-1-range"): (NO_GRADE, "quoted", [{"ferritin": "< 75 ug/L"}]),
    ("picchietti-2015", "PG-1"): (NO_GRADE, "unverified", [{"ferritin": "< 75 ug/L"}]),
    ("picchietti-2015", "PG-1-at-limit"): (NO_GRADE, "unverified", [{"ferritin": "<= 75 ug/L"}]),
    ("picchietti-2015", "PG-2"): (
        NO_GRADE,
        "unverified",
        [{"ferritin": "< 30 ug/L", "oral-iron-failed": True}],
    ),
    ("kdigo-2026", "CK-3"): (
        NO_GRADE,
        "quoted",
        [{"ferritin": "<= 500 ug/L", "tsat": "<= 30 %"}],
    ),
    ("kdigo-2026", "CK-4"): (
        NO_GRADE,
        "quoted",
        [
            {"ferritin": "< 100 ug/L", "tsat": "< 40 %"},
            {"ferritin": [">= 100 ug/L", "< 300 ug/L"], "tsat": "< 25 %"},
        ],
    ),
    ("kdigo-2026", "CK-5"): (NO_GRADE, "quoted", CK_5),
    ("kdigo-2026", "CK-5-hemodialysis"): (NO_GRADE, "quoted", CK_5),
    ("kdigo-2026", "CK-5-without-anemia"): (NO_GRADE, "quoted", CK_5),
    ("kdigo-2026", "CK-5-under-6-months"): (NO_GRADE, "quoted", CK_5),
    ("kdigo-2026", "CK-6"): (NO_GRADE, "quoted", [{"ferritin": "< 30 ug/L", "tsat": "< 20 %"}]),
    ("kdigo-2026", "CK-6-under-6-months"): (NO_GRADE, "convention", [{}]),  # GN-6 begins there
}
DISPOSED = {
    "AA-2": ["oral-or-iv-iron"],
    "AA-3": ["iv-iron"],
    "AA-4": ["oral-or-iv-iron"],
    "AA-9": ["iv-iron"],
    "IR-1": ["oral-iron"],
    "IR-2": ["iv-iron", "no-iron"],
    "IR-3": ["iv-iron"],
    "IR-4": ["withhold-iron"],
    "IR-5": ["withhold-iron"],
    "IR-6": ["iv-iron"],
    "IR-9": ["iv-iron", "no-iron"],
    "IR-12": ["oral-iron"],
    "OV-4": ["withhold-iron"],
    "MY-2": ["oral-iron"],
    "MY-3": ["iv-iron", "no-iron"],
    "MY-4": ["iv-iron"],
    "MY-5": ["no-iron"],
    "MY-6": ["iv-iron"],
    "AN-1": ["oral-iron"],
    "DG-2": ["oral-iron"],
    "DG-2-IV": ["iv-iron"],
    "NI-1": ["oral-iron"],
    "NI-1-range": ["oral-iron", "no-iron"],
    "PG-1": ["oral-iron"],
    "PG-1-at-limit": ["oral-iron", "no-iron"],
    "PG-2": ["oral-or-iv-iron"],
    "CK-3": ["iv-iron"],
    "CK-4": ["oral-or-iv-iron"],
    "CK-5": ["withhold-iron"],
    "CK-5-hemodialysis": ["withhold-iron"],
    "CK-5-without-anemia": ["withhold-iron"],
    "CK-5-under-6-months": ["withhold-iron"],
    "CK-6": ["oral-or-iv-iron"],
    "CK-6-under-6-months": ["iv-iron", "oral-or-iv-iron", "no-iron"],
}
RLS = (
    "aan-2016",
    "aasm-2025",
    "dgn-2022",
    "irlssg-2018",
    "mayo-2021",
    "nice-cks",
    "picchietti-2015",
)
ALL = (*RLS, "kdigo-2026")


def rule_tables(id_: str) -> list[dict[str, Any]]:
    populations = document(f"guidelines/{id_}.toml").data["population"]
    return [rule for population in populations for rule in population["rule"]]


@pytest.mark.parametrize(("id_", "rule"), RULES, ids=lambda part: part)
def test_a_rule_of_the_evidence_is_in_its_file(id_: str, rule: str) -> None:
    """§3: strength, certainty, tier; §7: limits and disposition, operators and numbers."""
    (strength, certainty), tier, ways = RULES[id_, rule]
    (table,) = (table for table in rule_tables(id_) if table["id"] == rule)
    assert (table.get("strength", ""), table.get("certainty", "")) == (strength, certainty)
    assert table["verified"] == tier
    assert (table.get("any") or [table.get("when", {})]) == ways
    given = table["disposition"]
    assert ([given] if isinstance(given, str) else given) == DISPOSED[rule]


@pytest.mark.parametrize("id_", ALL)
def test_every_other_rule_is_named_after_one_of_the_evidence(id_: str) -> None:
    """A cell that the source leaves out, or two rules that overlap: `AA-2-AA-3`, `IR-3-unmet`."""
    listed = {rule for name, rule in RULES if name == id_}
    for table in rule_tables(id_):
        if table["id"] not in listed:
            stem = table["id"].removesuffix("-unmet").removesuffix("-end-stage")
            assert set(re.findall(r"[A-Z]{2}-\d+", stem)) <= listed
            assert "-".join(re.findall(r"[A-Z]{2}-\d+", stem)) == stem


@pytest.mark.parametrize("id_", ALL)
def test_a_shipped_guideline_compiles_and_is_honest(id_: str) -> None:
    """§0: nobody has checked these: `reviewed_by` is empty until a clinician signs."""
    for strict in (False, True):
        compile_table(shipped(id_), strict=strict)
    assert shipped(id_).reviewed_by == ()
    assert shipped(id_).id == shipped(id_).source == id_
    assert shipped(id_).purpose == ("rls" if id_ in RLS else "anemia")


SILENT = {
    "aasm-2025": {"pregnancy"},
    "irlssg-2018": {"pregnancy", "end-stage"},
    "mayo-2021": {"pregnancy", "end-stage"},
    "aan-2016": {"pregnancy", "end-stage"},
    "dgn-2022": {"pregnancy", "end-stage"},
    "nice-cks": {"pregnancy", "end-stage"},
    "picchietti-2015": {"end-stage"},
    "kdigo-2026": set(),
}


@pytest.mark.parametrize("id_", ALL)
def test_a_guideline_says_on_what_it_is_silent(id_: str) -> None:
    """§7: only Picchietti speaks of pregnancy; of end-stage kidney disease only AASM and KDIGO."""
    assert shipped(id_).silent_on == SILENT[id_]


@pytest.mark.parametrize("id_", ALL)
def test_the_numbers_of_a_rule_in_words_are_its_limits(id_: str) -> None:
    """`says` is shown to a clinician: a number in it stands in a limit of its population."""
    for population in document(f"guidelines/{id_}.toml").data["population"]:
        ways = [way for r in population["rule"] for way in r.get("any") or [r.get("when", {})]]
        limits = {number for way in ways for number in re.findall(r"\d+", str(way))}
        for rule in population["rule"]:
            text = f"{rule['says']} {rule.get('why', '')}"
            limits |= {"mayo-2021": {"75", "100"}, "kdigo-2026": {"6"}}.get(id_, set())
            assert set(re.findall(r"\d+", text)) <= limits


def test_the_limits_of_the_safety_layer() -> None:
    """§7, by hand: SL1 45 and 40, SL2 300 and 700, SL5 over 100 with T under 20."""
    tables = {table["id"]: table for table in document("safety.toml").data["rule"]}
    parameters = document("facts.toml").data["parameters"]
    assert parameters == {
        "child_below": "18 years",
        "crp_limit": "5 mg/L",
        "tsat_ceiling": "45 %",
        "ferritin_ceiling": "300 ug/L",
    }
    assert tables["SL1"]["any"] == [
        {"tsat": ">= tsat_ceiling"},
        {"tsat": ">= 40 %", "kidney": ["ckd", "end-stage"]},
    ]
    assert tables["SL2"]["any"] == [
        {"ferritin": ">= ferritin_ceiling", "kidney": ["none", "ckd"]},
        {"ferritin": "> 700 ug/L", "kidney": "end-stage"},
    ]
    assert tables["SL3"]["when"] == {"iron-loading": True}
    assert tables["SL4"]["any"] == [{"iv-stopped": True}, {"pregnancy": "trimester-1"}]
    assert tables["SL5"]["when"] == {
        "ferritin": "> 100 ug/L",
        "tsat": "< 20 %",
        "kidney": ["none", "ckd"],
    }


# evidence/clinical.md §2, by hand.
DOIS = {
    "irlssg-2018": "10.1016/j.sleep.2017.11.1126",
    "aasm-2025": "10.5664/jcsm.11390",
    "mayo-2021": "10.1016/j.mayocp.2020.12.026",
    "aan-2016": "10.1212/WNL.0000000000003388",
    "picchietti-2015": "10.1016/j.smrv.2014.10.009",
    "kdigo-2026": "10.1016/j.kint.2025.06.006",
    "easl-2022": "10.1016/j.jhep.2022.03.033",
    "acg-2019": "10.14309/ajg.0000000000000315",
    "aga-2020": "10.1053/j.gastro.2020.06.046",
    "bsg-2021": "10.1136/gutjnl-2021-325210",
    "augmentation-2016": "10.1016/j.sleep.2016.01.017",
}
PMIDS = {
    "irlssg-2018": "29425576",
    "aasm-2025": "39324694",
    "mayo-2021": "34218864",
    "kdigo-2026": "41485812",
    "ridefelt-2010": "20800590",
    "pubmed-26031926": "26031926",  # PA-7
    "pubmed-28947322": "28947322",  # PA-4
}
KEYS = {
    *DOIS,
    *PMIDS,
    "rlsiron",  # ours
    "dgn-2022",
    "nice-cks",
    "who-2020",
    "who-2024-hb",
    "bsh-2019",
    "esc-2021",
    "trenkwalder-2016",
    "pilon-1981",
    "canapari",
    "pmc-5482577",  # PG-6
    "ferric-carboxymaltose-label",  # OV-7, OV-8
    "ferumoxytol-label",  # OV-9
}


def sources() -> dict[str, dict[str, str]]:
    return document("sources.toml").data


@pytest.mark.parametrize("key", sorted(sources()))
def test_a_source_is_as_in_the_evidence(key: str) -> None:
    """§2: the key, the DOI and the PMID; both well-formed."""
    assert key in KEYS
    source = sources()[key]
    assert source["citation"].endswith(".")
    assert source.get("doi") == DOIS.get(key)
    assert source.get("pmid") == PMIDS.get(key)
    assert re.fullmatch(r"10\.\d{4,9}/\S+", source.get("doi", "10.1000/x"))
    assert re.fullmatch(r"\d{1,8}", source.get("pmid", "1"))


def cited() -> set[str]:
    """Return every source that some knowledge file cites."""
    keys = {rule.source for id_ in guideline_ids() for rule in shipped(id_).rules}
    keys |= {shipped(id_).source for id_ in guideline_ids()}
    stated = [*statuses(), remarks(), *filter(None, map(remarks_of, map(shipped, guideline_ids())))]
    keys |= {rule.source for file in stated for rule in file.rules}
    keys |= {key for rule in safety().rules for key in rule.sources}
    keys |= {key for silence in safety().silences for key in silence.sources}
    keys |= {key for template in templates().values() for key in template.sources}
    return keys | {a.variation.source for a in units.analytes().values() if a.variation}


def test_every_source_that_is_cited_is_known() -> None:
    """An uncited rule is refused; a source that is not in sources.toml is none."""
    assert cited() <= sources().keys()


def test_a_file_about_anemia_says_so_wherever_its_title_stands() -> None:
    """§3: KDIGO is about anemia, not RLS; show it as such."""
    assert shipped("kdigo-2026").title == "KDIGO 2026 on anemia, not RLS"
    assert all("kidney" in rule.says or "hemo" in rule.says for rule in shipped("kdigo-2026").rules)


def test_every_key_of_the_evidence_is_a_source() -> None:
    """§2."""
    assert sources().keys() == KEYS


def test_the_four_guidelines_are_cited_with_their_names() -> None:
    """§2: first author, journal and year."""
    for key, parts in {
        "irlssg-2018": ("Allen RP", "Sleep Med 2018;41:27-44"),
        "aasm-2025": ("Winkelman JW", "J Clin Sleep Med 2025;21(1):137-152"),
        "mayo-2021": ("Silber MH", "Mayo Clin Proc 2021;96(7):1921-1937"),
        "aan-2016": ("Winkelman JW", "Neurology 2016;87:2585-2593"),
        "pilon-1981": ("Pilon VA", "Clin Chem 1981;27:78-82"),
        "kdigo-2026": ("KDIGO 2026", "Kidney Int 2026;109(1S):S1-S99"),
        "nice-cks": ("Clinical Knowledge Summary", "quotation in a UK government written answer"),
        "canapari": ("CraigCanapariMD/pediatric-iron-calculator (MIT)", "not a guideline"),
    }.items():
        for part in parts:
            assert part in sources()[key]["citation"]


def check_digit(stem: str) -> int:
    """Return LOINC's check digit: Luhn's, mod 10."""
    total = 0
    for place, digit in enumerate(reversed(stem)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return -total % 10


ACCEPTED = [(name, code) for name, one in units.analytes().items() for code in one.loinc]
NEVER = document("analytes.toml").data["loinc"]["never"]


@pytest.mark.parametrize("code", sorted({code for _, code in ACCEPTED} | set(NEVER)))
def test_a_loinc_code_has_its_check_digit(code: str) -> None:
    """A slip of the pen in a code is found by its last digit."""
    stem, digit = code.split("-")
    assert check_digit(stem) == int(digit)


def test_the_check_digit_is_that_of_loincs_own_example() -> None:
    """Glucose in serum or plasma is 2345-7; hemoglobin 718-7."""
    assert check_digit("2345") == 7
    assert check_digit("718") == 7


def test_a_loinc_code_means_one_analyte_and_none_that_is_never() -> None:
    """evidence/units.md §3."""
    codes = [code for _, code in ACCEPTED]
    assert len(codes) == len(set(codes))
    assert not set(codes) & set(NEVER)
    assert len(NEVER) == 20
    assert set(document("analytes.toml").data["loinc"]["remarks"]) <= set(codes)


def test_the_loinc_and_omop_codes_are_those_of_the_evidence() -> None:
    """evidence/units.md §3, by hand."""
    expected = {
        "ferritin": ("2276-4 20567-4 14723-1 24373-3", "3001122"),
        "tsat": ("2502-3 14801-5 39778-6 2505-6 6796-7", "3000185 3009814"),
        "iron": ("2498-4 14798-3", "3002400 3022948"),
        "tibc": ("2500-7 14800-7", "3021044 3009577"),
        "uibc": ("2501-5 22753-8 35216-1", "3005168 3002532"),
        "transferrin": ("3034-6 22674-6", "3004789 3002903"),
        "crp": ("1988-5 30522-7 76485-2 76486-0 71426-1 48421-2", "3020460 3010156"),
        "hemoglobin": (
            "718-7 59260-0 20509-6 55782-7 30313-1 30350-3 30351-1 30352-9 14775-1 76769-9 75928-2",
            "3000963 3027484",
        ),
    }
    for name, (loinc, omop) in expected.items():
        one = units.analytes()[name]
        assert " ".join(one.loinc) == loinc
        assert " ".join(map(str, one.omop)) == omop


def test_the_words_of_the_notes_are_complete() -> None:
    """Every disposition, input and event has its words, and there is none besides."""
    data = document("notes/en.toml").data
    assert set(data["disposition"]) == {*DISPOSITIONS, "indeterminate"}
    assert tuple(data["input"]) == Input.__args__  # type: ignore[attr-defined]
    assert set(data["event"]) == {name for name in Patient.model_fields if name.startswith("last_")}


def test_the_tiers_are_those_of_the_evidence() -> None:
    """Every tier that a file names is one of the five."""
    used = {rule.verified for id_ in guideline_ids() for rule in shipped(id_).rules}
    used |= {rule.verified for rule in safety().rules}
    used |= {rule.verified for file in (*statuses(), remarks()) for rule in file.rules}
    used |= {template.verified for template in templates().values() if template.verified}
    assert used <= set(TIERS)


def test_the_words_of_the_facts_are_words_of_a_patient() -> None:
    """A group stands for words that there are; what is assumed is a field."""
    data = document("facts.toml").data
    for group in data["group"]:
        assert set(group["words"]) <= set(vocabulary()[group["axis"]])
    assert set(data["assumed"]) == {
        "rls",
        "pregnancy",
        "kidney",
        "conditions",
        "oral_iron",
        "rapid_response_wanted",
        "inflammation",
        "last_oral_iron",
        "last_iv_iron",
        "last_transfusion",
        "last_fever",
    }


ADULT: dict[str, Any] = {"age": 44, "sex": "female"}
LOW: dict[str, Any] = {"ferritin": "62 ng/mL", "tsat": "30 %"}
DIFFERING = LabResult(
    analyte="ferritin", reported="62 ng/mL; 90 ng/mL", low=62, high=90, codes=("results-differ",)
)


def ask(told: dict[str, Any] | None = None, **given: Any) -> Callable[[], Interpretation]:  # noqa: ANN401 - as the fields are
    return lambda: interpret(patient={**ADULT, **(told or {})}, **given)


# A patient for whom each note must be said.
SAID: dict[str, Callable[[], Interpretation]] = {
    "lead": ask(**LOW),
    "lead-before-safety": ask(ferritin="62 ng/mL", tsat="50 %"),
    "SL1": ask(tsat="45 %"),
    "SL2": ask(ferritin="300 ng/mL", tsat="30 %"),
    "SL3": ask({"conditions": "repeated-transfusion"}),
    "SL4": ask({"conditions": "iv-iron-anaphylaxis"}),
    "not-excluded": ask(ferritin="62 ng/mL"),
    "SL5": ask(ferritin="150 ng/mL", tsat="15 %"),
    "iv-assumes-not-pregnant": ask(ferritin="90 ng/mL", tsat="30 %"),
    "iv-assumes-no-infection": ask(ferritin="90 ng/mL", tsat="30 %"),
    "unread-field": ask({"kidney": "x"}, errors="note"),
    "unread-result": ask(ferritin="62", errors="note"),
    "missing-result": ask(ferritin="QNS"),
    "own-unit-wins": ask(ferritin=("62 ng/mL", "ug/dL")),
    "zero-value": ask(tsat="0 %"),
    "implausible": ask(ferritin="0.5 ng/mL"),
    "results-differ": ask(ferritin=DIFFERING),
    "tsat-readings-differ": ask(tsat="19 %", iron="60 ug/dL", tibc="300 ug/dL"),
    "tsat-readings-far-apart": ask(tsat="16 %", iron="60 ug/dL", tibc="300 ug/dL"),
    "tsat-unit-suspected": ask(tsat="2 %", iron="60 ug/dL", tibc="300 ug/dL"),
    "tsat-over-100": ask(iron="400 ug/dL", tibc="300 ug/dL"),
    "tsat-from-transferrin": ask(iron="60 ug/dL", transferrin="240 mg/dL"),
    "tsat-outside-transferrin": ask(tsat="40 %", iron="60 ug/dL", transferrin="240 mg/dL"),
    "tibc-unlike-transferrin": ask(iron="60 ug/dL", tibc="900 ug/dL", transferrin="240 mg/dL"),
    "inflammation-contradicts-crp": ask({"inflammation": False}, crp="20 mg/L"),
    "after-oral-iron": ask({"last_oral_iron": "2026-01-31"}, drawn="2026-01-31", **LOW),
    "after-oral-iron-undated": ask({"last_oral_iron": "2026-01-31"}, **LOW),
    "after-oral-iron-read": ask({"last_oral_iron": "2026-01-30"}, drawn="2026-01-31", **LOW),
    "after-iv-iron": ask({"last_iv_iron": "2026-01-30"}, drawn="2026-01-31", **LOW),
    "after-iv-iron-undated": ask({"last_iv_iron": "2026-01-30"}, **LOW),
    "after-iv-iron-late-read": ask({"last_iv_iron": "2026-01-01"}, drawn="2026-01-31", **LOW),
    "after-transfusion": ask({"last_transfusion": "2026-01-30"}, drawn="2026-01-31", **LOW),
    "after-transfusion-undated": ask({"last_transfusion": "2026-01-30"}, **LOW),
    "after-transfusion-read": ask({"last_transfusion": "2026-01-29"}, drawn="2026-01-31", **LOW),
    "after-fever-read": ask({"last_fever": "2026-01-10"}, drawn="2026-01-31", **LOW),
    "decision": ask(**LOW),
    "strict": ask(strict=True, **LOW),
    "differ": ask(**LOW),
    "rls-not-confirmed": ask({"rls": "absent"}, **LOW),
    "silent-on-pregnancy": ask({"pregnancy": "trimester-2"}, **LOW),
    "silent-on-end-stage": ask({"kidney": "ckd-5"}, **LOW),
    "severe-anemia": ask(hemoglobin="7 g/dL"),
    "status": ask(ferritin="20 ng/mL"),
    "assumptions": ask(**LOW),
    "needs": ask({"age": None}, ferritin="40 ng/mL"),
    "lead-criterion-met": ask(ferritin="62 ng/mL"),
    "lead-open": ask(),
    "oral-iron-undated": ask({"oral_iron": "taking"}, **LOW),
    "ferritin-urgent": ask(ferritin="1000 ng/mL"),
    "high-tsat-low-ferritin": ask(ferritin="62 ng/mL", tsat="45 %"),
    "high-tsat": ask(ferritin="80 ng/mL", tsat="45 %"),
    "trimester-unknown": ask({"pregnancy": "pregnant"}, **LOW),
    "iv-products": ask(**LOW),
    "not-fasting": ask(fasting=False, **LOW),
    "drawn-late": ask(drawn="2026-01-31T16:00", **LOW),
    "low-though-inflamed": ask(crp="20 mg/L", **LOW),
    "inflamed": ask(ferritin="80 ng/mL", crp="20 mg/L"),
    "at-limit-included": ask(ferritin="75 ng/mL"),
    "at-limit-differs": ask(ferritin="100 ng/mL"),
    "borderline": ask(ferritin="74 ng/mL", tsat="30 %"),
    "assay-unknown": ask(**LOW),
    "adolescent": ask({"age": 14}, **LOW),
    "options": ask(**LOW),
    "remark": ask({"age": 9}, **LOW),
    "severity-mild": ask({"severity": "mild"}, ferritin="80 ng/mL", tsat="30 %"),
    "aggravating": ask(**LOW),
    "kidney-disease": ask({"kidney": "ckd"}, **LOW),
    "pregnancy": ask({"pregnancy": "trimester-3"}, **LOW),
    "look-for-cause": ask(ferritin="20 ng/mL"),
    "follow-oral": ask(**LOW),
    "follow-oral-child": ask({"age": 9}, ferritin="20 ng/mL", tsat="30 %"),
    "follow-iv": ask(**LOW),
    "test-again": ask(**LOW),
    "how-to-draw": ask(**LOW),
    **{
        f"condition-{name}": ask({"conditions": name})
        for name in CONDITIONS
        if f"condition-{name}" in templates()
    },
}


@pytest.mark.parametrize("code", sorted({*SAID, *templates()}))
def test_a_note_is_said_of_some_patient_and_its_text_is_filled(code: str) -> None:
    """No sentence that nobody can be told, none that is not there, no placeholder left open."""
    found = [note for note in SAID[code]().notes if note.code == code]
    assert found
    for note in found:
        shown = note.text.replace("{'ferritin': 'ng/mL'}", "")  # the way out of a missing unit
        for slip in ("{", "}", "None", "False", "..", "  "):
            assert slip not in shown


def test_every_window_has_the_sentences_that_it_may_need() -> None:
    """One that hides has three; one that does not has the sentence of a value that is read."""
    for window in windows():
        assert f"{window.code}-read" in templates() or not (window.by_the_clock or not window.hides)
        if window.hides:
            assert {window.code, f"{window.code}-undated"} <= set(templates())


OF_WINDOWS = {
    "after-oral-iron": ("convention", "aasm-2025"),
    "after-oral-iron-undated": ("convention", "aasm-2025"),
    "after-oral-iron-read": ("convention", "aasm-2025"),
    "oral-iron-undated": ("convention", "aasm-2025"),
    "after-iv-iron": ("convention", "kdigo-2026"),
    "after-iv-iron-undated": ("convention", "kdigo-2026"),
    "after-iv-iron-late-read": ("secondary", "kdigo-2026"),  # PA-8: prefer 8 weeks
    "after-transfusion": ("convention", "rlsiron"),
    "after-transfusion-undated": ("convention", "rlsiron"),
    "after-transfusion-read": ("convention", "rlsiron"),
    "after-fever-read": ("convention", "rlsiron"),
}


@pytest.mark.parametrize("code", OF_WINDOWS)
def test_a_note_of_a_window_claims_no_more_than_the_window(code: str) -> None:
    """§0: the 28 days and the 24 and 36 hours are conventions."""
    (note,) = [note for note in SAID[code]().notes if note.code == code]
    verified, source = OF_WINDOWS[code]
    assert (note.verified, note.sources) == (verified, (source,))


def test_every_reason_of_a_decision_is_given_somewhere() -> None:
    """The keys of [because] against the words of the code."""
    code = text_of_decision()
    assert [
        key for key in document("notes/en.toml").data["because"] if f'"{key}"' not in code
    ] == []


def text_of_decision() -> str:
    """Return the source of the module that chooses the reason."""
    from importlib.resources import files

    return files("rlsiron").joinpath("decision.py").read_text("utf-8")


@pytest.mark.parametrize("name", ["facts.toml", "safety.toml", "sources.toml", "notes/en.toml"])
def test_a_knowledge_file_has_no_lost_letter(name: str) -> None:
    """No replacement character, no mojibake."""
    text = text_of(name)
    assert not [bad for bad in ("\ufffd", "Â", "Ã") if bad in text]
