"""The same sentence for a table of draws: one answer for each kind of row, given to all its rows.

Rows are sorted into kinds a column at a time, one row of each is interpreted, and its answer is
gathered. Nothing is decided here.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from math import nan
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import numpy as np
import pandas as pd

from rlsiron.board import Board
from rlsiron.columns import Codes, open_columns, plain_cells, refuse_no_mapping
from rlsiron.dataframes import open_frame
from rlsiron.decision import borders
from rlsiron.errors import RlsironError, shown
from rlsiron.interpretation import (
    DEFAULT_GUIDELINES,
    Examined,
    answer_of,
    board_of,
    choose,
    examine,
)
from rlsiron.kinds import Kinds, Unmet, sort_rows
from rlsiron.models import Bound, Disposition, Draw, Interpretation, Iron
from rlsiron.numbering import BLOCK, Ends, Numbers, ends_of

_UNREAD = {"unread-field", "unread-result"}  # the notes that are problems of a row
_USED = ("ferritin", "tsat")
_KEPT = 1 << 17  # kinds of a table of which what is said is kept for the next one
_DECISION = ("disposition", "criterion", "iron", "possible", "needs", "rule")
_VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "disposition": get_args(Disposition),
    "criterion": get_args(Disposition),
    "iron": get_args(Iron),
    "bound": get_args(Bound),
}
Words = tuple[str, ...]
"""What is said of a row, in the order of the columns."""


Frame = TypeVar("Frame")


def interpret_frame(
    df: Frame,
    *,
    guidelines: Any = DEFAULT_GUIDELINES,  # noqa: ANN401 - checked where they are loaded
    units: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    decimal: Literal[".", ","] = ".",
    errors: Literal["raise", "note"] = "note",
    strict: bool = False,
) -> Frame:
    """Return what guidelines for RLS say of the iron results in each row.

    Parameters
    ----------
    df
        A row for each draw: a frame of pandas, polars, pyarrow or DuckDB, or of a library that
        speaks the Arrow C stream. Read are the columns with the name of an analyte (numbers or
        texts), of its unit (``ferritin_unit``), or of a field of the patient or the draw.
    guidelines
        Ids, paths of guideline files, or `Guideline` objects.
    units
        For an analyte the unit of those results that state none.
    columns
        For a name that is read the column that holds it.
    decimal
        The decimal sign of texts.
    errors
        ``"note"``: what cannot be read counts as missing, and ``problems`` says why; or
        ``"raise"``.
    strict
        Leave out unverified rules that give iron.

    Returns
    -------
    Frame
        Of the kind of `df`, with its rows in their order, and in pandas its index: ferritin [µg/L]
        and TSAT [%] as they were used, for each guideline its decision, and the codes of notes and
        assumptions. A row is what ``interpret(..., errors="note")`` answers. A lazy frame of polars
        is answered lazily; a reader or a dataset of pyarrow as a reader, batch by batch.

    Raises
    ------
    RlsironError
        If a column is missing, doubled or misspelt, or of a type that is not read, numbers have no
        unit, or, with ``errors="raise"``, a row cannot be read. A lazy answer says so of a row when
        it is asked for.

    Examples
    --------
    >>> df = pd.DataFrame({"ferritin": [62, 310], "tsat": ["18 %", "<5 %"], "age": [44, 51]})
    >>> out = interpret_frame(df, guidelines="aasm-2025", units={"ferritin": "ng/mL"})
    >>> out["aasm_2025_disposition"].tolist()
    ['oral-or-iv-iron', 'withhold-iron']
    >>> out[["tsat_high_pct", "tsat_bound"]].values.tolist()
    [[18.0, ''], [5.0, '<']]
    """
    choose("errors", errors, "raise", "note")
    choose("decimal", decimal, ".", ",")
    choose("strict", strict, *(False, True))
    columns, units = columns or {}, units or {}
    refuse_no_mapping(columns=columns, units=units)
    board = board_of(guidelines, strict=strict)
    answer = partial(
        answer_part, board=board, units=units, columns=columns, decimal=decimal, errors=errors
    )
    found: Frame = open_frame(df).answered(answer, columns=columns)
    return found


def answer_part(
    df: pd.DataFrame,
    *,
    board: Board,
    units: Mapping[str, str],
    columns: Mapping[str, str],
    decimal: str,
    errors: str = "note",
    part: bool = False,
) -> pd.DataFrame:
    """Return the answer to a frame of pandas, which may be a part of one."""
    results, fields = open_columns(df, columns=columns, units=units, part=part)
    kinds = sort_rows(results, fields, board, rows=len(df), decimal=decimal)
    said = _remembered(kinds, board)
    places = kinds.places(said.of_kind)
    rows = len(df)
    ends = {
        name: kinds.ends.get(name) or Ends(np.full(rows, nan), np.full(rows, nan)) for name in _USED
    }
    if places.min(initial=0) < 0:
        unmet = kinds.unmet(places)
        first = _Rows(
            results={name: result.taken(unmet.first).given() for name, result in results.items()},
            fields={name: plain_cells(column.iloc[unmet.first]) for name, column in fields.items()},
            decimal=decimal,
        )
        said = _extended(said, board, kinds=kinds, unmet=unmet, rows=first, ends=ends)
        places = kinds.places(said.of_kind)
    out: dict[str, Any] = {
        f"{name}_{end}_{unit}": column
        for (name, each), unit in zip(ends.items(), ("ug_l", "pct"), strict=True)
        for end, column in each._asdict().items()
    }
    out |= _columns(_names(board), said.words, places)
    if errors == "raise":
        _refuse_problems(df, out["problems"])
    return pd.DataFrame(out, index=df.index, copy=False)


class _Rows(NamedTuple):
    """The first row of each kind, as `examine` takes it."""

    results: Mapping[str, list[Any]]
    fields: Mapping[str, list[Any]]
    decimal: str

    def examined(self, at: int, board: Board) -> Examined:
        """Return what is read and found of one row."""
        told = {name: cells[at] for name, cells in self.fields.items()}
        draw = {name: told.pop(name) for name in Draw.model_fields if name in told}
        results = {name: cells[at] for name, cells in self.results.items()}
        return examine(board, results, patient=told, draw=draw, decimal=self.decimal, errors="note")


class _Said(NamedTuple):
    """What is said of each kind, as the place of its words in the list; -1 where it is not met."""

    of_kind: Codes
    words: list[Words]


def _remembered(kinds: Kinds, board: Board) -> _Said:
    """Return what was said of the kinds in an earlier table."""
    said = board.numbered.get(kinds.meaning) or _Said(np.full(kinds.plain, -1, np.intp), [])
    whole = np.full(kinds.size - kinds.plain, -1, np.intp)
    return _Said(np.append(said.of_kind, whole), said.words)


def _extended(
    said: _Said,
    board: Board,
    *,
    kinds: Kinds,
    unmet: Unmet,
    rows: _Rows,
    ends: Mapping[str, Ends],
) -> _Said:
    """Return what is said of all the kinds, and put down the ends of rows on whole values."""
    of_kind = said.of_kind.copy()
    place = {words: at for at, words in enumerate(said.words)}
    used = {name: np.empty((len(unmet.first), 2)) for name in ends}
    for members, words, answer in _answers(rows, unmet, board):
        of_kind[unmet.kinds[members]] = place.setdefault(words, len(place))
        if answer:
            for name, found in used.items():
                found[members] = ends_of(getattr(answer.panel, name))
    whole = np.searchsorted(unmet.kinds, kinds.of_row[kinds.whole])
    for name, columns in ends.items():
        for at, column in enumerate(columns):
            column[kinds.whole] = used[name][whole, at]
    if kinds.meaning is not None and kinds.plain <= _KEPT:
        board.remember_numbered(kinds.meaning, _Said(of_kind[: kinds.plain], list(place)))
    return _Said(of_kind, list(place))


def _answers(
    rows: _Rows, unmet: Unmet, board: Board
) -> Iterator[tuple[list[int], Words, Interpretation | None]]:
    """Yield for kinds that answer alike their places, what is said of them, and of one a whole."""
    examined: dict[int, Examined] = {}
    alike: dict[Any, list[int]] = {}
    for at, key in enumerate(unmet.keys):
        if key is None:
            yield [at], _said(answer := answer_of(rows.examined(at, board), board)), answer
            continue
        about = board.remembered.get(key)
        if about is None:
            examined[at] = rows.examined(at, board)
            about = board.remember(key, borders(examined[at].found.verdicts))
        alike.setdefault((key, unmet.is_near(at, about)), []).append(at)
    for key, members in alike.items():
        words = board.remembered.get(key)
        if words is None:
            first = members[0]
            answer = answer_of(examined.get(first) or rows.examined(first, board), board)
            words = board.remember(key, _said(answer))
        yield members, words, None


def _columns(
    names: Sequence[str], words: Sequence[Words], places: Numbers
) -> dict[str, pd.Categorical]:
    """Return the columns of words, a row for each."""
    seen = np.flatnonzero(_counted(places, len(words)))
    said = [words[at] for at in seen.tolist()]
    tables, dtypes = [], []
    for at, name in enumerate(names):
        cells = [one[at] for one in said]
        categories = _VOCABULARY.get(name.rpartition("_")[2]) or tuple(sorted(set(cells)))
        code = {word: code for code, word in enumerate(categories)}
        table = np.zeros(len(words), np.int8 if len(categories) < 128 else np.int32)  # noqa: PLR2004
        table[seen] = [code[word] for word in cells]
        tables.append(table)
        dtypes.append(_dtype(categories))
    columns = [(np.empty if t.any() else np.zeros)(len(places), t.dtype) for t in tables]
    told = [pair for pair in zip(tables, columns, strict=True) if pair[0].any()]
    for start in range(0, len(places), BLOCK):
        block = places[start : start + BLOCK]
        for table, column in told:
            table.take(block, out=column[start : start + BLOCK], mode="clip")  # none is out of it
    return {
        name: pd.Categorical.from_codes(codes, dtype=dtype, validate=False)
        for name, codes, dtype in zip(names, columns, dtypes, strict=True)
    }


def _counted(places: Numbers, size: int) -> Codes:
    """Return how many rows have each place."""
    counts = np.zeros(size, np.intp)
    for start in range(0, len(places), BLOCK):
        counts += np.bincount(places[start : start + BLOCK], minlength=size)
    return counts


@lru_cache(maxsize=256)
def _dtype(categories: Words) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(categories, dtype="str"))


def _names(board: Board) -> list[str]:
    """Return the columns of words, in order."""
    names = [*(f"{name}_bound" for name in _USED), "tsat_source"]
    for table in board.tables:
        names += _of_guideline(table.guideline.id)
    return [*names, "notes", "assumptions", "problems"]


def _of_guideline(id_: str) -> list[str]:
    """Return the columns of a guideline."""
    return [f"{id_.replace('-', '_')}_{name}" for name in _DECISION]


def _said(answer: Interpretation) -> Words:
    """Return an answer as the words of a row, in the order of its columns."""
    panel = answer.panel
    said: list[str] = [used.bound if used else "" for used in (panel.ferritin, panel.tsat)]
    said.append(panel.tsat_source)
    for decision in answer.decisions.values():
        said += [decision.disposition, decision.criterion, decision.iron]
        said += [" ".join(decision.possible), " ".join(decision.needs)]
        said.append(" ".join(rule.id for rule in decision.rules))
    said.append(" ".join(dict.fromkeys(note.code for note in answer.notes)))
    said.append(" ".join(answer.assumptions))
    said.append("; ".join(note.text for note in answer.notes if note.code in _UNREAD))
    return tuple(said)


def _refuse_problems(df: pd.DataFrame, problems: pd.Categorical) -> None:
    """Refuse the first row with a problem."""
    rows = np.flatnonzero((problems.categories != "")[problems.codes])
    if len(rows):
        raise RlsironError(f"row {shown(df.index[rows[0]])}: {problems[rows[0]]}")
