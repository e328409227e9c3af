"""One decision by the tools that one would otherwise take: what `aasm-2025` says of three numbers.

Each takes a frame of ferritin [µg/L], TSAT [%] and age [years] in which nothing is missing, and
returns the place of each row's disposition in `SAID`. That is far less than `interpret_frame` says:
no missing value, no unit, no bound, no rule, no note.
"""

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import zen

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
NODE = HERE.parent / "build" / "cql"
SAID = ("oral-iron", "iv-iron", "oral-or-iv-iron", "no-iron", "withhold-iron", "indeterminate")
_CASES = (  # in order, the first that holds decides
    ("tsat >= 45 or ferritin >= 300", 4),
    ("age < 18 and ferritin < 50", 2),
    ("age < 18", 3),
    ("ferritin <= 75", 2),
    ("tsat < 20", 5),
    ("ferritin <= 100", 1),
)
_ELSE = 3


def by_numpy(df: pd.DataFrame, said: "NDArray[Any] | None" = None) -> "NDArray[Any]":
    """Return it by `numpy.select`, or what stands at its place in `said`."""
    if said is None:
        said = np.arange(len(SAID), dtype=np.int8)
    ferritin, tsat, age = (df[name].to_numpy() for name in ("ferritin", "tsat", "age"))
    child = age < 18
    return np.select(
        [
            (tsat >= 45) | (ferritin >= 300),
            child & (ferritin < 50),
            child,
            ferritin <= 75,
            tsat < 20,
            ferritin <= 100,
        ],
        [said[at] for _, at in _CASES],
        default=said[_ELSE],
    )


def by_polars(frame: pl.DataFrame) -> "NDArray[Any]":
    """Return it by an expression of polars."""
    ferritin, tsat, age = (pl.col(name) for name in ("ferritin", "tsat", "age"))
    said = (
        pl.when((tsat >= 45) | (ferritin >= 300))
        .then(4)
        .when((age < 18) & (ferritin < 50))
        .then(2)
        .when(age < 18)
        .then(3)
        .when(ferritin <= 75)
        .then(2)
        .when(tsat < 20)
        .then(5)
        .when(ferritin <= 100)
        .then(1)
        .otherwise(3)
        .cast(pl.Int8)
    )
    return frame.select(said.alias("said"))["said"].to_numpy()


def by_duckdb(table: Any) -> "NDArray[Any]":  # noqa: ANN401 - a table of pyarrow
    """Return it by a CASE of DuckDB, over an Arrow table."""
    whens = " ".join(f"WHEN {case} THEN {said}" for case, said in _CASES)
    query = f"SELECT (CASE {whens} ELSE {_ELSE} END)::TINYINT AS said FROM table"  # noqa: S608
    with duckdb.connect() as connection:
        connection.register("table", table)
        return connection.sql(query.replace("FROM table", 'FROM "table"')).fetchnumpy()["said"]


def by_apply(df: pd.DataFrame) -> "NDArray[Any]":
    """Return it by `DataFrame.apply`, row by row."""

    def said(row: "pd.Series[Any]") -> int:
        if row.tsat >= 45 or row.ferritin >= 300:
            return 4
        if row.age < 18:
            return 2 if row.ferritin < 50 else 3
        if row.ferritin <= 75:
            return 2
        if row.tsat < 20:
            return 5
        return 1 if row.ferritin <= 100 else 3

    return df.apply(said, axis=1).to_numpy()


def _rules() -> dict[str, Any]:
    """Return the decision as zen-engine takes it."""
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": "when", "name": "when"}],
        "outputs": [{"id": "said", "name": "said", "field": "said"}],
        "rules": [
            {"_id": str(at), "when": case, "said": str(said)}
            for at, (case, said) in enumerate((*_CASES, ("", _ELSE)))
        ],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "table", "type": "decisionTableNode", "name": "table", "content": table},
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [
        {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    return {"nodes": nodes, "edges": edges}


def by_zen(df: pd.DataFrame) -> "NDArray[Any]":
    """Return it by a decision table of zen-engine, patient by patient."""
    decision = zen.ZenEngine().create_decision(json.dumps(_rules()))
    patients = df[["ferritin", "tsat", "age"]].to_dict("records")
    return np.array([decision.evaluate(patient)["result"]["said"] for patient in patients])


def by_cql(df: pd.DataFrame) -> tuple["NDArray[Any]", float]:
    """Return it by cql-execution in Node.js, and how long it took there [s], its start left out."""
    if not (NODE / "node_modules" / "cql-execution").is_dir():
        NODE.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--silent", "--prefix", str(NODE), "cql-execution"]
        subprocess.run(install, check=True)  # noqa: S603
    rows = df[["ferritin", "tsat", "age"]].to_numpy().tolist()
    done = subprocess.run(  # noqa: S603
        ["node", str(HERE / "cql" / "run.js"), str(NODE)],  # noqa: S607
        input=json.dumps(rows),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    return np.array(said["said"]), float(said["seconds"])
