"""The compiler: what it proves, in which order it paints, and what safety leaves."""

import re
import tomllib
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rlsiron.catalog import Document
from rlsiron.compiler import compile_table
from rlsiron.errors import GuidelineError
from rlsiron.guideline import load_guideline, parse_guideline, safety
from rlsiron.interpretation import interpret
from rlsiron.models import Decision
from rlsiron.table import NumericAxis, Table, WordAxis

HEAD = """\
id = "ours"
purpose = "rls"
source = "rlsiron"
version = "1"
reviewed_by = []
"""
FOR_RLS = (
    "aan-2016",
    "aasm-2025",
    "dgn-2022",
    "irlssg-2018",
    "mayo-2021",
    "nice-cks",
    "picchietti-2015",
)
SHIPPED = (*FOR_RLS, "kdigo-2026")
ADULT = {"age": 44, "sex": "male"}


def population(*rules: str, name: str = "all", applies: str = "") -> str:
    return f'[[population]]\nname = "{name}"\napplies = {{ {applies} }}\n' + "".join(rules)


def rule(
    id_: str, when: str = "", disposition: str = '"oral-iron"', verified: str = "primary"
) -> str:
    return (
        f'[[population.rule]]\nid = "{id_}"\nwhen = {{ {when} }}\ndisposition = {disposition}\n'
        f'why = "open"\nverified = "{verified}"\nsays = "{id_}"\n'
    )


def table_of(*populations: str, head: str = HEAD, strict: bool = False) -> Table:
    text = head + "".join(populations)
    return compile_table(
        parse_guideline(Document("ours.toml", text, tomllib.loads(text))), strict=strict
    )


def answer(folder: Path, *populations: str, strict: bool = False, **given: object) -> Decision:
    """Return what a file of some populations says of a patient."""
    path = folder / "ours.toml"
    path.write_text(HEAD + "".join(populations), encoding="utf-8")
    told: dict[str, object] = {"patient": ADULT, **given}
    return interpret(guidelines=path, strict=strict, **told).decision  # type: ignore[arg-type]


REST = rule("rest", disposition='"no-iron"')

REFUSED = {
    "a gap above": ([population(rule("A", 'ferritin = "<= 75 ug/L"'))], ("all", "ferritin")),
    "a gap between": (
        [population(rule("A", 'ferritin = "<= 75 ug/L"'), rule("B", 'ferritin = "> 80 ug/L"'))],
        ("all", "ferritin", "75", "80"),
    ),
    "a gap at one value": (
        [population(rule("A", 'ferritin = "< 75 ug/L"'), rule("B", 'ferritin = "> 75 ug/L"'))],
        ("all", "ferritin", "75"),
    ),
    "a gap of a word": (
        [population(rule("A", 'kidney = ["none", "end-stage"]'))],
        ("all", "kidney ckd"),
    ),
    "a gap of a fact": ([population(rule("A", "inflamed = true"))], ("all", "inflamed")),
    "a gap in a second population": (
        [
            population(REST, name="young", applies='age = "< 18 years"'),
            population(rule("A", 'tsat = "< 20 %"'), name="old", applies='age = ">= 18 years"'),
        ],
        ("old", "tsat"),
    ),
    "dead by one earlier rule": (
        [
            population(
                rule("A", 'ferritin = "<= 75 ug/L"'), rule("B", 'ferritin = "< 50 ug/L"'), REST
            )
        ],
        ("all", "rule B", "dead"),
    ),
    "dead by two earlier rules together": (
        [
            population(
                rule("A", 'tsat = "< 20 %"'),
                rule("B", 'tsat = ">= 20 %"'),
                rule("C", 'ferritin = "< 50 ug/L"'),
            )
        ],
        ("all", "rule C", "dead"),
    ),
    "dead by a rule for everyone": ([population(REST, rule("B"))], ("all", "rule B", "dead")),
    "dead by its population": (
        [
            population(
                rule("A", 'age = ">= 18 years"'), REST, name="young", applies='age = "< 18 years"'
            ),
            population(rule("Z"), name="old"),
        ],
        ("young", "rule A", "dead"),
    ),
    "a population after one of everybody": (
        [population(REST, name="one"), population(rule("B"), name="two")],
        ("two", "unreachable"),
    ),
    "a population taken by two earlier ones": (
        [
            population(REST, name="young", applies='age = "< 18 years"'),
            population(rule("B"), name="old", applies='age = ">= 18 years"'),
            population(rule("C"), name="kidney", applies='kidney = "ckd"'),
        ],
        ("kidney", "unreachable"),
    ),
    "a population older than anyone": (
        [population(rule("B"), name="old", applies='age = "> 130 years"')],
        ("old",),
    ),
    "a population without confirmed RLS in a file for RLS": (
        [population(rule("B"), name="maybe", applies='rls = ["suspected", "absent"]')],
        ("maybe",),
    ),
    "a rule over the greatest saturation": (
        [population(rule("B", 'tsat = "> 100 %"'), REST)],
        ("all", "rule B"),
    ),
}


@pytest.mark.parametrize(("populations", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_hold_together_is_refused(
    populations: list[str], parts: tuple[str, ...]
) -> None:
    """Design §5: compiling refuses a gap, a dead rule and an unreachable population."""
    with pytest.raises(GuidelineError) as caught:
        table_of(*populations)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("case", ["a gap above", "dead by one earlier rule"])
def test_what_the_compiler_refuses_names_the_file_and_the_line(case: str) -> None:
    """Design §5: faults name file, population, rule and key, and the line."""
    with pytest.raises(GuidelineError) as caught:
        table_of(*REFUSED[case][0])
    assert "ours.toml" in str(caught.value)
    assert re.search(r"line \d+", str(caught.value))


def test_a_gap_is_printed_as_half_open_up_to_infinity() -> None:
    """Style: `no rule covers ferritin in [75, inf)`."""
    with pytest.raises(GuidelineError, match=re.escape("no rule covers ferritin in [75, inf)")):
        table_of(population(rule("A", 'ferritin = "< 75 ug/L"')))


FOR_ANEMIA = HEAD.replace('"rls"', '"anemia"')  # no layer, so that a gap is the file's own
GAPS = {
    "up to the greatest saturation": ([rule("A", 'tsat = "< 20 %"')], "tsat in [20, 100] %"),
    "up to the oldest age": ([rule("A", 'age = "< 18 years"')], "age in [18, 130] years"),
    "on two axes": (
        [rule("A", 'ferritin = "<= 75 ug/L"'), rule("B", 'tsat = ">= 20 %"')],
        "ferritin in (75, inf) ug/L, tsat in [0, 20) %",
    ),
    "along the whole of another axis": (
        [
            rule("A", 'ferritin = "<= 75 ug/L", tsat = "< 20 %"'),
            rule("B", 'ferritin = "<= 75 ug/L"'),
        ],
        "ferritin in (75, inf) ug/L",
    ),
    "below the rules": (
        [
            rule("A", 'ferritin = "> 75 ug/L", tsat = ">= 20 %"'),
            rule("B", 'ferritin = "> 75 ug/L"'),
        ],
        "ferritin in [0, 75] ug/L",
    ),
    "about two corners": (
        [
            rule("A", 'ferritin = "> 75 ug/L", tsat = ">= 20 %"'),
            rule("B", 'ferritin = "<= 75 ug/L", tsat = ">= 40 %"'),
        ],
        "tsat in [0, 20) %",
    ),
    "about a corner": (
        [rule("A", 'ferritin = "> 75 ug/L", tsat = ">= 20 %"')],
        "tsat in [0, 20) %",
    ),
}


@pytest.mark.parametrize(("rules", "gap"), GAPS.values(), ids=GAPS)
def test_a_gap_is_named_by_the_axes_that_bound_it(rules: list[str], gap: str) -> None:
    """No case of the region that is named has a rule, so one for it is no dead one."""
    with pytest.raises(GuidelineError, match=re.escape(f"no rule covers {gap}; add one")):
        table_of(population(*rules), head=FOR_ANEMIA)


def test_a_saturation_of_exactly_100_is_a_case_of_its_own_where_a_rule_says_so() -> None:
    """100 % is the greatest value that there is, and one of the values."""
    table = table_of(
        population(rule("A", 'tsat = "< 100 %"'), rule("B", 'tsat = ">= 100 %"')), head=FOR_ANEMIA
    )
    assert table.edges("tsat") == (100.0,)


def test_a_rule_up_to_the_greatest_saturation_leaves_no_gap() -> None:
    """No TSAT is over 100 % (evidence/units.md §5), so none need be covered."""
    table_of(population(rule("A", 'tsat = "<= 100 %"')))


def test_the_first_population_that_applies_is_taken(tmp_path: Path) -> None:
    """Design §5: populations in order."""
    first = population(rule("A"), name="kidney", applies='kidney = "ckd"')
    second = population(rule("B", disposition='"no-iron"'), name="all")
    for patient, id_ in (({**ADULT, "kidney": "ckd"}, "A"), (ADULT, "B")):
        decision = answer(tmp_path, first, second, patient=patient)
        assert [one.id for one in decision.rules] == [id_]


def test_a_later_population_does_not_fill_what_an_earlier_one_takes(tmp_path: Path) -> None:
    """Who applies to no population is not covered."""
    only = population(REST, name="adult", applies='age = ">= 18 years"')
    decision = answer(tmp_path, only, patient={"age": 17.9})
    assert decision.disposition == "not-covered"
    assert (decision.rules, decision.verified, decision.iron) == ((), None, "not-covered")


def test_the_first_rule_that_matches_decides(tmp_path: Path) -> None:
    """Design §5: rules in order; 50 meets both."""
    ours = population(
        rule("A", 'ferritin = "<= 50 ug/L"'),
        rule("B", 'ferritin = "<= 75 ug/L"', '"iv-iron"'),
        REST,
    )
    for value, id_, said in (
        (50, "A", "oral-iron"),
        (50.1, "B", "iv-iron"),
        (76, "rest", "no-iron"),
    ):
        decision = answer(tmp_path, ours, ferritin=f"{value} ug/L", tsat="30 %")
        assert ([one.id for one in decision.rules], decision.disposition) == ([id_], said)


def test_any_of_several_ways_is_enough(tmp_path: Path) -> None:
    """`any`: F ≤ 75 or T < 20."""
    either = (
        '[[population.rule]]\nid = "A"\ndisposition = "oral-iron"\nverified = "primary"\n'
        'any = [{ ferritin = "<= 75 ug/L" }, { tsat = "< 20 %" }]\nsays = "A"\n'
    )
    said = [
        answer(tmp_path, population(either, REST), ferritin=f"{f} ug/L", tsat=f"{t} %").criterion
        for f, t in ((75, 30), (90, 19), (75, 19), (90, 30))
    ]
    assert said == ["oral-iron", "oral-iron", "oral-iron", "no-iron"]


def test_a_cell_may_hold_several_dispositions(tmp_path: Path) -> None:
    """Design §2: where the source is silent the cell holds more than one from the start."""
    decision = answer(
        tmp_path, population(rule("A", disposition='["no-iron", "oral-iron"]')), tsat="30 %"
    )
    assert decision.criterion_possible == ("oral-iron", "no-iron")
    assert decision.criterion == "indeterminate"


STRICT = {
    "an unverified rule that gives": ('"oral-iron"', "unverified", ("no-iron",), "rest"),
    "an unverified rule that may give": (
        '["iv-iron", "no-iron"]',
        "unverified",
        ("no-iron",),
        "rest",
    ),
    "an unverified rule that withholds": (
        '"withhold-iron"',
        "unverified",
        ("withhold-iron",),
        "A",
    ),
    "an unverified rule without iron": ('"no-iron"', "unverified", ("no-iron",), "A"),
    "a convention that gives": ('"oral-iron"', "convention", ("oral-iron",), "A"),
    "a secondary rule that gives": ('"oral-iron"', "secondary", ("oral-iron",), "A"),
}


@pytest.mark.parametrize(("disposition", "tier", "possible", "by"), STRICT.values(), ids=STRICT)
def test_strict_leaves_out_unverified_rules_that_give_and_only_those(
    tmp_path: Path, disposition: str, tier: str, possible: tuple[str, ...], by: str
) -> None:
    """§7: a rule that withholds is never left out, whatever its tier."""
    ours = population(rule("A", 'ferritin = "<= 75 ug/L"', disposition, tier), REST)
    decision = answer(tmp_path, ours, ferritin="50 ug/L", tsat="30 %", strict=True)
    assert decision.possible == possible
    assert [one.id for one in decision.rules] == [by]


def test_a_cell_that_strict_empties_is_no_iron(tmp_path: Path) -> None:
    """§7: `no-iron` with the reason; by no rule."""
    ours = population(rule("A", verified="unverified"))
    decision = answer(tmp_path, ours, ferritin="50 ug/L", tsat="30 %", strict=True)
    assert (decision.criterion, decision.disposition) == ("no-iron", "no-iron")
    assert (decision.rules, decision.verified) == ((), None)
    assert "unverified" in decision.because


def test_strict_falls_through_to_the_next_rule_that_applies() -> None:
    """§7: IR-6 is unverified: strict answers ORAL there, by IR-1."""
    given = {"ferritin": "60 ug/L", "tsat": "30 %", "patient": {**ADULT, "oral_iron": "failed"}}
    for strict, id_, said in ((False, "IR-6", "iv-iron"), (True, "IR-1", "oral-iron")):
        decision = interpret(guidelines="irlssg-2018", strict=strict, **given).decision  # type: ignore[arg-type]
        assert ([one.id for one in decision.rules], decision.disposition) == ([id_], said)


# §7, the safety layer, for one member of a cell: before, stopping nothing, IV, both.
STOPPED = {
    "oral-iron": ("oral-iron", "oral-iron", "withhold-iron"),
    "iv-iron": ("iv-iron", "withhold-iron", "withhold-iron"),
    "oral-or-iv-iron": ("oral-or-iv-iron", "oral-iron", "withhold-iron"),
    "no-iron": ("no-iron", "no-iron", "withhold-iron"),
    "withhold-iron": ("withhold-iron", "withhold-iron", "withhold-iron"),
    "not-covered": ("not-covered", "not-covered", "not-covered"),
}
ORDER = list(STOPPED)
PATIENTS = {
    "nothing": ADULT,
    "IV": {**ADULT, "conditions": ["active-infection"]},
    "both": {**ADULT, "conditions": ["hemochromatosis"]},
}


def in_order(words: set[str]) -> tuple[str, ...]:
    return tuple(sorted(words, key=ORDER.index))


@pytest.mark.parametrize(
    ("word", "number", "routes"),
    [(word, number, routes) for word in STOPPED for number, routes in enumerate(PATIENTS)],
)
def test_safety_stops_by_route(tmp_path: Path, word: str, number: int, routes: str) -> None:
    """§7: both routes withhold everything but not-covered; IV leaves oral, and what gives none."""
    decision = answer(
        tmp_path,
        population(rule("A", disposition=f'"{word}"')),
        ferritin="50 ug/L",
        tsat="30 %",
        patient=PATIENTS[routes],
    )
    assert decision.criterion_possible == (word,)
    assert decision.possible == (STOPPED[word][number],)


@pytest.mark.parametrize("bits", range(1, 64))
def test_safety_stops_each_member_of_a_set(tmp_path: Path, bits: int) -> None:
    """§7: the members of a `?` included."""
    members = [word for place, word in enumerate(STOPPED) if bits >> place & 1]
    listed = ", ".join(f'"{word}"' for word in members)
    for number, patient in enumerate(PATIENTS.values()):
        decision = answer(
            tmp_path,
            population(rule("A", disposition=f"[{listed}]")),
            ferritin="50 ug/L",
            tsat="30 %",
            patient=patient,
        )
        assert decision.possible == in_order({STOPPED[word][number] for word in members})


@pytest.mark.parametrize("bits", range(1, 64))
def test_an_opened_cell_gets_no_iron_before_it_is_stopped(tmp_path: Path, bits: int) -> None:
    """§7: SL5 adds NONE where the source gives iron; then SL4 or SL3 stop, NONE included."""
    members = [word for place, word in enumerate(STOPPED) if bits >> place & 1]
    listed = ", ".join(f'"{word}"' for word in members)
    opened = {*members, "no-iron"} if bits & 0b111 else set(members)
    for number, patient in enumerate(PATIENTS.values()):
        decision = answer(
            tmp_path,
            population(rule("A", disposition=f"[{listed}]")),
            ferritin="150 ug/L",
            tsat="15 %",
            patient=patient,
        )
        assert decision.criterion_possible == in_order(set(members))
        assert decision.possible == in_order({STOPPED[word][number] for word in opened})


OPENS = {
    "at 100": (100, 15, {}, False),
    "over 100": (100.1, 15, {}, True),
    "at T 20": (150, 20, {}, False),
    "just under T 20": (150, 19.9, {}, True),
    "with CKD": (150, 15, {"kidney": "ckd"}, True),
    "end-stage": (150, 15, {"kidney": "ckd-5"}, False),
}


@pytest.mark.parametrize(("f", "t", "more", "opened"), OPENS.values(), ids=OPENS)
def test_where_a_low_saturation_beside_a_high_ferritin_opens(
    tmp_path: Path, f: float, t: float, more: dict[str, str], *, opened: bool
) -> None:
    """SL5: F > 100 and T < 20, not end-stage."""
    decision = answer(
        tmp_path,
        population(rule("A")),
        ferritin=f"{f} ug/L",
        tsat=f"{t} %",
        patient={**ADULT, **more},
    )
    assert decision.possible == (("oral-iron", "no-iron") if opened else ("oral-iron",))


def test_a_silent_source_gets_no_iron_where_it_gives_only_iv(tmp_path: Path) -> None:
    """§7, pregnancy: in trimesters 2, 3 and post-partum IV alone becomes {IV, NONE}."""
    head = HEAD + 'silent_on = ["pregnancy"]\n'
    path = tmp_path / "ours.toml"
    for disposition, word, said in (
        ('"iv-iron"', "trimester-2", ("iv-iron", "no-iron")),
        ('"iv-iron"', "trimester-3", ("iv-iron", "no-iron")),
        ('"iv-iron"', "postpartum", ("iv-iron", "no-iron")),
        ('"iv-iron"', "trimester-1", ("iv-iron",)),
        ('"iv-iron"', "none", ("iv-iron",)),
        ('"oral-or-iv-iron"', "trimester-2", ("oral-or-iv-iron",)),
        ('["oral-iron", "iv-iron"]', "trimester-2", ("oral-iron", "iv-iron")),
    ):
        path.write_text(head + population(rule("A", disposition=disposition)), encoding="utf-8")
        decision = interpret(
            ferritin="50 ug/L",
            tsat="30 %",
            patient={"age": 30, "sex": "female", "pregnancy": word},
            guidelines=path,
        ).decision
        assert decision.criterion_possible == said


def test_a_source_that_speaks_of_pregnancy_is_left_as_it_is(tmp_path: Path) -> None:
    """Only a file that lists pregnancy in `silent_on` is filled."""
    decision = answer(
        tmp_path,
        population(rule("A", disposition='"iv-iron"')),
        patient={"age": 30, "pregnancy": "trimester-2"},
        ferritin="50 ug/L",
        tsat="30 %",
    )
    assert decision.criterion_possible == ("iv-iron",)


CUTS = {
    "one cut: at most and over": ('"<= 75 ug/L"', '"> 75 ug/L"', 1),
    "one cut: under and at least": ('"< 75 ug/L"', '">= 75 ug/L"', 1),
    "two cuts: at most and under": ('"<= 75 ug/L"', '"< 75 ug/L"', 2),
    "two cuts: at least and over": ('">= 75 ug/L"', '"> 75 ug/L"', 2),
    "one cut in two units": ('"<= 75 ug/L"', '"> 7.5 ug/dL"', 1),
}


@pytest.mark.parametrize(("first", "second", "cuts"), CUTS.values(), ids=CUTS)
def test_an_inclusive_and_an_exclusive_limit_meet_at_one_cut(
    first: str, second: str, cuts: int
) -> None:
    """Design §2: "≤ 75" and "> 75" are the same cut."""
    head = HEAD.replace('"rls"', '"anemia"')
    ways = f"any = [{{ ferritin = {first} }}, {{ ferritin = {second}, inflamed = true }}]"
    one = rule("A").replace("when = {  }", ways)
    table = table_of(population(one, REST), head=head)
    assert len(table.edges("ferritin")) == cuts


def test_a_file_of_another_purpose_has_only_its_own_axes() -> None:
    """No safety layer, no axis of it."""
    table = table_of(
        population(rule("A", 'ferritin = "<= 75 ug/L"'), REST),
        head=HEAD.replace('"rls"', '"anemia"'),
    )
    assert [axis.name for axis in table.axes] == ["ferritin"]
    assert table.safety_ids == ()
    assert table.cells == 2


def test_a_file_without_a_condition_has_one_cell() -> None:
    """One rule for everyone."""
    table = table_of(population(rule("A")), head=HEAD.replace('"rls"', '"anemia"'))
    assert (table.axes, table.cells) == ((), 1)
    assert table.look_up(()).possible == ("oral-iron",)


def test_more_rules_than_bits_in_a_word_are_told_apart(tmp_path: Path) -> None:
    """80 rules, each by its id."""
    rules = [rule(f"R-{n}", f'ferritin = "<= {n} ug/L"') for n in range(1, 80)]
    for value in (1, 63, 64, 65, 66, 79):
        decision = answer(tmp_path, population(*rules, REST), ferritin=f"{value} ug/L", tsat="30 %")
        assert [one.id for one in decision.rules] == [f"R-{value}"]


# Ferritin, TSAT, age, RLS, pregnancy, kidney, facts: cells of each axis, counted by hand from the
# limits of §7. Safety cuts F at >100, >=300, >700 and T at 20, 40, 45; a silent source adds
# pregnancy's three classes; kidney is none, ckd, end-stage.
SIZES = {
    "aan-2016": (8, 5 * 4 * 2 * 2 * 3 * 3 * 2**2),  # F <=75
    "aasm-2025": (8, 7 * 4 * 2 * 2 * 3 * 3 * 2**2),  # F <50, <=75, <200
    "irlssg-2018": (10, 6 * 4 * 2 * 2 * 3 * 3 * 2**4),  # F <50, <=75; iv-reason, earlier-iv
    "mayo-2021": (10, 6 * 4 * 2 * 2 * 3 * 3 * 2**4),  # F <=75, <100; iv-reason, inflamed
    "dgn-2022": (10, 5 * 4 * 2 * 2 * 3 * 3 * 2**4),  # F <=75; iv-reason, moderate-severe
    "nice-cks": (8, 6 * 4 * 2 * 2 * 3 * 3 * 2**2),  # F <50, <75
    # F <30, <75, <=75; pregnancy is none, trimester-1, the others; oral-iron-failed; no age
    "picchietti-2015": (8, 7 * 4 * 2 * 3 * 3 * 2**3),
    # F <30, <100, <300, <=500, >700; T <20, <25, <=30, >=40; 6 months; kidney is none,
    # hemodialysis, other; anemia; no layer
    "kdigo-2026": (5, 6 * 5 * 2 * 3 * 2),
}


@pytest.mark.parametrize("id_", SHIPPED)
def test_a_shipped_table_is_small(id_: str) -> None:
    """Design §2: the product of the cells stays small (thousands), and a cell is a byte or two."""
    table = compile_table(load_guideline(id_))
    assert (len(table.axes), table.cells) == SIZES[id_]
    assert {table.criterion.dtype, table.disposition.dtype} == {np.dtype(np.uint8)}
    assert table.rules.dtype.kind == "u"


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("id_", SHIPPED)
@pytest.mark.slow
def test_every_slot_is_the_union_of_its_cells(id_: str, *, strict: bool) -> None:
    """Design §2: slots for missing inputs are filled at compile time; exhaustively."""
    table = compile_table(load_guideline(id_), strict=strict)
    sizes = [axis.size for axis in table.axes]
    for bits, join in (
        (table.criterion, np.bitwise_or),
        (table.disposition, np.bitwise_or),
        (table.rules, np.bitwise_or),
        (table.stops, np.bitwise_or),
        (table.always_stops, np.bitwise_and),
    ):
        assert bits.shape == tuple(size + 1 for size in sizes)
        cells = bits[tuple(slice(size) for size in sizes)]
        for missing in product((False, True), repeat=len(sizes)):
            axes = tuple(at for at, gone in enumerate(missing) if gone)
            slots = bits[
                tuple(
                    slice(size, None) if gone else slice(size)
                    for size, gone in zip(sizes, missing, strict=True)
                )
            ]
            expected = cells
            for axis in axes:
                expected = join.reduce(expected, axis=axis, keepdims=True)
            assert np.array_equal(slots, expected)


@pytest.mark.parametrize("id_", SHIPPED)
def test_every_cell_of_a_shipped_table_has_an_answer(id_: str) -> None:
    """Design §2: every cell has an answer, before and after safety."""
    table = compile_table(load_guideline(id_))
    assert bool((table.criterion > 0).all())
    assert bool((table.disposition > 0).all())
    assert int(table.disposition.max()) < 64


@pytest.mark.parametrize("id_", FOR_RLS)
def test_only_confirmed_rls_is_covered(id_: str) -> None:
    """G30: every RLS file answers not-covered, before and after safety."""
    table = compile_table(load_guideline(id_))
    at = [axis.name for axis in table.axes].index("rls")
    axis = table.axes[at]
    assert isinstance(axis, WordAxis)
    other = axis.classes.index(frozenset({"suspected", "absent"}))
    for bits in (table.criterion, table.disposition):
        assert set(np.unique(bits.take(other, axis=at))) == {1 << ORDER.index("not-covered")}


@pytest.mark.parametrize("id_", SHIPPED)
def test_axes_come_in_the_order_of_the_inputs(id_: str) -> None:
    """Numbers first, then words, then facts; numbers are cut in ascending order."""
    axes = compile_table(load_guideline(id_)).axes
    order = ["ferritin", "tsat", "age", "rls", "pregnancy", "kidney"]
    names = [axis.name for axis in axes if axis.name in order]
    assert (
        names == [name for name in order if name in names] == [a.name for a in axes][: len(names)]
    )
    for axis in axes:
        if isinstance(axis, NumericAxis):
            assert list(axis.edges) == sorted(set(axis.edges))
        else:
            words = [word for part in axis.classes for word in part]
            assert len(words) == len(set(words))


GIVING = 0b000111  # oral-iron, iv-iron, oral-or-iv-iron
IV = 0b000110
WITHHOLD = 1 << ORDER.index("withhold-iron")


@pytest.mark.parametrize("id_", SHIPPED)
def test_strict_never_gives_a_route_that_the_default_withholds(id_: str) -> None:
    """§7, every cell: safety stops the same; no iron where all rules together give none."""
    table, strict = (compile_table(load_guideline(id_), strict=how) for how in (False, True))
    assert table.axes == strict.axes
    assert np.array_equal(table.stops, strict.stops)
    cells = tuple(slice(axis.size) for axis in table.axes)
    before, after = table.disposition[cells], strict.disposition[cells]
    gives, still_gives = before & GIVING > 0, after & GIVING > 0
    assert not (still_gives & ~gives).any()
    stopped = {
        route: np.logical_or.reduce(
            [
                table.stops[cells] >> at & 1 == 1
                for at, one in enumerate(safety().rules)
                if route in one.stops and table.safety_ids
            ]
            or [np.zeros(before.shape, bool)]
        )
        for route in ("oral", "iv")
    }
    assert not (stopped["iv"] & (after & IV > 0)).any()
    assert not (stopped["oral"] & still_gives).any()
    assert not ((before == WITHHOLD) & (after != WITHHOLD)).any()
    left_out = [one for one in table.guideline.rules if one.hearsay]
    assert bool(left_out) == bool((before != after).any())


def test_what_strict_withholds_with_all_rules_is_told() -> None:
    """§7: IR-6 (unverified) says IV, SL4 stops it, IR-1 alone would say oral iron."""
    patient = {**ADULT, "oral_iron": "not-tolerated", "conditions": "active-infection"}
    for strict in (False, True):
        decision = interpret(
            ferritin="60 ug/L",
            tsat="30 %",
            patient=patient,
            guidelines="irlssg-2018",
            strict=strict,
        ).decision
        assert decision.disposition == "withhold-iron"
    assert decision.criterion == "oral-iron"
    assert [one.id for one in decision.rules] == ["IR-1"]
    assert "verified rules alone say oral iron" in decision.because


def test_a_bound_across_a_cell_that_strict_empties_says_so() -> None:
    """Picchietti, F < 80: PG-1 is left out under 75 µg/L, and PG-1-unmet does not speak there."""
    decision = interpret(
        ferritin="<80 ug/L",
        tsat="30 %",
        patient={"age": 30, "pregnancy": "trimester-2"},
        guidelines="picchietti-2015",
        strict=True,
    ).decision
    assert decision.possible == ("no-iron",)
    assert decision.because.startswith("Only unverified text gives iron here")


def test_the_safety_rules_are_told_by_their_ids() -> None:
    """The bits of `stops` are in the order of the file."""
    table = compile_table(load_guideline("mayo-2021"))
    assert table.safety_ids == tuple(rule.id for rule in safety().rules)


def test_a_table_may_have_as_many_cases_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cells and the slot for a missing value are three cases."""
    ours = population(rule("A", 'ferritin = "<= 75 ug/L"'), REST, name="many")
    monkeypatch.setattr("rlsiron.compiler.MOST_SLOTS", 3)
    assert table_of(ours, head=FOR_ANEMIA).cells == 2
    monkeypatch.setattr("rlsiron.compiler.MOST_SLOTS", 2)
    with pytest.raises(GuidelineError, match="into 3 cases; 2 at most"):
        table_of(ours.replace('"many"', '"too many"'), head=FOR_ANEMIA)


def test_a_file_that_cuts_patients_into_too_many_cases_is_refused() -> None:
    """Design §2: the product of the cells stays small; here it would be (60 + 1) ** 5 and more."""
    limits = [
        ", ".join(f'{{ {name} = "<= {limit} {unit}" }}' for limit in range(1, 60))
        for name, unit in (
            ("ferritin", "ug/L"),
            ("tsat", "%"),
            ("iron", "ug/dL"),
            ("tibc", "ug/dL"),
            ("crp", "mg/L"),
        )
    ]
    wide = rule("A").replace("when = {  }", f"any = [{', '.join(limits)}]")
    with pytest.raises(GuidelineError, match=r"ours\.toml: its limits and facts cut patients into"):
        table_of(population(wide))
