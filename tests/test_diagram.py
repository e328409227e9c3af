from dataclasses import replace

import pytest

from rlsiron import diagram
from rlsiron.compiler import compile_table
from rlsiron.diagram import State, diagrams
from rlsiron.errors import GuidelineError
from rlsiron.guideline import shipped
from rlsiron.table import NumericAxis, Table


def table() -> Table:
    return compile_table(shipped("kdigo-2026"))


def states(made: Table) -> dict[str, dict[int, State]]:
    """Return each cell of each axis, and all of them."""
    return {
        axis.name: {
            **{cell: State((cell,)) for cell in range(axis.size)},
            axis.size: State(tuple(range(axis.size)), frozenset({"drawn"})),
        }
        for axis in made.axes
    }


def said(made: Table, **told: int) -> tuple[str, ...]:
    """Return the words to which the look-ups lead."""
    words: list[str] = []
    for each in diagrams(made, states(made)):
        node = 0
        for step in each.lookups:
            for axis, base in zip(step.axes, step.radix, strict=True):
                node = node * base + told[axis]
            node = dict(step.rows)[node]
        words += each.words[node]
    return tuple(words)


def test_the_look_ups_lead_to_what_a_cell_says() -> None:
    """Hemodialysis with anemia, ferritin under 30, TSAT under 20: CK-3."""
    made = table()
    kidney = next(axis for axis in made.axes if axis.name == "kidney")
    (hemodialysis,) = kidney.cells(frozenset({"hemodialysis"}))
    told = {"ferritin": 0, "tsat": 0, "age": 1, "kidney": hemodialysis, "anemia": 1}
    assert said(made, **told) == ("iv-iron", "iv-iron", "give", "iv-iron", "", "CK-3")


def test_what_moves_an_open_axis_is_needed() -> None:
    made = table()
    size = next(a.size for a in made.axes if a.name == "tsat" and isinstance(a, NumericAxis))
    kidney = next(axis for axis in made.axes if axis.name == "kidney")
    (hemodialysis,) = kidney.cells(frozenset({"hemodialysis"}))
    told = {"ferritin": 0, "tsat": size, "age": 1, "kidney": hemodialysis, "anemia": 1}
    assert said(made, **told)[4] == "tsat drawn"


def test_too_many_combinations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "MOST_SLOTS", 100)
    with pytest.raises(GuidelineError, match="cases of a query; 100 at most"):
        diagrams(table(), states(table()))


def test_too_many_rules_are_refused() -> None:
    made = table()
    population = made.guideline.populations[0]
    many = replace(population, rules=population.rules * 30)
    large = replace(made, guideline=replace(made.guideline, populations=(many,)))
    with pytest.raises(GuidelineError, match="it has 90 rules; a query takes 57 at most"):
        diagrams(large, states(made))
