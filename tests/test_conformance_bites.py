"""Whether a case of the pack fails for each fault that is planted in the knowledge.

`python tests/test_conformance_bites.py` prints the table of what was planted and what was caught.
A fault is compiled without the proofs that refuse a gap or a dead rule, which another
implementation does not have: where no rule is left, it says `not-covered`.
"""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, reduce
from itertools import chain, product
from math import inf, nextafter
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import pytest

from planted import Planted, planted
from rlsiron import facts as facts_module
from rlsiron.catalog import Document, document, guideline_document, guideline_ids
from rlsiron.compiler import compile_table
from rlsiron.errors import GuidelineError
from rlsiron.grammar import Limits, vocabulary
from rlsiron.guideline import Fact, Guideline, Rule, Safety, facts, parse_guideline, safety, shipped
from rlsiron.interpretation import board_of, examine
from rlsiron.models import Panel
from rlsiron.patient import Intake
from rlsiron.table import Axis, NumericAxis, Table
from rlsiron.units import LARGEST
from vectors.run import cases

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"
CAUGHT, SAME, MISSED = "caught", "equivalent", "missed"
OUTCOMES = (CAUGHT, SAME, MISSED)
SAFETY, FACTS = "safety", "facts"
DRAW = ("drawn", "fasting", "assay")
OTHER = ("patient", "guidelines", "decimal", "errors", "strict", *DRAW)


class Asked(NamedTuple):
    """What was read of the patient of a case, and what a guideline must say of it."""

    told: Intake
    panel: Panel
    known: Mapping[str, Any]
    expected: Mapping[str, Any]


@cache
def asked() -> Mapping[tuple[str, bool], list[Asked]]:
    """Return the cases that ask a guideline, by its id and whether strict."""
    found: dict[tuple[str, bool], list[Asked]] = {
        (id_, strict): [] for id_ in guideline_ids() for strict in (False, True)
    }
    for case in cases():
        given = case.content["input"]
        for id_, expected in case.content.get("expected", {}).items():
            strict = given.get("strict", False)
            examined = examine(
                board_of((id_,), strict=strict),
                {name: value for name, value in given.items() if name not in OTHER},
                patient=given.get("patient"),
                draw={name: given.get(name) for name in DRAW},
                decimal=given.get("decimal", "."),
                errors=given.get("errors", "raise"),
            )
            found[id_, strict].append(
                Asked(examined.told, examined.panel, examined.known, expected)
            )
    return found


def fails(table: Table) -> bool:
    """Whether a case fails against a table."""
    cases_ = asked()[table.guideline.id, table.strict]
    return any(differs(table, case.known, case.expected) for case in cases_)


def differs(table: Table, known: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether a table does not say what is expected of a patient."""
    cell = table.look_up(table.box(known))
    said = {"criterion_possible": list(cell.criterion), "possible": list(cell.possible)}
    return any(said[field] != expected[field] for field in said.keys() & expected.keys())


def compiled(guideline: Guideline, layer: Safety) -> list[Table]:
    """Return the tables of a guideline under a safety layer, plain and strict."""
    with (
        patch("rlsiron.compiler.safety", lambda _own=(): layer),
        patch("rlsiron.compiler._reached", lambda *_: None),
    ):
        try:
            return [compile_table.__wrapped__(guideline, strict=strict) for strict in (False, True)]
        except GuidelineError:  # a gap; strict has others, so that it tells nothing more of it
            return [compile_table.__wrapped__(without_gaps(guideline))]


def layer_of(data: dict[str, Any]) -> Safety:
    """Read a safety layer."""
    own = document(f"{SAFETY}.toml")
    opened = {own.name: replace(own, data=data), "sources.toml": document("sources.toml")}
    with patch("rlsiron.guideline.document", opened.__getitem__):
        return safety.__wrapped__(())


def facts_of(data: dict[str, Any]) -> tuple[Fact, ...]:
    """Read the facts."""
    with patch("rlsiron.guideline.fact_tables", lambda: data["fact"]):
        return tuple(facts.__wrapped__(()).values())


def same(one: Table, other: Table) -> bool:
    """Whether two tables say the same in every cell of both."""
    axes: dict[str, list[Axis]] = {}
    for axis in (*one.axes, *other.axes):
        axes.setdefault(axis.name, []).append(axis)
    points = {name: _points(name, both) for name, both in axes.items()}
    return all(
        bool(np.all(_said(one, left, points) == _said(other, right, points)))
        for left, right in ((one.criterion, other.criterion), (one.disposition, other.disposition))
    )


def _points(name: str, axes: list[Axis]) -> list[Any]:
    """Return one value of each cell of some axes of one name."""
    numeric = [axis for axis in axes if isinstance(axis, NumericAxis)]
    if numeric:
        return sorted({0.0}.union(*(axis.edges for axis in numeric)))
    return list(vocabulary().get(name, (False, True)))


def _said(table: Table, bits: Any, points: Mapping[str, list[Any]]) -> Any:  # noqa: ANN401
    """Return what a table says at each point, with an axis for each name."""
    own = {axis.name: axis for axis in table.axes}
    at = [
        [axis.cells((v, v) if isinstance(axis, NumericAxis) else frozenset({v}))[0]
         for v in points[axis.name]]
        for axis in table.axes
    ]  # fmt: skip
    said = table.cells_of(bits)[np.ix_(*at)]
    order = [name for name in points if name in own]
    said = said.transpose([list(own).index(name) for name in order])
    return said.reshape([len(points[name]) if name in own else 1 for name in points])


def without_gaps(guideline: Guideline) -> Guideline:
    """Return a guideline that says `not-covered` where no rule of it is left."""
    last = Rule(
        id="gap",
        any=(Limits(()),),
        disposition=("not-covered",),
        says="",
        source=guideline.source,
        verified="convention",
    )
    return replace(
        guideline,
        populations=tuple(replace(p, rules=(*p.rules, last)) for p in guideline.populations),
    )


def of_facts(made: tuple[Fact, ...]) -> str:
    """Return what the pack makes of a fault in the facts."""
    differing = [(one, facts()[one.name]) for one in made if one != facts()[one.name]]
    if not differing:
        return SAME
    asks = {name for both in differing for fact in both for way in fact.any for name, _ in way}
    own = (one for one in vars(facts_module).values() if hasattr(one, "cache_clear"))
    caches = [one for one in own if one.__module__ == facts_module.__name__]
    read = asked()  # by the facts as they are
    with patch("rlsiron.facts._facts", lambda _own: made):
        try:
            for cache_ in caches:
                cache_.cache_clear()
            if facts_fail(read, asks):
                return CAUGHT
        finally:
            for cache_ in caches:
                cache_.cache_clear()
    return SAME if all(same_fact(*both) for both in differing) else MISSED


def same_fact(one: Fact, other: Fact) -> bool:
    """Whether two facts hold of the same patients of whom all is known."""
    limbs = [limb for fact in (one, other) for way in fact.any for limb in way]
    axes: dict[str, set[Any]] = {}
    for name, allowed in limbs:
        if not isinstance(allowed, tuple):  # a word, which is enough to tell sets apart
            axes.setdefault(name, set()).update(vocabulary().get(name, (False, True)))
            continue
        low, high = allowed
        axes.setdefault(name, set()).update({0.0, low, min(nextafter(high, inf), LARGEST)})
    return all(
        holds(one, dict(zip(axes, point, strict=True)))
        == holds(other, dict(zip(axes, point, strict=True)))
        for point in product(*axes.values())
    )


def holds(fact: Fact, patient: Mapping[str, Any]) -> bool:
    """Whether a fact holds of a patient of whom all is known."""
    return any(all(_within(patient[name], allowed) for name, allowed in way) for way in fact.any)


def _within(value: Any, allowed: Any) -> bool:  # noqa: ANN401 - of any axis
    if isinstance(allowed, tuple):
        low, high = allowed
        return bool(low <= value <= high)
    assert isinstance(allowed, frozenset), "a fault in how long ago something was is caught"
    return value in allowed


def facts_fail(cases_: Mapping[tuple[str, bool], list[Asked]], asks: set[str]) -> bool:
    """Whether a case fails, with the facts as they are made now; first those that tell of them."""
    order = [(key, case) for key, group in cases_.items() for case in group]
    order.sort(key=lambda each: asks.isdisjoint(each[1].told.patient.model_fields_set))
    tables = {key: compile_table(shipped(key[0]), strict=key[1]) for key in cases_}
    for key, case in order:
        known = facts_module.situation(case.told, case.panel)
        if known != case.known and differs(tables[key], known, case.expected):
            return True
    return False


def outcome(fault: Planted, file: str) -> str:
    """Return what the pack makes of a fault."""
    if file == FACTS:
        return of_facts(facts_of(fault.data))
    layer, under = safety(), [*map(shipped, guideline_ids())]
    if file == SAFETY:
        layer = layer_of(fault.data)
        under = [one for one in under if one.purpose == layer.purpose]
    else:
        own = guideline_document(file)
        under = [parse_guideline(Document(own.name, own.text, fault.data))]
    found = SAME
    for table in chain.from_iterable(compiled(one, layer) for one in under):
        if not same(table, compile_table(shipped(table.guideline.id), strict=table.strict)):
            if fails(table):
                return CAUGHT
            found = MISSED
    return found


def data_of(file: str) -> dict[str, Any]:
    """Return what TOML makes of a file as it ships."""
    if file in guideline_ids():
        return document(f"guidelines/{file}.toml").data
    data = document(f"{file}.toml").data
    if file == SAFETY:
        return data
    axes = {axis.name for id_ in guideline_ids() for axis in compile_table(shipped(id_)).axes}
    return {**data, "fact": [fact for fact in data["fact"] if fact["name"] in axes]}


@cache
def outcomes(file: str) -> tuple[tuple[Planted, str], ...]:
    """Return each fault that is planted in a file, and what the pack makes of it."""
    faults = planted(data_of(file), document("facts.toml").data)
    return tuple((fault, outcome(fault, file)) for fault in faults)


FILES = (*guideline_ids(), SAFETY, FACTS)


def table_of(groups: Mapping[str, Counter[str]], head: str) -> str:
    """Return counts as a table of Markdown."""
    total = reduce(Counter[str].__add__, groups.values())
    rows = [(head, "planted", *OUTCOMES), ("---", *["---:"] * (len(OUTCOMES) + 1))]
    rows += [
        (name, *(str(n) for n in (of.total(), *(of[one] for one in OUTCOMES))))
        for name, of in [*groups.items(), ("all", total)]
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def tables() -> str:
    """Return what was planted and caught, by kind and by file."""
    kinds: dict[str, Counter[str]] = {}
    for file in FILES:
        for fault, what in outcomes(file):
            kinds.setdefault(fault.kind, Counter())[what] += 1
    files = {file: Counter(what for _, what in outcomes(file)) for file in FILES}
    return f"{table_of(kinds, 'kind')}\n\n{table_of(files, 'file')}"


@pytest.mark.parametrize("file", FILES)
def test_no_planted_fault_passes_the_pack(file: str) -> None:
    missed = [f"{fault.kind}, {fault.place}" for fault, what in outcomes(file) if what == MISSED]
    assert not missed
    assert any(what == CAUGHT for _, what in outcomes(file))


@pytest.mark.parametrize("file", FILES)
def test_where_nothing_is_planted_nothing_is_caught(file: str) -> None:
    assert outcome(Planted("nothing", file, data_of(file)), file) == SAME


@pytest.mark.parametrize("id_", guideline_ids())
def test_every_case_passes_where_nothing_is_planted(id_: str) -> None:
    assert not any(map(fails, compiled(shipped(id_), safety())))


def test_the_page_prints_what_was_planted_and_caught() -> None:
    """Where this fails: `python tests/test_conformance_bites.py`, and its tables to the page."""
    assert tables() in PAGE.read_text(encoding="utf-8")


if __name__ == "__main__":
    print(tables())  # noqa: T201
    for file in FILES:
        for fault, what in outcomes(file):
            if what != CAUGHT:
                print(f"{what}: {file}, {fault.kind}, {fault.place}", file=sys.stderr)  # noqa: T201
