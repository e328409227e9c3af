"""Makes the decision of one guideline: what it says, what would settle it, and why."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any

from rlsiron.guideline import GIVES, TIERS, WITHHOLDS, Rule, safety
from rlsiron.models import (
    Agreement,
    AppliedRule,
    Decision,
    Iron,
    Nearest,
)
from rlsiron.table import Box, Cell, NumericAxis, Step, Table
from rlsiron.wording import fill, inputs, options, phrase, word

_REMEMBERED = 1 << 16  # kinds of patients of whom an answer is kept

Scenarios = Mapping[str, Sequence[Mapping[str, Any]]]
"""The situations that an input, if it were known, could make."""

INPUTS = ("ferritin", "tsat", "age", "sex", "pregnancy", "kidney")
"""The inputs that are axes, in the order in which `needs` names them; `crp` and `drawn` follow."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What a guideline says of a box: the same object for every patient in it.

    `said` is every field of a `Decision` but `nearest`, which depends on the values.
    """

    table: Table
    cell: Cell
    said: Mapping[str, Any]
    steps: tuple[Step, ...]


class Board:
    """The tables of some guidelines, and what they say of every kind of patient met so far.

    Patients in the same cells of every table share one answer, found by the cells alone.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tuple(tables)
        axes = {axis.name: axis for table in tables for axis in table.axes}
        self._edges = tuple(
            (name, tuple(sorted({edge for table in tables for edge in table.edges(name)})))
            for name, axis in axes.items()
            if isinstance(axis, NumericAxis)
        )
        self._words = tuple(name for name in axes if name not in dict(self._edges))
        self._met: dict[tuple[Any, ...], tuple[Verdict, ...]] = {}

    def verdicts(self, known: Mapping[str, Any], scenarios: Scenarios) -> tuple[Verdict, ...]:
        """Return what each guideline says of a patient.

        Parameters
        ----------
        known
            What remains possible on each axis.
        scenarios
            For an input that is no axis, the situations that it, if it were known, could make.
        """
        cells: list[Any] = [known[name] for name in self._words]
        for name, edges in self._edges:
            low, high = known[name]
            cells.append(bisect_right(edges, low))
            cells.append(bisect_right(edges, high))
        if scenarios:
            cells += [settling := self._settling(scenarios)]
        else:
            settling = ((),) * len(self.tables)
        kind = tuple(cells)
        verdicts = self._met.get(kind)
        if verdicts is None:
            verdicts = tuple(
                verdict(table, table.box(known), names)
                for table, names in zip(self.tables, settling, strict=True)
            )
            if len(self._met) >= _REMEMBERED:
                self._met.clear()
            self._met[kind] = verdicts
        return verdicts

    def _settling(self, scenarios: Scenarios) -> tuple[tuple[str, ...], ...]:
        """Return, for each table, the inputs of which two cases differ."""
        return tuple(
            tuple(
                name
                for name, cases in scenarios.items()
                if len({table.possible(table.box(case)) for case in cases}) > 1
            )
            for table in self.tables
        )


def verdict(table: Table, box: Box, settling: tuple[str, ...] = ()) -> Verdict:
    """Return what a guideline says of the cells that a patient may be in.

    Parameters
    ----------
    table
        The compiled guideline.
    box
        The cells that the patient may be in.
    settling
        Further inputs, that are no axes, known to settle it: ``crp``, ``drawn``.
    """
    cell = table.look_up(box)
    deciding = table.deciding(box)
    needs = tuple(name for name in INPUTS if name in deciding) + settling
    tiers = [rule.verified for rule in cell.rules]
    said = {
        "guideline": table.guideline.id,
        "criterion": _disposition(cell.criterion),
        "criterion_possible": cell.criterion,
        "criterion_iron": iron(cell.criterion),
        "disposition": _disposition(cell.possible),
        "possible": cell.possible,
        "iron": iron(cell.possible),
        "needs": needs,
        "rules": tuple(map(_applied, cell.rules)),
        "verified": max(tiers, key=TIERS.index) if tiers else None,
        "because": _because(table, cell, needs, deciding),
    }
    return Verdict(table, cell, said, table.steps(box))


def decide(reached: Verdict, known: Mapping[str, Any]) -> Decision:
    """Return the decision for a patient: a verdict, and the nearest limit."""
    return Decision.trusted(**reached.said, nearest=_nearest(reached.steps, known))


def _applied(rule: Rule) -> AppliedRule:
    return AppliedRule.trusted(
        id=rule.id,
        source=rule.source,
        says=rule.says,
        disposition=rule.disposition,
        strength=rule.strength,
        certainty=rule.certainty,
        verified=rule.verified,
    )


def _disposition(possible: tuple[str, ...]) -> str:
    return possible[0] if len(possible) == 1 else "indeterminate"


def iron(possible: tuple[str, ...]) -> Iron:
    """Return what all of some dispositions agree on.

    Examples
    --------
    >>> iron(("iv-iron", "oral-or-iv-iron")), iron(("iv-iron", "no-iron"))
    ('give', 'open')
    """
    members = set(possible)
    if members <= GIVES:
        return "give"
    if members <= WITHHOLDS:
        return "do-not-give"
    return "not-covered" if members == {"not-covered"} else "open"


def _nearest(steps: tuple[Step, ...], known: Mapping[str, Any]) -> Nearest | None:
    """Return the limit at the smallest relative distance; None where an analyte is no point."""
    nearest, smallest = None, inf
    for step in steps:
        low, high = known[step.axis]
        if low != high:
            return None
        distance = abs(low - step.limit) / step.limit
        if distance < smallest:
            nearest, smallest = step, distance
    if nearest is None:
        return None
    return Nearest.trusted(
        analyte=nearest.axis,
        limit=nearest.limit,
        unit=nearest.unit,
        distance=smallest,
        possible=nearest.possible,
    )


def _because(table: Table, cell: Cell, needs: Sequence[str], deciding: Sequence[str]) -> str:
    """Return the one sentence that says why a guideline answers as it does."""
    stopping = cell.stopped or cell.may_be_stopped
    filling: dict[str, object] = {
        "says": "; or ".join(rule.says for rule in cell.rules),
        "why": "; ".join(_whys(table, cell)),
        "stops": "; ".join(rule.says for rule in safety().rules if rule.id in stopping),
        "options": options(cell.possible),
        "criterion": options(cell.criterion),
        "needs": inputs(needs, "or"),
    }
    return _prefixed(fill(word("because", _reason(table, cell, needs, deciding)), filling), cell)


def _whys(table: Table, cell: Cell) -> list[str]:
    """Return why the source leaves a cell open, in its own rules and by its silence."""
    said = {disposition for rule in cell.rules for disposition in rule.disposition}
    return [rule.why for rule in cell.rules if rule.why] + [
        silence.says
        for silence in safety().silences
        if silence.on in table.guideline.silent_on
        and silence.adds in cell.criterion
        and silence.adds not in said
    ]


def _reason(table: Table, cell: Cell, needs: Sequence[str], deciding: Sequence[str]) -> str:
    if cell.possible == ("not-covered",):
        return "uncovered"
    if len(cell.possible) == 1:
        if cell.possible != cell.criterion:
            return "stopped" if cell.possible[0] == "withhold-iron" else "route-stopped"
        return "decided" if cell.rules else "emptied"
    if needs:
        return "needs"
    if deciding:
        return "unread"
    return "silent" if _whys(table, cell) else "opened"


def _prefixed(text: str, cell: Cell) -> str:
    """Return a text that says first where only unverified text gives iron."""
    giving = [rule for rule in cell.rules if not GIVES.isdisjoint(rule.disposition)]
    if giving and not GIVES.isdisjoint(cell.possible) and all(rule.hearsay for rule in giving):
        return phrase("unverified").format(text=text)
    return text


@lru_cache(maxsize=_REMEMBERED)
def agreement(verdicts: tuple[Verdict, ...]) -> Agreement:
    """Return whether the guidelines that cover the patient agree, and who says what.

    Where none covers the patient there is nothing to agree on: open.
    """
    covering = {
        verdict.table.guideline.id: verdict.cell.possible
        for verdict in verdicts
        if verdict.cell.possible != ("not-covered",)
    }
    sets = {frozenset(said) for said in covering.values()}
    if any(one.isdisjoint(other) for one in sets for other in sets):
        return Agreement.trusted(verdict="differ", possible=covering)
    return Agreement.trusted(verdict="agree" if len(sets) == 1 else "open", possible=covering)
