"""Makes the decision of one guideline: what it says, what would settle it, and why."""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, nextafter
from typing import Any, NamedTuple, TypeVar, get_args

from rlsiron import units
from rlsiron.facts import asked, cuts
from rlsiron.grammar import GIVES, TIERS, WITHHOLDS
from rlsiron.guideline import Guideline, Rule, Silence, safety
from rlsiron.models import (
    Agreement,
    AppliedRule,
    Decision,
    Input,
    Iron,
    Nearest,
    Span,
    Status,
)
from rlsiron.patient import OLDEST
from rlsiron.table import (
    Border,
    Box,
    Cell,
    Grid,
    NumericAxis,
    StatusTable,
    Step,
    Table,
    WordAxis,
    spanned,
)
from rlsiron.wording import fill, listed, options, phrases, word

_REMEMBERED = 1 << 16  # kinds of patients of whom an answer is kept
_NUMBERED = 16  # numberings of kinds of which all answers are kept
ADOLESCENT = "adolescent"  # the note on a patient whom the tables for adults may suit
_GROWN = (float(OLDEST), float(OLDEST))  # an age that is an adult's by every source

_T = TypeVar("_T")
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


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The statements that hold for certain: the same object wherever the same rules do.

    `rules` are those behind the statements and the remarks, each with the file it stands in;
    `said` those on general iron status, as an answer shows them.
    """

    said: tuple[Status, ...]
    rules: tuple[tuple[Guideline, Rule], ...]


class Found(NamedTuple):
    """What is found of a kind of patient.

    `verdicts` are those of the guidelines, `standing` the statements that hold, `grown` of an
    adolescent the verdicts for the same results in an adult.
    """

    verdicts: tuple[Verdict, ...]
    standing: Standing
    grown: tuple[Verdict, ...]


class _Kinds:
    """Tells patients apart by the cells of some tables that they may be in."""

    def __init__(self, tables: Sequence[Grid]) -> None:
        axes = {axis.name: axis for table in tables for axis in table.axes}
        self._edges = tuple(
            (name, tuple(sorted({edge for table in tables for edge in table.edges(name)})))
            for name, axis in axes.items()
            if isinstance(axis, NumericAxis)
        )
        self._words = tuple(name for name in axes if name not in dict(self._edges))

    def of(self, known: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the kind of a patient: the same for the same cells of every table."""
        cells: list[Any] = [known[name] for name in self._words]
        for name, edges in self._edges:
            low, high = known[name]
            cells.append(bisect_right(edges, low))
            cells.append(bisect_right(edges, high))
        return tuple(cells)


def _remember(met: dict[Any, Any], kind: object, answer: _T, most: int = _REMEMBERED) -> _T:
    if len(met) >= most:
        met.clear()
    met[kind] = answer
    return answer


class StatusBoard:
    """The tables of statements, and what they said so far."""

    def __init__(self, tables: Sequence[StatusTable] = ()) -> None:
        self.tables = tuple(tables)
        self._met: dict[tuple[tuple[Rule, ...], ...], Standing] = {}

    def standing(self, known: Mapping[str, Any]) -> Standing:
        """Return the statements that hold for certain of a patient.

        Parameters
        ----------
        known
            What remains possible on each axis.
        """
        holding = tuple(table.holding(table.box(known)) for table in self.tables)
        standing = self._met.get(holding)
        if standing is None:
            rules = tuple(
                (table.guideline, rule)
                for table, held in zip(self.tables, holding, strict=True)
                for rule in held
            )
            said = [_status(file.about, rule) for file, rule in rules if file.purpose == "status"]
            standing = Standing(tuple(said), rules)
            self._met[holding] = standing
        return standing


def _status(purpose: str, rule: Rule) -> Status:
    return Status.trusted(
        source=rule.source, rule=rule.id, purpose=purpose, says=rule.says, verified=rule.verified
    )


class Board:
    """The tables of some guidelines, and what they say of every kind of patient met so far.

    Patients in the same cells of every table share one answer, found by the cells alone; the cells
    of the statements, which are finer, are told apart on top of these.
    """

    def __init__(self, tables: Sequence[Table], status: StatusBoard | None = None) -> None:
        self.tables = tuple(tables)
        own = dict.fromkeys(table.guideline.parameters for table in self.tables)
        self.parameters = tuple(each for each in own if each)
        axes = [axis.name for table in self.tables for axis in table.axes]
        reached = asked(axes, self.parameters) - {"crp"}  # without a CRP nothing stays open
        self.asked = tuple(name for name in (*INPUTS, *phrases("beyond")) if name in reached)
        self._status = status or StatusBoard()
        self._kinds = _Kinds(self.tables)
        self._finer = _Kinds((*self.tables, *self._status.tables))
        self._met: dict[tuple[Any, ...], tuple[Verdict, ...]] = {}
        self._answered: dict[tuple[Any, ...], Found] = {}
        self.remembered: dict[Hashable, Any] = {}
        self.numbered: dict[Hashable, Any] = {}

    def remember(self, key: Hashable, said: _T) -> _T:
        """Keep what is said of rows that share a key, for the next table of draws."""
        return _remember(self.remembered, key, said)

    def remember_numbered(self, meaning: Hashable, said: object) -> None:
        """Keep what is said of each number of a kind, for the next table numbered alike."""
        _remember(self.numbered, meaning, said, _NUMBERED)

    def answer(self, known: Mapping[str, Any], moved: Moved = ()) -> Found:
        """Return what each guideline says of a patient, and what statements hold.

        Parameters
        ----------
        known, moved
            As for `verdicts`.
        """
        kind = (moved, self._finer.of(known))
        answer = self._answered.get(kind)
        if answer is None:
            verdicts, standing = self.verdicts(known, moved), self._status.standing(known)
            young = any(rule.note == ADOLESCENT for _, rule in standing.rules)
            grown = self.verdicts({**known, "age": _GROWN}, moved) if young else verdicts
            answer = Found(verdicts, standing, grown)
            _remember(self._answered, kind, answer)
        return answer

    def cuts(self, name: str) -> tuple[float, ...]:
        """Return the values of an input at which an answer may change, in any of the tables."""
        tables = (*self.tables, *self._status.tables)
        edges = {edge for table in tables for edge in table.edges(name)}
        return tuple(sorted(edges.union(cuts(name, self.parameters))))

    def fine_cuts(self, name: str) -> tuple[float, ...]:
        """Return these, and the ends of where the variation spans a limit of a guideline."""
        spans = [
            span
            for table in self.tables
            for edge in table.edges(name)
            if (span := spanned(name, units.settle(edge)))
        ]
        ends = {end for low, high in spans for end in (low, nextafter(high, inf))}
        return tuple(sorted(ends.union(self.cuts(name))))

    def verdicts(self, known: Mapping[str, Any], moved: Moved = ()) -> tuple[Verdict, ...]:
        """Return what each guideline says of a patient.

        Parameters
        ----------
        known
            What remains possible on each axis.
        moved
            For inputs that are no axes and not known, the axes that they would move.
        """
        kind = (moved, self._kinds.of(known))
        verdicts = self._met.get(kind)
        if verdicts is None:
            verdicts = tuple(verdict(table, table.box(known), moved) for table in self.tables)
            _remember(self._met, kind, verdicts)
        return verdicts


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
