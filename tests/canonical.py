"""Rows as `interpret_frame` takes them, and the same rows in the columns that a query reads."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pandas as pd

from rlsiron import RlsironError, read_result
from rlsiron.frames import interpret_frame
from rlsiron.patient import EVENTS, elapsed
from rlsiron.sql import canonical_columns
from rlsiron.table import Axis, Table, WordAxis

DRAWN = datetime.fromisoformat("2026-03-02T08:00")
UNITS = {"ferritin": "ng/mL", "tsat": "%", "crp": "mg/L", "hemoglobin": "g/L"}
WORDS = ("sex", "rls", "severity", "pregnancy", "kidney", "oral_iron")
YES_NO = ("rapid_response_wanted", "inflammation")
NUMBERS = [
    None, "", "QNS", "-3", "0", "4.99", "12", "<5", "<20", "<= 20", ">20", "> 45", ">=45", "<100",
    "<=75", "> 75", ">300", ">=300", "> 700", "<75", "19.999999999", "20", "24.999999999", "25",
    "30", "30.000000001", "29.999999999", "39.999999999", "40", "44.999999999", "45",
    "49.999999999", "50",
    "74.999999999", "75", "75.000000001", "75.0000000004", "75.0000000005", "75.0000000006", "99.9",
    "100", "100.000000001", "99.999999999", "150", "199.999999999", "200", "299.999999999", "300",
    "500", "500.000000001", "700", "700.000000001", "1500", "6000000", ">100", "100.0000000001",
]  # fmt: skip
CRP = [None, "1", "5", "5.000000001", "<5", ">5", "<= 5", "<10", ">1", "QNS", "40"]
HEMOGLOBIN = [None, "<105", "> 100", "104", "105", "109", "110", "114", "115", "119", "120", "129",
              "130", "150", "<60", "80", "QNS", ">115", "<300"]  # fmt: skip
AGES = [None, 44.0, 44.0, 0.0, 0.49, 0.5, 2.0, 5.0, 12.0, 15.0, 17.999, 18.0, 130.0, 131.0, -1.0]
DAYS = [0.0, 0.5, 0.9999, 1.0, 1.4999, 1.5, 2.0, 27.9, 28.0, 28.1, 83.9, 84.0, 400.0, -1.0]
FIELDS: dict[str, list[Any]] = {
    "age": AGES,
    "sex": [None, "female", "male", "F", ""],
    "rls": [None, None, "confirmed", "confirmed", "suspected", "absent", "x"],
    "severity": [None, "mild", "moderate-severe", "bad"],
    "pregnancy": [None, None, "none", "trimester-1", "trimester-2", "trimester-3", "pregnant",
                  "postpartum", "yes"],
    "kidney": [None, None, "none", "ckd", "ckd-5", "hemodialysis", "peritoneal-dialysis",
               "end-stage"],
    "oral_iron": [None, "untried", "taking", "failed", "not-tolerated", "not-absorbed", "x"],
    "rapid_response_wanted": [None, None, True, False],
    "inflammation": [None, None, True, False],
    "conditions": [None, None, "", "heart-failure", "diabetes active-infection", "malignancy",
                   "gi-disease gi-disease", "plague", "plague hemochromatosis",
                   "repeated-transfusion",
                   "bariatric-surgery malignancy", "iv-iron-anaphylaxis", "heart-failurediabetes"],
}  # fmt: skip


def random_rows(rows: int, seed: int, *, sparse: bool = False) -> pd.DataFrame:
    """Return rows of every pattern that a query reads; sparse ones tell little beside results."""
    rng = random.Random(seed)  # noqa: S311 - a seed is the point
    share = 0.15 if sparse else 0.7
    made: dict[str, list[Any]] = {
        name: [rng.choice(pool) for _ in range(rows)]
        for name, pool in {"ferritin": NUMBERS, "tsat": NUMBERS}.items()
    }
    for name, pool in {"crp": CRP, "hemoglobin": HEMOGLOBIN, **FIELDS}.items():
        made[name] = [rng.choice(pool) if rng.random() < share else None for _ in range(rows)]
    dated = [rng.random() < 0.8 for _ in range(rows)]
    made["drawn"] = [DRAWN if each else None for each in dated]
    for name in EVENTS[:3]:
        days = [rng.choice(DAYS) if rng.random() < share / 3 else None for _ in range(rows)]
        made[name] = [None if day is None else DRAWN - timedelta(days=day) for day in days]
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in made.items()})
    return frame.assign(age=frame["age"].astype("float64"))


def answers(df: pd.DataFrame, guideline: Any, *, strict: bool = False) -> pd.DataFrame:  # noqa: ANN401
    """Return what `interpret_frame` says of some rows."""
    units = {name: unit for name, unit in UNITS.items() if name in df}
    return interpret_frame(df, guidelines=(guideline,), units=units, strict=strict)


def canonical(df: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return rows in some of the columns that a query reads."""
    made: dict[str, Any] = {"draw_id": range(len(df))}
    for name in names:
        analyte = name.partition("_")[0]
        event = name.removesuffix("_days")
        if analyte in UNITS:
            made[name] = _ends(df, analyte, name)
        elif name in EVENTS:
            made[name] = [None if when is None else str(when) for when in df[name]]
        elif event in EVENTS:
            pairs = zip(df[event], df["drawn"], strict=True)
            made[name] = pd.array([_days(*pair) for pair in pairs], dtype="Float64")
        else:
            made[name] = df[name].to_numpy()
    return pd.DataFrame(made)


def _days(event: datetime | None, drawn: datetime | None) -> float | None:
    if event is None or drawn is None:
        return None
    return elapsed(event, drawn) / timedelta(days=1)


def _ends(df: pd.DataFrame, analyte: str, name: str) -> Any:  # noqa: ANN401 - a list or an array
    at = ("low", "high", "bound").index(name.split("_")[1])
    read = {text: _read(analyte, text)[at] for text in df[analyte].unique()}
    cells = [read[text] for text in df[analyte]]
    return cells if at == 2 else pd.array(cells, dtype="Float64")


def _read(analyte: str, text: str | None) -> tuple[Any, Any, Any]:
    if text is None:
        return None, None, None
    try:
        result = read_result(analyte, text, unit=UNITS[analyte])
    except RlsironError:
        return None, None, None
    return result.low, result.high, result.bound


def columns_of(guideline: Any) -> list[str]:  # noqa: ANN401 - an id or a path
    """Return the names of the columns that the query of a guideline reads."""
    return [one.name for one in canonical_columns(guideline)]


FACTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "iv-reason": ({}, {"rapid_response_wanted": True}),
    "inflamed": ({}, {"inflammation": True}),
    "iron-loading": ({}, {"conditions": "hemochromatosis"}),
    "iv-stopped": ({}, {"conditions": "iv-iron-anaphylaxis"}),
    "earlier-iv": ({}, {"last_iv_iron": DRAWN - timedelta(days=100)}),
    "moderate-severe": ({"severity": "mild"}, {"severity": "moderate-severe"}),
    "oral-iron-failed": ({}, {"oral_iron": "failed"}),
    "anemia": ({"hemoglobin": "150"}, {"hemoglobin": "60"}),
}
"""What is told where a fact is false, and where it is true; none makes another true."""


def every_cell(table: Table) -> Iterator[dict[str, Any]]:
    """Yield a row for each cell of a table, and for each with results or the age missing."""
    for told in product(*(_told(axis) for axis in table.axes)):
        row: dict[str, Any] = {"drawn": DRAWN}
        for fields in told:
            codes = " ".join(filter(None, (row.get("conditions"), fields.get("conditions"))))
            row |= fields
            if codes:
                row["conditions"] = codes
        yield row


def _told(axis: Axis) -> list[dict[str, Any]]:
    """Return what is told of a patient in each cell of an axis."""
    if isinstance(axis, WordAxis) and axis.name in FACTS:
        return [FACTS[axis.name][True in words] for words in axis.classes]
    if isinstance(axis, WordAxis):
        return [{axis.name: min(words)} for words in axis.classes]
    lowest = [axis.edges[0] / 2, *axis.edges]
    steps = [0.0 if edge == round(edge, 9) else 1e-9 for edge in lowest]
    points = [round(edge + step, 9) for edge, step in zip(lowest, steps, strict=True)]
    as_text = axis.name != "age"
    return [{axis.name: f"{each:.9f}" if as_text else each} for each in points] + [
        {axis.name: None}
    ]


def as_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows with every column that `random_rows` has."""
    names = random_rows(1, seed=0).columns
    columns = {n: pd.Series([row.get(n) for row in rows], dtype=object) for n in names}
    frame = pd.DataFrame(columns)
    return frame.assign(age=frame["age"].astype("float64"))
