"""The kind of a row, as one number: what is told of each axis of a table is a digit of it."""

from collections.abc import Iterator, Mapping

from rlsiron.diagram import State, States
from rlsiron.facts import NO, OPEN, YES
from rlsiron.sql_rows import Rows, fact_name
from rlsiron.sql_terms import (
    Term,
    chosen,
    column,
    exp,
    is_one,
    meanings,
    movers,
    number,
    plain,
    reaches,
)
from rlsiron.table import Axis, NumericAxis, Table


class Kinds:
    """The kinds of rows that a table tells apart.

    Attributes
    ----------
    states
        What may be told of each axis, by the numbers that are its digits.
    """

    def __init__(self, table: Table, rows: Rows) -> None:
        self._rows = rows
        self._axes = table.axes
        own = table.guideline.parameters
        self._movers = {name: list(movers(fact, own)) for name, fact in rows.facts.items()}
        self.states: Mapping[str, States] = {
            axis.name: self._states_of(axis) for axis in table.axes
        }

    def number(self) -> Term:
        """Return the number of the kind of a row."""
        kind: Term = exp.cast(number(0), "bigint")
        for axis in self._axes:
            kind = exp.paren(kind * number(self._base(axis))) + exp.paren(self._place(axis))
        return kind

    def parted(self) -> Iterator[Term]:
        """Yield the state of each axis, of which the kind is made: its digits, from the last."""
        weight = 1
        for axis in reversed(self._axes):
            lower = exp.Mod(this=column("kind"), expression=number(weight))
            # without a remainder, so that whole and broken numbers give the same
            higher = exp.Div(this=exp.paren(column("kind") - lower), expression=number(weight))
            digit = exp.Mod(this=exp.cast(higher, "bigint"), expression=number(self._base(axis)))
            yield exp.alias_(digit, state_name(axis.name))
            weight *= self._base(axis)

    def _base(self, axis: Axis) -> int:
        """Return one more than the greatest number of a state."""
        return max(self.states[axis.name]) + 1

    def _place(self, axis: Axis) -> Term:
        name = axis.name
        if isinstance(axis, NumericAxis):
            low, high = (_cell(axis, column(f"{end}_{name}")) for end in ("low", "high"))
            place: Term = low * number(axis.size) + high
            if name != "age" and self._rows.is_hidden(name):
                return chosen([(column(f"undated_{name}"), number(axis.size**2))], place)
            return place
        if name in self._rows.facts:
            fact = column(fact_name(name))
            place = number(2)
            for bit, (_, moves) in enumerate(self._movers[name]):
                place = place + chosen([(moves, number(1 << bit))], number(0))
            no = exp.not_(fact.copy())
            return chosen([(fact, number(1)), (no, number(0))], place)
        numbers = {state.cells: at for at, state in self.states[name].items()}
        words: dict[int, list[str | None]] = {}
        for word, means in meanings(name).items():
            words.setdefault(numbers[axis.cells(means)], []).append(word)
        return chosen(
            (is_one(column(f"told_{name}"), told), number(at)) for at, told in words.items()
        )

    def _states_of(self, axis: Axis) -> States:
        cells = range(axis.size)
        if isinstance(axis, NumericAxis):
            runs = ((low, high) for low in cells for high in cells if low <= high)
            if axis.name == "age":  # told as a point, or not at all
                runs = (
                    (low, high) for low, high in runs if low == high or high - low + 1 == len(cells)
                )
            states = {
                low * axis.size + high: State(tuple(range(low, high + 1))) for low, high in runs
            }
            if self._rows.is_hidden(axis.name):
                states[axis.size**2] = State(tuple(cells), frozenset({"drawn"}))
            return states
        if axis.name in self._rows.facts:
            inputs = [name for name, _ in self._movers[axis.name]]
            states = {0: State(axis.cells(NO)), 1: State(axis.cells(YES))}
            for bits in range(1 << len(inputs)):
                moved = frozenset(name for at, name in enumerate(inputs) if bits >> at & 1)
                states[2 + bits] = State(axis.cells(OPEN), moved)
            return states
        reached = dict.fromkeys(axis.cells(means) for means in meanings(axis.name).values())
        return {at: State(each) for at, each in enumerate(reached)}


def _cell(axis: NumericAxis, value: Term) -> Term:
    """Return the number of the cell in which a value lies."""
    cuts = reversed(list(enumerate(axis.edges, 1)))
    return chosen(((reaches(value.copy(), edge), number(cell)) for cell, edge in cuts), number(0))


def state_name(axis: str) -> str:
    """Return the name of the column of the state of an axis."""
    return f"at_{plain(axis)}"
