"""Opens the columns of a table of draws: which are read, their units, and their distinct cells."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime
from decimal import Decimal
from math import nan
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlsiron import units as lab
from rlsiron.errors import RlsironError, UnitError, did_you_mean, shown
from rlsiron.models import Draw, LabResult, Patient

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]


class Distinct(NamedTuple):
    """The number of the cell of each row, -1 where it is empty, and the distinct cells."""

    codes: Codes
    cells: list[Any]


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """The column of one analyte, and in which unit each row stands."""

    name: str
    column: "pd.Series[Any]"
    unit: Distinct

    def taken(self, rows: Codes) -> "ResultColumn":
        """Return some of the rows."""
        unit = Distinct(self.unit.codes[rows], self.unit.cells)
        return ResultColumn(self.name, self.column.iloc[rows], unit)

    def given(self) -> list[Any]:
        """Return the rows as `interpret` takes them."""
        cells = plain_cells(self.column)
        return [self.pair(*one) for one in zip(cells, self.unit.codes.tolist(), strict=True)]

    def pair(self, cell: object, unit: int) -> Any:  # noqa: ANN401 - as it was given
        """Return a cell with its unit."""
        return with_unit(cell, self.unit.cells[unit])


def with_unit(cell: object, stated: object) -> Any:  # noqa: ANN401 - as it was given
    """Return a cell with its unit, as `read_result` takes it."""
    whole = cell is None or isinstance(cell, LabResult)  # which has its own unit
    return cell if whole or stated is None else (cell, stated)


def find_columns(labels: list[Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """Return for each name that is read, analytes first, the label of its column."""
    analytes = tuple(lab.analytes())
    fields = (*Patient.model_fields, *Draw.model_fields)
    known = (*analytes, *(f"{name}_unit" for name in analytes), *fields)
    found = _found(known, labels, columns)
    refuse_shared(found)
    for label in found.values():
        if labels.count(label) > 1:
            raise RlsironError(f"column {label!r} stands there {labels.count(label)} times")
    refuse_misspelt(set(labels) - set(found.values()), [n for n in known if n not in found])
    if found.keys().isdisjoint(analytes):
        raise RlsironError(
            f"no column has results; name one of {', '.join(analytes)}, or use columns="
        )
    return found


def open_columns(
    df: pd.DataFrame, *, columns: Mapping[str, str], units: Mapping[str, str], part: bool = False
) -> tuple[dict[str, ResultColumn], dict[str, "pd.Series[Any]"]]:
    """Return the columns that are read: those of analytes, and those of fields.

    Of a part it cannot be said that no row has a unit.
    """
    found = find_columns(df.columns.tolist(), columns)
    read = {name: df[label] for name, label in found.items()}
    analytes = tuple(lab.analytes())
    _refuse_units(units, {name: read[name] for name in analytes if name in read})
    results = {
        name: ResultColumn(
            name, read[name], _units(read.get(f"{name}_unit"), units.get(name), len(df))
        )
        for name in analytes
        if name in read
    }
    for name, result in results.items():
        if not part or (is_numeric(result.column) and f"{name}_unit" not in read):
            _refuse_bare_numbers(result)
    fields = {*Patient.model_fields, *Draw.model_fields}
    return results, {name: column for name, column in read.items() if name in fields}


def refuse_no_mapping(**mappings: object) -> None:
    """Refuse arguments that are no mappings."""
    for name, given in mappings.items():
        if not isinstance(given, Mapping):
            raise RlsironError(f"{name}={shown(given)} is no mapping; give a dict by name")


def refuse_shared(found: Mapping[str, Any]) -> None:
    """Refuse a column that would be two things, but for units, which results may share."""
    whose: dict[Any, str] = {}
    for name, label in found.items():
        other = whose.setdefault(label, name)
        if other != name and not (other.endswith("_unit") and name.endswith("_unit")):
            raise RlsironError(
                f"column {label!r} is named for {other!r} and {name!r}; name one for each"
            )


def _refuse_units(units: Mapping[str, str], results: "Mapping[str, pd.Series[Any]]") -> None:
    """Refuse a unit that is none, or of no column, and a column that cannot be opened."""
    for name, column in results.items():
        if isinstance(column.dtype, pd.SparseDtype):
            raise RlsironError(f"the column of {name} is sparse; make it dense first")
    for name, unit in units.items():
        if name not in results:
            raise UnitError(f"units= names {shown(name)}{did_you_mean(name, results)}")
        if not isinstance(unit, str):
            raise UnitError(f"units= gives {shown(unit)} for {name!r}; give a text such as 'ng/mL'")
        lab.unit_code(name, unit)


def _found(known: Sequence[str], labels: list[Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """Return for each name that is read the label of its column, if it is there."""
    for name, label in columns.items():
        if name not in known:
            raise RlsironError(f"columns= names {shown(name)}{did_you_mean(name, known)}")
        if label not in labels:
            hint = did_you_mean(label, map(str, labels))
            raise RlsironError(f"columns= gives {shown(label)} for {name!r}{hint}")
    return {name: label for name in known if (label := columns.get(name, name)) in labels}


def refuse_misspelt(labels: Iterable[object], missing: Sequence[str]) -> None:
    """Refuse a column that is not read and has all but the name of one that is."""
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


def _refuse_bare_numbers(result: ResultColumn) -> None:
    """Refuse numbers where no row has a unit: that is one fault of the call."""
    if any(unit is not None for unit in result.unit.cells):
        return
    cells: list[Any] = [0] if is_numeric(result.column) else []
    if result.column.dtype == object or isinstance(result.column.dtype, pd.CategoricalDtype):
        cells = distinct_cells(result.column).cells
    if cells and all(isinstance(cell, Number) and not isinstance(cell, bool) for cell in cells):
        raise without_unit(result.name)


def without_unit(name: str) -> UnitError:
    """Return the error of a column of which no number has a unit."""
    sample = lab.analyte(name).units[0]
    return UnitError(
        f"{name} is a column of numbers with no unit; declare units={{{name!r}: {sample!r}}}, or "
        f"give a column '{name}_unit'"
    )


def _units(column: "pd.Series[Any] | None", declared: str | None, rows: int) -> Distinct:
    """Return the unit of each row: its own, else the declared one, else None."""
    if column is None:
        return Distinct(np.zeros(rows, np.intp), [declared])
    codes, cells = distinct_cells(column)
    blank = [isinstance(cell, str) and not cell.strip() for cell in cells]
    stated = [declared if empty else cell for cell, empty in zip(cells, blank, strict=True)]
    # -1 is the last one; at least two, since one would be the unit of all rows
    return Distinct(codes, [*(stated or [declared]), declared])


def is_numeric(column: "pd.Series[Any]") -> bool:
    """Whether a column has a type of binary numbers, so that its rows need no reader."""
    return pd.api.types.is_float_dtype(column.dtype) or pd.api.types.is_integer_dtype(column.dtype)


def floats_of(column: "pd.Series[Any]") -> Floats:
    """Return a numeric column as 64-bit floats, NaN where a row is empty."""
    dtype: Any = getattr(column.dtype, "numpy_dtype", column.dtype)
    if dtype.kind == "f" and dtype != np.float64:  # a shorter float counts as its shortest text
        short = column.to_numpy(dtype=dtype, na_value=nan)
        codes, distinct = pd.factorize(short)
        longer = [float(str(one)) for one in distinct]
        return np.array([*longer, nan])[codes]
    if isinstance(column.dtype, np.dtype) and dtype == np.float64:
        return column.to_numpy()
    return column.to_numpy(dtype=np.float64, na_value=nan)


def plain_cells(column: "pd.Series[Any]") -> list[Any]:
    """Return the cells as Python has them, None where one is empty."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        cells = [*plain_cells(pd.Series(column.cat.categories)), None]
        return [cells[code] for code in column.cat.codes]
    if pd.api.types.is_float_dtype(column.dtype):
        return [None if cell != cell else cell for cell in floats_of(column).tolist()]  # noqa: PLR0124 - NaN
    return [_cell(cell) for cell in _listed(column)]


def _listed(column: "pd.Series[Any] | pd.Index[Any]") -> list[Any]:
    """Return the cells as pandas has them, a date that Python does not have as text."""
    try:
        return column.tolist()
    except (OverflowError, ValueError):
        return cells_of_arrow(column.array.__arrow_array__())


def cells_of_arrow(cells: Any) -> list[Any]:  # noqa: ANN401 - pyarrow is not always there
    """Return an array of pyarrow as Python has it, a date that it does not have as text."""
    try:
        listed: list[Any] = cells.to_pylist()
    except (OverflowError, ValueError):  # such as infinity
        listed = [_cell_of_arrow(cell) for cell in cells]
    return listed


def _cell_of_arrow(cell: Any) -> Any:  # noqa: ANN401 - of any type
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return f"{cell.type} {cell.value}"


def _cell(cell: Any) -> Any:  # noqa: ANN401 - any cell
    if isinstance(cell, str):
        return cell
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if isinstance(cell, pd.Timestamp):
        had = MINYEAR <= cell.year <= MAXYEAR
        return cell.to_pydatetime(warn=False) if had else str(cell)
    if isinstance(cell, np.floating):
        return float(str(cell))
    return cell.item() if isinstance(cell, np.generic) else cell


def distinct_cells(column: "pd.Series[Any]") -> Distinct:
    """Return the distinct cells of a column; two are one only if they are read alike."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, cells = distinct_cells(pd.Series(column.cat.categories))
        return Distinct(np.append(codes, -1)[column.cat.codes.to_numpy()], cells)
    if pd.api.types.is_float_dtype(column.dtype):
        floats = floats_of(column)
        codes, bits = pd.factorize(floats.view(np.int64))  # 0.0 and -0.0 print differently
        codes[np.isnan(floats)] = -1
        return Distinct(codes, np.asarray(bits).view(np.float64).tolist())
    if (
        isinstance(column.dtype, pd.StringDtype)
        or pd.api.types.is_integer_dtype(column.dtype)
        or pd.api.types.is_datetime64_any_dtype(column.dtype)
        or issubclass(column.dtype.type, date)  # of Arrow
        or pd.api.types.infer_dtype(column, skipna=True) == "string"
    ):
        codes, index = pd.factorize(column)
        return Distinct(codes, [_cell(cell) for cell in _listed(index)])
    met: dict[Hashable, int] = {}
    cells = []
    codes = np.full(len(column), -1, np.intp)
    for row, cell in enumerate(plain_cells(column)):
        if cell is not None:
            codes[row] = met.setdefault(key_of(cell) or (row, None), len(met))
            if codes[row] == len(cells):
                cells.append(cell)
    return Distinct(codes, cells)


def key_of(cell: object) -> Hashable | None:
    """Return what two cells share only if they are read alike; None if it cannot be told.

    1 is not True, nor 1.0.
    """
    if type(cell) is str:
        return cell
    if type(cell) in {bool, int, float, Decimal, date, datetime}:
        return type(cell), repr(cell)
    if isinstance(cell, list | tuple | set | frozenset) and all(type(one) is str for one in cell):
        return type(cell), tuple(cell)
    return None


def paired(cells: Distinct, unit: Distinct) -> tuple[list[tuple[int, int]], Codes]:
    """Return the distinct pairs of cell and unit, and that of each row; -1 where it is empty."""
    if len(unit.cells) == 1:
        return [(cell, 0) for cell in range(len(cells.cells))], cells.codes
    joined = cells.codes * len(unit.cells) + unit.codes % len(unit.cells)
    codes, distinct = pd.factorize(np.where(cells.codes < 0, -1, joined))
    pairs = [divmod(int(one), len(unit.cells)) for one in distinct]
    empty = pairs.index((-1, len(unit.cells) - 1)) if (cells.codes < 0).any() else len(pairs)
    codes = np.where(codes == empty, -1, codes - (codes > empty))
    return [pair for pair in pairs if pair[0] >= 0], codes
