import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import distributed
import pandas as pd
import pytest

import rlsiron
from rlsiron.dask_frames import interpret_dask, interpret_parquet
from rlsiron.frames import interpret_frame
from spread import as_expected, assert_same, frame_of, numbers, vectors
from test_frames import EVERY_UNIT, random_frame, units_of

ROWS = int(os.environ.get("RLSIRON_FRAME_ROWS", "0"))
FERRITIN = {"ferritin": "ng/mL"}
UNITS = {"ferritin": "ng/mL", "tsat": "%"}


def spread(*parts: pd.DataFrame, like: pd.DataFrame | None = None) -> dd.DataFrame:
    """Return frames as partitions, each with the types that it has."""
    meta = (parts[0] if like is None else like).iloc[:0]
    frame: dd.DataFrame = dd.from_map(lambda part: part, parts, meta=meta, enforce_metadata=False)
    return frame


@pytest.fixture(autouse=True)
def _objects_stay_objects() -> Iterator[None]:
    with dask.config.set({"dataframe.convert-string": False, "scheduler": "sync"}):
        yield


@pytest.mark.parametrize("call", vectors(), ids=str)
def test_the_conformance_pack_is_answered_in_partitions(call: Any) -> None:  # noqa: ANN401
    (ids, strict, decimal), _ = call
    cases = vectors()[call]
    df = frame_of(cases)
    asked: dict[str, Any] = {"guidelines": ids, "strict": strict, "decimal": decimal}
    out = interpret_dask(dd.from_pandas(df, npartitions=5), **asked).compute()
    assert as_expected(out, cases)
    assert_same(out, interpret_frame(df, **asked))


def test_messy_rows_are_answered_in_partitions() -> None:
    """By hand: RLSIRON_FRAME_ROWS=100000."""
    rows = ROWS or 2_000
    for seed, at in enumerate(range(0, rows, 5_000 if ROWS else 500)):
        df = random_frame(min(5_000 if ROWS else 500, rows - at), seed=seed)
        out = interpret_dask(dd.from_pandas(df, npartitions=4), units=units_of(seed)).compute()
        assert_same(out, interpret_frame(df, units=units_of(seed)))


def test_numbers_are_answered_in_partitions() -> None:
    df = numbers(max(ROWS, 100_000), seed=1)
    units = {**UNITS, "crp": "mg/L"}
    out = interpret_dask(dd.from_pandas(df, npartitions=7), units=units)
    expected = interpret_frame(df, units=units)
    assert_same(out.compute(scheduler="threads", num_workers=2), expected)


def test_an_answer_is_as_that_of_one_frame() -> None:
    df = pd.DataFrame(
        {"ferritin": [62.0, 310.0, 80.0, 12.0], "age": [44, 9, 51, 70]},
        index=pd.Index([10, 20, 30, 40], name="draw"),
    )
    given = dd.from_pandas(df, npartitions=2)
    answers = interpret_dask(given, units=FERRITIN)
    assert answers.divisions == given.divisions
    expected = interpret_frame(df, units=FERRITIN)
    out = answers.compute()
    assert out.index.equals(df.index)
    assert out.index.name == "draw"
    assert out.dtypes.map(str).equals(expected.dtypes.map(str))
    assert answers.dtypes.map(str).equals(expected.dtypes.map(str))


def test_the_closed_words_are_known_and_the_open_ones_are_not() -> None:
    df = pd.DataFrame({"ferritin": [62.0, 310.0]})
    answers = interpret_dask(dd.from_pandas(df, npartitions=2), units=FERRITIN)
    closed = [name for name in answers if answers.dtypes[name] == "category"
              and answers[name].cat.known]  # fmt: skip
    assert {name.rpartition("_")[2] for name in closed} == {
        "bound", "disposition", "criterion", "iron",
    }  # fmt: skip
    assert list(answers["aasm_2025_iron"].cat.categories) == [
        "give", "do-not-give", "not-covered", "open",
    ]  # fmt: skip
    assert not answers["aasm_2025_possible"].cat.known


def test_partitions_that_say_other_words_are_counted_together() -> None:
    df = pd.DataFrame({"ferritin": [62.0, 310.0, 62.0], "tsat": [18.0, 18.0, None], "age": 44})
    answers = interpret_dask(dd.from_pandas(df, npartitions=3), units=UNITS, guidelines="aasm-2025")
    counts = answers["aasm_2025_possible"].value_counts().compute()
    assert {word: count for word, count in counts.items() if count} == {
        "oral-or-iv-iron": 1,
        "withhold-iron": 1,
        "oral-or-iv-iron withhold-iron": 1,
    }
    by = answers.groupby("aasm_2025_disposition", observed=True).size().compute()
    assert by.to_dict() == {"oral-or-iv-iron": 1, "withhold-iron": 1, "indeterminate": 1}


PARTS: dict[str, tuple[pd.DataFrame, ...]] = {
    "a part without any unit": (
        pd.DataFrame({"ferritin": [62.0], "ferritin_unit": ["ng/mL"], "age": [44]}),
        pd.DataFrame({"ferritin": [62.0, 8.0], "ferritin_unit": [None, None], "age": [44, 45]}),
    ),
    "a part of numbers among texts": (
        pd.DataFrame({"ferritin": ["62 ng/mL", "<5 ug/L"]}, dtype=object),
        pd.DataFrame({"ferritin": [62, 75]}, dtype=object),
    ),
    "a part without any value": (
        pd.DataFrame({"ferritin": ["62 ng/mL"], "sex": ["male"]}),
        pd.DataFrame({"ferritin": [None, None], "sex": [None, None]}, dtype=object),
        pd.DataFrame({"ferritin": [float("nan")], "sex": [float("nan")]}),
    ),
    "whole numbers, some with nulls": (
        pd.DataFrame({"tsat": [18, 46], "age": [44, 9], "sex": [1, 2]}),
        pd.DataFrame({"tsat": [18.0, None], "age": [None, 9.0], "sex": [1, None]}),
        pd.DataFrame({"tsat": [18, None], "age": [None, 9], "sex": [1, None]}, dtype="Int64"),
    ),
    "empty parts": (
        pd.DataFrame({"tsat": [18.0, 46.0]}).iloc[:0],
        pd.DataFrame({"tsat": [18.0, 46.0]}),
        pd.DataFrame({"tsat": []}, dtype=object),
    ),
    "nothing but empty parts": (pd.DataFrame({"tsat": [1.0]}).iloc[:0],) * 2,
    "one row in each": tuple(
        pd.DataFrame({"tsat": [tsat], "age": [age]})
        for tsat, age in ((18.0, 44), (46.0, 44), (None, 9))
    ),
    "labels that repeat and are in no order": (
        pd.DataFrame({"tsat": [18.0, 46.0, 19.0]}, index=[7, 3, 3]),
        pd.DataFrame({"tsat": [50.0, 2.0]}, index=[3, -1]),
    ),
    "categories that differ": (
        pd.DataFrame({"tsat": ["18 %", None], "sex": ["male", "female"]}, dtype="category"),
        pd.DataFrame({"tsat": ["<5 %", "QNS"], "sex": ["male", None]}, dtype="category"),
        pd.DataFrame({"tsat": [None], "sex": [None]}, dtype="category"),
    ),
    "bounds, and a part of numbers": (
        pd.DataFrame({"tsat": ["<5", ">=45"], "age": [44, 44]}),
        pd.DataFrame({"tsat": [5.0, 45.0], "age": ["44", "old"]}),
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_no_row_depends_on_its_partition(name: str) -> None:
    parts = PARTS[name]
    units = {n: u for n, u in EVERY_UNIT.items() if n in parts[0] and n != "ferritin"}
    out = interpret_dask(spread(*parts), units=units).compute()
    joined = pd.concat([part.astype(object) for part in parts])
    rows = [
        pd.DataFrame([row], index=[label], dtype=object)
        for label, (_, row) in zip(joined.index, joined.iterrows(), strict=True)
    ]
    first = interpret_frame(pd.concat([pd.DataFrame({"tsat": ["1 %"]}), joined]), units=units)
    assert len(rows) == len(out) == len(first) - 1
    assert_same(out, first.iloc[1:])
    assert list(out.index) == list(joined.index)


def no_rows(_: object) -> pd.DataFrame:
    raise OSError("it was read")


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    meta = pd.DataFrame({"tsat": [1.0]}).iloc[:0]
    given = dd.from_map(no_rows, [1, 2], meta=meta)
    answers = interpret_dask(given, units={"tsat": "%"})
    with pytest.raises(OSError, match="it was read"):
        answers.compute()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({}, "ferritin is a column of numbers with no unit; declare units="),
        ({"units": {"ferritin": "furlong"}}, "ferritin is not reported in 'furlong'"),
        ({"units": {"tsat": "%"}}, "units= names 'tsat'; known: ferritin"),
        ({"units": "ng/mL"}, "units='ng/mL' is no mapping"),
        ({"columns": {"tsat": "TSAT"}}, "columns= gives 'TSAT' for 'tsat'"),
        ({"units": FERRITIN, "guidelines": ()}, "names no guideline"),
        ({"units": FERRITIN, "guidelines": "aasm-2024"}, "aasm-2024"),
        ({"units": FERRITIN, "errors": "ignore"}, "errors='ignore' is not a choice"),
        ({"units": FERRITIN, "decimal": ";"}, "decimal=';' is not a choice"),
        ({"units": FERRITIN, "strict": "no"}, "strict='no' is not a choice"),
    ],
)
def test_a_wrong_call_is_refused_before_any_partition_is_read(
    call: dict[str, Any], message: str
) -> None:
    meta = pd.DataFrame({"ferritin": [1.0]}).iloc[:0]
    given = dd.from_map(no_rows, [1, 2], meta=meta)
    with pytest.raises(rlsiron.RlsironError) as refusal:
        interpret_dask(given, **call)
    assert message in str(refusal.value)


def test_a_misspelt_column_is_refused_at_the_call() -> None:
    given = dd.from_pandas(pd.DataFrame({"feritin": ["62 ng/mL"]}), npartitions=1)
    with pytest.raises(rlsiron.RlsironError, match="did you mean 'ferritin'"):
        interpret_dask(given)


def test_what_is_no_frame_of_dask_is_refused() -> None:
    with pytest.raises(rlsiron.RlsironError, match="is not a DataFrame of Dask; give one"):
        interpret_dask(pd.DataFrame({"ferritin": ["62 ng/mL"]}))  # type: ignore[arg-type]


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_a_bad_row_is_named_when_asked(scheduler: str) -> None:
    df = pd.DataFrame({"ferritin": ["62 ng/mL", "62 ng/mL", "x"]}, index=["a", "b", "c"])
    answers = interpret_dask(dd.from_pandas(df, npartitions=3), errors="raise")
    with pytest.raises(rlsiron.RlsironError, match=r"row 'c': .*ferritin 'x' cannot be read"):
        answers.compute(scheduler=scheduler)


@contextmanager
def cluster() -> Iterator[str]:
    """Give the address of two workers, each a process."""
    library: Any = distributed  # has no types
    with library.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as local:
        yield local.scheduler_address


def test_a_cluster_is_asked_with_guidelines_that_only_the_caller_has(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'id = "own"\nextends = "aasm-2025"\nversion = "1"\n[[change]]\nid = "AA-3"\n'
        'when = { ferritin = ["> 75 ug/L", "<= 90 ug/L"] }\n',
        "utf-8",
    )
    df = pd.DataFrame({"ferritin": [62.0, 95.0, 310.0, 85.0], "tsat": 30.0, "age": 44})
    asked: dict[str, Any] = {
        "guidelines": (str(own), rlsiron.load_guideline("mayo-2021"), "aasm-2025"),
        "units": UNITS,
    }
    expected = interpret_frame(df, **asked)
    library: Any = distributed
    with cluster() as address, library.Client(address) as client:
        answers = interpret_dask(dd.from_pandas(df, npartitions=4), **asked)
        own.unlink()
        out = client.compute(answers).result()
        bad = interpret_dask(
            dd.from_pandas(df.assign(tsat="x"), npartitions=2), units=FERRITIN, errors="raise"
        )
        with pytest.raises(rlsiron.RlsironError, match=r"row [02]: .*tsat 'x'"):
            client.compute(bad).result()
        source = written(tmp_path / "in", df[:3], df[3:])
        interpret_parquet(source, str(tmp_path / "out"), **{**asked, "guidelines": "aasm-2025"})
    assert out["own_disposition"].tolist() == [
        "oral-or-iv-iron", "no-iron", "withhold-iron", "iv-iron",
    ]  # fmt: skip
    assert_same(out, expected)
    stored = read_all(tmp_path / "out")["aasm_2025_disposition"]
    assert stored.tolist() == expected["aasm_2025_disposition"].tolist()


def written(folder: Path, *parts: pd.DataFrame) -> str:
    """Return the folder of Parquet files."""
    folder.mkdir()
    for at, part in enumerate(parts):
        part.to_parquet(folder / f"{at}.parquet")
    return str(folder)


def read_all(folder: Path) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])


def test_parquet_comes_back_as_parts_with_the_answers_behind_the_rows(tmp_path: Path) -> None:
    parts = [
        pd.DataFrame({"id": [1, 2], "ferritin": [62, 310], "sex": ["male", None]}),
        pd.DataFrame({"id": [3], "ferritin": pd.Series([None], dtype="Int64"), "sex": ["F"]}),
    ]
    parts[0]["sex"] = parts[0]["sex"].astype("category")
    source = written(tmp_path / "in", *parts)
    interpret_parquet(source, str(tmp_path / "out"), units=FERRITIN, prefix="rls_")
    out = read_all(tmp_path / "out").sort_values("id")
    joined = pd.concat([part.astype({"sex": "str", "ferritin": "Int64"}) for part in parts])
    expected = interpret_frame(joined, units=FERRITIN)
    assert out["id"].tolist() == [1, 2, 3]
    assert out["ferritin"].tolist()[:2] == [62, 310]
    assert list(out.columns) == ["id", "ferritin", "sex", *(f"rls_{name}" for name in expected)]
    answers = out.iloc[:, 3:].set_axis(expected.columns, axis=1)
    assert_same(answers, expected)


def test_only_the_columns_that_are_wanted_are_written(tmp_path: Path) -> None:
    source = written(tmp_path / "in", pd.DataFrame({"ferritin": [310.0], "notes": ["by hand"]}))
    wanted = ["mayo_2021_disposition", "aasm_2025_needs"]
    interpret_parquet(source, str(tmp_path / "out"), units=FERRITIN, answers=wanted)
    assert list(read_all(tmp_path / "out").columns) == ["ferritin", "notes", *wanted]
    with pytest.raises(rlsiron.RlsironError, match="answers= names 'mayo_disposition'; did you"):
        interpret_parquet(
            source, str(tmp_path / "other"), units=FERRITIN, answers=["mayo_disposition"]
        )


def test_a_column_with_the_name_of_an_answer_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path / "in", pd.DataFrame({"ferritin": [310.0], "Notes": ["by hand"]}))
    with pytest.raises(
        rlsiron.RlsironError,
        match=r"column 'Notes' is in the input and in the answer; .* prefix='rlsiron_'",
    ):
        interpret_parquet(source, str(tmp_path / "out"), units=FERRITIN)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    source = written(tmp_path / "in", pd.DataFrame({"ferritin": [310.0]}))
    with pytest.raises(rlsiron.RlsironError, match="is there; name a folder that is new"):
        interpret_parquet(source, source, units=FERRITIN)


def test_a_job_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    parts = [pd.DataFrame({"ferritin": ["62 ng/mL"]}), pd.DataFrame({"ferritin": ["x"]})]
    source, target = written(tmp_path / "in", *parts), tmp_path / "out"
    with pytest.raises(rlsiron.RlsironError, match="ferritin 'x' cannot be read"):
        interpret_parquet(source, str(target), errors="raise")
    assert not target.exists()
    (tmp_path / "out.unfinished" / "of an earlier try").touch()
    interpret_parquet(source, str(target))
    assert len(read_all(target)) == 2
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in", "out"]


def test_files_are_named_by_a_pattern_or_folders_and_stay_in_order(tmp_path: Path) -> None:
    rows = pd.DataFrame({"ferritin": range(50, 56)}, index=pd.Index([*range(6)], name="visit"))
    for year, part in ((2024, rows[:2]), (2025, rows[2:])):
        part.to_parquet(Path(written(tmp_path / f"year={year}")) / "a.parquet", row_group_size=2)
    for at, name in enumerate(("year=*/*.parquet", "")):
        target = tmp_path / f"out-{at}"
        interpret_parquet(str(tmp_path / name), str(target), units=FERRITIN, answers=["notes"])
        out = read_all(target)
        assert list(out.columns)[:2] == ["ferritin", "visit"]
        assert out["visit"].tolist() == [0, 1, 2, 3, 4, 5]
        assert "year" not in out  # which is the path's
        target.rename(tmp_path.parent / f"{tmp_path.name}-{at}")


def test_large_files_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsiron.dask_frames._ROWS", 4)
    path = Path(written(tmp_path / "in")) / "a.parquet"
    pd.DataFrame({"ferritin": range(50, 61)}).to_parquet(path, row_group_size=2)
    interpret_parquet(str(path), str(tmp_path / "out"), units=FERRITIN)
    sizes = [len(pd.read_parquet(one)) for one in sorted((tmp_path / "out").iterdir())]
    assert sizes == [4, 4, 3]
    assert read_all(tmp_path / "out")["ferritin"].tolist() == list(range(50, 61))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "nowhere"),
        ("*.csv", "names no file; give Parquet files or their folder"),
        ("in", "cannot be read as Parquet"),
    ],
)
def test_what_is_no_parquet_is_refused(tmp_path: Path, name: str, message: str) -> None:
    source = Path(written(tmp_path / "in", pd.DataFrame({"ferritin": range(900)})))
    path = source / "0.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(rlsiron.RlsironError, match=message):
        interpret_parquet(str(tmp_path / name), str(tmp_path / "out"), units=FERRITIN)
    assert not (tmp_path / "out").exists()


def test_a_file_without_rows_is_a_part_without_rows(tmp_path: Path) -> None:
    rows = pd.DataFrame({"ferritin": [62.0, 310.0]})
    source = written(tmp_path / "in", rows[:0], rows)
    interpret_parquet(source, str(tmp_path / "out"), units=FERRITIN)
    assert [len(pd.read_parquet(one)) for one in sorted((tmp_path / "out").iterdir())] == [0, 2]


def test_files_whose_types_differ_are_read_as_one(tmp_path: Path) -> None:
    parts = [
        pd.DataFrame({"ferritin": [62, 310], "sex": [None, None], "crp": [1, 2]}),
        pd.DataFrame({"ferritin": [62.5, None], "sex": ["male", "female"], "crp": [None, 6.5]}),
    ]
    units = {**FERRITIN, "crp": "mg/L"}
    source = written(tmp_path / "in", *parts)
    interpret_parquet(source, str(tmp_path / "out"), units=units)
    expected = interpret_frame(pd.concat(parts), units=units)
    assert_same(read_all(tmp_path / "out").iloc[:, 3:], expected)


def test_numbers_that_would_not_be_those_of_their_file_are_refused(tmp_path: Path) -> None:
    parts = [pd.DataFrame({"tsat": [0.45]}), pd.DataFrame({"tsat": [0.45]}, dtype="float32")]
    source = written(tmp_path / "in", *parts)
    with pytest.raises(rlsiron.RlsironError, match="column 'tsat' is float in one file and"):
        interpret_parquet(source, str(tmp_path / "out"), units={"tsat": "fraction"})
    parts = [pd.DataFrame({"id": [2**53 + 1]}), pd.DataFrame({"id": [0.5]})]
    source = written(tmp_path / "ids", *(part.assign(tsat="18 %") for part in parts))
    with pytest.raises(rlsiron.RlsironError, match="cannot be read as Parquet: Integer value"):
        interpret_parquet(source, str(tmp_path / "out"))
