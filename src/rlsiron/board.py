"""Keeps the tables of some guidelines, and what they said of each kind of patient met so far."""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, nextafter
from typing import Any, NamedTuple, TypeVar

from rlsiron import units
from rlsiron.decision import INPUTS, Moved, Verdict, verdict
from rlsiron.facts import asked, cuts
from rlsiron.guideline import Guideline, Rule
from rlsiron.models import Status
from rlsiron.patient import OLDEST
from rlsiron.table import Grid, NumericAxis, StatusTable, Table, spanned
from rlsiron.wording import phrases

_REMEMBERED = 1 << 16  # kinds of patients of whom an answer is kept
_NUMBERED = 16  # numberings of kinds of which all answers are kept
ADOLESCENT = "adolescent"  # the note on a patient whom the tables for adults may suit
_GROWN = (float(OLDEST), float(OLDEST))  # an age that is an adult's by every source

_T = TypeVar("_T")


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
