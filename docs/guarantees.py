"""Tries the cases of a compiled table one by one, and says what its page may promise of it.

Nothing of the engine is done a second time here: a situation is put to it as a patient's is, and
what it answers is compared with what it answered to narrower ones.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, combinations_with_replacement, product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from markup import link, table, target
from rlsiron.board import Board, StatusBoard
from rlsiron.compiler import compile_status, compile_table
from rlsiron.guideline import Guideline, safety
from rlsiron.proof import check_guideline
from rlsiron.table import BIT, Axis, Grid, NumericAxis

GIVING = {
    "oral": BIT["oral-iron"] | BIT["oral-or-iv-iron"],
    "iv": BIT["iv-iron"] | BIT["oral-or-iv-iron"],
}
"""The dispositions that give iron by a route."""

Choice = tuple[int, ...]
"""Cells of an axis in which a patient may be."""

Ask = Callable[[Mapping[str, Any]], int]
"""Returns what is not excluded of a patient, as bits: all that a narrower input may be told."""


class Tried(NamedTuple):
    """How many cases were tried, and those in which a promise is broken."""

    cases: int
    broken: tuple[str, ...]


@cache
def widening(guideline: Guideline, *, strict: bool) -> Tried:
    """Try whether bounded and missing inputs only widen an answer.

    Along each axis every run of cells, and every set of words, is asked for, the whole axis being
    a missing input: for every other input known, and for every one of them missing. Along ferritin
    and TSAT the runs of both are asked for together. Of patients of whom the table says the same
    all along, one is asked. Each answer must hold those to what is narrower by one cell.
    """
    if strict and not any(rule.hearsay for rule in guideline.rules):
        return widening(guideline, strict=False)  # nothing is left out: the same table
    grid, said, ask = _asked(guideline, strict=strict)
    places = {axis.name: at for at, axis in enumerate(grid.axes)}
    cases, broken = 0, list[str]()
    ways: list[tuple[tuple[int, ...], bool]] = [((at,), True) for at in places.values()]
    if {"ferritin", "tsat"} <= places.keys():
        ways.append(((places["ferritin"], places["tsat"]), False))
    for along, missing in ways:
        for others in _others(grid, said, along, missing=missing):
            told: dict[tuple[Choice, ...], int] = {}
            for chosen in product(*(_choices(grid.axes[at]) for at in along)):
                held = [*others]
                for at, choice in zip(along, chosen, strict=True):
                    held[at] = choice
                told[chosen] = ask(_situation(grid.axes, held))
                for narrow in _narrower([grid.axes[at] for at in along], chosen):
                    if told[narrow] & ~told[chosen]:
                        broken.append(f"{_situation(grid.axes, held)}: more is said than of a part")
            cases += len(told)
    return Tried(cases, tuple(broken))


def _asked(
    guideline: Guideline, *, strict: bool
) -> tuple[Grid, NDArray[np.unsignedinteger[Any]], Ask]:
    """Return the table of a guideline, what it says in each slot, and what answers of it."""
    if guideline.purpose == "status":
        status = compile_status(guideline)
        every = 1 << len(guideline.rules)
        number = {rule.id: 1 << at for at, rule in enumerate(guideline.rules)}
        standing = StatusBoard([status]).standing
        return (
            status,
            status.always,
            lambda known: every - 1 - sum(number[rule.id] for _, rule in standing(known).rules),
        )
    made = compile_table(guideline, strict=strict)
    board = Board([made])

    def ask(known: Mapping[str, Any]) -> int:
        (verdict,) = board.verdicts(known)
        said = verdict.said
        before, after = said["criterion_possible"], said["possible"]
        return sum(BIT[word] for word in before) << 8 | sum(BIT[word] for word in after)

    return made, made.criterion.astype(np.uint16) << np.uint16(8) | made.disposition, ask


def _choices(axis: Axis) -> list[Choice]:
    """Return what may be left open on an axis, from one cell to all of them."""
    cells = range(axis.size)
    if isinstance(axis, NumericAxis):
        runs = combinations_with_replacement(cells, 2)
        return sorted((tuple(range(low, high + 1)) for low, high in runs), key=len)
    return [some for many in range(1, axis.size + 1) for some in combinations(cells, many)]


def _narrower(axes: Sequence[Axis], chosen: tuple[Choice, ...]) -> Iterator[tuple[Choice, ...]]:
    """Yield what is narrower by one cell; whatever is narrower still is within one of these."""
    for at, (axis, choice) in enumerate(zip(axes, chosen, strict=True)):
        if len(choice) > 1:
            ends = (choice[1:], choice[:-1])
            parts = ends if isinstance(axis, NumericAxis) else combinations(choice, len(choice) - 1)
            yield from ((*chosen[:at], part, *chosen[at + 1 :]) for part in parts)


def _others(
    grid: Grid, said: NDArray[Any], along: Sequence[int], *, missing: bool
) -> Iterator[list[Choice]]:
    """Yield what is held on the other axes, once for each thing that is said along these.

    `missing` tells whether to hold nothing on them, too.
    """
    rest = [at for at in range(len(grid.axes)) if at not in along]
    tried = [
        slice(None) if at in along or missing else slice(a.size) for at, a in enumerate(grid.axes)
    ]
    rows = said[tuple(tried)].transpose([*rest, *along])
    shape = rows.shape[: len(rest)]
    _, first = np.unique(rows.reshape(prod(shape), -1), axis=0, return_index=True)
    for where in np.stack(np.unravel_index(first, shape), axis=-1).tolist() if rest else [[]]:
        held: list[Choice] = [()] * len(grid.axes)
        for at, slot in zip(rest, where, strict=True):
            size = grid.axes[at].size
            held[at] = tuple(range(size)) if slot == size else (slot,)
        yield held


def _situation(axes: Sequence[Axis], held: Sequence[Choice]) -> dict[str, Any]:
    """Return what remains possible of a patient who may be in some cells of each axis."""
    return {
        axis.name: (axis.span(choice[0])[0], axis.span(choice[-1])[1])
        if isinstance(axis, NumericAxis)
        else frozenset().union(*(axis.classes[cell] for cell in choice))
        for axis, choice in zip(axes, held, strict=True)
    }


def answers(guideline: Guideline, *, strict: bool) -> Tried:
    """Try whether each cell of a patient has an answer, before safety and after it."""
    made = compile_table(guideline, strict=strict)
    silent = np.count_nonzero(made.cells_of((made.criterion == 0) | (made.disposition == 0)))
    return Tried(made.cells, (f"{silent} cells have no answer",) if silent else ())


def stops(guideline: Guideline, *, strict: bool) -> Tried:
    """Try whether a cell gives iron by a route that the safety layer stops in it."""
    made = compile_table(guideline, strict=strict)
    given, speaks = made.cells_of(made.disposition), made.cells_of(made.stops)
    stopped, broken = np.zeros(given.shape, dtype=bool), list[str]()
    for at, rule in enumerate(safety(guideline.parameters).rules if made.safety_ids else ()):
        for route in rule.stops:
            here = speaks >> at & 1 == 1
            stopped |= here
            if wrong := np.count_nonzero(here & (given & GIVING[route] > 0)):
                broken.append(f"{rule.id} stops {route} iron, which {wrong} of its cells give")
    covered = given != BIT["not-covered"]
    return Tried(int((stopped & covered).sum()), tuple(broken))


def deciding(guideline: Guideline) -> dict[str, int]:
    """Return in how many cells each rule decides, and each statement holds."""
    if guideline.purpose == "status":
        status = compile_status(guideline)
        holding = status.cells_of(status.always)
        return {r.id: int((holding >> at & 1).sum()) for at, r in enumerate(guideline.rules)}
    made = compile_table(guideline)
    rules = made.cells_of(made.rules)
    return {rule.id: int((rules == 1 << at).sum()) for at, rule in enumerate(guideline.rules)}


def proven(guideline: Guideline) -> Iterator[str]:
    """Yield what was tried when the page was made; it is not made if a promise is broken."""
    yield from (target("proven", guideline.id), "## What is proven", "")
    if guideline.purpose == "status":
        yield from _of_statements(guideline)
        return
    proof = check_guideline(guideline)
    cells, _ = _both(guideline, answers)
    yield "Tried case by case when this page was made, with every rule and with the verified ones"
    yield "alone. It shows that the table keeps its promises; how far it is what the source says,"
    yield "the [tiers](#tiers) tell."
    yield ""
    yield f"- Patients are cut into {cells} cells. It speaks of {proof.covered} of them. Each cell"
    yield "  has an answer."
    yield f"- No rule is dead: each of its {proof.rules} rules decides the cells counted beside it."
    every, strict = _both(guideline, widening)
    yield f"- A missing or bounded input only widens an answer. The engine was asked in {every}"
    yield f"  situations ({strict} with the verified rules alone), along each axis for every run of"
    yield "  cells, and no answer lacks what a narrower one has."
    if guideline.purpose != safety().purpose:
        yield "- The [safety layer](#safety-layer) is for RLS only: it stops nothing here."
    else:
        stopped, _ = _both(guideline, stops)
        yield "- Of the cells that it speaks of, the [safety layer](#safety-layer) stops a route of"
        yield f"  iron in {stopped}. None gives iron by a route that is stopped."
    yield ""


def _of_statements(guideline: Guideline) -> Iterator[str]:
    asked = _kept(widening(guideline, strict=False))
    yield f"Patients are cut into {compile_status(guideline).cells} cells. No statement is dead:"
    yield "each holds in those counted here. It is told only if it holds in every cell in which the"
    yield f"patient may be: the engine was asked in {asked} situations when this page was made, and"
    yield "with an input missing or bounded said nothing that a narrower one would take back."
    yield ""
    rows = ((link(id_, guideline.id, id_), str(many)) for id_, many in deciding(guideline).items())
    yield from table(("statement", "cells"), rows)


def _both(guideline: Guideline, tried: Callable[..., Tried]) -> tuple[int, int]:
    """Return how many cases were tried, with every rule and with the verified ones alone."""
    return _kept(tried(guideline, strict=False)), _kept(tried(guideline, strict=True))


def _kept(tried: Tried) -> int:
    if tried.broken:
        raise AssertionError("; ".join(tried.broken[:9]))
    return tried.cases
