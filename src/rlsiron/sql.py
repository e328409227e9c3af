"""A guideline as one SQL query over canonical columns: the compiled table, and nothing else.

Every value that is compared is an edge of the table, of a fact or of a window. The query bins what
is told of each axis, and finds what is said by the look-ups of `rlsiron.diagram`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from rlsiron import units
from rlsiron.compiler import compile_table
from rlsiron.diagram import Diagram, LookUp, State, States, diagrams
from rlsiron.errors import RlsironError, did_you_mean, shown
from rlsiron.facts import NO, OPEN, YES
from rlsiron.grammar import vocabulary
from rlsiron.guideline import Guideline, facts, load_guideline, windows
from rlsiron.patient import EVENTS, OLDEST
from rlsiron.sql_terms import (
    INWARD,
    UNREAD,
    Dialects,
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
    movers,
    number,
    reaches,
    read_conditions,
    read_days,
    read_number,
    read_word,
    string,
)
from rlsiron.table import Axis, NumericAxis, Table
from rlsiron.wording import phrase

TESTED = ("duckdb", "postgres", "spark", "sqlite")
"""The dialects in which the query of every guideline is run against `interpret_frame`."""

_MATERIALIZING = {"duckdb", "postgres", "sqlite"}
_OUT = ("disposition", "criterion", "iron", "possible", "needs", "rule")
_TABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_BEYOND = 2 * units.LARGEST  # stands for no upper end

Terms = dict[str, Term]


class Column(NamedTuple):
    """A column that a query reads: its name, and what it holds."""

    name: str
    holds: str


def guideline_sql(
    given: str | Path | Guideline,
    *,
    dialect: str = "duckdb",
    source: str = "draws",
    keys: Sequence[str] = ("draw_id",),
    strict: bool = False,
) -> str:
    """Return a guideline, and the safety layer over it, as one SQL query.

    Parameters
    ----------
    given
        An id, the path of a file, or a `Guideline`.
    dialect
        A dialect of sqlglot; the query is tested in ``duckdb``, ``postgres``, ``spark`` and
        ``sqlite``.
    source
        The table or view with a row for each draw, and the columns of `canonical_columns`.
    keys
        The columns that tell a draw, carried into the answer.
    strict
        Leave out unverified rules that give iron.

    Returns
    -------
    str
        A query with a row for each draw: the keys, then, named as `interpret_frame` names them,
        the decision's columns, and as ``unread`` the fields that hold something unreadable.

    Raises
    ------
    RlsironError
        If the guideline is faulty or too large, or the dialect or a name is none.

    Examples
    --------
    >>> query = guideline_sql("aan-2016", dialect="postgres", source="lab.draws")
    >>> "75.0" in query and "lab.draws" in query
    True
    """
    known = [each.value for each in Dialects if each.value]
    if dialect not in known:
        raise RlsironError(f"unknown dialect {shown(dialect)}{did_you_mean(dialect, known)}")
    if not keys:
        raise RlsironError("no column is carried into the answer; name one in keys=")
    if not _TABLE.fullmatch(source):
        message = f"{shown(source)} is no name of a table; write one such as 'lab.draws'"
        raise RlsironError(message)
    query = _Query(compile_table(load_guideline(given), strict=strict), dialect)
    text = query.select(exp.to_table(source, dialect=dialect), keys).sql(dialect, pretty=True)
    return f"{query.heading()}\n{_packed(text)}\n"


def canonical_columns(given: str | Path | Guideline) -> tuple[Column, ...]:
    """Return the columns that the query of a guideline reads, beside the keys.

    Examples
    --------
    >>> canonical_columns("kdigo-2026")[0].name
    'ferritin_low_ug_l'
    """
    return tuple(_Query(compile_table(load_guideline(given)), TESTED[0]).columns())


def _packed(text: str) -> str:
    """Return a query with many rows of a look-up on a line, and not a line for each."""
    lines: list[str] = []
    for line in text.splitlines():
        row = line.strip()
        packs = re.fullmatch(r"\(\d+, \d+\),?", row) and lines and lines[-1].endswith("),")
        if packs and len(lines[-1]) < 100 - len(row):
            lines[-1] += f" {row}"
        else:
            lines.append(line)
    return "\n".join(lines)


class _Query:
    """The steps of the query of one table."""

    def __init__(self, table: Table, dialect: str) -> None:
        self._table = table
        self._dialect = dialect
        made = {fact.name: fact for fact in facts(table.guideline.parameters).values()}
        names = [axis.name for axis in table.axes]
        self._facts = {name: made[name] for name in names if name in made}
        limbs = {name for fact in self._facts.values() for way in fact.any for name, _ in way}
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

    def heading(self) -> str:
        """Return what the query is, as comments."""
        guideline = self._table.guideline
        tested = "" if self._dialect in TESTED else " This dialect is not among those tested."
        lines = [
            f"{guideline.title} ({guideline.id}), version {guideline.version}; the safety layer.",
            f"By rlsiron {version('rlsiron')}.{tested}",
            phrase("intended_use"),
            "Read, and NULL where not known:",
            *(f"  {one.name}: {one.holds}" for one in self.columns()),
        ]
        return "\n".join(f"-- {line}" for line in lines)

    def select(self, source: exp.Table, keys: Sequence[str]) -> exp.Select:
        """Return the whole query."""
        carried = [exp.column(exp.to_identifier(key)) for key in keys]
        ctes: list[tuple[str, Any]] = []
        before: Any = source
        steps = (self._told, self._read, self._dated, self._seen, self._ends, self._made)
        for step in (*steps, self._placed):
            name = step.__name__.strip("_")
            terms = [exp.alias_(term, alias) for alias, term in step().items()]
            kept = carried if step in {self._told, self._placed} else [exp.Star()]
            ctes.append((name, exp.select(*(each.copy() for each in kept), *terms).from_(before)))
            before = name
        ctes.append(("kinds", exp.select("kind").distinct().from_(before)))
        ctes.append(("parted", exp.select("kind", *self._parted()).from_("kinds")))
        found = exp.select(exp.column("kind", table="parted")).from_("parted")
        said: Terms = {}
        for place, diagram in enumerate(diagrams(self._table, self._states())):
            for name, rows, on in _joined(place, diagram):
                ctes.append((name, rows))
                found = found.join(exp.to_identifier(name), on=on, join_type="left")
            said |= {name: exp.column(name, table=_words_of(place)) for name in diagram.names}
        ctes.append(("said", found.select(*(exp.alias_(said[name], name) for name in _OUT))))
        prefix = self._table.guideline.id.replace("-", "_")
        select = exp.select(
            *(exp.column(exp.to_identifier(key), table=before) for key in keys),
            *(exp.alias_(exp.column(name, table="said"), f"{prefix}_{name}") for name in _OUT),
            exp.column("unread", table=before),
        ).from_(before)
        on = exp.column("kind", table="said").eq(exp.column("kind", table=before))
        select = select.join("said", on=on, join_type="left")
        withs = [_cte(*each) for each in ctes]
        if self._dialect in _MATERIALIZING:  # read twice, made once
            withs[len(steps)].set("materialized", True)  # noqa: FBT003 - as sqlglot has it
        select.set("with_", exp.With(expressions=withs))
        return select

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

    def _hidden(self, name: str) -> bool:
        return any(name in window.hides for window in self._windows)

    def _ends(self) -> Terms:
        """Return the ends of what is known of each number; an open end half a step inward."""
        terms: Terms = {}
        for name in self._analytes:
            seen = column(f"given_{name}")
            if self._hidden(name):
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
        return {_fact_name(name): fact_term(fact) for name, fact in self._facts.items()}

    def _placed(self) -> Terms:
        """Return the kind of each row, as one number, and the names of what is not read."""
        kind: Term = exp.cast(number(0), "bigint")
        for axis, base in self._radix():
            kind = exp.paren(kind * number(base)) + exp.paren(self._place(axis))
        return {"kind": kind, "unread": self._unread()}

    def _parted(self) -> Iterator[Term]:
        """Yield the state of each axis, of which the kind is made: its digits, from the last."""
        kind: Term = column("kind")
        for axis, base in reversed(self._radix()):
            digit = exp.Mod(this=exp.paren(kind.copy()), expression=number(base))
            yield exp.alias_(digit, f"at_{_plain(axis.name)}")
            rest = exp.paren(exp.Sub(this=kind.copy(), expression=digit.copy()))
            kind = exp.cast(exp.Div(this=rest, expression=number(base)), "bigint")

    def _radix(self) -> list[tuple[Axis, int]]:
        """Return each axis with one more than the greatest number of its states."""
        states = self._states()
        return [(axis, max(states[axis.name]) + 1) for axis in self._table.axes]

    def _place(self, axis: Axis) -> Term:
        name = axis.name
        if isinstance(axis, NumericAxis):
            low, high = (_cell(axis, column(f"{end}_{name}")) for end in ("low", "high"))
            place: Term = low * number(axis.size) + high
            if name != "age" and self._hidden(name):
                return chosen([(column(f"undated_{name}"), number(axis.size**2))], place)
            return place
        if name in self._facts:
            fact = column(_fact_name(name))
            place = number(2)
            for bit, (_, moves) in enumerate(self._movers(name)):
                place = place + chosen([(moves, number(1 << bit))], number(0))
            no = exp.not_(fact.copy())
            return chosen([(fact, number(1)), (no, number(0))], place)
        numbers = {state.cells: at for at, state in self._states()[name].items()}
        words: dict[int, list[str | None]] = {}
        for word, means in meanings(name).items():
            words.setdefault(numbers[axis.cells(means)], []).append(word)
        return chosen(
            (is_one(column(f"told_{name}"), told), number(at)) for at, told in words.items()
        )

    def _movers(self, name: str) -> list[tuple[str, Term]]:
        return list(movers(self._facts[name], self._table.guideline.parameters))

    def _states(self) -> Mapping[str, States]:
        """Return what may be told of each axis, by the numbers that `_place` gives."""
        return {axis.name: self._states_of(axis) for axis in self._table.axes}

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
            if self._hidden(axis.name):
                states[axis.size**2] = State(tuple(cells), frozenset({"drawn"}))
            return states
        if axis.name in self._facts:
            inputs = [name for name, _ in self._movers(axis.name)]
            states = {0: State(axis.cells(NO)), 1: State(axis.cells(YES))}
            for bits in range(1 << len(inputs)):
                moved = frozenset(name for at, name in enumerate(inputs) if bits >> at & 1)
                states[2 + bits] = State(axis.cells(OPEN), moved)
            return states
        reached = dict.fromkeys(axis.cells(means) for means in meanings(axis.name).values())
        return {at: State(each) for at, each in enumerate(reached)}

    def _unread(self) -> Term:
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
    closed = [exp.not_(among(bound.copy(), ("<", ">")))]
    closed += [] if known.zero else [high.copy() > number(0)]
    rising = exp.or_(low < high, exp.and_(low.copy().eq(high.copy()), *closed))
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
        exp.func("COALESCE", rising, exp.true()),
    )


def _cell(axis: NumericAxis, value: Term) -> Term:
    """Return the number of the cell in which a value lies."""
    cuts = reversed(list(enumerate(axis.edges, 1)))
    return chosen(((reaches(value.copy(), edge), number(cell)) for cell, edge in cuts), number(0))


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name)


def _fact_name(name: str) -> str:
    return f"fact_{_plain(name)}"


class _Rows(NamedTuple):
    columns: tuple[str, ...]
    values: exp.Values


def _words_of(place: int) -> str:
    """Return the name of the look-up of words."""
    return f"words_{place}"


def _joined(place: int, diagram: Diagram) -> Iterator[tuple[str, _Rows, Term]]:
    """Yield each look-up of a diagram with its rows, and how it is joined; last the words."""
    node: Term | None = None
    for at, lookup in enumerate(diagram.lookups):
        name = f"step_{place}_{at}"
        on = exp.column("at", table=name).eq(_key(node, lookup))
        yield name, _rows(("at", "node"), [(number(a), number(b)) for a, b in lookup.rows]), on
        node = exp.column("node", table=name)
    name = _words_of(place)
    words = [(number(at), *map(string, said)) for at, said in enumerate(diagram.words)]
    yield name, _rows(("at", *diagram.names), words), exp.column("at", table=name).eq(node)


def _key(node: Term | None, lookup: LookUp) -> Term:
    for name, base in zip(lookup.axes, lookup.radix, strict=True):
        state = exp.column(f"at_{_plain(name)}", table="parted")
        node = exp.paren(node * number(base)) + state if node else state
        node = exp.paren(node) if isinstance(node, exp.Add) else node
    return node


def _rows(columns: tuple[str, ...], rows: Iterable[tuple[Term, ...]]) -> _Rows:
    return _Rows(columns, exp.Values(expressions=[exp.Tuple(expressions=list(r)) for r in rows]))


def _cte(name: str, rows: Any) -> exp.CTE:  # noqa: ANN401 - a query, or rows
    columns: tuple[str, ...] = ()
    if isinstance(rows, _Rows):
        columns, rows = rows
    alias = exp.TableAlias(
        this=exp.to_identifier(name), columns=[exp.to_identifier(one) for one in columns]
    )
    return exp.CTE(this=rows, alias=alias)
