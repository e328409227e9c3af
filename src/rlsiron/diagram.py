"""Reduces a table to short look-ups, one axis after another, for engines that know joins only.

What may be told of an axis is a state: one cell, a run or a set of cells, or all of them. What is
said of a combination of states is a union over its cells, as in `rlsiron.table`; combinations of
which the same is said whatever the other axes are share a node. So millions of combinations become
a few look-ups of some hundred rows: from a node, by the state of the next axis, to the next node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlsiron import units
from rlsiron.compiler import MOST_SLOTS
from rlsiron.decision import INPUTS, applied, disposition_of, iron
from rlsiron.grammar import AXIS_WORDS, DISPOSITIONS, fault
from rlsiron.table import Cell, Table, words_of

Bits = NDArray[Any]

_SETS = len(DISPOSITIONS)
_MOST_RULES = 63 - _SETS
_MOST_ROWS = 1_000  # of a look-up over several axes; one over a single axis may have more
_SPEAKS = ("rls", "age", "kidney")  # whether the table speaks of the patient at all


class State(NamedTuple):
    """What is told of an axis: the cells still possible, and inputs that would move it."""

    cells: tuple[int, ...]
    moved: frozenset[str] = frozenset()


States = Mapping[int, State]
"""The states of an axis, each by its number."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """A step from one node to the next.

    Attributes
    ----------
    axes
        The axes whose states are looked at.
    radix
        Of each of them, one more than the greatest number of a state. The key of a row has as
        digits the node, and the numbers of the states, with these bases.
    rows
        The keys, and the node to which each leads.
    """

    axes: tuple[str, ...]
    radix: tuple[int, ...]
    rows: tuple[tuple[int, int], ...]


class Diagram(NamedTuple):
    """Look-ups, in order, and the words that are said at each of their last nodes."""

    names: tuple[str, ...]
    lookups: tuple[LookUp, ...]
    words: tuple[tuple[str, ...], ...]


def diagrams(table: Table, states: Mapping[str, States]) -> tuple[Diagram, ...]:
    """Return the look-ups that say of every combination of states what the table says.

    Parameters
    ----------
    table
        The compiled guideline.
    states
        For each of its axes what may be told of it.

    Raises
    ------
    GuidelineError
        If there are too many combinations, or too many rules.
    """
    axes = sorted((axis.name for axis in table.axes), key=_place)
    told = [states[name] for name in axes]
    _refuse_large(table, prod(map(len, told)))
    bare = [{number: State(state.cells) for number, state in each.items()} for each in told]
    criterion, disposition, rules = (
        _united(_cells(table, axes, bits), bare)
        for bits in (table.criterion, table.disposition, table.rules)
    )
    said = criterion.astype(np.uint64)
    parts: Any = (
        (bare, said << np.uint64(_SETS) | disposition, _dispositions),
        (told, _needs(table, axes, told), _inputs),
        (bare, rules.astype(np.uint64) << np.uint64(_SETS) | said, lambda c: _rules(table, c)),
    )
    names = (("disposition", "criterion", "iron", "possible"), ("needs",), ("rule",))
    return tuple(
        _diagram(columns, axes, each, *_in_words(codes, words))
        for columns, (each, codes, words) in zip(names, parts, strict=True)
    )


def _place(axis: str) -> tuple[int, int]:
    """Return what sorts axes so that the look-ups are short: facts part least, and come last."""
    if axis in _SPEAKS:
        return 0, _SPEAKS.index(axis)
    names = (*reversed(tuple(units.analytes())), *AXIS_WORDS)
    return (1, names.index(axis)) if axis in names else (2, 0)


def _refuse_large(table: Table, combinations: int) -> None:
    rules, source = len(table.guideline.rules), table.guideline.document
    if combinations > MOST_SLOTS:
        text = f"its limits and facts make {combinations} cases of a query; {MOST_SLOTS} at most"
        raise fault(source, [], text)
    if rules > _MOST_RULES:
        raise fault(source, [], f"it has {rules} rules; a query takes {_MOST_RULES} at most")


def _cells(table: Table, axes: Sequence[str], bits: Bits) -> Bits:
    """Return an array of a table over its cells, with its axes in another order."""
    own = [axis.name for axis in table.axes]
    return table.cells_of(bits).transpose([own.index(name) for name in axes])


def _distinct(states: States) -> dict[State, list[int]]:
    """Return the states that differ, each with its numbers."""
    numbers: dict[State, list[int]] = {}
    for number, state in states.items():
        numbers.setdefault(state, []).append(number)
    return numbers


def _united(bits: Bits, told: Sequence[States], *, but: int = -1) -> Bits:
    """Return an array over cells as one over the states that differ, but for one axis."""
    for at, states in enumerate(told):
        if at != but:
            slices = [bits.take(cell, at) for cell in range(bits.shape[at])]
            unions = (
                reduce(np.bitwise_or, [slices[cell] for cell in state.cells])
                for state in _distinct(states)
            )
            bits = np.stack(list(unions), at)
    return bits


def _needs(table: Table, axes: Sequence[str], told: Sequence[States]) -> Bits:
    """Return the inputs that are needed, as bits in the order of `INPUTS`.

    An axis decides where two of its cells, all else held, give different sets.
    """
    cells = _cells(table, axes, table.disposition)
    needs = np.zeros([len(_distinct(states)) for states in told], np.uint8)
    for at, states in enumerate(told):
        differ = np.stack([_differs(cells, state.cells, at) for state in _distinct(states)], at)
        inputs = [_needed({axes[at], *state.moved}) for state in _distinct(states)]
        along = [-1 if other == at else 1 for other in range(len(told))]
        needs |= _united(differ, told, but=at) * np.array(inputs, np.uint8).reshape(along)
    return needs


def _differs(cells: Bits, within: Sequence[int], at: int) -> NDArray[np.bool_]:
    first = cells.take(within[0], at)
    apart = (cells.take(cell, at) != first for cell in within[1:])
    return reduce(np.bitwise_or, apart, np.zeros(first.shape, bool))


def _needed(names: set[str]) -> int:
    return sum(1 << at for at, name in enumerate(INPUTS) if name in names)


def _in_words(codes: Bits, words: Any) -> tuple[Bits, list[tuple[str, ...]]]:  # noqa: ANN401 - of a code
    """Return the words of some codes, and codes that number the words."""
    distinct, inverse = np.unique(codes, return_inverse=True)
    said = [words(code) for code in distinct.tolist()]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(said))}
    numbered = np.array([numbers[text] for text in said], np.uint16)
    return numbered[inverse].reshape(codes.shape), list(numbers)


def _dispositions(code: int) -> tuple[str, ...]:
    criterion, possible = words_of(code >> _SETS), words_of(code % (1 << _SETS))
    said = disposition_of(possible), disposition_of(criterion), iron(possible)
    return *said, " ".join(possible)


def _inputs(code: int) -> tuple[str, ...]:
    return (" ".join(name for at, name in enumerate(INPUTS) if code >> at & 1),)


def _rules(table: Table, code: int) -> tuple[str, ...]:
    every = table.guideline.rules
    rules = tuple(rule for at, rule in enumerate(every) if code >> (_SETS + at) & 1)
    cell = Cell(words_of(code % (1 << _SETS)), (), rules, frozenset(), frozenset())
    return (" ".join(rule.id for rule in applied(table, cell)),)


def _diagram(
    names: tuple[str, ...],
    axes: Sequence[str],
    told: Sequence[States],
    codes: Bits,
    words: Sequence[tuple[str, ...]],
) -> Diagram:
    """Return the look-ups that lead to some codes."""
    lookups = []
    nodes = np.ascontiguousarray(codes).reshape(1, -1)
    start = 0
    while start < len(axes):
        end = start + 1
        while end < len(axes) and len(nodes) * prod(map(len, told[start : end + 1])) <= _MOST_ROWS:
            end += 1
        distinct = [_distinct(states) for states in told[start:end]]
        rows = nodes.reshape(len(nodes) * prod(map(len, distinct)), -1)
        to, first = _merged(rows)
        radix = tuple(max(states) + 1 for states in told[start:end])
        keys = [[node] for node in range(len(nodes))]
        for base, states in zip(radix, distinct, strict=True):
            keys = [
                [k * base + n for k in key for n in each]
                for key in keys
                for each in states.values()
            ]
        pairs = sorted((key, node) for each, node in zip(keys, to, strict=True) for key in each)
        lookups.append(LookUp(tuple(axes[start:end]), radix, tuple(pairs)))
        nodes, start = rows[first], end
    return Diagram(names, tuple(lookups), tuple(words[code] for code in nodes[:, 0].tolist()))


def _merged(rows: Bits) -> tuple[list[int], list[int]]:
    """Return the number of each row among those that differ, and the first of each of these."""
    met: dict[bytes, int] = {}
    to = [met.setdefault(row.tobytes(), len(met)) for row in rows]
    first = {node: at for at, node in reversed(list(enumerate(to)))}
    return to, [first[node] for node in range(len(met))]
