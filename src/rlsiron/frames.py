"""The same sentence for a table of draws: one answer for each kind of row, given to all its rows.

All that a row can say in codes depends on its kind: the words told of the patient, and for each
number the cell between the cuts at which an answer may change. So the kinds are found a column at a
time, one row of each is interpreted, and its answer is gathered. Nothing is decided here.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import nan
from numbers import Number
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron import units as lab
from rlsiron.decision import Board
from rlsiron.errors import RlsironError, UnitError, did_you_mean, shown
from rlsiron.interpretation import DEFAULT_GUIDELINES, board_of, choose, interpret
from rlsiron.models import Bound, Disposition, Draw, Interpretation, Iron, LabResult, Patient
from rlsiron.patient import DATED, OLDEST, read_patient
from rlsiron.reading import ordinary, read_result

_DENSE = 1 << 20  # kinds that are counted in an array; more are hashed
_UNREAD = {"unread-field", "unread-result"}  # the notes that are problems of a row
_WHOLE = {"iron", "tibc", "uibc", "transferrin", *DATED}  # used by more than their cell
_USED = ("ferritin", "tsat")
_DECISION = ("disposition", "criterion", "iron", "possible", "needs", "rule")
_VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "disposition": get_args(Disposition),
    "criterion": get_args(Disposition),
    "iron": get_args(Iron),
    "bound": get_args(Bound),
}

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]


class _Coded(NamedTuple):
    """What each row says of one input, as a number under `size`; 0 is not given."""

    codes: Codes
    size: int


class _Distinct(NamedTuple):
    """The number of the cell of each row, -1 where it is empty, and the distinct cells."""

    codes: Codes
    cells: list[Any]


@dataclass(frozen=True, slots=True)
class _Result:
    """The column of one analyte, and in which unit each row stands."""

    name: str
    column: "pd.Series[Any]"
    unit: _Distinct

    def taken(self, rows: Codes) -> "_Result":
        """Return some of the rows."""
        unit = _Distinct(self.unit.codes[rows], self.unit.cells)
        return _Result(self.name, self.column.iloc[rows], unit)

    def given(self) -> list[Any]:
        """Return the rows as `interpret` takes them."""
        cells = _cells(self.column)
        return [self.pair(*one) for one in zip(cells, self.unit.codes.tolist(), strict=True)]

    def pair(self, cell: object, unit: int) -> Any:  # noqa: ANN401 - as it was given
        """Return a cell with its unit."""
        stated = self.unit.cells[unit]
        return cell if cell is None or stated is None else (cell, stated)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The ends of the interval of each row, and what they are in the kinds."""

    coded: _Coded
    low: Floats
    high: Floats


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
    board = board_of(guidelines, strict=strict)
    results, fields = _columns(df, columns=columns or {}, units=units or {})
    numbers, plain = _plain_kinds(results, fields, board, decimal=decimal)
    kinds, count = _combined(plain, len(df))
    whole = _whole_rows(results, fields, len(df))
    kinds, count = _with_whole(kinds, count, whole, results, fields)
    first = np.empty(count, np.intp)
    first[kinds[::-1]] = np.arange(len(df) - 1, -1, -1)
    answers = _answers(
        {name: result.taken(first).given() for name, result in results.items()},
        {name: _cells(column.iloc[first]) for name, column in fields.items()},
        count=count,
        board=board,
        decimal=decimal,
        strict=strict,
    )
    if errors == "raise":
        _refuse_problems(df, first, answers)
    out = _ends_of_rows(kinds, whole, answers, numbers)
    out |= {name: answers.column(name, kinds) for name in answers.words}
    return pd.DataFrame(out, index=df.index, copy=False)


def _columns(
    df: pd.DataFrame, *, columns: Mapping[str, str], units: Mapping[str, str]
) -> tuple[dict[str, _Result], dict[str, "pd.Series[Any]"]]:
    """Return the columns that are read: those of analytes, and those of fields."""
    if not isinstance(df, pd.DataFrame):
        raise RlsironError(f"{shown(df)} is not a DataFrame of pandas; give one")
    analytes = tuple(lab.analytes())
    fields = (*Patient.model_fields, *Draw.model_fields)
    known = (*analytes, *(f"{name}_unit" for name in analytes), *fields)
    labels: list[Any] = df.columns.tolist()
    found = _found(known, labels, columns)
    for label in found.values():
        if labels.count(label) > 1:
            raise RlsironError(f"column {label!r} stands there {labels.count(label)} times")
    _refuse_misspelt(set(labels) - set(found.values()), [n for n in known if n not in found])
    if found.keys().isdisjoint(analytes):
        raise RlsironError(
            f"no column has results; name one of {', '.join(analytes)}, or use columns="
        )
    read = {name: df[label] for name, label in found.items()}
    for name, unit in units.items():
        if name not in read or name not in analytes:
            there = [one for one in analytes if one in read]
            raise UnitError(f"units= names {shown(name)}{did_you_mean(name, there)}")
        lab.unit_code(name, unit)
    results = {
        name: _Result(name, read[name], _units(read.get(f"{name}_unit"), units.get(name), len(df)))
        for name in analytes
        if name in read
    }
    for result in results.values():
        _refuse_bare_numbers(result)
    return results, {name: column for name, column in read.items() if name in fields}


def _found(known: Sequence[str], labels: list[Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """Return for each name that is read the label of its column, if it is there."""
    for name, label in columns.items():
        if name not in known:
            raise RlsironError(f"columns= names {shown(name)}{did_you_mean(name, known)}")
        if label not in labels:
            hint = did_you_mean(label, map(str, labels))
            raise RlsironError(f"columns= gives {shown(label)} for {name!r}{hint}")
    return {name: label for name in known if (label := columns.get(name, name)) in labels}


def _refuse_misspelt(labels: Iterable[object], missing: Sequence[str]) -> None:
    for label in sorted(label for label in labels if isinstance(label, str)):
        for name in missing:
            if _is_near(label.casefold(), name):
                raise RlsironError(
                    f"column {label!r} is not read; did you mean {name!r}? rename it, name it in "
                    "columns=, or drop it"
                )


def _is_near(one: str, other: str) -> bool:
    """Whether one letter more, less or other makes one word of another."""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    rest, other_rest = one[at:], other[at:]
    return other_rest in {rest, rest[1:]} or other_rest[1:] in {rest, rest[1:]}


def _refuse_bare_numbers(result: _Result) -> None:
    """Refuse numbers where no row has a unit: that is one fault of the call."""
    if any(unit is not None for unit in result.unit.cells):
        return
    cells: list[Any] = [0] if _is_numeric(result.column) else []
    if result.column.dtype == object or isinstance(result.column.dtype, pd.CategoricalDtype):
        cells = _distinct(result.column).cells
    if cells and all(isinstance(cell, Number) and not isinstance(cell, bool) for cell in cells):
        sample = lab.analyte(result.name).units[0]
        raise UnitError(
            f"{result.name} is a column of numbers with no unit; declare "
            f"units={{{result.name!r}: {sample!r}}}, or give a column '{result.name}_unit'"
        )


def _units(column: "pd.Series[Any] | None", declared: str | None, rows: int) -> _Distinct:
    """Return the unit of each row: its own, else the declared one, else None."""
    if column is None:
        return _Distinct(np.zeros(rows, np.intp), [declared])
    codes, cells = _distinct(column)
    blank = [isinstance(cell, str) and not cell.strip() for cell in cells]
    stated = [declared if empty else cell for cell, empty in zip(cells, blank, strict=True)]
    return _Distinct(codes, [*stated, declared])  # -1 is the last one


def _is_numeric(column: "pd.Series[Any]") -> bool:
    """Whether a column has a type of binary numbers, so that its rows need no reader."""
    return pd.api.types.is_float_dtype(column.dtype) or pd.api.types.is_integer_dtype(column.dtype)


def _floats(column: "pd.Series[Any]") -> Floats:
    """Return a numeric column as 64-bit floats, NaN where a row is empty."""
    dtype: Any = getattr(column.dtype, "numpy_dtype", column.dtype)
    if dtype.kind == "f" and dtype != np.float64:  # a shorter float counts as its shortest text
        short = column.to_numpy(dtype=dtype, na_value=nan)
        codes, distinct = pd.factorize(short)
        longer = [float(str(one)) for one in distinct]
        return np.array([*longer, nan])[codes]
    return column.to_numpy(dtype=np.float64, na_value=nan)


def _cells(column: "pd.Series[Any]") -> list[Any]:
    """Return the cells as Python has them, None where one is empty."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        cells = [*_cells(pd.Series(column.cat.categories)), None]
        return [cells[code] for code in column.cat.codes]
    if pd.api.types.is_float_dtype(column.dtype):
        return [None if cell != cell else cell for cell in _floats(column).tolist()]  # noqa: PLR0124 - NaN
    return [_cell(cell) for cell in column.tolist()]


def _cell(cell: Any) -> Any:  # noqa: ANN401 - any cell
    if isinstance(cell, str):
        return cell
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if isinstance(cell, pd.Timestamp):
        return cell.to_pydatetime(warn=False)
    if isinstance(cell, np.floating):
        return float(str(cell))
    return cell.item() if isinstance(cell, np.generic) else cell


def _distinct(column: "pd.Series[Any]") -> _Distinct:
    """Return the distinct cells of a column; two are one only if they are read alike."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, cells = _distinct(pd.Series(column.cat.categories))
        return _Distinct(np.append(codes, -1)[column.cat.codes.to_numpy()], cells)
    if pd.api.types.is_float_dtype(column.dtype):
        floats = _floats(column)
        codes, bits = pd.factorize(floats.view(np.int64))  # 0.0 and -0.0 print differently
        codes[np.isnan(floats)] = -1
        return _Distinct(codes, np.asarray(bits).view(np.float64).tolist())
    if (
        isinstance(column.dtype, pd.StringDtype)
        or pd.api.types.is_integer_dtype(column.dtype)
        or pd.api.types.is_datetime64_any_dtype(column.dtype)
        or pd.api.types.infer_dtype(column, skipna=True) == "string"
    ):
        codes, index = pd.factorize(column)
        return _Distinct(codes, [_cell(cell) for cell in index.tolist()])
    met: dict[Hashable, int] = {}
    cells = []
    codes = np.full(len(column), -1, np.intp)
    for row, cell in enumerate(_cells(column)):
        if cell is not None:
            codes[row] = met.setdefault(_key(cell, row), len(met))
            if codes[row] == len(cells):
                cells.append(cell)
    return _Distinct(codes, cells)


def _key(cell: object, row: int) -> Hashable:
    """Return what two cells share only if they are read alike: 1 is not True, nor 1.0."""
    if type(cell) is str:
        return cell
    if type(cell) in {bool, int, float, Decimal, date, datetime}:
        return type(cell), repr(cell)
    if isinstance(cell, list | tuple | set | frozenset) and all(type(one) is str for one in cell):
        return type(cell), tuple(cell)
    return row, None


class _Numbering:
    """Numbers what rows say of one input: 0 not given, then the cells, then all else as met."""

    def __init__(self, cuts: tuple[float, ...]) -> None:
        self.cuts = cuts
        self._met: dict[Hashable, int] = {}

    @property
    def size(self) -> int:
        """The numbers in use."""
        return len(self.cuts) + 2 + len(self._met)

    def cells(self, values: Floats) -> Codes:
        """Return the numbers of points."""
        if len(self.cuts) > 32:  # noqa: PLR2004 - from where a binary search pays
            return np.searchsorted(self.cuts, values, side="right") + 1
        cells = np.ones(len(values), np.int8)
        for cut in self.cuts:
            cells += values >= cut
        return cells.astype(np.intp)

    def cell(self, value: float) -> int:
        """Return the number of a point."""
        return bisect_right(self.cuts, value) + 1

    def other(self, key: Hashable) -> int:
        """Return the number of what is no plain point."""
        return self._met.setdefault(key, len(self.cuts) + 2 + len(self._met))

    def result(self, name: str, given: object, decimal: str) -> tuple[int, float, float]:
        """Return the number of a result, and its ends."""
        try:
            read = read_result(name, given, decimal=decimal)
        except RlsironError as error:
            return self.other(str(error)), nan, nan
        low, high = read.span
        cells = (self.cell(low), self.cell(high))
        if read.is_point and not read.codes:
            number = cells[0]
        else:
            number = self.other((bool(read.missing), read.bound, read.codes, cells))
        return number, *_ends(read)

    def age(self, given: object) -> int:
        """Return the number of an age."""
        told = read_patient({"age": given}, errors="note")
        if told.patient.age is None:
            return self.other(told.problems)
        return self.cell(told.patient.age)


def _ends(result: LabResult | None) -> tuple[float, float]:
    """Return the ends of a result; NaN where one is unknown."""
    if result is None or result.low is None:
        return nan, nan
    return result.low, nan if result.high is None else result.high


def _plain_kinds(
    results: Mapping[str, _Result],
    fields: Mapping[str, "pd.Series[Any]"],
    board: Board,
    *,
    decimal: str,
) -> tuple[dict[str, _Numbers], list[_Coded]]:
    """Return the numbers of each input as far as rows with nothing unusual need them."""
    numbers = {
        name: _read_column(result, _Numbering(board.cuts(name)), decimal=decimal)
        for name, result in results.items()
        if name not in _WHOLE
    }
    coded = [one.coded for one in numbers.values()]
    for name, column in fields.items():
        if name == "age":
            coded.append(_ages(column, _Numbering(board.cuts(name))))
        elif name == "drawn":
            coded.append(_draws(column))
        elif name not in _WHOLE:
            coded.append(_whole(_distinct(column)))
    return numbers, coded


def _whole(distinct: _Distinct) -> _Coded:
    return _Coded(distinct.codes + 1, len(distinct.cells) + 1)


def _read_column(result: _Result, numbering: _Numbering, *, decimal: str) -> _Numbers:
    """Return the numbers and the ends of a column of results."""
    rows = len(result.column)
    if not _is_numeric(result.column):
        cells, unread = _distinct(result.column), None
        low, high, codes = np.full(rows, nan), np.full(rows, nan), np.zeros(rows, np.intp)
    else:
        given = _floats(result.column)
        low = _in_canonical_unit(result, given)
        least, most = ordinary(result.name)
        plain = (low >= least) & (low <= most)
        codes = numbering.cells(low)
        if plain.all():
            return _Numbers(_Coded(codes, numbering.size), low, low.copy())
        low[~plain], codes[~plain] = nan, 0
        high = low.copy()
        unread = np.flatnonzero(~(plain | np.isnan(given)))
        result = result.taken(unread)
        cells = _distinct(result.column)
    pairs, pair = _paired(cells, result.unit)
    read = [
        numbering.result(result.name, result.pair(cells.cells[cell], unit), decimal)
        for cell, unit in pairs
    ]
    found = np.array([*read, (0, nan, nan)])[pair]
    rows_read = slice(None) if unread is None else unread
    codes[rows_read] = found[:, 0].astype(np.intp)
    low[rows_read], high[rows_read] = found[:, 1], found[:, 2]
    return _Numbers(_Coded(codes, numbering.size), low, high)


def _paired(cells: _Distinct, unit: _Distinct) -> tuple[list[tuple[int, int]], Codes]:
    """Return the distinct pairs of cell and unit, and that of each row; -1 where it is empty."""
    if len(unit.cells) == 1:
        return [(cell, 0) for cell in range(len(cells.cells))], cells.codes
    joined = cells.codes * len(unit.cells) + unit.codes % len(unit.cells)
    codes, distinct = pd.factorize(np.where(cells.codes < 0, -1, joined))
    pairs = [divmod(int(one), len(unit.cells)) for one in distinct]
    empty = pairs.index((-1, len(unit.cells) - 1)) if (cells.codes < 0).any() else len(pairs)
    codes = np.where(codes == empty, -1, codes - (codes > empty))
    return [pair for pair in pairs if pair[0] >= 0], codes


def _in_canonical_unit(result: _Result, given: Floats) -> Floats:
    """Return numbers on the grid of the canonical unit; NaN where the unit is none."""
    if len(result.unit.cells) == 1:
        return lab.settle(given, lab.factor(result.name, result.unit.cells[0]))
    settled = np.full(len(given), nan)
    for at, unit in enumerate(result.unit.cells):
        try:
            factor = lab.factor(result.name, lab.unit_code(result.name, unit))
        except (UnitError, TypeError):  # a problem of the rows
            continue
        rows = result.unit.codes % len(result.unit.cells) == at
        settled[rows] = lab.settle(given[rows], factor)
    return settled


def _ages(column: "pd.Series[Any]", numbering: _Numbering) -> _Coded:
    if not _is_numeric(column):
        distinct = _distinct(column)
        found = [numbering.age(cell) for cell in distinct.cells]
        return _Coded(np.array([*found, 0], np.intp)[distinct.codes], numbering.size)
    ages = _floats(column)
    plain = (ages >= 0) & (ages <= OLDEST)
    codes = numbering.cells(ages)
    if not plain.all():
        codes[~plain] = 0
        unread = np.flatnonzero(~(plain | np.isnan(ages)))
        distinct = _distinct(column.iloc[unread])
        found = [numbering.age(cell) for cell in distinct.cells]
        codes[unread] = np.array([*found, 0], np.intp)[distinct.codes]
    return _Coded(codes, numbering.size)


def _draws(column: "pd.Series[Any]") -> _Coded:
    """Return whether rows say when the sample was drawn; the day counts for whole rows only."""
    numbering = _Numbering(())
    distinct = _distinct(column)
    problems = [read_patient(errors="note", drawn=cell).problems for cell in distinct.cells]
    found = [numbering.other(problem) if problem else 1 for problem in problems]
    return _Coded(np.array([*found, 0], np.intp)[distinct.codes], numbering.size)


def _combined(parts: Sequence[_Coded], rows: int) -> tuple[Codes, int]:
    """Return the number of each row's combination, and how many there are."""
    kinds, size = np.zeros(rows, np.intp), 1
    for codes, more in parts:
        if size * more > _DENSE:
            kinds, size = _counted(kinds, size)
        kinds = kinds * more + codes if size > 1 else codes
        size *= more
    return _counted(kinds, size)


def _counted(kinds: Codes, size: int) -> tuple[Codes, int]:
    if size > _DENSE:
        codes, distinct = pd.factorize(kinds)
        return codes, len(distinct)
    met = np.zeros(size, bool)
    met[kinds] = True
    return (met.cumsum() - 1)[kinds], int(met.sum())


def _whole_rows(
    results: Mapping[str, _Result], fields: Mapping[str, "pd.Series[Any]"], rows: int
) -> Codes:
    """Return the rows whose answer rests on whole values, not on their cells."""
    columns = {name: result.column for name, result in results.items()} | dict(fields)
    given = np.zeros(rows, bool)
    for name in _WHOLE & columns.keys():
        given |= columns[name].notna().to_numpy(bool)
    return np.flatnonzero(given)


def _with_whole(
    kinds: Codes,
    count: int,
    rows: Codes,
    results: Mapping[str, _Result],
    fields: Mapping[str, "pd.Series[Any]"],
) -> tuple[Codes, int]:
    """Give the rows that rest on whole values a kind for each set of them."""
    if not len(rows):
        return kinds, count
    parts = [_whole(_distinct(column.iloc[rows])) for column in fields.values()]
    for result in results.values():
        taken = result.taken(rows)
        pairs, pair = _paired(_distinct(taken.column), taken.unit)
        parts.append(_Coded(pair + 1, len(pairs) + 1))
    found, more = _combined(parts, len(rows))
    kinds = kinds.copy()
    kinds[rows] = count + found
    return _counted(kinds, count + more)


class _Answers:
    """What is said of each kind: numbers, and words by their place among those met."""

    def __init__(self, board: Board, count: int) -> None:
        names = [*(f"{name}_bound" for name in _USED), "tsat_source"]
        for table in board.tables:
            names += _of_guideline(table.guideline.id)
        names += ["notes", "assumptions", "problems"]
        self.ends: dict[str, Floats] = {name: np.empty((count, 2)) for name in _USED}
        self.words: dict[str, dict[str, int]] = {name: {} for name in names}
        self.places = {name: np.zeros(count, np.int32) for name in names}

    def keep(self, at: int, answer: Interpretation) -> None:
        """Keep the answer of a kind."""
        for name, ends in self.ends.items():
            ends[at] = _ends(getattr(answer.panel, name))
        for (name, words), said in zip(self.words.items(), _said(answer), strict=True):
            self.places[name][at] = words.setdefault(said, len(words))

    def column(self, name: str, kinds: Codes) -> pd.Categorical:
        """Return a column of words for rows of some kinds."""
        met = self.words[name]
        words = _VOCABULARY.get(name.rpartition("_")[2]) or sorted(met)
        place = {word: at for at, word in enumerate(words)}
        width: type[Any] = np.int8 if len(words) < 128 else np.int32  # noqa: PLR2004
        codes = np.array([place[word] for word in met], width)[self.places[name]]
        dtype = pd.CategoricalDtype(pd.Index(words, dtype="str"))
        return pd.Categorical.from_codes(codes[kinds], dtype=dtype, validate=False)


def _answers(
    results: Mapping[str, list[Any]],
    fields: Mapping[str, list[Any]],
    *,
    count: int,
    board: Board,
    decimal: Literal[".", ","],
    strict: bool,
) -> _Answers:
    """Return what is said of one row of each kind."""
    draw = Draw.model_fields.keys()
    guidelines = tuple(table.guideline for table in board.tables)
    answers = _Answers(board, count)
    for at in range(count):
        told = {name: cells[at] for name, cells in fields.items()}
        answer = interpret(
            **{name: cells[at] for name, cells in results.items()},
            **{name: told.pop(name) for name in draw & told.keys()},
            patient=told,
            guidelines=guidelines,
            decimal=decimal,
            errors="note",
            strict=strict,
        )
        answers.keep(at, answer)
    return answers


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
    fine = answers.words["problems"].get("", -1)
    kinds = np.flatnonzero(answers.places["problems"] != fine)
    if len(kinds):
        kind = kinds[first[kinds].argmin()]
        text = list(answers.words["problems"])[answers.places["problems"][kind]]
        raise RlsironError(f"row {shown(df.index[first[kind]])}: {text}")


def _ends_of_rows(
    kinds: Codes, whole: Codes, answers: _Answers, numbers: Mapping[str, _Numbers]
) -> dict[str, Any]:
    """Return the intervals as used: as read, or where a row rests on whole values as answered."""
    columns: dict[str, Any] = {}
    for name, unit in zip(_USED, ("ug_l", "pct"), strict=True):
        read = numbers.get(name)
        nothing = np.full(len(kinds), nan)
        ends = (read.low, read.high) if read else (nothing, nothing.copy())
        for at, end in enumerate(("low", "high")):
            ends[at][whole] = answers.ends[name][kinds[whole], at]
            columns[f"{name}_{end}_{unit}"] = ends[at]
    return columns
