"""The finite table that a guideline compiles to, and how a patient is looked up in it.

The limits of the rules, and of the safety layer over them, cut each axis into cells. Every
combination of cells has a set of dispositions before and after safety, and the set of rules that
decide it, as bits. A known value is one cell of its axis, a bound a run of cells, a missing value
all of them: the answer is the union. The union over the whole of an axis stands in an extra slot
at its end, so that a missing value is one more index.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from math import inf, nextafter, prod
from operator import and_, or_
from typing import TYPE_CHECKING, Any, NamedTuple

from rlsiron import units
from rlsiron.grammar import DISPOSITIONS, Allowed
from rlsiron.guideline import Guideline, Rule
from rlsiron.models import Span
from rlsiron.units import settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]

Situation = Mapping[str, Allowed]
"""What remains possible of a patient on each axis: an interval, or a set of words or of yes/no."""

Box = tuple[tuple[int, ...], ...]
"""The cells still possible on each axis of a table."""

BIT = {word: 1 << place for place, word in enumerate(DISPOSITIONS)}
"""A set of dispositions is a sum of these."""


@dataclass(frozen=True)
class NumericAxis:
    """An axis cut at its `edges`: a cell runs from one up to, not including, the next."""

    name: str
    edges: tuple[float, ...]
    unit: str = ""
    most: float = inf

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.edges) + 1

    def cells(self, possible: Any) -> tuple[int, ...]:  # noqa: ANN401 - a Span by its name
        """Return the cells that an interval reaches."""
        low, high = possible
        first, last = bisect_right(self.edges, low), bisect_right(self.edges, high)
        return (first,) if first == last else tuple(range(first, last + 1))

    def span(self, cell: int) -> Span:
        """Return a cell as an interval closed at both ends."""
        low = self.edges[cell - 1] if cell else 0.0
        return low, nextafter(self.edges[cell], -inf) if cell < len(self.edges) else self.most

    def limit_before(self, cell: int, *, upward: bool) -> float:
        """Return the printed limit that is crossed on the way up, or down, into a cell."""
        return settle(self.edges[cell - 1 if upward else cell])

    def describe(self, first: int, last: int) -> str:
        """Return a run of cells as its printed limits, in the canonical unit."""
        low, high = self.span(first)[0], self.span(last)[1]
        least, most = settle(low), settle(high)
        opening, closing = "[" if low == least else "(", "]" if high == most < inf else ")"
        return f"{self.name} in {opening}{least:.12g}, {most:.12g}{closing} {self.unit}".rstrip()


@dataclass(frozen=True)
class WordAxis:
    """An axis of words, or of no and yes; words that no rule tells apart share a cell."""

    name: str
    classes: tuple[frozenset[Any], ...]
    _reached: dict[frozenset[Any], tuple[int, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.classes)

    def cells(self, possible: Any) -> tuple[int, ...]:  # noqa: ANN401 - a set of words by its name
        """Return the cells that a set of words reaches."""
        cells = self._reached.get(possible)
        if cells is None:
            cells = tuple(
                cell for cell, words in enumerate(self.classes) if not words.isdisjoint(possible)
            )
            self._reached[possible] = cells
        return cells

    def describe(self, first: int, last: int) -> str:
        """Return a run of cells as its words."""
        words = sorted(str(word) for words in self.classes[first : last + 1] for word in words)
        return f"{self.name} {' or '.join(words)}"


Axis = NumericAxis | WordAxis


class Cell(NamedTuple):
    """What a table says of a box: before safety, after it, by which rules, and what stops."""

    criterion: tuple[str, ...]
    possible: tuple[str, ...]
    rules: tuple[Rule, ...]
    stopped: frozenset[str]
    may_be_stopped: frozenset[str]
    emptied: bool = False
    """Whether no rule is left in some of it, since strict leaves the ones there out."""


class Border(NamedTuple):
    """Up to and from which value of an analyte the variation spans some limit."""

    analyte: str
    below: float
    above: float


class Step(NamedTuple):
    """The nearest limit to one side beyond which the dispositions differ.

    `border` tells from where on this side of it the within-person variation spans it.
    """

    axis: str
    limit: float
    unit: str
    possible: tuple[str, ...]
    border: Border


@dataclass(frozen=True, eq=False)
class Grid:
    """What a file says, one slot for each combination of cells."""

    guideline: Guideline
    axes: tuple[Axis, ...]

    @property
    def cells(self) -> int:
        """The number of cells."""
        return prod(axis.size for axis in self.axes)

    def box(self, situation: Situation) -> Box:
        """Return the cells that a patient may be in."""
        return tuple([axis.cells(situation[axis.name]) for axis in self.axes])

    def edges(self, name: str) -> tuple[float, ...]:
        """Return the cuts of a numeric axis; none of one that the table does not have."""
        numeric = (axis for axis in self.axes if isinstance(axis, NumericAxis))
        return next((axis.edges for axis in numeric if axis.name == name), ())

    def cells_of(self, bits: "NDArray[Any]") -> "NDArray[Any]":
        """Return an array of a table without its unions."""
        return bits[tuple(slice(axis.size) for axis in self.axes)]

    def _at(self, bits: "NDArray[Any]", box: Box) -> Iterator[int]:
        slots = [
            (axis.size,) if len(cells) == axis.size else cells
            for axis, cells in zip(self.axes, box, strict=True)
        ]
        return (bits.item(at) for at in product(*slots))


@dataclass(frozen=True, eq=False)
class StatusTable(Grid):
    """A file on general iron status: of each slot, the rules that hold in all of its cells."""

    always: "NDArray[np.unsignedinteger[Any]]"

    def holding(self, box: Box) -> tuple[Rule, ...]:
        """Return the rules that hold for certain: in every cell of a box."""
        always = reduce(and_, self._at(self.always, box))
        return tuple(rule for at, rule in enumerate(self.guideline.rules) if always >> at & 1)


@dataclass(frozen=True, eq=False)
class Table(Grid):
    """A guideline and the safety layer over it, one slot for each combination of cells.

    `criterion`, `disposition`, `rules`, `emptied`, `stops` and `always_stops` have an axis for each
    of `axes`, and on each one slot more than cells: the last is the union (of `always_stops`, what
    all of the cells share).
    """

    strict: bool
    criterion: "Bits"
    disposition: "Bits"
    rules: "NDArray[np.unsignedinteger[Any]]"
    emptied: "NDArray[np.bool_]"
    stops: "Bits"
    always_stops: "Bits"
    safety_ids: tuple[str, ...]

    def _union(self, bits: "NDArray[Any]", box: Box) -> int:
        return reduce(or_, self._at(bits, box))

    def look_up(self, box: Box) -> Cell:
        """Return what the table says of a box."""
        rules = self._union(self.rules, box)
        stops = self._union(self.stops, box)
        always = reduce(and_, self._at(self.always_stops, box))
        return Cell(
            criterion=words_of(self._union(self.criterion, box)),
            possible=words_of(self._union(self.disposition, box)),
            rules=tuple(rule for at, rule in enumerate(self.guideline.rules) if rules >> at & 1),
            stopped=frozenset(id_ for at, id_ in enumerate(self.safety_ids) if always >> at & 1),
            may_be_stopped=frozenset(
                id_ for at, id_ in enumerate(self.safety_ids) if stops >> at & 1
            ),
            emptied=bool(self._union(self.emptied, box)),
        )

    def possible(self, box: Box) -> int:
        """Return the dispositions after safety, as bits."""
        return self._union(self.disposition, box)

    def deciding(self, box: Box) -> tuple[str, ...]:
        """Return the axes on which two cells, all else held, give different sets."""
        cells = self.disposition
        for at, within in enumerate(box):
            cells = cells.take(within, axis=at)
        return tuple(
            axis.name
            for at, axis in enumerate(self.axes)
            if cells.shape[at] > 1 and (cells != cells.take([0], axis=at)).any()
        )

    def steps(self, box: Box) -> tuple[Step, ...]:
        """Return the nearest limits, up and down each analyte, beyond which the union differs.

        An axis with more than one cell in the box has none.
        """
        here = self.possible(box)
        steps = []
        for at, axis in enumerate(self.axes):
            if not isinstance(axis, NumericAxis) or axis.name not in units.analytes():
                continue
            (cell, *others) = box[at]
            for beyond in (range(cell + 1, axis.size), range(cell - 1, -1, -1)):
                there = (
                    (other, said)
                    for other in beyond
                    if (said := self.possible((*box[:at], (other,), *box[at + 1 :]))) != here
                )
                found = None if others else next(there, None)
                # what is near to zero is not near by a share of it
                if found and (limit := axis.limit_before(found[0], upward=found[0] > cell)) > 0:
                    steps.append(_step(axis, limit, found[1], upward=found[0] > cell))
        return tuple(steps)


def _step(axis: NumericAxis, limit: float, there: int, *, upward: bool) -> Step:
    low, high = spanned(axis.name, limit) or (inf, -inf)
    border = Border(axis.name, *((-inf, low) if upward else (high, inf)))
    return Step(axis.name, limit, axis.unit, words_of(there), border)


def spanned(name: str, limit: float) -> Span | None:
    """Return the values about a limit that the within-person variation of an analyte spans."""
    known = units.analytes().get(name)
    if known is None or known.variation is None:
        return None
    share = known.variation.percent / 100
    return settle(limit * (1 - share)), settle(limit * (1 + share))


def words_of(bits: int) -> tuple[str, ...]:
    """Return a set of dispositions, in the order of the vocabulary."""
    return tuple(word for word, bit in BIT.items() if bits & bit)
