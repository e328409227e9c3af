"""The conformance pack: what a user gives, and what each guideline must say of it.

Most cases are made here from the matrices of the evidence (clinical §7), transcribed cell by cell
below and read by a few lines that know nothing of the library or of its files; the others, on
gaps, reading and unknown inputs, were written by hand. `python tests/test_vectors.py` writes the
files that are made here anew.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import rlsiron

FOLDER = Path(__file__).resolve().parent / "vectors"
Case = dict[str, Any]
Said = frozenset[str]

# The matrices of clinical §7, as they stand there. Rows are ferritin [µg/L], columns TSAT [%].

ABBREVIATED = {
    "ORAL": "oral-iron",
    "IV": "iv-iron",
    "ORAL|IV": "oral-or-iv-iron",
    "NONE": "no-iron",
    "BLOCK": "withhold-iron",
}
ORDER = [
    "oral-iron",
    "iv-iron",
    "oral-or-iv-iron",
    "no-iron",
    "withhold-iron",
    "not-covered",
]
NOT_COVERED = frozenset({"not-covered"})
COLUMNS = ("< 20", "[20,45)", ">= 45")
Matrix = dict[str, tuple[str, str, str]]

IRLSSG_ADULT: Matrix = {
    "[0,75]": ("ORAL; IV if iv-reason", "ORAL; IV if iv-reason", "BLOCK"),
    "(75,100]": ("IV", "IV", "BLOCK"),
    "(100,300)": ("? {IV, NONE}", "NONE; ? {IV, NONE} if earlier-iv", "BLOCK"),
    ">= 300": ("BLOCK", "BLOCK", "BLOCK"),
}
AASM_ADULT: Matrix = {
    "[0,75]": ("ORAL|IV", "ORAL|IV", "ORAL|IV"),
    "(75,100]": ("? {ORAL|IV, IV}", "IV", "IV"),
    "> 100": ("ORAL|IV", "NONE", "NONE"),
}
MAYO_ADULT: Matrix = {
    "[0,75]": ("ORAL; IV if iv-reason", "ORAL; IV if iv-reason", "BLOCK"),
    "(75,100)": ("IV", "IV", "BLOCK"),
    "= 100": ("? {IV, NONE}", "? {IV, NONE}", "BLOCK"),
    "> 100": ("NONE; ? {IV, NONE} if inflamed", "NONE", "BLOCK"),
}
AAN_ADULT: Matrix = {
    "<= 75": ("ORAL", "ORAL", "ORAL"),
    "> 75": ("NONE", "NONE", "NONE"),
}
AASM_CHILD: Matrix = {
    "< 50": ("ORAL|IV", "ORAL|IV", "ORAL|IV"),
    ">= 50": ("NONE", "NONE", "NONE"),
}
IRLSSG_CHILD: Matrix = {
    "< 50": ("ORAL", "ORAL", "ORAL"),
    ">= 50": ("NONE", "NONE", "NONE"),
}
AASM_END_STAGE_ADULT: Matrix = {
    "< 200": ("IV", "? {ORAL|IV, IV, NONE}", "? {ORAL|IV, IV, NONE}"),
    ">= 200": ("? {ORAL|IV, IV, NONE}",) * 3,
}
AASM_END_STAGE_CHILD: Matrix = {">= 0": ("? {ORAL|IV, NONE}",) * 3}
DGN_ADULT: Matrix = {
    "<= 75": ("ORAL; IV if iv-reason or moderate-severe",) * 3,
    "> 75": ("NONE",) * 3,
}
NICE_ADULT: Matrix = {
    "< 50": ("ORAL",) * 3,
    "[50,75)": ("? {ORAL, NONE}",) * 3,
    ">= 75": ("NONE",) * 3,
}
PICCHIETTI: Matrix = {
    "< 30": ("ORAL; ORAL|IV if oral-iron-failed",) * 3,
    "[30,75)": ("ORAL",) * 3,
    "= 75": ("? {ORAL, NONE}",) * 3,
    "> 75": ("NONE",) * 3,
}
KDIGO_HEMODIALYSIS: Matrix = {
    "<= 500": ("IV", "? {IV, NONE}", "BLOCK"),
    "(500,700]": ("? {IV, NONE}", "? {IV, NONE}", "BLOCK"),
    "> 700": ("BLOCK",) * 3,
}
KDIGO_ANEMIA: Matrix = {
    "< 100": ("ORAL|IV", "ORAL|IV", "BLOCK"),
    "[100,300)": ("ORAL|IV", "NONE", "BLOCK"),
    "[300,700]": ("NONE", "NONE", "BLOCK"),
    "> 700": ("BLOCK",) * 3,
}
KDIGO_NO_ANEMIA: Matrix = {
    "< 30": ("ORAL|IV", "NONE", "BLOCK"),
    "[30,700]": ("NONE", "NONE", "BLOCK"),
    "> 700": ("BLOCK",) * 3,
}
# GN-6 begins at 6 months: under it both stay open, whatever the kidneys
KDIGO_INFANT: Matrix = {
    "<= 700": ("? {IV, ORAL|IV, NONE}", "? {IV, ORAL|IV, NONE}", "BLOCK"),
    "> 700": ("BLOCK",) * 3,
}
COLUMNS_OF: list[tuple[Matrix, tuple[str, str, str]]] = [
    (KDIGO_HEMODIALYSIS, ("<= 30", "(30,40)", ">= 40")),
    (KDIGO_ANEMIA, ("< 25", "[25,40)", ">= 40")),
    (KDIGO_NO_ANEMIA, ("< 20", "[20,40)", ">= 40")),
    (KDIGO_INFANT, ("< 20", "[20,40)", ">= 40")),
]

END_STAGE = {"ckd-5", "hemodialysis", "peritoneal-dialysis"}
EXPECTING = {"trimester-1", "trimester-2", "trimester-3", "postpartum"}
Who = Mapping[str, Any]  # one patient of whom all is known


def is_adult(who: Who) -> bool:
    return bool(who["age"] >= 18)


def aasm(who: Who) -> Matrix:
    if who["kidney"] in END_STAGE:
        return AASM_END_STAGE_ADULT if is_adult(who) else AASM_END_STAGE_CHILD
    return AASM_ADULT if is_adult(who) else AASM_CHILD


def kdigo(who: Who) -> Matrix | None:
    if who["kidney"] == "none":
        return None
    if who["anemia"]:
        return KDIGO_HEMODIALYSIS if who["kidney"] == "hemodialysis" else KDIGO_ANEMIA
    return KDIGO_NO_ANEMIA if who["age"] >= 0.5 else KDIGO_INFANT


MATRICES: dict[str, Callable[[Who], Matrix | None]] = {
    "aasm-2025": aasm,
    "irlssg-2018": lambda who: IRLSSG_ADULT if is_adult(who) else IRLSSG_CHILD,
    "mayo-2021": lambda who: MAYO_ADULT if is_adult(who) else None,
    "aan-2016": lambda who: AAN_ADULT if is_adult(who) else None,
    "dgn-2022": lambda who: DGN_ADULT if is_adult(who) else None,
    "nice-cks": lambda who: NICE_ADULT if is_adult(who) else None,
    "picchietti-2015": lambda who: PICCHIETTI if who["pregnancy"] in EXPECTING else None,
    "kdigo-2026": kdigo,
}
GUIDELINES = ["aasm-2025", "irlssg-2018", "mayo-2021", "aan-2016"]
ANEMIA = {"kdigo-2026"}  # not about RLS: no safety layer, no silence
# strict leaves out IR-6 and IR-9, which give iron on unverified text, and all that PG-1, PG-2 give
UNVERIFIED = {"irlssg-2018": {"iv-reason", "earlier-iv"}}
ALL_UNVERIFIED = {"picchietti-2015"}
GIVES = frozenset({"oral-iron", "iv-iron", "oral-or-iv-iron"})


def within(value: float, band: str) -> bool:
    """Tell whether a value lies in a band such as "(75,100]" or ">= 45"."""
    if band[0] in "[(":
        low, high = map(float, band[1:-1].split(","))
        return (low <= value if band[0] == "[" else low < value) and (
            value <= high if band[-1] == "]" else value < high
        )
    operator, limit = band.split(" ")
    at = float(limit)
    return {
        "<": value < at,
        "<=": value <= at,
        "=": value == at,
        ">=": value >= at,
        ">": value > at,
    }[operator]


def members(cell: str) -> Said:
    """Return the members of a cell such as "IV" or "? {IV, NONE}"."""
    return frozenset(ABBREVIATED[word.strip()] for word in cell.strip("? {}").split(","))


NOBODY: dict[str, Any] = {
    "age": 44.0,
    "rls": "confirmed",
    "kidney": "none",
    "pregnancy": "none",
    "iv-reason": False,
    "inflamed": False,
    "earlier-iv": False,
    "iron-loading": False,
    "iv-stopped": False,
    "oral-iron-failed": False,
    "moderate-severe": False,
    "anemia": False,
}


def criterion(guideline: str, who: Who, *, strict: bool = False) -> Said:
    """Return what a source's own text says."""
    matrix = MATRICES[guideline](who)
    if matrix is None or (who["rls"] != "confirmed" and guideline not in ANEMIA):
        return NOT_COVERED
    columns = next((at for one, at in COLUMNS_OF if one is matrix), COLUMNS)
    (row,) = (cells for band, cells in matrix.items() if within(who["ferritin"], band))
    (cell,) = (c for band, c in zip(columns, row, strict=True) if within(who["tsat"], band))
    said, _, exception = cell.partition("; ")
    if exception:
        instead, fact = exception.split(" if ")
        left_out = strict and fact in UNVERIFIED.get(guideline, set())
        holds = any(who[name] for name in fact.split(" or "))
        said = instead if holds and not left_out else said
    found = members(said)
    if strict and guideline in ALL_UNVERIFIED and found & GIVES:
        return frozenset({"no-iron"})
    silent = guideline not in {*ANEMIA, "picchietti-2015"}
    expecting = silent and who["pregnancy"] in EXPECTING - {"trimester-1"}
    return found | {"no-iron"} if expecting and found == {"iv-iron"} else found


def answer(guideline: str, who: Who, *, strict: bool = False) -> Said:
    """Return what is left of a criterion; strict gives no iron where all rules give none."""
    said = criterion(guideline, who, strict=strict)
    if guideline in ANEMIA:
        return said
    left = after_safety(who, said)
    if strict and left & GIVES:
        whole = answer(guideline, who)
        return left if whole & GIVES else whole
    return left


def safety(who: Who, said: Said) -> set[str]:
    """Return which rules of the safety layer hold."""
    end_stage = who["kidney"] in END_STAGE
    rules = {
        "SL1": who["tsat"] >= (45 if who["kidney"] == "none" else 40),
        "SL2": who["ferritin"] > 700 if end_stage else who["ferritin"] >= 300,
        "SL3": who["iron-loading"],
        "SL4": who["iv-stopped"] or who["pregnancy"] == "trimester-1",
        "SL5": who["ferritin"] > 100 and who["tsat"] < 20 and not end_stage and bool(said & GIVES),
    }
    return {id_ for id_, holds in rules.items() if holds}


def after_safety(who: Who, said: Said) -> Said:
    """Return what is left of a source's criterion when the safety layer lies over it."""
    holds = safety(who, said)
    if said == NOT_COVERED:
        return said
    if holds & {"SL1", "SL2", "SL3"}:
        return frozenset({"withhold-iron"})
    if "SL5" in holds:
        said |= {"no-iron"}
    if "SL4" in holds:
        changed = {"oral-or-iv-iron": "oral-iron", "iv-iron": "withhold-iron"}
        said = frozenset(changed.get(word, word) for word in said)
    return said


# A patient of whom not all is known is every patient whom it may be, at and beside every limit.

STEP = 1e-9
LIMITS: dict[str, tuple[float, ...]] = {
    "ferritin": (50, 75, 100, 200, 300, 700),
    "tsat": (20, 40, 45),
}
MORE: dict[str, tuple[float, ...]] = {"ferritin": (30, 500), "tsat": (25, 30)}
VALUES: dict[str, list[Any]] = {
    "ferritin": sorted(
        {1.0, 40.0, 60.0, 90.0, 150.0, 250.0, 400.0, 600.0, 5000.0}
        | {
            round(at + by, 9)
            for at in (*LIMITS["ferritin"], *MORE["ferritin"])
            for by in (-STEP, 0, STEP)
        }
    ),
    "tsat": sorted(
        {0.0, 10.0, 22.0, 28.0, 35.0, 42.0, 60.0, 100.0}
        | {round(at + by, 9) for at in (*LIMITS["tsat"], *MORE["tsat"]) for by in (-STEP, 0, STEP)}
    ),
    "age": [0.0, 0.499999999, 0.5, 10.0, 17.999999999, 18.0, 44.0, 130.0],
    "kidney": ["none", "ckd", *sorted(END_STAGE)],
    "pregnancy": ["none", "trimester-1", "trimester-2", "trimester-3", "postpartum"],
}
PREGNANT = ["trimester-1", "trimester-2", "trimester-3"]
INPUTS = ("ferritin", "tsat", "age", "pregnancy", "kidney")
Open = Mapping[str, list[Any]]


def everyone(possible: Open) -> Iterator[dict[str, Any]]:
    """Yield every patient whom it may be."""
    axes = {name: [value] for name, value in NOBODY.items()} | dict(possible)
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def iron(possible: Said) -> str:
    if possible <= set(ORDER[:3]):
        return "give"
    if possible <= {"no-iron", "withhold-iron"}:
        return "do-not-give"
    return "not-covered" if possible == NOT_COVERED else "open"


def said_of(guideline: str, possible: Open, *, strict: bool = False) -> dict[str, Any]:
    """Return what a guideline says of all whom it may be, and what would settle it."""
    own: Said = frozenset()
    after: Said = frozenset()
    # for each input not known, and each way that all else can be, what its values say
    held: dict[str, dict[Any, set[Said]]] = {
        name: {} for name in INPUTS if len(possible.get(name, [0])) > 1
    }
    for who in everyone(possible):
        said = criterion(guideline, who, strict=strict)
        left = answer(guideline, who, strict=strict)
        own, after = own | said, after | left
        for name, cases in held.items():
            else_ = tuple(value for other, value in who.items() if other != name)
            cases.setdefault(else_, set()).add(left)
    return {
        "criterion": one_of(own),
        "criterion_possible": sorted(own, key=ORDER.index),
        "disposition": one_of(after),
        "possible": sorted(after, key=ORDER.index),
        "iron": iron(after),
        "needs": [
            name for name, cases in held.items() if any(len(said) > 1 for said in cases.values())
        ],
    }


def one_of(said: Said) -> str:
    (*_, word) = sorted(said)
    return word if len(said) == 1 else "indeterminate"


def stops_of(
    possible: Open, guidelines: list[str], *, strict: bool = False
) -> tuple[list[str], list[str]]:
    """Return the safety notes that must be there, and those that must not."""
    certain: set[str] = set()
    never = {"SL1", "SL2", "SL3", "SL4", "SL5"}
    for guideline in [one for one in guidelines if one not in ANEMIA]:
        holds = [
            safety(who, criterion(guideline, who, strict=strict)) for who in everyone(possible)
        ]
        if all(one & {"SL1", "SL2", "SL3"} for one in holds):
            holds = [one - {"SL5"} for one in holds]  # what is withheld is not open
        certain |= set.intersection(*holds)
        never -= set[str]().union(*holds)
    return sorted(certain), sorted(never)


def case(
    id_: str,
    tests: str,
    input_: dict[str, Any],
    possible: Open,
    *,
    strict: bool = False,
    guidelines: list[str] = GUIDELINES,
) -> Case:
    """Return a case: what is given, and what the matrices make of it."""
    has, lacks = stops_of(possible, guidelines, strict=strict)
    given: dict[str, Any] = {**input_, "guidelines": guidelines}
    if strict:
        given["strict"] = True
    return {
        "id": id_,
        "tests": tests.split(),
        "input": given,
        "expected": {name: said_of(name, possible, strict=strict) for name in guidelines},
        "notes": has,
        "no_notes": lacks,
    }


def text(number: float) -> str:
    """Return a number as a laboratory would print it."""
    return f"{number:.9f}".rstrip("0").rstrip(".")


def results(ferritin: float | None, tsat: float | None) -> dict[str, str]:
    given = {}
    if ferritin is not None:
        given["ferritin"] = f"{text(ferritin)} ng/mL"
    if tsat is not None:
        given["tsat"] = f"{text(tsat)} %"
    return given


POPULATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "adult": ("AA-2 AA-3 IR-1 IR-2 IR-3 IR-4 IR-5 MY-2 MY-5 MY-6 AN-1", {"age": 44}),
    "adult with CKD": ("AA-2 G7 SL1", {"age": 44, "kidney": "ckd"}),
    "adult on hemodialysis": ("AA-9 G21 CK-5", {"age": 44, "kidney": "hemodialysis"}),
    "child": ("AA-4 IR-11 IR-12", {"age": 9}),
    "child with CKD 5": ("G21", {"age": 9, "kidney": "ckd-5"}),
}


def at_limits() -> Iterator[Case]:
    """On each printed limit, one grid step and one reporting step to either side."""
    steps = (-0.1, -STEP, 0, STEP, 0.1)
    for population, (tests, patient) in POPULATIONS.items():
        for name, others in (("ferritin", (10.0, 30.0)), ("tsat", (60.0, 90.0, 150.0))):
            for limit, step, other in product(LIMITS[name], steps, others):
                at = round(limit + step, 9)
                ferritin, tsat = (at, other) if name == "ferritin" else (other, at)
                yield case(
                    f"{population}: ferritin {text(ferritin)}, TSAT {text(tsat)}",
                    f"{tests} G28",
                    {**results(ferritin, tsat), "patient": patient},
                    open_(patient, ferritin=[ferritin], tsat=[tsat]),
                )


def open_(patient: Mapping[str, Any], **possible: list[Any]) -> dict[str, list[Any]]:
    known = {name: [value] for name, value in patient.items() if name in NOBODY}
    if patient.get("pregnancy") == "pregnant":
        known["pregnancy"] = PREGNANT
    return {**known, **possible}


MIDDLES = list(product((30.0, 60.0, 90.0, 150.0, 250.0, 500.0), (10.0, 30.0, 50.0)))


def in_every_cell() -> Iterator[Case]:
    """Inside every cell of every matrix, for each population, pregnant or not."""
    for ferritin, tsat in [*MIDDLES, (800.0, 10.0), (150.0, 42.0)]:
        for population, (tests, patient) in POPULATIONS.items():
            yield case(
                f"{population}, inside a cell: ferritin {text(ferritin)}, TSAT {text(tsat)}",
                tests,
                {**results(ferritin, tsat), "patient": patient},
                open_(patient, ferritin=[ferritin], tsat=[tsat]),
            )
    for word in (*PREGNANT, "pregnant", "postpartum"):
        for population in ("adult", "adult on hemodialysis", "child"):
            patient = {**POPULATIONS[population][1], "sex": "female", "pregnancy": word}
            for ferritin, tsat in product((30.0, 90.0, 150.0), (10.0, 30.0, 50.0)):
                yield case(
                    f"{population}, {word}: ferritin {text(ferritin)}, TSAT {text(tsat)}",
                    "AA-13 PG-2 SL4 G23" if word == "pregnant" else "AA-13 PG-2 SL4",
                    {**results(ferritin, tsat), "patient": patient},
                    open_(patient, ferritin=[ferritin], tsat=[tsat]),
                )


def ages() -> Iterator[Case]:
    """At the age from which the adult's table applies, with an age and with a birth date."""
    for age in (0, 11.9, 12, 17.9, 17.999999999, 18, 18.1, 130):
        for ferritin in (45.0, 60.0, 90.0):
            yield case(
                f"age {text(age)}: ferritin {text(ferritin)}, TSAT 30",
                "G20 child_below",
                {**results(ferritin, 30), "patient": {"age": age}},
                {"age": [age], "ferritin": [ferritin], "tsat": [30.0]},
            )
    for drawn, age in (("2026-03-01", 17), ("2026-03-02", 18), ("2026-03-02T00:30", 18)):
        yield case(
            f"born 2008-03-02, drawn {drawn}",
            "G20 child_below",
            {**results(60, 30), "patient": {"birth_date": "2008-03-02"}, "drawn": drawn},
            {"age": [float(age)], "ferritin": [60.0], "tsat": [30.0]},
        )


IV_REASONS: list[dict[str, Any]] = [
    {"oral_iron": "failed"},
    {"oral_iron": "not-tolerated"},
    {"oral_iron": "not-absorbed"},
    {"conditions": ["gi-disease"]},
    {"conditions": ["bariatric-surgery"]},
    {"rapid_response_wanted": True},
]
NO_IV_REASONS: list[dict[str, Any]] = [
    {"oral_iron": "untried"},
    {"oral_iron": "taking"},
    {"rapid_response_wanted": False},
    {"severity": "mild"},
    {"severity": "moderate-severe"},
    {"conditions": ["heart-failure", "diabetes", "augmentation"]},
]
INFLAMED: list[dict[str, Any]] = [
    {"patient": {"inflammation": True}},
    {"crp": "5.1 mg/L"},
    {"crp": "5.000000001 mg/L"},
    {"crp": "0.51 mg/dL"},
    {"crp": ">5 mg/L"},
    {"crp": "12 mg/L", "patient": {"inflammation": False}},
    {"patient": {"conditions": ["malignancy"]}},
    {"patient": {"conditions": ["active-infection"]}},
]
NOT_INFLAMED: list[dict[str, Any]] = [
    {"patient": {"inflammation": False}},
    {"crp": "5 mg/L"},
    {"crp": "0.5 mg/dL"},
    {"crp": "4.9 mg/L"},
    {"crp": "<=5 mg/L"},
    {"crp": "0 mg/L"},
    {"crp": "hemolyzed"},
    {"patient": {"conditions": ["autoimmune-disease"]}},
]
LOADING = ["hemochromatosis", "iron-loading-anemia", "repeated-transfusion"]


def named(given: Mapping[str, Any]) -> str:
    return json.dumps(given, ensure_ascii=False).replace('"', "").strip("{}")


def with_facts() -> Iterator[Case]:
    """With each thing about the patient that the tables ask for as a yes or no."""
    for reasons, holds in ((IV_REASONS, True), (NO_IV_REASONS, False)):
        for reason, ferritin, strict in product(reasons, (60.0, 90.0), (False, True)):
            yield case(
                f"{named(reason)}: ferritin {text(ferritin)}{', strict' * strict}",
                "IR-6 MY-4 iv-reason",
                {**results(ferritin, 30), "patient": {"age": 44, **reason}},
                {"ferritin": [ferritin], "tsat": [30.0], "iv-reason": [holds]},
                strict=strict,
            )
    for givens, holds in ((INFLAMED, True), (NOT_INFLAMED, False)):
        for given, ferritin, tsat in product(givens, (60.0, 150.0), (10.0, 20.0)):
            infection = "active-infection" in named(given)
            yield case(
                f"{named(given)}: ferritin {text(ferritin)}, TSAT {text(tsat)}",
                "MY-3 inflamed G12 G13",
                {
                    **results(ferritin, tsat),
                    **given,
                    "patient": {"age": 44, **given.get("patient", {})},
                },
                {
                    "ferritin": [ferritin],
                    "tsat": [tsat],
                    "inflamed": [holds],
                    "iv-stopped": [infection],
                },
            )
    for condition, (ferritin, tsat), age in product(LOADING, MIDDLES[::4], (9, 44)):
        yield case(
            f"{condition}, age {age}: ferritin {text(ferritin)}, TSAT {text(tsat)}",
            "SL3",
            {**results(ferritin, tsat), "patient": {"age": age, "conditions": [condition]}},
            {"age": [age], "ferritin": [ferritin], "tsat": [tsat], "iron-loading": [True]},
        )
    for ferritin, tsat, kidney in product((60.0, 90.0, 150.0), (10.0, 30.0), ("none", "ckd-5")):
        patient = {"age": 44, "kidney": kidney, "conditions": ["iv-iron-anaphylaxis"]}
        yield case(
            f"iv-iron-anaphylaxis, kidney {kidney}: ferritin {text(ferritin)}, TSAT {text(tsat)}",
            "SL4",
            {**results(ferritin, tsat), "patient": patient},
            open_(patient, ferritin=[ferritin], tsat=[tsat], **{"iv-stopped": [True]}),
        )
    for (day, since), ferritin, strict in product(
        (("2026-01-06", 84), ("2026-01-07", 83), ("2025-06-01", 303), ("2026-03-03", 28)),
        (60.0, 90.0, 150.0),
        (False, True),
    ):
        yield case(
            f"IV iron {since} days before: ferritin {text(ferritin)}{', strict' * strict}",
            "SL4 IR-9 G16",
            {
                **results(ferritin, 30),
                "patient": {"age": 44, "last_iv_iron": day},
                "drawn": "2026-03-31",
            },
            {
                "ferritin": [ferritin],
                "tsat": [30.0],
                "earlier-iv": [True],
                "iv-stopped": [since < 84],
            },
            strict=strict,
        )


def at_limits_by_fact() -> Iterator[Case]:
    """At limits that hold, or matter, only where something else of the patient is so."""
    for at, reason, holds in product(
        (75 - STEP, 75, 75 + STEP), (IV_REASONS[1], NO_IV_REASONS[0]), (False, True)
    ):
        if holds == (reason is IV_REASONS[1]):
            ferritin = round(at, 9)
            yield case(
                f"{named(reason)}: ferritin {text(ferritin)}, TSAT 30",
                "IR-6 MY-4 iv-reason G1 G28",
                {**results(ferritin, 30), "patient": {"age": 44, **reason}},
                {"ferritin": [ferritin], "tsat": [30.0], "iv-reason": [holds]},
            )
    for at, inflamed in product((20 - STEP, 20, 20 + STEP), (False, True)):
        tsat = round(at, 9)
        yield case(
            f"inflammation {inflamed}: ferritin 150, TSAT {text(tsat)}",
            "MY-3 inflamed G28",
            {**results(150, tsat), "patient": {"age": 44, "inflammation": inflamed}},
            {"ferritin": [150.0], "tsat": [tsat], "inflamed": [inflamed]},
        )
    for at, kidney, tsat in product((18 - STEP, 18, 18 + STEP), ("none", "ckd-5"), (10.0, 30.0)):
        patient = {"age": round(at, 9), "kidney": kidney, "severity": "mild"}
        yield case(
            f"age {text(at)}, kidney {kidney}: ferritin 40, TSAT {text(tsat)}",
            "AA-9 G21 DG-2 NI-1 child_below G28",
            {**results(40, tsat), "patient": patient},
            open_(patient, ferritin=[40.0], tsat=[tsat]),
            guidelines=[*GUIDELINES, "dgn-2022", "nice-cks"],
        )


def infants_with_kidney_disease() -> Iterator[Case]:
    """GN-6 begins at 6 months: whether there is anemia under it cannot be said."""
    for at, kidney, tsat in product(
        (0.5 - STEP, 0.5, 0.5 + STEP), ("ckd", *sorted(END_STAGE)), (10.0, 28.0, 42.0)
    ):
        patient = {"age": round(at, 9), "kidney": kidney}
        yield case(
            f"age {text(at)}, {kidney}, hemoglobin 120: ferritin 20, TSAT {text(tsat)}",
            "CK-5 CK-6 GN-6 G28",
            {**results(20, tsat), "patient": patient, "hemoglobin": "120 g/L"},
            open_(patient, ferritin=[20.0], tsat=[tsat], anemia=[False]),
            guidelines=["kdigo-2026"],
        )


# GN-6 by age [years] and sex, PG-5 by trimester: anemia under so many g/L of hemoglobin
ANEMIA_UNDER = [(0.5, 2, 105), (2, 5, 110), (5, 12, 115), (12, 15, 120)]
ANEMIA_UNDER_FROM_15 = {"female": 120, "male": 130}
ANEMIA_UNDER_PREGNANT = {"trimester-1": 110, "trimester-2": 105, "trimester-3": 110}


def anemia_under(age: float, sex: str, pregnancy: str) -> float:
    """Return the limit of hemoglobin; none under 6 months."""
    if pregnancy in ANEMIA_UNDER_PREGNANT:
        return ANEMIA_UNDER_PREGNANT[pregnancy]
    if age >= 15:
        return ANEMIA_UNDER_FROM_15[sex]
    return next((limit for low, high, limit in ANEMIA_UNDER if low <= age < high), 0)


def anemia_at_limits() -> Iterator[Case]:
    """On each limit of hemoglobin and one grid step under it, at each age at which it changes."""
    ages = [at + by for at in (0.5, 2, 5, 12, 15) for by in (-STEP, 0, STEP)]
    someone: list[tuple[float | None, str, str]] = [
        (round(age, 9), sex, "none") for age, sex in product(ages, ("female", "male"))
    ]
    someone += [(30, "female", word) for word in (*PREGNANT, "postpartum")]
    someone += [(age, "female", "postpartum") for age in (4, 11)]  # as the record may say
    someone += [(None, "female", word) for word in PREGNANT]  # PG-5 asks for no age
    for age, sex, pregnancy in someone:
        known: dict[str, Any] = {"age": VALUES["age"] if age is None else [age]}
        patient: dict[str, Any] = {"sex": sex, "kidney": "ckd"}
        if age is not None:
            patient["age"] = age
        if pregnancy != "none":
            patient["pregnancy"] = pregnancy
        for at, by in product((105, 110, 115, 120, 130), (-STEP, 0)):
            hemoglobin = round(at + by, 9)
            anemia = hemoglobin < anemia_under(known["age"][0], sex, pregnancy)
            old = "unknown" if age is None else text(age)
            yield case(
                f"{sex}, age {old}, pregnancy {pregnancy}: hemoglobin {text(hemoglobin)}",
                "GN-6 PG-5 CK-4 G28",
                {**results(150, 22), "patient": patient, "hemoglobin": f"{text(hemoglobin)} g/L"},
                open_(patient, ferritin=[150.0], tsat=[22.0], anemia=[anemia], **known),
                guidelines=["kdigo-2026"],
            )


def where(name: str, bound: str) -> list[float]:
    """Return the values within a bound such as "<80"."""
    operator = bound.rstrip("0123456789.")
    return [
        value for value in VALUES[name] if within(value, f"{operator} {bound[len(operator) :]}")
    ]


BOUNDS = {
    "ferritin": ("<5", "<=75", "<75", "<80", "<100", "<=100", ">75", ">=75", ">100", ">=100",
                 ">=300", ">150", ">700", "<300"),
    "tsat": ("<20", "<=20", "<45", "<=45", ">20", ">=20", ">=45", ">45", ">40", "<40"),
}  # fmt: skip


def not_all_known() -> Iterator[Case]:
    """With results that are missing or bounds, and with an unknown age."""
    someone: list[tuple[str, dict[str, Any]]] = [
        (name, patient) for name, (_, patient) in POPULATIONS.items()
    ]
    someone += [("age unknown", {}), ("pregnant", {"age": 30, "pregnancy": "pregnant"})]
    for name, patient in someone:
        unknown = {} if "age" in patient else {"age": VALUES["age"]}
        for ferritin, tsat in [
            *((None, at) for at in (10.0, 30.0, 42.0, 45.0, None)),
            *((at, None) for at in (30.0, 60.0, 75.0, 90.0, 100.0, 150.0, 300.0, 800.0)),
            *product((30.0, 60.0, 90.0, 150.0), (10.0, 30.0)),
        ]:
            if unknown or ferritin is None or tsat is None:
                yield case(
                    f"{name}: ferritin {ferritin and text(ferritin)}, TSAT {tsat and text(tsat)}",
                    "G10 G11",
                    {**results(ferritin, tsat), "patient": patient},
                    open_(
                        patient,
                        ferritin=VALUES["ferritin"] if ferritin is None else [ferritin],
                        tsat=VALUES["tsat"] if tsat is None else [tsat],
                        **unknown,
                    ),
                )
    for analyte, unit in (("ferritin", "ng/mL"), ("tsat", "%")):
        other = "tsat" if analyte == "ferritin" else "ferritin"
        for bound, at, (name, patient) in product(
            BOUNDS[analyte],
            (10.0, 30.0, None) if other == "tsat" else (60.0, 90.0, None),
            someone[:4],
        ):
            rest = results(None, at) if other == "tsat" else results(at, None)
            yield case(
                f"{name}: {analyte} {bound}, {other} {at and text(at)}",
                "G26",
                {analyte: f"{bound} {unit}", **rest, "patient": patient},
                open_(
                    patient,
                    **{
                        analyte: where(analyte, bound),
                        other: VALUES[other] if at is None else [at],
                    },
                ),
            )


def unread() -> Iterator[Case]:
    """With a field of the patient that was given and cannot be read: nothing is assumed of it."""
    for field, word in (("kidney", "stage 3"), ("pregnancy", "12 weeks"), ("age", -3)):
        for ferritin, tsat in product((60.0, 90.0, 150.0), (10.0, 30.0, 42.0)):
            patient = {"age": 44, field: word}
            yield case(
                f"{field} {word!r} unread: ferritin {text(ferritin)}, TSAT {text(tsat)}",
                "errors=note",
                {**results(ferritin, tsat), "patient": patient, "errors": "note"},
                {"ferritin": [ferritin], "tsat": [tsat], field: VALUES[field]},
            )
    facts = {
        "oral_iron": ["iv-reason"],
        "rapid_response_wanted": ["iv-reason"],
        "inflammation": ["inflamed"],
        "conditions": ["iv-reason", "inflamed", "iron-loading", "iv-stopped"],
        "last_iv_iron": ["earlier-iv", "iv-stopped"],
    }
    for field, names in facts.items():
        for ferritin, tsat in product((60.0, 90.0, 150.0), (10.0, 30.0)):
            hidden = field == "last_iv_iron"  # as if `drawn` were missing: nothing can be read
            yield case(
                f"{field} unread: ferritin {text(ferritin)}, TSAT {text(tsat)}",
                "errors=note",
                {
                    **results(ferritin, tsat),
                    "patient": {"age": 44, field: "??"},
                    "errors": "note",
                    "drawn": "2026-03-31",
                },
                {
                    "ferritin": VALUES["ferritin"] if hidden else [ferritin],
                    "tsat": VALUES["tsat"] if hidden else [tsat],
                    **{name: [False, True] for name in names},
                },
            )


def unconfirmed() -> Iterator[Case]:
    for word, (ferritin, tsat) in product(("suspected", "absent", "confirmed"), MIDDLES[::3]):
        yield case(
            f"RLS {word}: ferritin {text(ferritin)}, TSAT {text(tsat)}",
            "G30",
            {**results(ferritin, tsat), "patient": {"age": 44, "rls": word}},
            {"ferritin": [ferritin], "tsat": [tsat], "rls": [word]},
        )


Someone = tuple[str, dict[str, Any], dict[str, list[Any]]]
"""A patient: in words, what is given, and what that leaves possible."""


def told(words: str, patient: dict[str, Any], **possible: list[Any]) -> Someone:
    return words, {"patient": patient}, open_(patient, **possible)


SEVERE = {"severity": "moderate-severe"}
OF_DGN: list[Someone] = [
    told("mild", {"age": 44, "severity": "mild"}),
    told("moderate to severe", {"age": 44, **SEVERE}, **{"moderate-severe": [True]}),
    told("severity unknown", {"age": 44}, **{"moderate-severe": [False, True]}),
    told(
        "mild, oral iron failed",
        {"age": 44, "severity": "mild", "oral_iron": "failed"},
        **{"iv-reason": [True]},
    ),
    told(
        "trimester-2, moderate to severe",
        {"age": 30, "pregnancy": "trimester-2", **SEVERE},
        **{"moderate-severe": [True]},
    ),
    told("child", {"age": 9, **SEVERE}, **{"moderate-severe": [True]}),
]
OF_NICE: list[Someone] = [
    told("adult", {"age": 44}),
    told("adult on hemodialysis", {"age": 44, "kidney": "hemodialysis"}),
    told("adult with CKD", {"age": 44, "kidney": "ckd"}),
    told("child", {"age": 9}),
]
OF_PICCHIETTI: list[Someone] = [
    *(
        told(word, {"age": 30, "sex": "female", "pregnancy": word})
        for word in (*PREGNANT, "pregnant", "postpartum")
    ),
    *(
        told(
            f"{word}, oral iron {how}",
            {"age": 30, "pregnancy": word, "oral_iron": how},
            **{"oral-iron-failed": [True]},
        )
        for word, how in (
            ("trimester-1", "failed"),
            ("trimester-2", "not-tolerated"),
            ("postpartum", "not-absorbed"),
        )
    ),
    told("trimester-3, taking", {"age": 30, "pregnancy": "trimester-3", "oral_iron": "taking"}),
    told("not pregnant", {"age": 30, "sex": "female", "pregnancy": "none"}),
]


def with_hemoglobin(
    words: str, patient: dict[str, Any], hemoglobin: str | None, anemia: list[bool]
) -> Someone:
    given = {"hemoglobin": hemoglobin} if hemoglobin else {}
    return words, {"patient": patient, **given}, open_(patient, anemia=anemia)


WOMAN = {"age": 44, "sex": "female"}
OF_KDIGO: list[Someone] = [
    with_hemoglobin(f"{kidney}, {words}", {**WOMAN, "kidney": kidney}, hemoglobin, anemia)
    for kidney in ("hemodialysis", "ckd")
    for words, hemoglobin, anemia in (
        ("anemia", "119.999999999 g/L", [True]),  # GN-6: women under 120
        ("no anemia", "120 g/L", [False]),
        ("hemoglobin unknown", None, [False, True]),
    )
]
OF_KDIGO += [
    with_hemoglobin(f"{kidney}, anemia", {**WOMAN, "kidney": kidney}, "9 g/dL", [True])
    for kidney in ("ckd-5", "peritoneal-dialysis")
]
OF_KDIGO += [
    with_hemoglobin(
        "hemodialysis, RLS absent",
        {**WOMAN, "kidney": "hemodialysis", "rls": "absent"},
        "9 g/dL",
        [True],
    ),
    with_hemoglobin("hemodialysis, infant", {"age": 0.4, "kidney": "ckd"}, "9 g/dL", [False]),
    with_hemoglobin("bound", {**WOMAN, "kidney": "hemodialysis"}, ">110 g/L", [False, True]),
    with_hemoglobin("kidneys well", {**WOMAN, "kidney": "none"}, "9 g/dL", [True]),
]
OWN_LIMITS: dict[str, dict[str, tuple[float, ...]]] = {
    "dgn-2022": {"ferritin": (75, 100, 300, 700), "tsat": (20, 40, 45)},
    "nice-cks": {"ferritin": (50, 75, 100, 300, 700), "tsat": (20, 40, 45)},
    "picchietti-2015": {"ferritin": (30, 75, 100, 300, 700), "tsat": (20, 40, 45)},
    "kdigo-2026": {"ferritin": (30, 100, 300, 500, 700), "tsat": (20, 25, 30, 40)},
}
PARAGRAPHS = {
    "dgn-2022": "DG-2",
    "nice-cks": "NI-1",
    "picchietti-2015": "PG-1 PG-2 SL4",
    "kdigo-2026": "CK-3 CK-4 CK-5 CK-6 GN-6",
}


def of_one(guideline: str, someone: list[Someone]) -> Callable[[], Iterator[Case]]:
    """Return the cases of one guideline: at limits, with missing and bounded values, strict."""
    limits = OWN_LIMITS[guideline]

    def at_and_beside(name: str) -> list[float]:
        return [round(at + by, 9) for at in limits[name] for by in (-STEP, 0, STEP)]

    def bounds(name: str) -> list[str]:
        return [
            f"{operator}{text(at)}" for at in limits[name] for operator in ("<", "<=", ">", ">=")
        ]

    def cases() -> Iterator[Case]:
        pairs: list[tuple[Any, Any]] = [
            *product(at_and_beside("ferritin"), (10.0, 28.0)),
            *product((20.0, 60.0, 150.0), at_and_beside("tsat")),
            *((None, at) for at in (10.0, 22.0, 42.0, 50.0, None)),
            *((at, None) for at in (20.0, 60.0, 75.0, 600.0, 800.0)),
            *((bound, 22.0) for bound in bounds("ferritin")),
            *((20.0, bound) for bound in bounds("tsat")),
        ]
        for (words, given, possible), (ferritin, tsat), strict in product(
            someone, pairs, (False, True)
        ):
            if strict and (guideline not in ALL_UNVERIFIED or not words.startswith("trimester-2")):
                continue
            shown = {"ferritin": ferritin, "tsat": tsat}
            held = {name: held_by(name, at) for name, at in shown.items()}
            texts = {name: at if isinstance(at, str) or at is None else text(at)
                     for name, at in shown.items()}  # fmt: skip
            units = {"ferritin": "ng/mL", "tsat": "%"}
            results_ = {name: f"{at} {units[name]}" for name, at in texts.items() if at}
            yield case(
                f"{words}: ferritin {texts['ferritin']}, TSAT {texts['tsat']}{', strict' * strict}",
                PARAGRAPHS[guideline],
                {**results_, **given},
                {**possible, **held},
                strict=strict,
                guidelines=[guideline],
            )

    return cases


def held_by(name: str, at: float | str | None) -> list[Any]:
    """Return the values that a value, a bound or nothing leaves possible."""
    if at is None:
        return VALUES[name]
    return where(name, at) if isinstance(at, str) else [at]


def strict_and_stopped() -> Iterator[Case]:
    """IR-6 left out leaves IR-1, which gives oral iron, where all rules together give none."""
    for reason, stopped in product(({"oral_iron": "not-tolerated"}, {}), (False, True)):
        for pregnancy in ("none", "trimester-1", "trimester-2"):
            conditions = {"conditions": ["iv-iron-anaphylaxis"]} if stopped else {}
            patient = {"age": 30, "pregnancy": pregnancy, **reason, **conditions}
            for strict in (False, True):
                yield case(
                    f"{named(patient)}{', strict' * strict}",
                    "IR-1 IR-6 SL4 strict",
                    {**results(60, 30), "patient": patient},
                    open_(
                        patient,
                        ferritin=[60.0],
                        tsat=[30.0],
                        **{
                            "iv-reason": [bool(reason)],
                            "oral-iron-failed": [bool(reason)],
                            "iv-stopped": [stopped],
                        },
                    ),
                    strict=strict,
                )


MADE: dict[str, tuple[str, list[Callable[[], Iterator[Case]]]]] = {
    "limits": (
        "On each printed limit, and one step to either side.",
        [at_limits, ages, at_limits_by_fact],
    ),
    "cells": ("Inside every cell of every matrix.", [in_every_cell, unconfirmed]),
    "facts": ("What the tables ask for as a yes or no.", [with_facts]),
    "unknown": ("Missing results, bounds, unread fields.", [not_all_known, unread]),
    "strict": ("What strict leaves out, and what it never gives.", [strict_and_stopped]),
    **{
        name: (f"All of {name}, at limits, missing and bounded.", [of_one(name, someone)])
        for name, someone in (
            ("dgn-2022", OF_DGN),
            ("nice-cks", OF_NICE),
            ("picchietti-2015", OF_PICCHIETTI),
            ("kdigo-2026", OF_KDIGO),
        )
    },
}
MADE["kdigo-2026"][1].extend([infants_with_kidney_disease, anemia_at_limits])


def made(name: str) -> dict[str, Any]:
    """Return the content of a file that is made from the matrices."""
    about, families = MADE[name]
    cases: dict[str, Case] = {}
    for each in (each for family in families for each in family()):
        cases.setdefault(each["id"], each)
    return {
        "title": name,
        "about": f"{about} Expected values: the matrices of clinical §7, by tests/test_vectors.py.",
        "cases": list(cases.values()),
    }


def written(content: Mapping[str, Any]) -> str:
    """Return a file with one case to a line, so that a change of one shows as one."""
    head = {name: value for name, value in content.items() if name != "cases"}
    lines = ",\n".join(f"  {json.dumps(each, ensure_ascii=False)}" for each in content["cases"])
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "cases": [\n{lines}\n]}}\n'


@cache
def read(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text(encoding="utf-8"))


FILES = sorted(path for path in FOLDER.glob("*.json") if path.stem != "schema")
CASES = [
    pytest.param(each, id=f"{path.stem}: {each['id']}")
    for path in FILES
    for each in read(path)["cases"]
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_vectors_fits_the_schema(path: Path) -> None:
    schema = read(FOLDER / "schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(read(path), schema, cls=jsonschema.Draft202012Validator)


def test_no_two_cases_have_one_name() -> None:
    names = [(path, each["id"]) for path in FILES for each in read(path)["cases"]]
    assert len(set(names)) == len(names) > 500


@pytest.mark.parametrize("name", MADE)
def test_the_files_are_as_the_matrices_make_them(name: str) -> None:
    """Where this fails after a change of a matrix: `python tests/test_vectors.py`."""
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == written(made(name))


RULES = """
AA-2 AA-3 AA-4 AA-9 AA-13 IR-1 IR-2 IR-3 IR-4 IR-5 IR-6 IR-9 IR-11 IR-12
MY-2 MY-3 MY-4 MY-5 MY-6 AN-1 DG-2 NI-1 PG-1 PG-2 CK-3 CK-4 CK-5 CK-6 GN-6 SL1 SL2 SL3 SL4 SL5
G1 G2 G4 G5 G6 G7 G8 G10 G11 G12 G13 G15 G16 G20 G21 G23 G24 G25 G26 G27 G28 G29 G30 G31
"""


def test_every_rule_and_every_gap_has_a_case() -> None:
    tested = {id_ for path in FILES for each in read(path)["cases"] for id_ in each["tests"]}
    assert set(RULES.split()) <= tested


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_as_the_evidence_says(case: Case) -> None:
    if "refused" in case:
        with pytest.raises(rlsiron.RlsironError) as fault:
            rlsiron.interpret(**case["input"])
        assert type(fault.value).__name__ == case["refused"]
        return
    answer = rlsiron.interpret(**case["input"])
    for name, expected in case["expected"].items():
        said = answer.decisions[name].model_dump(mode="json", include=set(expected))
        assert said == expected, name
    codes = {note.code for note in answer.notes}
    assert set(case.get("notes", [])) <= codes
    assert not codes & set(case.get("no_notes", []))
    if "agreement" in case:
        assert answer.agreement.verdict == case["agreement"]
    if "assumptions" in case:
        assert sorted(answer.assumptions) == sorted(case["assumptions"])
    if "tsat" in case:
        tsat = answer.panel.tsat
        assert tsat is not None
        assert tsat.model_dump(include=set(case["tsat"])) == case["tsat"]


if __name__ == "__main__":
    for name in MADE:
        (FOLDER / f"{name}.json").write_text(written(made(name)), encoding="utf-8")
