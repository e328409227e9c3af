"""Rows of a file and their answers: the same as one patient's, whatever the chunk."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from rlsiron import csv_answers
from rlsiron.archive import Archive
from rlsiron.csv_answers import CsvFormat
from rlsiron.file_answers import Asked
from rlsiron.guideline import load_guideline
from rlsiron.interpretation import interpret
from rlsiron.models import Draw, Patient
from rlsiron.tally import Tally
from rlsiron.units import analytes

FOLDER = Path(__file__).parents[1] / "data" / "samples"
GUIDELINES = ("aasm-2025", "irlssg-2018", "mayo-2021", "aan-2016")
LABOR = {
    "ferritin": "Ferritin (µg/L)",
    "tsat": "TSAT (%)",
    "crp": "CRP (mg/L)",
    "age": "Alter",
}
SURVEY = {"ferritin": "LBXFER", "iron": "LBXIRN", "tibc": "LBXTIB", "age": "RIDAGEYR"}
SAMPLES: dict[str, dict[str, Any]] = {
    "clinic": {},
    "labor": {
        "separator": ";",
        "decimal": ",",
        "columns": LABOR,
        "units": {"ferritin": "µg/L", "tsat": "%", "crp": "mg/L"},
    },
    "survey": {
        "columns": SURVEY,
        "units": {"ferritin": "ng/mL", "iron": "ug/dL", "tibc": "ug/dL"},
    },
}


def answered(path: Path, asked: Mapping[str, Any]) -> tuple[str, Tally, list[int]]:
    """Return what is written, the tally, and the bytes of which it was told."""
    sink, told = StringIO(), list[int]()
    format_ = CsvFormat(asked.get("separator"), None, asked.get("decimal", "."))
    asks = Asked(
        guidelines=tuple(map(load_guideline, GUIDELINES)),
        units=asked.get("units", {}),
        columns=asked.get("columns", {}),
        decimal=asked.get("decimal", "."),
        strict=False,
    )
    archive = Archive([path], format_, asks, lambda _rows, read: told.append(read))
    tally = archive.to_stream(sink).tally
    return sink.getvalue(), tally, told


def of_one(row: dict[str, str], asked: dict[str, Any]) -> dict[str, str]:
    """Return what is said of a row by `interpret` alone."""
    columns, units = asked.get("columns", {}), asked.get("units", {})
    cells = {name: row.get(columns.get(name, name), "").strip() for name in analytes()}
    fields = {
        name: cell
        for name in (*Patient.model_fields, *Draw.model_fields)
        if (cell := row.get(columns.get(name, name), "").strip())
    }
    told: dict[str, Any] = {
        name: (cell, row.get(f"{name}_unit", "").strip() or units.get(name))
        for name, cell in cells.items()
        if cell
    }
    told |= {name: fields.pop(name) for name in Draw.model_fields if name in fields}
    answer = interpret(
        **told,
        patient=fields,
        guidelines=GUIDELINES,
        decimal=asked.get("decimal", "."),
        errors="note",
    )
    said = {"notes": " ".join(dict.fromkeys(note.code for note in answer.notes))}
    for id_, decision in answer.decisions.items():
        name = id_.replace("-", "_")
        said[f"{name}_disposition"] = decision.disposition
        said[f"{name}_criterion"] = decision.criterion
        said[f"{name}_possible"] = " ".join(decision.possible)
        said[f"{name}_needs"] = " ".join(decision.needs)
        said[f"{name}_rule"] = " ".join(rule.id for rule in decision.rules)
    return said


@pytest.mark.parametrize("chunk", [1, 3, 20_000])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_row_is_what_interpret_answers(
    name: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_answers, "CHUNK", chunk)
    asked = SAMPLES[name]
    path = FOLDER / f"{name}.csv"
    text, tally, told = answered(path, asked)
    rows = list(csv.DictReader(StringIO(text), delimiter=asked.get("separator", ",")))
    assert len(rows) == tally.rows == len(path.read_text(encoding="utf-8").splitlines()) - 1
    for row in rows:
        said = of_one(row, asked)
        assert {key: row[key] for key in said} == said
    assert len(told) == -(-tally.rows // chunk)
    assert told[-1] == path.stat().st_size


def test_the_chunk_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    path = FOLDER / "clinic.csv"
    whole = answered(path, {})[:2]
    monkeypatch.setattr(csv_answers, "CHUNK", 2)
    assert answered(path, {})[:2] == whole


def test_every_row_has_one_disposition_of_each_guideline() -> None:
    _, tally, _ = answered(FOLDER / "clinic.csv", {})
    assert list(tally.dispositions) == list(GUIDELINES)
    assert {sum(counts.values()) for counts in tally.dispositions.values()} == {tally.rows}


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"], ids=repr)
def test_a_line_end_in_a_cell_parts_no_row(tmp_path: Path, end: str) -> None:
    path = tmp_path / "labs.csv"
    path.write_bytes(f'"no{end}te",ferritin\n"a{end}b",62 ng/mL\n'.encode())
    text, _, _ = answered(path, {})
    header, row = csv.reader(StringIO(text, newline=""))
    assert header[:2] == [f"no{end}te", "ferritin"]
    assert row[:2] == [f"a{end}b", "62 ng/mL"]
    assert text.endswith("\n")
    assert not text.endswith("\r\n")
