"""Makes the decision of one guideline: what it says, what would settle it, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any, NamedTuple, get_args

from rlsiron import units
from rlsiron.grammar import GIVES, TIERS, WITHHOLDS
from rlsiron.guideline import Rule, Silence, safety
from rlsiron.models import (
    Agreement,
    AppliedRule,
    Decision,
    Input,
    Iron,
    Nearest,
    Span,
)
from rlsiron.table import (
    Border,
    Box,
    Cell,
    Step,
    Table,
    WordAxis,
)
from rlsiron.wording import fill, listed, options, phrases, word

_REMEMBERED = 1 << 16  # sets of verdicts of which something is kept

_KINDS = {True: "input", False: "beyond"}
_Open = tuple[tuple[str, ...], frozenset[str]]
Moved = tuple[tuple[str, frozenset[str]], ...]
"""Inputs that reach the tables through facts and windows only, and the axes that each moves."""

INPUTS: tuple[str, ...] = get_args(Input)
"""What `needs` can name, in its order."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What a guideline says of a box: the same object for every patient in it.

    `said` is every field of a `Decision` but `nearest`, which depends on the values of the analytes
    `measured` and the limits of `steps`; `fixed` tells whether the box is one cell.
    """

    table: Table
    cell: Cell
    reason: str
    said: Mapping[str, Any]
    measured: tuple[str, ...]
    steps: tuple[Step, ...]
    fixed: bool


def verdict(table: Table, box: Box, moved: Moved = ()) -> Verdict:
    """Return what a guideline says of the cells that a patient may be in.

    Parameters
    ----------
    table
        The compiled guideline.
    box
        The cells that the patient may be in.
    moved
        For inputs that are no axes and not known, the axes that they would move.
    """
    cell = table.look_up(box)
    deciding = table.deciding(box)
    settling = dict.fromkeys(
        [*deciding, *(n for n, axes in moved if not axes.isdisjoint(deciding))]
    )
    needs = tuple(name for name in INPUTS if name in settling)
    beyond = tuple(name for name in settling if name in phrases("beyond"))
    reason = _reason(table, cell, needs + beyond, (deciding, _rls(table, box)))
    rules = applied(table, cell)
    tiers = [rule.verified for rule in rules]
    said = {
        "guideline": table.guideline.id,
        "criterion": disposition_of(cell.criterion),
        "criterion_possible": cell.criterion,
        "criterion_iron": iron(cell.criterion),
        "disposition": disposition_of(cell.possible),
        "possible": cell.possible,
        "iron": iron(cell.possible),
        "needs": needs,
        "rules": rules,
        "verified": max(tiers, key=TIERS.index) if tiers else None,
        "because": _because(table, cell, needs + beyond, reason),
    }
    measured = tuple(axis.name for axis in table.axes if axis.name in units.analytes())
    fixed = all(len(cells) == 1 for cells in box)
    return Verdict(table, cell, reason, said, measured, table.steps(box), fixed)


def decide(reached: Verdict, known: Mapping[str, Any]) -> Decision:
    """Return the decision for a patient: a verdict, and the nearest limit."""
    return Decision.trusted(**reached.said, nearest=_nearest(reached, known))


def applied(table: Table, cell: Cell) -> tuple[AppliedRule, ...]:
    """Return the rules that decide a cell, and what opens it where the source is silent."""
    return (*map(_applied, cell.rules), *map(_silent, _silences(table, cell)))


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


def disposition_of(possible: tuple[str, ...]) -> str:
    """Return the one disposition that remains, or that it is not determined.

    Examples
    --------
    >>> disposition_of(("no-iron",)), disposition_of(("iv-iron", "no-iron"))
    ('no-iron', 'indeterminate')
    """
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


def _nearest(reached: Verdict, known: Mapping[str, Any]) -> Nearest | None:
    """Return the limit at the smallest relative distance; None where an axis is no point."""
    if not reached.fixed:
        return None
    for name in reached.measured:
        low, high = known[name]
        if low != high:
            return None
    nearest, smallest = None, inf
    for step in reached.steps:
        distance = distance_from(step.limit, known[step.axis][0])
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


def distance_from(limit: float, value: float) -> float:
    """Return how far a value is from a limit, as a share of it."""
    return abs(value - limit) / limit


class Near(NamedTuple):
    """A limit that a point is so near to that the within-person variation spans it."""

    distance: float
    step: Step
    verdict: Verdict


Borders = tuple[Border, ...]


@lru_cache(maxsize=_REMEMBERED)
def borders(verdicts: tuple[Verdict, ...]) -> Borders:
    """Return for each analyte where the variation spans a limit beyond which it differs."""
    ends: dict[str, tuple[float, float]] = {}
    for verdict in verdicts:
        for step in verdict.steps:
            below, above = ends.get(step.axis, (-inf, inf))
            ends[step.axis] = max(below, step.border.below), min(above, step.border.above)
    return tuple(Border(name, below, above) for name, (below, above) in ends.items())


def reaches(span: Span, border: Border) -> bool:
    """Whether an interval is a point on which the variation about some limit reaches."""
    low, high = span
    return low == high and (low <= border.below or low >= border.above)


def nearest_limit(verdicts: tuple[Verdict, ...], known: Mapping[str, Any]) -> Near | None:
    """Return the nearest limit that the variation spans and beyond which it differs."""
    if not any(reaches(known[border.analyte], border) for border in borders(verdicts)):
        return None
    near = [
        Near(distance_from(step.limit, known[step.axis][0]), step, verdict)
        for verdict in verdicts
        for step in verdict.steps
        if reaches(known[step.axis], step.border)
    ]
    return min(near, key=lambda one: one.distance)


def _because(table: Table, cell: Cell, needs: Sequence[str], reason: str) -> str:
    """Return the one sentence that says why a guideline answers as it does."""
    speaking = cell.stopped or cell.may_be_stopped
    layer = [rule for rule in safety(table.guideline.parameters).rules if rule.id in speaking]
    filling: dict[str, object] = {
        "says": "; or ".join(rule.says for rule in cell.rules),
        "why": "; ".join(whys(table, cell)),
        "stops": "; ".join(rule.says for rule in layer if rule.stops),
        "opens": "; ".join(rule.says for rule in layer if rule.opens),
        "options": options(cell.possible),
        "criterion": options(cell.criterion),
        "needs": listed([word(_KINDS[name in INPUTS], name) for name in needs], "and"),
    }
    return fill(word("because", reason), filling)


def _silences(table: Table, cell: Cell) -> list[Silence]:
    """Return the silences of a source that open a cell."""
    said = {disposition for rule in cell.rules for disposition in rule.disposition}
    return [
        silence
        for silence in safety().silences
        if silence.on in table.guideline.silent_on
        and silence.adds in cell.criterion
        and silence.adds not in said
    ]


def _silent(silence: Silence) -> AppliedRule:
    return AppliedRule.trusted(
        id=silence.id,
        source=silence.sources[0],
        says=silence.says,
        disposition=(silence.only, silence.adds),
        strength="",
        certainty="",
        verified=silence.verified,
    )


def whys(table: Table, cell: Cell) -> list[str]:
    """Return why the source leaves a cell open, in its own rules and by its silence."""
    whys = [rule.why for rule in cell.rules if rule.why]
    return whys + [silence.says for silence in _silences(table, cell)]


def _rls(table: Table, box: Box) -> frozenset[str]:
    """Return what RLS may be, where the table asks for it."""
    for axis, cells in zip(table.axes, box, strict=True):
        if isinstance(axis, WordAxis) and axis.name == "rls":
            return frozenset().union(*(axis.classes[cell] for cell in cells))
    return frozenset()


def _reason(table: Table, cell: Cell, needs: Sequence[str], open_: _Open) -> str:
    """Return the kind of the one sentence that says why."""
    deciding, rls = open_
    if cell.possible == ("not-covered",):
        return "unconfirmed" if rls and "confirmed" not in rls else "uncovered"
    if table.strict and _withheld_with_all_rules(table, cell):
        return "strict-stopped"
    if len(cell.possible) == 1 and cell.possible != cell.criterion:
        return "stopped" if cell.possible[0] == "withhold-iron" else "route-stopped"
    if len(cell.possible) == 1:
        return "emptied" if cell.emptied else "decided"
    if needs or deciding:
        unsaid = "maybe-unconfirmed" if deciding == ("rls",) else "unread"
        return "needs" if needs else unsaid
    silent = "silent" if cell.possible == cell.criterion else "silent-stopped"
    return silent if whys(table, cell) else "opened"


def _withheld_with_all_rules(table: Table, cell: Cell) -> bool:
    """Whether verified rules give a route that nothing stops, and all rules together give none."""
    layer = safety(table.guideline.parameters).rules
    both = any(rule.id in cell.may_be_stopped and len(rule.stops) > 1 for rule in layer)
    oral = not (GIVES - {"iv-iron"}).isdisjoint(cell.criterion)
    return oral and not both and GIVES.isdisjoint(cell.possible)


def on_hearsay(cell: Cell) -> bool:
    """Whether only unverified text gives the iron that a cell gives."""
    giving = [rule for rule in cell.rules if not GIVES.isdisjoint(rule.disposition)]
    given = not GIVES.isdisjoint(cell.possible)
    return given and bool(giving) and all(rule.hearsay for rule in giving)


def agreement(verdicts: tuple[Verdict, ...]) -> Agreement:
    """Return whether the guidelines that cover the patient agree, and who says what.

    Only guidelines for RLS are asked. Where none covers the patient there is nothing to agree on:
    open.
    """
    verdict, covering = _agreed(verdicts)
    return Agreement.trusted(verdict=verdict, possible=dict(covering))


@lru_cache(maxsize=_REMEMBERED)
def _agreed(verdicts: tuple[Verdict, ...]) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    covering = {
        verdict.table.guideline.id: verdict.cell.possible
        for verdict in verdicts
        if verdict.cell.possible != ("not-covered",)
        and verdict.table.guideline.purpose == safety().purpose
    }
    sets = {frozenset(said) for said in covering.values()}
    if any(one.isdisjoint(other) for one in sets for other in sets):
        return "differ", covering
    return "agree" if len(sets) == 1 else "open", covering
