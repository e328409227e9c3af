import os
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.dataset as ds  # type: ignore[import-untyped]
import pytest

import rlsiron
from rlsiron.dataframes import open_frame
from rlsiron.frames import interpret_frame
from test_frames import random_frame, units_of

UNITS = {"ferritin": "ng/mL", "tsat": "%"}
Cells = dict[str, list[Any]]

FLOAT, WHOLE, TEXT, DECIMAL, BOOLEAN, LIST, DAY, MOMENT, NONE = (
    "float", "whole", "text", "decimal", "boolean", "list", "day", "moment", "none"
)  # fmt: skip
ARROW = {
    FLOAT: pa.float64(),
    WHOLE: pa.int64(),
    TEXT: pa.string(),
    DECIMAL: pa.decimal128(20, 3),
    BOOLEAN: pa.bool_(),
    LIST: pa.list_(pa.string()),
    DAY: pa.date32(),
    MOMENT: pa.timestamp("us"),
    NONE: pa.null(),
}
POLARS: dict[str, Any] = {
    FLOAT: pl.Float64,
    WHOLE: pl.Int64,
    TEXT: pl.String,
    DECIMAL: pl.Decimal(20, 3),
    BOOLEAN: pl.Boolean,
    LIST: pl.List(pl.String),
    DAY: pl.Date,
    MOMENT: pl.Datetime("us"),
    NONE: pl.Null,
}
READ: dict[str, Callable[[Any], Any]] = {
    FLOAT: lambda cell: cell if isinstance(cell, float) else None,
    WHOLE: lambda cell: int(cell) if isinstance(cell, float) and abs(cell) < 2**53 else None,
    TEXT: lambda cell: cell if isinstance(cell, str) else None,
    DECIMAL: lambda cell: (
        Decimal(str(cell)).quantize(Decimal("0.001")) + 0  # decimals of Arrow have no -0
        if isinstance(cell, Decimal) or (isinstance(cell, float) and abs(cell) < 1e9)
        else None
    ),
    BOOLEAN: lambda cell: cell if isinstance(cell, bool) else None,
    LIST: lambda cell: (
        list(cell) if isinstance(cell, list) and all(isinstance(one, str) for one in cell) else None
    ),
    DAY: lambda cell: cell if type(cell) is date else None,
    MOMENT: lambda cell: cell if isinstance(cell, datetime) and cell.tzinfo is None else None,
    NONE: lambda _: None,
}
KINDS_OF_FIELDS: dict[str, tuple[str, ...]] = {
    "age": (FLOAT, TEXT, WHOLE),
    "birth_date": (TEXT,),
    "conditions": (TEXT, LIST),
    "rapid_response_wanted": (BOOLEAN, TEXT),
    "inflammation": (BOOLEAN,),
    "fasting": (BOOLEAN, TEXT),
    **dict.fromkeys(
        ("drawn", "last_oral_iron", "last_iv_iron", "last_transfusion", "last_fever"),
        (TEXT, DAY, MOMENT, NONE),
    ),
}
RESULTS = {"ferritin", "tsat", "iron", "tibc", "uibc", "transferrin", "crp", "hemoglobin"}


def typed_rows(rows: int, seed: int) -> tuple[Cells, dict[str, str]]:
    """Return the random rows of test_frames, each column with cells of one type only."""
    rng = random.Random(seed)  # noqa: S311 - a seed is the point
    given = random_frame(rows, seed)
    kinds = {
        str(name): rng.choice(
            (FLOAT, TEXT, DECIMAL, WHOLE)
            if name in RESULTS
            else KINDS_OF_FIELDS.get(str(name), (TEXT,))
        )
        for name in given
    }
    cells = {name: list(map(READ[kind], given[name].tolist())) for name, kind in kinds.items()}
    return cells, kinds


def as_pandas(cells: Cells, kinds: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: pd.Series(column, dtype="float64" if kinds[name] == FLOAT else object)
            for name, column in cells.items()
        }
    )


def as_arrow(cells: Cells, kinds: dict[str, str], chunk: int = 110) -> pa.Table:
    """Return a table in chunks, each a slice with an offset."""
    schema = pa.schema([(name, ARROW[kind]) for name, kind in kinds.items()])
    rows = len(next(iter(cells.values())))
    chunks = []
    for start in range(0, rows, chunk):
        part = {name: [column[0], *column[start : start + chunk]] for name, column in cells.items()}
        chunks.append(pa.table(part, schema).slice(1))
    return pa.concat_tables(chunks) if chunks else schema.empty_table()


def as_polars(cells: Cells, kinds: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(cells, schema={name: POLARS[kind] for name, kind in kinds.items()})


def in_chunks(df: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([df.slice(0, 7), df.slice(7)], rechunk=False)


def relation(labs: pa.Table) -> duckdb.DuckDBPyRelation:
    assert isinstance(labs, pa.Table)
    return duckdb.connect().sql("select * from labs")


class Stranger:
    """A frame of a library that speaks Arrow and is not known."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def words_as_categories(df: pl.DataFrame) -> pl.DataFrame:
    return df.with_columns(pl.col(pl.String).cast(pl.Categorical))


def words_as_dictionaries(table: pa.Table) -> pa.Table:
    """Return a table whose chunks have dictionaries of their own."""
    columns = []
    for column in table.columns:
        coded = pa.types.is_string(column.type)
        chunks = [chunk.dictionary_encode() if coded else chunk for chunk in column.chunks]
        columns.append(pa.chunked_array(chunks, chunks[0].type if chunks else column.type))
    return pa.table(columns, names=table.column_names)


def words_as(table: pa.Table, type_: Any) -> pa.Table:  # noqa: ANN401
    schema = [pa.field(f.name, type_ if f.type == pa.string() else f.type) for f in table.schema]
    return table.cast(pa.schema(schema))


OF_TABLE: dict[str, Callable[[pa.Table], Any]] = {
    "table": lambda table: table,
    "batch": lambda table: (
        table.combine_chunks().to_batches()[0]
        if len(table)
        else (pa.RecordBatch.from_pylist([], table.schema))
    ),
    "reader": lambda table: table.to_reader(max_chunksize=30),
    "dataset": ds.dataset,
    "stranger": Stranger,
    "relation": relation,
    "dictionaries": words_as_dictionaries,
    "large": lambda table: words_as(table, pa.large_string()),
    "views": lambda table: words_as(table, pa.string_view()),
    "wide": lambda table: table.append_column("patient", pa.array([{"no": 1}] * len(table))),
}
OF_POLARS: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda df: df,
    "polars in chunks": in_chunks,
    "polars categories": words_as_categories,
    "lazy polars": lambda df: df.lazy(),
    "lazy polars categories": lambda df: words_as_categories(df).lazy(),
}


def framed(kind: str, cells: Cells, types: dict[str, str] | None = None) -> Any:  # noqa: ANN401
    """Return cells as a frame of a kind."""
    types = types or {
        name: FLOAT if isinstance(column[0], float) else TEXT for name, column in cells.items()
    }
    if kind in OF_TABLE:
        return OF_TABLE[kind](as_arrow(cells, types))
    return OF_POLARS[kind](as_polars(cells, types))


def cells_of(out: Any) -> Cells:  # noqa: ANN401 - a frame of any kind
    """Return the cells of an answer as Python has them; a gap must be None, never NaN."""
    if isinstance(out, pl.LazyFrame):
        out = out.collect()
    if isinstance(out, pl.DataFrame):
        return out.to_dict(as_series=False)
    if isinstance(out, duckdb.DuckDBPyRelation):
        rows = out.fetchall()
        return {name: [row[at] for row in rows] for at, name in enumerate(out.columns)}
    if isinstance(out, pa.RecordBatchReader):
        out = out.read_all()
    cells: Cells = out.to_pydict()
    return cells


def cells_of_pandas(out: pd.DataFrame) -> Cells:
    """Return the same of an answer of pandas, where a gap is NaN."""
    return {
        str(name): [None if cell != cell else cell for cell in out[name].tolist()]  # noqa: PLR0124
        for name in out
    }


ROWS = int(os.environ.get("RLSIRON_FRAME_ROWS", "1500")) // 5
SEEDS = range(4)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsiron.dataframes.BATCH", 70)


@pytest.fixture(scope="module")
def expected() -> Callable[[int], tuple[Cells, dict[str, str], Cells]]:
    met: dict[int, tuple[Cells, dict[str, str], Cells]] = {}

    def of(seed: int) -> tuple[Cells, dict[str, str], Cells]:
        if seed not in met:
            cells, kinds = typed_rows(ROWS, seed)
            out = interpret_frame(as_pandas(cells, kinds), units=units_of(seed))
            met[seed] = cells, kinds, cells_of_pandas(out)
        return met[seed]

    return of


Expected = Callable[[int], tuple[Cells, dict[str, str], Cells]]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [*OF_TABLE, *OF_POLARS])
def test_every_kind_is_answered_as_pandas_is(kind: str, seed: int, expected: Expected) -> None:
    cells, types, answer = expected(seed)
    out = interpret_frame(framed(kind, cells, types), units=units_of(seed))
    assert cells_of(out) == answer


TWO = {"ferritin": [62.0, None, 310.0], "tsat": [18.0, 30.0, 12.0]}
SAME: dict[str, tuple[Callable[[], Any], type]] = {
    "pandas": (lambda: pd.DataFrame(TWO), pd.DataFrame),
    "polars": (lambda: pl.DataFrame(TWO), pl.DataFrame),
    "lazy polars": (lambda: pl.LazyFrame(TWO), pl.LazyFrame),
    "table": (lambda: pa.table(TWO), pa.Table),
    "batch": (lambda: pa.record_batch(TWO), pa.RecordBatch),
    "reader": (lambda: pa.table(TWO).to_reader(), pa.RecordBatchReader),
    "dataset": (lambda: ds.dataset(pa.table(TWO)), pa.RecordBatchReader),
    "relation": (lambda: relation(pa.table(TWO)), duckdb.DuckDBPyRelation),
    "stranger": (lambda: Stranger(pa.table(TWO)), pa.Table),
}


@pytest.mark.parametrize(("frame", "kind"), SAME.values(), ids=SAME)
def test_the_answer_is_of_the_same_kind(frame: Callable[[], Any], kind: type) -> None:
    assert isinstance(interpret_frame(frame(), units=UNITS, guidelines="aasm-2025"), kind)


@pytest.mark.parametrize("kind", [*OF_TABLE, *OF_POLARS])
def test_an_empty_frame_has_the_types_of_a_full_one(kind: str) -> None:
    """No type depends on the rows, so that answers to parts fit together."""
    types = {"ferritin": FLOAT, "sex": TEXT, "conditions": LIST}
    some: Cells = {"ferritin": [62.0, -1.0], "sex": ["male", "x"], "conditions": [["diabetes"], []]}
    none: Cells = {name: [] for name in types}
    full, empty = (
        interpret_frame(framed(kind, cells, types), units={"ferritin": "ng/mL"})
        for cells in (some, none)
    )
    assert types_of(full) == types_of(empty)
    assert len(cells_of(full)["problems"]) == 2
    assert cells_of(empty)["problems"] == []


def types_of(out: Any) -> Any:  # noqa: ANN401
    if isinstance(out, pl.LazyFrame):
        return out.collect_schema()
    return out.types if isinstance(out, duckdb.DuckDBPyRelation) else out.schema


def test_words_are_categories_in_polars() -> None:
    out = interpret_frame(pl.DataFrame(TWO), units=UNITS, guidelines="aasm-2025")
    assert out.schema["aasm_2025_disposition"] == pl.Enum(
        ["oral-iron", "iv-iron", "oral-or-iv-iron", "no-iron", "withhold-iron", "not-covered",
         "indeterminate"]
    )  # fmt: skip
    assert out.schema["notes"] == pl.Categorical()
    assert {str(type_) for type_ in out.dtypes[:4]} == {"Float64"}


def test_words_are_dictionaries_in_arrow() -> None:
    out = interpret_frame(pa.table(TWO), units=UNITS, guidelines="aasm-2025")
    assert out.schema.field("aasm_2025_disposition").type == pa.dictionary(pa.int8(), pa.string())
    assert out.schema.field("notes").type == pa.dictionary(pa.int32(), pa.string())


def test_what_is_unknown_is_null_and_not_nan() -> None:
    """In polars and DuckDB NaN is above every number: a missing ferritin would be high."""
    high = pl.col("ferritin_high_ug_l") > 300
    df = pl.DataFrame({"ferritin": [62.0, None, float("nan"), 310.0]})
    units = {"ferritin": "ng/mL"}
    assert len(interpret_frame(df, units=units).filter(high)) == 1
    assert len(interpret_frame(df.lazy(), units=units).filter(high).collect()) == 1
    out = interpret_frame(relation(df.to_arrow()), units=units)
    assert len(out.filter("ferritin_high_ug_l > 300").fetchall()) == 1
    table = interpret_frame(df.to_arrow(), units=units)
    assert table["ferritin_high_ug_l"].null_count == 2


def test_numbers_without_gaps_are_not_copied() -> None:
    table = pa.table({"ferritin": [62.0, 75.0], "age": [44, 51]})
    df = pl.DataFrame({"ferritin": [62.0, 75.0], "age": [44, 51]})
    for given in (table, df):
        [part] = open_frame(given).parts(["ferritin", "age"])
        for name in ("ferritin", "age"):
            assert np.shares_memory(part[name].to_numpy(), given[name].to_numpy())


def test_whole_numbers_with_gaps_stay_whole() -> None:
    """2**53 + 1 is no float; the error shows it as it was given."""
    many = {"ferritin": [2**53 + 1, None, 75]}
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(many["ferritin"]))
    table = pa.table(many)
    for df in (pl.DataFrame(many), table, relation(table), pa.table({"ferritin": coded})):
        out = cells_of(interpret_frame(df, units={"ferritin": "ng/mL"}))
        assert "9007199254740993" in out["problems"][0]
        assert out["ferritin_low_ug_l"][1:] == [None, 75.0]


@pytest.mark.parametrize(
    "type_",
    [pa.float16(), pa.float32(), pa.int8(), pa.uint8(), pa.uint64(), pa.decimal32(6, 1),
     pa.decimal64(9, 2), pa.decimal128(20, 0), pa.decimal256(50, 3)],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("coded", [False, True], ids=["plain", "dictionary"])
def test_every_type_of_numbers_is_read(type_: Any, coded: bool) -> None:  # noqa: ANN401, FBT001
    cells = [None, Decimal(62), Decimal(75), None, Decimal(101), Decimal(62)]
    if pa.types.is_decimal(type_):
        array = pa.array(cells, pa.decimal128(20, 0)).cast(type_)
    else:
        array = pa.array([cell if cell is None else float(cell) for cell in cells]).cast(type_)
    if coded:
        array = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None, 4, 1]), array)
    out = interpret_frame(pa.table({"ferritin": array}).slice(1), units={"ferritin": "ng/mL"})
    assert cells_of(out)["ferritin_high_ug_l"] == [62.0, 75.0, None, 101.0, 62.0]


@pytest.mark.parametrize(
    "type_",
    [pl.Float32, pl.Float16, pl.Int8, pl.UInt8, pl.UInt64, pl.Int128, pl.UInt128, pl.Decimal(9, 1)],
    ids=str,
)
def test_every_type_of_numbers_of_polars_is_read(type_: Any) -> None:  # noqa: ANN401
    df = pl.DataFrame({"ferritin": pl.Series([62, None, 75, 101]).cast(type_)})
    out = interpret_frame(df, units={"ferritin": "ng/mL"})
    assert out["ferritin_high_ug_l"].to_list() == [62.0, None, 75.0, 101.0]


def test_a_short_float_counts_as_its_shortest_text() -> None:
    """75.1 as a 32-bit float is 75.09999847; 44.9 is 44.90000153."""
    short = {"ferritin": np.array([75.1], np.float32), "tsat": np.array([44.9], np.float32)}
    coded = pa.DictionaryArray.from_arrays(pa.array([0]), pa.array(short["ferritin"]))
    table = pa.table(short)
    for df in (pl.DataFrame(short), table, table.set_column(0, "ferritin", coded)):
        out = cells_of(interpret_frame(df, units=UNITS))
        assert out["ferritin_low_ug_l"] == [75.1]
        assert out["tsat_low_pct"] == [44.9]


def test_decimals_are_read_as_they_are_printed() -> None:
    """74.9999999995 is on the grid at 75, and 75.000000001 is beyond it."""
    exact = [Decimal("75.0000000000"), Decimal("75.0000000010"), Decimal("74.9999999990")]
    cells = {"ferritin": exact, "age": [44] * 3}
    for df in (pl.DataFrame(cells), pa.table(cells)):
        out = interpret_frame(df, guidelines="aan-2016", units={"ferritin": "ng/mL"})
        low = cells_of(out)["ferritin_low_ug_l"]
        assert low == [75.0, 75.000000001, 74.999999999]
        assert cells_of(out)["aan_2016_criterion"] == ["oral-iron", "no-iron", "oral-iron"]


def test_times_keep_their_zone() -> None:
    """In autumn one hour comes twice in Berlin: 02:30 is 24 h before, and 23 h before, the draw."""
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC).astimezone(zone)
    second = datetime(2025, 10, 26, 1, 30, tzinfo=UTC).astimezone(zone)
    drawn = datetime(2025, 10, 27, 0, 30, tzinfo=UTC).astimezone(zone)
    assert first.replace(tzinfo=None) == second.replace(tzinfo=None)
    cells = {
        "ferritin": [62.0] * 3,
        "tsat": [18.0] * 3,
        "drawn": [drawn] * 3,
        "last_oral_iron": [first, second, None],
    }
    units = {"ferritin": "ng/mL", "tsat": "%"}
    for unit in ("us", "ns", "ms"):
        table = pa.table(cells).cast(
            pa.schema(
                [("ferritin", pa.float64()), ("tsat", pa.float64())]
                + [(name, pa.timestamp(unit, "Europe/Berlin")) for name in list(cells)[2:]]
            )
        )
        df = pl.DataFrame(cells, schema_overrides={"drawn": pl.Datetime(unit, "Europe/Berlin")})
        for given in (table, df, relation(table)):
            out = cells_of(interpret_frame(given, units=units))
            assert out["tsat_low_pct"] == [18.0, None, 18.0]


def test_a_dictionary_may_hold_gaps_and_words_twice() -> None:
    words = pa.array(["62 ng/mL", None, "62 ng/mL", "QNS"])
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None]), words)
    no_gaps = pa.array(["75 ng/mL", "75 ng/mL", "62 ng/mL"])
    second = pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 2]), no_gaps)
    expected = {"with gaps": [62.0, None, 62.0, None], "twice": [75.0, 75.0, None, 62.0]}
    for column, low in zip((first, second), expected.values(), strict=True):
        out = interpret_frame(pa.table({"ferritin": column}))
        assert cells_of(out)["ferritin_low_ug_l"] == low


@pytest.mark.parametrize(
    "type_",
    [pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_view(pa.string()),
     pa.large_list_view(pa.string()), pa.list_(pa.string(), 2)],
    ids=str,
)  # fmt: skip
def test_conditions_are_lists(type_: Any) -> None:  # noqa: ANN401
    conditions = [["diabetes", "hemochromatosis"], None, ["heart failure", None]]
    table = pa.table({"ferritin": ["62 ng/mL"] * 3, "conditions": pa.array(conditions, type_)})
    out = cells_of(interpret_frame(table, guidelines="aasm-2025"))
    assert out["aasm_2025_disposition"][0] == "withhold-iron"
    assert "conditions=none" in out["assumptions"][1]
    assert "heart failure" in out["problems"][2]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"value": 1}]),
        pa.array([b"62"]),
        pa.array(["0" * 16]).cast(pa.binary()).cast(pa.binary(16)).cast(pa.uuid()),
        pl.Series([{"value": 1}]),
        pl.Series([b"62"]),
        pl.Series([object()], dtype=pl.Object),
    ],
    ids=lambda column: str(getattr(column, "type", None) or column.dtype),
)
def test_a_type_that_is_none_of_results_is_refused(column: Any) -> None:  # noqa: ANN401
    df = pl.DataFrame if isinstance(column, pl.Series) else pa.table
    with pytest.raises(
        rlsiron.RlsironError,
        match=r"column 'ferritin' has the type .* of (polars|Arrow), which is not read; cast it",
    ):
        interpret_frame(df({"ferritin": column}))


WRONG: list[tuple[Cells, dict[str, Any], str]] = [
    ({"feritin": [1.0]}, {}, "column 'feritin' is not read; did you mean 'ferritin'"),
    ({"age": [44.0]}, {}, "no column has results"),
    ({"ferritin": [62.0]}, {}, "ferritin is a column of numbers with no unit"),
    ({"ferritin": [62.0]}, {"units": {"tsat": "%"}}, "units= names 'tsat'"),
    ({"ferritin": [62.0]}, {"columns": {"tsat": "x"}}, "columns= gives 'x' for 'tsat'"),
    ({"ferritin": [62.0]}, {"columns": "x"}, "columns='x' is no mapping"),
    ({"ferritin": [62.0]}, {"units": "x"}, "units='x' is no mapping"),
]


@pytest.mark.parametrize(("cells", "call", "message"), WRONG)
@pytest.mark.parametrize("kind", ["polars", "lazy polars", "table", "reader", "relation"])
def test_a_wrong_call_fails_at_once(
    kind: str, cells: Cells, call: dict[str, Any], message: str
) -> None:
    with pytest.raises(rlsiron.RlsironError) as refusal:
        interpret_frame(framed(kind, cells), **call)
    assert message in str(refusal.value)


def test_a_name_that_stands_twice_is_refused() -> None:
    table = pa.table([[1.0], [2.0], [1], [2]], names=["ferritin", "ferritin", "x", "x"])
    with pytest.raises(rlsiron.RlsironError, match="column 'ferritin' stands there 2 times"):
        interpret_frame(table, units={"ferritin": "ng/mL"})
    out = interpret_frame(table.remove_column(0), units={"ferritin": "ng/mL"})
    assert out["ferritin_low_ug_l"].to_pylist() == [2.0]


def test_columns_are_renamed() -> None:
    cells: Cells = {"LBXFER": [62.0], "unit": ["ng/mL"], "ferritin": ["x"], 'odd "name': [44.0]}
    columns = {"ferritin": "LBXFER", "ferritin_unit": "unit", "age": 'odd "name'}
    for kind in ("polars", "lazy polars", "table", "dataset", "relation"):
        out = cells_of(interpret_frame(framed(kind, cells), columns=columns))
        assert out["ferritin_low_ug_l"] == [62.0]
        assert "age" not in out["aasm_2025_needs"][0]


MANY: Cells = {"ferritin": ["62 ng/mL"] * 200 + ["x"] + ["62 ng/mL"] * 9}


@pytest.mark.parametrize(
    "kind", ["lazy polars", "reader", "dataset", "polars", "table", "batch", "relation"]
)
def test_an_error_names_the_row_of_the_whole(kind: str) -> None:
    """The 201st row is in the third batch of a lazy frame, and in the second chunk of a table."""
    with pytest.raises(rlsiron.RlsironError, match=r"row 200: .*ferritin 'x' cannot be read"):
        cells_of(interpret_frame(framed(kind, MANY), errors="raise"))


def test_a_lazy_frame_is_read_when_asked_and_no_further() -> None:
    seen: list[int] = []

    def watched(df: pl.DataFrame) -> pl.DataFrame:
        seen.append(len(df))
        return df

    lazy = pl.LazyFrame({"ferritin": [62.0, 310.0] * 500})
    out = interpret_frame(
        lazy.map_batches(watched, schema={"ferritin": pl.Float64}),
        units={"ferritin": "ng/mL"},
        guidelines="aasm-2025",
    )
    assert seen == []
    said = "aasm_2025_disposition"
    assert out.select(said).head(75).collect()[said].to_list().count("withhold-iron") == 37
    assert len(out.filter(pl.col(said) == "withhold-iron").collect()) == 500
    engines: tuple[Literal["in-memory", "streaming"], ...] = ("in-memory", "streaming")
    for engine in engines:
        beside = pl.concat([lazy, out], how="horizontal").collect(engine=engine)
        assert (beside["ferritin"] == beside["ferritin_low_ug_l"]).all()
    assert out.collect().equals(
        interpret_frame(lazy.collect(), units={"ferritin": "ng/mL"}, guidelines="aasm-2025")
    )


def test_a_lazy_frame_gives_the_rows_and_columns_that_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As polars asks it, but in this thread: columns, and a filter behind the first rows."""
    monkeypatch.setattr("polars.io.plugins.register_io_source", lambda source, **_: source)
    lazy = pl.LazyFrame({"ferritin": [62.0, 310.0] * 100})
    source: Any = interpret_frame(lazy, units={"ferritin": "ng/mL"})
    high = pl.col("ferritin_low_ug_l") > 300
    names = ["ferritin_low_ug_l", "problems"]
    assert pl.concat(source(names, high, 75, None)).rows() == [(310.0, "")] * 37
    all_rows = pl.concat(source(None, None, None, 10))
    assert all_rows.shape == (200, 28)


@pytest.mark.parametrize("kind", ["lazy polars", "dataset", "reader"])
def test_a_lazy_frame_is_read_in_batches(kind: str) -> None:
    frame = open_frame(framed(kind, {"ferritin": [62.0] * 1000, "x": [1.0] * 1000}))
    parts = list(frame.parts(["ferritin"]))
    assert max(map(len, parts)) < 2 * 70
    assert [row for part in parts for row in part.index] == list(range(1000))
    assert {*map(tuple, parts)} == {("ferritin",)}


def test_a_part_without_any_unit_is_a_problem_of_its_rows() -> None:
    """Of a whole frame it is one fault of the call; here the first batch has units."""
    cells = {"ferritin": [62.0] * 140, "ferritin_unit": ["ng/mL"] * 70 + [None] * 70}
    whole = cells_of_pandas(interpret_frame(pd.DataFrame(cells)))
    assert "has no unit" in whole["problems"][139]
    table = pa.table(cells)
    for df in (pl.LazyFrame(cells), table.to_reader(70), ds.dataset(table), table):
        assert cells_of(interpret_frame(df)) == whole


def test_categories_may_differ_between_batches() -> None:
    chunks = [
        pa.array(["62 ng/mL", None]).dictionary_encode(),
        pa.array(["310 ng/mL", "62 ng/mL"]).dictionary_encode(),
        pa.array([None, None], pa.string()).dictionary_encode(),
    ]
    table = pa.table({"ferritin": pa.chunked_array(chunks)})
    low = [62.0, None, 310.0, 62.0, None, None]
    assert cells_of(interpret_frame(table))["ferritin_low_ug_l"] == low
    assert cells_of(interpret_frame(table.to_reader()))["ferritin_low_ug_l"] == low


def test_a_dataset_of_files_is_read_in_order(tmp_path: Path) -> None:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    for part in range(3):
        table = pa.table({"ferritin": np.arange(part * 200.0 + 1, part * 200 + 201)})
        pq.write_table(table, tmp_path / f"part-{part}.parquet")
    out = interpret_frame(ds.dataset(tmp_path), units={"ferritin": "ng/mL"})
    assert cells_of(out)["ferritin_low_ug_l"] == list(range(1, 601))
    lazy = pl.scan_parquet(tmp_path / "*.parquet")
    out = interpret_frame(lazy, units={"ferritin": "ng/mL"})
    assert cells_of(out)["ferritin_low_ug_l"] == list(range(1, 601))


def test_a_relation_is_answered_on_its_connection() -> None:
    connection = duckdb.connect()
    connection.sql(
        "create table labs as select range as id, range * 40.0 as ferritin from range(1, 10)"
    )
    labs = connection.table("labs")
    out = interpret_frame(labs, guidelines="aasm-2025", units={"ferritin": "ng/mL"})
    out.create_view("answers")
    beside = connection.sql(
        "select id, ferritin, ferritin_low_ug_l from labs positional join answers"
    )
    assert [row[1] == row[2] for row in beside.fetchall()] == [True] * 9
    assert out.fetchall() == out.fetchall()


def test_a_connection_that_shuffles_rows_is_refused() -> None:
    labs = relation(pa.table({"ferritin": ["62 ng/mL"]}))
    labs.query("labs", "select 1")
    connection = duckdb.connect()
    connection.sql("set preserve_insertion_order = false")
    with pytest.raises(rlsiron.RlsironError, match="run SET preserve_insertion_order = true"):
        interpret_frame(connection.sql("select '62 ng/mL' as ferritin"))


@pytest.mark.parametrize("df", [{"ferritin": ["62 ng/mL"]}, [1], None, pd.Series([1])], ids=type)
def test_what_is_no_frame_is_refused(df: object) -> None:
    with pytest.raises(rlsiron.RlsironError, match="is no frame"):
        interpret_frame(df)


def test_a_series_is_no_frame() -> None:
    with pytest.raises(rlsiron.RlsironError, match="Series is no frame with columns"):
        interpret_frame(pl.Series(["62 ng/mL"]))


def printed(code: str) -> str:
    """Return the last line that a process of its own prints."""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, encoding="utf-8", timeout=60
    )
    return (found.stdout or found.stderr).strip().rpartition("\n")[2]


WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None
import {library}
from rlsiron.frames import interpret_frame
interpret_frame({library}.{frame}, guidelines="aasm-2025"){after}
print(*(name for name in ("polars", "pyarrow", "duckdb", "narwhals") if sys.modules.get(name)))
"""


@pytest.mark.parametrize(
    ("library", "frame", "after", "loaded"),
    [
        ("pandas", "DataFrame({'ferritin': ['62 ng/mL']})", "", ""),
        ("polars", "DataFrame({'ferritin': ['62 ng/mL', None]})", "", "polars"),
        ("polars", "LazyFrame({'ferritin': ['62 ng/mL', None]})", ".collect()", "polars"),
    ],
    ids=["pandas", "polars", "lazy polars"],
)
def test_no_library_is_imported_that_is_not_used(
    library: str, frame: str, after: str, loaded: str
) -> None:
    """And polars needs no pyarrow."""
    code = WITHOUT_PYARROW.format(library=library, frame=frame, after=after)
    assert printed(code) == loaded


def test_what_needs_pyarrow_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Stranger(pa.table(TWO))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for df, name in ((stranger, "Stranger"), (duckdb.sql("select 1 as tsat"), "DuckDBPyRelation")):
        with pytest.raises(rlsiron.RlsironError, match=f"{name} is read by pyarrow; install pya"):
            interpret_frame(df, units=UNITS)


def test_pandas_brings_what_it_brings_and_no_more() -> None:
    code = """
import sys
import pandas
before = set(sys.modules)
from rlsiron.frames import interpret_frame
interpret_frame(pandas.DataFrame({"ferritin": ["62 ng/mL"]}))
print(*[name for name in ("pyarrow", "polars", "duckdb") if name in set(sys.modules) - before], ".")
"""
    assert printed(code) == "."


TEXTS = ["62 ng/mL"] * 2
INFINITY, FAR_OFF = 2**31 - 1, 2**62


def arrow_dates(at: int) -> Any:  # noqa: ANN401 - untyped
    """Return a column with a date that Python does not have, and one that it has."""
    return (
        pa.array([INFINITY, 20_000], pa.int32()).cast(pa.date32()),
        pa.array([FAR_OFF, 10**15], pa.int64()).cast(pa.timestamp("us")),
        pa.array([-FAR_OFF, 10**15], pa.int64()).cast(pa.timestamp("us", "UTC")),
    )[at]


def drawn(column: Any) -> pd.DataFrame:  # noqa: ANN401 - of any type
    return pd.DataFrame({"ferritin": TEXTS, "drawn": column})


def far_of_arrow(at: int) -> Any:  # noqa: ANN401 - untyped
    return pa.table({"ferritin": TEXTS, "drawn": arrow_dates(at)})


def far_of_pandas(at: int) -> pd.DataFrame:
    return drawn(pd.array(arrow_dates(at), pd.ArrowDtype(arrow_dates(at).type)))


def far_of_numpy(year: str) -> pd.DataFrame:
    return drawn(np.array([year, "2020-01-01"], "M8[s]"))


def far_of_polars(type_: Any, number: Any, far: int, near: int) -> pl.DataFrame:  # noqa: ANN401
    column = pl.Series([far, near], dtype=number).cast(type_)
    return pl.DataFrame({"ferritin": TEXTS, "drawn": column})


def far_of_duckdb() -> Any:  # noqa: ANN401
    return duckdb.sql(
        "select '62 ng/mL' as ferritin, unnest(['infinity'::date, '2024-10-04']) as drawn"
    )


YEARS = ("20000-01-01", "0000-01-01", "-0500-01-01")
FAR: dict[str, Callable[[], Any]] = {
    **{f"arrow {at}": partial(far_of_arrow, at) for at in range(3)},
    **{f"pandas by arrow {at}": partial(far_of_pandas, at) for at in range(3)},
    **{f"pandas {year}": partial(far_of_numpy, year) for year in YEARS},
    "polars date": partial(far_of_polars, pl.Date, pl.Int32, INFINITY, 20_000),
    "polars moment": partial(far_of_polars, pl.Datetime("ms", "UTC"), pl.Int64, FAR_OFF, 10**12),
    "duckdb": far_of_duckdb,
}


@pytest.mark.parametrize("frame", FAR.values(), ids=FAR)
def test_a_date_that_python_does_not_have_is_a_problem_of_its_row(frame: Callable[[], Any]) -> None:
    out = interpret_frame(frame())
    cells = cells_of_pandas(out) if isinstance(out, pd.DataFrame) else cells_of(out)
    bad, good = cells["problems"]
    assert "drawn" in bad
    assert "write a date of our times" in bad
    assert good == ""


def test_a_column_that_is_not_read_may_be_of_any_type() -> None:
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    out = interpret_frame(pa.table({"ferritin": ["62 ng/mL"], "other": union}))
    assert out["ferritin_low_ug_l"].to_pylist() == [62.0]
