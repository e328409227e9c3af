import json
import sys

import pytest

from calling import run
from rlsiron.sql import canonical_columns, guideline_sql


def test_the_query_is_printed() -> None:
    result = run("guideline", "sql", "aan-2016", "--dialect", "postgres", "--from", "lab.draws",
                 "--key", "patient", "--key", "drawn")  # fmt: skip
    assert result.exit_code == 0
    keys = ("patient", "drawn")
    assert result.stdout == guideline_sql(
        "aan-2016", dialect="postgres", source="lab.draws", keys=keys
    )


def test_what_it_reads_is_json_for_a_program() -> None:
    told = json.loads(
        run("guideline", "sql", "picchietti-2015", "--verified-only", "--json").stdout
    )
    assert told["guideline"] == "picchietti-2015"
    assert told["dialect"] == "duckdb"
    assert told["query"] == guideline_sql("picchietti-2015", strict=True)
    assert told["columns"] == [one._asdict() for one in canonical_columns("picchietti-2015")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("asm-2025",), "unknown guideline 'asm-2025'; did you mean 'aasm-2025'?"),
        (("who-2020",), "a file of statements decides nothing"),
        (("aan-2016", "--dialect", "sparc"), "unknown dialect 'sparc'; did you mean 'spark'?"),
    ],
)
def test_a_wrong_call_is_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    result = run("guideline", "sql", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rlsiron.sql", "rlsiron.sql_kinds", "rlsiron.sql_rows", "rlsiron.sql_terms"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    result = run("guideline", "sql", "aan-2016")
    assert result.exit_code == 2
    assert "pip install 'rlsiron[sql]'" in result.stderr
