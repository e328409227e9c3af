"""A file that extends a guideline: what it changes, what it says of itself, what is refused."""

import hashlib
import re
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rlsiron
from oracle import DATA, Oracle
from rlsiron.board import Board
from rlsiron.catalog import Document, status_ids, text_of
from rlsiron.compiler import compile_table
from rlsiron.errors import GuidelineError
from rlsiron.frames import interpret_frame
from rlsiron.guideline import Guideline, facts, load_guideline, parse_guideline, safety
from rlsiron.interpretation import interpret
from rlsiron.models import Interpretation
from test_guideline import VALUES, leaves, mutate
from test_oracle import compare

DOCS = Path(__file__).resolve().parents[1] / "docs" / "index.md"
ADULT: dict[str, Any] = {"age": 44, "sex": "male"}


def head(base: str = "aasm-2025", **more: str) -> str:
    told = {"id": "our-clinic", "title": "Our clinic", "extends": base, "version": "3", **more}
    return "".join(f'{name} = "{text}"\n' for name, text in told.items())


def change(id_: str, when: str) -> str:
    return f'[[change]]\nid = "{id_}"\nwhen = {{ {when} }}\n'


def parameters(**given: str) -> str:
    return "[parameters]\n" + "".join(f"{name} = {text}\n" for name, text in given.items())


def made(text: str) -> Guideline:
    return parse_guideline(Document("ours.toml", text, tomllib.loads(text)))


def ask(*guidelines: Any, **given: Any) -> Interpretation:  # noqa: ANN401 - as they are given
    told: dict[str, Any] = {"ferritin": "95 ug/L", "tsat": "30 %", "patient": ADULT, **given}
    return interpret(**told, guidelines=guidelines)


NARROWER = change("AA-3", 'ferritin = ["> 75 ug/L", "<= 90 ug/L"]')


# What is changed.


def test_a_changed_limit_decides_and_nothing_else_does() -> None:
    """Design §5: a rule's id and its new `when`; F 95 is IV by AA-3, F 85 stays so."""
    ours = made(head() + NARROWER)
    assert ask(ours).decision.disposition == "no-iron"
    assert ask(ours, ferritin="90 ug/L").decision.disposition == "iv-iron"
    assert ask(ours, ferritin="90.000000001 ug/L").decision.disposition == "no-iron"
    assert ask("aasm-2025").decision.disposition == "iv-iron"


def test_a_change_may_say_any() -> None:
    text = '[[change]]\nid = "AA-4"\nany = [{ ferritin = "< 30 ug/L" }, { tsat = "< 16 %" }]\n'
    ours = made(head() + text)
    child = {"age": 9}
    for ferritin, tsat, said in (("29 ug/L", "30 %", True), ("40 ug/L", "15 %", True),
                                 ("40 ug/L", "16 %", False)):  # fmt: skip
        decision = ask(ours, ferritin=ferritin, tsat=tsat, patient=child).decision
        assert (decision.disposition == "oral-or-iv-iron") is said


def test_a_file_that_changes_nothing_says_what_the_other_says_in_its_own_name() -> None:
    ours, aasm = (compile_table(load_guideline(one)) for one in (made(head()), "aasm-2025"))
    assert ours.axes == aasm.axes
    assert (ours.disposition == aasm.disposition).all()
    assert ours.guideline.title == "Our clinic (modified from aasm-2025)"


@pytest.mark.long
def test_an_extension_agrees_with_the_oracle_in_every_situation() -> None:
    """The file merged by hand, read by the oracle, strict and not."""
    text = head("irlssg-2018") + change("IR-3", 'ferritin = "<= 90 ug/L"')
    text += parameters(
        tsat_ceiling='"42 %"', ferritin_ceiling='"250 ug/L"', child_below='"16 years"'
    )
    by_hand = (DATA / "guidelines" / "irlssg-2018.toml").read_text(encoding="utf-8")
    assert by_hand.count('"<= 100 ug/L"') == 1
    document = tomllib.loads(by_hand.replace('"<= 100 ug/L"', '"<= 90 ug/L"'))
    document["parameters"] = {
        "tsat_ceiling": "42 %",
        "ferritin_ceiling": "250 ug/L",
        "child_below": "16 years",
    }
    for strict in (False, True):
        found = compare(compile_table(made(text), strict=strict), Oracle(document, strict=strict))
        assert found.situations > 1_000_000
        assert not found.differing, found.first


def test_a_change_does_not_make_a_rule_better_verified() -> None:
    """Clinical §0: no text states a limit that a user chose; unverified stays unverified."""
    ours = made(head("irlssg-2018") + change("IR-5", 'ferritin = ">= 200 ug/L"'))
    tiers = {rule.id: rule.verified for rule in ours.rules}
    assert (tiers["IR-4"], tiers["IR-12"]) == ("quoted", "secondary")  # before, and elsewhere
    assert (tiers["IR-5"], tiers["IR-6"], tiers["IR-9"]) == ("unverified",) * 3
    assert (tiers["IR-1"], tiers["IR-2"], tiers["IR-3"]) == ("convention",) * 3


# What it says of itself.


def test_it_never_speaks_in_the_name_of_the_other() -> None:
    """Design §5: shown as "modified from aasm-2025", never as AASM."""
    ours = made(head() + NARROWER)
    assert ours.source == "modified from aasm-2025"
    assert {rule.source for rule in ours.rules} == {"modified from aasm-2025"}
    assert (ours.id, ours.version, ours.reviewed_by, ours.extends) == (
        "our-clinic",
        "3",
        (),
        "aasm-2025",
    )
    answer = ask(ours)
    for note in answer.notes:
        if "Our clinic" in note.text:
            assert "Our clinic (modified from aasm-2025)" in note.text
        assert "AASM" not in note.text
        if note.code == "decision":
            assert note.sources == ("modified from aasm-2025",)
    assert answer.provenance.guidelines == {"our-clinic": "3"}


def test_a_file_without_a_title_is_called_by_its_id() -> None:
    text = head().replace('title = "Our clinic"\n', "")
    assert made(text).title == "our-clinic (modified from aasm-2025)"


SAYS = {
    "its own limits": (NARROWER, "AA-3",
        "where ferritin > 75 µg/L and <= 90 µg/L; and no earlier rule applies"),
    "the rest, after a change": (NARROWER, "AA-2-AA-3-unmet", "where no earlier rule applies"),
    "one before a change keeps its sentence": (NARROWER, "AA-2",
        "adults: oral or IV iron where ferritin is at most 75 µg/L or TSAT is under 20 %"),
    "the first of its population": (change("AA-4", 'ferritin = "< 30 ug/L"'), "AA-4",
        "where ferritin < 30 µg/L"),
    "words and facts": (
        change("AA-4", 'kidney = ["none", "ckd"], iv-reason = true, inflamed = false'), "AA-4",
        "where kidney none or ckd and iv-reason and not inflamed"),
    "a parameter as its value": (
        change("AA-4", 'ferritin = "< 30 ug/L", tsat = "< tsat_ceiling"')
        + parameters(tsat_ceiling='"41 %"'), "AA-4",
        "where ferritin < 30 µg/L and tsat < 41 %"),
    "of an alternative": (change("AA-2-AA-3", 'ferritin = "= 1"').replace(
        'when = { ferritin = "= 1" }', 'any = [{ tsat = "< 5 %" }, { tsat = "> 90 %" }]'),
        "AA-2-AA-3", "where tsat < 5 % or tsat > 90 %"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "id_", "says"), SAYS.values(), ids=SAYS)
def test_a_rule_that_may_decide_others_than_before_says_which(
    text: str, id_: str, says: str
) -> None:
    """A sentence with the old limit would be false: F 95 is not "over 100 µg/L"."""
    (rule,) = (rule for rule in made(head() + text).rules if rule.id == id_)
    assert rule.says.removeprefix(f"modified from aasm-2025 {id_}: ") == says
    if says.startswith("where"):
        assert rule.says != says
        assert (rule.strength, rule.certainty) == ("", "")


def test_a_rule_that_leaves_it_open_does_not_repeat_the_old_limits() -> None:
    ours = made(
        head() + change("AA-2-AA-3", 'ferritin = ["> 60 ug/L", "<= 90 ug/L"], tsat = "< 20 %"')
    )
    (rule,) = (rule for rule in ours.rules if rule.id == "AA-2-AA-3")
    assert not re.search("75|100", rule.why + rule.says)


def test_a_rule_without_a_limit_of_its_own_says_so() -> None:
    ours = made(head("kdigo-2026") + '[[change]]\nid = "CK-3"\nwhen = {}\n')
    (rule,) = (rule for rule in ours.rules if rule.id == "CK-3")
    assert rule.says.endswith("where nothing else is asked")


# Parameters.


def test_a_ceiling_is_lowered_for_this_file_only() -> None:
    """SL1 and SL2 print the limit that stopped; the shipped file keeps 45 % and 300 µg/L."""
    ours = made(head() + parameters(tsat_ceiling='"35 %"', ferritin_ceiling='"20 ug/dL"'))
    answer = ask(ours, "aasm-2025", tsat="35 %")
    assert answer.decisions["our-clinic"].disposition == "withhold-iron"
    assert answer.decisions["aasm-2025"].disposition == "iv-iron"
    (stop,) = (note for note in answer.notes if note.code == "SL1")
    assert "(35 %; with kidney disease never above 40 %)" in stop.text
    assert "as Our clinic (modified from aasm-2025) has it" in stop.text
    assert "35 %" in answer.decisions["our-clinic"].because
    (ferritin,) = (note for note in ask(ours, ferritin="200 ug/L").notes if note.code == "SL2")
    assert "the ceiling, 20 µg/dL," in ferritin.text
    assert ask(ours, ferritin="199.999999999 ug/L").decision.disposition == "no-iron"
    assert "45 %" in next(rule.says for rule in safety().rules if rule.id == "SL1")
    assert "300 µg/L" in next(rule.says for rule in safety().rules if rule.id == "SL2")


def test_a_stop_by_both_ceilings_is_told_of_each() -> None:
    ours = made(head() + parameters(tsat_ceiling='"35 %"'))
    stops = [note.text for note in ask(ours, "aasm-2025", tsat="50 %").notes if note.code == "SL1"]
    assert len(stops) == 2
    both = [note for note in ask("mayo-2021", "aasm-2025", tsat="50 %").notes if note.code == "SL1"]
    assert len(both) == 1


def test_a_ceiling_is_raised_only_where_the_file_calls_it_unsafe() -> None:
    text = parameters(ferritin_ceiling='"400 ug/L"', unsafe_ceiling="true")
    ours = made(head() + text)
    assert ask(ours, ferritin="399 ug/L", tsat="10 %").decision.disposition == "indeterminate"
    assert ask(ours, ferritin="400 ug/L", tsat="10 %").decision.disposition == "withhold-iron"


def test_no_file_raises_the_ceiling_of_kidney_disease() -> None:
    """G7: the stricter limit, whatever a file calls unsafe; without kidney disease its own."""
    ours = made(head() + parameters(tsat_ceiling='"60 %"', unsafe_ceiling="true"))
    for kidney, tsat, said in (
        ("ckd", "39.9 %", "oral-or-iv-iron"),
        ("ckd", "40 %", "withhold-iron"),
        ("none", "59.9 %", "oral-or-iv-iron"),
        ("none", "60 %", "withhold-iron"),
    ):
        told = ask(ours, ferritin="50 ug/L", tsat=tsat, patient={**ADULT, "kidney": kidney})
        assert told.decision.disposition == said


def test_who_is_a_child_is_changed_for_this_file_only() -> None:
    ours = made(head() + parameters(child_below='"16 years"'))
    answer = ask(ours, "aasm-2025", ferritin="60 ug/L", patient={"age": 16})
    assert answer.decisions["our-clinic"].disposition == "oral-or-iv-iron"
    assert answer.decisions["aasm-2025"].disposition == "no-iron"


LAX = head("mayo-2021") + parameters(crp_limit='"10 mg/L"')
STRICTER = head("mayo-2021", id="the-ward") + parameters(crp_limit='"0.3 mg/dL"')
NO, OPEN = ("no-iron",), ("iv-iron", "no-iron")
# MY-3: F > 100 and T < 20 is open only where inflamed; limits 10, 5 and 3 mg/L, each "over"
CRP: dict[str, tuple[dict[str, Any], tuple[Any, Any, Any]]] = {
    "none": ({}, (NO, NO, NO)),
    "3": ({"crp": "3 mg/L"}, (NO, NO, NO)),
    "one step over 3": ({"crp": "3.000000001 mg/L"}, (NO, NO, OPEN)),
    "5": ({"crp": "5 mg/L"}, (NO, NO, OPEN)),
    "7": ({"crp": "0.7 mg/dL"}, (NO, OPEN, OPEN)),
    "10": ({"crp": "10 mg/L"}, (NO, OPEN, OPEN)),
    "one step over 10": ({"crp": "10.000000001 mg/L"}, (OPEN, OPEN, OPEN)),
    "over 4": ({"crp": ">4 mg/L"}, (OPEN, OPEN, OPEN)),
    "under 7": ({"crp": "<7 mg/L"}, (NO, OPEN, OPEN)),
    "malignancy": ({"patient": {**ADULT, "conditions": "malignancy"}}, (OPEN, OPEN, OPEN)),
}


@pytest.mark.parametrize(("given", "said"), CRP.values(), ids=CRP)
def test_each_guideline_has_the_facts_of_its_own_crp_limit(
    given: dict[str, Any], said: tuple[Any, Any, Any]
) -> None:
    """Three limits in one call, and each alone."""
    told = {"ferritin": "150 ug/L", "tsat": "10 %", **given}
    guidelines = (made(LAX), "mayo-2021", made(STRICTER))
    answer = ask(*guidelines, **told)
    assert tuple(one.possible for one in answer.decisions.values()) == said
    for guideline, possible in zip(guidelines, said, strict=True):
        alone = ask(guideline, **told).decision
        assert alone.possible == possible
        assert alone == answer.decisions[alone.guideline]


def test_a_crp_across_a_limit_is_needed_where_that_limit_is() -> None:
    told = {"ferritin": "150 ug/L", "tsat": "10 %", "crp": "<7 mg/L"}
    answer = ask(made(LAX), "mayo-2021", made(STRICTER), **told)
    assert [one.needs for one in answer.decisions.values()] == [(), ("crp",), ("crp",)]


def test_no_inflammation_is_assumed_where_any_limit_in_use_leaves_it() -> None:
    """Design §4: assumed, unless the CRP is over the limit; 7 mg/L is not over 10 mg/L."""
    assumed = "inflammation=no"
    assert assumed not in ask("mayo-2021", crp="7 mg/L").assumptions
    assert assumed in ask("mayo-2021", made(LAX), crp="7 mg/L").assumptions
    assert assumed not in ask("mayo-2021", made(LAX), crp="11 mg/L").assumptions


def test_a_record_that_denies_inflammation_is_doubted_by_the_own_limit_too() -> None:
    told = {"crp": "4 mg/L", "patient": {**ADULT, "inflammation": False}}
    code = "inflammation-contradicts-crp"
    assert code not in {note.code for note in ask("mayo-2021", **told).notes}
    assert code in {note.code for note in ask("mayo-2021", made(STRICTER), **told).notes}


def test_a_frame_answers_by_the_own_crp_limit() -> None:
    import pandas as pd

    values = [3, 3.000000001, 5, 7, 10, 10.000000001, None]
    df = pd.DataFrame({"ferritin": 150, "tsat": 10, "age": 44, "crp": values})
    guidelines = (made(LAX), "mayo-2021", made(STRICTER))
    units = {"ferritin": "ug/L", "tsat": "%", "crp": "mg/L"}
    out = interpret_frame(df, guidelines=guidelines, units=units)
    for row, value in enumerate(values):
        given = {"crp": (value, "mg/L")} if value else {}
        answer = ask(*guidelines, ferritin="150 ug/L", tsat="10 %", patient={"age": 44}, **given)
        for id_, decision in answer.decisions.items():
            said = out[f"{id_.replace('-', '_')}_possible"].iloc[row]
            assert said == " ".join(decision.possible)


def test_only_facts_that_a_parameter_touches_are_another_axis() -> None:
    own = made(LAX).parameters
    assert own == (("crp_limit", "10 mg/L"),)
    assert {name for name, fact in facts(own).items() if fact.name != name} == {"inflamed"}
    assert Board([compile_table(load_guideline("mayo-2021"))]).parameters == ()
    assert Board([compile_table(made(LAX))]).parameters == (own,)


def test_the_fingerprint_rests_on_the_file_and_on_the_one_that_it_extends() -> None:
    """Design §4: sha256 of the knowledge used; counted here from the texts."""
    ours = made(head())
    names = ["units.txt", "analytes.toml", "spellings.toml", "sources.toml", "facts.toml"]
    names += ["safety.toml", "remarks.toml", "notes/en.toml"]
    names += [f"status/{id_}.toml" for id_ in status_ids()]
    texts = [text_of(name) for name in names]
    texts += [ours.document.text, text_of("guidelines/aasm-2025.toml")]
    expected = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    assert ask(ours).provenance.sha256 == expected


# What is refused: the file, the line, the place, what is wrong, the way out.

REFUSED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "a gap": ("", change("AA-2-AA-3-unmet", 'ferritin = "<= 150 ug/L"'),
        ("population adult", "no rule covers ferritin in (150, inf) ug/L", "add one")),
    "a dead rule": ("", change("AA-9", 'kidney = "ckd"'),
        ("line 6", "population end-stage adult", "rule AA-9", "is dead")),
    "a rule dead by a change of another": ("", change("AA-2", ""),
        ("population adult", "rule AA-3", "is dead")),
    "a typo in a name": ("", change("AA-3", 'feritin = "<= 75 ug/L"'),
        ("line 7", "rule AA-3, key feritin: unknown name; did you mean 'ferritin'?")),
    "a typo in a word": ("", change("AA-3", 'kidney = "nome"'),
        ("line 7", "population adult", "rule AA-3", "key kidney", "did you mean 'none'?")),
    "a typo in a fact": ("", change("AA-3", "inflammed = true"), ("did you mean 'inflamed'?",)),
    "a unit of the wrong kind": ("", change("AA-3", 'ferritin = "<= 75 mg/L"'),
        ("line 7", "key ferritin", "'mg/L'; did you mean 'ug/L'?")),
    "a limit without a unit": ("", change("AA-3", 'ferritin = "<= 75"'),
        ("line 7", "key ferritin", "'<= 75' is not a limit with its unit", "<= 75 ug/L")),
    "a change of a rule that is not there": ("", change("AA-33", 'ferritin = "<= 75 ug/L"'),
        ("line 6", "unknown rule of aasm-2025 'AA-33'; did you mean 'AA-3'?")),
    "a rule that is changed twice": ("", NARROWER + NARROWER, ("rule AA-3", "changed twice")),
    "a change without a condition": ("", '[[change]]\nid = "AA-3"\n',
        ("line 6", "rule AA-3", "say its new `when`, or `any`")),
    "a change with two conditions": ("", change("AA-3", "") + "any = [{}]\n",
        ("line 6", "rule AA-3", "`when` or `any`, not both")),
    "a change of a disposition": ("", NARROWER + 'disposition = "oral-iron"\n',
        ("line 8", "rule AA-3", "key disposition", "unknown key; known: id, when, any")),
    "a change without an id": ("", "[[change]]\nwhen = {}\n", ("key id", "is missing")),
    "a rule of its own": ('disposition = "oral-iron"\n', "", ("line 5", "unknown key")),
    "a raised ceiling": ("", parameters(tsat_ceiling='"45.1 %"'),
        ("line 6", "key tsat_ceiling", "'45.1 %' raises the ceiling of 45 %",
         "`unsafe_ceiling = true`")),
    "a ceiling raised in another unit": ("", parameters(ferritin_ceiling='"31 ug/dL"'),
        ("key ferritin_ceiling", "raises the ceiling of 300 ug/L")),
    "an unsafe that is no yes": ("", parameters(tsat_ceiling='"50 %"', unsafe_ceiling='"yes"'),
        ("line 7", "key unsafe_ceiling", "'yes' is not true or false")),
    "a ceiling where none lies": ("", parameters(tsat_ceiling='"30 %"'),
        ("key tsat_ceiling", "no ceiling lies over a guideline of purpose 'anemia'")),
    "an unknown parameter": ("", parameters(crp_limits='"10 mg/L"'),
        ("line 6", "key crp_limits", "unknown parameter 'crp_limits'; did you mean 'crp_limit'?")),
    "a parameter of the wrong unit": ("", parameters(crp_limit='"10 %"'),
        ("line 6", "key crp_limit", "'%'", "write one of mg/L")),
    "an age in days": ("", parameters(child_below='"6000 days"'),
        ("key child_below", "unknown unit of age 'days'; known: years")),
    "a parameter without a unit": ("", parameters(crp_limit='"10"'),
        ("line 6", "key crp_limit", "'10' is not a number with its unit; write '5 mg/L'")),
    "a parameter that is a number": ("", parameters(crp_limit="10"),
        ("line 6", "key crp_limit", "10 is not a number with its unit")),
    "a parameter that is another": ("", parameters(child_below='"crp_limit"'),
        ("key child_below", "is not a number with its unit")),
    "a parameter of nothing": ("", parameters(crp_limit='"0 mg/L"'), ("'0 mg/L' is no limit",)),
    "parameters that leave no adult": ("", parameters(child_below='"131 years"'),
        ("population end-stage adult", "is unreachable")),
    "parameters that are no table": ("parameters = 3\n", "", ("line 5", "key parameters")),
    "reviewers": ('reviewed_by = ["Dr A"]\n', "",
        ("line 5", "key reviewed_by", "nobody reviewed a modification", "stands alone")),
}  # fmt: skip


def refusal(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GuidelineError) as caught:
        interpret(ferritin="62 ug/L", guidelines=path)
    return str(caught.value)


@pytest.mark.parametrize(("before", "after", "parts"), REFUSED.values(), ids=REFUSED)
def test_a_fault_is_refused_with_its_place_and_the_way_out(
    tmp_path: Path, before: str, after: str, parts: tuple[str, ...]
) -> None:
    base = "kdigo-2026" if "anemia" in "".join(parts) else "aasm-2025"
    message = refusal(tmp_path / "ours.toml", head(base) + before + after)
    assert message.startswith(str(tmp_path / "ours.toml"))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "extends", ["our-clinic", "theirs", "theirs.toml", "who-2020", "AASM-2025", "../facts"]
)
def test_only_a_guideline_that_ships_is_extended(tmp_path: Path, extends: str) -> None:
    """So that no file extends itself, and no two extend each other."""
    (tmp_path / "theirs.toml").write_text(head("our-clinic", id="theirs"), encoding="utf-8")
    message = refusal(tmp_path / "ours.toml", head(extends))
    assert "line 3, key extends" in message
    assert f"only a guideline that ships can be extended, not {extends!r}; " in message
    assert "aasm-2025" in message


@pytest.mark.parametrize("missing", ["id", "version"])
def test_what_every_file_says_of_itself_is_asked_of_an_extension(
    tmp_path: Path, missing: str
) -> None:
    text = "".join(line for line in head().splitlines(keepends=True) if missing not in line)
    assert f"key {missing}: is missing" in refusal(tmp_path / "ours.toml", text)


def test_a_file_that_calls_itself_by_the_name_of_the_other_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path / "ours.toml", head(id="aasm-2025") + NARROWER)
    assert "the id 'aasm-2025' is taken; a file of your own has its own" in message


@given(data=st.data())
def test_a_mutated_extension_is_a_guideline_or_a_guideline_error(data: st.DataObject) -> None:
    """Whatever is deleted, repeated or replaced."""
    tree = tomllib.loads(head() + NARROWER + parameters(crp_limit='"10 mg/L"'))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(leaves(tree) or [("id",)]))
        if leaves(tree):
            how = data.draw(st.sampled_from(["delete", "repeat", "replace"]))
            mutate(tree, path, how, data.draw(VALUES))
    try:
        ours = parse_guideline(Document("ours.toml", "", tree))
        compile_table(ours)
    except GuidelineError as fault:
        assert str(fault)  # noqa: PT017 - either outcome is right
    else:
        assert "modified from aasm-2025" in ours.title


@given(st.text(alphabet="<>= .0123456789mg/L%_abc-", max_size=12))
def test_any_text_is_a_parameter_or_a_guideline_error(value: str) -> None:
    tree = tomllib.loads(head())
    tree["parameters"] = {"crp_limit": value}
    try:
        own = parse_guideline(Document("ours.toml", "", tree)).parameters
    except GuidelineError as fault:
        assert "crp_limit" in str(fault)  # noqa: PT017 - either outcome is right
    else:
        assert own == (("crp_limit", value),)


NOT_READ: Mapping[str, tuple[bytes, str]] = {
    "no TOML": (b"extends aasm", "is not TOML"),
    "bytes": (b"\xff\xfe\x00", "cannot read the guideline file"),
    "nested on one line": (b"a = " + b"[" * 900_000, "nested too deeply"),
    "nested on many": (b"a = " + b"[\n" * 400_000, "is not TOML"),
    "50 MB of nesting": (b"[" * 50_000_000, "no file of 1000000 bytes at most"),
}


@pytest.mark.parametrize(("content", "said"), NOT_READ.values(), ids=NOT_READ)
def test_what_is_no_file_of_knowledge_is_refused_at_once(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "ours.toml"
    path.write_bytes(content)
    start = time.monotonic()
    with pytest.raises(GuidelineError, match=re.escape(said)):
        interpret(guidelines=path)
    assert time.monotonic() - start < 10


# A folder of files.


def test_a_folder_is_every_file_in_it_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(head(id="second"), encoding="utf-8")
    (tmp_path / "a.toml").write_text(head(id="first"), encoding="utf-8")
    (tmp_path / "readme.md").write_text("no guideline", encoding="utf-8")
    for folder in (tmp_path, str(tmp_path)):
        assert list(ask(folder, "mayo-2021").decisions) == ["first", "second", "mayo-2021"]
        assert list(interpret(guidelines=folder).decisions) == ["first", "second"]


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GuidelineError, match="has no guideline file"):
        interpret(guidelines=tmp_path)


def test_an_id_is_an_id_beside_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mayo-2021").mkdir()
    monkeypatch.chdir(tmp_path)
    assert interpret(guidelines="mayo-2021").decision.guideline == "mayo-2021"


# What the docs print.


def printed() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def test_a_protocol_in_the_docs_has_ten_lines_and_holds() -> None:
    (text,) = (block for block in printed() if "extends" in block)
    assert len(text.strip().splitlines()) <= 11
    assert rlsiron.load_guideline(made(text)).parameters == (("crp_limit", "10 mg/L"),)
    assert ask(made(text)).decision.disposition == "no-iron"


def test_every_file_in_the_docs_is_a_guideline() -> None:
    assert len(printed()) == 2
    for text in printed():
        compile_table(made(text))
