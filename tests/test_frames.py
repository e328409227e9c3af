import math
import os
import random
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rlsiron
from rlsiron.catalog import guideline_ids
from rlsiron.frames import interpret_frame

UNITS = {"ferritin": "ng/mL", "tsat": "%"}
ANALYTES = ("ferritin", "tsat", "iron", "tibc", "uibc", "transferrin", "crp", "hemoglobin")
DRAW = ("drawn", "fasting", "assay")
GUIDELINES = guideline_ids()
EVERY_UNIT = {
    "ferritin": "ng/mL",
    "tsat": "%",
    "iron": "ug/dL",
    "tibc": "ug/dL",
    "uibc": "ug/dL",
    "transferrin": "g/L",
    "crp": "mg/L",
    "hemoglobin": "g/L",
}


def plain(cell: Any) -> Any:  # noqa: ANN401 - any cell
    """Return a cell as one would type it; None where it is empty."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, float | Decimal | np.floating) and cell != cell:  # noqa: PLR0124
        return None
    if isinstance(cell, np.floating):
        return float(str(cell))
    if isinstance(cell, pd.Timestamp):
        return cell.to_pydatetime()
    return cell.item() if isinstance(cell, np.generic) else cell


def of_row(row: Mapping[str, Any], units: Mapping[str, str], call: Mapping[str, Any]) -> list[Any]:
    """Return the cells of one row, from `rlsiron.interpret` alone."""
    cells = {name: plain(cell) for name, cell in row.items()}
    results: dict[str, Any] = {}
    for name in ANALYTES:
        value = cells.get(name)
        if value is not None:
            unit = cells.get(f"{name}_unit")
            if unit is None or (isinstance(unit, str) and not unit.strip()):
                unit = units.get(name)
            results[name] = value if unit is None else (value, unit)
    draw: dict[str, Any] = {name: cells.get(name) for name in DRAW}
    fields = set(rlsiron.Patient.model_fields) & set(cells)
    answer = rlsiron.interpret(
        **results,
        **draw,
        patient={name: cells[name] for name in sorted(fields)},
        errors="note",
        **{"guidelines": GUIDELINES, **call},
    )
    ferritin, tsat = answer.panel.ferritin, answer.panel.tsat
    out: list[Any] = []
    for result in (ferritin, tsat):
        known = result is not None and not result.missing
        out += [result.low, result.high] if known and result else [None, None]
    out += [ferritin.bound if ferritin else "", tsat.bound if tsat else ""]
    out.append(answer.panel.tsat_source)
    for said in answer.decisions.values():
        out += [said.disposition, said.criterion, said.iron]
        out += [" ".join(said.possible), " ".join(said.needs)]
        out.append(" ".join([rule.id for rule in said.rules]))
    codes = [note.code for note in answer.notes]
    out.append(" ".join(code for at, code in enumerate(codes) if code not in codes[:at]))
    out.append(" ".join(answer.assumptions))
    unread = [n.text for n in answer.notes if n.code in {"unread-result", "unread-field"}]
    out.append("; ".join(unread))
    return out


def cell_of(column: "pd.Series[Any]", row: int) -> object:
    """Return a cell; Arrow hands out its 32-bit floats as 64-bit ones."""
    cell = column.iloc[row]
    short = str(column.dtype) == "float[pyarrow]" and not pd.isna(cell)
    return np.float32(cell) if short else cell


def assert_rows_equal(df: pd.DataFrame, units: Mapping[str, str], **call: Any) -> pd.DataFrame:  # noqa: ANN401
    """Compare every cell of the frame with the answer for its row."""
    out = interpret_frame(df, units=units, **{"guidelines": GUIDELINES, **call})
    assert len(out) == len(df)
    columns = [df.iloc[:, at] for at in range(df.shape[1])]
    found = [out.iloc[:, at].tolist() for at in range(out.shape[1])]
    for row in range(len(df)):
        told = {str(column.name): cell_of(column, row) for column in columns}
        cells = [plain(column[row]) for column in found]
        assert cells == of_row(told, units, call), told
    return out


NUMBERS = [
    0.0, -0.0, -3.0, 0.4, 1.0, 4.99, 5.0, 12.0, 19.999999999, 20.0, 39.0, 40.0, 44.999999999, 45.0,
    49.0, 50.0, 74.999999999, 75.0, 75.000000001, 99.0, 100.0, 100.000000001, 150.0, 200.0, 299.0,
    300.0, 320.5, 700.0, 700.1, 1500.0, 2e5, 6e6, math.inf, 1e-12,
]  # fmt: skip
TEXTS = [
    "62", "62 ng/mL", "7.5 ug/dL", "168 pmol/L", "<5", "<= 5", ">300", ">= 45", "> 1000 ng/mL",
    "<75 %", ">5 mg/L", "<5 mg/L", ">1 mg/L", "QNS", "hemolyzed", "", "n/a ?", "75,3", "0,29 1",
    "18 %", "10 umol/L",
    "2.4 g/L", "12 g/dL", "-4", "1 2", "62 ng/mL H",
]  # fmt: skip
CELLS: list[Any] = [*NUMBERS, *TEXTS, None, math.nan, pd.NA, Decimal("75.0"), Decimal(75), 75, True]
STATED = ["ng/mL", "%", "ug/dL", "g/L", "mg/L", "umol/L", "pmol/L", "", None, "furlong", 7]
DATES: list[Any] = [
    None, "2026-03-01", "2026-03-02T08:00", "2026-01-15", date(2026, 2, 20), "2026-03-01T20:00",
    datetime.fromisoformat("2026-03-01T09:00"), "2025-10-01", "last week", "2026-03-02T08:00+01:00",
]  # fmt: skip
FIELDS: dict[str, list[Any]] = {
    "age": [None, 44, 17.999, 18, 0, 130, 131, -1, "44", "old", True, math.nan],
    "birth_date": [None, None, "2008-03-01", "1980-01-01", "soon"],
    "sex": [None, "female", "male", "F"],
    "rls": [None, "confirmed", "suspected", "absent", "x"],
    "severity": [None, "mild"],
    "pregnancy": [None, "none", "trimester-1", "trimester-2", "pregnant", "postpartum", "yes"],
    "kidney": [None, "none", "ckd", "ckd-5", "stone"],
    "oral_iron": [None, "untried", "failed", "x"],
    "rapid_response_wanted": [None, True, False, "maybe"],
    "inflammation": [None, True, False],
    "last_oral_iron": [None, None, *DATES],
    "last_iv_iron": [None, None, None, *DATES],
    "last_transfusion": [None, None, None, *DATES],
    "last_fever": [None, None, None, *DATES],
    "conditions": [
        None, "", "heart-failure", "diabetes active-infection", ["hemochromatosis"],
        {"gi-disease", "malignancy"}, ("plague",), [], 5, ["diabetes", 7],
    ],
    "drawn": DATES,
    "fasting": [None, True, False, "perhaps"],
    "assay": [None, "Roche", 7],
}  # fmt: skip
POOLS: dict[str, list[Any]] = {
    **dict.fromkeys(ANALYTES, CELLS),
    **{f"{name}_unit": STATED for name in ANALYTES},
    **FIELDS,
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    names = draw(st.lists(st.sampled_from(sorted(POOLS)), min_size=1, max_size=9, unique=True))
    names = list(dict.fromkeys([draw(st.sampled_from(ANALYTES)), *names]))
    rows = draw(st.integers(0, 8))
    columns: dict[str, Any] = {}
    for name in names:
        pool = st.sampled_from(POOLS[name])
        if name in ANALYTES and draw(st.booleans()):
            cells = draw(st.lists(st.sampled_from(NUMBERS), min_size=rows, max_size=rows))
            columns[name] = pd.Series(cells, dtype="float64")
        else:
            cells = draw(st.lists(pool, min_size=rows, max_size=rows))
            columns[name] = pd.Series(cells, dtype=object)
    return pd.DataFrame(columns)


@given(frames(), st.booleans(), st.sampled_from([".", ","]))
def test_a_row_equals_interpret_in_every_column(
    df: pd.DataFrame,
    strict: bool,  # noqa: FBT001
    decimal: str,
) -> None:
    assert_rows_equal(
        df, {n: EVERY_UNIT[n] for n in df if n in EVERY_UNIT}, strict=strict, decimal=decimal
    )


WHOLE = {"iron", "tibc", "uibc", "transferrin", "birth_date"}


def random_frame(rows: int, seed: int) -> pd.DataFrame:
    """Return rows of every input, or with an odd seed of those that are parted by cells."""
    rng = random.Random(seed)  # noqa: S311 - a seed is the point
    columns: dict[str, Any] = {}
    for name, pool in POOLS.items():
        share = 1.0 if name in {"ferritin", "tsat"} else 0.12
        if seed % 2 and name.startswith(("last_", *WHOLE)):
            continue
        cells = [rng.choice(pool) if rng.random() < share else None for _ in range(rows)]
        columns[name] = pd.Series(cells, dtype=object)
        if seed % 4 == 3 and name in ANALYTES:
            numbers = [rng.choice([*NUMBERS, rng.uniform(0, 400), None]) for _ in range(rows)]
            columns[name] = pd.Series(numbers, dtype="float64")
    return pd.DataFrame(columns)


def units_of(seed: int) -> dict[str, str]:
    return {n: u for n, u in EVERY_UNIT.items() if not (seed % 2 and n in WHOLE)}


def units_in(df: pd.DataFrame) -> dict[str, str]:
    return {name: unit for name, unit in EVERY_UNIT.items() if name in df}


def test_seeded_rows_equal_interpret() -> None:
    """By hand: RLSIRON_FRAME_ROWS=100000."""
    rows = int(os.environ.get("RLSIRON_FRAME_ROWS", "2000"))
    for seed, at in enumerate(range(0, rows, 500)):
        assert_rows_equal(random_frame(min(500, rows - at), seed=seed), units_of(seed))
        df = frame_of_parts(min(500, rows - at) // 4 or 1, seed=seed)
        assert_rows_equal(df, units_in(df))


def frame_of_parts(rows: int, seed: int) -> pd.DataFrame:
    """Return rows with iron and TIBC, and a TSAT that is none, the same, or another one."""
    rng = random.Random(seed)  # noqa: S311 - a seed is the point
    read: list[dict[str, Any]] = []
    for _ in range(rows):
        iron, tibc = (
            rng.choice([rng.randint(1, 260), 0, 90.5]),
            rng.choice([rng.randint(60, 460), 0]),
        )
        if seed % 2:  # many alike
            iron, tibc = rng.choice([20, 90, 250]), 300
        share = 100 * iron / (tibc or 1)
        tsat = rng.choice([None, None, round(share), round(share, 1), share, share + 3, 12])
        row = {
            "ferritin": rng.choice(NUMBERS), "iron": iron, "tibc": tibc, "tsat": tsat,
            "age": rng.choice([44, 12, None]), "sex": rng.choice(["female", None]),
        }  # fmt: skip
        if rng.random() < 0.2:
            row[rng.choice(["iron", "tibc", "tsat"])] = rng.choice([None, "<5", "QNS", "x", -4])
        if seed % 2 and rng.random() < 0.2:
            name = rng.choice(["uibc", "transferrin", "last_iv_iron", "last_oral_iron", "drawn"])
            row[name] = {"uibc": "200 ug/dL", "transferrin": "2.4 g/L"}.get(name, "2026-03-01")
        read.append(row)
    df = pd.DataFrame(
        read, columns=[*read[0], *({name for row in read for name in row} - {*read[0]})]
    )
    if seed % 3 == 0:
        df[["iron", "tibc"]] = df[["iron", "tibc"]].apply(pd.to_numeric, errors="coerce")
    return df


@pytest.mark.parametrize("seed", range(6))
def test_a_saturation_that_is_computed_equals_interpret(seed: int) -> None:
    df = frame_of_parts(300, seed)
    out = assert_rows_equal(df, units_in(df))
    assert {"iron/tibc", "reported+iron/tibc"} <= {*out["tsat_source"]}


def test_a_table_is_answered_alike_whatever_was_answered_before() -> None:
    """The board remembers what is said of each kind, by its number in that table."""
    first = pd.DataFrame({"ferritin": ["62 ng/mL", "<5 ng/mL"] * 2, "tsat": 18, "age": 44})
    first["sex"] = ["male", "female", None, "F"]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [0, 1, 2, 3]):
        assert_rows_equal(first.iloc[order], {"tsat": "%"})
    for name in ("fasting", "sex"):
        words = first["sex"].map({"male": True, "F": False}) if name == "fasting" else "female"
        assert_rows_equal(first[["ferritin", "tsat"]].assign(**{name: words}), {"tsat": "%"})


NUMERIC = [62.0, 75.0, 75.1, 300.0, 12.5, 0.25]


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "longdouble", "Float64", "Float32", "double[pyarrow]",
     "float[pyarrow]", "category"],
)  # fmt: skip
def test_every_type_of_numbers_is_read(dtype: Any) -> None:  # noqa: ANN401 - a name
    ferritin = pd.Series([*NUMERIC, None], dtype="float64").astype(dtype)
    age = pd.Series([44.5, 17.9, 18, 130.5, None, 3, 44]).astype(dtype)
    df = pd.DataFrame({"ferritin": ferritin, "age": age})
    out = assert_rows_equal(df, {"ferritin": "ng/mL"})
    assert out["ferritin_low_ug_l"].tolist()[:2] == [62.0, 75.0]
    assert math.isnan(out["ferritin_low_ug_l"].iloc[6])


@pytest.mark.parametrize(
    "dtype", ["int64", "int8", "uint8", "Int64", "UInt16", "int64[pyarrow]", "object", "category"]
)
def test_every_type_of_whole_numbers_is_read(dtype: str) -> None:
    df = pd.DataFrame({"ferritin": pd.Series([62, 75, 76, 0], dtype=dtype), "age": 44})
    assert_rows_equal(df, {"ferritin": "ng/mL"})


@pytest.mark.parametrize("dtype", ["str", "string", "object", "category", "string[pyarrow]"])
def test_every_type_of_texts_is_read(dtype: str) -> None:
    cells = ["62 ng/mL", "<5 ug/L", None, "QNS", "62 mg", "62 ng/mL", "75 %"]
    text = pd.Series(cells, dtype=dtype)
    sex = pd.Series(["male", "female", None, "F", "male", "male", "female"], dtype=dtype)
    age = pd.Series(["44", "4", None, "old", "44", "45", "46"], dtype=dtype)
    assert_rows_equal(pd.DataFrame({"ferritin": text, "tsat": text, "sex": sex, "age": age}), {})


def test_other_types_are_read() -> None:
    import pyarrow as pa  # type: ignore[import-untyped]

    moments = pd.Series(["2026-03-01", None, "2026-03-05 08:00"], dtype="datetime64[ns]")
    df = pd.DataFrame(
        {
            "ferritin": pd.Series([Decimal("62.0"), None, Decimal(80)], dtype=object),
            "tsat": pd.Series(
                [Decimal("18.0"), None, Decimal(8)], dtype=pd.ArrowDtype(pa.decimal128(9, 1))
            ),
            "crp": pd.Series([np.float32(5.1), np.float64(4), np.int16(3)], dtype=object),
            "hemoglobin": [pint.Quantity(12, "g/dL"), "12 g/dL", (12, "g/dL")],
            "inflammation": pd.Series([True, None, False], dtype="boolean"),
            "fasting": [True, False, True],
            "drawn": moments,
            "last_iv_iron": pd.Series([date(2026, 2, 25), None, None], dtype="date32[pyarrow]"),
            "last_oral_iron": moments.astype("timestamp[ns][pyarrow]"),
        }
    )
    units = {"ferritin": "ng/mL", "tsat": "%", "crp": "mg/L"}
    assert_rows_equal(df, units)
    assert_rows_equal(df.drop(columns=["last_iv_iron", "last_oral_iron"]), units)


def test_distinct_texts_are_parted_by_unit() -> None:
    df = pd.DataFrame(
        {
            "ferritin": [62.0, 168.5, None, 62.0, 62.0, -1.0],
            "ferritin_unit": ["ng/mL", "pmol/L", "ng/mL", None, "mg", " "],
            "tsat": ["18", "0.18", None, "18 %", "", "18"],
            "tsat_unit": ["%", "1", None, "1", "%", None],
        }
    )
    assert_rows_equal(df, {})
    assert_rows_equal(df, UNITS)
    assert_rows_equal(
        df[["tsat", "tsat_unit"]].assign(iron="60 ug/dL", tibc=300), {"tibc": "ug/dL"}
    )


def test_numbers_beyond_the_plausible_are_read_one_by_one() -> None:
    df = pd.DataFrame({"ferritin": NUMBERS, "tsat": NUMBERS, "crp": NUMBERS, "age": NUMBERS})
    assert_rows_equal(df, {"ferritin": "ng/mL", "tsat": "%", "crp": "mg/L"})
    assert_rows_equal(df, {"ferritin": "pmol/L", "tsat": "1", "crp": "mg/dL"})


def test_an_empty_frame_has_all_columns() -> None:
    some = interpret_frame(pd.DataFrame({"ferritin": [1.0]}), units={"ferritin": "ng/mL"})
    none = interpret_frame(
        pd.DataFrame({"ferritin": pd.Series([], dtype=float)}), units={"ferritin": "ng/mL"}
    )
    assert len(none) == 0
    assert none.columns.tolist() == some.columns.tolist()
    assert none.dtypes.map(str).tolist() == some.dtypes.map(str).tolist()
    assert len(interpret_frame(pd.DataFrame({"ferritin": []}, dtype=object))) == 0


def test_a_frame_without_any_value_is_open() -> None:
    df = pd.DataFrame({"ferritin": [None, None], "tsat": [math.nan, math.nan]})
    out = assert_rows_equal(df, UNITS)
    assert out["aasm_2025_needs"].tolist() == ["ferritin tsat age"] * 2


def test_the_index_is_kept_with_labels_that_repeat() -> None:
    df = pd.DataFrame({"ferritin": [62, 310, 62]}, index=pd.Index(["a", "a", "b"], name="draw"))
    out = interpret_frame(df, units={"ferritin": "ng/mL"})
    assert out.index.equals(df.index)
    assert out.index.name == "draw"
    assert_rows_equal(df, {"ferritin": "ng/mL"})


def test_the_frame_given_stays_as_it_is_and_no_two_columns_share_memory() -> None:
    df = pd.DataFrame({"ferritin": [62.0, 310.0]})
    out = interpret_frame(df, units={"ferritin": "ng/mL"})
    out.loc[0, "ferritin_low_ug_l"] = 5.0
    assert out.loc[0, "ferritin_high_ug_l"] == 62.0
    assert df.loc[0, "ferritin"] == 62.0


def test_all_but_the_numbers_are_categories() -> None:
    out = interpret_frame(pd.DataFrame({"ferritin": ["62 ng/mL"]}), guidelines="aasm-2025")
    assert [str(dtype) for dtype in out.dtypes[:4]] == ["float64"] * 4
    assert {str(dtype) for dtype in out.dtypes[4:]} == {"category"}
    assert list(out.columns) == [
        "ferritin_low_ug_l", "ferritin_high_ug_l", "tsat_low_pct", "tsat_high_pct",
        "ferritin_bound", "tsat_bound", "tsat_source",
        "aasm_2025_disposition", "aasm_2025_criterion", "aasm_2025_iron", "aasm_2025_possible",
        "aasm_2025_needs", "aasm_2025_rule", "notes", "assumptions", "problems",
    ]  # fmt: skip


def test_columns_are_renamed() -> None:
    df = pd.DataFrame({"LBXFER": [62.0], "unit": ["ng/mL"], "ferritin": ["x"]})
    columns = {"ferritin": "LBXFER", "ferritin_unit": "unit"}
    assert interpret_frame(df, columns=columns)["ferritin_low_ug_l"].tolist() == [62.0]


def test_many_kinds_are_counted_by_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsiron.kinds._DENSE", 20)
    for seed in (4, 5):
        assert_rows_equal(random_frame(200, seed=seed), units_of(seed))


HEAD = """
id = "own"
purpose = "rls"
source = "rlsiron"
version = "1"
reviewed_by = []
[[population]]
name = "all"
applies = {}
"""
RULE = """
[[population.rule]]
id = "{id}"
{when}
disposition = "{disposition}"
verified = "convention"
says = "so"
"""


def test_many_cuts_are_searched(tmp_path: Path) -> None:
    """Sixty rules, each with a limit of its own."""
    limits = range(1, 61)
    rules = [
        RULE.format(
            id=f"R{limit}",
            when=f'when = {{ ferritin = "<= {limit} ug/L" }}',
            disposition="oral-iron" if limit % 2 else "no-iron",
        )
        for limit in limits
    ]
    own = tmp_path / "own.toml"
    rules.append(RULE.format(id="rest", when="", disposition="no-iron"))
    own.write_text(HEAD + "".join(rules), "utf-8")
    beside = [limit + step for limit in limits for step in (-1e-9, 1e-9)]
    df = pd.DataFrame({"ferritin": [*map(float, limits), *beside, 0.5, 400.0], "tsat": 30.0})
    out = assert_rows_equal(df, UNITS, guidelines=(str(own),))
    assert out["own_disposition"].tolist()[:3] == ["oral-iron", "no-iron", "oral-iron"]
    assert out["own_rule"].tolist()[60:63] == ["R1", "R2", "R2"]


@pytest.mark.parametrize(
    ("df", "call", "message"),
    [
        ({"ferritin": [62]}, {}, "ferritin is a column of numbers with no unit; declare units="),
        ({"ferritin": [62, None, "x"][:2]}, {}, "is a column of numbers with no unit"),
        ({"ferritin": pd.Series([Decimal(6)], dtype=object)}, {}, "is a column of numbers with no"),
        ({"ferritin": pd.Series([6], dtype="category")}, {}, "is a column of numbers with no unit"),
        ({"ferritin": [62], "ferritin_unit": [None]}, {}, "is a column of numbers with no unit"),
        ({"feritin": [62]}, {}, "column 'feritin' is not read; did you mean 'ferritin'"),
        ({"Ferritin": [62]}, {}, "column 'Ferritin' is not read; did you mean 'ferritin'"),
        ({"ferritin": ["62 ng/mL"], "sexe": [1]}, {}, "column 'sexe' is not read; did you mean"),
        ({"ferritin": ["62 ng/mL"], "agx": [1]}, {}, "column 'agx' is not read; did you mean"),
        ({"age": [44]}, {}, "no column has results; name one of ferritin, tsat"),
        ({"ferritin": [62]}, {"units": {"feritin": "ng/mL"}}, "units= names 'feritin'; did you"),
        ({"ferritin": [62]}, {"units": {"age": "ng/mL"}}, "units= names 'age'; known: ferritin"),
        ({"ferritin": [62]}, {"units": {"tsat": "%"}}, "units= names 'tsat'; known: ferritin"),
        ({"ferritin": [62]}, {"units": {"ferritin": "mg"}}, "ferritin is not reported in 'mg'"),
        ({"x": [62]}, {"columns": {"feritin": "x"}}, "columns= names 'feritin'; did you mean"),
        ({"LBXFER": [6]}, {"columns": {"ferritin": "LBXFR"}}, "columns= gives 'LBXFR' for"),
        ({"ferritin": [62]}, {"errors": "ignore"}, "errors='ignore' is not a choice"),
        ({"ferritin": [62]}, {"decimal": ";"}, "decimal=';' is not a choice"),
        ({"ferritin": [62]}, {"guidelines": ()}, "names no guideline"),
        ({"ferritin": [62]}, {"strict": "no"}, "strict='no' is not a choice; write False or True"),
        ({"ferritin": [62]}, {"units": "ng/mL"}, "units='ng/mL' is no mapping; give a dict"),
        ({"ferritin": [62]}, {"columns": ["a"]}, "columns=['a'] is no mapping; give a dict"),
        ({"ferritin": [62]}, {"units": {"ferritin": ["ng/mL"]}}, "units= gives ['ng/mL'] for"),
        (
            {"ferritin": [62]},
            {"columns": {"tsat": "ferritin"}},
            "column 'ferritin' is named for 'ferritin' and 'tsat'; name one for each",
        ),
        (
            {"ferritin": ["62 ng/mL"], "x": [44]},
            {"columns": {"age": "x", "birth_date": "x"}},
            "column 'x' is named for 'age' and 'birth_date'; name one for each",
        ),
        (
            {"ferritin": ["62 ng/mL"]},
            {"columns": {"ferritin_unit": "ferritin"}},
            "column 'ferritin' is named for 'ferritin' and 'ferritin_unit'; name one for each",
        ),
        (
            {"ferritin": pd.Series([62.0], dtype=pd.SparseDtype(float))},
            {"units": {"ferritin": "ng/mL"}},
            "the column of ferritin is sparse; make it dense first",
        ),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_error(
    df: dict[str, object], call: dict[str, Any], message: str
) -> None:
    with pytest.raises(rlsiron.RlsironError) as refusal:
        interpret_frame(pd.DataFrame(df), **call)
    assert message in str(refusal.value)


def test_a_column_that_stands_twice_is_refused() -> None:
    df = pd.DataFrame([[1, 2]], columns=["ferritin", "ferritin"])
    with pytest.raises(rlsiron.RlsironError, match="column 'ferritin' stands there 2 times"):
        interpret_frame(df, units={"ferritin": "ng/mL"})


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(rlsiron.RlsironError, match="is no frame"):
        interpret_frame({"ferritin": ["62 ng/mL"]})


def test_other_columns_are_ignored() -> None:
    df = pd.DataFrame({"ferritin": ["62 ng/mL"], "patient": [1], 5: [2]})
    assert interpret_frame(df)["problems"].tolist() == [""]


@pytest.mark.parametrize(
    "name",
    ["Fe", "desialotransferrin", "transferrin receptor", "alanine aminotransferase",
     "aspartate aminotransferase", "iron stain", "urine iron"],
)  # fmt: skip
def test_a_name_that_looks_like_an_analyte_is_none(name: str) -> None:
    """evidence/units.md §3; `Fe` is ferritin in one data set and iron in another."""
    with pytest.raises(rlsiron.RlsironError, match="no column has results"):
        interpret_frame(pd.DataFrame({name: ["300 ug/L"]}))
    df = pd.DataFrame({"iron": ["60 ug/dL"], name: ["300 ug/dL"]})
    assert interpret_frame(df)["tsat_source"].tolist() == [""]


def test_a_bad_row_stops_the_frame_when_asked() -> None:
    df = pd.DataFrame({"ferritin": ["62 ng/mL", "x", "y"]}, index=["a", "b", "c"])
    with pytest.raises(rlsiron.RlsironError, match=r"row 'b': .*ferritin 'x' cannot be read"):
        interpret_frame(df, errors="raise")
    assert len(interpret_frame(df.head(1), errors="raise")) == 1


def test_a_guideline_of_ones_own_is_read(tmp_path: Path) -> None:
    from importlib.resources import files

    text = (files("rlsiron.data") / "guidelines" / "aasm-2025.toml").read_text("utf-8")
    text = text.replace('id = "aasm-2025"', 'id = "own"', 1).replace("AASM 2025", "Own")
    own = tmp_path / "own.toml"
    own.write_text(text, "utf-8")
    df = pd.DataFrame({"ferritin": ["62 ng/mL", ">75 ng/mL"], "age": 44})
    assert_rows_equal(df, {}, guidelines=(str(own),))


def nhanes(folder: Path) -> pd.DataFrame:
    """Return the draws of NHANES 2017-2018 as a frame, with all the raw columns."""
    df = pd.read_sas(folder / "DEMO_J.XPT", format="xport")
    for name in ("FERTIN_J", "HSCRP_J", "CBC_J"):
        raw = pd.read_sas(folder / f"{name}.XPT", format="xport")
        df = df.merge(raw, on="SEQN", how="left")
    crp = df["LBXHSCRP"].astype(object)
    return df.assign(
        ferritin=df["LBXFER"],
        crp=crp.where(df["LBDHRPLC"] != 1, "<0.15 mg/L"),
        hemoglobin=df["LBXHGB"],
        age=df["RIDAGEYR"].round(6),
        sex=df["RIAGENDR"].map({1: "male", 2: "female"}),
        pregnancy=df["RIDEXPRG"].map({1: "pregnant"}),
    )[["ferritin", "crp", "hemoglobin", "age", "sex", "pregnancy"]]


def test_nhanes_2017_counts_as_its_raw_columns_do(shared_data: Path) -> None:
    df = nhanes(shared_data / "nhanes-2017")
    units = {"ferritin": "ng/mL", "crp": "mg/L", "hemoglobin": "g/dL"}
    out = interpret_frame(df, units=units)
    assert (df["age"] == 0).sum() == 357
    known = out["ferritin_low_ug_l"].notna()
    adult = df["age"] >= 18
    assert known.sum() == 6589
    assert (known & adult).sum() == 5213
    assert (adult & (out["ferritin_high_ug_l"] <= 75)).sum() == 1923
    assert (out["ferritin_low_ug_l"] >= 300).sum() == 635
    assert out["problems"].eq("").all()
    for id_ in ("aasm_2025", "irlssg_2018", "mayo_2021"):
        said = out[f"{id_}_disposition"]
        open_ = ~said.isin(["withhold-iron", "not-covered"])
        needs = out[f"{id_}_needs"].astype(str).str.split()
        assert needs[open_].map(lambda names: "tsat" in names).all()
    assert (
        out.loc[out["ferritin_low_ug_l"] >= 300, "aasm_2025_disposition"] == "withhold-iron"
    ).all()
    few = df.sample(300, random_state=1)
    assert_rows_equal(few, units)


def test_nhanes_tsat_equals_interpret_row_by_row(shared_data: Path) -> None:
    raw = pd.read_csv(shared_data / "nhanes-tsat" / "women-18-45.csv")
    names = {
        "ferritin": "LBXFER", "tsat": "LBDPCT", "iron": "LBXIRN", "tibc": "LBXTIB",
        "hemoglobin": "LBXHGB",
    }  # fmt: skip
    df = pd.DataFrame({name: raw[label] for name, label in names.items() if label in raw})
    df["age"], df["sex"] = 30.0, "female"
    assert_rows_equal(df, {n: EVERY_UNIT[n] for n in names} | {"hemoglobin": "g/dL"})


def test_results_may_share_a_column_of_units() -> None:
    df = pd.DataFrame({"iron": [60.0], "tibc": [300.0], "unit": ["ug/dL"]})
    out = interpret_frame(df, columns={"iron_unit": "unit", "tibc_unit": "unit"})
    assert out["tsat_high_pct"].tolist() == [20.0]
