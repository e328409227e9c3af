"""The knowledge files by themselves: nothing uncited, unused, unfilled or ill-formed in them.

Read as plain TOML, so that what the library makes of a file hides nothing of it.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter
from typing import Any

import pytest

from rlsiron.catalog import document
from rlsiron.units import analytes, factor

Table = dict[str, Any]


def named(folder: Traversable, path: str = "") -> Iterator[str]:
    """Yield the name of every knowledge file."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from named(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(".toml"):
            yield f"{path}{entry.name}"


FILES = sorted(named(files("rlsiron.data")))
STATED = [name for name in FILES if "population" in document(name).data]
LANGUAGE = "notes/en.toml"
NOTES: dict[str, Table] = document(LANGUAGE).data["note"]
SOURCES: dict[str, dict[str, str]] = document("sources.toml").data
FACTS: dict[str, Table] = {fact["name"]: fact for fact in document("facts.toml").data["fact"]}
PARAMETERS: dict[str, str] = document("facts.toml").data["parameters"]


def walk(value: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - TOML
    """Yield every value that is no table and no list, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from walk(one, *path, key)
    elif isinstance(value, list):
        for one in value:
            yield from walk(one, *path)
    else:
        yield path, value


def populations() -> Iterator[tuple[str, Table]]:
    """Yield every population, with the file where it stands."""
    for name in STATED:
        for population in document(name).data["population"]:
            yield name, population


def statements(population: Table) -> list[Table]:
    """Return the rules and the remarks of a population."""
    return [*population["rule"], *population.get("remark", [])]


def conditions(rule: Table) -> tuple[Any, ...]:
    return rule.get("when"), rule.get("any"), rule.get("route")


# sources


KEPT: set[str] = {"canapari"}  # may stand there though nothing cites it: a tool, no guideline


def test_a_source_is_cited_and_a_citation_is_a_source() -> None:
    """What nothing cites says nothing to a reader, and a key without a citation still less."""
    cited = {
        value
        for name in FILES
        for path, value in walk(document(name).data)
        if path[-1] in {"source", "sources"} and (path[0] == "note" or name != LANGUAGE)
    }
    assert cited - SOURCES.keys() == set()
    assert SOURCES.keys() - cited - KEPT == set()


@pytest.mark.parametrize("field", ["doi", "pmid", "isbn", "citation"])
def test_no_two_sources_are_one(field: str) -> None:
    given = [source[field] for source in SOURCES.values() if field in source]
    assert len(given) == len(set(given)) > 0


@pytest.mark.parametrize("key", SOURCES)
def test_the_identifiers_of_a_source_are_well_formed(key: str) -> None:
    """A DOI is no address and ends in no full stop; an ISBN-13 has its check digit."""
    source = SOURCES[key]
    assert source.keys() <= {"citation", "doi", "pmid", "isbn"}
    assert re.fullmatch(r"10\.\d{4,9}/[\w.()/-]*\w", source.get("doi", "10.1000/x"))
    assert re.fullmatch(r"[1-9]\d{0,7}", source.get("pmid", "1"))
    isbn = source.get("isbn", "9789240000124")
    assert re.fullmatch(r"97[89]\d{10}", isbn)
    assert sum(int(digit) * (1, 3)[at % 2] for at, digit in enumerate(isbn)) % 10 == 0


@pytest.mark.parametrize("key", [key for key in SOURCES if key.startswith(("pubmed-", "pmc-"))])
def test_a_key_that_is_a_number_is_that_of_its_citation(key: str) -> None:
    database, number = key.split("-")
    citation = SOURCES[key]["citation"]
    assert re.findall(r"(?:PubMed |PMC)(\d+)", citation) == [number]
    assert SOURCES[key].get("pmid") == (number if database == "pubmed" else None)


# notes


FILLED = {"title", "says", "ferritin", "hemoglobin"}  # by the library, of whatever rule
OWN = {"adolescent"}  # filled by the library alone


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}


def test_a_rule_fills_its_note_and_gives_it_nothing_more() -> None:
    """Rules that hold together fill a note together: one note, one condition, one route."""
    for name, population in populations():
        rules = [rule for rule in statements(population) if rule.get("note")]
        for rule in rules:
            takes = placeholders(NOTES[rule["note"]]["text"])
            assert rule.get("values", {}).keys() <= takes - FILLED, (name, rule["id"])
            together = [
                other.get("values", {})
                for other in rules
                if other["note"] == rule["note"] and conditions(other) == conditions(rule)
            ]
            if rule["note"] not in OWN:
                assert takes <= FILLED.union(*together), (name, rule["id"])


def test_what_follows_from_a_rule_needs_nothing_of_it() -> None:
    for name, population in populations():
        for rule in statements(population):
            if "then" in rule:
                assert placeholders(NOTES[rule["then"]]["text"]) == set(), (name, rule["id"])


def test_no_number_stands_in_a_sentence() -> None:
    """File of notes: numbers and limits come from the data, never from there.

    Let stand: "over 100 %", since a share has no other end.
    """
    numbers = r"\d+|\b(?:half|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)\b"
    found = {
        ".".join(path): re.findall(numbers, text.casefold().replace("over 100 %", ""))
        for path, text in walk(document(LANGUAGE).data)
        if path[-1] not in {"sources", "verified", "urgent"}
    }
    assert {code: digits for code, digits in found.items() if digits} == {}


def test_every_word_that_an_answer_may_need_is_there_and_no_other() -> None:
    """Of analytes, units, assumptions and reasons to stop IV iron."""
    words = document(LANGUAGE).data
    facts = document("facts.toml").data
    assert words["analyte"].keys() == analytes().keys()
    assert words["unit"].keys() == {one.unit for one in analytes().values()}
    assert set(words["assumption"]) == {f"{key}={word}" for key, word in facts["assumed"].items()}
    stops = [way for way in FACTS["iv-stopped"]["any"] if "conditions" in way]
    named = {condition for way in stops for condition in way["conditions"]}
    assert words["reason"].keys() == {*named, "last_iv_iron", "trimester-1"}


# numbers in words


def numbers(value: Any) -> set[str]:  # noqa: ANN401 - TOML
    """Return every number in some conditions, those of their parameters and facts among them."""
    found: set[str] = set()
    for path, one in walk(value):
        words = str(one).split()
        for text in (*words, *(PARAMETERS.get(word, "") for word in words)):
            found |= set(re.findall(r"\d+", text))
        for name in FACTS.keys() & set(path):
            found |= numbers(FACTS[name]["any"])
    return found


def worded() -> Iterator[tuple[str, Table, list[Any]]]:
    """Yield what is said in words, with the conditions whose numbers may stand in it.

    The rules of guidelines, of which the first that matches decides, are in test_knowledge.
    """
    for rule in document("safety.toml").data["rule"]:
        yield f"safety.toml {rule['id']}", rule, [*conditions(rule)]
    for name, population in populations():
        if name.startswith("status/"):
            for rule in population["rule"]:
                yield f"{name} {rule['id']}", rule, [population["applies"], *conditions(rule)]
        for remark in population.get("remark", ()):  # may speak of the rules beside it
            beside = [part for one in statements(population) for part in conditions(one)]
            yield f"{name} {remark['id']}", remark, beside


WORDED = {name: (rule, limits) for name, rule, limits in worded()}


@pytest.mark.parametrize(("rule", "limits"), WORDED.values(), ids=WORDED)
def test_a_number_in_words_is_a_limit(rule: Table, limits: list[Any]) -> None:
    """What a clinician reads is what the table compares with."""
    assert set(re.findall(r"\d+", f"{rule['says']} {rule.get('why', '')}")) <= numbers(limits)


# what is there to be used


def test_every_fact_parameter_and_group_is_asked_for() -> None:
    """What no condition names changes nothing, and looks as if it did."""
    asked = [
        (path[-1], str(value).split())
        for name in FILES
        for path, value in walk(document(name).data)
        if {"when", "any", "applies"} & set(path)
    ]
    groups = {group["name"] for group in document("facts.toml").data["group"]}
    groups.discard("expecting")  # of whom a silence is told
    assert FACTS.keys() - {axis for axis, _ in asked} == set()
    assert {*PARAMETERS, *groups} - {word for _, words in asked for word in words} == set()


def test_a_unit_that_is_spelled_or_meant_is_one_of_an_analyte() -> None:
    """A spelling of a unit that nothing is reported in would be refused all the same."""
    spellings = document("spellings.toml").data
    allowed = {unit for one in analytes().values() for unit in one.units}
    assert set(spellings["units"].values()) == allowed
    for name, slips in spellings["meant"].items():
        for slip, meant in slips.items():
            assert meant in analytes()[name].units
            assert spellings["units"].get(slip) not in analytes()[name].units
    omop = document("analytes.toml").data["omop"]
    assert set(omop["units"].values()) <= allowed


# values in place of what is beyond detection


def limits_of(analyte: str) -> set[Fraction]:
    """Return every limit of an analyte in any file, in its canonical unit."""
    found = set()
    for name in FILES:
        for path, value in walk(document(name).data):
            if path[-1] == analyte and {"when", "any", "applies"} & set(path):
                limit = PARAMETERS.get(value.split()[1], value.split(maxsplit=1)[1])
                number, unit = limit.split()
                found.add(Fraction(number) * Fraction(*factor(analyte, unit)))
    return found


def test_a_value_put_in_place_of_one_beyond_detection_decides_alike() -> None:
    """evidence/units.md §6: ferritin floored at 2 or capped at 1000 or 2000, CRP written 0.11.

    A floor under every limit, and a cap on or over every limit, has the true value on its side
    (those at 1000 are "at least").
    """
    assert min(limits_of("ferritin")) > 2
    assert max(limits_of("ferritin")) == 1000
    assert min(limits_of("crp")) > Fraction("0.11")
