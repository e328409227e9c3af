"""The compiled tables agree with an oracle that reads the files another way.

Exhaustive, for each guideline in data/, with unverified rules and without: every cell at
both of its corners, every pattern of missing axes, every run of cells that a bound can make on
ferritin and TSAT, and "pregnant". How many situations that is stands in `EXPECTED`, a product of
what the files say; a situation that is not compared makes the count fall short.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement, product
from math import inf, nextafter, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from oracle import AFTER, DATA, EITHER, NUMBERS, WORDS, Answer, Interval, Leaf, Oracle, between
from rlsiron.catalog import Document, guideline_ids
from rlsiron.compiler import compile_table
from rlsiron.grammar import DISPOSITIONS
from rlsiron.guideline import load_guideline, parse_guideline
from rlsiron.table import Axis, Cell, NumericAxis, Table, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILES = {path.stem: path for path in sorted((DATA / "guidelines").glob("*.toml"))}
IDS = list(FILES)
PREGNANT = frozenset({"trimester-1", "trimester-2", "trimester-3"})
RUNS = ("ferritin", "tsat")

# Situations of each guideline: runs of ferritin x runs of TSAT x (cells + missing) of the others.
# In all 9,812,340, and as many under strict. Arrays are compared, since one look-up takes 15 µs;
# `look_up` itself is compared in every 61st or 307th of them, 31,000 and as many under strict.
EXPECTED = {
    # ferritin runs, TSAT runs, age, rls, pregnancy and "pregnant", kidney, facts
    "aan-2016": 15 * 10 * 3 * 3 * 5 * 4 * 3**2,
    "aasm-2025": 28 * 10 * 3 * 3 * 5 * 4 * 3**2,
    "irlssg-2018": 21 * 10 * 3 * 3 * 5 * 4 * 3**4,
    "mayo-2021": 21 * 10 * 3 * 3 * 5 * 4 * 3**4,
    "dgn-2022": 15 * 10 * 3 * 3 * 5 * 4 * 3**4,  # as AAN, and two facts
    "nice-cks": 21 * 10 * 3 * 3 * 5 * 4 * 3**2,  # ferritin at 50, 75, 100, 300, 700
    # ferritin at 30, 75 from below and above, 100, 300, 700; no age
    "picchietti-2015": 28 * 10 * 3 * 5 * 4 * 3**3,
    # ferritin at 30, 100, 300, 500, 700; TSAT at 20, 25, 30, 40; age at 6 months; no layer
    "kdigo-2026": 21 * 15 * 3 * 4 * 3,
}


@cache
def oracle_of(id_: str, *, strict: bool) -> Oracle:
    return Oracle(oracle.read(FILES[id_]), strict=strict)


@cache
def table_of(id_: str, *, strict: bool) -> Table:
    return compile_table(load_guideline(id_), strict=strict)


@cache
def leaves_of(id_: str, *, strict: bool) -> list[Leaf]:
    return oracle_of(id_, strict=strict).leaves({})


Held = Any  # a closed interval as the engine takes it, or a set of words


@dataclass(frozen=True)
class Choice:
    """What may be held on one axis: cells of the table, and what that means to the oracle."""

    cells: tuple[int, ...]
    held: Held
    at: Interval | oracle.Words


def numeric(axis: NumericAxis) -> Iterator[Choice]:
    """Yield what may be held on an axis: runs of cells, or one cell, or nothing known."""
    most = NUMBERS[axis.name][1]
    for first, last in combinations_with_replacement(range(axis.size), 2):
        if axis.name in RUNS or first == last or last - first == axis.size - 1:
            low, high = axis.span(first)[0], axis.span(last)[1]
            yield Choice(tuple(range(first, last + 1)), (low, high), between(low, min(high, most)))


def choices(axis: Axis) -> list[Choice]:
    """Return what may be held on an axis: each cell, missing, runs, "pregnant"."""
    if isinstance(axis, NumericAxis):
        return list(numeric(axis))
    held = [*axis.classes, frozenset().union(*axis.classes)]
    if axis.name == "pregnancy":
        held.append(PREGNANT)
    cells = [tuple(at for at, words in enumerate(axis.classes) if words & each) for each in held]
    return [Choice(at, each, each) for at, each in zip(cells, held, strict=True)]


def packed(criterion: int, possible: int, rules: int) -> int:
    """Return an answer as one number."""
    return criterion | possible << 8 | rules << 16


def bits(answer: Answer | Leaf, rules: list[str]) -> int:
    """Return an answer of the oracle as one number."""
    return packed(
        sum(1 << DISPOSITIONS.index(word) for word in answer.criterion),
        sum(1 << DISPOSITIONS.index(word) for word in answer.possible),
        sum(1 << rules.index(id_) for id_ in answer.rules),
    )


def bits_of_cell(cell: Cell, rules: list[str]) -> int:
    """Return an answer of a table as one number."""
    criterion, possible = frozenset(cell.criterion), frozenset(cell.possible)
    return bits(Answer(criterion, possible, frozenset(rule.id for rule in cell.rules)), rules)


def said_by_oracle(
    leaves: list[Leaf], axes: list[list[Choice]], names: list[str], rules: list[str]
) -> "NDArray[np.uint64]":
    """Return the oracle's answer to every combination of choices: the leaves that each meets."""
    said = np.zeros([len(axis) for axis in axes], dtype=np.uint64)
    for leaf in leaves:
        met = [
            [at for at, choice in enumerate(axis) if oracle.meets(choice.at, leaf.region[name])]
            for name, axis in zip(names, axes, strict=True)
        ]
        if all(met):
            said[np.ix_(*met)] |= np.uint64(bits(leaf, rules))
    return said


def said_by_table(table: Table, axes: list[list[Choice]]) -> "NDArray[np.uint64]":
    """Return the table's answer to every combination of choices, its union slots used."""
    said = table.criterion.astype(np.uint64)
    said |= table.disposition.astype(np.uint64) << np.uint64(8)
    said |= table.rules.astype(np.uint64) << np.uint64(16)
    for at, (axis, options) in enumerate(zip(table.axes, axes, strict=True)):
        slots = [[axis.size] if len(c.cells) == axis.size else list(c.cells) for c in options]
        said = np.stack(
            [np.bitwise_or.reduce(said.take(slot, axis=at), axis=at) for slot in slots], axis=at
        )
    return said


@dataclass(frozen=True)
class Comparison:
    """A table beside the oracle: how many situations, how many differ, the first of them."""

    situations: int
    differing: int
    first: str


def compare(table: Table, judge: Oracle) -> Comparison:
    """Compare a table with the oracle in every situation."""
    leaves, names = judge.leaves({}), [axis.name for axis in table.axes]
    rules = [rule.id for rule in table.guideline.rules]
    axes = [choices(axis) for axis in table.axes]
    one, other = said_by_table(table, axes), said_by_oracle(leaves, axes, names, rules)
    assert one.shape == other.shape
    differing = np.argwhere(one != other)
    first = ""
    if len(differing):
        at = tuple(differing[0])
        where = {name: axis[i].held for name, axis, i in zip(names, axes, at, strict=True)}
        first = (
            f"{where}: table {shown(int(one[at]), rules)}, oracle {shown(int(other[at]), rules)}"
        )
    return Comparison(one.size, len(differing), first)


def shown(said: int, rules: list[str]) -> str:
    ids = [id_ for at, id_ in enumerate(rules) if said >> 16 >> at & 1]
    return f"{words_of(said & 0xFF)}, {words_of(said >> 8 & 0xFF)}, {ids}"


def corners(axes: tuple[Axis, ...], leaves: list[Leaf]) -> int:
    """Return in how many ways a patient of known values can stand at a corner of a cell.

    At both corners of a cell the table finds the cell, and the oracle the same leaves as for the
    whole of it; so what is compared for the cell is compared for its corners.
    """
    ways = 1
    for axis in axes:
        if not isinstance(axis, NumericAxis):
            ways *= axis.size
            continue
        most = NUMBERS[axis.name][1]
        for cell in range(axis.size):
            low, high = axis.span(cell)
            for point in (low, min(high, most)):
                assert axis.cells((point, point)) == axis.cells((low, high)) == (cell,)
                assert met(leaves, axis.name, between(point, point)) == met(
                    leaves, axis.name, between(low, min(high, most))
                )
        ways *= 2 * axis.size
    return ways


def met(leaves: list[Leaf], name: str, at: Interval | oracle.Words) -> list[bool]:
    return [oracle.meets(at, leaf.region[name]) for leaf in leaves]


def test_the_guidelines_are_those_in_the_folder() -> None:
    assert set(FILES) == set(guideline_ids())
    assert set(EXPECTED) == set(IDS)


@pytest.mark.parametrize("id_", IDS)
def test_the_axes_are_cut_where_the_files_cut_them(id_: str) -> None:
    tests = oracle_of(id_, strict=False).tests()
    table = table_of(id_, strict=False)
    assert {axis.name for axis in table.axes} == {test.axis for test in tests}
    for axis in table.axes:
        own = [test for test in tests if test.axis == axis.name]
        if isinstance(axis, NumericAxis):
            cuts = sorted({test.cut for test in own if test.cut is not None})
            floats = [nextafter(value, inf) if side == AFTER else value for value, side in cuts]
            assert axis.edges == tuple(floats)
        else:
            kinds: dict[tuple[bool, ...], set[object]] = {}
            for word in WORDS.get(axis.name, EITHER):
                kinds.setdefault(tuple(word in test.words for test in own), set()).add(word)
            assert sorted(map(sorted, axis.classes)) == sorted(map(sorted, kinds.values()))  # type: ignore[arg-type]


def situations(id_: str) -> int:
    """Return how many situations a guideline makes, from its file alone."""
    ways = []
    tests = oracle_of(id_, strict=False).tests()
    for name in {test.axis for test in tests}:
        own = [test for test in tests if test.axis == name]
        if name in NUMBERS:
            cells = len({test.cut for test in own}) + 1
            ways.append(cells * (cells + 1) // 2 if name in RUNS else cells + 1)
        else:
            words = WORDS.get(name, EITHER)
            cells = len({tuple(word in test.words for test in own) for word in words})
            ways.append(cells + 1 + (name == "pregnancy"))
    return prod(ways)


@pytest.mark.parametrize("strict", [False, True], ids=["all rules", "strict"])
@pytest.mark.parametrize("id_", IDS)
def test_a_table_agrees_with_the_oracle_in_every_situation(id_: str, *, strict: bool) -> None:
    table = table_of(id_, strict=strict)
    found = compare(table, oracle_of(id_, strict=strict))
    assert not found.differing, f"{found.differing} of {found.situations}: {found.first}"
    assert found.situations == situations(id_) == EXPECTED[id_]
    numeric = [axis for axis in table.axes if isinstance(axis, NumericAxis)]
    # ferritin, TSAT and age, where it is asked for, each have two corners
    assert corners(table.axes, leaves_of(id_, strict=strict)) == table.cells * 2 ** len(numeric)


@pytest.mark.parametrize("strict", [False, True], ids=["all rules", "strict"])
@pytest.mark.parametrize("id_", IDS)
def test_looking_up_agrees_with_the_oracle(id_: str, *, strict: bool) -> None:
    """Every 61st of all situations, or 307th where they are millions, as a patient comes."""
    table = table_of(id_, strict=strict)
    rules = [rule.id for rule in table.guideline.rules]
    names = [axis.name for axis in table.axes]
    axes = [choices(axis) for axis in table.axes]
    expected = said_by_oracle(leaves_of(id_, strict=strict), axes, names, rules)
    seen: dict[Cell, int] = {}
    for flat in range(0, expected.size, 61 if expected.size < 1_000_000 else 307):
        at = np.unravel_index(flat, expected.shape)
        chosen = [axis[i] for axis, i in zip(axes, at, strict=True)]
        box = table.box({name: c.held for name, c in zip(names, chosen, strict=True)})
        assert box == tuple(choice.cells for choice in chosen)
        cell = table.look_up(box)
        if cell not in seen:
            seen[cell] = bits_of_cell(cell, rules)
        assert seen[cell] == int(expected[at]), chosen
        assert table.possible(box) == int(expected[at]) >> 8 & 0xFF


# What decides, and the nearest limits, against values tried one by one.


def values(axis: Axis, held: Any) -> list[Any]:  # noqa: ANN401 - as the axis is
    """Return a value for each thing that can be said on an axis, within what is held."""
    if not isinstance(axis, NumericAxis):
        return [frozenset({word}) for word in sorted(held)]
    low, high = held
    most = NUMBERS[axis.name][1]
    points = {low, min(high, most)}
    points |= {point for edge in axis.edges for point in (edge, nextafter(edge, 0.0))}
    return [(point, point) for point in sorted(points) if low <= point <= high]


def for_oracle(situation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: between(held[0], min(held[1], NUMBERS[name][1])) if name in NUMBERS else held
        for name, held in situation.items()
    }


@cache
def sample(id_: str) -> list[dict[str, Any]]:
    """Return situations of a table, one in so many, all axes moving."""
    table = table_of(id_, strict=False)
    axes = [choices(axis) for axis in table.axes]
    shape = [len(axis) for axis in axes]
    picked = np.linspace(0, prod(shape) - 1, 397).astype(int)
    return [
        {axis.name: options[i].held for axis, options, i in zip(table.axes, axes, at, strict=True)}
        for at in zip(*np.unravel_index(picked, shape), strict=True)
    ]


@cache
def points(id_: str) -> list[dict[str, Any]]:
    """Return patients of whom all is known, one in so many, at corners of cells."""
    table = table_of(id_, strict=False)
    axes = [
        values(axis, (0.0, inf)) if isinstance(axis, NumericAxis) else list(axis.classes)
        for axis in table.axes
    ]
    shape = [len(axis) for axis in axes]
    picked = np.linspace(0, prod(shape) - 1, 997).astype(int)
    return [
        {axis.name: options[i] for axis, options, i in zip(table.axes, axes, at, strict=True)}
        for at in zip(*np.unravel_index(picked, shape), strict=True)
    ]


@pytest.mark.parametrize("id_", IDS)
def test_the_axes_that_decide_are_those_on_which_two_values_differ(id_: str) -> None:
    """All else held at one value each, in the situations with few enough ways to hold it."""
    table, judge = table_of(id_, strict=False), oracle_of(id_, strict=False)
    names = [axis.name for axis in table.axes]
    tried = 0
    for situation in sample(id_):
        ways = [values(axis, situation[axis.name]) for axis in table.axes]
        if not 1 < prod(len(way) for way in ways) <= 600:
            continue
        tried += 1
        said = {
            at: judge.answer(
                for_oracle(
                    dict(zip(names, (way[i] for way, i in zip(ways, at, strict=True)), strict=True))
                )
            ).possible
            for at in product(*(range(len(way)) for way in ways))
        }
        deciding = [
            name
            for place, name in enumerate(names)
            if any(one != said[(*at[:place], 0, *at[place + 1 :])] for at, one in said.items())
        ]
        assert list(table.deciding(table.box(situation))) == deciding, situation
    assert tried > 30


@pytest.mark.parametrize("id_", IDS)
def test_the_steps_are_the_nearest_limits_beyond_which_it_differs(id_: str) -> None:
    table, judge = table_of(id_, strict=False), oracle_of(id_, strict=False)
    cuts = {
        name: sorted({test.cut for test in judge.tests() if test.axis == name and test.cut})
        for name in ("ferritin", "tsat")
    }
    found = 0
    for situation in points(id_):
        here = judge.answer(for_oracle(situation)).possible
        steps = []
        for name, limits in cuts.items():
            at = between(*situation[name])
            above = [cut for cut in limits if at[0] < cut]
            below = [cut for cut in reversed(limits) if cut < at[1]]
            for way, beyond in ((above, above), (below, below)):
                for number, cut in enumerate(way):
                    after = beyond[number + 1] if number + 1 < len(beyond) else None
                    there = judge.answer(
                        {**for_oracle(situation), name: slice_beyond(cut, after, up=way is above)}
                    ).possible
                    if there != here:
                        steps.append((name, cut[0], there))
                        break
        said = table.steps(table.box(situation))
        assert [(s.axis, s.limit, frozenset(s.possible)) for s in said] == steps, situation
        found += len(steps)
    assert found > 100


def slice_beyond(cut: oracle.Cut, after: oracle.Cut | None, *, up: bool) -> Interval:
    """Return the part of an axis from a cut to the one after it."""
    if up:
        return cut, after or (inf, AFTER)
    return after or (0.0, 0), cut


def test_there_are_no_steps_along_an_axis_that_is_not_one_cell() -> None:
    table = table_of("aasm-2025", strict=False)
    known = {**points("aasm-2025")[0], "tsat": (0.0, inf)}
    assert {step.axis for step in table.steps(table.box(known))} <= {"ferritin"}


# The oracle itself.


@st.composite
def intervals(draw: st.DrawFn, name: str) -> tuple[float, float]:
    """Draw an interval, its ends often at a limit or one float beside it."""
    most = NUMBERS[name][1]
    limits = {"ferritin": [50, 75, 100, 200, 300, 700], "tsat": [20, 40, 45], "age": [18]}[name]
    near = [nextafter(x, to) for x in limits for to in (-inf, inf)]
    ends = st.one_of(
        st.sampled_from([0.0, *map(float, limits), *near, most]),
        st.floats(0, most, allow_subnormal=False),
    )
    low, high = sorted((draw(ends), draw(ends)))
    return draw(st.sampled_from([(low, low), (low, high), (0.0, high), (low, most)]))


def words_within(words: frozenset[Any]) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(sorted(words)), min_size=1)


@st.composite
def patients(draw: st.DrawFn) -> dict[str, Any]:
    facts = oracle_of(IDS[0], strict=False).facts
    return (
        {name: draw(intervals(name)) for name in NUMBERS}
        | {name: draw(words_within(words)) for name, words in WORDS.items()}
        | {name: draw(words_within(EITHER)) for name in facts}
    )


@pytest.mark.parametrize("id_", IDS)
@given(patient=patients(), other=patients(), strict=st.booleans())
def test_a_wider_box_never_removes_a_possible_disposition(
    id_: str, patient: dict[str, Any], other: dict[str, Any], *, strict: bool
) -> None:
    table, judge = table_of(id_, strict=strict), oracle_of(id_, strict=strict)
    wider = {
        name: (min(held[0], other[name][0]), max(held[1], other[name][1]))
        if name in NUMBERS
        else held | other[name]
        for name, held in patient.items()
    }
    narrow, wide = (table.look_up(table.box(each)) for each in (patient, wider))
    assert set(narrow.criterion) <= set(wide.criterion)
    assert set(narrow.possible) <= set(wide.possible)
    assert set(narrow.rules) <= set(wide.rules)
    for cell, region in ((narrow, patient), (wide, wider)):
        said = judge.answer(for_oracle(region))
        assert set(cell.criterion) == said.criterion
        assert set(cell.possible) == said.possible
        assert {rule.id for rule in cell.rules} == said.rules


@pytest.mark.parametrize("id_", IDS)
@given(patient=patients(), strict=st.booleans())
def test_splitting_a_region_says_what_all_leaves_that_it_meets_say(
    id_: str, patient: dict[str, Any], *, strict: bool
) -> None:
    region = for_oracle(patient)
    leaves = [
        leaf
        for leaf in leaves_of(id_, strict=strict)
        if all(oracle.meets(region[name], at) for name, at in leaf.region.items() if name in region)
    ]
    assert oracle_of(id_, strict=strict).answer(region) == oracle.union(leaves)


@pytest.mark.parametrize("id_", IDS)
def test_a_patient_of_whom_all_is_known_stands_in_one_leaf(id_: str) -> None:
    for situation in points(id_)[::10]:
        known = for_oracle(situation)
        for leaf in leaves_of(id_, strict=False):
            assert set(leaf.region) >= set(known)
        alone = [
            leaf
            for leaf in leaves_of(id_, strict=False)
            if all(oracle.meets(at, leaf.region[name]) for name, at in known.items())
        ]
        # axes that the table does not have, and words that it does not tell apart, stay open
        assert len({(leaf.criterion, leaf.possible, leaf.rules) for leaf in alone}) == 1


# What the oracle would notice.

PLANTED = {
    "operator at 75": ("aasm-2025", '{ ferritin = "<= 75 ug/L" }', '{ ferritin = "< 75 ug/L" }'),
    "operator at 20": ("aasm-2025", '{ tsat = "< 20 %" }]', '{ tsat = "<= 20 %" }]'),
    "operator at 200": ("aasm-2025", '"< 200 ug/L"', '"<= 200 ug/L"'),
    "endpoint 100 of Mayo": ("mayo-2021", '"< 100 ug/L"', '"<= 99.999999999 ug/L"'),
    "operator at 45": ("irlssg-2018", '">= 45 %"', '"> 45 %"'),
    "a member": ("irlssg-2018", '["iv-iron", "no-iron"]', '["oral-or-iv-iron", "no-iron"]'),
    "a population": ("aan-2016", '">= child_below"', '"> child_below"'),
    "a fact": ("mayo-2021", "iv-reason = true", "iv-reason = false"),
    "a silence": ("mayo-2021", 'silent_on = ["pregnancy", "end-stage"]', "silent_on = []"),
    "a route": ("aasm-2025", 'disposition = "iv-iron"', 'disposition = "oral-or-iv-iron"'),
}
PLANTED_IN_STRICT = {
    "a tier that gives": ("mayo-2021", 'verified = "quoted"', 'verified = "unverified"'),
}
PLANTED_IN_SAFETY = {
    "SL1": ('">= 40 %"', '"> 40 %"'),
    "SL2": ('"> 700 ug/L"', '">= 700 ug/L"'),
    "SL3": ("{ iron-loading = true }", "{ iron-loading = false }"),
    "SL4": ('pregnancy = "trimester-1"', 'pregnancy = ["trimester-1", "trimester-2"]'),
    "SL5": ('"> 100 ug/L"', '">= 100 ug/L"'),
    "stopping one route": ('stops = ["oral", "iv"]', 'stops = ["iv"]'),
    "opening": ('opens = "no-iron"', 'opens = "oral-iron"'),
    "PG-2": ('adds = "no-iron"', 'adds = "oral-iron"'),
    "covering": ('covers = { rls = "confirmed" }', 'covers = { rls = ["confirmed", "suspected"] }'),
}


def planted(id_: str, old: str, new: str) -> Table:
    text = FILES[id_].read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1) if "verified" not in old else text.replace(old, new)
    return compile_table(
        parse_guideline(Document("planted.toml", text, tomllib.loads(text))),
        strict="verified" in old,
    )


@pytest.mark.parametrize("fault", PLANTED | PLANTED_IN_STRICT)
def test_a_fault_in_a_guideline_is_noticed(fault: str) -> None:
    id_, old, new = (PLANTED | PLANTED_IN_STRICT)[fault]
    found = compare(planted(id_, old, new), oracle_of(id_, strict="verified" in old))
    assert found.differing
    assert found.first


@pytest.mark.parametrize("fault", PLANTED_IN_SAFETY)
def test_a_fault_in_the_safety_layer_is_noticed(fault: str) -> None:
    old, new = PLANTED_IN_SAFETY[fault]
    text = (DATA / "safety.toml").read_text(encoding="utf-8")
    assert old in text
    judge = Oracle(oracle.read(FILES["aasm-2025"]), safety=tomllib.loads(text.replace(old, new, 1)))
    assert compare(table_of("aasm-2025", strict=False), judge).differing


def test_a_document_that_strict_empties_gives_no_iron() -> None:
    text = FILES["aan-2016"].read_text(encoding="utf-8").replace('"primary"', '"unverified"')
    document = Document("emptied.toml", text, tomllib.loads(text))
    table = compile_table(parse_guideline(document), strict=True)
    judge = Oracle(document.data, strict=True)
    assert not compare(table, judge).differing
    assert judge.answer({"ferritin": between(60, 60)}).criterion == {"no-iron", "not-covered"}
