import pickle
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

import rlsiron
from rlsiron import interpretation
from rlsiron.frames import interpret_frame
from rlsiron.partitions import ask


def test_numbers_without_a_unit_are_a_problem_of_rows_only_where_others_have_one() -> None:
    """Where it was asked the column had texts."""
    whole = pd.DataFrame({"ferritin": ["62 ng/mL", 75.5], "iron": ["60 ug/dL", 60]})
    part = pd.DataFrame({"ferritin": [75.5], "iron": [60]}, index=[1])
    out = ask().answered(part)
    expected = interpret_frame(whole)
    assert out["problems"].tolist() == expected["problems"].tolist()[1:]
    assert "ferritin 75.5 has no unit" in out["problems"].tolist()[0]
    with pytest.raises(rlsiron.UnitError, match="is a column of numbers with no unit"):
        ask().shape(part.iloc[:0])
    renamed = ask(columns={"ferritin": "LBXFER"}).answered(
        part.rename(columns={"ferritin": "LBXFER"})
    )
    assert renamed["problems"].tolist() == out["problems"].tolist()


def test_a_part_takes_the_units_that_are_declared_or_stand_beside() -> None:
    part = pd.DataFrame({"ferritin": [62.0], "fe_unit": ["ug/dL"], "iron": [60.0]})
    question = ask(units={"ferritin": "ng/mL"}, columns={"iron_unit": "fe_unit"})
    assert question.answered(part)["problems"].tolist() == [""]


def test_a_question_that_travelled_compiles_nothing_twice() -> None:
    df = pd.DataFrame({"ferritin": ["62 ng/mL"]})
    question = ask(guidelines=("aasm-2025", "nice-cks"))
    question.answered(df)
    before = interpretation._compiled.cache_info().misses  # noqa: SLF001
    pickle.loads(pickle.dumps(question)).answered(df)  # noqa: S301 - our own
    assert interpretation._compiled.cache_info().misses == before  # noqa: SLF001


def test_a_worker_with_other_knowledge_refuses_to_answer() -> None:
    question = ask()
    other = question.rests_on.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(rlsiron.RlsironError, match="install one version on all machines"):
        replace(question, rests_on=other).answered(pd.DataFrame({"ferritin": ["62 ng/mL"]}))


def test_no_other_module_imports_an_engine() -> None:
    """Of Dask, pint imports the arrays, where they are installed."""
    code = """
import pkgutil, sys, importlib, rlsiron
engines = {"rlsiron.dask_frames", "rlsiron.spark_frames"}
for module in pkgutil.iter_modules(rlsiron.__path__, "rlsiron."):
    if module.name not in engines:
        importlib.import_module(module.name)
import pandas as pd
from rlsiron.frames import interpret_frame
interpret_frame(pd.DataFrame({"ferritin": ["62 ng/mL"]}))
print(sorted({"dask.dataframe", "distributed", "pyspark"} & set(sys.modules)))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.strip() == "[]"
