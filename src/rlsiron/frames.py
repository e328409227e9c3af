"""The same sentence for a table of draws: one answer for each kind of row, given to all its rows.

Rows are sorted into kinds a column at a time, one row of each is interpreted, and its answer is
gathered. Nothing is decided here.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron.columns import Codes, Floats, open_columns, plain_cells
from rlsiron.decision import Board, borders
from rlsiron.errors import RlsironError, shown
from rlsiron.interpretation import (
    DEFAULT_GUIDELINES,
    Examined,
    answer_of,
    board_of,
    choose,
    examine,
)
from rlsiron.kinds import BLOCK, Kinds, ends_of, sort_rows
from rlsiron.models import Bound, Disposition, Draw, Interpretation, Iron

_UNREAD = {"unread-field", "unread-result"}  # the notes that are problems of a row
_USED = ("ferritin", "tsat")
_DECISION = ("disposition", "criterion", "iron", "possible", "needs", "rule")
_VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "disposition": get_args(Disposition),
    "criterion": get_args(Disposition),
    "iron": get_args(Iron),
    "bound": get_args(Bound),
}


def interpret_frame(
    df: pd.DataFrame,
    *,
    guidelines: Any = DEFAULT_GUIDELINES,  # noqa: ANN401 - checked where they are loaded
    units: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    decimal: Literal[".", ","] = ".",
    errors: Literal["raise", "note"] = "note",
    strict: bool = False,
) -> pd.DataFrame:
    """Return what guidelines for RLS say of the iron results in each row.

    Parameters
    ----------
    df
        A row for each draw. Read are the columns with the name of an analyte (numbers or texts), of
        its unit (``ferritin_unit``), or of a field of the patient or the draw.
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
    DataFrame
        With the index of `df`: ferritin [µg/L] and TSAT [%] as they were used, for each guideline
        its decision, and the codes of notes and assumptions. A row is what
        ``interpret(..., errors="note")`` answers.

    Raises
    ------
    RlsironError
        If a column is missing, doubled or misspelt, numbers have no unit, or, with
        ``errors="raise"``, a row cannot be read.

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
    return answer_part(
        df,
        board=board_of(guidelines, strict=strict),
        units=units or {},
        columns=columns or {},
        decimal=decimal,
        errors=errors,
        part=False,
    )


def answer_part(
    df: pd.DataFrame,
    *,
    board: Board,
    units: Mapping[str, str],
    columns: Mapping[str, str],
    decimal: str,
    errors: str,
    part: bool,
) -> pd.DataFrame:
    """Return the answer to a frame, or to a part of one, whose rows do not depend on the others.

    Parameters
    ----------
    df, units, columns, decimal, errors
        As `interpret_frame` takes them.
    board
        The tables of the guidelines.
    part
        Whether there may be other rows elsewhere.
    """
    results, fields = open_columns(df, columns=columns, units=units, part=part)
    kinds = sort_rows(results, fields, board, rows=len(df), decimal=decimal)
    rows = _Rows(
        results={name: result.taken(kinds.first).given() for name, result in results.items()},
        fields={name: plain_cells(column.iloc[kinds.first]) for name, column in fields.items()},
        decimal=decimal,
    )
    answers = _answers(rows, kinds, board)
    if errors == "raise":
        _refuse_problems(df, kinds.first, answers)
    out = _ends_of_rows(kinds, answers)
    out |= answers.columns()
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


class _Answers:
    """What is said of each kind: words, and the ends of intervals that rest on whole values."""

    def __init__(self, names: list[str], kinds: Kinds) -> None:
        self.names = names
        self.ends: dict[str, Floats] = {name: np.empty((len(kinds.first), 2)) for name in _USED}
        self._of = kinds
        self._kinds: list[Sequence[str]] = [()] * len(kinds.first)

    def keep(self, kinds: list[int], said: Sequence[str]) -> None:
        """Keep what is said of some kinds, in the order of the columns."""
        for kind in kinds:
            self._kinds[kind] = said

    def keep_ends(self, kind: int, answer: Interpretation) -> None:
        """Keep the intervals that were used for a kind that rests on whole values."""
        for name, ends in self.ends.items():
            ends[kind] = ends_of(getattr(answer.panel, name))

    def of_kinds(self, name: str) -> list[str]:
        """Return what a column says of each kind."""
        at = self.names.index(name)
        return [said[at] for said in self._kinds]

    def columns(self) -> dict[str, pd.Categorical]:
        """Return the columns of words, a row for each."""
        found, tables = [], []
        for name in self.names:
            said = self.of_kinds(name)
            words = _VOCABULARY.get(name.rpartition("_")[2]) or sorted(set(said))
            place = {word: at for at, word in enumerate(words)}
            width: type[Any] = np.int8 if len(words) < 128 else np.int32  # noqa: PLR2004
            tables.append(np.array([place[word] for word in said], width))
            found.append(pd.CategoricalDtype(pd.Index(words, dtype="str")))
        columns = zip(self.names, _gathered(tables, self._of), found, strict=True)
        return {
            name: pd.Categorical.from_codes(codes, dtype=dtype, validate=False)
            for name, codes, dtype in columns
        }


def _gathered(tables: list[NDArray[Any]], kinds: Kinds) -> list[NDArray[Any]]:
    """Return the cells of some tables of the kinds present, a row for each."""
    rows = len(kinds.of_row)
    out = [np.empty(rows, table.dtype) for table in tables]
    spread = [np.zeros(kinds.size, table.dtype) for table in tables]
    for table, full in zip(tables, spread, strict=True):
        full[kinds.present] = table
    for start in range(0, rows, BLOCK):
        block = kinds.of_row[start : start + BLOCK].astype(np.intp)
        for full, cells in zip(spread, out, strict=True):
            full.take(block, out=cells[start : start + BLOCK], mode="clip")  # none is out of it
    return out


def _answers(rows: _Rows, kinds: Kinds, board: Board) -> _Answers:
    """Return what is said of each kind; what was said of one like it before is remembered."""
    answers = _Answers(_names(board), kinds)
    examined: dict[int, Examined] = {}
    alike: dict[Any, list[int]] = {}
    for kind, key in enumerate(kinds.keys):
        if key is None:
            alike[kind] = [kind]
            continue
        about = board.remembered.get(key)
        if about is None:
            examined[kind] = rows.examined(kind, board)
            about = board.remember(key, borders(examined[kind].found.verdicts))
        alike.setdefault((key, kinds.is_near(kind, about)), []).append(kind)
    for key, members in alike.items():
        said = None if isinstance(key, int) else board.remembered.get(key)
        if said is None:
            kind = members[0]
            answer = answer_of(examined.get(kind) or rows.examined(kind, board), board)
            said = _said(answer)
            if isinstance(key, int):
                answers.keep_ends(kind, answer)
            else:
                board.remember(key, said)
        answers.keep(members, said)
    return answers


def _names(board: Board) -> list[str]:
    """Return the columns of words, in order."""
    names = [*(f"{name}_bound" for name in _USED), "tsat_source"]
    for table in board.tables:
        names += _of_guideline(table.guideline.id)
    return [*names, "notes", "assumptions", "problems"]


def _of_guideline(id_: str) -> list[str]:
    """Return the columns of a guideline."""
    return [f"{id_.replace('-', '_')}_{name}" for name in _DECISION]


def _said(answer: Interpretation) -> list[str]:
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
    return said


def _refuse_problems(df: pd.DataFrame, first: Codes, answers: _Answers) -> None:
    """Refuse the first row with a problem."""
    problems = enumerate(answers.of_kinds("problems"))
    rows = [(first[kind], text) for kind, text in problems if text]
    if rows:
        row, text = min(rows)
        raise RlsironError(f"row {shown(df.index[row])}: {text}")


def _ends_of_rows(kinds: Kinds, answers: _Answers) -> dict[str, Any]:
    """Return the intervals as used: as read, or where a row rests on whole values as answered."""
    columns: dict[str, Any] = {}
    whole = np.searchsorted(kinds.present, kinds.of_row[kinds.whole])
    for name, unit in zip(_USED, ("ug_l", "pct"), strict=True):
        read = kinds.ends.get(name)
        rows = len(kinds.of_row)
        ends = (read.low, read.high) if read else (np.full(rows, nan), np.full(rows, nan))
        for at, end in enumerate(("low", "high")):
            ends[at][kinds.whole] = answers.ends[name][whole, at]
            columns[f"{name}_{end}_{unit}"] = ends[at]
    return columns
