import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyspark.errors import PythonException, SparkRuntimeException
from pyspark.sql import DataFrame, SparkSession

import rlsiron
from rlsiron.frames import interpret_frame
from rlsiron.partitions import ask
from rlsiron.spark_frames import answer_batches, interpret_parquet, interpret_spark
from spread import as_expected, assert_same, frame_of, numbers, typed, vectors
from test_frames import units_of

ROWS = int(os.environ.get("RLSIRON_FRAME_ROWS", "0"))
UNITS = {"ferritin": "ng/mL", "tsat": "%"}


def given(spark: SparkSession, df: pd.DataFrame, partitions: int) -> DataFrame:
    """Return a frame in Spark, with a number for each row, in partitions of any order."""
    table = pa.Table.from_pandas(df, preserve_index=False)
    table = table.append_column("row", pa.array(range(len(df)), pa.int64()))
    return spark.createDataFrame(table).repartition(partitions)


def collected(answers: DataFrame, inputs: int) -> pd.DataFrame:
    """Return the columns of the answer in the order of the rows."""
    out: pd.DataFrame = answers.toArrow().to_pandas()
    return out.sort_values("row").iloc[:, inputs + 1 :]


@pytest.mark.parametrize("call", vectors(), ids=str)
def test_the_conformance_pack_is_answered_in_partitions(spark: SparkSession, call: Any) -> None:  # noqa: ANN401
    (ids, strict, decimal), _ = call
    cases = vectors()[call]
    df = frame_of(cases)
    asked: dict[str, Any] = {"guidelines": ids, "strict": strict, "decimal": decimal}
    out = collected(interpret_spark(given(spark, df, 4), **asked), len(df.columns))
    assert as_expected(out, cases)
    assert_same(out, interpret_frame(df, **asked))


def test_messy_rows_are_answered_in_partitions(spark: SparkSession) -> None:
    """By hand: RLSIRON_FRAME_ROWS=100000."""
    rows, block = ROWS or 2_000, 5_000 if ROWS else 500
    for seed, at in enumerate(range(0, rows, block)):
        df = typed(min(block, rows - at), seed=seed)
        answers = interpret_spark(given(spark, df, 3), units=units_of(seed))
        assert_same(collected(answers, len(df.columns)), interpret_frame(df, units=units_of(seed)))


def test_numbers_are_answered_in_partitions(spark: SparkSession) -> None:
    units = {**UNITS, "crp": "mg/L"}
    for seed in range(1, 1 + max(ROWS // 100_000, 1)):  # more at once is more than a session holds
        df = numbers(100_000, seed=seed)
        out = collected(interpret_spark(given(spark, df, 3), units=units), len(df.columns))
        assert_same(out, interpret_frame(df, units=units))


def test_the_input_stays_in_front_and_an_unknown_number_is_null(spark: SparkSession) -> None:
    df = spark.createDataFrame([(7, 62.0), (8, None)], "visit int, ferritin double")
    answers = interpret_spark(df, units={"ferritin": "ng/mL"}, guidelines="mayo-2021")
    assert answers.columns[:3] == ["visit", "ferritin", "ferritin_low_ug_l"]
    assert answers.filter("ferritin_high_ug_l > 300").count() == 0
    assert answers.filter("ferritin_low_ug_l is null").first()["visit"] == 8  # type: ignore[index]
    assert dict(answers.dtypes)["mayo_2021_disposition"] == "string"


def test_every_type_is_read_as_it_is(spark: SparkSession) -> None:
    rows = [
        (62, Decimal("18.0"), 44.5, ["heart-failure"], True, date(2026, 2, 25), "male", None),
        (None, None, None, None, None, None, None, None),
        (310, Decimal("5.5"), 9.0, [], False, None, "F", None),
    ]
    names = ("ferritin int, tsat decimal(9,1), age float, conditions array<string>, "
             "inflammation boolean, last_iv_iron date, sex string, other void")  # fmt: skip
    answers = interpret_spark(spark.createDataFrame(rows, names).coalesce(1), units=UNITS)
    labels = [part.split()[0] for part in names.split(", ")]
    df = pd.DataFrame(rows, columns=labels, dtype=object).drop(columns="other")
    out: pd.DataFrame = answers.toArrow().to_pandas()
    assert_same(out.iloc[:, len(labels) :], interpret_frame(df, units=UNITS))


def test_the_day_of_a_timestamp_is_that_of_the_session(spark: SparkSession) -> None:
    """In New York it is still the day before the 18th birthday."""
    spark.conf.set(ZONE, "America/New_York")
    try:
        df = spark.sql(
            "select '62 ng/mL' as ferritin, '30 %' as tsat, date'2008-03-02' as birth_date, "
            "timestamp'2026-03-01 23:30:00' as drawn"
        )
        [row] = interpret_spark(df, guidelines="aasm-2025").collect()
    finally:
        spark.conf.unset(ZONE)
    answer = rlsiron.interpret(
        ferritin="62 ng/mL",
        tsat="30 %",
        patient={"birth_date": date(2008, 3, 2)},
        drawn=datetime(2026, 3, 1, 23, 30),  # noqa: DTZ001 - as the session shows it
        guidelines="aasm-2025",
    )
    assert row["aasm_2025_disposition"] == answer.decision.disposition
    assert row["aasm_2025_rule"] == answer.decision.rules[0].id
    assert row["problems"] == ""


def test_partitions_may_be_empty_or_of_one_row(spark: SparkSession) -> None:
    df = pd.DataFrame({"tsat": ["18 %", None, "<5 %"], "sex": [None, None, None]})
    df["sex"] = df["sex"].astype("str")
    out = collected(interpret_spark(given(spark, df, 9)), 2)
    assert_same(out, interpret_frame(df))
    nothing = interpret_spark(given(spark, df, 2).filter("row > 5"))
    assert nothing.count() == 0
    assert set(out.columns) < set(nothing.columns)


def test_only_the_answers_that_are_wanted_are_given(spark: SparkSession) -> None:
    df = spark.createDataFrame([("62 ng/mL", "x")], "ferritin string, NOTES string")
    wanted = ["problems", "aasm_2025_iron"]
    assert interpret_spark(df, answers=wanted).columns == ["ferritin", "NOTES", *wanted]
    with pytest.raises(rlsiron.RlsironError, match="answers= names 'problem'; did you mean"):
        interpret_spark(df, answers=["problem"])
    with pytest.raises(rlsiron.RlsironError, match="column 'NOTES' is in the input and in the"):
        interpret_spark(df)
    assert "rls_notes" in interpret_spark(df, prefix="rls_").columns


ZONE = "spark.sql.session.timeZone"
NO_ROWS = "select cast(raise_error('it was read') as double) as ferritin"


def test_nothing_is_computed_before_it_is_asked_for(spark: SparkSession) -> None:
    read = spark.sql(NO_ROWS)
    answers = interpret_spark(read, units={"ferritin": "ng/mL"})
    with pytest.raises(SparkRuntimeException, match="it was read"):
        answers.collect()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({}, "ferritin is a column of numbers with no unit; declare units="),
        ({"units": {"ferritin": "furlong"}}, "ferritin is not reported in 'furlong'"),
        ({"columns": {"tsat": "TSAT"}}, "columns= gives 'TSAT' for 'tsat'"),
        ({"units": {"ferritin": "ng/mL"}, "guidelines": "aasm-2024"}, "aasm-2024"),
    ],
)
def test_a_wrong_call_is_refused_before_any_row_is_read(
    spark: SparkSession, call: dict[str, Any], message: str
) -> None:
    read = spark.sql(NO_ROWS)
    with pytest.raises(rlsiron.RlsironError) as refusal:
        interpret_spark(read, **call)
    assert message in str(refusal.value)


def test_what_is_no_frame_of_spark_is_refused() -> None:
    with pytest.raises(rlsiron.RlsironError, match="is not a DataFrame of Spark; give one"):
        interpret_spark(pd.DataFrame({"ferritin": ["62 ng/mL"]}))  # type: ignore[arg-type]


def test_a_bad_row_is_named_by_its_place_when_asked(spark: SparkSession) -> None:
    df = spark.createDataFrame(pa.table({"ferritin": ["62 ng/mL", "62 ng/mL", "x"]})).coalesce(1)
    with pytest.raises(
        PythonException, match=r"RlsironError: partition 0, row 2: .*ferritin 'x' cannot be read"
    ):
        interpret_spark(df, errors="raise").collect()


def test_guidelines_travel_that_only_the_caller_has(spark: SparkSession, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'id = "own"\nextends = "aasm-2025"\nversion = "1"\n[[change]]\nid = "AA-3"\n'
        'when = { ferritin = ["> 75 ug/L", "<= 90 ug/L"] }\n',
        "utf-8",
    )
    df = pd.DataFrame({"ferritin": [62.0, 95.0, 310.0], "tsat": 30.0, "age": 44})
    asked: dict[str, Any] = {"guidelines": (own, "aasm-2025"), "units": UNITS}
    expected = interpret_frame(df, **asked)
    answers = interpret_spark(given(spark, df, 2), **asked)
    own.unlink()
    out = collected(answers, 3)
    assert out["own_disposition"].tolist() == ["oral-or-iv-iron", "no-iron", "withhold-iron"]
    assert_same(out, expected)


def test_parquet_comes_back_as_parts_with_the_answers_behind_the_rows(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    df = pd.DataFrame({"ferritin": [62.0, None, 310.0], "sex": ["male", None, "F"]})
    for at in range(3):
        df[at : at + 1].to_parquet(tmp_path / "in" / f"{at}.parquet")
    target = tmp_path / "out"
    interpret_parquet(
        str(tmp_path / "in"),
        str(target),
        spark=spark,
        units={"ferritin": "ng/mL"},
        answers=["aasm_2025_possible"],
    )
    assert (target / "_SUCCESS").exists()
    out = pd.concat([pd.read_parquet(path) for path in target.glob("*.parquet")])
    assert list(out.columns) == ["ferritin", "sex", "aasm_2025_possible"]
    said = interpret_frame(df, units={"ferritin": "ng/mL"})["aasm_2025_possible"]
    assert sorted(out["aasm_2025_possible"]) == sorted(said.astype("str"))


# without Java


def batches(*cells: list[str | None]) -> list[pa.RecordBatch]:
    return [pa.record_batch({"ferritin": pa.array(one, pa.string())}) for one in cells]


NAMES = {"ferritin_low_ug_l": "low", "aasm_2025_possible": "said"}


def test_batches_are_answered_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsiron.spark_frames._ROWS", 3)
    parts = batches(["62 ng/mL"], [], ["<5 ug/L", None], ["310 ng/mL"])
    out = pa.Table.from_batches(answer_batches(iter(parts), question=ask(), names=NAMES))
    expected = interpret_frame(pa.Table.from_batches(parts).to_pandas())
    assert out.column_names == ["ferritin", "low", "said"]
    assert out["ferritin"].to_pylist() == ["62 ng/mL", "<5 ug/L", None, "310 ng/mL"]
    assert out["low"].to_pylist() == [62.0, 0.0, None, 310.0]
    assert out["said"].to_pylist() == expected["aasm_2025_possible"].tolist()
    assert out["said"].type == pa.string()
    assert list(answer_batches(iter([]), question=ask(), names=NAMES)) == []


def test_a_bad_row_is_counted_through_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsiron.spark_frames._ROWS", 2)
    parts = batches(["62 ng/mL"], ["62 ng/mL"], ["62 ng/mL", "x"])
    with pytest.raises(rlsiron.RlsironError, match=r"^row 3: .*ferritin 'x' cannot be read"):
        list(answer_batches(iter(parts), question=ask(errors="raise"), names=NAMES))
