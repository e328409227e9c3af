"""Frames to spread over partitions, and how answers are compared that came back from there."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rlsiron.interpretation import DEFAULT_GUIDELINES
from test_frames import NUMBERS, random_frame

VECTORS = Path(__file__).with_name("vectors")
YES_NO = ("inflammation", "rapid_response_wanted")
Call = tuple[tuple[str, ...], bool, str]
"""Guidelines, whether strict, and the decimal sign."""


def cases() -> Iterator[dict[str, Any]]:
    """Yield the cases of the conformance pack that are answered, and may stand in a frame."""
    for path in sorted(VECTORS.glob("*.json")):
        if path.stem != "schema":
            for case in json.loads(path.read_text("utf-8"))["cases"]:
                if "refused" not in case:
                    yield case


def row_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of a case as a row: a pair is two cells, conditions are a text."""
    row = {**given, **given.get("patient", {})}
    for name in ("patient", "guidelines", "strict", "decimal", "errors"):
        row.pop(name, None)
    for name, cell in list(row.items()):
        if name == "conditions" and isinstance(cell, list):
            row[name] = " ".join(cell)
        elif isinstance(cell, list):
            row[name], row[f"{name}_unit"] = map(str, cell)
    return row


@cache
def vectors() -> dict[tuple[Call, tuple[bool, ...]], list[dict[str, Any]]]:
    """Return the cases by their call, and by whether their yes or no is a word."""
    found = defaultdict(list)
    for case in cases():
        given = case["input"]
        ids = tuple(given.get("guidelines") or DEFAULT_GUIDELINES)
        call = (ids, given.get("strict", False), given.get("decimal", "."))
        told = given.get("patient", {})
        found[call, tuple(isinstance(told.get(name), str) for name in YES_NO)].append(case)
    return found


def frame_of(some: list[dict[str, Any]]) -> pd.DataFrame:
    """Return cases as a frame of texts, numbers and booleans."""
    df = pd.DataFrame([row_of(case["input"]) for case in some])
    for name in YES_NO:
        if name in df and not any(isinstance(cell, str) for cell in df[name]):
            df[name] = df[name].astype("boolean")
    return df


def as_expected(out: pd.DataFrame, some: list[dict[str, Any]]) -> bool:
    """Whether answers are as the evidence says."""
    rows = out.to_dict("records")
    for row, case in zip(rows, some, strict=True):
        for id_, expected in case["expected"].items():
            for name, word in expected.items():
                said = row.get(f"{id_.replace('-', '_')}_{name}")
                told = " ".join(word) if isinstance(word, list) else word
                if said is not None and said != told:
                    return False
    return True


def numbers(rows: int, seed: int) -> pd.DataFrame:
    """Return rows of numbers, on and beside limits among them, and few words."""
    rng = np.random.default_rng(seed)

    def column(least: float, most: float) -> "np.ndarray[Any, Any]":
        some = rng.choice([*NUMBERS, np.nan], rows)
        return np.where(rng.random(rows) < 0.5, some, rng.uniform(least, most, rows))

    return pd.DataFrame(
        {
            "ferritin": column(1, 400),
            "tsat": column(1, 60),
            "age": rng.choice([44, 17.9, 18, 3, 131, np.nan], rows),
            "sex": pd.Series(rng.choice(["female", "male"], rows), dtype="str"),
            "crp": column(0, 12),
        }
    )


def typed(rows: int, seed: int) -> pd.DataFrame:
    """Return rows of every input with one type in each column, as tables of Arrow have them."""
    df = random_frame(rows, seed=seed)
    for name, column in df.items():
        if name in {*YES_NO, "fasting"}:
            cells = [cell if isinstance(cell, bool) else None for cell in column]
            df[name] = pd.Series(cells, dtype="boolean")
        elif name == "conditions":
            told = [cell if isinstance(cell, list) and 7 not in cell else None for cell in column]
            df[name] = pd.Series(told, dtype=object)
        elif column.dtype == object:
            df[name] = pd.Series(
                [None if cell is None or cell is pd.NA else str(cell) for cell in column],
                dtype="str",
            )
    return df


def plain(out: pd.DataFrame) -> pd.DataFrame:
    """Return answers cell by cell, None where a number is unknown."""
    cells = out.astype(object)
    return cells.where(cells.notna(), None)


def assert_same(out: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare every cell of two tables of answers, and their columns, in order."""
    pd.testing.assert_frame_equal(
        plain(out).reset_index(drop=True), plain(expected).reset_index(drop=True)
    )
