"""Says where two guidelines part: cell by cell, on the cuts of both.

Both tables are laid on one grid, cut wherever one of them is. Cells in which they say two different
things are joined to regions, so that a threshold that moved is one line and not a thousand cells.
Cells without a patient, where one fact holds without another that it implies, are left out.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, permutations
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlsiron.compiler import MOST_SLOTS, compile_table
from rlsiron.errors import GuidelineError
from rlsiron.guideline import Fact, Guideline, Limb, facts, load_guideline
from rlsiron.table import Axis, NumericAxis, Table, WordAxis, words_of

Said = NDArray[np.unsignedinteger[Any]]
"""Of each cell the criterion, and what remains after safety, as one number."""

_AFTER = 0xFF  # the bits of what remains after safety

Pair = tuple[tuple[str, ...], tuple[str, ...]]


class Difference(NamedTuple):
    """A region in which two guidelines say different things.

    Attributes
    ----------
    where
        What tells the region from the rest, an axis each; empty where they differ everywhere.
    criterion
        What each one's own text says.
    possible
        What remains possible after safety, by each.
    cells
        How many cells the region has.
    """

    where: tuple[str, ...]
    criterion: Pair
    possible: Pair
    cells: int


def differences(
    one: str | Path | Guideline, other: str | Path | Guideline, *, strict: bool = False
) -> tuple[Difference, ...]:
    """Return the regions in which two guidelines, or two versions of one, say different things.

    Parameters
    ----------
    one, other
        Ids, paths of files, or `Guideline` objects.
    strict
        Leave out unverified rules that give iron.

    Raises
    ------
    GuidelineError
        If one is faulty, or both together cut patients into too many cases.

    Examples
    --------
    >>> first, *_ = differences("aan-2016", "nice-cks")
    >>> first.where
    ('ferritin in [50, 75) ug/L', 'tsat in [0, 40) %', 'age in [18, 130] years', 'rls confirmed',
    'iron-loading False')
    >>> first.possible
    (('oral-iron',), ('oral-iron', 'no-iron'))
    """
    axes, first, second, nobody = _both(one, other, strict=strict)
    return tuple(_regions(axes, first, second, nobody))


def extent(
    one: str | Path | Guideline, other: str | Path | Guideline, *, strict: bool = False
) -> tuple[tuple[str, ...], ...]:
    """Return where, by ferritin and TSAT alone, two guidelines differ after safety.

    Parameters
    ----------
    one, other, strict
        As for `differences`.

    Examples
    --------
    >>> extent("aan-2016", "nice-cks")
    (('ferritin in [50, 75] ug/L', 'tsat in [0, 45) %'),)
    """
    axes, first, second, nobody = _both(one, other, strict=strict)
    apart = ((first ^ second) & _AFTER > 0) & ~nobody
    others = tuple(at for at, axis in enumerate(axes) if axis.name not in {"ferritin", "tsat"})
    somewhere = np.asarray(apart.any(axis=others), dtype=np.uint16)
    plane = [axis for at, axis in enumerate(axes) if at not in others]
    nowhere = np.zeros_like(somewhere)
    regions = _regions(plane, somewhere, nowhere, nowhere > 0)
    return tuple(region.where for region in regions)


def _both(
    one: str | Path | Guideline, other: str | Path | Guideline, *, strict: bool
) -> tuple[tuple[Axis, ...], Said, Said, NDArray[np.bool_]]:
    """Return one grid, what each of two says on it, and the cells without a patient."""
    tables = [compile_table(load_guideline(each), strict=strict) for each in (one, other)]
    axes = _common(tables)
    cells = prod(axis.size for axis in axes)
    if cells > MOST_SLOTS:
        text = f"these two guidelines cut patients into {cells} cases; {MOST_SLOTS} at most"
        raise GuidelineError(text)
    first, second = (_laid(table, axes) for table in tables)
    return axes, first, second, _nobody(tables, axes)


def _nobody(tables: Sequence[Table], axes: Sequence[Axis]) -> NDArray[np.bool_]:
    """Return the cells in which a fact holds, and one that it implies does not."""
    known = {f.name: f for table in tables for f in facts(table.guideline.parameters).values()}
    at = [(place, known[axis.name]) for place, axis in enumerate(axes) if axis.name in known]
    nobody = np.zeros([axis.size for axis in axes], dtype=np.bool_)
    for (here, one), (there, other) in permutations(at, 2):
        if _implies(one, other):
            cell: list[slice | int] = [slice(None)] * len(axes)
            cell[here], cell[there] = (
                axes[here].cells(frozenset({True}))[0],
                axes[there].cells(frozenset({False}))[0],
            )
            nobody[tuple(cell)] = True
    return nobody


def _implies(one: Fact, other: Fact) -> bool:
    """Whether each way in which one fact holds is one in which another does."""
    return all(
        any(
            all(any(_within(narrow, wide) for narrow in way) for wide in wider)
            for wider in other.any
        )
        for way in one.any
    )


def _within(narrow: Limb, wide: Limb) -> bool:
    """Whether what one limb asks of a field is all that another asks of it."""
    (field, inner), (asked, outer) = narrow, wide
    if field != asked or outer in ("given", inner):
        return field == asked
    if isinstance(inner, tuple) and isinstance(outer, tuple):
        return outer[0] <= inner[0] and inner[1] <= outer[1]
    return isinstance(inner, frozenset) and isinstance(outer, frozenset) and inner <= set(outer)


def _common(tables: Sequence[Table]) -> tuple[Axis, ...]:
    """Return the axes of all tables, each cut wherever one of them is."""
    by_name: dict[str, Axis] = {}
    for axis in chain(*(table.axes for table in tables)):
        known = by_name.get(axis.name)
        if isinstance(axis, NumericAxis) and isinstance(known, NumericAxis):
            edges = tuple(sorted({*axis.edges, *known.edges}))
            by_name[axis.name] = NumericAxis(axis.name, edges, axis.unit, axis.most)
        elif isinstance(axis, WordAxis) and isinstance(known, WordAxis):
            parts = (one & other for one in known.classes for other in axis.classes)
            by_name[axis.name] = WordAxis(axis.name, tuple(part for part in parts if part))
        else:
            by_name[axis.name] = axis
    return tuple(by_name.values())


def _laid(table: Table, axes: Sequence[Axis]) -> Said:
    """Return what a table says of each cell of a grid that is cut at least where it is."""
    said: Said = table.cells_of(table.criterion).astype(np.uint16) << np.uint16(8)
    said |= table.cells_of(table.disposition)
    own = {axis.name: at for at, axis in enumerate(table.axes)}
    for axis in axes:
        if axis.name in own:
            at = own[axis.name]
            said = said.take([_cell(table.axes[at], axis, cell) for cell in range(axis.size)], at)
    said = said.transpose([own[axis.name] for axis in axes if axis.name in own])
    missing = [at for at, axis in enumerate(axes) if axis.name not in own]
    return np.broadcast_to(np.expand_dims(said, missing), [axis.size for axis in axes])


def _cell(own: Any, axis: Any, cell: int) -> int:  # noqa: ANN401 - two axes of one kind
    """Return the cell of a table's own axis in which one of a finer axis lies."""
    inside = (axis.span(cell)[0],) * 2 if isinstance(axis, NumericAxis) else axis.classes[cell]
    return int(own.cells(inside)[0])


def _regions(
    axes: Sequence[Axis], one: Said, other: Said, nobody: NDArray[np.bool_]
) -> Iterator[Difference]:
    """Yield boxes that together hold each cell that differs once; all of a box says the same."""
    left = np.array((one != other) & ~nobody)
    said: Said = one.astype(np.uint32) << np.uint32(16) | other
    while left.any():
        first = tuple(map(int, np.unravel_index(int(left.argmax()), left.shape)))
        box = _grown(axes, first, partial(_is_alike, left, nobody, said, int(said[first])))
        cells = int(left[np.ix_(*box)].sum())
        left[np.ix_(*box)] = False
        yield Difference(
            where=tuple(
                _described(axis, cells)
                for axis, cells in zip(axes, box, strict=True)
                if len(cells) < axis.size
            ),
            criterion=(words_of(int(one[first]) >> 8), words_of(int(other[first]) >> 8)),
            possible=(words_of(int(one[first]) & _AFTER), words_of(int(other[first]) & _AFTER)),
            cells=cells,
        )


def _is_alike(
    left: NDArray[np.bool_],
    nobody: NDArray[np.bool_],
    said: Said,
    wanted: int,
    box: Sequence[list[int]],
) -> bool:
    """Whether all of a box that has a patient is left, and says one thing."""
    at = np.ix_(*box)
    return bool((nobody[at] | (left[at] & (said[at] == wanted))).all())


def _grown(
    axes: Sequence[Axis], first: tuple[int, ...], is_alike: Callable[[list[list[int]]], bool]
) -> list[list[int]]:
    """Return the box that a cell grows to: over facts and words first, over numbers last."""
    box = [[cell] for cell in first]
    for at, axis in reversed(list(enumerate(axes))):
        start = first[at]
        for way in (range(start + 1, axis.size), range(start - 1, -1, -1)):
            for cell in way:
                if is_alike([*box[:at], [cell], *box[at + 1 :]]):
                    box[at].append(cell)
                elif isinstance(axis, NumericAxis):
                    break  # an interval has no hole
    return [sorted(cells) for cells in box]


def _described(axis: Axis, cells: Sequence[int]) -> str:
    if isinstance(axis, NumericAxis):
        return axis.describe(cells[0], cells[-1])
    words = WordAxis(axis.name, tuple(axis.classes[cell] for cell in cells))
    return words.describe(0, len(cells) - 1)
