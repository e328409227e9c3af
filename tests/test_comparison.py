from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pytest

import rlsiron
from rlsiron.comparison import compare_guidelines
from rlsiron.frames import interpret_frame

UNITS = {"ferritin": "ng/mL", "tsat": "%"}
ORAL, IV, EITHER, NONE, STOP = (
    "oral-iron", "iv-iron", "oral-or-iv-iron", "no-iron", "withhold-iron"
)  # fmt: skip

# TSAT is 30 % but in the last row. By evidence/clinical.md §7, adults:
#   ferritin    62      75      80   100  140   310 and TSAT 50
#   AASM        either  either  iv   iv   none  stopped (criterion: none)
#   AAN         oral    oral    none none none  stopped (criterion: none)
#   IRLSSG      oral    oral    iv   iv   none  stopped (criterion: stopped by its own text)
CELLS: dict[str, list[Any]] = {
    "ferritin": [62.0, 75.0, 80.0, 100.0, 140.0, 310.0],
    "tsat": [30.0, 30.0, 30.0, 30.0, 30.0, 50.0],
    "age": [44] * 6,
    "clinic": ["north", "south", "south", "south", None, "north"],
}
FRAMES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "lazy polars": pl.LazyFrame,
    "pyarrow": pa.table,
    "reader": lambda cells: pa.table(cells).to_reader(max_chunksize=2),
    "duckdb": lambda cells: duckdb.connect().from_arrow(pa.table(cells)),
}


def rows_of(counted: pd.DataFrame) -> list[list[Any]]:
    return [list(row) for row in counted.itertuples(index=False)]


@pytest.mark.parametrize("kind", FRAMES)
def test_each_pair_of_dispositions_is_counted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsiron.dataframes.BATCH", 2)
    df = FRAMES[kind](CELLS)
    counted = compare_guidelines(df, guidelines=("aasm-2025", "aan-2016"), units=UNITS)
    assert rows_of(counted) == [
        ["aasm-2025", IV, "aan-2016", NONE, 2, 2 / 6],
        ["aasm-2025", EITHER, "aan-2016", ORAL, 2, 2 / 6],
        ["aasm-2025", NONE, "aan-2016", NONE, 1, 1 / 6],
        ["aasm-2025", STOP, "aan-2016", STOP, 1, 1 / 6],
    ]
    assert counted.columns.tolist() == [
        "guideline", "disposition", "other_guideline", "other_disposition", "rows", "share",
    ]  # fmt: skip


def test_each_pair_of_guidelines_is_counted() -> None:
    counted = compare_guidelines(
        pd.DataFrame(CELLS), guidelines=("aasm-2025", "aan-2016", "irlssg-2018"), units=UNITS
    )
    of_pair = counted.groupby(["guideline", "other_guideline"], sort=False)["rows"].sum()
    assert of_pair.to_dict() == {
        ("aasm-2025", "aan-2016"): 6,
        ("aasm-2025", "irlssg-2018"): 6,
        ("aan-2016", "irlssg-2018"): 6,
    }
    third = counted[counted["guideline"] == "aan-2016"]
    assert rows_of(third) == [
        ["aan-2016", ORAL, "irlssg-2018", ORAL, 2, 2 / 6],
        ["aan-2016", NONE, "irlssg-2018", IV, 2, 2 / 6],
        ["aan-2016", NONE, "irlssg-2018", NONE, 1, 1 / 6],
        ["aan-2016", STOP, "irlssg-2018", STOP, 1, 1 / 6],
    ]


def test_the_criterion_is_compared_before_safety() -> None:
    counted = compare_guidelines(
        pd.DataFrame(CELLS).tail(1),
        guidelines=("aan-2016", "irlssg-2018"),
        units=UNITS,
        said="criterion",
    )
    assert rows_of(counted) == [["aan-2016", NONE, "irlssg-2018", STOP, 1, 1.0]]
    assert counted.columns.tolist()[1:4:2] == ["criterion", "other_criterion"]


@pytest.mark.parametrize("kind", FRAMES)
def test_rows_are_counted_apart_by_a_column(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsiron.dataframes.BATCH", 2)
    counted = compare_guidelines(
        FRAMES[kind](CELLS), guidelines=("aasm-2025", "aan-2016"), units=UNITS, by="clinic"
    )
    assert counted.columns.tolist()[0] == "clinic"
    said = {
        (None if clinic != clinic else clinic, one, other): (rows, share)  # noqa: PLR0124 - NaN
        for clinic, _, one, _, other, rows, share in rows_of(counted)
    }
    assert said == {
        ("north", EITHER, ORAL): (1, 1 / 2),
        ("north", STOP, STOP): (1, 1 / 2),
        ("south", EITHER, ORAL): (1, 1 / 3),
        ("south", IV, NONE): (2, 2 / 3),
        (None, NONE, NONE): (1, 1.0),
    }


def test_rows_are_counted_apart_by_a_column_that_is_read() -> None:
    df = pd.DataFrame(CELLS).assign(age=[44, 9, 44, 9, 44, 9])
    counted = compare_guidelines(df, guidelines=("aasm-2025", "irlssg-2018"), units=UNITS, by="age")
    assert counted.groupby("age")["rows"].sum().to_dict() == {9: 3, 44: 3}


def test_a_cut_off_of_ones_own_moves_those_beyond_it(tmp_path: Path) -> None:
    """With 90 in place of 100 the row with ferritin 100 loses its IV iron, and no other moves."""
    own = tmp_path / "own.toml"
    own.write_text(
        'id = "own"\ntitle = "Own"\nextends = "aasm-2025"\nversion = "1"\n[[change]]\nid = "AA-3"\n'
        'when = { ferritin = ["> 75 ug/L", "<= 90 ug/L"] }\n',
        "utf-8",
    )
    counted = compare_guidelines(
        pl.DataFrame(CELLS), guidelines=("aasm-2025", str(own)), units=UNITS
    )
    moved = counted[counted["disposition"] != counted["other_disposition"]]
    assert rows_of(moved) == [["aasm-2025", IV, "own", NONE, 1, 1 / 6]]


def test_what_cannot_be_read_leaves_it_open() -> None:
    df = pl.DataFrame({"ferritin": ["QNS", "x", "62 ng/mL"], "tsat": 30.0, "age": 44})
    counted = compare_guidelines(df, guidelines=("aasm-2025", "aan-2016"), units={"tsat": "%"})
    assert rows_of(counted) == [
        ["aasm-2025", EITHER, "aan-2016", ORAL, 1, 1 / 3],
        ["aasm-2025", "indeterminate", "aan-2016", "indeterminate", 2, 2 / 3],
    ]


def test_the_counts_are_those_of_the_answers() -> None:
    df = pd.DataFrame(CELLS)
    out = interpret_frame(df, units=UNITS)
    counted = compare_guidelines(df, units=UNITS)
    first = counted[counted["other_guideline"] == "irlssg-2018"]
    by_hand = pd.crosstab(
        out["aasm_2025_disposition"].astype(str), out["irlssg_2018_disposition"].astype(str)
    )
    for _, one, _, other, rows, _ in rows_of(first[first["guideline"] == "aasm-2025"]):
        assert by_hand.loc[one, other] == rows


def test_an_empty_frame_has_no_pairs() -> None:
    counted = compare_guidelines(pd.DataFrame({"ferritin": pd.Series([], dtype="str")}))
    assert len(counted) == 0
    assert [str(counted[name].dtype) for name in ("rows", "share")] == ["int64", "float64"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"guidelines": "aasm-2025"}, "names only 'aasm-2025'; give two or more to compare"),
        ({"by": "clinics"}, "by='clinics' is not the name of one column; did you mean 'clinic'?"),
        ({"by": ["clinic"]}, "by=['clinic'] is not the name of one column"),
        ({"by": "lists"}, "by= names a column of lists; name one with a single value a row"),
        ({"said": "iron"}, "said='iron' is not a choice; write 'disposition' or 'criterion'"),
        ({"strict": 2}, "strict=2 is not a choice"),
        ({"decimal": ";"}, "decimal=';' is not a choice"),
        ({"units": "ng/mL"}, "units='ng/mL' is no mapping"),
        ({"units": {}}, "ferritin is a column of numbers with no unit"),
    ],
)
@pytest.mark.parametrize("kind", ["pandas", "polars", "lazy polars"])
def test_a_wrong_call_is_one_error(kind: str, call: dict[str, Any], message: str) -> None:
    df = FRAMES[kind]({**CELLS, "lists": [["a"]] * 6})
    with pytest.raises(rlsiron.RlsironError) as refusal:
        compare_guidelines(df, **{"units": UNITS, **call})
    assert message in str(refusal.value)


def test_a_whole_frame_without_any_unit_is_one_error() -> None:
    """A part of a lazy one is not, since another part may have units."""
    cells = {"ferritin": [62.0, 80.0], "ferritin_unit": ["", ""]}
    with pytest.raises(rlsiron.RlsironError, match="is a column of numbers with no unit"):
        compare_guidelines(pl.DataFrame(cells))
    assert compare_guidelines(pl.LazyFrame(cells))["rows"].tolist() == [2, 2, 2]


@pytest.mark.parametrize("name", ["rows", "share", "guideline", "other_disposition"])
def test_a_stratum_has_no_name_of_the_counts(name: str) -> None:
    df = pd.DataFrame({"ferritin": [62.0], name: ["a"]})
    with pytest.raises(rlsiron.RlsironError, match="is a column of the counts; rename yours"):
        compare_guidelines(df, units={"ferritin": "ng/mL"}, by=name)


def test_strata_that_python_takes_for_one_are_refused() -> None:
    df = pd.DataFrame({"ferritin": 62.0, "ward": pd.Series([1, True, 0, False], dtype=object)})
    with pytest.raises(rlsiron.RlsironError, match="mixed types; make them one"):
        compare_guidelines(df, units={"ferritin": "ng/mL"}, by="ward")
