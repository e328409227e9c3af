"""The query of every guideline is run in four engines, and equals `interpret_frame` in each."""

import os
import random
import sqlite3
import warnings
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
from rlsiron.sql import TESTED, canonical_columns, guideline_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OUT = ("disposition", "criterion", "iron", "possible", "needs", "rule")
ROWS = int(os.environ.get("RLSIRON_FRAME_ROWS", "400"))  # random ones; by hand 100,000
CELLS = int(os.environ.get("RLSIRON_SQL_CELLS", "150"))  # of each guideline; by hand 0, for all
Run = Callable[[str, pd.DataFrame], pd.DataFrame]


def in_duckdb(query: str, draws: pd.DataFrame) -> pd.DataFrame:
    with duckdb.connect() as engine:
        engine.register("draws", draws)
        return engine.sql(query).df()


def _type(name: str) -> str:
    if name in {"rapid_response_wanted", "inflammation"}:
        return "boolean"
    is_number = name in {"age", "draw_id"} or name.endswith(("_days", "_ug_l", "_pct", "_mg_l", "_g_l"))
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
    return repr(float(cell)) if isinstance(cell, float) else f"'{cell}'"


def in_postgres(query: str, draws: pd.DataFrame, run: Callable[[str], str]) -> pd.DataFrame:
    columns = ", ".join(f"{name} {_type(name)}" for name in draws)
    rows = ",\n".join(f"({', '.join(map(_literal, row))})" for row in _cells(draws))
    script = f"create temp table draws ({columns});\ninsert into draws values {rows};\n{query};\n"  # noqa: S608
    return pd.read_csv(StringIO(run(script)), keep_default_na=False)


def in_spark(query: str, draws: pd.DataFrame, spark: "SparkSession") -> pd.DataFrame:
    types = {"boolean": "boolean", "double precision": "double", "text": "string"}
    schema = ", ".join(f"{name} {types[_type(name)]}" for name in draws)
    rows = [
        [float(c) if _type(n) == "double precision" and c is not None else c for n, c in zip(draws, r, strict=True)]
        for r in _cells(draws)
    ]
    spark.createDataFrame(rows, schema).createOrReplaceTempView("draws")
    said = spark.sql(query)
    return pd.DataFrame([tuple(row) for row in said.collect()], columns=said.columns)


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
    for name in OUT:
        column = f"{guideline.replace('-', '_')}_{name}"
        differ = got[column].astype(object) != said[column].astype(object)
        at = int(differ.to_numpy().argmax())
        pair = got[column][at], said[column].astype(object)[at]
        assert not differ.any(), (column, pair, rows.iloc[at].dropna().to_dict())


@cache
def asked(guideline: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return cells of a guideline, and rows of every pattern: as told, as a query reads them, said."""
    cells = list(every_cell(compile_table(shipped(guideline))))
    if CELLS and len(cells) > CELLS:
        cells = random.Random(1).sample(cells, CELLS)  # noqa: S311 - a seed is the point
    patterns = random_rows(150, seed=3)
    rows = pd.concat([as_frame(cells), patterns], ignore_index=True)
    return rows, canonical(rows, columns_of(guideline)), answers(rows, guideline)


@pytest.mark.parametrize("guideline", guideline_ids())
def test_each_cell_says_what_the_frame_says(engine: tuple[str, Run], guideline: str) -> None:
    """By hand, for every cell: RLSIRON_SQL_CELLS=0."""
    dialect, run = engine
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
