"""A guideline as one SQL query over canonical columns: the compiled table, and nothing else.

Every value that is compared is an edge of the table, of a fact or of a window. The query bins what
is told of each axis, and finds what is said by the look-ups of `rlsiron.diagram`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from rlsiron.compiler import compile_table
from rlsiron.diagram import Diagram, LookUp, diagrams
from rlsiron.errors import RlsironError, did_you_mean, shown
from rlsiron.guideline import Guideline, load_guideline
from rlsiron.sql_kinds import Kinds, state_name
from rlsiron.sql_rows import Column, Rows, Terms
from rlsiron.sql_terms import Dialects, Term, exp, number, string
from rlsiron.table import Table
from rlsiron.wording import phrase

TESTED = ("duckdb", "postgres", "spark", "sqlite")
"""The dialects in which the query of every guideline is run against `interpret_frame`."""

_MATERIALIZING = {"duckdb", "postgres", "sqlite"}
_OUT = ("disposition", "criterion", "iron", "possible", "needs", "rule")
_TABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


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
    select = query.select(exp.to_table(source, dialect=dialect), keys)
    if source.casefold() in (cte.alias for cte in select.ctes):
        raise RlsironError(
            f"{shown(source)} is the name of a step of the query; make a view of another name"
        )
    text = select.sql(dialect, pretty=True)
    return f"{query.heading()}\n{_packed(text)}\n"


def canonical_columns(given: str | Path | Guideline) -> tuple[Column, ...]:
    """Return the columns that the query of a guideline reads, beside the keys.

    Examples
    --------
    >>> canonical_columns("kdigo-2026")[0].name
    'ferritin_low_ug_l'
    """
    return tuple(_Query(compile_table(load_guideline(given)), TESTED[0]).rows.columns())


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
    """The query of one table."""

    def __init__(self, table: Table, dialect: str) -> None:
        self._table = table
        self._dialect = dialect
        self.rows = Rows(table, dialect)
        self._kinds = Kinds(table, self.rows)

    def heading(self) -> str:
        """Return what the query is, as comments."""
        guideline = self._table.guideline
        tested = "" if self._dialect in TESTED else " This dialect is not among those tested."
        lines = [
            f"{guideline.title} ({guideline.id}), version {guideline.version}; the safety layer.",
            f"By rlsiron {version('rlsiron')}.{tested}",
            phrase("intended_use"),
            "Read, and NULL where not known:",
            *(f"  {one.name}: {one.holds}" for one in self.rows.columns()),
        ]
        return "\n".join(f"-- {line}" for line in lines)

    def select(self, source: exp.Table, keys: Sequence[str]) -> exp.Select:
        """Return the whole query."""
        carried = {f"key_{at}": exp.to_identifier(key) for at, key in enumerate(keys)}
        ctes: list[tuple[str, Any]] = []
        before: Any = source
        placed = {"kind": self._kinds.number(), "unread": self.rows.unread()}
        for name, terms in (*self.rows.steps(), ("placed", placed)):
            added = [exp.alias_(term, alias) for alias, term in terms.items()]
            kept: list[Any] = list(carried) if name == "placed" else [exp.Star()]
            if before is source:  # by names that no step has
                kept = [exp.alias_(exp.column(key.copy()), own) for own, key in carried.items()]
            ctes.append((name, exp.select(*kept, *added).from_(before)))
            before = name
        ctes.append(("kinds", exp.select("kind").distinct().from_(before)))
        ctes.append(("parted", exp.select("kind", *self._kinds.parted()).from_("kinds")))
        found = exp.select(exp.column("kind", table="parted")).from_("parted")
        said: Terms = {}
        for place, diagram in enumerate(diagrams(self._table, self._kinds.states)):
            for name, rows, on in _joined(place, diagram):
                ctes.append((name, rows))
                found = found.join(exp.to_identifier(name), on=on, join_type="left")
            said |= {name: exp.column(name, table=_words_of(place)) for name in diagram.names}
        ctes.append(("said", found.select(*(exp.alias_(said[name], name) for name in _OUT))))
        prefix = self._table.guideline.id.replace("-", "_")
        select = exp.select(
            *(
                exp.alias_(exp.column(own, table=before), key.copy())
                for own, key in carried.items()
            ),
            *(exp.alias_(exp.column(name, table="said"), f"{prefix}_{name}") for name in _OUT),
            exp.column("unread", table=before),
        ).from_(before)
        on = exp.column("kind", table="said").eq(exp.column("kind", table=before))
        select = select.join("said", on=on, join_type="left")
        withs = {name: _cte(name, rows) for name, rows in ctes}
        if self._dialect in _MATERIALIZING:  # read twice, made once
            withs[before].set("materialized", True)  # noqa: FBT003 - as sqlglot has it
        select.set("with_", exp.With(expressions=list(withs.values())))
        return select


class _LookUpRows(NamedTuple):
    columns: tuple[str, ...]
    values: exp.Values


def _words_of(place: int) -> str:
    """Return the name of the look-up of words."""
    return f"words_{place}"


def _joined(place: int, diagram: Diagram) -> Iterator[tuple[str, _LookUpRows, Term]]:
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
        state = exp.column(state_name(name), table="parted")
        node = exp.paren(node * number(base)) + state if node else state
        node = exp.paren(node) if isinstance(node, exp.Add) else node
    return node


def _rows(columns: tuple[str, ...], rows: Iterable[tuple[Term, ...]]) -> _LookUpRows:
    return _LookUpRows(
        columns, exp.Values(expressions=[exp.Tuple(expressions=list(r)) for r in rows])
    )


def _cte(name: str, rows: Any) -> exp.CTE:  # noqa: ANN401 - a query, or rows
    columns: tuple[str, ...] = ()
    if isinstance(rows, _LookUpRows):
        columns, rows = rows
    alias = exp.TableAlias(
        this=exp.to_identifier(name), columns=[exp.to_identifier(one) for one in columns]
    )
    return exp.CTE(this=rows, alias=alias)
