"""What is told of a row, as the steps of a query: from its columns to numbers, words and facts."""

from collections.abc import Iterator
from typing import NamedTuple

from rlsiron import units
from rlsiron.grammar import vocabulary
from rlsiron.guideline import facts, windows
from rlsiron.patient import EVENTS, OLDEST
from rlsiron.sql_terms import (
    INWARD,
    UNREAD,
    Term,
    among,
    chosen,
    column,
    contradictions,
    either,
    exp,
    fact_term,
    hides,
    is_one,
    is_told,
    meanings,
    number,
    plain,
    read_conditions,
    read_days,
    read_number,
    read_word,
    string,
)
from rlsiron.table import Table

_BEYOND = 2 * units.LARGEST  # stands for no upper end

Terms = dict[str, Term]


class Column(NamedTuple):
    """A column that a query reads: its name, and what it holds."""

    name: str
    holds: str


class Rows:
    """What the query of a table reads of each row.

    Attributes
    ----------
    facts
        Those that are axes of the table, by their names.
    """

    def __init__(self, table: Table, dialect: str) -> None:
        self._dialect = dialect
        made = {fact.name: fact for fact in facts(table.guideline.parameters).values()}
        names = [axis.name for axis in table.axes]
        self.facts = {name: made[name] for name in names if name in made}
        limbs = {name for fact in self.facts.values() for way in fact.any for name, _ in way}
        asked = {*names, *limbs}
        self._analytes = [name for name in units.analytes() if name in asked]
        self._windows = [window for window in windows() if not asked.isdisjoint(window.hides)]
        events = {window.after for window in self._windows} | asked
        self._events = [name for name in EVENTS if name in events]
        for one, _, other, _ in contradictions():  # neither is read without the other
            asked |= {one, other} if not asked.isdisjoint({one, other}) else set()
        words = (*vocabulary(), "rapid_response_wanted", "inflammation")
        self._words = [name for name in words if name in asked and name != "conditions"]
        self._conditions = "conditions" in asked
        self._age = "age" in asked

    def columns(self) -> Iterator[Column]:
        """Yield the columns that are read."""
        for name in self._analytes:
            unit = units.analyte(name).unit
            low, high, bound = _columns_of(name)
            yield Column(low, f"{name} [{unit}]: the value, or the lower end of an interval")
            yield Column(high, "the same value, or the upper end; NULL where there is none")
            yield Column(bound, "the comparator of a bound: '<', '<=', '>', '>='; else '' or NULL")
        if self._age:
            yield Column("age", f"years, 0 to {OLDEST}")
        for name in self._words:
            words = [word for word in meanings(name) if word not in {None, UNREAD}]
            yield Column(name, ", ".join(map(str, words)) if name in vocabulary() else "a boolean")
        if self._conditions:
            yield Column("conditions", "codes, joined by one space")
        for name in self._events:
            yield Column(name, "of any type: NULL where there was none")
            yield Column(f"{name}_days", "days from it to the draw; NULL where that is not known")

    def steps(self) -> Iterator[tuple[str, Terms]]:
        """Yield the steps in order, each with the columns that it adds to those before."""
        steps = (self._told, self._read, self._dated, self._seen, self._ends, self._made)
        for step in steps:
            yield step.__name__.strip("_"), step()

    def _told(self) -> Terms:
        """Return what is told, cell by cell: numbers on the grid, and words that are known."""
        terms: Terms = {}
        for name in self._analytes:
            low, high, bound = map(column, _columns_of(name))
            terms[f"from_{name}"] = read_number(low, dialect=self._dialect)
            terms[f"to_{name}"] = read_number(high, dialect=self._dialect)
            terms[f"bound_{name}"] = exp.func("COALESCE", exp.cast(bound, "text"), string(""))
        if self._age:
            age = read_days(column("age"), dialect=self._dialect)
            terms["told_age"] = age
        terms |= {f"told_{name}": read_word(name) for name in self._words}
        if self._conditions:
            terms |= dict(read_conditions())
        for name in self._events:
            terms[f"is_{name}"] = is_told(column(name))
            terms[f"since_{name}"] = read_days(column(f"{name}_days"), dialect=self._dialect)
        return terms

    def _read(self) -> Terms:
        """Return which results are an interval, and whether a date contradicts the draw's."""
        terms: Terms = {f"given_{name}": _is_interval(name) for name in self._analytes}
        after = [_is_negative(name) for name in self._events]
        terms["clash"] = either(*after)
        if self._age:
            told = column("told_age")
            known = exp.and_(told.copy() >= number(0), told.copy() <= number(OLDEST))
            terms["unknown_age"] = exp.not_(exp.func("COALESCE", known, exp.false()))
        return terms

    def _dated(self) -> Terms:
        """Return of each event whether it was, whether it is dated, and how long ago it was."""
        terms: Terms = {}
        earlier: list[Term] = []
        for name in self._events:
            clash, since = column("clash"), column(f"since_{name}")
            given = exp.or_(column(f"is_{name}"), is_told(since))
            unread = exp.and_(_is_negative(name), *(exp.not_(each.copy()) for each in earlier))
            dated = exp.and_(is_told(since), exp.not_(clash.copy()))
            terms[f"given_{name}"] = given
            terms[f"unread_{name}"] = unread
            terms[f"undated_{name}"] = exp.and_(
                given.copy(), exp.not_(exp.paren(unread.copy())), exp.not_(exp.paren(dated))
            )
            terms[f"days_{name}"] = chosen([(exp.not_(clash.copy()), since.copy())])
            earlier.append(_is_negative(name))
        return terms

    def _seen(self) -> Terms:
        """Return which results must not be read, and whether a date of the draw could end that."""
        terms: Terms = {}
        for name in self._analytes:
            hiding = [window for window in self._windows if name in window.hides]
            if hiding:
                surely = either(*(hides(window) for window in hiding))
                perhaps = either(*(column(f"undated_{window.after}") for window in hiding))
                terms[f"hidden_{name}"] = exp.or_(surely, perhaps)
                terms[f"undated_{name}"] = exp.and_(
                    column(f"given_{name}"), perhaps.copy(), exp.not_(exp.paren(surely.copy()))
                )
        return terms

    def is_hidden(self, name: str) -> bool:
        """Whether there is what may hide a result."""
        return any(name in window.hides for window in self._windows)

    def _ends(self) -> Terms:
        """Return the ends of what is known of each number; an open end half a step inward."""
        terms: Terms = {}
        for name in self._analytes:
            seen = column(f"given_{name}")
            if self.is_hidden(name):
                seen = exp.and_(seen, exp.not_(column(f"hidden_{name}")))
            bound, inward = column(f"bound_{name}"), number(INWARD)
            low, high = column(f"from_{name}"), column(f"to_{name}")
            least = exp.func("COALESCE", low, number(0.0)) + chosen(
                [(bound.eq(">"), inward)], number(0.0)
            )
            most = exp.func("COALESCE", high, number(_BEYOND)) - chosen(
                [(bound.copy().eq("<"), inward.copy())], number(0.0)
            )
            terms[f"low_{name}"] = chosen([(seen, least)], number(0.0))
            terms[f"high_{name}"] = chosen([(seen.copy(), most)], number(_BEYOND))
        if self._age:
            told, unknown = column("told_age"), column("unknown_age")
            terms["low_age"] = chosen([(unknown, number(0.0))], told)
            terms["high_age"] = chosen([(unknown.copy(), number(float(OLDEST)))], told.copy())
        return terms

    def _made(self) -> Terms:
        """Return the facts."""
        return {fact_name(name): fact_term(fact) for name, fact in self.facts.items()}

    def unread(self) -> Term:
        """Return the names of what holds something that cannot be read."""
        faults: list[tuple[str, Term]] = []
        for name in self._analytes:
            ends = exp.or_(is_told(column(f"from_{name}")), is_told(column(f"to_{name}")))
            faults.append((name, exp.and_(ends, exp.not_(column(f"given_{name}")))))
        if self._age:
            told = is_told(column("told_age"))
            faults.append(("age", exp.and_(told, column("unknown_age"))))
        faults += [(n, is_one(column(f"told_{n}"), [UNREAD])) for n in self._words]
        if self._conditions:
            faults.append(("conditions", column("unknown_conditions")))
        faults += [(name, column(f"unread_{name}")) for name in self._events]
        names: Term = string("")
        for name, fault in faults:
            told = chosen([(fault.copy(), string(f"{name} "))], string(""))
            names = exp.DPipe(this=names, expression=told)
        some = exp.or_(*(fault for _, fault in faults))
        return chosen([(some, exp.func("RTRIM", names))], string(""))


def _columns_of(name: str) -> tuple[str, str, str]:
    """Return the names of the columns of an analyte, as `interpret_frame` gives them."""
    unit = units.analyte(name).unit.lower().replace("%", "pct").replace("/", "_")
    return f"{name}_low_{unit}", f"{name}_high_{unit}", f"{name}_bound"


def _is_negative(event: str) -> Term:
    return exp.func("COALESCE", column(f"since_{event}") < number(0), exp.false())


def _is_interval(name: str) -> Term:
    """Return whether the columns of an analyte say an interval of what it can be."""
    known = units.analyte(name)
    most = known.maximum.value if known.maximum else units.LARGEST
    low, high, bound = column(f"from_{name}"), column(f"to_{name}"), column(f"bound_{name}")
    within = [
        exp.func("COALESCE", exp.and_(e.copy() >= number(0), e.copy() <= number(most)), exp.true())
        for e in (low, high)
    ]
    least = exp.func("COALESCE", low.copy(), number(0))
    greatest = exp.func("COALESCE", high.copy(), number(most if known.maximum else _BEYOND))
    closed = [exp.not_(among(bound.copy(), ("<", ">")))]
    closed += [] if known.zero else [greatest.copy() > number(0)]
    rising = exp.or_(least < greatest, exp.and_(least.copy().eq(greatest.copy()), *closed))
    from_zero = exp.func("COALESCE", low.copy().eq(number(0)), exp.true())
    no_end: Term = exp.not_(is_told(high))
    if known.maximum:
        no_end = exp.func("COALESCE", high.copy().eq(number(most)), exp.true())
    return exp.and_(
        exp.or_(is_told(low), is_told(high)),
        among(bound, ("", "<", "<=", ">", ">=")),
        exp.or_(exp.not_(among(bound.copy(), ("<", "<="))), exp.and_(from_zero, is_told(high))),
        exp.or_(exp.not_(among(bound.copy(), (">", ">="))), exp.and_(is_told(low), no_end)),
        *within,
        rising,
    )


def fact_name(name: str) -> str:
    """Return the name of the column of a fact."""
    return f"fact_{plain(name)}"
