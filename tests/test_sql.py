"""The query of every guideline is run in four engines, and equals `interpret_frame` in each."""

import os
import random
import sqlite3
import sys
from collections.abc import Callable
from functools import cache
from importlib import reload
from io import StringIO
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest

from canonical import answers, as_frame, canonical, columns_of, every_cell, random_rows
from rlsiron import RlsironError, sql_terms
from rlsiron.catalog import guideline_ids
from rlsiron.compiler import compile_table
from rlsiron.guideline import shipped
from rlsiron.patient import EVENTS
from rlsiron.sql import TESTED, canonical_columns, guideline_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OUT = ("disposition", "criterion", "iron", "possible", "needs", "rule")
ROWS = int(os.environ.get("RLSIRON_FRAME_ROWS", "400"))  # random ones; by hand 100,000
CELLS = int(os.environ.get("RLSIRON_SQL_CELLS", "60"))  # of each guideline; by hand 0, for all
IN_SPARK = {"aan-2016"}
Run = Callable[[str, pd.DataFrame], pd.DataFrame]


def in_duckdb(query: str, draws: pd.DataFrame) -> pd.DataFrame:
    with duckdb.connect() as engine:
        engine.register("draws", draws)
        said: pd.DataFrame = engine.sql(query).df()
        return said


def _type(name: object) -> str:
    name = str(name)
    if name in {"rapid_response_wanted", "inflammation"}:
        return "boolean"
    is_number = name in {"age", "draw_id"} or name.endswith(
        ("_days", "_ug_l", "_pct", "_mg_l", "_g_l")
    )
    return "double precision" if is_number else "text"


def _plain(cell: Any) -> Any:  # noqa: ANN401 - any cell
    return None if cell is None or pd.isna(cell) else cell


def _cells(draws: pd.DataFrame) -> list[tuple[Any, ...]]:
    rows = draws.astype(object).itertuples(index=False)
    return [tuple(_plain(cell) for cell in row) for row in rows]


def in_sqlite(query: str, draws: pd.DataFrame) -> pd.DataFrame:
    engine = sqlite3.connect(":memory:")
    try:
        engine.execute(f"create table draws ({', '.join(f'{n} {_type(n)}' for n in draws)})")
        marks = ", ".join("?" * draws.shape[1])
        engine.executemany(f"insert into draws values ({marks})", _cells(draws))  # noqa: S608
        return pd.read_sql_query(query, engine)
    finally:
        engine.close()


def _literal(cell: Any) -> str:  # noqa: ANN401 - any cell
    if cell is None or isinstance(cell, bool):
        return "null" if cell is None else str(cell)
    return f"'{cell}'"


def in_postgres(query: str, draws: pd.DataFrame, run: Callable[[str], str]) -> pd.DataFrame:
    columns = ", ".join(f"{name} {_type(name)}" for name in draws)
    rows = ",\n".join(f"({', '.join(map(_literal, row))})" for row in _cells(draws))
    script = f"create temp table draws ({columns});\ninsert into draws values {rows};\n{query};\n"
    return pd.read_csv(StringIO(run(script)), keep_default_na=False)


def in_spark(query: str, draws: pd.DataFrame, spark: "SparkSession") -> pd.DataFrame:
    types = {"boolean": "boolean", "double precision": "double", "text": "string"}
    schema = ", ".join(f"{name} {types[_type(name)]}" for name in draws)
    rows = [
        [
            float(c) if _type(n) == "double precision" and c is not None else c
            for n, c in zip(draws, r, strict=True)
        ]
        for r in _cells(draws)
    ]
    spark.createDataFrame(rows, schema).createOrReplaceTempView("draws")
    compiling = ("spark.sql.codegen.wholeStage", "spark.sql.adaptive.enabled")
    for name in compiling:  # of some hundred rows, which takes longer than to read them
        spark.conf.set(name, "false")
    said = spark.sql(query)
    rows = [list(row) for row in said.collect()]
    for name in compiling:
        spark.conf.unset(name)
    return pd.DataFrame(rows, columns=said.columns)


@pytest.fixture(params=TESTED)
def engine(request: pytest.FixtureRequest) -> tuple[str, Run]:
    """Return the dialect of an engine, and what runs a query in it."""
    name = request.param
    plain: dict[str, Run] = {"duckdb": in_duckdb, "sqlite": in_sqlite}
    if name in plain:
        return name, plain[name]
    serving = request.getfixturevalue(name)
    run: Any = {"postgres": in_postgres, "spark": in_spark}[name]
    return name, lambda query, draws: run(query, draws, serving)


def assert_equal(said: pd.DataFrame, got: pd.DataFrame, guideline: str, rows: pd.DataFrame) -> None:
    """Compare every column of a decision, row by row; no row is lost, and none is new."""
    got = got.sort_values("draw_id").reset_index(drop=True)
    assert got["draw_id"].astype(int).tolist() == list(range(len(rows)))
    events = rows[list(EVENTS[:3])].notna().sum(axis=1).to_numpy()
    undated = rows["drawn"].isna().to_numpy() & (events > 1)
    for name in OUT:
        column = f"{guideline.replace('-', '_')}_{name}"
        differ = got[column].astype(object) != said[column].astype(object)
        if name == "needs":  # what the order of events without a draw's date tells is not read
            needs = got[column].str.replace("drawn", "").str.split().str.join(" ")
            differ &= ~undated | (needs != said[column].astype(object))
        at = int(differ.to_numpy().argmax())
        pair = got[column][at], said[column].astype(object)[at]
        assert not differ.any(), (column, pair, rows.iloc[at].dropna().to_dict())


@cache
def asked(guideline: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return cells of a guideline and rows of every pattern, as a query reads them, and answers."""
    cells = list(every_cell(compile_table(shipped(guideline))))
    if CELLS and len(cells) > CELLS:
        cells = random.Random(1).sample(cells, CELLS)  # noqa: S311 - a seed is the point
    patterns = random_rows(60, seed=3)
    rows = pd.concat([as_frame(cells), patterns], ignore_index=True)
    return rows, canonical(rows, columns_of(guideline)), answers(rows, guideline)


@pytest.mark.parametrize("guideline", guideline_ids())
def test_each_cell_says_what_the_frame_says(engine: tuple[str, Run], guideline: str) -> None:
    """By hand, for every cell: RLSIRON_SQL_CELLS=0."""
    dialect, run = engine
    if dialect == "spark" and CELLS and guideline not in IN_SPARK:
        pytest.skip("Spark plans a query for some ten seconds; by hand, RLSIRON_SQL_CELLS=0")
    rows, draws, said = asked(guideline)
    got = run(guideline_sql(guideline, dialect=dialect), draws)
    assert_equal(said, got, guideline, rows)


def test_random_rows_say_what_the_frame_says() -> None:
    """By hand: RLSIRON_FRAME_ROWS=100000."""
    for seed, guideline in enumerate(guideline_ids()):
        rows = random_rows(ROWS // len(guideline_ids()), seed=100 + seed, sparse=bool(seed % 2))
        query = guideline_sql(guideline)
        got = in_duckdb(query, canonical(rows, columns_of(guideline)))
        assert_equal(answers(rows, guideline), got, guideline, rows)


def row(**told: Any) -> dict[str, Any]:  # noqa: ANN401 - a cell of each type
    """Return a row for `aasm-2025` of which nothing is told but this."""
    known = {"ferritin_bound": "", "tsat_bound": "", **told}
    return {name: known.get(name) for name in ("draw_id", *columns_of("aasm-2025"))}


def point(ferritin: float, tsat: float, **told: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a row with two values."""
    ends = {"ferritin_low_ug_l": ferritin, "ferritin_high_ug_l": ferritin}
    return row(**ends, tsat_low_pct=tsat, tsat_high_pct=tsat, **told)


SAID: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
    (point(75.0, 30.0, age=44.0), ("oral-or-iv-iron", "", "")),
    (point(75.000000001, 30.0, age=44.0), ("iv-iron", "", "")),
    (point(75.0000000004, 30.0, age=44.0), ("oral-or-iv-iron", "", "")),  # off the grid
    (point(62.0, 45.0, age=44.0), ("withhold-iron", "", "")),
    (point(62.0, 100 * 0.45 - 1e-14, age=44.0), ("withhold-iron", "", "")),
    (row(age=44.0), ("indeterminate", "ferritin tsat", "")),
    (point(62.0, 180.0, age=44.0), ("indeterminate", "tsat", "tsat")),
    (point(-62.0, 30.0, age=44.0), ("indeterminate", "ferritin", "ferritin")),
    (point(62.0, 30.0, age=200.0), ("indeterminate", "age", "age")),
    (point(62.0, 30.0, age=44.0, sex="F"), ("oral-or-iv-iron", "", "sex")),
    (point(62.0, 30.0, age=44.0, kidney="stone"), ("indeterminate", "kidney", "kidney")),
    (point(62.0, 30.0, age=44.0, conditions="plague"), ("indeterminate", "", "conditions")),
    (point(62.0, 30.0, age=44.0, last_oral_iron="today"),
     ("indeterminate", "tsat drawn", "")),
    (point(62.0, 30.0, age=44.0, last_oral_iron="then", last_oral_iron_days=1.0),
     ("oral-or-iv-iron", "", "")),
    (point(62.0, 30.0, age=44.0, last_oral_iron="then", last_oral_iron_days=0.99),
     ("indeterminate", "tsat", "")),
    (point(62.0, 30.0, age=44.0, sex="male", pregnancy="trimester-1"),
     ("indeterminate", "pregnancy", "sex pregnancy")),
    ({**row(age=44.0, ferritin_low_ug_l=0.0, ferritin_high_ug_l=5.0, tsat_low_pct=30.0,
            tsat_high_pct=30.0), "ferritin_bound": "<"}, ("oral-or-iv-iron", "", "")),
    ({**row(age=44.0, ferritin_low_ug_l=75.0, tsat_low_pct=30.0, tsat_high_pct=30.0),
      "ferritin_bound": ">"}, ("indeterminate", "ferritin", "")),
    ({**point(62.0, 30.0, age=44.0), "ferritin_bound": "~"},
     ("indeterminate", "ferritin", "ferritin")),
    # a value given twice is no bound, and the end of a bound is on its side
    *(({**point(62.0, 30.0, age=44.0), "ferritin_bound": bound},
       ("indeterminate", "ferritin", "ferritin")) for bound in ("<", "<=", ">", ">=")),
    *(({**point(62.0, 18.0, age=44.0), "tsat_bound": bound}, ("indeterminate", "tsat", "tsat"))
      for bound in ("<", "<=", ">", ">=")),
    *(({**point(60.0, 30.0, age=44.0), "ferritin_low_ug_l": None, "ferritin_bound": bound},
       ("indeterminate", "ferritin", "ferritin")) for bound in (">", ">=")),
    *(({**point(400.0, 30.0, age=44.0), "ferritin_high_ug_l": None, "ferritin_bound": bound},
       ("indeterminate", "ferritin", "ferritin")) for bound in ("<", "<=")),
    ({**point(62.0, 30.0, age=44.0), "ferritin_low_ug_l": 30.0, "ferritin_bound": ">"},
     ("indeterminate", "ferritin", "ferritin")),
    ({**point(62.0, 30.0, age=44.0), "ferritin_low_ug_l": None, "ferritin_bound": "<"},
     ("oral-or-iv-iron", "", "")),
    ({**point(62.0, 18.0, age=44.0), "tsat_high_pct": None, "tsat_bound": ">="},
     ("indeterminate", "tsat", "")),
    ({**point(62.0, 18.0, age=44.0), "tsat_high_pct": 100.0, "tsat_bound": ">="},
     ("indeterminate", "tsat", "")),
    ({**point(62.0, 30.0, age=44.0), "ferritin_high_ug_l": 60.0},
     ("indeterminate", "ferritin", "ferritin")),
    # an interval without a lower end begins at 0; one that holds nothing is none
    *(({**point(62.0, 30.0, age=44.0), "ferritin_low_ug_l": None, "ferritin_high_ug_l": 0.0,
        "ferritin_bound": bound}, ("indeterminate", "ferritin", "ferritin"))
      for bound in ("", "<", "<=")),
    ({**point(62.0, 18.0, age=44.0), "tsat_low_pct": None, "tsat_high_pct": 0.0,
      "tsat_bound": "<"}, ("indeterminate", "tsat", "tsat")),
    ({**point(62.0, 100.0, age=44.0), "tsat_high_pct": None, "tsat_bound": ">"},
     ("indeterminate", "tsat", "tsat")),
    ({**point(62.0, 100.0, age=44.0), "tsat_high_pct": None, "tsat_bound": ">="},
     ("withhold-iron", "", "")),
]  # fmt: skip
"""Rows, and the disposition, what it needs, and what is unread: by the design, not by the code."""


def frame_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    numbered = [{**each, "draw_id": at} for at, each in enumerate(rows)]
    draws = pd.DataFrame(numbered)
    for name in draws:
        kind: Any = "float64" if _type(name) == "double precision" else object
        draws[name] = draws[name].astype("int64" if name == "draw_id" else kind)
    return draws


def test_rows_say_what_the_design_says(engine: tuple[str, Run]) -> None:
    dialect, run = engine
    got = run(guideline_sql("aasm-2025", dialect=dialect), frame_of([each for each, _ in SAID]))
    got = got.sort_values("draw_id")
    names = ("aasm_2025_disposition", "aasm_2025_needs", "unread")
    found = list(got[list(names)].itertuples(index=False, name=None))
    assert found == [said for _, said in SAID]


NUMERIC = ("ferritin_low_ug_l", "ferritin_high_ug_l", "tsat_low_pct", "tsat_high_pct", "age")


@pytest.mark.parametrize("number", [nan, float("inf")])
def test_what_is_no_number_is_missing(engine: tuple[str, Run], number: float) -> None:
    """NaN is no NULL: in three of the engines it is greater than every limit."""
    dialect, run = engine
    if dialect == "spark" and CELLS and number != number:  # noqa: PLR0124 - NaN
        pytest.skip("Spark plans a query for some ten seconds; by hand, RLSIRON_SQL_CELLS=0")
    days = {"last_iv_iron_days": number, "last_oral_iron_days": number}
    draws = frame_of([point(number, number, age=number, **days), row()])
    text = guideline_sql("aasm-2025", dialect=dialect)
    if dialect in {"postgres", "spark"}:  # the harness hands NULL to these; make NaN inside
        to = {"postgres": f"'{number}'::float8", "spark": f"double('{number}')"}[dialect]
        made = ", ".join(f"{to} AS {n}" if n in {*NUMERIC, *days} else str(n) for n in draws)
        first = f"SELECT {made} FROM draws WHERE draw_id = 0"  # noqa: S608
        inside = f"({first} UNION ALL SELECT * FROM draws WHERE draw_id = 1) AS d"  # noqa: S608
        text = text.replace("FROM draws\n", f"FROM {inside}\n")
    got = run(text, draws).sort_values("draw_id")
    same = got.drop(columns="draw_id")
    assert same.iloc[0].tolist() == same.iloc[1].tolist()
    assert same["aasm_2025_needs"].tolist() == ["ferritin tsat age"] * 2
    assert same["unread"].tolist() == ["", ""]


def test_a_number_that_sqlite_keeps_as_text_is_not_read() -> None:
    """A cast there would make 168 µg/L of 168 pmol/L."""
    draws = frame_of([point(62.0, 30.0, age=44.0)]).astype(object)
    draws["ferritin_low_ug_l"] = draws["ferritin_high_ug_l"] = "168 pmol/L"
    draws["age"] = "44 years"
    got = in_sqlite(guideline_sql("aasm-2025", dialect="sqlite"), draws)
    assert got["unread"].tolist() == ["ferritin age"]
    assert got["aasm_2025_needs"].tolist() == ["ferritin age"]


def test_strict_leaves_unverified_rules_out() -> None:
    rows = as_frame(list(every_cell(compile_table(shipped("picchietti-2015"))))[::97])
    got = in_duckdb(
        guideline_sql("picchietti-2015", strict=True),
        canonical(rows, columns_of("picchietti-2015")),
    )
    assert_equal(answers(rows, "picchietti-2015", strict=True), got, "picchietti-2015", rows)
    assert not got["picchietti_2015_possible"].str.contains("oral").any()


def test_a_file_of_ones_own_is_a_query(tmp_path: Path) -> None:
    """A fact that its parameter changes is the file's own; an analyte may be an axis."""
    own = tmp_path / "ward.toml"
    own.write_text(
        'id = "ward"\nextends = "mayo-2021"\nversion = "1"\n[parameters]\ncrp_limit = "10 mg/L"\n'
        'child_below = "100 months"\n',
        encoding="utf-8",
    )
    rows = random_rows(200, seed=5)
    rows.loc[:20, "age"] = 100 / 12
    rows.loc[21:40, "age"] = 8.333333333333332
    got = in_duckdb(guideline_sql(own), canonical(rows, columns_of(own)))
    assert_equal(answers(rows, own), got, "ward", rows)


MILD = """
id = "mild"
purpose = "anemia"
source = "rlsiron"
version = "1"
reviewed_by = []
[[population]]
name = "all"
applies = {}
[[population.rule]]
id = "A"
any = [{ mild = true }, { crp = "> 5 mg/L" }]
disposition = "no-iron"
verified = "primary"
says = "a"
[[population.rule]]
id = "B"
disposition = "oral-iron"
verified = "primary"
says = "b"
"""


def test_any_fact_and_any_analyte_may_be_an_axis(tmp_path: Path) -> None:
    own = tmp_path / "mild.toml"
    own.write_text(MILD, encoding="utf-8")
    assert columns_of(own) == ["crp_low_mg_l", "crp_high_mg_l", "crp_bound", "severity"]
    rows = random_rows(200, seed=6)
    got = in_duckdb(guideline_sql(own), canonical(rows, columns_of(own)))
    assert_equal(answers(rows, own), got, "mild", rows)


def test_what_is_read_is_told() -> None:
    told = dict(canonical_columns("kdigo-2026"))
    assert (
        told["hemoglobin_low_g_l"] == "hemoglobin [g/L]: the value, or the lower end of an interval"
    )
    assert told["kidney"] == "none, ckd, ckd-5, hemodialysis, peritoneal-dialysis"
    assert "conditions" not in told
    assert dict(canonical_columns("mayo-2021"))["inflammation"] == "a boolean"
    query = guideline_sql("kdigo-2026")
    assert all(f"--   {name}: " in query for name in told)


def test_a_dialect_that_is_not_tested_says_so() -> None:
    said = "This dialect is not among those tested."
    assert said in guideline_sql("aan-2016", dialect="snowflake")
    assert said not in guideline_sql("aan-2016", dialect="spark")


def test_the_table_and_the_keys_are_named() -> None:
    draws = frame_of([point(62.0, 30.0, age=44.0)]).rename(columns={"draw_id": "patient"})
    draws["drawn"] = "today"
    query = guideline_sql("aasm-2025", source="lab.draws", keys=("patient", "drawn"))
    with duckdb.connect() as engine:
        engine.execute("create schema lab")
        engine.execute("create table lab.draws as select * from draws")
        got = engine.sql(query)
        assert got.columns[:3] == ["patient", "drawn", "aasm_2025_disposition"]
        assert got.fetchall()[0][:3] == (0, "today", "oral-or-iv-iron")


def test_a_key_may_have_any_name() -> None:
    """Such as those of the columns that the query makes on its way."""
    draws = frame_of([point(62.0, 30.0, age=44.0)])
    names = ["kind", "low_ferritin", "KIND", "told_age", "fact_iv_stopped", "a b"]
    for name in names:
        given = draws.assign(**{name: "7"})
        quoted = given.rename(columns={name: f'"{name}"'})
        for run, dialect, table in ((in_duckdb, "duckdb", given), (in_sqlite, "sqlite", quoted)):
            got = run(guideline_sql("aasm-2025", dialect=dialect, keys=("draw_id", name)), table)
            assert got.columns[:2].tolist() == ["draw_id", name]
            assert got.iloc[0, 1:3].tolist() == ["7", "oral-or-iv-iron"], name


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ({"source": "Placed"}, "'Placed' is the name of a step of the query; make a view of"),
        ({"dialect": "postgress"}, "unknown dialect 'postgress'; did you mean 'postgres'?"),
        ({"dialect": ""}, "unknown dialect ''"),
        ({"source": "a b c ("}, "'a b c (' is no name of a table; write one such as 'lab.draws'"),
        ({"keys": ()}, "no column is carried into the answer; name one in keys="),
    ],
)
def test_a_faulty_call_is_a_sentence(call: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RlsironError) as error:
        guideline_sql("aan-2016", **call)
    assert str(error.value).startswith(sentence)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "sqlglot", None)
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'rlsiron\[sql\]'"):
            reload(sql_terms)
    reload(sql_terms)
