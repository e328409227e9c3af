"""A Parquet file in, the same with its answers out."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from rlsiron import parquet_file
from rlsiron.archive import Archive, Done
from rlsiron.errors import RlsironError
from rlsiron.file_answers import Asked
from rlsiron.frames import interpret_frame
from rlsiron.guideline import load_guideline
from rlsiron.parquet_file import ParquetFormat, opened

UNITS = {"ferritin": "ng/mL"}
ABOUT = {"sha256": "abc"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answered(
    table: pa.Table, *, units: dict[str, str] = UNITS, rows: int | None = None
) -> tuple[pa.Table, Done]:
    """Return the file that a table becomes, and what was done."""
    pq.write_table(table, "labs.parquet", row_group_size=rows)
    asked = Asked((load_guideline("aasm-2025"),), units, {}, ".", strict=False)
    archive = Archive([Path("labs.parquet")], ParquetFormat(ABOUT), asked, lambda *_: None)
    done = archive.to_file(Path("out.parquet"))
    return pq.ParquetFile("out.parquet").read(), done


def same(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables have the same columns with the same cells, dictionaries apart."""
    return bool(_plain(one).equals(_plain(other)))


def _plain(table: pa.Table) -> pa.Table:
    plain = {
        field.name: column.cast(field.type.value_type)
        if pa.types.is_dictionary(field.type)
        else column
        for field, column in zip(table.schema, table.columns, strict=True)
    }
    return pa.table(plain)


THROUGH: dict[str, pa.Array] = {
    "text": pa.array(["µ", None, ""]),
    "long text": pa.array(["µ", None, ""], pa.large_string()),
    "word": pa.array(["a", None, "a"]).dictionary_encode(),
    "exact": pa.array([Decimal("1.10"), None, Decimal(2)], pa.decimal128(5, 2)),
    "whole": pa.array([2**63 - 1, None, 0]),
    "byte": pa.array([1, None, 3], pa.uint8()),
    "half": pa.array([1.5, None, float("nan")], pa.float32()),
    "yes": pa.array([True, None, False]),
    "day": pa.array([date(2026, 1, 2), None, date(1999, 12, 31)]),
    "moment": pa.array(
        [datetime(2026, 10, 25, 2, 30, tzinfo=UTC), None, None], pa.timestamp("us", "Europe/Berlin")
    ),
    "bare moment": pa.array([1, None, 2], pa.timestamp("ns")),
    "list": pa.array([["a", None], None, []], pa.list_(pa.string())),
    "nested": pa.array([{"a": [1], "b": {"c": "x"}}, None, {"a": None, "b": None}]),
    "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "bytes": pa.array([b"\xff", None, b""]),
    "nothing": pa.nulls(3),
}


def test_every_column_goes_through_with_its_type_and_its_cells() -> None:
    table = pa.table({**THROUGH, "ferritin": [62.0, None, 310.0]})
    out, _ = answered(table)
    kept = out.select(table.column_names)
    assert kept.schema.equals(table.schema)
    as_before = pq.read_table("labs.parquet")
    for name in table.column_names:
        assert kept[name].equals(as_before[name]) or name == "half", name  # NaN is not NaN
    assert str(kept["half"].to_pylist()) == "[1.5, None, nan]"


def test_null_is_not_nan() -> None:
    out, done = answered(pa.table({"ferritin": [62.0, None, float("nan")]}))
    assert out["ferritin"].null_count == 1
    for name in ("ferritin_low_ug_l", "tsat_low_pct"):
        assert not any(one is not None and np.isnan(one) for one in out[name].to_pylist())
    assert out["ferritin_low_ug_l"].to_pylist() == [62.0, None, None]
    assert done.tally.rows == 3


FERRITIN: dict[str, pa.Array] = {
    "float64": pa.array([62.0, None, 310.5, 5.0]),
    "float32": pa.array([62.0, None, 310.5, 5.0], pa.float32()),
    "decimal128": pa.array(
        [Decimal("62.0"), None, Decimal("310.5"), Decimal("5.0")], pa.decimal128(9, 1)
    ),
    "text": pa.array(["62", None, "310.5", "5"]),
    "words": pa.array(["62", None, "310.5", "5"]).dictionary_encode(),
    "text with unit": pa.array(["62 ng/mL", None, "31.05 ug/dL", "5 ug/L"]),
}


@pytest.mark.parametrize("kind", list(FERRITIN))
def test_ferritin_is_read_from_each_type_alike(kind: str) -> None:
    out, done = answered(pa.table({"ferritin": FERRITIN[kind]}))
    assert out["ferritin_low_ug_l"].to_pylist() == [62.0, None, 310.5, 5.0]
    assert out["ferritin_high_ug_l"].to_pylist() == [62.0, None, 310.5, 5.0]
    assert done.tally.unreadable == 0


def test_ferritin_is_read_from_whole_numbers_with_nulls() -> None:
    out, _ = answered(pa.table({"ferritin": pa.array([62, None, 310], pa.int32())}))
    assert out["ferritin_low_ug_l"].to_pylist() == [62.0, None, 310.0]


def messy(rows: int = 120) -> pa.Table:
    """Return rows of all kinds, in the order of a seed."""
    seed = np.random.default_rng(5)

    def pick(*some: object) -> pa.Array:
        return pa.array([some[at] for at in seed.integers(0, len(some), rows)])

    return pa.table(
        {
            "id": range(rows),
            "ferritin": pick("62", "<5", "310 ng/mL", "QNS", "a lot", None, "75", "7.5 ug/dL"),
            "tsat": pick("18 %", "45", None, ">60 %", "0.2"),
            "tsat_unit": pick("%", None, "%"),
            "sex": pick("female", "male", None, "?").dictionary_encode(),
            "age": pick(44, 12, None, 80),
            "last_iv_iron": pick(date(2026, 1, 2), None),
            "date": pick(date(2026, 1, 20), date(2026, 6, 1)),
        }
    )


@pytest.mark.parametrize("chunk", [7, 1_000_000])
@pytest.mark.parametrize("group", [1, 50, None])
def test_the_answer_is_that_of_the_frame_in_batches_of_any_size(
    chunk: int, group: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "CHUNK", chunk)
    table = messy()
    units = {**UNITS, "tsat": "%"}
    out, done = answered(table, rows=group, units=units)
    expected = interpret_frame(table, guidelines="aasm-2025", units=units)
    # a way out is said as on the command line
    assert same(
        out.select([name for name in expected.column_names if name != "problems"]),
        expected.drop_columns(["problems"]),
    )
    bad = [bool(text) for text in expected["problems"].to_pylist()]
    assert [bool(text) for text in out["problems"].to_pylist()] == bad
    assert (done.tally.rows, done.tally.unreadable) == (120, sum(bad))


def test_a_problem_is_found_by_its_row_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "CHUNK", 3)
    cells = ["62"] * 7 + ["a lot", "62", "some"]
    _, done = answered(pa.table({"ferritin": cells}), rows=4)
    (problem,) = done.tally.problems.values()
    assert (problem.rows, problem.at, problem.file) == (2, 8, "'labs.parquet'")


def test_the_metadata_says_what_the_answer_rests_on() -> None:
    table = pa.table({"ferritin": [62.0]}).replace_schema_metadata({"site": "north"})
    out, _ = answered(table)
    assert json.loads(out.schema.metadata[b"rlsiron"]) == ABOUT
    assert out.schema.metadata[b"site"] == b"north"


def test_what_pandas_wrote_pandas_reads_with_its_answer() -> None:
    frame = pd.DataFrame({"ferritin": [62.0, 5.0]}, index=pd.Index(["a", "b"], name="id"))
    answered(pa.Table.from_pandas(frame))
    back = pd.read_parquet("out.parquet")
    assert back.index.tolist() == ["a", "b"]
    assert back["ferritin_high_ug_l"].tolist() == [62.0, 5.0]


@pytest.mark.parametrize("skip", range(11))
@pytest.mark.parametrize("group", [1, 3, 4, 10])
def test_rows_are_skipped_wherever_row_groups_begin(skip: int, group: int) -> None:
    pq.write_table(pa.table({"x": range(10)}), "labs.parquet", row_group_size=group)
    with opened(Path("labs.parquet")) as source:
        batches = list(source.batches(skip=skip))
    cells = [cell for batch in batches for cell in batch.rows["x"].to_pylist()]
    assert cells == list(range(skip, 10))
    assert [batch.place(0) for batch in batches[:1]] == [skip + 1][: len(batches)]
    assert source.position == 10 or not batches


def test_row_groups_that_are_passed_over_are_not_read() -> None:
    pq.write_table(pa.table({"x": range(10)}), "labs.parquet", row_group_size=5, compression="none")
    damaged = bytearray(Path("labs.parquet").read_bytes())
    damaged[4:60] = b"\xff" * 56  # of the first group
    Path("labs.parquet").write_bytes(damaged)
    with opened(Path("labs.parquet")) as source:
        (batch,) = source.batches(skip=5)
        assert batch.rows["x"].to_pylist() == [5, 6, 7, 8, 9]
        with pytest.raises(RlsironError, match="is no whole Parquet file"):
            list(source.batches())


def test_a_batch_is_cut_with_its_places() -> None:
    pq.write_table(pa.table({"x": range(10)}), "labs.parquet")
    with opened(Path("labs.parquet")) as source:
        (batch,) = source.batches(skip=2)
    part = batch[3:5]
    assert (len(part), part.place(0), part.frame(["x"])["x"].tolist()) == (2, 6, [5, 6])
    assert part.frame(["x"]).index.tolist() == [5, 6]


def test_a_file_without_rows_has_no_batch() -> None:
    pq.write_table(pa.table({"ferritin": pa.array([], pa.float64())}), "labs.parquet")
    with opened(Path("labs.parquet")) as source:
        assert not list(source.batches())
    with pytest.raises(RlsironError, match=r"'labs.parquet' has .* no row"):
        answered(pa.table({"ferritin": pa.array([], pa.float64())}))
    assert not Path("out.parquet").exists()


def refused(table: pa.Table, *, units: dict[str, str] = UNITS) -> str:
    """Return why a table is not answered; nothing is in place then."""
    with pytest.raises(RlsironError) as fault:
        answered(table, units=units)
    assert [path.name for path in Path().iterdir()] == ["labs.parquet"]
    return str(fault.value)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([{"value": 62.0}]),
        pa.array([b"62 ng/mL"]),
        pa.array([[("value", 62.0)]], pa.map_(pa.string(), pa.float64())),
        pa.array([62], pa.duration("s")),
    ],
    ids=["struct", "bytes", "map", "duration"],
)
def test_a_type_that_is_not_read_is_refused_by_its_name(cells: pa.Array) -> None:
    why = refused(pa.table({"ferritin": cells}))
    name = str(cells.type).rstrip(">")  # of a map Arrow adds the name of its field
    assert why.startswith(f"column 'ferritin' has the type {name}")
    assert "which is not read; cast it to numbers, texts" in why


def test_numbers_without_a_unit_are_refused_with_the_way_out() -> None:
    why = refused(pa.table({"ferritin": [62.0]}), units={})
    assert why.startswith("ferritin")
    assert "unit" in why


def test_a_cell_without_a_unit_beside_it_is_a_problem_of_its_row() -> None:
    table = pa.table({"ferritin": [62.0, 70.0], "ferritin_unit": ["ng/mL", None]})
    out, done = answered(table, units={})
    assert out["ferritin_low_ug_l"].to_pylist() == [62.0, None]
    (kind,) = done.tally.problems
    assert kind == "ferritin … has no unit"
    assert done.tally.problems[kind].at == 2


def test_two_columns_of_one_name_are_refused_if_they_are_read() -> None:
    twice = pa.table([[1.0], [2.0]], ["ferritin", "ferritin"])
    assert "stands 2 times" in refused(twice)


def test_columns_that_are_not_read_may_be_doubled() -> None:
    out, _ = answered(pa.table([[1.0], [2.0], ["3"]], ["ferritin", "x", "x"]))
    assert [column.to_pylist() for column in out.columns[:3]] == [[1.0], [2.0], ["3"]]


def test_a_column_that_is_missing_is_named() -> None:
    assert "no column has results" in refused(pa.table({"x": [1.0]}))


# files that are damaged


def stored() -> bytes:
    """Return a file with two row groups of texts and numbers, not compressed."""
    cells = {"ferritin": np.arange(2_000.0), "note": [f"n{at}" for at in range(2_000)]}
    pq.write_table(pa.table(cells), "labs.parquet", row_group_size=1_000, compression="none")
    return Path("labs.parquet").read_bytes()


def read(damaged: bytes | bytearray) -> str:
    """Return why a file cannot be read."""
    Path("labs.parquet").write_bytes(damaged)
    with pytest.raises(RlsironError) as fault, opened(Path("labs.parquet")) as source:
        list(source.batches())
    return str(fault.value)


@pytest.mark.parametrize("kept", [0, 3, 4, 11, -1, -8, -100], ids=str)
def test_a_file_that_was_cut_is_refused(kept: int) -> None:
    why = read(stored()[:kept])
    assert why.startswith("'labs.parquet' is no whole Parquet file: ")
    assert why.endswith("; write or copy it again")


def test_a_file_that_lacks_its_middle_is_refused() -> None:
    whole = stored()
    foot = int.from_bytes(whole[-8:-4], "little") + 8
    assert "is no whole Parquet file" in read(whole[:5_000] + whole[-foot:])


def test_a_footer_of_other_bytes_is_refused() -> None:
    whole = bytearray(stored())
    whole[-300:-200] = b"\xee" * 100
    assert "is no whole Parquet file" in read(whole)


def test_a_file_that_is_no_parquet_is_refused() -> None:
    assert "is no whole Parquet file" in read(b"ferritin\n62 ng/mL\n")


def test_texts_that_are_no_texts_are_refused() -> None:
    whole = stored()
    assert "Invalid UTF8" in read(whole.replace(b"n1500", b"n\xff500"))


def test_a_number_that_changed_on_the_disk_is_refused_where_its_page_has_a_sum() -> None:
    answered(pa.table({"ferritin": np.arange(1_000.0)}))  # an answer is written with sums
    whole = bytearray(Path("out.parquet").read_bytes())
    column = pq.read_metadata("out.parquet").row_group(0).column(0)
    whole[column.dictionary_page_offset + 200] ^= 1
    assert "CRC" in read(whole)


def test_a_file_that_cannot_be_opened_says_why() -> None:
    with (
        pytest.raises(RlsironError, match=r"'none.parquet' cannot be opened: "),
        opened(Path("none.parquet")),
    ):
        pass


# writing


class Full:
    """A disk that takes so many bytes."""

    closed = False

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(28, "No space left on device")
        return len(data)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("room", [0, 10, 5_000, 60_000])
def test_a_disk_that_fills_is_an_error_of_the_system(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "CHUNK", 1_000)
    pq.write_table(pa.table({"ferritin": np.arange(9_000.0)}), "labs.parquet")
    asked = Asked((load_guideline("aasm-2025"),), UNITS, {}, ".", strict=False)
    archive = Archive([Path("labs.parquet")], ParquetFormat(ABOUT), asked, lambda *_: None)
    with pytest.raises(OSError, match="No space left"):
        archive.to_stream(Full(room))


def test_parts_are_joined_as_their_rows_with_the_metadata_of_the_first() -> None:
    table = messy()
    units = {**UNITS, "tsat": "%"}
    whole, _ = answered(table, units=units)
    names = []
    for number, start in enumerate(range(0, 120, 50)):
        answered(table.slice(start, 50), units=units)
        names.append(Path("out.parquet").rename(f"{number}.parquet"))
    with Path("joined.parquet").open("wb") as stream:
        ParquetFormat.join(names, stream)
    joined = pq.read_table("joined.parquet")
    assert same(joined, whole)
    assert joined.schema.metadata[b"rlsiron"] == whole.schema.metadata[b"rlsiron"]


def test_a_moment_keeps_its_zone_where_it_is_read() -> None:
    moment = datetime(2026, 1, 2, 3, tzinfo=ZoneInfo("Europe/Berlin"))
    cells = pa.array([moment], pa.timestamp("ms", "Europe/Berlin"))
    out, done = answered(pa.table({"ferritin": [62.0], "last_iv_iron": cells}))
    assert out.schema.field("last_iv_iron").type == cells.type
    assert out["last_iv_iron"].to_pylist() == [moment]
    assert done.plan.read["last_iv_iron"] == "last_iv_iron"
