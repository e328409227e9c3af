"""What the page of a guideline promises of its table, tried in every case; and that faults show.

The routes that safety stops are written here a second time, from §7 of the evidence.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from operator import and_
from typing import Any

import numpy as np
import pytest

import guarantees
import rlsiron.board
import rlsiron.compiler
import rlsiron.table
from guarantees import Tried, answers, deciding, proven, stops, widening
from rlsiron.catalog import guideline_ids, status_ids
from rlsiron.compiler import compile_status, compile_table
from rlsiron.guideline import Guideline, shipped, statuses
from rlsiron.table import Axis, NumericAxis, Table

FOR_RLS = [id_ for id_ in guideline_ids() if shipped(id_).purpose == "rls"]
STATUS = {status.id: status for status in statuses()}
HOW = pytest.mark.parametrize("strict", [False, True], ids=["all rules", "strict"])
GIVES = {
    "oral": {"oral-iron", "oral-or-iv-iron"},
    "iv": {"iv-iron", "oral-or-iv-iron"},
}


def test_there_are_eight_of_each() -> None:
    assert (len(guideline_ids()), len(FOR_RLS), len(STATUS)) == (8, 7, len(status_ids()))
    assert len(STATUS) == 8


@HOW
@pytest.mark.parametrize("id_", guideline_ids())
def test_every_cell_has_an_answer(id_: str, *, strict: bool) -> None:
    table = compile_table(shipped(id_), strict=strict)
    assert answers(shipped(id_), strict=strict) == (table.cells, ())
    for box in boxes(table):
        cell = table.look_up(box)
        assert cell.criterion
        assert cell.possible


@pytest.mark.parametrize("id_", guideline_ids())
def test_no_rule_is_dead(id_: str) -> None:
    cells = deciding(shipped(id_))
    assert list(cells) == [rule.id for rule in shipped(id_).rules]
    assert min(cells.values()) > 0
    table = compile_table(shipped(id_))
    covered = np.count_nonzero(table.cells_of(table.rules))
    assert sum(cells.values()) == covered  # one rule decides a cell


@pytest.mark.parametrize("id_", STATUS)
def test_no_statement_is_dead(id_: str) -> None:
    cells = deciding(STATUS[id_])
    assert list(cells) == [rule.id for rule in STATUS[id_].rules]
    assert 0 < min(cells.values()) <= max(cells.values()) <= compile_status(STATUS[id_]).cells


def test_the_cells_of_a_rule_are_counted() -> None:
    """NICE by hand: F [0, 50), [50, 75), and four from 75; adults with confirmed RLS; all else."""
    rest = 4 * 3 * 3 * 2**2
    assert deciding(shipped("nice-cks")) == {
        "NI-1": rest,
        "NI-1-range": rest,
        "NI-1-unmet": 4 * rest,
    }
    assert deciding(STATUS["acg-2019"]) == {"OV-2": 1}


@HOW
@pytest.mark.parametrize("id_", guideline_ids())
def test_missing_and_bounded_inputs_only_widen_an_answer(id_: str, *, strict: bool) -> None:
    tried = widening(shipped(id_), strict=strict)
    assert tried.broken == ()
    assert tried.cases > 1000
    if strict and not any(rule.hearsay for rule in shipped(id_).rules):  # not tried twice
        plain, verified = (compile_table(shipped(id_), strict=how) for how in (False, True))
        assert np.array_equal(plain.criterion, verified.criterion)
        assert np.array_equal(plain.disposition, verified.disposition)


@pytest.mark.parametrize("id_", STATUS)
def test_missing_and_bounded_inputs_take_no_statement_back(id_: str) -> None:
    assert widening(STATUS[id_], strict=False).broken == ()


def test_each_situation_is_asked_for() -> None:
    """By hand. ACG: TSAT under 45, from 45, missing.

    BSG: runs of ferritin's four cells in adults, and in children, whose answer is that of an
    unknown age; then a child, an adult, both, in three kinds of results: those of whom a child's
    statements are an adult's (none), and those of an absent store, of a low one, of a full one.
    """
    assert widening(STATUS["acg-2019"], strict=False).cases == 3
    assert widening(STATUS["bsg-2021"], strict=False).cases == 2 * 10 + 4 * 3


def boxes(table: Table) -> Iterator[tuple[tuple[int], ...]]:
    return product(*([(cell,) for cell in range(axis.size)] for axis in table.axes))


def corners(axis: Axis, cell: int) -> list[Any]:
    """Return the least and the greatest value of a cell, or its words."""
    if isinstance(axis, NumericAxis):
        low, high = axis.span(cell)
        return [low, high]
    return sorted(axis.classes[cell])


def stopped(known: Mapping[str, Any]) -> set[str]:
    """Return the routes that §7 stops, of a patient of whom all is known."""
    ferritin, tsat, kidney = known["ferritin"], known["tsat"], known["kidney"]
    end_stage = kidney in {"ckd-5", "hemodialysis", "peritoneal-dialysis"}
    no_iron = (
        tsat >= 45  # SL1
        or (tsat >= 40 and kidney != "none")
        or (ferritin > 700 if end_stage else ferritin >= 300)  # SL2
        or known["iron-loading"]  # SL3
    )
    if no_iron:
        return {"oral", "iv"}
    return {"iv"} if known["iv-stopped"] or known["pregnancy"] == "trimester-1" else set()  # SL4


def given_although_stopped(guideline: Guideline, *, strict: bool) -> tuple[int, list[str]]:
    """Return in how many cells a route is stopped, and those that give iron by it all the same."""
    table = compile_table(guideline, strict=strict)
    asked = {"ferritin", "tsat", "kidney", "iron-loading", "iv-stopped", "pregnancy"}
    at = [place for place, axis in enumerate(table.axes) if axis.name in asked]
    known: dict[tuple[int, ...], set[str]] = {}
    for cells in product(*(range(table.axes[place].size) for place in at)):
        ways = [corners(table.axes[p], cell) for p, cell in zip(at, cells, strict=True)]
        names = [table.axes[place].name for place in at]
        routes = [stopped(dict(zip(names, way, strict=True))) for way in product(*ways)]
        assert all(each == routes[0] for each in routes), (
            names,
            ways,
        )  # the cell is cut finely enough
        known[cells] = routes[0]
    found, wrong = 0, []
    for box in boxes(table):
        routes_here = known[tuple(box[place][0] for place in at)]
        possible = set(table.look_up(box).possible)
        found += bool(routes_here) and possible != {"not-covered"}
        wrong += [f"{box}: {route}" for route in routes_here if possible & GIVES[route]]
    return found, wrong


@HOW
@pytest.mark.parametrize("id_", FOR_RLS)
def test_no_cell_gives_iron_by_a_route_that_safety_stops(id_: str, *, strict: bool) -> None:
    found, wrong = given_although_stopped(shipped(id_), strict=strict)
    assert wrong == []
    assert found > 0
    assert stops(shipped(id_), strict=strict) == (found, ())  # as its page counts them


def test_no_safety_layer_lies_over_a_guideline_on_anemia() -> None:
    assert stops(shipped("kdigo-2026"), strict=False) == (0, ())


# Faults are planted in the engine, and each is seen. Nothing that a fault made is kept.


@pytest.fixture
def unkept(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Forget every table before a fault is planted, and after it."""
    yield monkeypatch
    monkeypatch.undo()
    compile_table.cache_clear()
    compile_status.cache_clear()


def broken(guideline: Guideline, tried: Callable[..., Any]) -> tuple[str, ...]:
    compile_table.cache_clear()
    compile_status.cache_clear()
    return getattr(tried, "__wrapped__", tried)(guideline, strict=False).broken  # type: ignore[no-any-return]


def test_a_look_up_that_intersects_is_seen(unkept: pytest.MonkeyPatch) -> None:
    unkept.setattr(rlsiron.table, "or_", and_)
    assert broken(shipped("nice-cks"), widening)


def test_a_missing_input_that_intersects_is_seen(unkept: pytest.MonkeyPatch) -> None:
    unkept.setattr(rlsiron.compiler, "_with_unions", with_intersections)
    assert broken(shipped("nice-cks"), widening)


WITH_UNIONS = rlsiron.compiler._with_unions  # noqa: SLF001 - what the fault stands in for


def with_intersections(bits: Any, join: Any = np.bitwise_and) -> Any:  # noqa: ANN401
    return WITH_UNIONS(bits, join)


def test_a_bound_that_is_read_as_its_number_is_seen(unkept: pytest.MonkeyPatch) -> None:
    def first(axis: NumericAxis, possible: tuple[float, float]) -> tuple[int, ...]:
        return (int(np.searchsorted(axis.edges, possible[0], side="right")),)

    unkept.setattr(NumericAxis, "cells", first)
    assert broken(shipped("nice-cks"), widening)


def test_two_patients_taken_for_one_are_seen(unkept: pytest.MonkeyPatch) -> None:
    """The memory of a board tells a bound from its number by both of its ends."""

    def of(kinds: Any, known: Mapping[str, Any]) -> tuple[Any, ...]:  # noqa: ANN401
        words = [known[name] for name in kinds._words]  # noqa: SLF001
        return (*words, *(known[name][0] for name, _ in kinds._edges))  # noqa: SLF001

    unkept.setattr(rlsiron.board._Kinds, "of", of)  # noqa: SLF001
    assert broken(shipped("nice-cks"), widening)


def test_a_statement_told_where_it_holds_in_part_is_seen(unkept: pytest.MonkeyPatch) -> None:
    unkept.setattr(rlsiron.table, "and_", lambda one, other: one | other)
    assert broken(STATUS["bsg-2021"], widening)


def test_a_stop_that_does_nothing_is_seen(unkept: pytest.MonkeyPatch) -> None:
    """What speaks is told, and stops nothing."""
    nothing = np.arange(64, dtype=np.uint8)
    unkept.setattr(rlsiron.compiler, "_stopping", lambda *, oral, iv: nothing)  # noqa: ARG005
    assert broken(shipped("aasm-2025"), stops)
    assert given_although_stopped(shipped("aasm-2025"), strict=False)[1]


@pytest.mark.parametrize("id_", ["SL1", "SL2", "SL3", "SL4"])
def test_a_safety_rule_that_is_left_out_is_seen(id_: str, unkept: pytest.MonkeyPatch) -> None:
    layer = rlsiron.compiler._Compiler.safety  # noqa: SLF001

    def without(compiler: Any, criterion: Any, whole: Any) -> Any:  # noqa: ANN401
        rules = tuple(rule for rule in whole.rules if rule.id != id_)
        disposition, _ = layer(compiler, criterion, replace(whole, rules=rules))
        return disposition, layer(compiler, criterion, whole)[1]

    unkept.setattr(rlsiron.compiler._Compiler, "safety", without)  # noqa: SLF001
    assert broken(shipped("aasm-2025"), stops)
    assert given_although_stopped(shipped("aasm-2025"), strict=False)[1]


def test_a_page_that_would_promise_what_is_broken_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fault = Tried(1, ("SL1 stops oral iron, which 1 of its cells give",))
    monkeypatch.setattr(guarantees, "stops", lambda *_, **__: fault)
    with pytest.raises(AssertionError, match="SL1 stops oral iron"):
        list(proven(shipped("aan-2016")))
