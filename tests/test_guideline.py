"""The grammar of guideline files: what is wrong is refused with its place and the way out."""

import os
import re
import subprocess
import sys
import tomllib
from datetime import timedelta
from math import inf, nextafter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsiron.catalog import Document
from rlsiron.compiler import compile_table
from rlsiron.errors import GuidelineError
from rlsiron.grammar import DISPOSITIONS, GIVES, TIERS, WITHHOLDS, groups, vocabulary
from rlsiron.guideline import (
    Guideline,
    facts,
    load_guideline,
    parse_guideline,
    safety,
    shipped,
    windows,
)
from rlsiron.interpretation import interpret

TEXT = """\
id = "our-clinic"
title = "Our clinic"
purpose = "rls"
source = "rlsiron"
version = "1"
reviewed_by = []

[[population]]
name = "grown-up"
applies = { age = ">= 18 years" }

  [[population.rule]]
  id = "X-1"
  when = { ferritin = "<= 75 ug/L" }
  disposition = "oral-iron"
  verified = "primary"
  says = "low ferritin"

  [[population.rule]]
  id = "X-2"
  disposition = "no-iron"
  verified = "quoted"
  says = "ferritin not low"

[[population]]
name = "minor"
applies = { age = "< 18 years" }

  [[population.rule]]
  id = "Y-1"
  any = [{ tsat = "< 20 %" }, { ferritin = "< 50 ug/L", iv-reason = true }]
  disposition = ["oral-iron", "no-iron"]
  why = "not settled"
  strength = "weak"
  certainty = "low"
  source = "aasm-2025"
  verified = "convention"
  says = "low saturation"

  [[population.rule]]
  id = "Y-2"
  disposition = "no-iron"
  verified = "unverified"
  says = "saturation not low"
"""
LIMIT = '"<= 75 ug/L"'
START = TEXT[: TEXT.index("[[")]


def changed(old: str, new: str) -> str:
    """Return the text with the first occurrence of a part replaced."""
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def written(folder: Path, text: str) -> Path:
    path = folder / "ours.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    """Return why a file is refused, by the reader or by the compiler."""
    with pytest.raises(GuidelineError) as caught:
        compile_table(load_guideline(written(folder, text)))
    return str(caught.value)


def document_of(text: str) -> Document:
    return Document("ours.toml", text, tomllib.loads(text))


def test_a_whole_file_is_read_as_it_stands(tmp_path: Path) -> None:
    """Design §5: every field of the example reaches the record, limits as closed intervals."""
    ours = load_guideline(written(tmp_path, TEXT))
    assert (ours.id, ours.title, ours.purpose, ours.source) == (
        "our-clinic",
        "Our clinic",
        "rls",
        "rlsiron",
    )
    assert (ours.version, ours.reviewed_by, ours.silent_on) == ("1", (), frozenset())
    assert (ours.about, ours.extends, ours.parameters) == ("", "", ())
    grown, minor = ours.populations
    assert grown.applies.axes == (("age", (18.0, inf)),)
    assert minor.applies.axes == (("age", (0.0, nextafter(18.0, 0))),)
    assert [rule.id for rule in ours.rules] == ["X-1", "X-2", "Y-1", "Y-2"]
    low, rest, open_, _ = ours.rules
    assert low.any[0].axes == (("ferritin", (0.0, 75.0)),)
    assert (low.disposition, low.source, low.strength, low.why) == (
        ("oral-iron",),
        "rlsiron",
        "",
        "",
    )
    assert rest.any[0].axes == ()
    assert open_.any[0].axes == (("tsat", (0.0, nextafter(20.0, 0))),)
    assert open_.any[1].axes == (
        ("ferritin", (0.0, nextafter(50.0, 0))),
        ("iv-reason", frozenset({True})),
    )
    assert (open_.source, open_.strength, open_.certainty) == ("aasm-2025", "weak", "low")
    assert (open_.why, open_.verified) == ("not settled", "convention")
    assert repr(ours).startswith("<Guideline our-clinic: rls, version 1, 2 populations, 4 rules")


def test_a_title_is_the_id_where_none_is_given() -> None:
    """The title is optional."""
    assert parse_guideline(document_of(changed('title = "Our clinic"\n', ""))).title == "our-clinic"


def test_dispositions_come_in_the_order_of_the_vocabulary() -> None:
    """Design §4: `possible` is in the order of the vocabulary, whatever the file's order."""
    text = changed('["oral-iron", "no-iron"]', '["no-iron", "oral-iron"]')
    assert parse_guideline(document_of(text)).rules[2].disposition == ("oral-iron", "no-iron")


LIMITS = {
    "at most": ('"<= 75 ug/L"', (0.0, 75.0)),
    "under": ('"< 75 ug/L"', (0.0, nextafter(75.0, 0))),
    "at least": ('">= 75 ug/L"', (75.0, inf)),
    "over": ('"> 75 ug/L"', (nextafter(75.0, 76), inf)),
    "between": ('["> 75 ug/L", "<= 100 ug/L"]', (nextafter(75.0, 76), 100.0)),
    "the narrower of two": ('["<= 75 ug/L", "< 75 ug/L"]', (0.0, nextafter(75.0, 0))),
    "exactly": ('[">= 75 ug/L", "<= 75 ug/L"]', (75.0, 75.0)),
    "another unit": ('"<= 7.5 ug/dL"', (0.0, 75.0)),
    "pmol/L": ('"<= 168.539325843 pmol/L"', (0.0, 75.0)),
    "a spelling": ('"<= 75 ng/ml"', (0.0, 75.0)),
    "no space": ('"<=75ug/L"', (0.0, 75.0)),
    "spaces about": ('" <=  75 ug/L "', (0.0, 75.0)),
    "the largest value": ('"<= 5000000 ug/L"', (0.0, 5e6)),
    "a parameter": ('"< ferritin_ceiling"', (0.0, nextafter(300.0, 0))),
}


@pytest.mark.parametrize(("limit", "interval"), LIMITS.values(), ids=LIMITS)
def test_a_limit_is_a_closed_interval_in_the_canonical_unit(
    limit: str, interval: tuple[float, float]
) -> None:
    """Design §2: an open end is the next float inward; 7.5 µg/dL is 75 µg/L."""
    rule = parse_guideline(document_of(changed(LIMIT, limit))).rules[0]
    assert rule.any[0].axes == (("ferritin", interval),)


def test_an_age_in_months_is_in_years() -> None:
    """6 months are half a year."""
    text = changed('">= 18 years"', '">= 6 months"')
    assert parse_guideline(document_of(text)).populations[0].applies.axes == (("age", (0.5, inf)),)


BAD_LIMITS = {
    "no operator": '"1.2.3"',
    "two points": '"<= 1.2.3 ug/L"',
    "a point alone": '"<= . ug/L"',
    "no number": '"<= ug/L"',
    "an equals sign": '"= 75 ug/L"',
    "no unit": '"<= 75"',
    "a time": '">= 75 fortnights"',
    "a unit of another kind": '"<= 75 %"',
    "a unit of another analyte": '"<= 75 mg/L"',
    "an exponent": '"<= 1e3 ug/L"',
    "a negative number": '"<= -5 ug/L"',
    "under zero": '"< 0 ug/L"',
    "digits of another script": '"<= ٧٥ ug/L"',  # noqa: RUF001 - Arabic digits
    "a sign of mathematics": '"≤ 75 ug/L"',
    "an empty text": '""',
    "an empty list": "[]",
    "a list of an empty text": '[""]',
    "limits that exclude each other": '["> 75 ug/L", "<= 75 ug/L"]',
    "an unknown parameter": '"<= ferritin_ceilin"',
    "a parameter of another unit": '"<= crp_limit"',
    "more than any measurement": '"<= 9000000 ug/L"',
    "400 digits": f'"<= {"9" * 400} ug/L"',
    "yes": "true",
    "an integer": "75",
    "a float": "75.0",
    "a list of numbers": "[75]",
    "a mixed list": '["<= 75 ug/L", 3]',
    "a nested list": '[["<= 75 ug/L"]]',
    "a date": "2026-01-31",
    "a time of day": "07:32:00",
    "a table": "{ low = 75 }",
    "infinity": "inf",
    "not a number": "nan",
}


@pytest.mark.parametrize("limit", BAD_LIMITS.values(), ids=BAD_LIMITS)
def test_a_faulty_limit_is_refused_with_its_place(tmp_path: Path, limit: str) -> None:
    """Design §5: the fault names file, population, rule and key."""
    message = refusal(tmp_path, changed(LIMIT, limit))
    for place in ("ours.toml", "population grown-up", "rule X-1", "ferritin"):
        assert place in message


SAID_OF_LIMITS = {
    '"<= 9000000 ug/L"': "'9000000' ug/L is beyond every measurement",
    '"<= ferritin_ceilin"': "unknown parameter 'ferritin_ceilin'; did you mean 'ferritin_ceiling'?",
    "[]": '[] is not a limit; write one such as "<= 75 ug/L"',
    '["> 75 ug/L", "<= 75 ug/L"]': "no value is within ['> 75 ug/L', '<= 75 ug/L']",
    "75": '75 is not a limit with its unit; write one such as "<= 75 ug/L"',
}


@pytest.mark.parametrize("limit", SAID_OF_LIMITS)
def test_a_faulty_limit_is_refused_with_what_is_wrong(tmp_path: Path, limit: str) -> None:
    """Style: what was wrong with the value, then the way out."""
    message = refusal(tmp_path, changed(LIMIT, limit))
    assert message.endswith(f"key ferritin: {SAID_OF_LIMITS[limit]}")


@pytest.mark.parametrize(
    "limit", ['"<= 75"', '"= 75 ug/L"', "[]", '"<= 75 %"', '"<= ferritin_ceilin"']
)
def test_a_faulty_limit_is_refused_with_its_line(tmp_path: Path, limit: str) -> None:
    """Design §5: faults name the line; the limit stands on line 14, its rule begins on line 12."""
    line = re.search(r"line (\d+)", refusal(tmp_path, changed(LIMIT, limit)))
    assert line
    assert 12 <= int(line[1]) <= 14


def test_a_limit_of_age_has_its_own_units(tmp_path: Path) -> None:
    """An age is in years or months, and a faulty one is refused like another limit."""
    hints = {"75 ug/L": "years", ". years": "population", "18 yeers": "did you mean 'years'?"}
    for wrong, hint in hints.items():
        message = refusal(tmp_path, changed('">= 18 years"', f'">= {wrong}"'))
        assert "population grown-up" in message
        assert hint in message


_SECOND = "is the second of its"
_ONCE = "rule Y-1: name each disposition that remains possible, once"
FAULTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "unknown axis": ("ferritin =", "feritin =", ("X-1", "did you mean 'ferritin'?")),
    "a field that is no axis": ("ferritin =", "severity =", ("X-1, key severity", "unknown name")),
    "unknown axis like the age": ("age = ", "agee = ", ("grown-up", "did you mean 'age'?")),
    "unknown word of an axis": (
        'applies = { age = ">= 18 years" }',
        'applies = { kidney = "ckdd" }',
        ("population grown-up", "key kidney", "unknown kidney 'ckdd'; did you mean 'ckd'?"),
    ),
    "unknown word in a list": (
        'applies = { age = ">= 18 years" }',
        'applies = { kidney = ["none", "ckdd"] }',
        ("population grown-up", "key kidney", "did you mean 'ckd'?"),
    ),
    "no word": ('{ age = ">= 18 years" }', "{ kidney = [] }", ("key kidney", "known: none, ckd")),
    "yes for a word": ('{ age = ">= 18 years" }', "{ kidney = true }", ("key kidney", "True")),
    "a number for a word": ('{ age = ">= 18 years" }', "{ kidney = 5 }", ("grown-up", "kidney")),
    "a word for a fact": ("iv-reason = true", 'iv-reason = "yes"', ("Y-1", "iv-reason", "'yes'")),
    "a number for a fact": ("iv-reason = true", "iv-reason = 1", ("Y-1", "iv-reason")),
    "unknown key of the file": ('version = "1"', 'version = "1"\nversio = "2"', ("versio",)),
    "unknown key of a population": ('name = "minor"', 'name = "minor"\nage = 3', ("minor", "age")),
    "unknown key of the first rule": (
        'says = "low ferritin"',
        'says = "low ferritin"\n  say = "x"',
        ("population grown-up", "rule X-1", "unknown key; did you mean 'says'?"),
    ),
    "unknown key of a later rule": (
        'says = "ferritin not low"',
        'says = "ferritin not low"\n  say = "x"',
        ("population grown-up", "rule X-2", "say"),
    ),
    "unknown key of the first rule of a later population": (
        'says = "low saturation"',
        'says = "low saturation"\n  say = "x"',
        ("population minor", "rule Y-1", "say"),
    ),
    "no says": ('  says = "low ferritin"\n', "", ("grown-up", "rule X-1", "says")),
    "empty says": ('"low ferritin"', '""', ("grown-up", "rule X-1", "says")),
    "no id of a rule": ('  id = "X-1"\n', "", ("grown-up", "rule 1", "id")),
    "no id": ('id = "our-clinic"\n', "", ("id",)),
    "an id with capitals": (
        '"our-clinic"',
        '"Our-Clinic"',
        ("key id: 'Our-Clinic' is no id; write small letters, digits and hyphens",),
    ),
    "an id of a rule with a space behind it": ('"X-1"', '"X-1 "', ("key id", "cannot stand here")),
    "a limit that is a number": (
        '"<= 75 ug/L"',
        "75",
        ("X-1, key ferritin: 75 is not a limit with its unit; write one such as", "<= 75 ug/L"),
    ),
    "an age that is a number": (
        'applies = { age = ">= 18 years" }',
        "applies = { age = 18 }",
        ("grown-up, key age: 18 is not a limit with its unit",),
    ),
    "a key with a typo": (
        '  says = "low ferritin"\n',
        '  syas = "low ferritin"\n',
        ("X-1, key syas: unknown key; did you mean 'says'?",),
    ),
    "unknown disposition": (
        'disposition = "oral-iron"',
        'disposition = "oral-irn"',
        ("key disposition: unknown disposition", "did you mean 'oral-iron'?"),
    ),
    "an id with a line end": ('"our-clinic"', '"our-clinic\\n"', ("id",)),
    "an id that is a path": ('"our-clinic"', '"../our-clinic"', ("id",)),
    "no source": ('source = "rlsiron"\n', "", ("source",)),
    "unknown source": (
        '"rlsiron"',
        '"rlsirn"',
        ("key source: unknown source 'rlsirn'; did you mean 'rlsiron'?",),
    ),
    "unknown source of a rule": (
        '"aasm-2025"',
        '"aasm-2024"',
        ("rule Y-1, key source: unknown source 'aasm-2024'; did you mean 'aasm-2025'?",),
    ),
    "no version": ('version = "1"\n', "", ("version",)),
    "a number for the version": ('version = "1"', "version = 1", ("version",)),
    "a date for the version": ('version = "1"', "version = 2026-01-31", ("version",)),
    "unknown purpose": ('purpose = "rls"', 'purpose = "rsl"', ("purpose", "'rls'")),
    "a text for the reviewers": ("reviewed_by = []", 'reviewed_by = "me"', ("reviewed_by",)),
    "a number for a reviewer": ("reviewed_by = []", "reviewed_by = [1]", ("reviewed_by",)),
    "unknown silence": (
        "reviewed_by = []",
        'reviewed_by = []\nsilent_on = ["pregnant"]',
        ("silent_on", "'pregnancy'"),
    ),
    "two populations of one name": (
        '"minor"',
        '"grown-up"',
        (f"grown-up: {_SECOND} name; give each population its own",),
    ),
    "two rules of one id": ('"X-2"', '"X-1"', (f"rule X-1: {_SECOND} id; give each rule its own",)),
    "two rules of one id in two populations": ('"Y-2"', '"X-1"', ("rule X-1",)),
    "when and any": (
        "when = {",
        'any = [{ tsat = "< 20 %" }]\n  when = {',
        ("rule X-1: give `when` or `any`, not both",),
    ),
    "an empty any": ('when = { ferritin = "<= 75 ug/L" }', "any = []", ("rule X-1", "any")),
    "a number in any": (
        'when = { ferritin = "<= 75 ug/L" }',
        "any = [{}, 5]",
        ("population grown-up", "rule X-1", "any"),
    ),
    "a wrong type in any": (
        'when = { ferritin = "<= 75 ug/L" }',
        "any = [{ tsat = 20 }]",
        ("population grown-up", "rule X-1", "tsat"),
    ),
    "a list for when": ('{ ferritin = "<= 75 ug/L" }', '["x"]', ("grown-up", "rule X-1", "when")),
    "a text for when": ('{ ferritin = "<= 75 ug/L" }', '"x"', ("grown-up", "rule X-1", "when")),
    "a text for applies": ('{ age = ">= 18 years" }', '"all"', ("grown-up", "applies")),
    "no disposition": ('  disposition = "oral-iron"\n', "", ("rule X-1", "disposition")),
    "a disposition that is none": (
        '"oral-iron"',
        '"oral"',
        ("rule X-1, key disposition: unknown disposition 'oral'; did you mean 'oral-iron'?",),
    ),
    "indeterminate": ('"oral-iron"', '"indeterminate"', ("X-1", "'indeterminate'", "known: ")),
    "indeterminate in a set": (
        '["oral-iron", "no-iron"]',
        '["oral-iron", "indeterminate"]',
        ("Y-1", "'indeterminate'"),
    ),
    "several dispositions and no why": (
        '  why = "not settled"\n',
        "",
        ("rule Y-1: more than one disposition remains possible; say `why`",),
    ),
    "a disposition twice": ('["oral-iron", "no-iron"]', '["no-iron", "no-iron"]', (_ONCE,)),
    "no member": ('["oral-iron", "no-iron"]', "[]", ("Y-1",)),
    "a number for a disposition": ('"oral-iron"', "5", ("rule X-1", "disposition")),
    "a number among dispositions": ('"oral-iron", "no-iron"]', '"no-iron", 5]', ("rule Y-1",)),
    "unknown tier": ('"primary"', '"primry"', ("rule X-1", "verified", "'primary'")),
    "the unknown tier itself": ('"primary"', '"primry"', ("'primry'",)),
    "no tier": ('  verified = "primary"\n', "", ("rule X-1", "verified")),
    "a table for says": ('"low ferritin"', "{ en = 1 }", ("rule X-1", "says")),
    "a list for says": ('"low ferritin"', '["low"]', ("rule X-1", "says")),
    "a time for a strength": ('"weak"', "07:32:00", ("rule Y-1", "strength")),
    "a blank name": ('"grown-up"', '" "', ("name",)),
    "a blank id of a rule": ('"X-1"', '" "', ("id",)),
}


@pytest.mark.parametrize(("old", "new", "parts"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, parts: tuple[str, ...]
) -> None:
    """Design §5: faults name file, population, rule and key."""
    message = refusal(tmp_path, changed(old, new))
    for part in ("ours.toml", *parts):
        assert part in message


@pytest.mark.parametrize("word", ["str:", "list[str]", "Shape", "validation"])
@pytest.mark.parametrize(
    ("old", "new"), [(LIMIT, "75"), ('"oral-iron"', "5"), ("[[population]]", "[[populations]]")]
)
def test_a_refusal_speaks_of_the_file_not_of_the_code(
    tmp_path: Path, old: str, new: str, word: str
) -> None:
    """Style: an error says what was wrong with the value; the reader's own types are not shown."""
    assert word not in refusal(tmp_path, changed(old, new))


@pytest.mark.parametrize("name", [" ", "\t", "a b", "\n"], ids=repr)
def test_any_name_can_stand_in_a_refusal(tmp_path: Path, name: str) -> None:
    """Whatever a population is called, a fault in it is a GuidelineError."""
    text = changed('"grown-up"', repr(name).replace("'", '"')).replace(LIMIT, '"<= 75"')
    assert "ours.toml" in refusal(tmp_path, text)


SHAPES = {
    "empty": "",
    "not TOML": "{{{",
    "JSON": '{"id": "x"}',
    "a population that is a table": START + '[population]\nname = "x"\n',
    "populations that are numbers": START + "population = [1, 2]\n",
    "a population that is a text": START + 'population = "x"\n',
    "no population": START,
    "an empty list of populations": START + "population = []\n",
    "no rule": START + '[[population]]\nname = "x"\napplies = {}\n',
    "rules that are numbers": START + '[[population]]\nname = "x"\napplies = {}\nrule = [1]\n',
    "a rule that is a text": START + '[[population]]\nname = "x"\napplies = {}\nrule = "x"\n',
    "a list nested 20,000 deep": "a = " + "[" * 20_000 + "]" * 20_000,
    "a table nested 20,000 deep": "a = " + "{a=" * 20_000 + "1" + "}" * 20_000,
    "a list nested 100 deep": changed('"1"', "[" * 100 + "]" * 100),
    "a limit nested 100 deep": changed(LIMIT, "{a=" * 100 + "1" + "}" * 100),
    "a number of 5,000 digits": changed('version = "1"', f"version = {'1' * 5000}"),
    "a date that is none": changed('version = "1"', "version = 2026-13-45"),
    "a key given twice": changed('version = "1"', 'version = "1"\nversion = "2"'),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_a_file_that_is_no_guideline_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    """Never a traceback of another kind."""
    assert "ours.toml" in refusal(tmp_path, text)


HUNG = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
from rlsiron.compiler import compile_table
from rlsiron.errors import GuidelineError
from rlsiron.guideline import load_guideline
try:
    compile_table(load_guideline(Path(sys.argv[1])))
except GuidelineError:
    print("refused")
"""


def refused_in_time(path: Path) -> bool:
    """Whether a process of its own, with 4 GB, refuses a file in 10 seconds."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", HUNG, str(path)],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.stdout == "refused\n"


def test_a_dotted_key_of_100_000_parts_is_refused_in_time(tmp_path: Path) -> None:
    """A file of 200 kB must not hang the reader or take its memory."""
    assert refused_in_time(written(tmp_path, "a" + ".a" * 100_000 + " = 1"))


def test_a_table_too_large_for_memory_is_refused_in_time(tmp_path: Path) -> None:
    """Design §2: the product of the cells stays small; a file that breaks this is refused."""
    units = {"ferritin": "ug/L", "tsat": "%", "iron": "ug/dL", "tibc": "ug/dL", "crp": "mg/L"}
    ways = [f'{{ {n} = "<= {i} {u}" }}' for n, u in units.items() for i in range(1, 60)]
    text = changed('when = { ferritin = "<= 75 ug/L" }', f"any = [{', '.join(ways)}]")
    assert refused_in_time(written(tmp_path, text))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_guideline_file(tmp_path: Path) -> None:
    """Reading one would wait for ever."""
    os.mkfifo(tmp_path / "pipe.toml")
    assert refused_in_time(tmp_path / "pipe.toml")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_without_end_is_no_guideline_file() -> None:
    """Design §5: a file over 1 MB is refused unread, also where its size says 0."""
    assert refused_in_time(Path("/dev/zero"))


def leaves(node: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every part of a document."""
    own = [path] if path else []
    if not isinstance(node, dict | list):
        return own
    steps = node.items() if isinstance(node, dict) else enumerate(node)
    return own + [found for step, part in steps for found in leaves(part, (*path, step))]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=8),
    st.sampled_from(["ferritin", "oral-iron", "<= 75 ug/L", "< 20 %", "X-1", "grown-up", " "]),
    st.lists(st.sampled_from(["oral-iron", "no-iron", "> 5 ug/L", "ckd", 3, True]), max_size=3),
    st.dictionaries(
        st.sampled_from(["ferritin", "tsat", "age", "kidney", "crp", "id", "inflamed", ""]),
        st.sampled_from(["<= 75 ug/L", "< 20 %", ">= 18 years", "ckd", "> 5 mg/L", True, 7, []]),
        max_size=3,
    ),
)


def mutate(data: Any, path: tuple[Any, ...], how: str, value: object) -> None:  # noqa: ANN401 - TOML
    """Delete, repeat or replace one part of a document."""
    for step in path[:-1]:
        data = data[step]
    last = path[-1]
    if how == "delete":
        del data[last]
    elif how == "repeat" and isinstance(data, list):
        data.append(data[last])
    elif how == "repeat":
        data[f"{last}x"] = data[last]
    else:
        data[last] = value


@given(data=st.data())
def test_a_mutated_file_is_a_guideline_or_a_guideline_error(data: st.DataObject) -> None:
    """Whatever is deleted, repeated or replaced: a table, or the one kind of error."""
    tree = tomllib.loads(TEXT)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(leaves(tree) or [("id",)]))
        how = data.draw(st.sampled_from(["delete", "repeat", "replace"]))
        if leaves(tree):
            mutate(tree, path, how, data.draw(VALUES))
    try:
        ours = parse_guideline(Document("ours.toml", TEXT, tree))
        compile_table(ours)
    except GuidelineError as fault:
        assert str(fault)  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(ours, Guideline)


@given(st.text(alphabet="<>= .0123456789ug/L%_abc-", max_size=20))
def test_any_text_is_a_limit_or_a_guideline_error(limit: str) -> None:
    """No text of the alphabet of limits gives another kind of error."""
    tree = tomllib.loads(TEXT)
    tree["population"][0]["rule"][0]["when"] = {"ferritin": limit}
    try:
        rule = parse_guideline(Document("ours.toml", TEXT, tree)).rules[0]
    except GuidelineError as fault:
        assert "ferritin" in str(fault)  # noqa: PT017 - either outcome is right
    else:
        assert rule.any[0].axes[0][0] == "ferritin"


def test_a_users_own_file_answers(tmp_path: Path) -> None:
    """Design §4, §5: `guidelines=` takes an id, a path or a Guideline; the first one leads."""
    path = written(tmp_path, TEXT)
    answer = interpret(
        ferritin="62 ng/mL",
        tsat="18 %",
        patient={"age": 44},
        guidelines=(path, "mayo-2021", shipped("aan-2016")),
    )
    assert list(answer.decisions) == ["our-clinic", "mayo-2021", "aan-2016"]
    assert answer.decision.disposition == "oral-iron"
    assert [rule.id for rule in answer.decision.rules] == ["X-1"]
    assert answer.provenance.guidelines["our-clinic"] == "1"
    assert interpret(guidelines=str(path)).decision.guideline == "our-clinic"
    assert interpret(guidelines=load_guideline(path)).decision.guideline == "our-clinic"


def test_a_users_own_file_has_the_safety_layer_over_it(tmp_path: Path) -> None:
    """§7: the layer lies over every file whose purpose is RLS; criterion oral, T 50: withheld."""
    path = written(tmp_path, TEXT)
    decision = interpret(
        ferritin="62 ng/mL", tsat="50 %", patient={"age": 44}, guidelines=path
    ).decision
    assert (decision.criterion, decision.disposition) == ("oral-iron", "withhold-iron")


def test_a_file_of_another_purpose_has_no_layer(tmp_path: Path) -> None:
    """§7: on files whose purpose is RLS only (KDIGO keeps its own limits)."""
    path = written(tmp_path, changed('purpose = "rls"', 'purpose = "anemia"'))
    decision = interpret(
        ferritin="62 ng/mL", tsat="50 %", patient={"age": 44, "rls": "absent"}, guidelines=path
    ).decision
    assert (decision.criterion, decision.disposition) == ("oral-iron", "oral-iron")


@pytest.mark.parametrize("kind", [str, Path], ids=["text", "Path"])
def test_a_file_that_was_changed_is_read_anew(tmp_path: Path, kind: type[str] | type[Path]) -> None:
    """An answer rests on the file as it is (its hash is in `provenance`), however it is named."""
    path = written(tmp_path, TEXT)
    assert load_guideline(kind(path)).version == "1"
    written(tmp_path, changed('version = "1"', 'version = "2"'))
    assert load_guideline(kind(path)).version == "2"


def test_a_shipped_id_is_read_once() -> None:
    """A guideline is returned as it is; a shipped one is always the same object."""
    mayo = load_guideline("mayo-2021")
    assert load_guideline(mayo) is mayo
    assert load_guideline("mayo-2021") is mayo


@pytest.mark.parametrize("given", [None, 5, b"mayo-2021", ["mayo-2021"], {}], ids=repr)
def test_what_is_no_guideline_is_refused(given: object) -> None:
    """With the value, and what could have been given."""
    with pytest.raises(GuidelineError, match="an id, a path or a Guideline"):
        load_guideline(given)  # type: ignore[arg-type]


def test_indeterminate_is_the_only_word_that_is_no_member() -> None:
    """Design §4: the closed vocabulary, in its order."""
    assert DISPOSITIONS == (
        "oral-iron",
        "iv-iron",
        "oral-or-iv-iron",
        "no-iron",
        "withhold-iron",
        "not-covered",
    )
    assert {"oral-iron", "iv-iron", "oral-or-iv-iron"} == GIVES
    assert {"no-iron", "withhold-iron"} == WITHHOLDS
    assert TIERS == ("primary", "quoted", "secondary", "convention", "unverified")


def test_words_that_stand_for_several() -> None:
    """Design §4: "pregnant" is the three trimesters; the last three kidney words are end-stage."""
    assert groups()["pregnancy", "pregnant"] == {"trimester-1", "trimester-2", "trimester-3"}
    assert groups()["kidney", "end-stage"] == {"ckd-5", "hemodialysis", "peritoneal-dialysis"}
    assert groups()["kidney", "ckd"] == {"ckd"}
    assert "pregnant" not in vocabulary()["pregnancy"]
    assert len(vocabulary()["conditions"]) == 16


def test_the_facts_are_those_of_the_evidence() -> None:
    """§7: the facts made from the patient before any table, by hand."""
    over_5 = (nextafter(5.0, 6), inf)
    of_one: dict[str, list[tuple[str, object]]] = {
        "iv-reason": [
            ("oral_iron", frozenset({"failed", "not-tolerated", "not-absorbed"})),
            ("conditions", frozenset({"gi-disease", "bariatric-surgery"})),
            ("rapid_response_wanted", frozenset({True})),
        ],
        "inflamed": [
            ("inflammation", frozenset({True})),
            ("crp", over_5),
            ("conditions", frozenset({"malignancy", "active-infection"})),
        ],
        "earlier-iv": [("last_iv_iron", "given")],
        "iron-loading": [
            (
                "conditions",
                frozenset({"hemochromatosis", "iron-loading-anemia", "repeated-transfusion"}),
            ),
        ],
        "iv-stopped": [
            ("conditions", frozenset({"active-infection", "iv-iron-anaphylaxis"})),
            ("last_iv_iron", timedelta(days=84)),
        ],
        "heart-failure": [("conditions", frozenset({"heart-failure"}))],
        "mild": [("severity", frozenset({"mild"}))],
        "oral-iron-failed": [
            ("oral_iron", frozenset({"failed", "not-tolerated", "not-absorbed"})),
        ],
        "moderate-severe": [("severity", frozenset({"moderate-severe"}))],
    }
    made = facts()
    for name, limbs in of_one.items():
        assert list(made[name].any) == [(limb,) for limb in limbs]
        assert made[name].open_without == ("severity" if name == "moderate-severe" else "")
    assert made.keys() - of_one.keys() == {"anemia", "severe-anemia"}  # tests/test_status.py
    for name in ("anemia", "severe-anemia"):
        assert made[name].open_without == "hemoglobin"


def test_the_windows_are_those_of_the_evidence() -> None:
    """§8 G15, G16, G31: by hand. 24 and 36 hours and 28 days are conventions; PA-8: 8 weeks."""
    day = timedelta(days=1)
    assert [
        (w.id, w.after, w.lasts, w.by_the_clock, set(w.hides), w.verified) for w in windows()
    ] == [
        ("G15", "last_oral_iron", day, True, {"tsat"}, "convention"),
        ("G16", "last_iv_iron", 28 * day, False, {"ferritin", "tsat"}, "convention"),
        ("G16-late", "last_iv_iron", 56 * day, False, set(), "secondary"),
        ("G31", "last_transfusion", 1.5 * day, True, {"tsat"}, "convention"),
        ("G31-fever", "last_fever", 28 * day, False, set(), "convention"),
    ]


def test_the_safety_layer_is_that_of_the_evidence() -> None:
    """§7: SL5 opens before SL1 to SL4 stop; the tiers of §0 and §3."""
    layer = safety()
    both = {"oral", "iv"}
    assert layer.purpose == "rls"
    assert layer.covers.axes == (("rls", frozenset({"confirmed"})),)
    assert layer.rules[0].id == "SL5"
    found = {rule.id: (set(rule.stops), rule.opens, rule.verified) for rule in layer.rules}
    assert found == {
        "SL1": (both, "", "quoted"),
        "SL2": (both, "", "convention"),
        "SL3": (both, "", "unverified"),
        "SL4": ({"iv"}, "", "unverified"),
        "SL5": (set(), "no-iron", "convention"),
    }
    (silence,) = layer.silences
    assert (silence.on, silence.only, silence.adds) == ("pregnancy", "iv-iron", "no-iron")
    assert silence.when.axes == (
        ("pregnancy", frozenset({"trimester-2", "trimester-3", "postpartum"})),
    )


def test_a_file_that_bears_the_id_of_another_is_refused(tmp_path: Path) -> None:
    """Design §5: a user's file has its own id, and is never shown as AASM."""
    text = changed('id = "our-clinic"', 'id = "aasm-2025"')
    assert "line 1, key id: the id 'aasm-2025' is taken" in refusal(tmp_path, text)


TAKEN = ["aasm-2025", "who-2020", "remarks", "AASM 2025", "aasm 2025 ", "WHO 2020", "AASM-2025"]


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_that_calls_itself_as_another_is_refused(tmp_path: Path, name: str) -> None:
    """By its id, by its title, whatever the case; a title stands before every answer."""
    key = "id" if name in TAKEN[:3] else "title"
    old = 'id = "our-clinic"' if key == "id" else 'title = "Our clinic"'
    message = refusal(tmp_path, changed(old, f'{key} = "{name}"'))
    assert f"key {key}: the {key} {name!r} is taken; a file of your own has its own" in message
